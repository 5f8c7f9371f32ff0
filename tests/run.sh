#!/usr/bin/env bash
# Runs every test; where there is a Kafka and a PostgreSQL, the scenarios over HTTP once more on those.
set -uo pipefail
cd "$(dirname "$0")/.."
outcome=0
cargo test --locked --workspace --no-fail-fast || outcome=$?
if [ -n "${GRIDWARD_TEST_KAFKA:-}" ]; then
    echo '--- the scenarios over HTTP, on Kafka and PostgreSQL ---'
    GRIDWARD_TEST_SETTING=servers cargo test --locked --workspace --no-fail-fast --lib -- life:: bad_input:: offers:: strangers:: in_confidence:: || outcome=$?
fi
exit "$outcome"
