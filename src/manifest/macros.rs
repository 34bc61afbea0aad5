//! Macros of all packages, and docs blocks: what the Jinja engine looks names up in.

use std::sync::Arc;

use indexmap::IndexMap;

use super::{JsonMap, MacroArgument, UniqueId};
use crate::diagnostic::{SourceText, Span};

/// What kind of block defined a macro. The last two become macros named `test_<name>` and `materialization_<name>_<adapter>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MacroKind {
    Macro,
    Test,
    Materialization { adapter: String, supported_languages: Vec<String> },
}

/// One macro, generic test or materialization.
#[derive(Debug, Clone)]
pub struct Macro {
    /// `macro.<package>.<name>`, with the block kind's prefix in the name.
    pub unique_id: UniqueId,
    pub package_name: Arc<str>,
    /// As it is called: `foo`, `test_foo`, `materialization_table_default`.
    pub name: String,
    pub kind: MacroKind,
    /// Relative to the package (`macros/x.sql`), as `original_file_path` and `path`.
    pub original_file_path: Arc<str>,
    /// The whole file, and the block's place in it, tags included.
    pub source: SourceText,
    pub span: Span,
    /// From the signature.
    pub signature: Vec<MacroArgument>,
    /// Macros it calls, found statically; as in dbt's `depends_on.macros`.
    pub depends_on: Vec<UniqueId>,
    pub description: String,
    pub meta: JsonMap,
    pub docs: super::Docs,
    pub config: super::Config,
    pub patch_path: Option<String>,
    pub arguments: Vec<MacroArgument>,
    pub created_at: f64,
}

impl Macro {
    /// The block's text, tags included: dbt's `macro_sql`.
    pub fn macro_sql(&self) -> &str {
        &self.source.text[self.span.start..self.span.end]
    }
}

/// All macros by package and name; a later definition of the same name in one package is an error found by parse.
#[derive(Debug, Default, Clone)]
pub struct MacroRegistry {
    /// The root project's name.
    pub root: Arc<str>,
    /// Built-in namespaces in the order a plain name is looked up after root and the current package: e.g. `dbt_duckdb`, `dbt`.
    pub internal: Vec<Arc<str>>,
    pub packages: IndexMap<Arc<str>, IndexMap<String, Arc<Macro>>>,
}

impl MacroRegistry {
    pub fn in_package(&self, package: &str, name: &str) -> Option<&Arc<Macro>> {
        self.packages.get(package)?.get(name)
    }

    pub fn by_id(&self, id: &str) -> Option<&Arc<Macro>> {
        let mut parts = id.splitn(3, '.');
        let (_, package, name) = (parts.next()?, parts.next()?, parts.next()?);
        self.in_package(package, name)
    }

    /// A plain name as code of `package` sees it: the package itself, then the root project, then the built-in
    /// namespaces. (dbt: `MacroResolver`/`MacroNamespace`; for the root's code the root comes first, and so on.)
    pub fn find(&self, package: &str, name: &str) -> Option<&Arc<Macro>> {
        self.in_package(package, name)
            .or_else(|| self.in_package(&self.root, name))
            .or_else(|| self.internal.iter().find_map(|internal| self.in_package(internal, name)))
    }

    /// The macro that `run-operation` means: of the package that is named, else the root project's, a package's, a built-in one.
    pub fn operation(&self, package: Option<&str>, name: &str) -> Option<&Arc<Macro>> {
        if let Some(package) = package {
            return self.in_package(package, name);
        }
        let imported = || {
            let mut others = self.packages.iter().rev().filter(|(package, _)| !self.internal.contains(*package));
            others.find_map(|(_, macros)| macros.get(name))
        };
        self.in_package(&self.root, name)
            .or_else(imported)
            .or_else(|| self.internal.iter().find_map(|internal| self.in_package(internal, name)))
    }

    /// Do microbatch models run batch by batch? Always, unless the project or a package has the strategy's macro itself and
    /// the flag `require_batched_execution_for_custom_microbatch_strategy` is off.
    pub fn runs_in_batches(&self, flags: &super::JsonMap) -> bool {
        let required = flags.get("require_batched_execution_for_custom_microbatch_strategy");
        let own = |package: &Arc<str>| {
            !self.internal.contains(package) && self.in_package(package, "get_incremental_microbatch_sql").is_some()
        };
        required.and_then(serde_json::Value::as_bool).unwrap_or(true) || !self.packages.keys().any(own)
    }

    pub fn all(&self) -> impl Iterator<Item = &Arc<Macro>> {
        self.packages.values().flat_map(IndexMap::values)
    }
}

/// `{% docs name %}…{% enddocs %}`.
#[derive(Debug, Clone)]
pub struct DocBlock {
    /// `doc.<package>.<name>`.
    pub unique_id: UniqueId,
    pub name: String,
    pub package_name: Arc<str>,
    pub path: String,
    pub original_file_path: Arc<str>,
    pub block_contents: String,
}
