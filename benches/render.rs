//! How long reading, rendering, resolving and writing take, on a project made in memory. Compare figures of one run.
//!
//! `cargo bench`; for counts that do not depend on the machine's load:
//! `valgrind --tool=callgrind target/release/lineal ls --project-dir examples/jaffle_shop`

#![expect(clippy::disallowed_methods, reason = "a benchmark sets up folders of its own")]

use std::path::Path;
use std::sync::Arc;

use divan::Bencher;
use lineal::diagnostic::SourceText;
use lineal::fs::Disk;
use lineal::{artifacts, parse, project, resolve, yaml};

fn main() {
    divan::main();
}

/// A folder with `models` models in a chain, each with a macro call, a config and two tests.
fn folder(models: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |path: &str, text: String| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    };
    write("dbt_project.yml", "name: bench\nversion: '1.0'\nprofile: bench\n".to_owned());
    write("macros/cents.sql", "{% macro cents(column) %}({{ column }} / 100)::decimal(16, 2){% endmacro %}".to_owned());
    let mut properties = "models:\n".to_owned();
    for number in 0..models {
        let from = if number == 0 {
            "(select 1 as id, 2 as amount)".to_owned()
        } else {
            format!("{{{{ ref('model_{}') }}}}", number - 1)
        };
        let text =
            format!("{{{{ config(materialized='table') }}}}\nselect id, {{{{ cents('amount') }}}} as amount\nfrom {from}\n");
        write(&format!("models/model_{number}.sql"), text);
        properties.push_str(&format!(
            "  - name: model_{number}\n    columns:\n      - name: id\n        data_tests: [unique, not_null]\n"
        ));
    }
    write("models/schema.yml", properties);
    folder
}

fn load(folder: &Path) -> Arc<project::Project> {
    let options = project::LoadOptions { profile_required: true, packages_required: true, ..project::LoadOptions::default() };
    let (project, _) = project::load(&Disk, folder, &options);
    Arc::new(project.expect("the project loads"))
}

/// dbt_project.yml, the profile, all files read.
#[divan::bench(args = [100, 1000])]
fn load_project(bencher: Bencher, models: usize) {
    let folder = folder(models);
    bencher.bench_local(|| load(folder.path()));
}

/// Models rendered, property files read, tests made.
#[divan::bench(args = [100, 1000])]
fn parse_project(bencher: Bencher, models: usize) {
    let folder = folder(models);
    let project = load(folder.path());
    bencher.bench_local(|| parse::parse(&project));
}

/// From drafts to the manifest.
#[divan::bench(args = [100, 1000])]
fn resolve_project(bencher: Bencher, models: usize) {
    let folder = folder(models);
    let project = load(folder.path());
    bencher
        .with_inputs(|| parse::parse(&project).0.expect("it parses"))
        .bench_local_values(|parsed| resolve::resolve(&project, parsed));
}

/// manifest.json, which every command writes.
#[divan::bench(args = [100, 1000])]
fn write_manifest(bencher: Bencher, models: usize) {
    let folder = folder(models);
    let project = load(folder.path());
    let parsed = parse::parse(&project).0.expect("it parses");
    let manifest = resolve::resolve(&project, parsed).0.expect("it resolves");
    let (compiled, metadata) = (artifacts::CompiledNodes::default(), artifacts::Metadata::default());
    bencher.bench_local(|| artifacts::manifest(&manifest, &compiled, &metadata));
}

/// A property file of 5,000 models.
#[divan::bench]
fn read_yaml(bencher: Bencher) {
    let mut text = "models:\n".to_owned();
    for number in 0..5000 {
        text.push_str(&format!("  - name: model_{number}\n    description: \"Model number {number}\"\n    columns:\n      - name: id\n        data_tests: [unique, not_null]\n"));
    }
    let source = SourceText::new("schema.yml", text);
    bencher.counter(divan::counter::BytesCount::new(source.text.len())).bench_local(|| yaml::read(&source));
}
