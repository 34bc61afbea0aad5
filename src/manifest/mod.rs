//! The immutable nouns of a resolved project: what every later phase reads and none changes.
//!
//! Domain types never derive `Serialize`: `artifacts/` mirrors them into dbt's public JSON.

mod config;
mod event_time;
mod functions;
mod lookup;
mod macro_argument;
mod macros;
mod node;
mod relation;
mod resource;
pub mod static_call;

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;

pub use config::Config;
pub use event_time::{BatchResults, BatchSize, TimeSpan, iso, moment};
pub use functions::{Overload, OverloadResults};
pub use lookup::Lookup;
pub use macro_argument::MacroArgument;
pub use macros::{DocBlock, Macro, MacroKind, MacroRegistry};
pub use node::{
    Checksum, ColumnInfo, Constraint, Contract, DependsOn, Detail, Docs, Language, ModelDetail, Node, RefCall, ResourceType,
    TestDetail, TestMetadata, VersionText,
};
pub use relation::{ColumnType, Dialect, Include, Relation, RelationType};
pub use resource::{Exposure, Group, Semantic, Source, UnitTest};

/// A JSON value with its key order kept: configs, meta, and what has no type of its own.
pub type Json = serde_json::Value;
/// A JSON object with its key order kept.
pub type JsonMap = serde_json::Map<String, Json>;

/// dbt's unique id, `model.<package>.<name>` and its like; cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UniqueId(Arc<str>);

impl UniqueId {
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn shared(&self) -> Arc<str> {
        self.0.clone()
    }
}

impl fmt::Display for UniqueId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Debug for UniqueId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, out)
    }
}

impl Borrow<str> for UniqueId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&str> for UniqueId {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for UniqueId {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// Everything a project resolves to. Immutable; what a run finds out (compiled SQL, results) lives beside it.
#[derive(Debug, Default)]
pub struct Manifest {
    pub project_name: Arc<str>,
    /// md5 of the project's name, as dbt writes it into artifacts' metadata.
    pub project_id: String,
    pub adapter_type: Arc<str>,
    /// The flag `require_ref_searches_node_package_before_root`: where a plain name is looked for first.
    pub own_package_first: bool,
    /// Models, seeds, snapshots, analyses, data tests, operations (on-run hooks), by unique id, those that their configuration
    /// enables. A test whose target is missing or disabled is among them with `enabled` false, as in dbt, and never runs.
    pub nodes: IndexMap<UniqueId, Arc<Node>>,
    pub sources: IndexMap<UniqueId, Arc<Source>>,
    pub exposures: IndexMap<UniqueId, Arc<Exposure>>,
    /// Metrics, semantic models and saved queries, by kind.
    pub metrics: IndexMap<UniqueId, Arc<Semantic>>,
    pub semantic_models: IndexMap<UniqueId, Arc<Semantic>>,
    pub saved_queries: IndexMap<UniqueId, Arc<Semantic>>,
    pub groups: IndexMap<UniqueId, Arc<Group>>,
    pub unit_tests: IndexMap<UniqueId, Arc<UnitTest>>,
    pub functions: IndexMap<UniqueId, Arc<Node>>,
    pub macros: Arc<MacroRegistry>,
    pub docs: IndexMap<UniqueId, Arc<DocBlock>>,
    /// Disabled resources by unique id; more than one definition may share an id.
    pub disabled: IndexMap<UniqueId, Vec<Resource>>,
}

/// One resource of any kind; `match` on it.
#[derive(Debug, Clone)]
pub enum Resource {
    Node(Arc<Node>),
    Source(Arc<Source>),
    Exposure(Arc<Exposure>),
    Metric(Arc<Semantic>),
    SemanticModel(Arc<Semantic>),
    SavedQuery(Arc<Semantic>),
    UnitTest(Arc<UnitTest>),
}

impl Manifest {
    /// The resource of that id, whatever its kind; groups, macros and docs are none.
    pub fn get(&self, id: &str) -> Option<Resource> {
        let kind = id.split('.').next().unwrap_or_default();
        match kind {
            "source" => self.sources.get(id).cloned().map(Resource::Source),
            "exposure" => self.exposures.get(id).cloned().map(Resource::Exposure),
            "metric" => self.metrics.get(id).cloned().map(Resource::Metric),
            "semantic_model" => self.semantic_models.get(id).cloned().map(Resource::SemanticModel),
            "saved_query" => self.saved_queries.get(id).cloned().map(Resource::SavedQuery),
            "unit_test" => self.unit_tests.get(id).cloned().map(Resource::UnitTest),
            "function" => self.functions.get(id).cloned().map(Resource::Node),
            _ => self.nodes.get(id).cloned().map(Resource::Node),
        }
    }

    /// Every resource that takes part in the graph, in manifest order.
    pub fn resources(&self) -> impl Iterator<Item = Resource> + '_ {
        let nodes = self.nodes.values().chain(self.functions.values()).cloned().map(Resource::Node);
        nodes
            .chain(self.sources.values().cloned().map(Resource::Source))
            .chain(self.exposures.values().cloned().map(Resource::Exposure))
            .chain(self.metrics.values().cloned().map(Resource::Metric))
            .chain(self.semantic_models.values().cloned().map(Resource::SemanticModel))
            .chain(self.saved_queries.values().cloned().map(Resource::SavedQuery))
            .chain(self.unit_tests.values().cloned().map(Resource::UnitTest))
    }
}

impl Resource {
    pub fn unique_id(&self) -> &UniqueId {
        match self {
            Self::Node(node) => &node.unique_id,
            Self::Source(source) => &source.unique_id,
            Self::Exposure(exposure) => &exposure.unique_id,
            Self::Metric(semantic) | Self::SemanticModel(semantic) | Self::SavedQuery(semantic) => &semantic.unique_id,
            Self::UnitTest(test) => &test.unique_id,
        }
    }

    pub fn resource_type(&self) -> ResourceType {
        match self {
            Self::Node(node) => node.resource_type,
            Self::Source(_) => ResourceType::Source,
            Self::Exposure(_) => ResourceType::Exposure,
            Self::Metric(_) => ResourceType::Metric,
            Self::SemanticModel(_) => ResourceType::SemanticModel,
            Self::SavedQuery(_) => ResourceType::SavedQuery,
            Self::UnitTest(_) => ResourceType::UnitTest,
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Self::Node(node) => &node.name,
            Self::Source(source) => &source.name,
            Self::Exposure(exposure) => &exposure.name,
            Self::Metric(semantic) | Self::SemanticModel(semantic) | Self::SavedQuery(semantic) => &semantic.name,
            Self::UnitTest(test) => &test.name,
        }
    }

    /// dbt's search name: sources with their source's name, versioned models with their version.
    pub fn search_name(&self) -> String {
        match self {
            Self::Source(source) => format!("{}.{}", source.source_name, source.name),
            Self::Node(node) => node.versioned_name(),
            other => other.name().to_owned(),
        }
    }

    pub fn package_name(&self) -> &str {
        match self {
            Self::Node(node) => &node.package_name,
            Self::Source(source) => &source.package_name,
            Self::Exposure(exposure) => &exposure.package_name,
            Self::Metric(semantic) | Self::SemanticModel(semantic) | Self::SavedQuery(semantic) => &semantic.package_name,
            Self::UnitTest(test) => &test.package_name,
        }
    }

    pub fn original_file_path(&self) -> &str {
        match self {
            Self::Node(node) => &node.original_file_path,
            Self::Source(source) => &source.original_file_path,
            Self::Exposure(exposure) => &exposure.original_file_path,
            Self::Metric(semantic) | Self::SemanticModel(semantic) | Self::SavedQuery(semantic) => &semantic.original_file_path,
            Self::UnitTest(test) => &test.original_file_path,
        }
    }

    pub fn fqn(&self) -> &[String] {
        match self {
            Self::Node(node) => &node.fqn,
            Self::Source(source) => &source.fqn,
            Self::Exposure(exposure) => &exposure.fqn,
            Self::Metric(semantic) | Self::SemanticModel(semantic) | Self::SavedQuery(semantic) => &semantic.fqn,
            Self::UnitTest(test) => &test.fqn,
        }
    }

    pub fn tags(&self) -> &[String] {
        match self {
            Self::Node(node) => &node.tags,
            Self::Source(source) => &source.tags,
            Self::Exposure(exposure) => &exposure.tags,
            Self::Metric(semantic) | Self::SemanticModel(semantic) | Self::SavedQuery(semantic) => &semantic.tags,
            Self::UnitTest(test) => &test.tags,
        }
    }

    pub fn config(&self) -> &Config {
        match self {
            Self::Node(node) => &node.config,
            Self::Source(source) => &source.config,
            Self::Exposure(exposure) => &exposure.config,
            Self::Metric(semantic) | Self::SemanticModel(semantic) | Self::SavedQuery(semantic) => &semantic.config,
            Self::UnitTest(test) => &test.config,
        }
    }

    /// Ids of the resources this one reads: its parents in the graph.
    pub fn depends_on(&self) -> &[UniqueId] {
        match self {
            Self::Node(node) => &node.depends_on.nodes,
            Self::Source(_) => &[],
            Self::Exposure(exposure) => &exposure.depends_on.nodes,
            Self::Metric(semantic) | Self::SemanticModel(semantic) | Self::SavedQuery(semantic) => &semantic.depends_on.nodes,
            Self::UnitTest(test) => &test.depends_on.nodes,
        }
    }
}
