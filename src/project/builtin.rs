//! The macro library that the binary carries: each folder of `macros/` is a package, named as dbt names it.

use std::path::PathBuf;
use std::sync::Arc;

use super::{FileKind, Package, ProjectConfig, SourceFile};
use crate::diagnostic::{SourceText, Span};
use crate::jinja::{Block, BlockKind, StaticCall};
use crate::manifest::{Checksum, MacroArgument};

/// The files of `macros/`, in the order of their paths, as the build script read them.
static LIBRARY: &[LibraryFile] = include!(concat!(env!("OUT_DIR"), "/library.rs"));

struct LibraryFile {
    /// The folder right below `macros/`.
    package: &'static str,
    /// Below the package's folder, with `/`.
    path: &'static str,
    text: &'static str,
    blocks: &'static [LibraryBlock],
}

/// A macro, test or materialization of the library, read when lineal was built.
#[derive(Debug)]
pub struct LibraryBlock {
    name: &'static str,
    kind: LibraryKind,
    span: (usize, usize),
    body: (usize, usize),
    /// Package, name, whether dispatched.
    calls: &'static [(Option<&'static str>, &'static str, bool)],
}

#[derive(Debug)]
enum LibraryKind {
    Macro(&'static [(&'static str, Option<&'static str>)]),
    Test(&'static [(&'static str, Option<&'static str>)]),
    Materialization { adapter: &'static str, supported_languages: &'static [&'static str] },
}

impl LibraryBlock {
    /// As `jinja::blocks` finds it in the file's text.
    pub fn block(&self) -> Block {
        let signature = |arguments: &[(&str, Option<&str>)]| {
            let argument = |(name, kind): &(&str, Option<&str>)| MacroArgument {
                name: (*name).to_owned(),
                kind: kind.map(str::to_owned),
                description: String::new(),
            };
            arguments.iter().map(argument).collect()
        };
        let kind = match self.kind {
            LibraryKind::Macro(arguments) => BlockKind::Macro { signature: signature(arguments) },
            LibraryKind::Test(arguments) => BlockKind::Test { signature: signature(arguments) },
            LibraryKind::Materialization { adapter, supported_languages } => BlockKind::Materialization {
                adapter: adapter.to_owned(),
                supported_languages: supported_languages.iter().map(|language| (*language).to_owned()).collect(),
            },
        };
        let (span, body) = (Span::new(self.span.0, self.span.1), Span::new(self.body.0, self.body.1));
        Block { kind, name: self.name.to_owned(), span, body }
    }

    /// As `jinja::macro_calls` finds them in the block's text.
    pub fn calls(&self) -> Vec<StaticCall> {
        let call = |(package, name, dispatch): &(Option<&str>, &str, bool)| StaticCall {
            package: package.map(str::to_owned),
            name: (*name).to_owned(),
            dispatch: *dispatch,
        };
        self.calls.iter().map(call).collect()
    }
}

/// The names of the built-in packages that an adapter's macros come from, in the order in which names are looked up.
pub fn namespaces(adapter: &str) -> Vec<String> {
    let own = format!("dbt_{adapter}");
    let base = "dbt".to_owned();
    if LIBRARY.iter().any(|file| file.package == own) { vec![own, base] } else { vec![base] }
}

/// `dbt` and the adapter's package.
pub(super) fn packages(adapter: &str) -> Vec<Arc<Package>> {
    namespaces(adapter).iter().rev().map(|name| Arc::new(package(name))).collect()
}

fn package(name: &str) -> Package {
    let mut files: Vec<Arc<SourceFile>> =
        LIBRARY.iter().filter(|file| file.package == name).filter_map(LibraryFile::source_file).collect();
    files.sort_by(|left, right| left.original_path.cmp(&right.original_path));
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

impl LibraryFile {
    /// None for a file that is no part of a project.
    fn source_file(&self) -> Option<Arc<SourceFile>> {
        let (kind, search_path) = kind(self.path)?;
        let within = self.path.strip_prefix(search_path).map_or(self.path, |rest| rest.trim_start_matches('/'));
        Some(Arc::new(SourceFile {
            kind,
            original_path: format!("{search_path}/{within}").into(),
            path: within.into(),
            search_path: search_path.into(),
            source: SourceText::new(format!("<{}>/{search_path}/{within}", self.package), self.text),
            // Nothing compares built-in files: hashing them would be a fifth of the start-up.
            checksum: Checksum::default(),
            modified: None,
            library: Some(self.blocks),
        }))
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
