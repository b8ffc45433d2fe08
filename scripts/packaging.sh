#!/usr/bin/env bash
# Lints what a server is installed with, by the tools that are here; with --all,
# as the tests ask, a missing tool is a fault.
set -euo pipefail
cd "$(dirname "$0")/../packaging"
PATH="$PWD/../.tools/bin:$PATH"
scratch=$(mktemp -d); trap 'rm -rf "$scratch"' EXIT
missing=0
have() { # command, what it looks at
  command -v "$1" >/dev/null 2>&1 && return
  echo "$1 is not here: $2 not looked at"
  missing=1
  return 1
}

if have systemd-analyze magpie.service; then
  # The program need not be installed to judge its unit.
  sed 's#/usr/local/bin/magpie#/bin/true#' magpie.service > "$scratch/magpie.service"
  # What it does not understand it says and goes over, content.
  said=$(systemd-analyze verify --man=no "$scratch/magpie.service" 2>&1) || said=${said:-the unit is refused}
  [ -z "$said" ] || { echo "$said" >&2; exit 1; }
  # Tenths: how exposed the service is, 0 to 100.
  systemd-analyze security --offline=true --threshold=15 --no-pager "$scratch/magpie.service" | tail -1
fi

# The first version knows no `name`.
compose() { # file, environment
  if docker compose version >/dev/null 2>&1; then
    docker compose --env-file "$2" -f "$1" config --quiet
  else
    local less=''
    if docker-compose version --short | grep -q '^1\.'; then less='/^name:/d'; fi
    sed "$less" "$1" | docker-compose --project-directory . --env-file "$2" -f - config --quiet
  fi
}
if docker compose version >/dev/null 2>&1 || have docker-compose 'compose*.yaml'; then
  sed 's/=$/=x/' three.env.example > "$scratch/env"
  : > "$scratch/none"
  compose compose.yaml "$scratch/none"
  compose compose.three.yaml "$scratch/env"
  # Without passwords it must not start.
  ! compose compose.three.yaml three.env.example 2>/dev/null || { echo "compose.three.yaml starts without passwords" >&2; exit 1; }
fi

if have hadolint 'Dockerfile*'; then hadolint --failure-threshold info Dockerfile Dockerfile.archive; fi
# Debian has it where only root looks.
PATH="$PATH:/usr/sbin"
if have haproxy haproxy.cfg; then haproxy -c -f haproxy.cfg > /dev/null; fi

# What the dashboard asks, each as a rule, so that promtool reads it too.
rules() {
  python3 - grafana.json <<'PYTHON'
import json, sys
board = json.load(open(sys.argv[1]))
asked = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
assert len(asked) > 20, "the dashboard asks little"
ids = [panel["id"] for panel in board["panels"]]
assert len(ids) == len(set(ids)), "two panels with one id"
rules = [{"record": f"panel:{n}", "expr": expr.replace("$__rate_interval", "5m").replace("$node", "x")} for n, expr in enumerate(asked)]
json.dump({"groups": [{"name": "grafana", "rules": rules}]}, sys.stdout)
PYTHON
}
if have promtool "alerts.yaml and grafana.json"; then
  rules > "$scratch/grafana.yaml"
  promtool check rules alerts.yaml "$scratch/grafana.yaml" > "$scratch/rules" || { cat "$scratch/rules" >&2; exit 1; }
fi
if have shellcheck "scripts"; then shellcheck --severity=warning ../scripts/*.sh ../.ci/run magpie-admin; fi

[ "${1:-}" != --all ] || [ "$missing" = 0 ]
