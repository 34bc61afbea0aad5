//! A draft and its property-file entry become a node.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, SourceText, Span};
use crate::jinja::{Engine, Template};
use crate::manifest::{
    Checksum, Config, Contract, DependsOn, Detail, Docs, Json, JsonMap, Language, ModelDetail, Node, RefCall, ResourceType,
    TestDetail, TestMetadata, UniqueId,
};
use crate::parse::{Capture, CaptureNode, Draft, capture};
use crate::project::Project;

use super::config::{self, ConfigTrees, Given};
use super::names::Names;
use super::patch::Patch;
use super::{columns, constraints, nearest};

/// What resolving every node shares.
pub struct Shared<'a> {
    pub project: &'a Arc<Project>,
    pub engine: Arc<Engine>,
    pub trees: ConfigTrees,
    pub names: Names,
    pub created_at: f64,
    /// `--store-failures`.
    pub store_failures: bool,
    /// The flag `state_modified_compare_more_unrendered_values`.
    pub more_unrendered: bool,
}

impl<'a> Shared<'a> {
    pub fn new(project: &'a Arc<Project>, engine: &Arc<Engine>) -> Self {
        let flag = |name: &str, default: bool| project.flags.get(name).and_then(Json::as_bool).unwrap_or(default);
        Self {
            project,
            engine: engine.clone(),
            trees: ConfigTrees::new(project),
            names: Names::new(project, &engine.macros),
            created_at: super::now(),
            store_failures: flag("store_failures", false),
            more_unrendered: flag("state_modified_compare_more_unrendered_values", true),
        }
    }

    pub fn flag(&self, name: &str) -> bool {
        self.project.flags.get(name).and_then(Json::as_bool).unwrap_or(false)
    }
}

/// A node as far as it alone decides, and what to tell of it.
pub struct Built {
    pub node: Node,
    pub diagnostics: Vec<Diagnostic>,
}

/// Config merged, names made, properties applied, hooks captured. References are followed later.
pub fn build(shared: &Shared<'_>, draft: &Draft, patch: Option<&Patch>) -> Built {
    let mut diagnostics = Vec::new();
    let (calls, faults) = config::merge_calls(&draft.capture.config_calls);
    report(draft, patch, &faults, &mut diagnostics);
    let patched = patch_config(draft, patch);
    let fqn = fqn(draft, patch);
    let kind = draft.resource_type;
    let levels = shared.trees.rendered(&draft.package.name, kind, &fqn);
    let tags = tags(draft, &levels, patched.as_ref(), &calls);
    let merged = config::merge(&Given { kind, levels, patch: patched.as_ref(), calls: &calls });
    report(draft, patch, &merged.faults, &mut diagnostics);
    let mut unrendered_config = unrendered(shared, draft, patch, &fqn, patched.as_ref(), &calls);
    if draft.capture.read_statically && patch.is_none_or(|patch| patch.config.is_empty()) {
        // Even over the root project's tree: dbt adds what it read so after all else, and begins anew for a property file's.
        unrendered_config.extend(calls.clone());
    }

    let mut node = bare(draft, patch, fqn, merged.config, shared.created_at);
    node.tags = tags;
    node.unrendered_config = unrendered_config;
    node.config_call_dict = calls;
    node.unrendered_config_call_dict = unrendered_calls(draft);
    from_config(&mut node);
    if let Some(patch) = patch {
        properties(&mut node, patch, &mut diagnostics);
    }
    // Names come after the version, which is part of them; constraints after the hooks, whose references come first.
    diagnostics.extend(shared.names.apply(&shared.engine, &mut node, &merged.naming, shared.store_failures));
    if kind != ResourceType::Test {
        hooks(shared, draft, &mut node, &mut diagnostics);
    }
    if let Some(patch) = patch.filter(|_| kind == ResourceType::Model) {
        constraints::apply(&mut node, patch, &mut diagnostics);
    }
    Built { node, diagnostics }
}

/// A Python model is a table unless its property file says otherwise.
fn patch_config(draft: &Draft, patch: Option<&Patch>) -> Option<JsonMap> {
    let mut config = patch.map(|patch| patch.config.clone());
    if draft.resource_type == ResourceType::Model && draft.language == Language::Python {
        config.get_or_insert_default().entry("materialized").or_insert_with(|| "table".into());
    }
    config
}

fn version_suffix(patch: Option<&Patch>) -> Option<String> {
    patch.and_then(|patch| patch.version.as_ref()).map(|version| format!("v{}", version.version.text))
}

fn fqn(draft: &Draft, patch: Option<&Patch>) -> Vec<String> {
    let mut fqn = draft.fqn.clone();
    if let (Some(suffix), Some(patch)) = (version_suffix(patch), patch) {
        fqn.pop();
        fqn.push(patch.name.clone());
        fqn.push(suffix);
    }
    fqn
}

/// The node's tags in dbt's order: a test's own or an operation's moment, then those that apply without the property file,
/// then the latter's.
fn tags(draft: &Draft, levels: &config::Levels<'_>, patch: Option<&JsonMap>, calls: &JsonMap) -> Vec<String> {
    let mut tags = draft.test.as_ref().map(|test| test.tags.clone()).unwrap_or_default();
    // An operation is tagged with its moment, which is how the hooks of a run find it.
    tags.extend(draft.operation.map(|(hook, _)| hook.to_owned()));
    let parts = levels.own.iter().copied().chain(std::iter::once(calls)).chain(levels.root.iter().copied()).chain(patch);
    for given in parts.filter_map(|part| part.get("tags")) {
        let given: Vec<&str> = match given {
            Json::Array(items) => items.iter().filter_map(Json::as_str).collect(),
            other => other.as_str().into_iter().collect(),
        };
        for tag in given {
            if !tags.iter().any(|known| known == tag) {
                tags.push(tag.to_owned());
            }
        }
    }
    tags
}

fn unrendered_calls(draft: &Draft) -> JsonMap {
    draft.capture.unrendered_config_calls.iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn unrendered(
    shared: &Shared<'_>,
    draft: &Draft,
    patch: Option<&Patch>,
    fqn: &[String],
    patched: Option<&JsonMap>,
    calls: &JsonMap,
) -> JsonMap {
    let levels = shared.trees.written(&draft.package.name, draft.resource_type, fqn);
    if !shared.more_unrendered {
        return config::unrendered(&levels, patched, calls);
    }
    let mut written = patched.cloned();
    // Singular tests have no section of their own in dbt's record of what was written.
    if let Some(patch) = patch.filter(|patch| patch.section != "data_tests") {
        super::patch::deep_merge(written.get_or_insert_default(), &patch.unrendered);
    }
    let as_written = unrendered_calls(draft);
    let calls = if as_written.is_empty() { calls } else { &as_written };
    config::unrendered(&levels, written.as_ref(), calls)
}

/// The node with what its draft says.
fn bare(draft: &Draft, patch: Option<&Patch>, fqn: Vec<String>, config: Config, created_at: f64) -> Node {
    let unique_id = match (version_suffix(patch), patch) {
        (Some(suffix), Some(patch)) => UniqueId::from(format!("model.{}.{}.{suffix}", draft.package.name, patch.name)),
        _ => draft.unique_id.clone(),
    };
    let checksum = if draft.test.is_some() { no_checksum() } else { draft.file.checksum.clone() };
    Node {
        unique_id,
        resource_type: draft.resource_type,
        name: patch.map_or_else(|| draft.name.clone(), |patch| patch.name.clone()),
        package_name: draft.package.name.clone(),
        path: draft.path.clone(),
        original_file_path: draft.original_file_path.clone(),
        fqn,
        database: None,
        schema: String::new(),
        alias: String::new(),
        relation_name: None,
        checksum,
        config,
        unrendered_config: JsonMap::new(),
        config_call_dict: JsonMap::new(),
        unrendered_config_call_dict: JsonMap::new(),
        tags: Vec::new(),
        description: draft.test.as_ref().map(|test| test.description.clone()).unwrap_or_default(),
        columns: indexmap::IndexMap::new(),
        meta: JsonMap::new(),
        group: None,
        docs: Docs::default(),
        doc_blocks: Vec::new(),
        patch_path: None,
        created_at,
        raw_code: draft.raw_code.clone(),
        language: draft.language,
        refs: draft.capture.refs.clone(),
        sources: draft.capture.sources.clone(),
        metrics: draft.capture.metrics.clone(),
        functions: draft.capture.functions.clone(),
        depends_on: DependsOn { macros: draft.capture.macros.iter().cloned().collect(), nodes: Vec::new() },
        contract: Contract::default(),
        detail: detail(draft),
        source_offset: draft.span.start,
    }
}

fn no_checksum() -> Checksum {
    Checksum { name: "none", checksum: String::new() }
}

fn detail(draft: &Draft) -> Detail {
    match draft.resource_type {
        ResourceType::Seed => Detail::Seed { root_path: draft.package.root.to_string_lossy().into_owned(), delimiter: None },
        ResourceType::Snapshot => Detail::Snapshot,
        ResourceType::Analysis => Detail::Analysis,
        ResourceType::Test => Detail::Test(TestDetail {
            metadata: draft.test.as_ref().map(|test| TestMetadata {
                name: test.test_name.clone(),
                kwargs: test.kwargs.clone(),
                namespace: test.namespace.clone(),
            }),
            column_name: draft.test.as_ref().and_then(|test| test.column_name.clone()),
            file_key_name: draft.test.as_ref().map(|test| test.file_key_name.clone()),
            attached_node: None,
        }),
        ResourceType::Operation => Detail::Operation { index: draft.operation.map_or(0, |(_, index)| index) },
        ResourceType::SqlOperation => Detail::SqlOperation,
        ResourceType::Function => Detail::Function(JsonMap::new()),
        _ => Detail::Model(ModelDetail { access: "protected".to_owned(), ..ModelDetail::default() }),
    }
}

/// A date as dbt reads a microbatch model's `begin`: as a time, in ISO form.
fn written_as_time(text: &str) -> Option<String> {
    let day = chrono::NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d");
    day.map_or_else(
        |_| crate::manifest::moment(text).map(|_| text.trim().replacen(' ', "T", 1)),
        |day| Some(format!("{day}T00:00:00")),
    )
}

/// What dbt copies from the config to the node itself.
fn from_config(node: &mut Node) {
    if let Some(meta) = node.config.object("meta") {
        node.meta.clone_from(meta);
    }
    if node.is_microbatch()
        && let Some(begin) = node.config.text("begin").and_then(written_as_time)
    {
        node.config.0.insert("begin".to_owned(), begin.into());
    }
    node.group = node.config.text("group").map(str::to_owned);
    if let Some(docs) = node.config.object("docs") {
        node.docs = Docs {
            show: docs.get("show").and_then(Json::as_bool).unwrap_or(true),
            node_color: docs.get("node_color").and_then(Json::as_str).map(str::to_owned),
        };
    }
    if node.resource_type != ResourceType::Seed
        && let Some(contract) = node.config.object("contract")
    {
        let part = |key: &str, default: bool| contract.get(key).and_then(Json::as_bool).unwrap_or(default);
        node.contract = Contract { enforced: part("enforced", false), alias_types: part("alias_types", true), checksum: None };
    }
    let access = node.config.text("access").map(str::to_owned);
    let delimiter = node.config.text("delimiter").map(str::to_owned);
    match &mut node.detail {
        Detail::Model(model) => model.access = access.unwrap_or_else(|| "protected".to_owned()),
        Detail::Seed { delimiter: own, .. } => *own = delimiter,
        _ => {}
    }
}

/// What a property file says of a node beside its config.
fn properties(node: &mut Node, patch: &Patch, diagnostics: &mut Vec<Diagnostic>) {
    node.patch_path = Some(patch.path());
    node.description = patch.description();
    if node.resource_type == ResourceType::Test {
        return;
    }
    node.columns = columns::columns(patch.columns(), &patch.file, diagnostics);
    match &mut node.detail {
        Detail::Model(model) => {
            model.deprecation_date = patch.deprecation_date().map(|date| super::dates::with_zone(&date));
            if let Some(version) = &patch.version {
                model.version = Some(version.version.clone());
                model.latest_version = Some(version.latest.clone());
            } else {
                model.time_spine = super::time_spine::read(patch, diagnostics);
            }
        }
        Detail::Function(body) => *body = super::functions::body(patch, diagnostics),
        _ => {}
    }
}

/// Captures what hooks refer to: their refs count as the node's own.
fn hooks(shared: &Shared<'_>, draft: &Draft, node: &mut Node, diagnostics: &mut Vec<Diagnostic>) {
    let hooks: Vec<String> = ["pre-hook", "post-hook"]
        .into_iter()
        .flat_map(|key| node.config.list(key))
        .filter_map(|hook| hook.get("sql").and_then(Json::as_str))
        .filter(|sql| sql.contains("{{") || sql.contains("{%"))
        .map(str::to_owned)
        .collect();
    if hooks.is_empty() {
        return;
    }
    let whose = CaptureNode {
        unique_id: node.unique_id.clone(),
        resource_type: node.resource_type,
        name: node.name.clone(),
        package: draft.package.clone(),
        fqn: node.fqn.clone(),
        path: node.path.clone(),
        original_file_path: node.original_file_path.clone(),
        raw_code: node.raw_code.clone(),
        language: node.language,
        relation: Some(shared.names.relation(node)),
    };
    for sql in hooks {
        let source = SourceText::new(format!("{} (hook)", node.original_file_path), sql);
        match capture(shared.project, &shared.engine, &whose, &Template::whole(source)) {
            Ok(captured) => add(node, captured),
            Err(diagnostic) => diagnostics.push(diagnostic.node(node.unique_id.shared())),
        }
    }
}

fn add(node: &mut Node, captured: Capture) {
    add_references(node, &captured.refs, &captured.sources, &[]);
    node.metrics.extend(captured.metrics);
    node.functions.extend(captured.functions);
    for id in captured.macros {
        if !node.depends_on.macros.contains(&id) {
            node.depends_on.macros.push(id);
        }
    }
}

/// References that are not the node's own code's, each once.
pub fn add_references(node: &mut Node, refs: &[RefCall], sources: &[(String, String)], functions: &[Vec<String>]) {
    extend_new(&mut node.refs, refs);
    extend_new(&mut node.sources, sources);
    extend_new(&mut node.functions, functions);
}

fn extend_new<T: PartialEq + Clone>(known: &mut Vec<T>, found: &[T]) {
    for one in found {
        if !known.contains(one) {
            known.push(one.clone());
        }
    }
}

/// Faulty config values as diagnostics, at the place that gave them where it is known.
fn report(draft: &Draft, patch: Option<&Patch>, faults: &[config::Fault], diagnostics: &mut Vec<Diagnostic>) {
    for fault in faults {
        let message = format!("Invalid config of {}: `{}`: {}", draft.unique_id, fault.key, fault.message);
        let (source, span) = config_place(draft, patch, &fault.key);
        let diagnostic = Diagnostic::error("E0250", message).at(&source, span).node(draft.unique_id.shared());
        let quoted = fault.message.contains("is not of type 'boolean'");
        diagnostics.push(if quoted { diagnostic.help("write true or false, without quotes") } else { diagnostic });
    }
}

/// Where a config key was given: in the property file, in the file's own `config(…)`, else where the node begins.
fn config_place(draft: &Draft, patch: Option<&Patch>, key: &str) -> (SourceText, Span) {
    if let Some(patch) = patch
        && let Some(span) = patch.config_place(key)
    {
        return (patch.file.source.clone(), span);
    }
    if let Some(test) = &draft.test {
        return test.place.clone();
    }
    let text = &draft.file.source.text;
    let spelled = key.replace('-', "_");
    let within = draft.span.start.min(text.len())..draft.span.end.min(text.len());
    let found = text.get(within).and_then(|body| {
        let call = body.find("config(")?;
        let at = body[call..].find(spelled.as_str())?;
        Some(draft.span.start + call + at)
    });
    let span = found.map_or(Span::new(draft.span.start, draft.span.start), |start| Span::new(start, start + spelled.len()));
    (draft.file.source.clone(), span)
}

/// A warning for a property-file entry that speaks of nothing.
pub fn unknown_patch<'n>(patch: &Patch, known: impl IntoIterator<Item = &'n str>) -> Diagnostic {
    let message = format!(
        "Did not find matching node for patch with name '{}' in the '{}' section of file '{}'",
        patch.name, patch.section, patch.file.original_path
    );
    let mut diagnostic = Diagnostic::warning("W0258", message).event("NoNodeForYamlKey").at(&patch.file.source, patch.place());
    diagnostic.help = nearest::hint(&patch.name, known);
    diagnostic
}
