#!/usr/bin/env bash
# Installs what is missing where it may (Debian and its kin, as root or with
# sudo), and says plainly what is missing elsewhere.
#   scripts/prerequisites.sh build [test]
set -euo pipefail

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
      for font in fonts-noto-cjk fonts-noto-color-emoji; do
        if have dpkg && ! dpkg -s "$font" >/dev/null 2>&1; then
          packages+=("$font")
          missing+=("$font: without it Chinese and emoji have the wrong height")
        fi
      done
      ;;
    *) echo "usage: $0 [build] [test]" >&2; exit 2 ;;
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

if [[ " $* " == *" build "* ]]; then
  . "$(dirname "$0")/node.sh"
fi
