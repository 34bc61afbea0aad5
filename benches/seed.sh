#!/usr/bin/env bash
# How long a seed of a million rows takes on PostgreSQL, beside psql's \copy of the same file into the same kind of table.
# Starts a server of its own and stops it. Usage: benches/seed.sh [program] [rows]; the program is built for release first.
set -euo pipefail
cd "$(dirname "$0")/.."
program=$(realpath "${1:-target/release/lineal}")
rows=${2:-1000000}

. benches/postgres.sh
mkdir seeds
awk -v rows="$rows" 'BEGIN {
  srand(1); print "id,customer,amount,ordered_at,paid,note"
  for (i = 0; i < rows; i++)
    printf "%d,customer %d,%.2f,2024-%02d-%02d,%s,%s\n", i, i % 5000, rand() * 1000, i % 12 + 1, i % 28 + 1,
      i % 3 ? "true" : "false", i % 7 ? "note number " i % 99 : ""
}' >seeds/big.csv

for round in 1 2 3 4 5; do
  begun=$(date +%s.%N)
  "$program" seed --full-refresh --quiet
  ended=$(date +%s.%N)
  psql -qc 'drop table if exists copied; create table copied (like bench.big)'
  begun_copy=$(date +%s.%N)
  psql -qc "\\copy copied from 'seeds/big.csv' csv header"
  ended_copy=$(date +%s.%N)
  awk -v a="$begun" -v b="$ended" -v c="$begun_copy" -v d="$ended_copy" -v round=$round \
    'BEGIN { printf "round %d: seed %.2f s, \\copy %.2f s: %.0f %% of its speed\n", round, b - a, d - c, 100 * (d - c) / (b - a) }'
done | tee rounds
sort -t: -k3n rounds | awk -F': ' '{ speed[NR] = $3 } END { print "median: " speed[int((NR + 1) / 2)] }'
