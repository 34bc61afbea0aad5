//! Rules about the code that no compiler checks: which module may import which.

use std::collections::BTreeMap;
use std::path::Path;

use regex::Regex;

/// Each module and what it may import. Nouns import diagnostic, fs and, where listed, other nouns; phases come in the
/// order of ARCHITECTURE.md.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("diagnostic", &[]),
    ("fs", &[]),
    ("text", &[]),
    ("yaml", &["diagnostic"]),
    ("manifest", &["diagnostic"]),
    ("agate", &["diagnostic"]),
    ("sql", &["diagnostic", "manifest"]),
    ("adapter", &["agate", "manifest", "diagnostic", "fs"]),
    ("event", &["agate", "diagnostic", "manifest"]),
    ("jinja", &["adapter", "agate", "diagnostic", "fs", "manifest", "yaml"]),
    ("artifacts", &["agate", "diagnostic", "event", "fs", "manifest", "yaml"]),
    ("semantic", &["artifacts", "diagnostic", "jinja", "manifest", "sql", "text"]),
    ("project", &["artifacts", "diagnostic", "fs", "jinja", "manifest", "yaml"]),
    ("parse", &["artifacts", "agate", "diagnostic", "fs", "jinja", "manifest", "project", "yaml"]),
    ("resolve", &["artifacts", "diagnostic", "fs", "jinja", "manifest", "parse", "project", "semantic", "yaml"]),
    ("graph", &["artifacts", "diagnostic", "manifest", "project", "yaml"]),
    ("plan", &["diagnostic", "graph", "manifest"]),
    ("compile", &["adapter", "agate", "artifacts", "diagnostic", "event", "fs", "jinja", "manifest", "project"]),
    ("execute", &["agate", "artifacts", "compile", "diagnostic", "event", "jinja", "manifest", "plan", "project", "text"]),
    ("report", &["agate", "artifacts", "diagnostic", "event", "fs", "manifest", "text"]),
    ("docs", &["artifacts", "diagnostic", "event", "fs", "manifest", "project", "text"]),
    (
        "invocation",
        &[
            "adapter",
            "agate",
            "artifacts",
            "cli",
            "compile",
            "diagnostic",
            "docs",
            "event",
            "execute",
            "fs",
            "graph",
            "jinja",
            "manifest",
            "parse",
            "plan",
            "project",
            "report",
            "resolve",
            "semantic",
            "text",
            "yaml",
        ],
    ),
    ("cli", &["diagnostic", "fs", "invocation", "manifest", "project", "yaml"]),
];

#[test]
fn imports_point_one_way() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    let import = Regex::new(r"\bcrate::(\w+)").expect("a pattern");
    let mut wrong = Vec::new();
    for (module, path, text) in sources() {
        let Some(allowed) = allowed.get(module.as_str()) else {
            if !["lib", "main"].contains(&module.as_str()) {
                wrong.push(format!("{path}: the module `{module}` is not in the table"));
            }
            continue;
        };
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            for found in import.captures_iter(line) {
                if found[1] != module && !allowed.contains(&&found[1]) {
                    wrong.push(format!("{path}:{}: `{module}` may not import `{}`", number + 1, &found[1]));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_one_module_knows_each_engine() {
    let mut wrong = Vec::new();
    for (crate_name, owner) in
        [("minijinja", "jinja"), ("sqlparser", "sql"), ("duckdb::", "adapter"), ("petgraph", "graph"), ("clap", "cli")]
    {
        for (module, path, text) in sources() {
            let uses = text.lines().any(|line| {
                let line = line.trim_start();
                !line.starts_with("//")
                    && (line.starts_with(&format!("use {crate_name}")) || line.contains(&format!(" {crate_name}::")))
            });
            if uses && module != owner {
                wrong.push(format!("{path} uses {crate_name}, which only `{owner}` may"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every Rust file below src: the top module it belongs to, its path, its text.
fn sources() -> Vec<(String, String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = walkdir::WalkDir::new(&root).sort_by_file_name().into_iter().filter_map(Result::ok);
    files
        .filter(|entry| !entry.path().components().any(|part| part.as_os_str() == "tests"))
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "rs"))
        .map(|entry| {
            let relative = entry.path().strip_prefix(&root).expect("below src").to_string_lossy().replace('\\', "/");
            let module = relative.split(['/', '.']).next().unwrap_or_default().to_owned();
            let text = std::fs::read_to_string(entry.path()).expect("a source file");
            (module, format!("src/{relative}"), text)
        })
        .collect()
}
