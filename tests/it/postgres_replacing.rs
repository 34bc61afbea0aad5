//! PostgreSQL: a relation is replaced beside what depends on it, without a moment in which either is missing.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::postgres_server::{PASSWORD, Server, fails, on_oldest_and_newest, succeeds, write};
use crate::program::lineal;

on_oldest_and_newest!(
    dependents_of_others_stay,
    what_cannot_stay_is_named_or_built_again,
    dbts_own_way_is_a_config,
    foreign_keys_follow_or_block,
    columns_change_beside_their_readers,
    readers_never_miss_a_relation,
);

/// A table whose columns a variable chooses, a model that reads it, and what others have made on it.
fn shop(server: &Server) -> tempfile::TempDir {
    let project = server.project("");
    let folder = project.path();
    write(
        folder,
        "models/items.sql",
        "{{ config(materialized='table', dependents=var('dependents', 'keep')) }}\n\
         select g{{ var('cast', '') }} as id, 'x' || g as name {{ var('more', '') }} from generate_series(1, 10) as g",
    );
    write(folder, "models/listed.sql", "select * from {{ ref('items') }}");
    write(folder, "models/counted.sql", "select count(*) as n from {{ ref('listed') }}");
    write(folder, "seeds/rates.csv", "id,rate\n1,0.5\n");
    succeeds(&lineal(folder, &["build"]));
    server.ask(
        "create role guest; create schema bi;\n\
         create view bi.report with (security_barrier) as select id, name from shop.items where id < 6;\n\
         comment on view bi.report is 'the report'; comment on column bi.report.name is 'its name';\n\
         grant select on bi.report to guest with grant option; grant select (id) on bi.report to public;\n\
         create view bi.top as select max(id) as id from bi.report;\n\
         create materialized view bi.stored as select id, name from shop.items;\n\
         create unique index stored_id on bi.stored (id); comment on index bi.stored_id is 'by id';\n\
         create view bi.bottom as select min(id) as id from bi.stored;\n\
         create view bi.rated as select * from shop.rates;",
    );
    project
}

fn everything_of_others(server: &Server) -> String {
    server.ask(
        "select rel.relname, rel.relkind, rel.relowner::regrole, rel.reloptions, rel.relacl::text,\n\
           (select string_agg(attname || coalesce(attacl::text, ''), ',' order by attnum) from pg_attribute\n\
            where attrelid = rel.oid and attnum > 0),\n\
           (select string_agg(description, ',' order by objsubid) from pg_description where objoid = rel.oid)\n\
         from pg_class as rel where relnamespace = 'bi'::regnamespace order by relname",
    )
}

fn dependents_of_others_stay(server: &Server) {
    let project = shop(server);
    let before = everything_of_others(server);
    assert!(before.contains("guest=r*/tester") && before.contains("by id"), "{before}");
    for vars in ["{}", "{cast: '::bigint'}", "{cast: '::bigint', more: ', 1 as extra'}"] {
        succeeds(&lineal(project.path(), &["build", "--full-refresh", "--vars", vars]));
        assert_eq!(everything_of_others(server), before, "{vars}");
        let rows = "select (select count(*) from bi.report), (select id from bi.top), (select count(*) from bi.stored), \
                    (select id from bi.bottom), (select count(*) from bi.rated), (select n from shop.counted)";
        assert_eq!(server.ask(rows), "5|5|10|1|1|10", "{vars}");
    }
    assert_eq!(server.ask("select pg_typeof(id) from bi.top"), "bigint");
    assert_eq!(server.ask("select count(*) from pg_class where relname like '%\\_\\_dbt\\_%' or relname like '%lineal%'"), "0");
}

fn what_cannot_stay_is_named_or_built_again(server: &Server) {
    let project = shop(server);
    succeeds(&lineal(project.path(), &["run", "--vars", "{more: ', 1 as extra'}"]));
    server.ask("create view bi.more as select extra from shop.items");
    let text = fails(&lineal(project.path(), &["run", "--select", "items"]));
    assert!(text.contains("view bi.more: column") && text.contains("does not exist"), "{text}");
    assert!(text.contains("dependents: cascade"), "{text}");
    assert_eq!(server.ask("select sum(extra) from bi.more"), "10");

    server.ask("drop view bi.more");
    // Not selected, and its saved definition names the column that is gone.
    let text = succeeds(&lineal(project.path(), &["run", "--select", "items"]));
    assert!(text.contains("model.shop.listed cannot stay as it is beside the changed items"), "{text}");
    assert_eq!(server.ask("select n from shop.counted"), "10");
    assert_eq!(server.ask("select id from bi.top"), "5");
}

fn dbts_own_way_is_a_config(server: &Server) {
    let project = shop(server);
    succeeds(&lineal(project.path(), &["run", "--vars", "{dependents: cascade}"]));
    assert_eq!(server.ask("select string_agg(relname, ' ') from pg_class where relnamespace = 'bi'::regnamespace"), "rated");
    let text = fails(&lineal(project.path(), &["run", "--select", "items", "--vars", "{dependents: maybe}"]));
    assert!(text.contains("`dependents` is 'maybe'"), "{text}");
}

fn foreign_keys_follow_or_block(server: &Server) {
    let project = server.project("");
    write(
        project.path(),
        "models/items.sql",
        "{{ config(materialized='table', indexes=[{'columns': ['id'], 'unique': var('unique', true)}]) }}\n\
         select g as id from generate_series(1, {{ var('last', 3) }}) as g",
    );
    succeeds(&lineal(project.path(), &["run"]));
    server.ask(
        "create schema bi; create table bi.sold (id int constraint of_item references shop.items (id));\n\
         insert into bi.sold values (1), (3);\n\
         create function bi.cheapest(item shop.items) returns int language sql as 'select item.id'",
    );
    let said = fails(&lineal(project.path(), &["run"]));
    assert!(said.contains("function bi.cheapest(shop.items) depends on type shop.items"), "{said}");
    server.ask("drop function bi.cheapest");
    succeeds(&lineal(project.path(), &["run"]));
    assert_eq!(server.ask("select confrelid::regclass from pg_constraint where conname = 'of_item'"), "shop.items");
    for (vars, why) in [("{unique: false}", "there is no unique constraint"), ("{last: 2}", "violates foreign key constraint")] {
        let said = fails(&lineal(project.path(), &["run", "--vars", vars]));
        assert!(said.contains("foreign key of_item of bi.sold: ") && said.contains(why), "{said}");
        assert_eq!(
            server.ask("select count(*), (select count(*) from pg_constraint where conname = 'of_item') from shop.items"),
            "3|1"
        );
    }
}

/// An incremental model changes the types of its columns: dbt drops what reads them.
fn columns_change_beside_their_readers(server: &Server) {
    let project = server.project("");
    write(
        project.path(),
        "models/items.sql",
        "{{ config(materialized='incremental', unique_key='id', on_schema_change=var('changes', 'ignore'),\n\
           dependents=var('dependents', 'keep')) }}\n\
         select g as id, g{{ var('cast', '') }} as amount, ('x' || g)::varchar({{ var('wide', 2) }}) as name\n\
         from generate_series(1, 3) as g",
    );
    write(project.path(), "models/listed.sql", "select id, amount from {{ ref('items') }}");
    succeeds(&lineal(project.path(), &["run"]));
    server.ask(
        "create schema bi; create role guest; create view bi.named as select name from shop.items where amount > 1;\n\
         comment on view bi.named is 'the names'; grant select on bi.named to guest;\n\
         create materialized view bi.stored as select sum(amount) as amount from shop.items;\n\
         create view bi.counted as select count(*) from bi.named;",
    );
    let before = everything_of_others(server);
    succeeds(&lineal(project.path(), &["run", "--select", "items", "--vars", "{wide: 9}"]));
    let change = "{changes: sync_all_columns, wide: 9, cast: '::numeric'}";
    succeeds(&lineal(project.path(), &["run", "--select", "items", "--vars", change]));
    assert_eq!(everything_of_others(server), before);
    assert_eq!(server.ask("select pg_typeof(amount), (select count(*) from bi.counted) from shop.listed limit 1"), "numeric|1");
    let columns = "select string_agg(format_type(atttypid, atttypmod), ' ' order by attname) from pg_attribute \
                   where attrelid = 'shop.items'::regclass and attnum > 0 and not attisdropped";
    assert_eq!(server.ask(columns), "numeric integer character varying(9)");
    assert_eq!(server.ask("select amount from bi.stored"), "6");

    server.ask("create view bi.whole as select amount % 2::bigint as rest from shop.items");
    let change = "{changes: sync_all_columns, wide: 9, cast: '::text'}";
    let said = fails(&lineal(project.path(), &["run", "--select", "items", "--vars", change]));
    assert!(said.contains("view bi.whole: operator does not exist"), "{said}");
    assert_eq!(server.ask(columns), "numeric integer character varying(9)");
    let change = "{changes: sync_all_columns, wide: 9, cast: '::text', dependents: cascade}";
    succeeds(&lineal(project.path(), &["run", "--select", "items", "--vars", change]));
    assert_eq!(server.ask("select count(*) from pg_class where relnamespace = 'bi'::regnamespace"), "0");
}

/// A psql that reads again and again, until it is told to stop by the end of a file; fails at the first error or empty answer.
fn reader(server: &Server, relation: &str, stop: &Path) -> Child {
    let script = format!(
        "while [ ! -e {stop} ]; do echo \"select 1 / (select count(*) from {relation});\"; done | psql -v ON_ERROR_STOP=1 -qtA -o /dev/null",
        stop = stop.display()
    );
    Command::new("bash")
        .args(["-o", "pipefail", "-c", &script])
        .env("PGHOST", "127.0.0.1")
        .env("PGPORT", server.port.to_string())
        .env("PGUSER", "tester")
        .env("PGDATABASE", "postgres")
        .env("PGPASSWORD", PASSWORD)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a reader")
}

fn readers_never_miss_a_relation(server: &Server) {
    let project = shop(server);
    let stop = project.path().join("stop");
    let readers: Vec<Child> =
        ["shop.items", "shop.listed", "shop.counted", "bi.top"].iter().map(|name| reader(server, name, &stop)).collect();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(1500) {
        succeeds(&lineal(project.path(), &["run"]));
    }
    write(project.path(), "stop", "");
    for reader in readers {
        let output = reader.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && said.is_empty(), "{said}");
    }
}
