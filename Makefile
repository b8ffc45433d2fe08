# The doors of the project. Each is a line or two over scripts/, cargo or npm.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run web server test check fmt gen bench soak screens dist clean

help: ## Shows this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: ## Builds everything and serves it at http://localhost:8080, data in ./data
	@scripts/prerequisites.sh build
	@scripts/web.sh
	@scripts/server.sh
	@exec target/release/magpie serve --data-dir "$${MAGPIE_DATA_DIR:-data}"

web: ## Builds the web client
	@scripts/prerequisites.sh build && scripts/web.sh

server: ## Builds the release server with the client inside
	@scripts/prerequisites.sh build && scripts/server.sh

test: ## Installs what tests need, then runs everything
	@scripts/prerequisites.sh build test
	@scripts/test.sh

check: ## The quick one: format, lints, unit tests
	@scripts/check.sh

fmt: ## Formats Rust and the client
	cargo fmt --all
	cd web && npx --no-install biome format --write .

gen: ## Makes the generated documents anew
	@cargo run -q -p magpie -- openapi > docs/openapi.json.new && mv docs/openapi.json.new docs/openapi.json
	@cargo run -q -p magpie -- metrics > docs/metrics.md.new && mv docs/metrics.md.new docs/metrics.md
	@cargo run -q -p magpie -- config > docs/config.toml.new && mv docs/config.toml.new docs/config.toml
	@cargo run -q -p magpie -- events > docs/events.json.new && mv docs/events.json.new docs/events.json
	@cargo run -q -p xtask -- gen
	@scripts/types.sh

bench: ## Measures against the floor program, and the client in a browser; BENCH_ARGS are passed on
	@scripts/prerequisites.sh build test
	@scripts/web.sh && scripts/server.sh && cargo build --release -p bench
	@ulimit -n $$(ulimit -Hn); target/release/bench $(BENCH_ARGS)
	@. scripts/node.sh && cd e2e && npm ci --ignore-scripts --no-audit --no-fund && node bench.mjs $(filter --write,$(BENCH_ARGS))

soak: ## The slow loops: more rounds of killing and of partitions, more cases
	@scripts/prerequisites.sh build test
	@scripts/web.sh && scripts/server.sh && cargo build --release -p bench -p checker
	@scripts/soak.sh

screens: ## Writes pictures of every screen to ./screens
	@scripts/prerequisites.sh build test
	@scripts/web.sh && scripts/server.sh
	@. scripts/node.sh && cd e2e && npm ci --ignore-scripts --no-audit --no-fund && node screens.mjs

dist: ## Makes dist/magpie-VERSION-ARCH.tar.gz with its checksum
	@scripts/prerequisites.sh build dist
	@scripts/web.sh && scripts/dist.sh

clean:
	cargo clean
	rm -rf web/dist web/node_modules web/tools/pdf/node_modules e2e/node_modules dist screens
