//! Models, seeds, snapshots, analyses, data tests and operations.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use indexmap::IndexMap;

use super::{Config, Json, JsonMap, UniqueId};

/// dbt's resource types, as `--resource-type` and `resource_type:` spell them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResourceType {
    Model,
    Analysis,
    Test,
    Snapshot,
    Operation,
    Seed,
    Source,
    Exposure,
    Metric,
    Group,
    SavedQuery,
    SemanticModel,
    UnitTest,
    Macro,
    Doc,
    Function,
    SqlOperation,
}

impl ResourceType {
    /// One of its kind in words: `data test`, `semantic model`.
    pub fn singular(self) -> &'static str {
        match self {
            Self::Test => "data test",
            Self::SqlOperation => "sql operation",
            Self::SemanticModel => "semantic model",
            Self::SavedQuery => "saved query",
            Self::UnitTest => "unit test",
            other => other.as_str(),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Analysis => "analysis",
            Self::Test => "test",
            Self::Snapshot => "snapshot",
            Self::Operation => "operation",
            Self::Seed => "seed",
            Self::Source => "source",
            Self::Exposure => "exposure",
            Self::Metric => "metric",
            Self::Group => "group",
            Self::SavedQuery => "saved_query",
            Self::SemanticModel => "semantic_model",
            Self::UnitTest => "unit_test",
            Self::Macro => "macro",
            Self::Doc => "doc",
            Self::Function => "function",
            Self::SqlOperation => "sql_operation",
        }
    }
}

impl fmt::Display for ResourceType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromStr for ResourceType {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        const ALL: [ResourceType; 17] = [
            ResourceType::Model,
            ResourceType::Analysis,
            ResourceType::Test,
            ResourceType::Snapshot,
            ResourceType::Operation,
            ResourceType::Seed,
            ResourceType::Source,
            ResourceType::Exposure,
            ResourceType::Metric,
            ResourceType::Group,
            ResourceType::SavedQuery,
            ResourceType::SemanticModel,
            ResourceType::UnitTest,
            ResourceType::Macro,
            ResourceType::Doc,
            ResourceType::Function,
            ResourceType::SqlOperation,
        ];
        ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    #[default]
    Sql,
    Python,
    Javascript,
}

impl Language {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sql => "sql",
            Self::Python => "python",
            Self::Javascript => "javascript",
        }
    }
}

/// `checksum: {name, checksum}`: `sha256` of the file's text with its ends stripped, `path` for a seed over 1 MiB, `none`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checksum {
    pub name: &'static str,
    pub checksum: String,
}

/// `docs: {show, node_color}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Docs {
    pub show: bool,
    pub node_color: Option<String>,
}

impl Default for Docs {
    fn default() -> Self {
        Self { show: true, node_color: None }
    }
}

/// One `ref(…)` as written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct RefCall {
    pub package: Option<String>,
    pub name: String,
    pub version: Option<VersionText>,
}

/// A model version: its text, and whether it was written as a number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VersionText {
    pub text: String,
    pub number: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DependsOn {
    pub macros: Vec<UniqueId>,
    pub nodes: Vec<UniqueId>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Constraint {
    /// The constraint's keys as the manifest writes them (type, name, expression, warn_unenforced, to, to_columns, columns …).
    pub body: JsonMap,
}

/// A documented column.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ColumnInfo {
    pub name: String,
    pub description: String,
    pub meta: JsonMap,
    pub data_type: Option<String>,
    pub constraints: Vec<Constraint>,
    pub quote: Option<bool>,
    pub tags: Vec<String>,
    /// `config: {meta, tags}` as merged.
    pub config: JsonMap,
    pub granularity: Option<String>,
    pub doc_blocks: Vec<UniqueId>,
    /// Other keys that were given (`policy_tags`, `dimension`, `entity` …).
    pub extra: JsonMap,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    pub enforced: bool,
    pub alias_types: bool,
    pub checksum: Option<String>,
}

impl Default for Contract {
    fn default() -> Self {
        Self { enforced: false, alias_types: true, checksum: None }
    }
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct ModelDetail {
    /// `private`, `protected` or `public`.
    pub access: String,
    pub version: Option<VersionText>,
    pub latest_version: Option<VersionText>,
    pub deprecation_date: Option<String>,
    pub primary_key: Vec<String>,
    pub time_spine: Option<Json>,
    pub constraints: Vec<Constraint>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct TestMetadata {
    pub name: String,
    pub kwargs: JsonMap,
    pub namespace: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct TestDetail {
    /// Generic tests have it, singular ones don't.
    pub metadata: Option<TestMetadata>,
    pub column_name: Option<String>,
    /// `models.orders`, `sources.raw`: where in the property file it was written.
    pub file_key_name: Option<String>,
    pub attached_node: Option<UniqueId>,
}

/// What only one kind of node has.
#[derive(Debug, Clone, PartialEq)]
pub enum Detail {
    Model(ModelDetail),
    Seed {
        root_path: String,
        delimiter: Option<String>,
    },
    Snapshot,
    Analysis,
    Test(TestDetail),
    /// on-run-start / on-run-end entries, with their index.
    Operation {
        index: usize,
    },
    SqlOperation,
    /// A SQL UDF: its keys as the manifest writes them.
    Function(JsonMap),
}

/// A node with SQL (or Python, or a CSV file) of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub unique_id: UniqueId,
    pub resource_type: ResourceType,
    pub name: String,
    pub package_name: Arc<str>,
    /// Below the resource folder: `staging/stg_orders.sql`; for a generic test its file name.
    pub path: String,
    /// Below the package's root: `models/staging/stg_orders.sql`.
    pub original_file_path: String,
    pub fqn: Vec<String>,
    pub database: Option<String>,
    pub schema: String,
    pub alias: String,
    /// Rendered and quoted; None where nothing is materialized.
    pub relation_name: Option<String>,
    pub checksum: Checksum,
    pub config: Config,
    pub unrendered_config: JsonMap,
    pub config_call_dict: JsonMap,
    pub unrendered_config_call_dict: JsonMap,
    pub tags: Vec<String>,
    pub description: String,
    pub columns: IndexMap<String, ColumnInfo>,
    pub meta: JsonMap,
    pub group: Option<String>,
    pub docs: Docs,
    pub doc_blocks: Vec<UniqueId>,
    /// `package://models/schema.yml`.
    pub patch_path: Option<String>,
    /// Seconds since 1970.
    pub created_at: f64,
    pub raw_code: Arc<str>,
    pub language: Language,
    pub refs: Vec<RefCall>,
    pub sources: Vec<(String, String)>,
    pub metrics: Vec<Vec<String>>,
    pub functions: Vec<Vec<String>>,
    pub depends_on: DependsOn,
    pub contract: Contract,
    pub detail: Detail,
    /// Where its text begins in its file: blocks of a file (snapshots) do not begin at 0.
    pub source_offset: usize,
}

impl Node {
    pub fn model(&self) -> Option<&ModelDetail> {
        if let Detail::Model(model) = &self.detail { Some(model) } else { None }
    }

    /// The name with its version, as dbt shows it: `orders.v2`.
    pub fn versioned_name(&self) -> String {
        match self.model().and_then(|model| model.version.as_ref()) {
            Some(version) => format!("{}.v{}", self.name, version.text),
            None => self.name.clone(),
        }
    }

    pub fn test(&self) -> Option<&TestDetail> {
        if let Detail::Test(test) = &self.detail { Some(test) } else { None }
    }

    /// An incremental model of the strategy `microbatch`.
    pub fn is_microbatch(&self) -> bool {
        self.resource_type == ResourceType::Model
            && self.config.materialized() == "incremental"
            && self.config.text("incremental_strategy") == Some("microbatch")
    }

    pub fn is_ephemeral(&self) -> bool {
        self.resource_type == ResourceType::Model && self.config.materialized() == "ephemeral"
    }
}
