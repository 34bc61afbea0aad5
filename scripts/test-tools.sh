#!/usr/bin/env bash
# What the tests need beside cargo: the test runner, and for the artifacts' checks Python with two packages in a folder of
# their own under the target folder, and a PostgreSQL server, which the tests start by themselves. Installs what is missing,
# and says so.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! cargo nextest --version >/dev/null 2>&1; then
  echo "installing cargo-nextest"
  cargo install --locked cargo-nextest
fi

venv=${CARGO_TARGET_DIR:-target}/test-python
if [ ! -e "$venv/ready" ]; then
  if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
    echo "python3 with venv is needed by the artifacts' tests: apt-get install python3 python3-venv" >&2
    exit 1
  fi
  echo "installing jsonschema and dbt-artifacts-parser into $venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check 'jsonschema==4.26.0' 'dbt-artifacts-parser==0.15.0'
  touch "$venv/ready"
fi

if ! command -v initdb >/dev/null && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
  if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    echo "a PostgreSQL server is needed by the tests: apt-get install postgresql" >&2
    exit 1
  fi
  echo "installing postgresql"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql >/dev/null
fi
