#!/usr/bin/env bash
# Compiles a crate. Ours, and those that read text for them, count the ways that an input takes through them, as libFuzzer
# wants to see it (https://clang.llvm.org/docs/SanitizerCoverage.html); the rest is left as it is.
set -euo pipefail
rustc=$1
shift

counted=' domain platform kafka discover route handle supervise partner console gridward scenarios
 serde_json serde_path_to_error serde_urlencoded form_urlencoded percent_encoding csv csv_core geojson toml toml_parser winnow
 uuid chrono encoding_rs jsonwebtoken '

name= target= before=
for argument; do
    case $before in
    --crate-name) name=$argument ;;
    --target) target=$argument ;;
    esac
    before=$argument
done

# What is built for this machine alone, such as a build script, is linked with nothing that counts.
if [ -z "$target" ] || [[ ! $counted =~ [[:space:]]"$name"[[:space:]] ]]; then
    exec "$rustc" "$@"
fi
exec "$rustc" "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares
