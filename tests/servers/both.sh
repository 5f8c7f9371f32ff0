# shellcheck shell=bash
# What kafka.sh and postgres.sh have in common; read with `source`.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# What is downloaded and can be had again: kept between runs.
cache=${GRIDWARD_SERVERS:-$here/../../target/servers}

say() { printf 'servers: %s\n' "$*" >&2; }
give_up() { printf 'servers: %s\n' "$@" >&2; exit 1; }

# This machine cannot have the server: say what to do, and how to go on without it, knowingly.
cannot_have() { # WHAT, and lines that say why and what would help
    local what=$1
    shift
    printf 'servers: %s\n' "$what cannot be had on this machine, so nothing can be tested on Kafka and PostgreSQL" "$@" \
        'To leave those tests out, and know it, run' '  GRIDWARD_WITHOUT_SERVERS=1 make test' \
        "本机没有 $what，也装不上，因此无法在 Kafka 和 PostgreSQL 上测试。" \
        '若明知如此仍要略去这部分测试，请运行' '  GRIDWARD_WITHOUT_SERVERS=1 make test' >&2
    exit 1
}

apt_install() { # WHAT IT IS FOR, PACKAGE...
    local what=$1
    shift
    if ! command -v apt-get >/dev/null; then
        cannot_have "$what" "Debian's packages are needed, or what they are called here: $*"
    fi
    if [ "$(id -u)" -ne 0 ]; then
        cannot_have "$what" 'Run' "  sudo apt-get update && sudo apt-get install -y --no-install-recommends $*"
    fi
    say "installing $* with apt-get: $what needs it"
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; } </dev/null >&2 \
        || cannot_have "$what" "apt-get could not install $*"
}

# One at a time may download, install or train: others wait, and find it done.
alone() { # COMMAND...
    mkdir -p "$cache"
    (
        flock 9
        "$@"
    ) 9>"$cache/lock"
}

# Below 32768: from there on the system hands ports out itself, also while a killed server is down.
free_port() { # ADDRESS
    local port
    while :; do
        port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        if ! (: >"/dev/tcp/$1/$port") 2>/dev/null; then break; fi
    done
    echo "$port"
}

secret() { openssl rand -hex 16; }

# An authority, a certificate for ADDRESS signed by it, and an authority that signed nothing here.
make_certificates() { # FOLDER, ADDRESS
    local folder=$1 name
    mkdir -p "$folder"
    for name in ca other-ca; do
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 3650 -subj "/CN=gridward test $name" \
            -keyout "$folder/$name.key" -out "$folder/$name.pem" 2>/dev/null
    done
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 3650 -subj '/CN=gridward test server' \
        -CA "$folder/ca.pem" -CAkey "$folder/ca.key" -addext 'basicConstraints=critical,CA:FALSE' \
        -addext "subjectAltName=IP:$2,DNS:localhost" -keyout "$folder/server.key" -out "$folder/server.pem" 2>/dev/null
}

alive() { # PID: there, and not only a zombie nobody has waited for
    local state
    state=$(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) && [ -n "$state" ] && [ "$state" != Z ]
}

# The process of DIR, or nothing. A number that another process has by now is not ours.
pid_of() { # DIR
    local pid
    pid=$(cat "$1/pid" 2>/dev/null) || return 0
    if alive "$pid" && tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "$1/"; then echo "$pid"; fi
}

children_of() { # PID
    { grep -l "^PPid:[[:space:]]*$1\$" /proc/[0-9]*/status 2>/dev/null || true; } | cut -d / -f 3
}

until_gone() { # SECONDS, PID...: false if one is left
    local last=$((SECONDS + $1)) pid
    shift
    for pid in "$@"; do
        while alive "$pid"; do
            if [ "$SECONDS" -gt "$last" ]; then return 1; fi
            sleep 0.05
        done
    done
}

# Starts COMMAND for DIR in the background, in a session of its own: Ctrl-C is for the tests, which then stop it.
# A keeper stays beside it: it sees the server's end, so that its number is free at once wherever nobody else does
# (PostgreSQL takes a zombie for a running server), and it ends the server when the owner has gone, however it went.
launch() { # DIR, COMMAND...
    local dir=$1
    shift
    rm -f "$dir/pid"
    # shellcheck disable=SC2016 # for the keeper to expand
    setsid bash -c '
        dir=$1 owner=$2 ending=$3
        shift 3
        "$@" &
        server=$!
        echo "$$" >"$dir/keeper"
        echo "$server" >"$dir/pid.new"
        mv "$dir/pid.new" "$dir/pid"
        if [ -n "$owner" ]; then
            while kill -0 "$owner" && kill -0 "$server"; do
                sleep 0.5 &
                wait -n
            done
            kill "-$ending" "$server" 2>/dev/null && kill -CONT "$server" && sleep 3 && kill -KILL "$server"
        fi 2>/dev/null
        wait
    ' keeper "$dir" "$owner" "$ending" "$@" </dev/null >>"$dir/log" 2>&1 9>&- &
    until [ -s "$dir/pid" ]; do sleep 0.01; done
}

# Waits until COMMAND says that the server of DIR serves.
until_serving() { # DIR, COMMAND...
    local dir=$1 last=$((SECONDS + 60))
    shift
    until "$@"; do
        if [ -z "$(pid_of "$dir")" ] && ! "$@"; then
            tail -n 20 "$dir/log" >&2
            give_up "it ended while it started, see $dir/log"
        fi
        if [ "$SECONDS" -gt "$last" ]; then
            kill_server "$dir"
            give_up "it did not start within 60 s, see $dir/log"
        fi
        sleep 0.05
    done
}

cleared() { # DIR: after its server has gone
    local keeper
    keeper=$(cat "$1/keeper" 2>/dev/null) || return 0
    until_gone 5 "$keeper" || true
    rm -f "$1/keeper" "$1/pid"
}

# As by a power cut, but for the page cache: the process and all its children, at once.
kill_server() { # DIR
    local pid children
    pid=$(pid_of "$1")
    if [ -n "$pid" ]; then
        children=$(children_of "$pid")
        kill -KILL "$pid"
        # shellcheck disable=SC2086 # one word per process
        kill -KILL $children 2>/dev/null || true
        # shellcheck disable=SC2086
        until_gone 10 "$pid" $children || give_up "$pid does not end, though it was killed"
    fi
    cleared "$1"
}

stop_server() { # DIR, SIGNAL, SECONDS
    local pid children
    pid=$(pid_of "$1")
    if [ -n "$pid" ]; then
        children=$(children_of "$pid")
        signal_server "$1" CONT
        kill "-$2" "$pid"
        # shellcheck disable=SC2086
        if ! until_gone "$3" "$pid" $children; then
            say "$pid did not stop within $3 s: killing it"
            kill_server "$1"
        fi
    fi
    cleared "$1"
}

signal_server() { # DIR, SIGNAL: to the server and its children
    local pid
    pid=$(pid_of "$1")
    if [ -z "$pid" ]; then give_up "nothing runs in $1"; fi
    # shellcheck disable=SC2046
    kill "-$2" "$pid" $(children_of "$pid")
}

# What start was asked for, besides DIR.
address=127.0.0.1
owner=
# The signal that ends a server whose owner has gone: at once, and with nothing left behind.
ending=KILL
with_tls=
# Of several brokers that are one cluster; otherwise one of its own.
cluster=
settings=()
options() {
    while [ $# -gt 0 ]; do
        case $1 in
        --tls) with_tls=yes ;;
        --address) address=${2:?the address to listen on}; shift ;;
        --owner) owner=${2:?the process without which the server ends}; shift ;;
        --cluster) cluster=${2:?the id of the cluster}; shift ;;
        *=*) settings+=("$1") ;;
        *) give_up "not understood: $1" ;;
        esac
        shift
    done
}
