//! The artifacts are what dbt's tools read: the parser that the field uses loads them.

use std::path::Path;
use std::process::Command;

use crate::program::{copy, lineal, lineal_with};

#[test]
fn the_fields_own_parser_loads_all_artifacts() {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let project = scratch.path().join("project");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/jaffle_shop"), &project);
    for words in [&["build"][..], &["docs", "generate"]] {
        let output = lineal(&project, words);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        load(&project.join("target"));
    }
}

/// What the command line gives is written into run_results.json, but for secrets, and so are errors that name them: of a node
/// command, of an operation, and of SQL that is run as one.
#[test]
fn secrets_of_the_command_line_stay_out_of_results() {
    const SECRET: &str = "s3cr3t-word";
    let scratch = tempfile::tempdir().expect("a folder");
    let project = scratch.path().join("project");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/jaffle_shop"), &project);
    let macros = "{% macro greet(whom) %}{% endmacro %}
        {% macro refuse(whom) %}{{ exceptions.raise_compiler_error('no ' ~ whom) }}{% endmacro %}";
    std::fs::write(project.join("macros/greet.sql"), macros).expect("a macro");
    std::fs::write(project.join("models/greeted.sql"), "{% if execute %}{{ refuse(var('word', '')) }}{% endif %}")
        .expect("a model");
    let (args, vars) = (format!("{{whom: {{name: {SECRET}}}}}"), format!("{{word: [{SECRET}]}}"));
    for words in [
        &["seed", "--vars", &vars][..],
        &["run-operation", "greet", "--args", &args, "--vars", &vars],
        &["run-operation", "refuse", "--args", &args],
        &["run-operation", "--sql", "select 1", "--vars", &vars],
        &["run", "--select", "greeted", "--vars", &vars],
    ] {
        lineal_with(&project, words, &[("DBT_ENV_SECRET_WORD", SECRET)]);
        let file = project.join("target/run_results.json");
        let results = std::fs::read_to_string(&file).expect("results");
        std::fs::remove_file(file).expect("it is there");
        assert!(!results.contains(SECRET) && results.contains("*****"), "{words:?}: {results}");
    }
}

/// Loads manifest.json, run_results.json and, once it is there, catalog.json with dbt-artifacts-parser.
fn load(target: &Path) {
    let python = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../test-python/bin/python");
    let program = "
import json, pathlib, sys
from dbt_artifacts_parser.parser import parse_catalog, parse_manifest, parse_run_results
target = pathlib.Path(sys.argv[1])
read = lambda name: json.loads((target / name).read_text())
manifest = parse_manifest(manifest=read('manifest.json'))
results = parse_run_results(run_results=read('run_results.json'))
assert manifest.nodes and results.results
if (target / 'catalog.json').exists():
    assert parse_catalog(catalog=read('catalog.json')).nodes
";
    let output = Command::new(&python).args(["-c", program]).arg(target).output();
    let output =
        output.unwrap_or_else(|error| panic!("{} does not start ({error}): run scripts/test-tools.sh first", python.display()));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
