#!/usr/bin/env bash
# Puts DuckDB's shared library, as its npm package carries it, into the target folder, so that development builds need no
# C++ compile. Says what it does; does nothing when the library is there. Exit 3: there is no npm, so take the other way
# (cargo build --no-default-features --features bundled, which compiles DuckDB: half an hour or more).
set -euo pipefail
cd "$(dirname "$0")/.."

version=1.5.6-r.1
into=${CARGO_TARGET_DIR:-target}/libduckdb
case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) platform=linux-x64 library=libduckdb.so ;;
  Linux-aarch64) platform=linux-arm64 library=libduckdb.so ;;
  Darwin-x86_64) platform=darwin-x64 library=libduckdb.dylib ;;
  Darwin-arm64) platform=darwin-arm64 library=libduckdb.dylib ;;
  *) echo "no prebuilt DuckDB for $(uname -sm): build with --no-default-features --features bundled" >&2; exit 3 ;;
esac

if [ -e "$into/$library" ] && [ "$(cat "$into/version" 2>/dev/null)" = "$version" ]; then
  exit 0
fi
if ! command -v npm >/dev/null; then
  echo "npm is not installed: DuckDB cannot be fetched prebuilt (apt-get install npm), only compiled (--no-default-features --features bundled)" >&2
  exit 3
fi

package=@duckdb/node-bindings-$platform
echo "fetching DuckDB's library ($package $version, about 20 MB) with npm into $into"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# npm checks the archive against the registry's integrity hash.
(cd "$work" && npm pack --silent "$package@$version" >/dev/null && tar -xzf ./*.tgz)
mkdir -p "$into"
mv "$work/package/$library" "$into/$library"
cp "$work/package/LICENSE" "$into/LICENSE"
echo "$version" >"$into/version"
