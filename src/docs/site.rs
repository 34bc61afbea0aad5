//! What the site shows, gathered once: resources with their places, tests, results and neighbours.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::artifacts::{CatalogTable, PastResult, PastRun};
use crate::manifest::{ColumnInfo, JsonMap, Macro, Resource, ResourceType, UniqueId};

/// All that the pages are made from. Positions (`usize`) are those of `nodes`, `tests` and `macros`.
#[derive(Default)]
pub struct Site {
    pub project: String,
    pub adapter: String,
    /// The first page's text, Markdown: the doc block `__overview__`, else the project's README.
    pub overview: Option<String>,
    /// What takes part in the graph, tests left out; by unique id.
    pub nodes: Vec<Node>,
    /// Data tests and unit tests, by unique id.
    pub tests: Vec<Test>,
    /// Macros of the project and its packages; the built-in ones have no page.
    pub macros: Vec<MacroEntry>,
    pub groups: Vec<Group>,
    pub packages: Vec<Package>,
    pub relationships: Vec<Relationship>,
    /// Names of columns that more than one node has, in lower case: those have pages.
    pub shared_columns: HashSet<String>,
    /// Past invocations, the newest first.
    pub runs: Vec<PastRun>,
    pub(super) by_id: HashMap<UniqueId, usize>,
}

impl Site {
    pub(super) fn index(&mut self) {
        self.by_id = self.nodes.iter().enumerate().map(|(at, node)| (node.id.clone(), at)).collect();
    }

    /// Where a resource of the graph stands.
    pub fn position(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }
}

/// A model, seed, snapshot, source, exposure, metric, semantic model, saved query, analysis or function.
pub struct Node {
    pub id: UniqueId,
    /// Below the site's folder.
    pub url: String,
    pub kind: ResourceType,
    /// As people call it: `orders`, `orders.v2`, `raw.orders`.
    pub name: String,
    pub package: String,
    /// The folders its file is in: `models`, `staging`.
    pub folder: Vec<String>,
    /// Below its package's root.
    pub path: String,
    pub fqn: Vec<String>,
    /// Empty where nothing is built: sources, exposures.
    pub materialization: String,
    pub owner: Option<String>,
    pub group: Option<String>,
    pub tags: Vec<String>,
    pub columns: Vec<Column>,
    /// The tests that read it, first those attached to it.
    pub tests: Vec<usize>,
    /// The worst of its own last run and its tests' last results.
    pub state: State,
    /// Its runs, the newest first.
    pub past: Vec<Ran>,
    pub parents: Vec<usize>,
    pub children: Vec<usize>,
    /// Macros that it calls, as far as they have pages.
    pub macros: Vec<usize>,
    pub relation: Option<String>,
    pub database: Option<String>,
    pub schema: Option<String>,
    pub catalog: Option<CatalogTable>,
    pub freshness: Option<JsonMap>,
    /// The checked source that is the furthest behind, among those that it is made from and itself.
    pub stalest: Option<usize>,
    pub compiled: Option<Arc<str>>,
    pub resource: Resource,
}

impl Node {
    pub fn description(&self) -> &str {
        match &self.resource {
            Resource::Node(node) => &node.description,
            Resource::Source(source) => &source.description,
            Resource::Exposure(exposure) => &exposure.description,
            Resource::Metric(semantic) | Resource::SemanticModel(semantic) | Resource::SavedQuery(semantic) => {
                &semantic.description
            }
            Resource::UnitTest(test) => &test.description,
        }
    }

    pub fn meta(&self) -> &JsonMap {
        match &self.resource {
            Resource::Node(node) => &node.meta,
            Resource::Source(source) => &source.meta,
            Resource::Exposure(exposure) => &exposure.meta,
            Resource::Metric(semantic) | Resource::SemanticModel(semantic) | Resource::SavedQuery(semantic) => &semantic.meta,
            Resource::UnitTest(test) => &test.meta,
        }
    }

    pub fn last(&self) -> Option<&PastResult> {
        self.past.first().map(|ran| &*ran.result)
    }

    /// The documented columns, where its kind has any.
    pub fn documented(&self) -> Option<&indexmap::IndexMap<String, ColumnInfo>> {
        match &self.resource {
            Resource::Node(node) => Some(&node.columns),
            Resource::Source(source) => Some(&source.columns),
            _ => None,
        }
    }
}

/// A column, as the warehouse and the properties know it.
#[derive(Default)]
pub struct Column {
    pub name: String,
    pub kind: Option<String>,
    /// A constraint or the contract says that it is the primary key, or tests say so.
    pub primary: bool,
    /// Markdown.
    pub description: String,
    /// The node whose description this is, where it is not its own.
    pub inherited_from: Option<usize>,
    pub constraints: Vec<String>,
    pub tags: Vec<String>,
    pub meta: JsonMap,
    pub tests: Vec<usize>,
    /// Documented, but the warehouse does not have it.
    pub missing: bool,
}

/// How something stands, by its last results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum State {
    #[default]
    NotRun,
    Pass,
    Skipped,
    Warn,
    Fail,
    Error,
}

impl State {
    /// What lists show by itself.
    pub fn is_bad(self) -> bool {
        matches!(self, Self::Warn | Self::Fail | Self::Error)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotRun => "notrun",
            Self::Pass => "pass",
            Self::Skipped => "skipped",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Error => "error",
        }
    }

    /// Of a status as run_results.json and sources.json spell it.
    pub fn of(status: &str) -> Self {
        match status {
            "success" | "pass" => Self::Pass,
            "warn" | "interrupted" | "unfinished" => Self::Warn,
            "fail" => Self::Fail,
            "error" | "runtime error" | "partial success" => Self::Error,
            "skipped" => Self::Skipped,
            _ => Self::NotRun,
        }
    }
}

/// One result of the run history.
#[derive(Debug, Clone)]
pub struct Ran {
    /// Which of `Site::runs`.
    pub run: usize,
    pub result: Arc<PastResult>,
}

/// A data test or a unit test.
pub struct Test {
    pub id: UniqueId,
    /// A page of its own, or a place on that of all generic tests of a node.
    pub url: String,
    pub name: String,
    /// `unique`, `accepted_values`; the whole name where it is not generic.
    pub short: String,
    pub column: Option<String>,
    /// What it reads, the resource it is attached to first.
    pub nodes: Vec<usize>,
    pub state: State,
    pub past: Vec<Ran>,
    pub compiled: Option<Arc<str>>,
    pub resource: Resource,
}

pub struct MacroEntry {
    pub url: String,
    pub of: Arc<Macro>,
    /// Nodes and tests that call it directly.
    pub used_by: Vec<usize>,
    pub tests: Vec<usize>,
    /// Macros that call it, and that it calls.
    pub callers: Vec<usize>,
    pub calls: Vec<usize>,
}

pub struct Group {
    pub name: String,
    pub url: String,
    pub description: String,
    /// `{name, email, …}`.
    pub owner: JsonMap,
}

pub struct Package {
    pub name: String,
    pub url: String,
    pub version: Option<String>,
    /// `__<package>__`, Markdown.
    pub overview: Option<String>,
}

/// A column that refers to another: a relationships test, or a foreign key.
pub struct Relationship {
    pub from: usize,
    pub from_column: String,
    pub to: usize,
    pub to_column: String,
    /// A foreign key; else a test.
    pub enforced: bool,
    pub test: Option<usize>,
}
