//! PostgreSQL: connections are cut and servers go away in the middle of a build.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::postgres_server::{Server, fails, succeeds, write};
use crate::program::lineal;

const ACTIVE: &str = "from pg_stat_activity where query like '%node_id%' and state = 'active' and pid <> pg_backend_pid()";

/// A chain of tables in which each takes a while, and a table that grows by a row each time it is built.
fn slow(server: &Server) -> tempfile::TempDir {
    let project = server.project("");
    let folder = project.path();
    for (name, before) in [("first", ""), ("second", "first"), ("third", "second")] {
        let from = if before.is_empty() { String::new() } else { format!(" from {{{{ ref('{before}') }}}}") };
        write(
            folder,
            &format!("models/{name}.sql"),
            &format!("{{{{ config(materialized='table') }}}} select 1 as id, pg_sleep(0.5)::text as slept{from}"),
        );
    }
    write(
        folder,
        "models/grown.sql",
        "{{ config(materialized='incremental') }} select 1 as id, pg_sleep(0.5)::text as slept from {{ ref('first') }}",
    );
    project
}

fn begin(project: &tempfile::TempDir) -> Child {
    Command::new(env!("CARGO_BIN_EXE_lineal"))
        .args(["run", "--no-use-colors"])
        .current_dir(project.path())
        .env("HOME", project.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

/// Waits until that model is being built.
fn wait_for(server: &Server, model: &str) {
    let begun = Instant::now();
    let sql = format!("select count(*) {ACTIVE} and query like '%model.shop.{model}%'");
    while server.ask(&sql) == "0" {
        assert!(begun.elapsed() < Duration::from_secs(30), "{model} does not begin");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn is_whole(server: &Server) {
    assert_eq!(
        server.ask("select string_agg(relname, ' ' order by relname) from pg_class where relnamespace = 'shop'::regnamespace"),
        "first grown second third"
    );
    assert_eq!(server.ask("select count(*) from shop.grown"), "1");
}

#[test]
fn cut_connections_are_made_again() {
    let server = Server::start();
    let project = slow(&server);
    let child = begin(&project);
    wait_for(&server, "grown");
    server.ask(&format!("select pg_terminate_backend(pid) {ACTIVE}"));
    let text = succeeds(&child.wait_with_output().expect("it ends"));
    assert!(text.contains("terminating connection due to administrator command: trying again"), "{text}");
    is_whole(&server);
}

#[test]
fn a_restarted_server_is_waited_for() {
    let mut server = Server::start();
    let project = slow(&server);
    let child = begin(&project);
    wait_for(&server, "grown");
    server.stop();
    std::thread::sleep(Duration::from_millis(500));
    server.launch();
    let text = succeeds(&child.wait_with_output().expect("it ends"));
    assert!(text.contains("trying again"), "{text}");
    is_whole(&server);
}

#[test]
fn a_server_that_stays_away_is_told_once() {
    let mut server = Server::start();
    let project = slow(&server);
    let child = begin(&project);
    wait_for(&server, "grown");
    server.stop();
    let text = fails(&child.wait_with_output().expect("it ends"));
    assert_eq!(text.matches("Is the server running").count(), 1, "{text}");
    assert!(text.contains("PASS=1") && text.contains("ERROR=1 SKIP=2"), "{text}");
    server.launch();
    succeeds(&lineal(project.path(), &["retry"]));
    is_whole(&server);
}

#[test]
fn a_deadlock_is_tried_again() {
    let server = Server::start();
    let project = server.project("");
    server.ask("create schema shop; create table shop.a (id int); create table shop.b (id int)");
    for (name, first, second) in [("one", "a", "b"), ("two", "b", "a")] {
        let lock = |table: &str| format!("lock table shop.{table} in access exclusive mode");
        let model = format!(
            "{{{{ config(materialized='table', pre_hook=['{}', 'select pg_sleep(0.5)', '{}']) }}}} select 1 as id",
            lock(first),
            lock(second)
        );
        write(project.path(), &format!("models/{name}.sql"), &model);
    }
    let text = succeeds(&lineal(project.path(), &["run"]));
    assert!(text.contains("deadlock detected: trying again"), "{text}");
}
