# Gridward: everything one does with it, by name. Each target gets what it needs by itself.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
.PHONY: help demo test check accept chaos

# rustup puts cargo here; a shell that is not a login shell may not look there.
export PATH := $(PATH):$(HOME)/.cargo/bin
# The scenarios start this very binary, so it is built nowhere else.
export CARGO_TARGET_DIR := $(CURDIR)/target
CARGO_DENY := 0.20.2

# What `make demo` shows: a pack by name or folder, how many times faster than life (as the pack says when empty), and
# where.
PACK ?= beilun
SPEED ?=
PORT ?= 8080
# What `make accept` may try beside the packs: a folder of data that is not part of the sources.
DATA ?=
# Which parts of it, or of `make chaos`, to try; all when empty.
PARTS ?=
# How much `make chaos` does; its own numbers when empty. JSON names a file for its figures.
export SEED FAULTS REPORTS RATE EACH TOGETHER MINUTES LIVES RUNS JSON

part := tests/part.sh
# The whole workspace at once: crates built one after the other agree on fewer features, and the database layer
# would be built twice.
build := cargo build --locked --workspace

help: ## say what there is to make
	@echo 'make TARGET, where TARGET is one of'
	awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## watch a street's day live in a browser (PACK=beilun, or boston as recorded; SPEED=times as fast; PORT=8080)
	@tests/setup.sh build
	$(part) 'building gridward' $(build)
	exec target/debug/gridward demo --pack '$(PACK)' --listen '127.0.0.1:$(PORT)' $(if $(filter-out 8080,$(PORT)),--data '.data/demo-$(PORT)') $(if $(SPEED),--speed '$(SPEED)')

test: ## build, then run every test: units, stream contract, scenarios
	@tests/setup.sh build
	$(part) 'building gridward and the tests that start it' $(build) --all-targets
	$(part) 'running the tests' tests/servers/with.sh tests/run.sh

check: ## format, lints, licences and advisories
	@tests/setup.sh check
	$(part) 'format' cargo fmt --all --check
	$(part) 'lints' cargo clippy --locked --workspace --all-targets -- -D warnings
	tests/setup.sh deny $(CARGO_DENY)
	$(part) 'licences, duplicates and sources of crates' cargo deny --all-features check --hide-inclusion-graph bans licenses sources
	if $(part) 'fetching the advisories' cargo deny fetch db; then
	  $(part) 'advisories' cargo deny --all-features check --disable-fetch --hide-inclusion-graph advisories
	else
	  echo 'ADVISORIES NOT CHECKED: github.com/RustSec/advisory-db cannot be reached from here' >&2
	fi

accept: ## replay real data and print every figure promised beside its mark (DATA=folder for more, PARTS="boston faults" for some)
	@tests/setup.sh build
	$(part) 'building gridward and what tries it' $(build) --all-targets
	DATA='$(DATA)' exec tests/accept.sh $(PARTS)

chaos: ## hundreds of faults, hours of work, lives, odd inputs (PARTS="faults brokers soak lives fuzz", SEED=1, FAULTS=500, MINUTES=120)
	@tests/setup.sh build
	$(part) 'building gridward and what tries it' $(build) --all-targets
	exec tests/chaos.sh $(PARTS)
