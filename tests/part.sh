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
if [ "$outcome" -ne 0 ]; then
    # A compiler or a database that finds no room says so in many words, or not at all.
    free=$(df --output=avail -m . | tail -n 1)
    [ "$free" -ge 500 ] || printf '== the disk has %d MB left: that may be why / 磁盘只剩 %d MB，可能是失败的原因\n' "$free" "$free"
fi
exit "$outcome"
