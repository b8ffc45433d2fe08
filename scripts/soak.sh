#!/usr/bin/env bash
# Slow loops. Bounded: SOAK_ROUNDS kills (default 40), more generated cases.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${SOAK_ROUNDS:-40}
target/release/torture --rounds "$rounds" --seed "${SOAK_SEED:-1}"
MAGPIE_CASES=${SOAK_CASES:-2000} PROPTEST_CASES=${SOAK_CASES:-2000} cargo test --workspace --release -q
