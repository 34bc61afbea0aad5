//! Parse: source files become drafts of nodes, by capture-rendering their Jinja and reading property files.
//! Never touches the warehouse; merges no configuration and resolves no reference.

mod calls;
mod capture;
mod docs;
mod drafts;
mod expression;
mod expression_reader;
mod generic_tests;
mod host;
mod macros;
mod parse_adapter;
mod properties;
mod property_keys;
mod property_tests;
pub mod python;
mod python_model;
mod python_tokens;
mod source_overrides;
mod static_model;
mod test_names;
mod test_namespace;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use indexmap::{IndexMap, IndexSet};
use rayon::prelude::*;

use crate::diagnostic::{Diagnostic, SourceText, Span};
use crate::jinja::{Engine, Message, Template};
use crate::manifest::{DocBlock, JsonMap, Language, MacroRegistry, RefCall, Relation, ResourceType, UniqueId, VersionText};
use crate::project::{FileKind, Package, Project, SourceFile};
use crate::yaml::Yaml;

pub use capture::Captures;
use macros::MacroResolver;
use properties::PropertyFile;
pub use static_model::unrendered_config;

/// What a render at parse time asked for: dbt's capture of `ref`, `source`, `config` …
#[derive(Debug, Clone, Default)]
pub struct Capture {
    pub refs: Vec<RefCall>,
    pub sources: Vec<(String, String)>,
    pub metrics: Vec<Vec<String>>,
    pub functions: Vec<Vec<String>>,
    /// `config(…)` calls in order, keywords as JSON (`pre_hook` and `post_hook` spelled `pre-hook`, `post-hook`). A generic
    /// test's begin with its [`TestDraft::config`], as in dbt: nothing of it has to be added again.
    pub config_calls: Vec<JsonMap>,
    /// The same calls as written (`"{{ var('x') }}"`-like source text of each value), for unrendered_config.
    pub unrendered_config_calls: Vec<JsonMap>,
    /// A model that dbt's static parser reads: what it configures itself counts last in `unrendered_config`.
    pub read_statically: bool,
    /// Macros called from the text itself (depth 0).
    pub macros: IndexSet<UniqueId>,
    pub reads: Reads,
    /// `log`, `print` and `exceptions.warn` of this render, in order.
    pub messages: Vec<Message>,
}

/// What a parse depended on besides its own text: what a cache must compare.
#[derive(Debug, Clone, Default)]
pub struct Reads {
    pub vars: IndexSet<String>,
    pub env_vars: IndexSet<String>,
    /// Read the clock, invocation_id, flags or target: never to be cached.
    pub volatile: bool,
}

/// A node before its configuration and names are known.
#[derive(Debug, Clone)]
pub struct Draft {
    /// dbt's id; of a versioned model still without its `.v1`. A generic test's ends in a hash of its arguments.
    pub unique_id: UniqueId,
    pub resource_type: ResourceType,
    pub name: String,
    pub package: Arc<Package>,
    /// The file it stands in; for a generic test the property file.
    pub file: Arc<SourceFile>,
    /// Its text in that file: the block's body for a snapshot block; whole file for most.
    pub span: Span,
    pub fqn: Vec<String>,
    pub path: String,
    pub original_file_path: String,
    pub raw_code: Arc<str>,
    pub language: Language,
    pub capture: Capture,
    /// Generic tests only.
    pub test: Option<TestDraft>,
    /// on-run-start / on-run-end only: (hook, index), name is `<project>-<hook>-<index>`.
    pub operation: Option<(&'static str, usize)>,
}

/// A generic test as a property file asks for it.
#[derive(Debug, Clone)]
pub struct TestDraft {
    /// `not_null`; with the package it was called by in `namespace`.
    pub test_name: String,
    pub namespace: Option<String>,
    /// As in `test_metadata.kwargs`, with `model` and `column_name`.
    pub kwargs: JsonMap,
    /// `config:` of the test and the config keys that stood beside its arguments.
    pub config: JsonMap,
    pub unrendered_config: JsonMap,
    pub description: String,
    /// The node's first tags, sorted: the column's, a source's and its table's, and the test's own.
    pub tags: Vec<String>,
    pub column_name: Option<String>,
    /// `models`, `sources`, `seeds`, `snapshots`; the entry's name (sources: source and table); its version.
    pub target: TestTarget,
    /// The alias that goes with a shortened name.
    pub alias: Option<String>,
    pub file_key_name: String,
    /// Where the test was written.
    pub place: (SourceText, Span),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestTarget {
    /// A model, seed, snapshot or analysis of the test's own package.
    Node {
        section: &'static str,
        name: String,
        version: Option<VersionText>,
    },
    Source {
        source: String,
        table: String,
    },
}

/// One entry of one section of a property file, rendered where dbt renders it.
#[derive(Debug, Clone)]
pub struct Property {
    /// `models`, `seeds`, `snapshots`, `analyses`, `sources`, `macros`, `exposures`, `metrics`, `semantic_models`,
    /// `saved_queries`, `groups`, `unit_tests`, `functions`, `data_tests`.
    pub section: &'static str,
    pub package: Arc<Package>,
    pub file: Arc<SourceFile>,
    pub entry: Yaml,
    /// Before rendering.
    pub unrendered: Yaml,
}

/// All that parsing found.
pub struct Parsed {
    pub engine: Arc<Engine>,
    pub macros: Arc<MacroRegistry>,
    pub docs: IndexMap<UniqueId, Arc<DocBlock>>,
    pub drafts: Vec<Draft>,
    pub properties: Vec<Property>,
    /// What was logged and printed while rendering, with the node it came from. `exceptions.warn` became diagnostics.
    pub messages: Vec<(UniqueId, Message)>,
    /// For texts found while resolving: cheaper than [`capture`] for many of them.
    pub captures: Arc<Captures>,
}

/// Whose code a capture renders: what `this`, `model` and the lookup of names depend on.
#[derive(Debug, Clone)]
pub struct CaptureNode {
    pub unique_id: UniqueId,
    pub resource_type: ResourceType,
    pub name: String,
    pub package: Arc<Package>,
    pub fqn: Vec<String>,
    pub path: String,
    pub original_file_path: String,
    pub raw_code: Arc<str>,
    pub language: Language,
    /// `this`, and what `ref` and `source` answer; None for operations.
    pub relation: Option<Relation>,
}

/// Renders a text at parse time for what it asks for; its output is thrown away. For texts found while resolving: hooks.
/// Err is the render's error with its whole trace.
pub fn capture(project: &Arc<Project>, engine: &Arc<Engine>, node: &CaptureNode, text: &Template) -> Result<Capture, Diagnostic> {
    match Captures::new(project, engine).render(node, text) {
        (capture, None) => Ok(capture),
        (_, Some(problem)) => Err(problem),
    }
}

/// The same for an expression as property files hold it (`ref('x')` under an exposure's `depends_on`); errors point at `place`.
pub fn capture_expression(
    project: &Arc<Project>,
    engine: &Arc<Engine>,
    node: &CaptureNode,
    expression: &str,
    place: (&SourceText, Span),
) -> Result<Capture, Diagnostic> {
    Captures::new(project, engine).expression(node, expression, place)
}

/// Parses all files of all packages, in parallel. One bad file never hides the others: what could be read is always given.
pub fn parse(project: &Arc<Project>) -> (Option<Parsed>, Vec<Diagnostic>) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
    let (macros, mut diagnostics) = macros::registry(project, now);
    let macros = Arc::new(macros);
    let engine = Arc::new(Engine::new(macros.clone()));
    let captures = Arc::new(Captures::new(project, &engine));
    let resolver = MacroResolver::new(macros.clone());
    let (docs, problems) = docs::blocks(project, &engine);
    diagnostics.extend(problems);

    let files: Vec<(&Arc<Package>, &Arc<SourceFile>)> =
        project.packages.iter().flat_map(|package| package.files.iter().map(move |file| (package, file))).collect();
    let read: Vec<PropertyFile> = files
        .par_iter()
        .map(|(package, file)| {
            if file.kind == FileKind::Properties {
                return properties::of_file(&captures, &resolver, package, file);
            }
            let (drafts, diagnostics) = drafts::of_file(&captures, package, file);
            PropertyFile { drafts, diagnostics, ..PropertyFile::default() }
        })
        .collect();
    let (mut drafts, mut tests, mut properties) = (Vec::new(), Vec::new(), Vec::new());
    for file in read {
        diagnostics.extend(file.diagnostics);
        properties.extend(file.properties);
        let (found, other): (Vec<Draft>, Vec<Draft>) = file.drafts.into_iter().partition(|draft| draft.test.is_some());
        tests.extend(found);
        drafts.extend(other);
    }
    source_overrides::retest(&captures, &resolver, &properties, &mut tests, &mut diagnostics);
    for package in &project.packages {
        let (operations, problems) = drafts::operations(&captures, package);
        drafts.extend(operations);
        diagnostics.extend(problems);
    }
    drafts.extend(tests);
    let messages = messages(&mut drafts, &mut diagnostics);
    (Some(Parsed { engine, macros, docs, drafts, properties, messages, captures }), diagnostics)
}

/// Takes what the renders said out of the drafts; warnings become diagnostics.
fn messages(drafts: &mut [Draft], diagnostics: &mut Vec<Diagnostic>) -> Vec<(UniqueId, Message)> {
    let mut said = Vec::new();
    for draft in drafts {
        for message in std::mem::take(&mut draft.capture.messages) {
            if let Message::Warn(text) = message {
                let place = draft.test.as_ref().map_or((&draft.file.source, draft.span), |test| (&test.place.0, test.place.1));
                let first = Span::new(place.1.start, place.1.start);
                let warning = Diagnostic::warning("W0304", text).at(place.0, first).event("JinjaLogWarning");
                diagnostics.push(warning.node(draft.unique_id.shared()));
            } else {
                said.push((draft.unique_id.clone(), message));
            }
        }
    }
    said
}
