//! Two programs and one database, and a user who has waited long enough.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::program::lineal;

/// A project whose second model would run for hours.
fn slow_project(folder: &Path) {
    let write = |path: &str, text: &str| {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    };
    write("dbt_project.yml", "name: slow\nversion: '1.0'\nprofile: slow\n");
    write("models/first.sql", "{{ config(materialized='table') }} select 1 as id");
    write(
        "models/slow.sql",
        "{{ config(materialized='table') }} -- {{ ref('first') }}\n\
         select sum(x.range * y.range % 7) as s from range(3000000) x, range(3000000) y",
    );
    write("models/after.sql", "select * from {{ ref('slow') }}");
}

/// Starts a build and waits until its first model is done and the slow one has begun.
fn start(folder: &Path) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_lineal"))
        .args(["build", "--threads", "1", "--debug"])
        .current_dir(folder)
        .env("HOME", folder)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    while let Some(Ok(line)) = lines.next() {
        if line.contains("START sql table model main.slow") {
            break;
        }
    }
    // What it says from now on has to go somewhere.
    std::thread::spawn(move || lines.count());
    std::thread::sleep(Duration::from_millis(300));
    child
}

fn interrupt(child: &Child) {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(sent.success());
}

#[test]
fn an_interrupt_ends_the_query_and_leaves_no_half_built_table() {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    slow_project(scratch.path());
    let mut child = start(scratch.path());
    let begun = Instant::now();
    interrupt(&child);
    let ended = child.wait().expect("it ends");
    assert!(begun.elapsed() < Duration::from_secs(20), "it took {:?}", begun.elapsed());
    assert_eq!(ended.code(), Some(1));
    let results = std::fs::read_to_string(scratch.path().join("target/run_results.json")).expect("results are written");
    let results: serde_json::Value = serde_json::from_str(&results).expect("JSON");
    let statuses: Vec<&str> =
        results["results"].as_array().expect("a list").iter().filter_map(|result| result["status"].as_str()).collect();
    assert_eq!(statuses, ["success", "error", "skipped"]);
    let tables = lineal(
        scratch.path(),
        &["show", "-q", "--inline-direct", "select string_agg(table_name, ',' order by 1) as t from duckdb_tables()"],
    );
    let tables = String::from_utf8_lossy(&tables.stdout).into_owned();
    assert!(tables.contains("first") && !tables.contains("slow"), "{tables}");
}

#[test]
fn a_locked_database_names_the_process_that_holds_it() {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    slow_project(scratch.path());
    let mut child = start(scratch.path());
    let second = lineal(scratch.path(), &["build"]);
    interrupt(&child);
    child.wait().expect("it ends");
    let said = String::from_utf8_lossy(&second.stdout).into_owned();
    assert_eq!(second.status.code(), Some(2), "{said}");
    assert!(said.contains(&format!("PID {}", child.id())), "{said}");
}

#[test]
fn retry_goes_on_where_a_killed_run_stopped() {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    slow_project(scratch.path());
    let mut child = start(scratch.path());
    child.kill().expect("it is there");
    child.wait().expect("it ends");
    let target = scratch.path().join("target");
    assert!(!target.join("run_results.json").exists());
    std::fs::write(scratch.path().join("models/slow.sql"), "select 1 as s -- {{ ref('first') }}").expect("a file");
    let said = lineal(scratch.path(), &["retry", "--log-format", "text"]);
    assert_eq!(said.status.code(), Some(0), "{}", String::from_utf8_lossy(&said.stdout));
    let results: serde_json::Value =
        serde_json::from_slice(&std::fs::read(target.join("run_results.json")).expect("results")).expect("JSON");
    let ran: Vec<&str> =
        results["results"].as_array().expect("a list").iter().filter_map(|result| result["unique_id"].as_str()).collect();
    assert_eq!(ran, ["model.slow.slow", "model.slow.after"]);
    assert!(!target.join("run_results.partial.jsonl").exists());
    let again = lineal(scratch.path(), &["retry", "--log-level", "warn"]);
    assert!(String::from_utf8_lossy(&again.stdout).contains("Nothing to do"));
}
