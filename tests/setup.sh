#!/usr/bin/env bash
# Gets a machine ready and says what it does; what is there already is left alone.
#
#   tests/setup.sh build           Rust as Cargo.toml asks for, make, and a C compiler
#   tests/setup.sh check           the same, and rustfmt and clippy
#   tests/setup.sh deny VERSION    cargo-deny
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PATH="$PATH:${HOME:-/}/.cargo/bin"

say() { printf 'setup: %s\n' "$*" >&2; }
give_up() { printf 'setup: %s\n' "$@" >&2; exit 1; }

rust() {
    local wanted found
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    command -v cargo >/dev/null || give_up "there is no cargo: install Rust $wanted or later, see https://rustup.rs" \
        "没有找到 cargo：请安装 Rust $wanted 或更高版本，见 https://rustup.rs"
    found=$(rustc --version | cut -d ' ' -f 2)
    # The older of the two comes first; it has to be the one we ask for.
    if [ "$(printf '%s\n' "$wanted" "${found%%-*}" | sort -V | head -n 1)" != "$wanted" ]; then
        give_up "Rust is $found, but $wanted or later is needed: run \`rustup update stable\`," \
            "or install rustup (https://rustup.rs) where Rust came with the system" \
            "Rust 版本为 $found，需要 $wanted 或更高：请运行 rustup update stable"
    fi
}

# SQLite and librdkafka are compiled from their C sources, librdkafka with OpenSSL and zlib.
c_works() {
    local program outcome=0
    for program in make cc c++ pkg-config; do command -v "$program" >/dev/null || return 1; done
    program=$(mktemp)
    printf '#include <stdlib.h>\n#include <openssl/ssl.h>\n#include <zlib.h>\nint main(void) { return 0; }\n' \
        | cc -x c -o "$program" - 2>/dev/null || outcome=1
    rm -f "$program"
    return "$outcome"
}

c_compiler() {
    if c_works; then return; fi
    if ! command -v apt-get >/dev/null; then
        give_up 'make, a C and a C++ compiler, pkg-config and the headers of OpenSSL and zlib are needed (SQLite and librdkafka are compiled from C): install them' \
            '需要 make、C/C++ 编译器、pkg-config 以及 OpenSSL、zlib 头文件（SQLite 与 librdkafka 由 C 源码编译），请安装'
    fi
    if [ "$(id -u)" -ne 0 ]; then
        give_up 'make, a C compiler and the headers of OpenSSL and zlib are needed (SQLite and librdkafka are compiled from C). Run' \
            '需要 make、C 编译器以及 OpenSSL、zlib 头文件（SQLite 与 librdkafka 由 C 源码编译），请运行' \
            '  sudo apt-get update && sudo apt-get install -y --no-install-recommends build-essential pkg-config libssl-dev zlib1g-dev'
    fi
    say 'installing build-essential, pkg-config, libssl-dev and zlib1g-dev with apt-get: SQLite and librdkafka are compiled from C / 正在用 apt-get 安装编译所需的软件包'
    apt-get update </dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends build-essential pkg-config libssl-dev zlib1g-dev </dev/null
    c_works || give_up '`cc` still cannot build a program after installing build-essential, pkg-config, libssl-dev and zlib1g-dev'
}

component() { # NAME, the cargo command it brings
    if cargo "$2" --version >/dev/null 2>&1; then return; fi
    command -v rustup >/dev/null || give_up "\`cargo $2\` is missing: install $1 from where Rust came from"
    say "adding $1 with rustup / 正在用 rustup 添加 $1"
    rustup component add "$1"
}

deny() { # VERSION
    if cargo deny --version >/dev/null 2>&1; then return; fi
    say "building cargo-deny $1 once, with \`cargo install\`: 2 to 10 minutes / 正在编译 cargo-deny $1，约需 2 至 10 分钟"
    env -u CARGO_TARGET_DIR cargo install --locked "cargo-deny@$1"
}

case "${1:-}" in
build) rust; c_compiler ;;
check) rust; c_compiler; component rustfmt fmt; component clippy clippy ;;
deny) deny "${2:?the version of cargo-deny}" ;;
*) give_up 'say which: build, check, or deny VERSION' ;;
esac
