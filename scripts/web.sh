#!/usr/bin/env bash
# Builds the web client into web/dist, unless nothing changed since.
set -euo pipefail
. "$(dirname "$0")/node.sh"
cd "$(dirname "$0")/../web"

packages "the client's packages"
(cd tools/pdf && packages "pdf.js")

newest=$(find src public tools index.html package-lock.json vite.config.ts tsconfig.json -not -path '*/node_modules/*' -newer dist/index.html 2>/dev/null | head -n 1 || true)
if [ ! -f dist/index.html ] || [ -n "$newest" ]; then
  echo "Building the client"
  npm run --silent build
fi
