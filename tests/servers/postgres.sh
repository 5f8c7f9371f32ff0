#!/usr/bin/env bash
# A real PostgreSQL of its own: one cluster in one folder, on this machine only.
#
#   tests/servers/postgres.sh get               Debian's postgresql
#   tests/servers/postgres.sh start DIR ...     starts it, at first or again, and returns once it serves; the process is
#                                               in DIR/pid, what it says in DIR/log, its unix socket in DIR/socket
#       --tls            over TCP only with TLS: DIR/tls/ca.pem; nothing was signed by DIR/tls/other-ca.pem
#       --address IP     where it listens, 127.0.0.1 otherwise
#       --owner PID      it ends when that process ends
#       NAME=VALUE       a setting of the server
#     Only --owner counts when it is started again: its folder, port and settings stay.
#   tests/servers/postgres.sh stop | kill | freeze | thaw DIR       SIGINT, SIGKILL, SIGSTOP, SIGCONT; also to backends
#   tests/servers/postgres.sh crash DIR                             SIGKILL of the postmaster alone
#   tests/servers/postgres.sh createdb DIR NAME                     a new, empty database; prints its URL
#   tests/servers/postgres.sh url DIR [DATABASE]                    postgres://gridward:...@host:port/DATABASE
#   tests/servers/postgres.sh psql DIR ARGUMENTS                    as gridward, who may do everything
source "$(dirname "${BASH_SOURCE[0]}")/both.sh"

ending=QUIT

programs() {
    local found
    found=$(find /usr/lib/postgresql -maxdepth 3 -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1)
    [ -n "$found" ] || found=$(command -v initdb) || return 1
    dirname "$found"
}

get() {
    local missing=() quiet=/etc/postgresql-common/createcluster.d/gridward-tests.conf
    programs >/dev/null || missing+=(postgresql)
    command -v openssl >/dev/null || missing+=(openssl)
    if [ ${#missing[@]} -eq 0 ]; then return; fi
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        # Debian would make a cluster and start it, which nobody asked for.
        mkdir -p "$(dirname "$quiet")"
        echo 'create_main_cluster = false' >"$quiet"
        trap 'rm -f "$quiet"' EXIT
    fi
    apt_install PostgreSQL "${missing[@]}"
    rm -f "$quiet"
    programs >/dev/null || cannot_have PostgreSQL 'There is no initdb, though the package postgresql was installed'
}

# PostgreSQL refuses to be root.
if [ "$(id -u)" -eq 0 ]; then user=postgres; else user=$(id -un); fi
if [ "$(id -u)" -eq 0 ]; then as_user=(setpriv --reuid "$user" --regid "$user" --init-groups --); else as_user=(); fi

configure() { # DIR
    local dir=$1 socket=$1/socket
    mkdir -p "$dir" "$socket"
    chmod 755 "$dir"
    if ! "${as_user[@]}" test -x "$dir"; then
        give_up "$user may not enter $dir, and PostgreSQL does not run as root: start it below a folder that all may" \
            'enter, such as /var/tmp'
    fi
    touch "$dir/log"
    (umask 077 && secret >"$dir/password")
    rm -rf "$dir/data.new"
    mkdir "$dir/data.new"
    if [ -n "$with_tls" ]; then
        make_certificates "$dir/tls" "$address"
        chown "$user" "$dir/tls/server.key"
    fi
    chown "$user" "$dir/data.new" "$socket" "$dir/log" "$dir/password"
    # A path that is too long for a unix socket: then by TCP only.
    if [ ${#socket} -gt 90 ]; then socket=; fi
    "${as_user[@]}" "$bin/initdb" --pgdata "$dir/data.new" --username gridward --pwfile "$dir/password" --auth scram-sha-256 \
        --encoding UTF8 --locale C.UTF-8 --data-checksums --no-sync --no-instructions </dev/null >"$dir/log" 2>&1 \
        || { cat "$dir/log" >&2; give_up 'the cluster could not be made'; }
    cat >>"$dir/data.new/postgresql.conf" <<END

# --- as the tests want it ---
listen_addresses = '$address'
port = $(free_port "$address")
unix_socket_directories = '$socket'
max_connections = 200
shared_buffers = 128MB
timezone = 'UTC'
log_timezone = 'UTC'
# What was answered is there after a kill.
fsync = on
synchronous_commit = on
full_page_writes = on
# What statements cost, for who looks.
shared_preload_libraries = 'pg_stat_statements'
track_io_timing = on
# A lock that was waited for long, or a deadlock, is worth a line.
log_lock_waits = on
log_line_prefix = '%m [%p] %d '
END
    if [ -n "$with_tls" ]; then
        printf "%s\n" 'ssl = on' "ssl_cert_file = '$dir/tls/server.pem'" "ssl_key_file = '$dir/tls/server.key'" \
            >>"$dir/data.new/postgresql.conf"
    fi
    if [ ${#settings[@]} -gt 0 ]; then printf '%s\n' "${settings[@]}" >>"$dir/data.new/postgresql.conf"; fi
    cat >"$dir/data.new/pg_hba.conf" <<END
local all all scram-sha-256
local replication all scram-sha-256
host${with_tls:+ssl} all all all scram-sha-256
host${with_tls:+ssl} replication all all scram-sha-256
END
    # Last: a folder with data is whole.
    mv "$dir/data.new" "$dir/data"
}

# It says so itself, in the file that keeps a second server out.
serves() { # DIR
    local file=$1/data/postmaster.pid
    [ "$(sed -n '8s/ *$//p' "$file" 2>/dev/null)" = ready ] && [ "$(head -n 1 "$file")" = "$(cat "$1/pid")" ]
}

start() { # DIR
    local dir=$1
    if [ -n "$(pid_of "$dir")" ]; then give_up "a server runs in $dir already"; fi
    if [ ! -d "$dir/data" ]; then configure "$dir"; fi
    launch "$dir" "${as_user[@]}" "$bin/postgres" -D "$dir/data"
    until_serving "$dir" serves "$dir"
}

# Its backends notice by themselves; while one is left, PostgreSQL refuses to start.
crash() { # DIR
    local pid children
    pid=$(pid_of "$1")
    if [ -z "$pid" ]; then give_up "nothing runs in $1"; fi
    children=$(children_of "$pid")
    kill -KILL "$pid"
    # shellcheck disable=SC2086
    until_gone 30 "$pid" $children || give_up 'backends are left, though the postmaster was killed'
    cleared "$1"
}

# What a server that is killed leaves in shared memory: the next start in its folder takes it away, and so does stop.
remember_memory() { # DIR
    local pid
    pid=$(pid_of "$1")
    if [ -n "$pid" ]; then
        { cat /proc/"$pid"/maps; for pid in $(children_of "$pid"); do cat "/proc/$pid/maps"; done; } 2>/dev/null \
            | grep -o '/dev/shm/PostgreSQL\.[0-9]*' | sort -u >"$1/memory" || true
    fi
}

forget_memory() { # DIR, whose server has gone
    local name id
    if [ -f "$1/memory" ]; then
        while read -r name; do rm -f "$name"; done <"$1/memory"
        rm -f "$1/memory"
    fi
    # There only if it did not stop in good order.
    id=$(sed -n '7s/.* //p' "$1/data/postmaster.pid" 2>/dev/null) || true
    if [ -n "$id" ]; then ipcrm --shmem-id "$id" 2>/dev/null || true; fi
}

setting() { sed -n "s/^$2 *= *'\{0,1\}\([^']*\)'\{0,1\}\$/\1/p" "$1/data/postgresql.conf" | tail -n 1; }

url() { # DIR, DATABASE
    local tls=
    if [ -d "$1/tls" ]; then tls="?sslmode=verify-full&sslrootcert=$1/tls/ca.pem"; fi
    printf 'postgres://gridward:%s@%s:%s/%s%s\n' "$(cat "$1/password")" "$(setting "$1" listen_addresses)" \
        "$(setting "$1" port)" "$2" "$tls"
}

psql() { # DIR, ARGUMENT...
    local dir=$1
    shift
    PGPASSWORD=$(cat "$dir/password") command psql --no-psqlrc --set ON_ERROR_STOP=1 "$(url "$dir" postgres)" "$@"
}

command=${1:-}
if [ "$command" = get ]; then
    alone get
    exit
fi
dir=$(realpath --canonicalize-missing "${2:?the folder of the cluster}")
case $command in
start)
    options "${@:3}"
    alone get
    bin=$(programs)
    start "$dir"
    ;;
stop)
    remember_memory "$dir"
    stop_server "$dir" INT 20
    forget_memory "$dir"
    ;;
kill)
    remember_memory "$dir"
    kill_server "$dir"
    ;;
crash)
    remember_memory "$dir"
    crash "$dir"
    ;;
freeze) signal_server "$dir" STOP ;;
thaw) signal_server "$dir" CONT ;;
createdb)
    psql "$dir" --quiet --command "CREATE DATABASE \"${3:?the name of the database}\""
    url "$dir" "$3"
    ;;
url) url "$dir" "${3:-postgres}" ;;
psql) psql "$dir" "${@:3}" ;;
*) give_up 'say which: get, start, stop, kill, crash, freeze, thaw, createdb, url or psql' ;;
esac
