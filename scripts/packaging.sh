#!/usr/bin/env bash
# Lints what a server is installed with, by the tools that are here.
set -euo pipefail
cd "$(dirname "$0")/../packaging"
have() { command -v "$1" >/dev/null 2>&1; }
skipped() { echo "$1 is not here: $2 is not looked at"; }

if have systemd-analyze; then
  scratch=$(mktemp -d); trap 'rm -rf "$scratch"' EXIT
  # The program need not be installed to judge its unit.
  sed 's#/usr/local/bin/magpie#/bin/true#' magpie.service > "$scratch/magpie.service"
  systemd-analyze verify --man=no "$scratch/magpie.service"
  # Tenths: how exposed the service is, 0 to 100.
  systemd-analyze security --offline=true --threshold=25 --no-pager "$scratch/magpie.service" | tail -1
else
  skipped systemd-analyze magpie.service
fi
if have docker && docker compose version >/dev/null 2>&1; then
  docker compose -f compose.yaml config --quiet
  POSTGRES_PASSWORD=x NATS_PASSWORD=x MINIO_PASSWORD=x SEAL_KEY=x docker compose -f compose.three.yaml config --quiet
else
  skipped "docker compose" "compose*.yaml"
fi
if have hadolint; then hadolint Dockerfile; else skipped hadolint Dockerfile; fi
if have haproxy; then haproxy -c -q -f haproxy.cfg; else skipped haproxy haproxy.cfg; fi
if have promtool; then promtool check rules alerts.yaml; else skipped promtool alerts.yaml; fi
if have shellcheck; then shellcheck -S warning ../scripts/*.sh; else skipped shellcheck scripts; fi
