#!/usr/bin/env bash
# Every test; then the scenarios over HTTP once more, on Kafka and PostgreSQL, where there are any.
set -euo pipefail
outcome=0
cargo test --locked --workspace --no-fail-fast || outcome=$?
if [ -n "${GRIDWARD_TEST_KAFKA:-}" ]; then
    printf '== the scenarios once more, on Kafka and PostgreSQL\n'
    GRIDWARD_TEST_SETTING=servers cargo test --locked --workspace --lib --no-fail-fast -- life:: bad_input:: || outcome=$?
fi
exit "$outcome"
