//! One node as the manifest writes it, and as Jinja's `model` and `graph` show it.

use std::borrow::Cow;

use std::sync::Arc;

use serde::Serialize;
use serde::ser::Serializer;

use super::resource_kinds::{self, kind_view};
use super::value;
use crate::event::Compiled;
use crate::manifest::{
    Checksum, ColumnInfo, Constraint, Contract, Detail, Docs, Json, JsonMap, Node, RefCall, Resource, ResourceType, TestDetail,
    UniqueId, VersionText,
};

/// Who reads the view: artifacts leave out what only macros need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    Artifact,
    Jinja,
}

/// A resource as the manifest writes it, and as Jinja's `graph.nodes[…]` shows it (there with the config calls too).
pub fn resource(resource: &Resource, compiled: Option<&Compiled>) -> Json {
    match resource {
        Resource::Node(node) => value(&NodeView::new(node, compiled, Reader::Jinja)),
        other => kind_view(other),
    }
}

/// A resource as Jinja's `model` shows it: keys without a value are left out, as in dbt's `to_dict(omit_none=True)`; what the
/// project wrote itself (`meta`, `vars` …) keeps its nulls.
pub fn model(of: &Resource, compiled: Option<&Compiled>) -> Json {
    let mut shown = resource(of, compiled);
    omit_nulls(&mut shown, 0);
    shown
}

/// Maps whose content is the project's own.
const OPEN_MAPS: [&str; 9] = [
    "meta",
    "source_meta",
    "unrendered_config",
    "config_call_dict",
    "unrendered_config_call_dict",
    "kwargs",
    "column_types",
    "persist_docs",
    "grants",
];

fn omit_nulls(value: &mut Json, depth: usize) {
    match value {
        Json::Object(map) => {
            map.retain(|_, inner| !inner.is_null());
            for (key, inner) in map.iter_mut() {
                if !OPEN_MAPS.contains(&key.as_str()) {
                    omit_nulls(inner, depth + 1);
                }
            }
        }
        Json::Array(items) if depth < 8 => items.iter_mut().for_each(|item| omit_nulls(item, depth + 1)),
        _ => {}
    }
}

/// Where a node's SQL is written below `target/compiled` and `target/run`: `<package>/<path>` (dbt's `get_target_write_path`).
pub fn output_path(node: &Node) -> String {
    let (original, path) = (&node.original_file_path, &node.path);
    let file = |text: &str| text.rsplit('/').next().unwrap_or_default().to_owned();
    if node.resource_type == ResourceType::Snapshot {
        format!("{}/{original}/{}.sql", node.package_name, node.name)
    } else if file(path) == file(original) {
        format!("{}/{original}", node.package_name)
    } else {
        format!("{}/{original}/{path}", node.package_name)
    }
}

/// A key that some kinds of node have: left out when None, `null` when `Some(None)`.
type Key<T> = Option<T>;

/// Any node, in the artifact's order of keys.
#[derive(Serialize)]
pub(super) struct NodeView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    returns: Key<Json>,
    database: Option<&'a str>,
    schema: &'a str,
    name: &'a str,
    resource_type: &'static str,
    package_name: &'a str,
    path: &'a str,
    original_file_path: &'a str,
    unique_id: &'a str,
    fqn: &'a [String],
    alias: &'a str,
    checksum: ChecksumView<'a>,
    config: &'a JsonMap,
    tags: &'a [String],
    description: &'a str,
    columns: Columns<'a>,
    meta: &'a JsonMap,
    group: Option<&'a str>,
    docs: DocsView<'a>,
    patch_path: Option<&'a str>,
    build_path: Option<&'a str>,
    unrendered_config: &'a JsonMap,
    created_at: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    config_call_dict: Key<&'a JsonMap>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unrendered_config_call_dict: Key<&'a JsonMap>,
    relation_name: Option<&'a str>,
    raw_code: &'a str,
    doc_blocks: Ids<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    root_path: Key<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Key<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refs: Key<Refs<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sources: Key<&'a [(String, String)]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Key<&'a [Vec<String>]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    functions: Key<&'a [Vec<String>]>,
    depends_on: DependsOnView<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compiled_path: Key<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compiled: Key<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compiled_code: Key<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extra_ctes_injected: Key<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extra_ctes: Key<Vec<Cte<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contract: Key<ContractView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    defer_relation: Key<()>,
    #[serde(flatten)]
    detail: DetailView<'a>,
}

impl<'a> NodeView<'a> {
    pub(super) fn new(node: &'a Node, compiled: Option<&'a Compiled>, reader: Reader) -> Self {
        let is_seed = matches!(node.detail, Detail::Seed { .. });
        let for_sql = |there: bool| (there && !is_seed).then_some(());
        let code = compiled.filter(|compiled| !is_seed && compiled.is_compiled());
        let targets = compiled.map_or(&[][..], |compiled| &compiled.foreign_keys);
        let jinja = reader == Reader::Jinja;
        let deferrable = matches!(node.resource_type, ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot);
        NodeView {
            returns: if let Detail::Function(body) = &node.detail { Some(resource_kinds::returns(body)) } else { None },
            database: node.database.as_deref(),
            schema: &node.schema,
            name: &node.name,
            resource_type: node.resource_type.as_str(),
            package_name: &node.package_name,
            path: &node.path,
            original_file_path: &node.original_file_path,
            unique_id: node.unique_id.as_str(),
            fqn: &node.fqn,
            alias: &node.alias,
            checksum: ChecksumView::from(&node.checksum),
            config: &node.config.0,
            tags: &node.tags,
            description: &node.description,
            columns: Columns(&node.columns, targets),
            meta: &node.meta,
            group: node.group.as_deref(),
            docs: DocsView::from(&node.docs),
            patch_path: node.patch_path.as_deref(),
            build_path: compiled.and_then(|compiled| compiled.build_path.as_deref()),
            unrendered_config: &node.unrendered_config,
            created_at: node.created_at,
            config_call_dict: jinja.then_some(&node.config_call_dict),
            unrendered_config_call_dict: jinja.then_some(&node.unrendered_config_call_dict),
            relation_name: node.relation_name.as_deref(),
            raw_code: &node.raw_code,
            doc_blocks: Ids(&node.doc_blocks),
            root_path: if let Detail::Seed { root_path, .. } = &node.detail { Some(root_path) } else { None },
            language: for_sql(true).map(|()| node.language.as_str()),
            refs: for_sql(true).map(|()| Refs(&node.refs)),
            sources: for_sql(true).map(|()| node.sources.as_slice()),
            metrics: for_sql(true).map(|()| node.metrics.as_slice()),
            functions: for_sql(true).map(|()| node.functions.as_slice()),
            depends_on: DependsOnView::of_node(node, compiled),
            compiled_path: for_sql(true).map(|()| compiled.and_then(|compiled| compiled.compiled_path.as_deref())),
            compiled: code.map(|_| true),
            compiled_code: code.map(|compiled| &*compiled.code),
            extra_ctes_injected: code.map(|_| true),
            extra_ctes: code.map(|code| code.extra_ctes.iter().map(|(id, sql)| Cte { id: id.as_str(), sql }).collect()),
            contract: for_sql(true).map(|()| ContractView::from(&node.contract)),
            defer_relation: (jinja && deferrable).then_some(()),
            detail: DetailView::new(
                &node.detail,
                targets,
                code.map_or(&[], |compiled| &compiled.overloads),
                compiled.and_then(|compiled| compiled.hook),
            ),
        }
    }
}

#[derive(Serialize)]
struct Cte<'a> {
    id: &'a str,
    sql: &'a str,
}

/// The keys of one kind of node, which follow the common ones.
#[derive(Serialize)]
#[serde(untagged)]
enum DetailView<'a> {
    Model {
        access: &'a str,
        constraints: Constraints<'a>,
        version: Option<Version<'a>>,
        latest_version: Option<Version<'a>>,
        deprecation_date: Option<&'a str>,
        primary_key: &'a [String],
        time_spine: Option<&'a Json>,
    },
    GenericTest {
        column_name: Option<&'a str>,
        file_key_name: Option<&'a str>,
        attached_node: Option<&'a str>,
        test_metadata: TestMetadataView<'a>,
    },
    Operation {
        index: usize,
    },
    Function {
        arguments: Json,
        overloads: Json,
    },
    Nothing {},
}

#[derive(Serialize)]
struct TestMetadataView<'a> {
    name: &'a str,
    kwargs: &'a JsonMap,
    namespace: Option<&'a str>,
}

impl<'a> DetailView<'a> {
    fn new(detail: &'a Detail, targets: Targets<'a>, overloads: &[Arc<str>], hook: Option<usize>) -> Self {
        match detail {
            Detail::Model(model) => Self::Model {
                access: &model.access,
                constraints: Constraints(&model.constraints, targets),
                version: model.version.as_ref().map(Version),
                latest_version: model.latest_version.as_ref().map(Version),
                deprecation_date: model.deprecation_date.as_deref(),
                primary_key: &model.primary_key,
                time_spine: model.time_spine.as_ref(),
            },
            Detail::Test(TestDetail { metadata: Some(metadata), column_name, file_key_name, attached_node }) => {
                Self::GenericTest {
                    column_name: column_name.as_deref(),
                    file_key_name: file_key_name.as_deref(),
                    attached_node: attached_node.as_ref().map(UniqueId::as_str),
                    test_metadata: TestMetadataView {
                        name: &metadata.name,
                        kwargs: &metadata.kwargs,
                        namespace: metadata.namespace.as_deref(),
                    },
                }
            }
            // As it ran; in its project it counts from 0.
            Detail::Operation { index } => Self::Operation { index: hook.unwrap_or(*index) },
            Detail::Function(body) => {
                let list = |key: &str| body.get(key).cloned().unwrap_or_else(|| Json::Array(Vec::new()));
                Self::Function { arguments: list("arguments"), overloads: with_compiled(list("overloads"), overloads) }
            }
            _ => Self::Nothing {},
        }
    }
}

/// A function's overloads with what each was compiled to.
fn with_compiled(mut overloads: Json, compiled: &[Arc<str>]) -> Json {
    for (overload, code) in overloads.as_array_mut().into_iter().flatten().zip(compiled) {
        if let Some(body) = overload.get_mut("compiled_body") {
            *body = Json::from(&**code);
        }
    }
    overloads
}

/// `depends_on: {macros, nodes}`; seeds have macros only.
#[derive(Serialize)]
pub(super) struct DependsOnView<'a> {
    macros: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nodes: Key<Ids<'a>>,
}

impl<'a> DependsOnView<'a> {
    pub(super) fn new(macros: &'a [UniqueId], nodes: &'a [UniqueId]) -> Self {
        Self { macros: macros.iter().map(UniqueId::as_str).collect(), nodes: Some(Ids(nodes)) }
    }

    pub(super) fn macros_only(macros: &'a [UniqueId]) -> Self {
        Self { macros: macros.iter().map(UniqueId::as_str).collect(), nodes: None }
    }

    fn of_node(node: &'a Node, compiled: Option<&'a Compiled>) -> Self {
        let mut macros: Vec<&str> = node.depends_on.macros.iter().map(UniqueId::as_str).collect();
        for called in compiled.map_or(&[][..], |compiled| &compiled.macros) {
            if !macros.contains(&called.as_str()) {
                macros.push(called.as_str());
            }
        }
        let is_seed = matches!(node.detail, Detail::Seed { .. });
        Self { macros, nodes: (!is_seed).then_some(Ids(&node.depends_on.nodes)) }
    }
}

/// A list of ids as a list of texts.
#[derive(Clone, Copy)]
pub(super) struct Ids<'a>(pub(super) &'a [UniqueId]);

impl Serialize for Ids<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(UniqueId::as_str))
    }
}

#[derive(Serialize)]
pub(super) struct ChecksumView<'a> {
    name: &'a str,
    checksum: &'a str,
}

impl<'a> From<&'a Checksum> for ChecksumView<'a> {
    fn from(checksum: &'a Checksum) -> Self {
        let name = if checksum.name.is_empty() { "none" } else { checksum.name };
        Self { name, checksum: &checksum.checksum }
    }
}

#[derive(Serialize)]
pub(super) struct DocsView<'a> {
    show: bool,
    node_color: Option<&'a str>,
}

impl<'a> From<&'a Docs> for DocsView<'a> {
    fn from(docs: &'a Docs) -> Self {
        Self { show: docs.show, node_color: docs.node_color.as_deref() }
    }
}

#[derive(Serialize)]
pub(super) struct ContractView<'a> {
    enforced: bool,
    alias_types: bool,
    checksum: Option<&'a str>,
}

impl<'a> From<&'a Contract> for ContractView<'a> {
    fn from(contract: &'a Contract) -> Self {
        Self { enforced: contract.enforced, alias_types: contract.alias_types, checksum: contract.checksum.as_deref() }
    }
}

/// `refs: [{name, package, version}]`.
pub(super) struct Refs<'a>(pub(super) &'a [RefCall]);

#[derive(Serialize)]
struct RefView<'a> {
    name: &'a str,
    package: Option<&'a str>,
    version: Option<Version<'a>>,
}

impl Serialize for Refs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|call| RefView {
            name: &call.name,
            package: call.package.as_deref(),
            version: call.version.as_ref().map(Version),
        }))
    }
}

/// A version: a number where it was written as one.
pub(super) struct Version<'a>(pub(super) &'a VersionText);

impl Serialize for Version<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let VersionText { text, number } = self.0;
        match (number, text.parse::<i64>(), text.parse::<f64>()) {
            (true, Ok(whole), _) => serializer.serialize_i64(whole),
            (true, Err(_), Ok(fraction)) => serializer.serialize_f64(fraction),
            _ => serializer.serialize_str(text),
        }
    }
}

/// Foreign keys' targets: as written, and the relation's name once the node is compiled.
pub(super) type Targets<'a> = &'a [(String, String)];

struct Constraints<'a>(&'a [Constraint], Targets<'a>);

impl Serialize for Constraints<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let target = |constraint: &Constraint| {
            let written = constraint.body.get("to").filter(|_| !self.1.is_empty())?.as_str()?;
            self.1.iter().find(|(of, _)| of == written).map(|(_, relation)| relation)
        };
        serializer.collect_seq(self.0.iter().map(|constraint| match target(constraint) {
            None => Cow::Borrowed(&constraint.body),
            Some(relation) => {
                let mut body = constraint.body.clone();
                body.insert("to".to_owned(), relation.as_str().into());
                Cow::Owned(body)
            }
        }))
    }
}

/// `columns: {name: {…}}`.
pub(super) struct Columns<'a>(pub(super) &'a indexmap::IndexMap<String, ColumnInfo>, pub(super) Targets<'a>);

impl Serialize for Columns<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, column)| (name, ColumnView::new(column, self.1))))
    }
}

#[derive(Serialize)]
struct ColumnView<'a> {
    name: &'a str,
    description: &'a str,
    meta: &'a JsonMap,
    data_type: Option<&'a str>,
    constraints: Constraints<'a>,
    quote: Option<bool>,
    config: ColumnConfig<'a>,
    tags: &'a [String],
    granularity: Option<&'a str>,
    dimension: Option<&'a Json>,
    entity: Option<&'a Json>,
    doc_blocks: Ids<'a>,
    #[serde(flatten)]
    extra: Extra<'a>,
}

impl<'a> ColumnView<'a> {
    fn new(column: &'a ColumnInfo, targets: Targets<'a>) -> Self {
        Self {
            name: &column.name,
            description: &column.description,
            meta: &column.meta,
            data_type: column.data_type.as_deref(),
            constraints: Constraints(&column.constraints, targets),
            quote: column.quote,
            config: ColumnConfig(&column.config),
            tags: &column.tags,
            granularity: column.granularity.as_deref(),
            dimension: column.extra.get("dimension"),
            entity: column.extra.get("entity"),
            doc_blocks: Ids(&column.doc_blocks),
            extra: Extra(&column.extra),
        }
    }
}

/// A column's other keys: `dimension` and `entity` have their own place.
struct Extra<'a>(&'a JsonMap);

impl Serialize for Extra<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().filter(|(key, _)| !matches!(key.as_str(), "dimension" | "entity")))
    }
}

/// `{meta, tags}` with their defaults, then the rest.
struct ColumnConfig<'a>(&'a JsonMap);

impl Serialize for ColumnConfig<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (meta, tags) = (Json::Object(JsonMap::new()), Json::Array(Vec::new()));
        let known = [("meta", self.0.get("meta").unwrap_or(&meta)), ("tags", self.0.get("tags").unwrap_or(&tags))];
        let rest = self.0.iter().map(|(key, value)| (key.as_str(), value)).filter(|(key, _)| !matches!(*key, "meta" | "tags"));
        serializer.collect_map(known.into_iter().chain(rest))
    }
}
