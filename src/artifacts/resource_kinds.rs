//! The resources without SQL of their own, as the manifest writes them.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::resource::{Columns, DependsOnView, DocsView, Ids, NodeView, Reader, Refs, Version};
use super::value;
use crate::manifest::{
    DocBlock, Exposure, Group, Json, JsonMap, Macro, MacroArgument, MacroKind, Resource, ResourceType, Semantic, Source, UnitTest,
};

/// Any resource that isn't a node, as JSON.
pub(super) fn kind_view(resource: &Resource) -> Json {
    match resource {
        Resource::Node(node) => value(&NodeView::new(node, None, Reader::Jinja)),
        Resource::Source(source) => value(&SourceView::from(&**source)),
        Resource::Exposure(exposure) => value(&ExposureView::from(&**exposure)),
        Resource::Metric(semantic) => value(&SemanticView::new(ResourceType::Metric, semantic)),
        Resource::SemanticModel(semantic) => value(&SemanticView::new(ResourceType::SemanticModel, semantic)),
        Resource::SavedQuery(semantic) => value(&SemanticView::new(ResourceType::SavedQuery, semantic)),
        Resource::UnitTest(test) => value(&UnitTestView::from(&**test)),
    }
}

/// A function's `returns`, its keys complete.
pub(super) fn returns(body: &JsonMap) -> Json {
    let given = body.get("returns").cloned().unwrap_or_default();
    let mut whole = JsonMap::new();
    for key in ["data_type", "description"] {
        whole.insert(key.to_owned(), given.get(key).cloned().unwrap_or_default());
    }
    Json::Object(whole)
}

#[derive(Serialize)]
pub(super) struct SourceView<'a> {
    database: Option<&'a str>,
    schema: &'a str,
    name: &'a str,
    resource_type: &'static str,
    package_name: &'a str,
    path: &'a str,
    original_file_path: &'a str,
    unique_id: &'a str,
    fqn: &'a [String],
    source_name: &'a str,
    source_description: &'a str,
    loader: &'a str,
    identifier: &'a str,
    quoting: Quoting<'a>,
    loaded_at_field: Option<&'a str>,
    loaded_at_query: Option<&'a str>,
    freshness: &'a Json,
    external: &'a Json,
    description: &'a str,
    columns: Columns<'a>,
    meta: &'a JsonMap,
    source_meta: &'a JsonMap,
    tags: &'a [String],
    config: &'a JsonMap,
    patch_path: Option<&'a str>,
    unrendered_config: &'a JsonMap,
    relation_name: &'a str,
    created_at: f64,
    unrendered_database: Option<&'a str>,
    unrendered_schema: Option<&'a str>,
    doc_blocks: Ids<'a>,
}

impl<'a> From<&'a Source> for SourceView<'a> {
    fn from(source: &'a Source) -> Self {
        Self {
            database: source.database.as_deref(),
            schema: &source.schema,
            name: &source.name,
            resource_type: "source",
            package_name: &source.package_name,
            path: &source.path,
            original_file_path: &source.original_file_path,
            unique_id: source.unique_id.as_str(),
            fqn: &source.fqn,
            source_name: &source.source_name,
            source_description: &source.source_description,
            loader: &source.loader,
            identifier: &source.identifier,
            quoting: Quoting(&source.quoting),
            loaded_at_field: source.loaded_at_field.as_deref(),
            loaded_at_query: source.loaded_at_query.as_deref(),
            freshness: &source.freshness,
            external: &source.external,
            description: &source.description,
            columns: Columns(&source.columns, &[]),
            meta: &source.meta,
            source_meta: &source.source_meta,
            tags: &source.tags,
            config: &source.config.0,
            patch_path: source.patch_path.as_deref(),
            unrendered_config: &source.unrendered_config,
            relation_name: &source.relation_name,
            created_at: source.created_at,
            unrendered_database: source.unrendered_database.as_deref(),
            unrendered_schema: source.unrendered_schema.as_deref(),
            doc_blocks: Ids(&source.doc_blocks),
        }
    }
}

/// All four keys, null where not given.
pub(super) struct Quoting<'a>(pub(super) &'a JsonMap);

impl Serialize for Quoting<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let keys = ["database", "schema", "identifier", "column"];
        serializer.collect_map(keys.iter().map(|key| (key, self.0.get(*key))))
    }
}

#[derive(Serialize)]
pub(super) struct ExposureView<'a> {
    name: &'a str,
    resource_type: &'static str,
    package_name: &'a str,
    path: &'a str,
    original_file_path: &'a str,
    unique_id: &'a str,
    fqn: &'a [String],
    #[serde(rename = "type")]
    kind: &'a str,
    owner: Owner<'a>,
    description: &'a str,
    label: Option<&'a str>,
    maturity: Option<&'a str>,
    meta: &'a JsonMap,
    tags: &'a [String],
    config: &'a JsonMap,
    unrendered_config: &'a JsonMap,
    url: Option<&'a str>,
    depends_on: DependsOnView<'a>,
    refs: Refs<'a>,
    sources: &'a [(String, String)],
    metrics: &'a [Vec<String>],
    created_at: f64,
}

impl<'a> From<&'a Exposure> for ExposureView<'a> {
    fn from(exposure: &'a Exposure) -> Self {
        Self {
            name: &exposure.name,
            resource_type: "exposure",
            package_name: &exposure.package_name,
            path: &exposure.path,
            original_file_path: &exposure.original_file_path,
            unique_id: exposure.unique_id.as_str(),
            fqn: &exposure.fqn,
            kind: &exposure.kind,
            owner: Owner(&exposure.owner),
            description: &exposure.description,
            label: exposure.label.as_deref(),
            maturity: exposure.maturity.as_deref(),
            meta: &exposure.meta,
            tags: &exposure.tags,
            config: &exposure.config.0,
            unrendered_config: &exposure.unrendered_config,
            url: exposure.url.as_deref(),
            depends_on: DependsOnView::new(&exposure.depends_on.macros, &exposure.depends_on.nodes),
            refs: Refs(&exposure.refs),
            sources: &exposure.sources,
            metrics: &exposure.metrics,
            created_at: exposure.created_at,
        }
    }
}

/// `{email, name}`, then whatever else was given.
struct Owner<'a>(&'a JsonMap);

impl Serialize for Owner<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let known = ["email", "name"].into_iter().map(|key| (key, self.0.get(key)));
        let rest = self.0.iter().filter(|(key, _)| !matches!(key.as_str(), "email" | "name"));
        serializer.collect_map(known.chain(rest.map(|(key, value)| (key.as_str(), Some(value)))))
    }
}

/// A metric, semantic model or saved query. Keys come in the order of their kind; what the body lacks gets its default.
pub(super) struct SemanticView<'a> {
    kind: ResourceType,
    of: &'a Semantic,
}

/// After the keys all resources begin with.
const METRIC_KEYS: [&str; 17] = [
    "description",
    "label",
    "type",
    "type_params",
    "filter",
    "metadata",
    "time_granularity",
    "config",
    "unrendered_config",
    "sources",
    "depends_on",
    "refs",
    "metrics",
    "created_at",
    "group",
    "meta",
    "tags",
];
const SEMANTIC_MODEL_KEYS: [&str; 16] = [
    "model",
    "node_relation",
    "description",
    "label",
    "defaults",
    "entities",
    "measures",
    "dimensions",
    "metadata",
    "depends_on",
    "refs",
    "created_at",
    "config",
    "unrendered_config",
    "primary_entity",
    "group",
];
const SAVED_QUERY_KEYS: [&str; 12] = [
    "query_params",
    "exports",
    "description",
    "label",
    "metadata",
    "config",
    "unrendered_config",
    "group",
    "depends_on",
    "created_at",
    "refs",
    "tags",
];

impl<'a> SemanticView<'a> {
    pub(super) fn new(kind: ResourceType, of: &'a Semantic) -> Self {
        Self { kind, of }
    }

    fn keys(&self) -> &'static [&'static str] {
        match self.kind {
            ResourceType::Metric => &METRIC_KEYS,
            ResourceType::SemanticModel => &SEMANTIC_MODEL_KEYS,
            _ => &SAVED_QUERY_KEYS,
        }
    }

    fn entry<M: SerializeMap>(&self, map: &mut M, key: &'static str) -> Result<(), M::Error> {
        let of = self.of;
        // Only a metric's description is never null.
        let description = Some(&of.description).filter(|text| self.kind == ResourceType::Metric || !text.is_empty());
        match key {
            "description" => map.serialize_entry(key, &description),
            "label" => map.serialize_entry(key, &of.label),
            "config" => map.serialize_entry(key, &of.config.0),
            "unrendered_config" => map.serialize_entry(key, &of.unrendered_config),
            "depends_on" => map.serialize_entry(key, &DependsOnView::new(&of.depends_on.macros, &of.depends_on.nodes)),
            "refs" => map.serialize_entry(key, &Refs(&of.refs)),
            "created_at" => map.serialize_entry(key, &of.created_at),
            "group" => map.serialize_entry(key, &of.group),
            "meta" => map.serialize_entry(key, &of.meta),
            "tags" => map.serialize_entry(key, &of.tags),
            "sources" | "metrics" | "entities" | "measures" | "dimensions" | "exports" => match of.body.get(key) {
                Some(Json::Null) | None => map.serialize_entry(key, &[0u8; 0]),
                Some(given) => map.serialize_entry(key, given),
            },
            _ => map.serialize_entry(key, &of.body.get(key)),
        }
    }
}

impl Serialize for SemanticView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let of = self.of;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", &of.name)?;
        map.serialize_entry("resource_type", self.kind.as_str())?;
        map.serialize_entry("package_name", &*of.package_name)?;
        map.serialize_entry("path", &of.path)?;
        map.serialize_entry("original_file_path", &of.original_file_path)?;
        map.serialize_entry("unique_id", of.unique_id.as_str())?;
        map.serialize_entry("fqn", &of.fqn)?;
        for key in self.keys() {
            self.entry(&mut map, key)?;
        }
        map.end()
    }
}

#[derive(Serialize)]
pub(super) struct UnitTestView<'a> {
    model: &'a str,
    given: &'a [JsonMap],
    expect: &'a JsonMap,
    name: &'a str,
    resource_type: &'static str,
    package_name: &'a str,
    path: &'a str,
    original_file_path: &'a str,
    unique_id: &'a str,
    fqn: &'a [String],
    description: &'a str,
    overrides: &'a Json,
    depends_on: DependsOnView<'a>,
    config: &'a JsonMap,
    checksum: Option<&'a str>,
    schema: &'a str,
    created_at: f64,
    versions: &'a Json,
    version: Option<Version<'a>>,
}

impl<'a> From<&'a UnitTest> for UnitTestView<'a> {
    fn from(test: &'a UnitTest) -> Self {
        Self {
            model: &test.model,
            given: &test.given,
            expect: &test.expect,
            name: &test.name,
            resource_type: "unit_test",
            package_name: &test.package_name,
            path: &test.path,
            original_file_path: &test.original_file_path,
            unique_id: test.unique_id.as_str(),
            fqn: &test.fqn,
            description: &test.description,
            overrides: &test.overrides,
            depends_on: DependsOnView::new(&test.depends_on.macros, &test.depends_on.nodes),
            config: &test.config.0,
            checksum: test.checksum.as_deref(),
            schema: &test.schema,
            created_at: test.created_at,
            versions: &test.versions,
            version: test.version.as_ref().map(Version),
        }
    }
}

#[derive(Serialize)]
pub(super) struct GroupView<'a> {
    name: &'a str,
    resource_type: &'static str,
    package_name: &'a str,
    path: &'a str,
    original_file_path: &'a str,
    unique_id: &'a str,
    owner: Owner<'a>,
    description: Option<&'a str>,
    config: &'a JsonMap,
}

impl<'a> From<&'a Group> for GroupView<'a> {
    fn from(group: &'a Group) -> Self {
        Self {
            name: &group.name,
            resource_type: "group",
            package_name: &group.package_name,
            path: &group.path,
            original_file_path: &group.original_file_path,
            unique_id: group.unique_id.as_str(),
            owner: Owner(&group.owner),
            description: group.description.as_deref(),
            config: &group.config,
        }
    }
}

#[derive(Serialize)]
pub(super) struct MacroView<'a> {
    name: &'a str,
    resource_type: &'static str,
    package_name: &'a str,
    path: &'a str,
    original_file_path: &'a str,
    unique_id: &'a str,
    macro_sql: &'a str,
    depends_on: DependsOnView<'a>,
    description: &'a str,
    meta: &'a JsonMap,
    docs: DocsView<'a>,
    config: MacroConfig<'a>,
    patch_path: Option<&'a str>,
    arguments: Vec<Argument<'a>>,
    created_at: f64,
    supported_languages: Option<&'a [String]>,
}

#[derive(Serialize)]
struct MacroConfig<'a> {
    meta: &'a JsonMap,
    docs: DocsView<'a>,
}

#[derive(Serialize)]
struct Argument<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: Option<&'a str>,
    description: &'a str,
}

impl<'a> From<&'a MacroArgument> for Argument<'a> {
    fn from(argument: &'a MacroArgument) -> Self {
        Self { name: &argument.name, kind: argument.kind.as_deref(), description: &argument.description }
    }
}

impl<'a> From<&'a Macro> for MacroView<'a> {
    fn from(of: &'a Macro) -> Self {
        let supported_languages = match &of.kind {
            MacroKind::Materialization { supported_languages, .. } => Some(supported_languages.as_slice()),
            MacroKind::Macro | MacroKind::Test => None,
        };
        Self {
            name: &of.name,
            resource_type: "macro",
            package_name: &of.package_name,
            path: &of.original_file_path,
            original_file_path: &of.original_file_path,
            unique_id: of.unique_id.as_str(),
            macro_sql: of.macro_sql(),
            depends_on: DependsOnView::macros_only(&of.depends_on),
            description: &of.description,
            meta: &of.meta,
            docs: DocsView::from(&of.docs),
            config: MacroConfig { meta: &of.meta, docs: DocsView::from(&of.docs) },
            patch_path: of.patch_path.as_deref(),
            arguments: of.arguments.iter().map(Argument::from).collect(),
            created_at: of.created_at,
            supported_languages,
        }
    }
}

#[derive(Serialize)]
pub(super) struct DocView<'a> {
    name: &'a str,
    resource_type: &'static str,
    package_name: &'a str,
    path: &'a str,
    original_file_path: &'a str,
    unique_id: &'a str,
    block_contents: &'a str,
}

impl<'a> From<&'a DocBlock> for DocView<'a> {
    fn from(block: &'a DocBlock) -> Self {
        Self {
            name: &block.name,
            resource_type: "doc",
            package_name: &block.package_name,
            path: &block.path,
            original_file_path: &block.original_file_path,
            unique_id: block.unique_id.as_str(),
            block_contents: &block.block_contents,
        }
    }
}
