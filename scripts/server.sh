#!/usr/bin/env bash
# Builds the release server. cargo shows its progress.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! command -v cargo >/dev/null; then export PATH="$HOME/.cargo/bin:$PATH"; fi
echo "Building the server (the first time takes some minutes)"
# The client is inside the binary: a new one must be seen by cargo.
[ ! -f web/dist/index.html ] || [ ! -f target/release/magpie ] || [ ! web/dist/index.html -nt target/release/magpie ] ||
  touch crates/server/src/assets.rs
exec cargo build --release -p magpie
