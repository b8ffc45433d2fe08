#!/usr/bin/env bash
# Slow loops. Bounded: SOAK_ROUNDS kills, as many losses of power, half as many
# of the link, and as many storms of partitions, some with short faults and some
# with long ones (default 40), more generated cases.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${SOAK_ROUNDS:-40}
target/release/torture --rounds "$rounds" --seed "${SOAK_SEED:-1}"
target/release/torture --power --rounds "$rounds" --seed "${SOAK_SEED:-1}"
target/release/torture --link --rounds "$((rounds / 2))" --seed "${SOAK_SEED:-1}"
target/release/torture --partitions --rounds "$((rounds / 2))" --seed "${SOAK_SEED:-1}"
target/release/torture --partitions --rounds "$(((rounds + 1) / 2))" --seed "$((${SOAK_SEED:-1} + 1))" --fault-ms 20000
MAGPIE_BADGE_STEPS=10000 MAGPIE_CASES=${SOAK_CASES:-2000} PROPTEST_CASES=${SOAK_CASES:-2000} cargo test --workspace --release -q
