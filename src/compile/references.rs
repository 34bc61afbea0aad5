//! `ref`, `source`, `function` and `metric` while a node is compiled.

use std::sync::{Arc, PoisonError};

use indexmap::IndexMap;

use super::deferral;
use super::host::{Inner, Scope, required};
use super::metric_reference::MetricReference;
use super::plugins;
use super::run_context::RunContext;
use crate::jinja::{self, Args, Cx, Error, Value, objects};
use crate::manifest::static_call::{self, Named};
use crate::manifest::{ColumnInfo, Config, Json, Node, Relation, RelationType, ResourceType, Semantic, VersionText};

/// `ref([package,] name, version=…)`: the relation that the model, seed or snapshot stands in; for an ephemeral model the
/// name of its CTE, which is noted.
pub(super) fn reference(inner: &Arc<Inner>, cx: &mut Cx, args: Args) -> Result<Value, Error> {
    let (package, name, version) = ref_words(&args)?;
    let root = &inner.run.manifest.project_name;
    let id = inner.run.lookup.node(root, &inner.package, package.as_deref(), &name, version.as_ref());
    let Some(target) = id.and_then(|id| inner.run.manifest.nodes.get(id.as_str())) else {
        return Err(not_found(inner, "node", &name, package.as_deref()));
    };
    if let Some(inputs) = &inner.inputs {
        return inputs.relation(&target.unique_id, &inner.ctes);
    }
    let foreseen = |node: &Node| node.depends_on.nodes.contains(&target.unique_id);
    match &inner.scope {
        Scope::Node(node) if !foreseen(node) => return Err(unforeseen(node, &name, package.as_deref())),
        Scope::Operation if target.is_ephemeral() => {
            return Err(Error::compilation(format!("Operations can not ref() ephemeral nodes, but {name} is ephemeral")));
        }
        _ => {}
    }
    if target.is_ephemeral() {
        inner.ctes.lock().unwrap_or_else(PoisonError::into_inner).insert(target.unique_id.clone());
    }
    let relation = if target.is_ephemeral() {
        Relation { dialect: inner.run.dialect(), ..cte_relation(&target.alias) }
    } else {
        deferral::read(inner, cx, target)?
    };
    let read = Read { config: &target.config, columns: &target.columns, quotes_columns: None };
    Ok(objects::relation::value(restricted(inner, relation, &read)))
}

/// What is read, as far as its event time goes.
struct Read<'a> {
    config: &'a Config,
    columns: &'a IndexMap<String, ColumnInfo>,
    /// A source's `quoting: {column: …}`.
    quotes_columns: Option<bool>,
}

/// The relation with what the run leaves out of it: all rows with `--empty`, those outside of the batch or the sample.
fn restricted(inner: &Inner, mut relation: Relation, read: &Read<'_>) -> Relation {
    let options = &inner.run.options;
    relation.limit = options.empty.then_some(0);
    let reads_spans = inner.node().is_some_and(|node| matches!(node.resource_type, ResourceType::Model | ResourceType::Snapshot));
    let span = match (&inner.batch, options.sample) {
        (Some(batch), Some(sample)) => Some(batch.span.within(sample)),
        (Some(batch), None) => Some(batch.span),
        (None, sample) => sample,
    };
    let column = read.config.text("event_time").filter(|column| reads_spans && !column.is_empty());
    relation.event_time_filter = column.zip(span).map(|(name, span)| {
        let quote = read.columns.values().find(|column| column.name == name).and_then(|column| column.quote);
        let quoted = quote.or(read.quotes_columns).unwrap_or(false);
        span.condition(&if quoted { format!("\"{name}\"") } else { name.to_owned() }).into()
    });
    relation
}

/// The relation that stands for an ephemeral model.
pub(super) fn cte_relation(alias: &str) -> Relation {
    let name = cte_name(alias);
    Relation {
        identifier: Some(name.as_str().into()),
        rendered: Some(name.into()),
        kind: Some(RelationType::Cte),
        ..Relation::default()
    }
}

/// The name of an ephemeral model's CTE.
pub(super) fn cte_name(alias: &str) -> String {
    format!("__dbt__cte__{alias}")
}

/// `source(source_name, table_name)`.
pub(super) fn source(inner: &Arc<Inner>, _: &mut Cx, args: Args) -> Result<Value, Error> {
    let (source, table) = (required(&args, "source", 0, "source_name")?, required(&args, "source", 1, "table_name")?);
    let id = inner.run.lookup.source(&inner.run.manifest.project_name, &inner.package, &source, &table);
    let Some(target) = id.and_then(|id| inner.run.manifest.sources.get(id.as_str())) else {
        return Err(not_found(inner, "source", &format!("{source}.{table}"), None));
    };
    if let Some(inputs) = &inner.inputs {
        return inputs.relation(&target.unique_id, &inner.ctes);
    }
    plugins::load(&inner.session, target)?;
    let quotes_columns = target.quoting.get("column").and_then(Json::as_bool);
    let read = Read { config: &target.config, columns: &target.columns, quotes_columns };
    Ok(objects::relation::value(restricted(inner, inner.run.source_relation(target), &read)))
}

/// What the foreign keys of a model refer to: `to: ref('x')` as written, and the relation's name.
pub(super) fn foreign_keys(run: &RunContext, node: &Node) -> Result<Vec<(String, String)>, Error> {
    let Some(model) = node.model() else { return Ok(Vec::new()) };
    let of_columns = node.columns.values().flat_map(|column| &column.constraints);
    let (root, from) = (&run.manifest.project_name, &*node.package_name);
    let mut found = Vec::new();
    for constraint in model.constraints.iter().chain(of_columns) {
        let text = |key: &str| constraint.body.get(key).and_then(Json::as_str);
        let Some(to) = text("to").filter(|_| text("type") == Some("foreign_key")) else { continue };
        let relation = match static_call::read(to) {
            Some(Named::Ref(call)) => run
                .lookup
                .node(root, from, call.package.as_deref(), &call.name, call.version.as_ref())
                .and_then(|id| run.manifest.nodes.get(id.as_str()))
                .map(|target| {
                    let unselected = run.selected.binary_search(&target.unique_id).is_err();
                    let other = run.deferred(target).filter(|_| run.deferral.refs && unselected);
                    other.unwrap_or_else(|| run.relation(target))
                }),
            Some(Named::Source(source, table)) => run
                .lookup
                .source(root, from, &source, &table)
                .and_then(|id| run.manifest.sources.get(id.as_str()))
                .map(|target| run.source_relation(target)),
            None => None,
        };
        let missing =
            || Error::compilation(format!("{} depends on a foreign key target {to} which was not found", described(node)));
        found.push((to.to_owned(), relation.ok_or_else(missing)?.name()));
    }
    Ok(found)
}

/// `function([package,] name)`: the UDF's relation.
pub(super) fn function(inner: &Arc<Inner>, cx: &mut Cx, args: Args) -> Result<Value, Error> {
    let (package, name, _) = ref_words(&args)?;
    let id = inner.run.lookup.function(&inner.run.manifest.project_name, &inner.package, package.as_deref(), &name);
    let target = id.and_then(|id| inner.run.manifest.functions.get(id.as_str()));
    let target = target.ok_or_else(|| not_found(inner, "function", &name, package.as_deref()))?;
    Ok(objects::relation::value(deferral::read(inner, cx, target)?))
}

/// `metric([package,] name)`: the metric's name, which renders as itself.
pub(super) fn metric(inner: &Arc<Inner>, _: &mut Cx, args: Args) -> Result<Value, Error> {
    let (package, name, _) = ref_words(&args)?;
    let is_it = |metric: &&Arc<Semantic>| {
        metric.name == name && package.as_deref().is_none_or(|package| package == &*metric.package_name)
    };
    match inner.run.manifest.metrics.values().find(is_it) {
        Some(metric) => Ok(jinja::instance(Arc::new(MetricReference::new(metric.clone(), inner.run.manifest.clone())))),
        None => Err(not_found(inner, "metric", &name, package.as_deref())),
    }
}

/// Package, name and version of a `ref`'s arguments.
pub(super) fn ref_words(args: &Args) -> Result<(Option<String>, String, Option<VersionText>), Error> {
    let version = args
        .keyword
        .get("version")
        .or_else(|| args.keyword.get("v"))
        .filter(|value| !value.is_none() && jinja::is_defined(value));
    let version = version.map(|value| VersionText { text: value.to_string(), number: value.is_number() });
    match args.positional.as_slice() {
        [name] => Ok((None, name.to_string(), version)),
        [package, name] => Ok((Some(package.to_string()), name.to_string(), version)),
        other => Err(Error::compilation(format!("ref() takes one or two positional arguments ({} given)", other.len()))),
    }
}

fn not_found(inner: &Inner, kind: &str, name: &str, package: Option<&str>) -> Error {
    let whose = match &inner.scope {
        Scope::Node(node) => described(node),
        Scope::Operation => "The operation".to_owned(),
        Scope::Inline => "The inline query".to_owned(),
    };
    let within = package.map(|package| format!(" in package or project '{package}'")).unwrap_or_default();
    Error::compilation(format!("{whose} depends on a {kind} named '{name}'{within} which was not found"))
}

fn unforeseen(node: &Node, name: &str, package: Option<&str>) -> Error {
    let call = package.map_or_else(|| format!("ref('{name}')"), |package| format!("ref('{package}', '{name}')"));
    Error::compilation(format!(
        "dbt was unable to infer all dependencies for the model \"{}\": {call} was not seen when the project was parsed. \
         Put it in a comment at the top of the model to name it: -- depends_on: {{{{ {call} }}}}",
        node.name
    ))
}

fn described(node: &Node) -> String {
    let kind = node.resource_type.as_str();
    let capital = kind[..1].to_uppercase() + &kind[1..];
    format!("{capital} '{}' ({})", node.unique_id, node.original_file_path)
}
