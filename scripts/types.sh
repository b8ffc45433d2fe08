#!/usr/bin/env bash
# Makes the client's types from the server's documents; --check only compares.
set -euo pipefail
. "$(dirname "$0")/node.sh"
cd "$(dirname "$0")/../web/tools/gen"
packages "what makes the client's types"
exec node gen.mjs "$@"
