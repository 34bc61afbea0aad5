# Sourced by the benchmarks on PostgreSQL: starts a server in a temporary folder, which goes with it, and makes an empty
# project beside it. Leaves the shell in the project; PG… variables say how to reach the server.

for folder in /usr/lib/postgresql/*/bin; do PATH=$folder:$PATH; done
work=$(mktemp -d)
chmod 755 "$work"
as_user=()
if [ "$(id -u)" = 0 ]; then
  chown postgres "$work"
  as_user=(setpriv --reuid postgres --regid postgres --clear-groups)
fi
(cd "$work" && "${as_user[@]}" initdb -A trust -U tester -D "$work/data" --no-sync >/dev/null)
(cd "$work" && exec "${as_user[@]}" postgres -D "$work/data" -c listen_addresses= -c unix_socket_directories="$work" \
  -c fsync=off -c max_wal_size=4GB >"$work/log" 2>&1) &
server=$!
trap 'kill -INT $server; wait $server; rm -rf "$work"' EXIT
export PGHOST=$work PGUSER=tester PGDATABASE=postgres
until pg_isready -q; do sleep 0.1; done

mkdir "$work/project"
cd "$work/project"
printf 'name: bench\nversion: "1.0"\nprofile: bench\n' >dbt_project.yml
printf 'bench:\n  target: dev\n  outputs:\n    dev: {type: postgres, host: %s, user: tester, password: "", port: 5432, dbname: postgres, schema: bench, threads: 4}\n' \
  "$work" >profiles.yml
