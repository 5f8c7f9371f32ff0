#!/usr/bin/env bash
# Replays real data and kills real processes; prints every figure beside its mark. DATA=folder tries more.
set -euo pipefail
cd "$(dirname "$0")/.."
exec target/debug/accept
