//! PostgreSQL, a real one: projects are built, interrupted and refused.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::postgres_server::{Server, fails, on_oldest_and_newest, succeeds, write};
use crate::program::lineal;

on_oldest_and_newest!(
    a_project_is_built_twice_and_documented,
    an_interrupt_reaches_the_server,
    a_refused_connection_is_told_once,
    rows_are_merged_where_the_server_can,
    rows_of_a_key_are_replaced,
    indexes_change_as_configured,
    snapshots_seeds_and_samples_hold,
    overloads_of_a_function_are_made,
);

fn shop(server: &Server) -> tempfile::TempDir {
    let project = server.project("");
    let folder = project.path();
    write(folder, "seeds/orders.csv", "id,customer,amount,at\n1,ann,1.5,2020-01-02\n2,\"b,ob\",2,2020-02-03\n3,,,\n");
    write(folder, "models/paid.sql", "select * from {{ ref('orders') }} where amount is not null");
    write(
        folder,
        "models/totals.sql",
        "{{ config(materialized='table', indexes=[{'columns': ['customer'], 'unique': true, 'type': 'btree'}]) }}\n\
         select customer, sum(amount) as total from {{ ref('paid') }} group by 1",
    );
    write(
        folder,
        "models/events.sql",
        "{{ config(materialized='incremental', unique_key='id') }}\n\
         select id, {{ 'now()' if is_incremental() else \"'2000-01-01'::timestamptz\" }} as seen from {{ ref('paid') }}\n\
         {% if is_incremental() %} where id > 1 {% endif %}",
    );
    write(folder, "models/kept.sql", "{{ config(materialized='materialized_view') }} select * from {{ ref('totals') }}");
    write(
        folder,
        "models/schema.yml",
        "models:\n  - name: totals\n    description: What each pays\n    config:\n      persist_docs: {relation: true}\n      \
         grants: {select: [reader]}\n    columns:\n      - name: customer\n        data_tests: [unique, not_null]\n",
    );
    project
}

fn a_project_is_built_twice_and_documented(server: &Server) {
    server.ask("create role reader");
    let project = shop(server);
    let folder = project.path();
    let text = succeeds(&lineal(folder, &["build"]));
    assert!(text.contains("SELECT 2") && text.contains("CREATE VIEW"), "{text}");
    succeeds(&lineal(folder, &["build"]));
    assert_eq!(
        server.ask("select string_agg(customer || ' ' || total, '; ' order by customer) from shop.totals"),
        "ann 1.5; b,ob 2"
    );
    assert_eq!(server.ask("select count(*) || ' ' || count(*) filter (where seen > '2001-01-01') from shop.events"), "2 1");
    assert_eq!(server.ask("select count(*) from shop.kept"), "2");
    assert_eq!(server.ask("select obj_description('shop.totals'::regclass)"), "What each pays");
    assert_eq!(server.ask("select has_table_privilege('reader', 'shop.totals', 'select')"), "t");
    assert_eq!(server.ask("select indisunique from pg_index where indrelid = 'shop.totals'::regclass"), "t");
    assert_eq!(server.ask("select count(*) from pg_class where relname like '%\\_\\_dbt\\_%'"), "0");
    succeeds(&lineal(folder, &["docs", "generate"]));
    let catalog = std::fs::read_to_string(folder.join("target/catalog.json")).expect("a catalog");
    assert!(catalog.contains("MATERIALIZED VIEW") && catalog.contains("double precision"), "{catalog}");
}

fn an_interrupt_reaches_the_server(server: &Server) {
    let project = server.project("");
    write(project.path(), "models/slow.sql", "{{ config(materialized='table') }} select pg_sleep(600)::text as slept");
    let mut child = Command::new(env!("CARGO_BIN_EXE_lineal"))
        .arg("run")
        .current_dir(project.path())
        .env("HOME", project.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("the program starts");
    let sleeping =
        "select count(*) from pg_stat_activity where query like '%pg_sleep%' and state = 'active' and pid <> pg_backend_pid()";
    let begun = Instant::now();
    while server.ask(sleeping) != "1" {
        assert!(begun.elapsed() < Duration::from_mins(1), "the model does not start");
        std::thread::sleep(Duration::from_millis(50));
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(!child.wait().expect("it ends").success());
    assert_eq!(server.ask(sleeping), "0");
    assert_eq!(server.ask("select count(*) from pg_class where relname like 'slow%'"), "0");
}

fn a_refused_connection_is_told_once(server: &Server) {
    let project = server.project(", retries: 0");
    let wrong = std::fs::read_to_string(project.path().join("profiles.yml")).expect("a profile").replace("it's secret", "wrong");
    write(project.path(), "profiles.yml", &wrong);
    for name in ["a", "b", "c"] {
        write(project.path(), &format!("models/{name}.sql"), "select 1 as id");
    }
    let text = fails(&lineal(project.path(), &["run"]));
    assert_eq!(text.matches("password authentication failed for user \"tester\"").count(), 1, "{text}");
}

fn rows_are_merged_where_the_server_can(server: &Server) {
    let project = server.project("");
    write(
        project.path(),
        "models/kept.sql",
        "{{ config(materialized='incremental', incremental_strategy='merge', unique_key='id') }}\n\
         select 1 as id, '{{ 'new' if is_incremental() else 'old' }}' as word union all select {{ 2 if is_incremental() else 3 }}, 'x'",
    );
    succeeds(&lineal(project.path(), &["run"]));
    let output = lineal(project.path(), &["run"]);
    if server.ask("show server_version_num").parse::<u32>().expect("a version") < 150_000 {
        let text = fails(&output);
        assert!(text.contains("`merge` needs PostgreSQL 15 or later"), "{text}");
        return;
    }
    succeeds(&output);
    assert_eq!(server.ask("select string_agg(id || word, ' ' order by id) from shop.kept"), "1new 2x 3x");
}

fn rows_of_a_key_are_replaced(server: &Server) {
    let project = server.project("");
    write(
        project.path(),
        "models/kept.sql",
        "{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key=['id', 'lower(word)'],\n\
           incremental_predicates=['id < 3', \"dbt_internal_dest.word <> 'B'\"]) }}\n\
         {% if is_incremental() %}\n\
         select * from (values (1, 'A', 2), (2, 'b', 2), (3, 'c', 2), (null, 'd', 2)) as new (id, word, run)\n\
         {% else %}\n\
         select * from (values (1, 'a', 1), (1, 'a', 1), (1, 'x', 1), (2, 'B', 1), (3, 'c', 1), (null, 'd', 1)) as old (id, word, run)\n\
         {% endif %}",
    );
    succeeds(&lineal(project.path(), &["run"]));
    succeeds(&lineal(project.path(), &["run"]));
    assert_eq!(
        server.ask("select string_agg(concat(id, word, run), ' ' order by id, word, run) from shop.kept"),
        "1A2 1x1 2B1 2b2 3c1 3c2 d1 d2"
    );
    // Without a key the predicates alone say what goes.
    write(
        project.path(),
        "models/days.sql",
        "{{ config(materialized='incremental', incremental_strategy='delete+insert', incremental_predicates=['day > 1', 'day < 4']) }}\n\
         select day, {{ 2 if is_incremental() else 1 }} as run from generate_series({{ '2, 2' if is_incremental() else '1, 4' }}) as day",
    );
    succeeds(&lineal(project.path(), &["run", "--select", "days"]));
    succeeds(&lineal(project.path(), &["run", "--select", "days"]));
    assert_eq!(server.ask("select string_agg(concat(day, '/', run), ' ' order by day) from shop.days"), "1/1 2/2 4/1");
}

/// A materialized view's indexes follow its config, as `on_configuration_change` says; names have room for 63 characters.
fn indexes_change_as_configured(server: &Server) {
    let project = server.project("");
    let (long, longer) = ("m".repeat(63), "m".repeat(64));
    for name in [&long, &longer] {
        let enabled = if name == &long { "true" } else { "var('longer', false)" };
        let model =
            format!("{{{{ config(materialized='table', enabled={enabled}, unlogged=true) }}}} select 1 as id, 'a' as name");
        write(project.path(), &format!("models/{name}.sql"), &model);
    }
    write(
        project.path(),
        "models/stored.sql",
        &format!(
            "{{{{ config(materialized='materialized_view', indexes=var('indexes', [{{'columns': ['id'], 'unique': true}}]),\n\
             on_configuration_change=var('change', 'apply')) }}}} select * from {{{{ ref('{long}') }}}}"
        ),
    );
    succeeds(&lineal(project.path(), &["run"]));
    succeeds(&lineal(project.path(), &["run"]));
    assert_eq!(server.ask(&format!("select relpersistence from pg_class where relname = '{long}'")), "u");
    let indexes = "select string_agg(regexp_replace(pg_get_indexdef(indexrelid), 'INDEX \\S+ ON ', ''), '; ') from pg_index \
                   where indrelid = 'shop.stored'::regclass";
    assert_eq!(server.ask(indexes), "CREATE UNIQUE shop.stored USING btree (id)");
    let change = |how: &str| {
        let vars = format!("{{change: {how}, indexes: [{{columns: [name], type: hash}}]}}");
        lineal(project.path(), &["run", "--select", "stored", "--vars", &vars])
    };
    succeeds(&change("continue"));
    fails(&change("fail"));
    assert_eq!(server.ask(indexes), "CREATE UNIQUE shop.stored USING btree (id)");
    succeeds(&change("apply"));
    assert_eq!(server.ask(indexes), "CREATE shop.stored USING hash (name)");
    let said = fails(&lineal(project.path(), &["run", "--select", &longer, "--vars", "longer: true"]));
    assert!(said.contains("is longer than 63 characters"), "{said}");
}

/// A snapshot of rows that change and go, a seed whose numbers are whole but for a zero behind the point, a sample.
fn snapshots_seeds_and_samples_hold(server: &Server) {
    let project = server.project("");
    let folder = project.path();
    write(folder, "seeds/prices.csv", "id,price,at\n1,76.0,2024-01-01 10:00:00\n2,5,2024-01-02 10:00:00\n");
    write(
        folder,
        "snapshots/kept.yml",
        "snapshots:\n  - name: kept\n    relation: ref('prices')\n    config: {strategy: check, check_cols: all, unique_key: id, \
         hard_deletes: invalidate}\n",
    );
    write(folder, "models/times.sql", "select id, at from {{ ref('prices') }}");
    write(folder, "models/times.yml", "models:\n  - name: times\n    config: {event_time: at}\n");
    write(folder, "models/days.sql", "{{ config(materialized='table') }} select * from {{ ref('times') }}");
    succeeds(&lineal(folder, &["build"]));
    assert_eq!(server.ask("select string_agg(price::text, ' ' order by id) from shop.prices"), "76 5");
    let sample = ["run", "--select", "days", "--sample", "{start: 2024-01-01, end: 2024-01-02}"];
    succeeds(&lineal(folder, &sample));
    assert_eq!(server.ask("select string_agg(id::text, ' ') from shop.days"), "1");
    write(folder, "seeds/prices.csv", "id,price,at\n1,77,2024-01-01 10:00:00\n");
    succeeds(&lineal(folder, &["build"]));
    let versions = "select string_agg(id || ':' || price || (dbt_valid_to is null)::text, ' ' order by id, price) from shop.kept";
    assert_eq!(server.ask(versions), "1:76false 1:77true 2:5false");
}

/// One file holds the function, others its overloads; what cannot be made is told, the rest is there.
fn overloads_of_a_function_are_made(server: &Server) {
    let project = server.project("");
    let folder = project.path();
    write(folder, "functions/twice.sql", "select val * 2");
    write(folder, "functions/twice_text.sql", "select val || {{ 'val' }}");
    write(folder, "functions/twice_date.sql", "select val * nothing");
    write(
        folder,
        "functions/functions.yml",
        "functions:\n  - name: twice\n    arguments: [{name: val, data_type: integer}]\n    returns: {data_type: integer}\n    \
         overloads:\n      - defined_in: twice_text\n        arguments: [{name: val, data_type: text}]\n        \
         returns: {data_type: text}\n      - defined_in: twice_date\n        arguments: [{name: val, data_type: date}]\n        \
         returns: {data_type: date}\n",
    );
    let said = fails(&lineal(folder, &["build"]));
    assert!(said.contains("PARTIAL SUCCESS") && said.contains("overload twice_date"), "{said}");
    assert_eq!(server.ask("select shop.twice(2) || shop.twice('ab'::text)"), "4abab");
}
