# Countersign. Everything is one workspace and is always built as one: with -p, cargo may choose
# other features for shared crates and compile RocksDB again, a quarter of an hour.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

target := $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target)
binary := $(target)/release/countersign

# More arguments for `countersign dev` or `countersign bench`, as in
#   make dev ARGS="--listen 127.0.0.1:9000"
ARGS ?=
# For how long chaos reigns, which seed it follows (random unless given) and which faults it makes:
# all, or names with commas between, as `make chaos FAULTS=kill,isolate`.
SECONDS ?= 60
SEED ?=
FAULTS ?= all
# Which broken builds `make prove` looks at: words of their names with commas between; all unless
# given.
ONLY ?=
# How long the tests may run once they are built.
TEST_TIMEOUT ?= 40m

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Install the system packages that are missing (apt; does nothing when all is there)
	@deploy/setup.sh

.PHONY: build
build: setup ## Build the binary in the release profile
	@test -e $(binary) || echo "make: the first build compiles RocksDB: about 15 minutes on two cores"
	cargo build --workspace --release

.PHONY: dev
dev: build ## Build, then start one node for development (more arguments: ARGS="...")
	@exec $(binary) dev $(ARGS)

.PHONY: test
test: ## Build and run all tests, those in a browser and those of the clients included
	@deploy/setup.sh --browser --clients
	@.ci/test $(TEST_TIMEOUT)

# A few of them: make test-browser FILES="demo.test.js". Pictures are kept in target/browser/.
FILES ?=
.PHONY: test-browser
test-browser: build ## Use the pages in a real browser (FILES="demo.test.js ...")
	@deploy/setup.sh --browser
	@COUNTERSIGN_BIN=$(abspath $(binary)) .ci/browser $(FILES)

# Some of them: make test-clients PARTS="python conformance".
PARTS ?=
.PHONY: test-clients
test-clients: build ## Test the clients (PARTS="typescript python examples ...")
	@deploy/setup.sh --browser --clients
	@COUNTERSIGN_BIN=$(abspath $(binary)) .ci/clients $(PARTS)

.PHONY: clients
clients: build ## Make again what the clients have from the server's OpenAPI document
	@deploy/setup.sh --clients
	@$(binary) openapi > clients/openapi.json
	@.ci/clients --generate

.PHONY: packages
packages: ## Build the clients' packages as they would be published, and check them (target/packages)
	@deploy/setup.sh --clients
	@.ci/clients --packages $(abspath $(target))/packages

.PHONY: chaos
chaos: build ## Chaos over three nodes, and a verdict (SECONDS=600 SEED=... FAULTS=kill,isolate,...)
	@$(target)/release/chaos --seconds $(SECONDS) $(if $(SEED),--seed $(SEED)) \
		--faults $(FAULTS) --report $(target)/chaos

.PHONY: prove
prove: build ## Show that every deliberately broken build is caught (ONLY=no-fsync,...)
	cargo build --workspace --release --features countersign/sabotage --bin countersign-sabotaged
	@$(target)/release/prove --only "$(ONLY)"

.PHONY: fmt
fmt: ## Lay out the sources with rustfmt
	cargo fmt --all

.PHONY: lint
lint: ## Check layout, types of scripts, and run clippy, every warning an error
	@deploy/setup.sh --browser --clients --lint
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --release -- -D warnings
	@.ci/browser --check
	@.ci/clients --check

.PHONY: bench
bench: build ## Start a node on a scratch directory, load it, stop it (ARGS="--scenario verify ...")
	@deploy/bench.sh $(binary) $(ARGS)

# The data must lie on a disk: /tmp may be memory, where an fsync costs nothing.
.PHONY: bench-cluster
bench-cluster: build ## Measure three nodes beside three etcd members (ARGS="--parts kills --json")
	@mkdir -p $(target)/bench-cluster
	@TMPDIR=$(abspath $(target))/bench-cluster $(target)/release/bench-cluster $(ARGS)

.PHONY: dist
dist: setup ## Build the binary that ships (dist profile; compiles RocksDB once more)
	cargo build --locked --profile dist -p countersign
	@ls -l $(target)/dist/countersign
