#!/usr/bin/env bash
# The quick check: format, lints, unit tests, documents.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/node.sh
if ! command -v cargo >/dev/null; then export PATH="$HOME/.cargo/bin:$PATH"; fi
step() { printf '\n== %s\n' "$1"; }

step "format"; cargo fmt --all --check
step "lints"; cargo clippy --workspace --all-targets --quiet -- -D warnings
step "unit tests"; cargo test --workspace --lib --bins --quiet
for tool in deny machete; do
  if command -v "cargo-$tool" >/dev/null; then
    step "cargo $tool"
    if [ "$tool" = deny ]; then cargo deny --log-level error check; else cargo machete; fi
  fi
done
step "packaging"; scripts/packaging.sh
if command -v typos >/dev/null; then step "typos"; typos; fi
if [ -d web/node_modules ] && [ -d web/tools/pdf/node_modules ]; then step "client"; scripts/types.sh --check; (cd web && npm run --silent check); fi
