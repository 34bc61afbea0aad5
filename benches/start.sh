#!/usr/bin/env bash
# What a start costs: the CPU (user + system) of `--version` and of `ls` on the example, means of 100 runs of each program given.
#
#   benches/start.sh target/release/lineal [another program…]
#
# Needs hyperfine and python3. The host's other work shows in all of a round: compare within one round.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp -r "$root/examples/jaffle_shop" "$folder/shop"
commands=()
for program in "$@"; do
  program=$(realpath "$program")
  commands+=("$program --version" "$program ls")
done
cd "$folder/shop"
for round in 1 2 3 4 5; do
  hyperfine -N --style none --warmup 5 --runs 100 --export-json "$folder/figures.json" "${commands[@]}" >/dev/null 2>&1
  python3 - "$folder/figures.json" "$round" <<'PY'
import json, sys
for of in json.load(open(sys.argv[1]))["results"]:
    user, system = of["user"] * 1000, of["system"] * 1000
    print(f"round {sys.argv[2]}  {user:5.1f} + {system:4.1f} = {user + system:5.1f} ms  {of['command']}")
PY
done
