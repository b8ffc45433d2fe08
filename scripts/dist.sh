#!/usr/bin/env bash
# Packs the release binary with its documents, units and checksums. With musl's
# target and compiler at hand the binary needs nothing of the system; else it
# needs the glibc that BUILD names.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(cargo metadata --no-deps --format-version 1 | grep -o '"name":"magpie","version":"[^"]*"' | cut -d'"' -f8)
arch=$(uname -m)
built=${CARGO_TARGET_DIR:-target}
musl="$arch-unknown-linux-musl"
if rustup target list --installed 2>/dev/null | grep -qx "$musl" && command -v musl-gcc >/dev/null; then
  CC=musl-gcc cargo build --release --locked -p magpie --target "$musl"
  binary="$built/$musl/release/magpie"
else
  scripts/server.sh
  binary="$built/release/magpie"
fi

# What the binary asks of the system, read from itself.
if readelf -l "$binary" | grep -q INTERP; then
  newest=$(readelf -V "$binary" | grep -oE 'GLIBC_[0-9.]+' | sort -Vu | tail -1)
  needs="$(readelf -d "$binary" | grep -oE '\[lib[^]]+\]' | tr -d '[]' | tr '\n' ' ')of glibc ${newest#GLIBC_} or later"
else
  needs="nothing (static)"
fi

name="magpie-$version-$arch-linux"
rm -rf "dist/$name" && mkdir -p "dist/$name/docs"
cp "$binary" README.md README.zh-CN.md CHANGELOG.md UPGRADING.md LICENSE docs/config.toml "dist/$name/"
cp docs/*.md "dist/$name/docs/"
cp -r packaging "dist/$name/"
rm -f "dist/$name/packaging/.env"
printf 'version: %s\ncommit: %s\narchitecture: %s\nneeds: %s\n' \
  "$version" "$(git rev-parse HEAD)$(git diff --quiet HEAD || echo ' (changed)')" "$arch" "$needs" > "dist/$name/BUILD"
(cd "dist/$name" && find . -type f ! -name SHA256SUMS -print0 | sort -z | xargs -0 sha256sum > SHA256SUMS)
tar -C dist --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$(git log -1 --format=%ct)" -cf - "$name" | gzip -9n > "dist/$name.tar.gz"
(cd dist && sha256sum "$name.tar.gz" | tee "$name.tar.gz.sha256")
cat "dist/$name/BUILD"
