#!/usr/bin/env bash
# Packs the release binary with its documents and a checksum.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(cargo metadata --no-deps --format-version 1 | grep -o '"name":"magpie","version":"[^"]*"' | cut -d'"' -f8)
name="magpie-$version-$(uname -m)-linux"
rm -rf "dist/$name" && mkdir -p "dist/$name"
cp target/release/magpie README.md README.zh-CN.md CHANGELOG.md docs/config.toml "dist/$name/"
tar -C dist --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$(git log -1 --format=%ct)" -czf "dist/$name.tar.gz" "$name"
(cd dist && sha256sum "$name.tar.gz" | tee "$name.tar.gz.sha256")
