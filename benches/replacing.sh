#!/usr/bin/env bash
# Builds a project again and again on PostgreSQL while four readers query the tables that are replaced, directly and through
# views, the project's own and others'. Any error, and any empty answer, fails. Starts a server of its own and stops it.
# Usage: benches/replacing.sh [program] [seconds]
set -euo pipefail
cd "$(dirname "$0")/.."
program=$(realpath "${1:-target/release/lineal}")
seconds=${2:-120}
. benches/postgres.sh

mkdir models
cat >models/items.sql <<'EOF'
{{ config(materialized='table', indexes=[{'columns': ['id'], 'unique': true}]) }}
select g{{ ['::int', '::bigint'] | random }} as id, 'item ' || g as name from generate_series(1, 5000) as g
EOF
cat >models/orders.sql <<'EOF'
{{ config(materialized='table') }}
select id, id % 7 as amount from {{ ref('items') }}
EOF
echo "select id, name, amount from {{ ref('items') }} join {{ ref('orders') }} using (id)" >models/sold.sql
echo "select count(*) as sales, sum(amount) as amount from {{ ref('sold') }}" >models/totals.sql
"$program" run --quiet
psql -q <<'EOF'
create schema bi;
create view bi.report as select name, amount from bench.sold where amount > 0;
create materialized view bi.stored as select * from bench.orders;
create unique index on bi.stored (id);
EOF

reader() {
  while [ ! -e stop ]; do echo "select 1 / count(*) from (select 1 from $1 limit 1) as one;"; done |
    psql -v ON_ERROR_STOP=1 -qtA | grep -cx 1 >"read.$2"
}
relations=(bench.items bench.orders bench.totals "bi.report, bi.stored")
readers=()
for number in 0 1 2 3; do
  reader "${relations[number]}" "$number" &
  readers+=($!)
done
SECONDS=0
builds=0
while [ $SECONDS -lt "$seconds" ]; do
  "$program" run --quiet
  builds=$((builds + 1))
done
touch stop
for pid in "${readers[@]}"; do wait "$pid"; done
queries=$(awk '{ sum += $1 } END { print sum }' read.*)
echo "$builds builds of 4 models in $SECONDS s beside $queries queries of 4 readers: no error, no empty answer"
