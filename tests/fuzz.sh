#!/usr/bin/env bash
# Looks for inputs that break a parser (tests/src/parsers), guided by the ways they take through the code. What is found by
# one run is where the next begins; the most telling inputs are stored beside the sources, for every run of the tests.
#
#   tests/fuzz.sh [RUNS] [PARSER ...]    so many inputs each, a million when left out; all parsers when none is named
#
# FUZZ_STORE=no leaves the stored inputs as they are.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PATH="$PATH:${HOME:-/}/.cargo/bin"
export PATH

runs=${1:-1000000}
shift || true
parsers=("$@")
[ "${#parsers[@]}" -gt 0 ] || mapfile -t parsers < <(ls tests/fuzz/corpus)

# The longest that one input may take, in seconds, and the most memory, in MB.
longest=30
memory=4000
# So many of the inputs found are stored for a parser beside those that somebody wrote, none larger than so many bytes.
stored=6
largest=8000

folder=$PWD/target/fuzz
target=$(rustc -vV | sed -n 's/^host: //p')
fuzz=$folder/$target/release/fuzz
mkdir -p "$folder"/{found,grown,logs}

build() {
    CARGO_TARGET_DIR=$folder RUSTC_WRAPPER=$PWD/tests/fuzz/rustc.sh \
        cargo build --locked --release --target "$target" --manifest-path tests/fuzz/Cargo.toml
}

# Files and databases of the parsers are put where nothing waits for a disk.
here() { if [ -d /dev/shm ]; then echo /dev/shm; else echo "${TMPDIR:-/tmp}"; fi; }

look() { # PARSER
    local parser=$1 began=$SECONDS outcome=0
    mkdir -p "$folder/grown/$parser"
    PARSER=$parser TMPDIR=$(here) "$fuzz" -runs="$runs" -timeout="$longest" -rss_limit_mb="$memory" -use_value_profile=1 \
        -print_final_stats=1 -artifact_prefix="$folder/found/$parser-" \
        "$folder/grown/$parser" "tests/fuzz/corpus/$parser" > "$folder/logs/$parser" 2>&1 || outcome=$?
    local ran ways
    ran=$(sed -n 's/^stat::number_of_executed_units: *//p' "$folder/logs/$parser")
    ways=$(sed -n 's/.* cov: \([0-9]*\) ft: \([0-9]*\) .*/\1 places, \2 ways/p' "$folder/logs/$parser" | tail -n 1)
    if [ "$outcome" -ne 0 ]; then
        printf '%-14s BROKE after %s inputs, %d s: see %s\n' "$parser" "${ran:-?}" $((SECONDS - began)) "$folder/logs/$parser"
        sed -n "s|.*Test unit written to |    PARSER=$parser $fuzz |p" "$folder/logs/$parser"
        return 1
    fi
    printf '%-14s %s inputs, %d s, %s: nothing broke\n' "$parser" "$ran" $((SECONDS - began)) "$ways"
}

# Of all that was found, the inputs that show the most ways which those before them do not.
choose() { # PARSER
    local parser=$1 all=$folder/all/$1 ways=$folder/all/$1.ways input
    rm -rf "$all" "$all.merged" "$ways"
    mkdir -p "$all" "$all.merged"
    # Those that somebody wrote have names; found ones are named by a digest.
    find "tests/fuzz/corpus/$parser" "$folder/grown/$parser" -type f -size -"$((largest + 1))"c -exec cp {} "$all" \;
    PARSER=$parser TMPDIR=$(here) "$fuzz" -set_cover_merge=1 -merge_control_file="$ways" -timeout="$longest" \
        -rss_limit_mb="$memory" "$all.merged" "$all" >> "$folder/logs/$parser" 2>&1
    find "tests/fuzz/corpus/$parser" -type f -regextype posix-extended -regex '.*/[0-9a-f]{40}' -delete
    awk -v stored="$stored" -f tests/fuzz/choose.awk "$ways" | while read -r input; do
        cp "$input" "tests/fuzz/corpus/$parser/"
    done
    rm -rf "$all" "$all.merged" "$ways"
}

build
echo "== $runs inputs for each of ${#parsers[@]} parsers"
export runs folder fuzz longest memory
export -f look here
outcome=0
printf '%s\n' "${parsers[@]}" | xargs -P "$(nproc)" -I{} bash -c 'look {}' || outcome=1
if [ "$outcome" -eq 0 ] && [ "${FUZZ_STORE:-yes}" = yes ]; then
    mkdir -p "$folder/all"
    for parser in "${parsers[@]}"; do choose "$parser"; done
fi
exit "$outcome"
