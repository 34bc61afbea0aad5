//! Python models: what is said where the interpreter is missing or fails, and a whole run.

use std::path::Path;
use std::process::{Command, Output};

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
}

const PROJECT: &str = "name: py\nversion: '1.0'\nprofile: py\n";

/// Runs the program with an interpreter, and a folder of modules for it.
fn lineal(folder: &Path, interpreter: &str, words: &[&str]) -> (Output, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_lineal"))
        .args(words)
        .current_dir(folder)
        .env("HOME", folder)
        .env("NO_COLOR", "1")
        .env("LINEAL_PYTHON", interpreter)
        .env("PYTHONPATH", folder.join("modules"))
        .output()
        .expect("the program starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output, text)
}

/// The interpreter to test with: `scripts/test-tools.sh` gives it duckdb and numpy.
fn python() -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../test-python/bin/python");
    assert!(path.exists(), "{} is missing: `make test` installs it", path.display());
    path.to_string_lossy().into_owned()
}

#[test]
fn without_an_interpreter_the_node_fails_and_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), &[("dbt_project.yml", PROJECT), ("models/m.py", "def model(dbt, session):\n    return None\n")]);
    let (output, said) = lineal(folder.path(), "/nowhere/python", &["run"]);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("'/nowhere/python' cannot be started") && said.contains("LINEAL_PYTHON"), "{said}");
    let (output, said) = lineal(folder.path(), "/nowhere/python", &["compile"]);
    assert_eq!(output.status.code(), Some(0), "compiling needs no Python: {said}");
    let compiled = std::fs::read_to_string(folder.path().join("target/compiled/py/models/m.py")).expect("compiled code");
    assert!(compiled.starts_with("def model(dbt, session):") && compiled.contains("class dbtObj:"), "{compiled}");
}

#[test]
fn an_exception_is_told_with_the_models_own_lines() {
    let interpreter = python();
    let folder = tempfile::tempdir().expect("a folder");
    let model =
        "def model(dbt, session):\n    print('so far')\n    raise ValueError('it was ' + dbt.config.get('word', 'none'))\n";
    // Enough of a duckdb to get as far as the model.
    let stand_in = "class DuckDBPyRelation: pass\nclass Connection:\n    def execute(self, sql): pass\n\
                    def connect(path, config): return Connection()\n";
    write(folder.path(), &[("dbt_project.yml", PROJECT), ("models/m.py", model), ("modules/duckdb.py", stand_in)]);
    let (output, said) = lineal(folder.path(), &interpreter, &["run"]);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for part in ["so far", "Python model failed:", "File \"models/m.py\", line 3, in model", "ValueError: it was none"] {
        assert!(said.contains(part), "no `{part}` in\n{said}");
    }
    assert!(!said.contains("File \"<stdin>\""), "the driver's own frames are of no use:\n{said}");
}

/// Tables, an incremental model run twice, a plugin's source: on a file and in memory.
#[test]
fn a_project_with_python_models_runs() {
    let interpreter = python();
    for path in ["py.duckdb", ":memory:"] {
        let folder = tempfile::tempdir().expect("a folder");
        let profile = format!(
            "py:\n  target: dev\n  outputs:\n    dev:\n      type: duckdb\n      path: '{path}'\n      threads: 4\n      \
             module_paths: [modules]\n      plugins:\n        - module: numbers_of_mine\n          alias: mine\n          config: {{upto: 4}}\n"
        );
        write(
            folder.path(),
            &[
                ("dbt_project.yml", PROJECT),
                ("profiles.yml", &profile),
                ("modules/numbers_of_mine.py", PLUGIN),
                ("models/sources.yml", SOURCES),
                ("models/base.sql", "select range as id from range(3)"),
                ("models/other.sql", "{{ config(materialized='table') }} select 1 as x"),
                (
                    "models/late.py",
                    "def model(dbt, session):\n    dbt.config(materialized='incremental', unique_key='id')\n    rows = dbt.ref('base')\n    \
                     return rows.filter('id > 0') if dbt.is_incremental else rows\n",
                ),
                (
                    "models/temp.py",
                    "def model(dbt, con):\n    con.execute('create temp table t as select 7 as a')\n    return con.table('t')\n",
                ),
                ("models/loaded.sql", "select count(*) as n from {{ source('mine', 'numbers') }}"),
                ("tests/counts.sql", "select * from {{ ref('loaded') }} where n <> 4"),
                (
                    "tests/rows.sql",
                    "select * from {{ ref('temp') }}, (select count(*) as n from {{ ref('late') }}) where a <> 7 or n <> 3",
                ),
            ],
        );
        for _ in 0..2 {
            let (output, said) = lineal(folder.path(), &interpreter, &["build"]);
            assert_eq!(output.status.code(), Some(0), "{path}: {said}");
        }
    }
}

const PLUGIN: &str = "
from dbt.adapters.duckdb.plugins import BasePlugin


class Plugin(BasePlugin):
    def initialize(self, plugin_config):
        self.upto = plugin_config['upto']

    def load(self, source_config):
        import numpy

        return {source_config.get('column', 'id'): numpy.arange(self.upto)}
";

const SOURCES: &str = "version: 2\nsources:\n  - name: mine\n    schema: main\n    config:\n      plugin: mine\n    tables:\n      - name: numbers\n";
