#!/usr/bin/env bash
# What the tests need beside cargo: the test runner, Python with a few packages (the artifacts' checks, Python models) in a folder of
# their own under the target folder, PostgreSQL servers, which the tests start by themselves (the machine's own, and the oldest and
# the newest that lineal works with), and a browser with what drives it. Installs what is missing, and says so.
set -euo pipefail
cd "$(dirname "$0")/.."

# A package of Debian's, and what says who needs it and how to get it where it can't be installed here.
install_by_apt() {
  if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    echo "$2" >&2
    exit 1
  fi
  echo "installing $1"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$1" >/dev/null
}

if ! cargo nextest --version >/dev/null 2>&1; then
  echo "installing cargo-nextest"
  cargo install --locked cargo-nextest
fi

venv=${CARGO_TARGET_DIR:-target}/test-python
packages="jsonschema==4.26.0 dbt-artifacts-parser==0.15.0 duckdb==1.5.6 numpy==2.3.5"
if [ "$(cat "$venv/ready" 2>/dev/null)" != "$packages" ]; then
  if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
    echo "python3 with venv is needed by some tests: apt-get install python3 python3-venv" >&2
    exit 1
  fi
  echo "installing $packages into $venv"
  python3 -m venv "$venv"
  # shellcheck disable=SC2086 # a word for each package
  "$venv/bin/pip" install --quiet --disable-pip-version-check $packages
  echo "$packages" >"$venv/ready"
fi

if ! command -v initdb >/dev/null && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
  install_by_apt postgresql "a PostgreSQL server is needed by the tests: apt-get install postgresql"
fi

scripts/postgres-versions.sh

# The documentation site is opened in a browser.
browser=${CARGO_TARGET_DIR:-target}/test-browser
modules="playwright-core@1.65.1 axe-core@4.14.1"
if [ "$(cat "$browser/ready" 2>/dev/null)" != "$modules" ]; then
  if ! command -v npm >/dev/null; then
    echo "node and npm are needed by the tests of the documentation site" >&2
    exit 1
  fi
  echo "installing $modules into $browser"
  mkdir -p "$browser"
  # shellcheck disable=SC2086 # a word for each package
  npm install --silent --no-audit --no-fund --prefix "$browser" $modules
  echo "$modules" >"$browser/ready"
fi

if [ ! -x "${CHROMIUM:-/usr/bin/chromium}" ]; then
  install_by_apt chromium \
    "Chromium is needed by the tests of the documentation site: apt-get install chromium, or CHROMIUM=<its path>"
fi
