#!/usr/bin/env bash
# Hundreds of faults on one broker and on three, hours of steady work, lives drawn from seeds, parsers fed with what
# nobody would send; prints every figure beside its mark. Names of parts (faults, brokers, soak, lives, fuzz) try only
# those; the environment says how much of each (SEED, FAULTS, REPORTS, RATE, EACH, TOGETHER, MINUTES, LIVES, RUNS), and JSON names a
# file for the figures. The servers are its own: they are killed.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${GRIDWARD_WITHOUT_SERVERS:-}" != 1 ]; then
    # First, so that nothing is begun where one of them cannot be had.
    tests/servers/kafka.sh get
    tests/servers/postgres.sh get
fi
exec target/debug/chaos "$@"
