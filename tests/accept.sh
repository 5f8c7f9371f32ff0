#!/usr/bin/env bash
# Replays real data and kills real processes; prints every figure beside its mark. DATA=folder tries more; names of
# parts (boston, baltimore, pingshan, taipei, tainan, embedded, published, killed, rolled, faults) try only those.
# GRIDWARD_WITHOUT_SERVERS=1 leaves out what needs a Kafka and a PostgreSQL.
set -euo pipefail
cd "$(dirname "$0")/.."
exec tests/servers/with.sh target/debug/accept "$@"
