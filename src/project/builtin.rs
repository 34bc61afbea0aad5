//! The macro library that the binary carries: each folder of `macros/` is a package, named as dbt names it.

use std::path::PathBuf;
use std::sync::Arc;

use include_dir::{Dir, include_dir};

use super::{FileKind, Package, ProjectConfig, SourceFile};
use crate::diagnostic::SourceText;
use crate::manifest::Checksum;

static LIBRARY: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/macros");

/// The names of the built-in packages that an adapter's macros come from, in the order in which names are looked up.
pub fn namespaces(adapter: &str) -> Vec<String> {
    let own = format!("dbt_{adapter}");
    let base = "dbt".to_owned();
    if LIBRARY.get_dir(&own).is_some() { vec![own, base] } else { vec![base] }
}

/// `dbt` and the adapter's package.
pub(super) fn packages(adapter: &str) -> Vec<Arc<Package>> {
    namespaces(adapter).iter().rev().map(|name| Arc::new(package(name))).collect()
}

fn package(name: &str) -> Package {
    let mut files = Vec::new();
    if let Some(folder) = LIBRARY.get_dir(name) {
        collect(folder, name, &mut files);
    }
    files.sort_by(|left: &Arc<SourceFile>, right| left.original_path.cmp(&right.original_path));
    let paths = |path: &str| vec![path.to_owned()];
    let config = ProjectConfig {
        name: name.to_owned(),
        macro_paths: paths("macros"),
        test_paths: paths("tests"),
        docs_paths: Some(paths("docs")),
        ..ProjectConfig::default()
    };
    Package { name: name.into(), root: PathBuf::new(), builtin: true, config, files }
}

fn collect(folder: &'static Dir<'static>, package: &str, files: &mut Vec<Arc<SourceFile>>) {
    for inner in folder.dirs() {
        collect(inner, package, files);
    }
    for file in folder.files() {
        let (Some(path), Some(text)) = (file.path().to_str(), file.contents_utf8()) else { continue };
        let path = path.replace('\\', "/");
        let Some(inner) = path.strip_prefix(package).map(|inner| inner.trim_start_matches('/')) else { continue };
        let Some((kind, search_path)) = kind(inner) else { continue };
        let within = inner.strip_prefix(search_path).map_or(inner, |rest| rest.trim_start_matches('/'));
        files.push(Arc::new(SourceFile {
            kind,
            original_path: format!("{search_path}/{within}").into(),
            path: within.into(),
            search_path: search_path.into(),
            source: SourceText::new(format!("<{package}>/{search_path}/{within}"), text),
            // Nothing compares built-in files: hashing them would be a fifth of the start-up.
            checksum: Checksum::default(),
            modified: None,
        }));
    }
}

/// A package may keep its macros right in its folder, or in `macros/`, `tests/generic/` and `docs/` as projects do.
fn kind(inner: &str) -> Option<(FileKind, &'static str)> {
    let (_, ending) = inner.rsplit_once('.')?;
    match ending {
        "sql" if inner.starts_with("tests/generic/") => Some((FileKind::GenericTest, "tests/generic")),
        "sql" => Some((FileKind::Macro, "macros")),
        "md" if inner.starts_with("docs/") => Some((FileKind::Docs, "docs")),
        "yml" if inner != "dbt_project.yml" => Some((FileKind::Properties, "macros")),
        _ => None,
    }
}
