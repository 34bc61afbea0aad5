//! The projects that ship with lineal run as they are: the examples, and the models over the run history.

use std::path::{Path, PathBuf};

use crate::program::{copy, lineal};

/// A copy of a folder of this repository, in a temporary folder of its own.
fn fresh(folder: &str) -> (tempfile::TempDir, PathBuf) {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let project = scratch.path().canonicalize().expect("it is there").join("project");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &project);
    (scratch, project)
}

/// Runs a command that has to succeed; gives what it said.
fn run(project: &Path, words: &[&str]) -> String {
    let output = lineal(project, words);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "lineal {}:\n{said}\n{}", words.join(" "), String::from_utf8_lossy(&output.stderr));
    said
}

#[test]
fn the_jaffle_shop_builds_again_and_again() {
    let (_scratch, project) = fresh("examples/jaffle_shop");
    let rows = |project: &Path| run(project, &["show", "-q", "--inline", "select count(*) as n from {{ ref('orders') }}"]);
    for words in [&["build"][..], &["build"], &["build", "--full-refresh"], &["build", "--threads", "1"]] {
        let said = run(&project, words);
        assert!(said.contains("ERROR=0") && said.contains("WARN=0") && said.contains("SKIP=0"), "{said}");
    }
    let first = rows(&project);
    run(&project, &["run"]);
    assert_eq!(rows(&project), first, "an incremental model grew without new rows");
}

#[test]
fn the_quickstart_builds_without_a_profile_of_the_machine() {
    let (_scratch, project) = fresh("examples/quickstart");
    let said = run(&project, &["build"]);
    assert!(said.contains("ERROR=0"), "{said}");
}

#[test]
fn the_models_over_the_history_build_on_a_real_history() {
    let (_shop, shop) = fresh("examples/quickstart");
    run(&shop, &["build"]);
    run(&shop, &["test"]);
    let (_history, project) = fresh("models");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let models = project.join("models");
    std::fs::create_dir_all(&models).expect("a folder");
    copy(&root.join("models"), &models);
    std::fs::copy(root.join("dbt_project.yml"), project.join("dbt_project.yml")).expect("its project file is at the root");
    let vars = format!("{{history_path: '{}'}}", shop.join("logs/history").display());
    let said = run(&project, &["build", "--vars", &vars]);
    assert!(said.contains("ERROR=0"), "{said}");
    // And with no history at all.
    let nothing = format!("{{history_path: '{}'}}", project.join("nowhere").display());
    run(&project, &["build", "--full-refresh", "--vars", &nothing]);
}
