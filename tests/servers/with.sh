#!/usr/bin/env bash
# Runs COMMAND with a Kafka and a PostgreSQL beside it, which are there for it only and end with it, however it ends.
#
#   tests/servers/with.sh COMMAND...    finds GRIDWARD_TEST_KAFKA (host:port) and GRIDWARD_TEST_POSTGRES (a URL)
#
# GRIDWARD_WITHOUT_SERVERS=1 runs it without them, and says so.
source "$(dirname "${BASH_SOURCE[0]}")/both.sh"

if [ "${GRIDWARD_WITHOUT_SERVERS:-}" = 1 ]; then
    say 'GRIDWARD_WITHOUT_SERVERS=1: NOTHING IS TESTED ON KAFKA AND POSTGRESQL'
    say 'GRIDWARD_WITHOUT_SERVERS=1：未在 KAFKA 和 POSTGRESQL 上进行任何测试'
    unset GRIDWARD_TEST_KAFKA GRIDWARD_TEST_POSTGRES
    exec "$@"
fi

# First, so that nothing is started where one of them cannot be had.
"$here/kafka.sh" get
"$here/postgres.sh" get

# On a disk, a short path (a unix socket's name lies below it), and open to the user PostgreSQL runs as.
folder=$(mktemp -d /var/tmp/gridward-servers.XXXXXX)
chmod 755 "$folder"
ended() {
    # What was still starting has to be there to be stopped.
    wait
    "$here/kafka.sh" stop "$folder/kafka" &
    "$here/postgres.sh" stop "$folder/postgres"
    wait
    for name in kafka postgres; do cp "$folder/$name/log" "$cache/last-$name.log" 2>/dev/null || true; done
    rm -rf "$folder"
}
trap ended EXIT
trap 'exit 130' INT TERM

"$here/kafka.sh" start "$folder/kafka" --owner $$ &
kafka=$!
"$here/postgres.sh" start "$folder/postgres" --owner $$
wait "$kafka"
GRIDWARD_TEST_KAFKA=$(cat "$folder/kafka/bootstrap")
GRIDWARD_TEST_POSTGRES=$("$here/postgres.sh" url "$folder/postgres")
export GRIDWARD_TEST_KAFKA GRIDWARD_TEST_POSTGRES
say "Kafka at $GRIDWARD_TEST_KAFKA, PostgreSQL beside it; what they say is in $cache/last-*.log afterwards"
outcome=0
"$@" || outcome=$?
exit "$outcome"
