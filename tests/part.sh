#!/usr/bin/env bash
# Runs one part of a target: says what it is, and how long it took, also when it fails.
#
#   tests/part.sh 'running the tests' cargo test
set -euo pipefail
what=$1
shift
printf '== %s: %s\n' "$what" "$*"
SECONDS=0
outcome=0
"$@" || outcome=$?
if [ "$outcome" -eq 0 ]; then ended=done; else ended="FAILED ($outcome)"; fi
printf '== %s: %s, %d min %02d s\n' "$what" "$ended" $((SECONDS / 60)) $((SECONDS % 60))
exit "$outcome"
