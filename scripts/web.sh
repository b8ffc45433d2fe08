#!/usr/bin/env bash
# Builds the web client into web/dist, unless nothing changed since.
#   scripts/web.sh          the client
#   scripts/web.sh types    the API's types from docs/openapi.json
set -euo pipefail
. "$(dirname "$0")/node.sh"
cd "$(dirname "$0")/../web"

install() { # where
  local stamp="$1/node_modules/.magpie-lock"
  if ! cmp -s "$1/package-lock.json" "$stamp"; then
    echo "Installing the client's packages ($1)"
    (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    cp "$1/package-lock.json" "$stamp"
  fi
}

if [ "${1:-}" = types ]; then
  install tools/gen
  (cd tools/gen && npm run --silent gen)
  exit
fi

install .
newest=$(find src public tools index.html package-lock.json vite.config.ts tsconfig.json -not -path '*/node_modules/*' -newer dist/index.html 2>/dev/null | head -n 1 || true)
if [ ! -f dist/index.html ] || [ -n "$newest" ]; then
  echo "Building the client"
  npm run --silent build
fi
