#!/usr/bin/env bash
# Packs the release binary with its documents, unit, licences and checksums, unpacks
# that and looks at it. The binary is static where Rust has its target for musl
# (which comes by rustup); else it needs the glibc that BUILD names. The same tree
# gives the same bytes, whoever builds it and where.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/node.sh
if ! command -v cargo >/dev/null; then export PATH="$HOME/.cargo/bin:$PATH"; fi
version=$(cargo metadata --no-deps --format-version 1 | grep -o '"name":"magpie","version":"[^"]*"' | cut -d'"' -f8)
arch=$(uname -m)
built=${CARGO_TARGET_DIR:-target}
musl="$arch-unknown-linux-musl"

static_possible() {
  command -v musl-gcc >/dev/null || { echo "Not static: musl-gcc is missing (Debian's musl-tools)." >&2; return 1; }
  [ -d "$(rustc --print sysroot)/lib/rustlib/$musl" ] || rustup --quiet target add "$musl" >/dev/null 2>&1 ||
    { echo "Not static: Rust has no $musl here (rustup target add $musl)." >&2; return 1; }
}
target="$arch-unknown-linux-gnu"
if static_possible; then target="$musl"; export "CC_${musl//-/_}=musl-gcc"; fi

# Where it was built stands in no message of the binary. Only what is built for
# `target` gets these flags, so that programs the build itself runs are not built anew.
cargo_home=${CARGO_HOME:-$HOME/.cargo}
sysroot=$(rustc --print sysroot)
upper=${target^^}
export "CARGO_TARGET_${upper//-/_}_RUSTFLAGS=--remap-path-prefix=$PWD=/magpie --remap-path-prefix=$cargo_home=/cargo --remap-path-prefix=$sysroot=/rust"
export "CFLAGS_${target//-/_}=-ffile-prefix-map=$cargo_home=/cargo"
echo "Building the server for $target (the first time takes some minutes)"
cargo build --release --locked -p magpie --target "$target"
binary="$built/$target/release/magpie"

# What the binary asks of the system, read from itself.
if readelf -l "$binary" | grep -q INTERP; then
  newest=$(readelf -V "$binary" | grep -oE 'GLIBC_[0-9.]+' | sort -Vu | tail -1)
  needs="$(readelf -d "$binary" | grep -oE '\[lib[^]]+\]' | tr -d '[]' | tr '\n' ' ')of glibc ${newest#GLIBC_} or later"
else
  needs="nothing (static)"
fi

name="magpie-$version-$arch-linux"
rm -rf "dist/$name" && mkdir -p "dist/$name"
install -m 0755 "$binary" "dist/$name/magpie"
# As they lie in the sources, so that their links hold.
git ls-files -z --cached --others --exclude-standard -- '*.md' LICENSE docs packaging ':!crates' ':!tools' ':!web' ':!screens' ':!e2e' |
  grep -zv '^docs/guide/.*/' | xargs -0 cp --parents -t "dist/$name"
# There are no sources to build an image from, but there is the program.
mv "dist/$name/packaging/Dockerfile.archive" "dist/$name/packaging/Dockerfile"
cargo run --quiet --locked -p xtask -- notices --target "$target" > "dist/$name/THIRD-PARTY.md"
changed=$(git status --porcelain -- . | grep -q . && echo ' (changed)' || true)
printf 'version: %s\ncommit: %s%s\narchitecture: %s\nneeds: %s\nrust: %s\nnode: %s\n' \
  "$version" "$(git rev-parse HEAD)" "$changed" "$arch" "$needs" "$(rustc --version)" "$(node --version)" > "dist/$name/BUILD"

files() { find . -type f ! -name SHA256SUMS -printf '%P\0' | LC_ALL=C sort -z; }
(cd "dist/$name" && sums=$(files | xargs -0 sha256sum) && printf '%s\n' "$sums" > SHA256SUMS)
tar -C dist --sort=name --format=gnu --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
  --mtime="@${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}" -cf - "$name" | gzip -9n > "dist/$name.tar.gz"
(cd dist && sha256sum "$name.tar.gz" > "$name.tar.gz.sha256")

# What somebody gets who takes it: every file is whole, the program runs and knows the settings it came with.
proof=$(mktemp -d); trap 'rm -rf "$proof"' EXIT
(cd dist && sha256sum --quiet -c "$name.tar.gz.sha256")
tar -C "$proof" -xzf "dist/$name.tar.gz"
(cd "$proof/$name" && sha256sum --quiet -c SHA256SUMS && ./magpie config | cmp - docs/config.toml &&
  [ "$(./magpie --version)" = "magpie $version" ])
! grep -aqF -e "$PWD" -e "$cargo_home/" "$binary" || { echo "The binary tells where it was built." >&2; exit 1; }
cat "dist/$name/BUILD" "dist/$name.tar.gz.sha256"
