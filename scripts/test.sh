#!/usr/bin/env bash
# Everything that must hold. Each part prints its runner's own closing lines.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/node.sh
if ! command -v cargo >/dev/null; then export PATH="$HOME/.cargo/bin:$PATH"; fi
export CARGO_TERM_PROGRESS_WHEN=never
began=$SECONDS
step() { printf '\n== [%4ds] %s\n' "$((SECONDS - began))" "$1"; }

step "client: build, types, lints, units"
scripts/web.sh
scripts/types.sh --check
(cd web && npm run --silent check && npm test --silent)

step "server: release build, shared by the journeys and the loops of kills and partitions"
cargo build --release -p magpie -p bench -p checker

step "format and lints"
cargo fmt --all --check
cargo clippy --workspace --all-targets --quiet -- -D warnings

step "packaging"
scripts/packaging.sh --all

step "tests on SQLite"
MAGPIE_TEST_ENGINE=sqlite cargo test --workspace --no-fail-fast

step "tests on PostgreSQL"
MAGPIE_TEST_ENGINE=postgres cargo test --workspace --no-fail-fast --test it

step "files in a store that speaks S3"
MAGPIE_TEST_ENGINE=sqlite MAGPIE_TEST_FILES=s3 cargo test --workspace --test it -- \
  keeping:: pictures:: serving:: sweeping:: uploads::

step "a server killed again and again, its history checked"
target/release/torture --rounds 3 --seed 1

step "its power cut, and the link to it, its history and files checked"
target/release/torture --power --rounds 3 --seed 1
target/release/torture --link --rounds 2 --seed 1

step "three nodes cut off from each other, from NATS, PostgreSQL and clients, the history checked"
target/release/torture --partitions --rounds 9 --seed 1

step "journeys in the browser"
(cd e2e && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && npm test --silent)

step "done"
