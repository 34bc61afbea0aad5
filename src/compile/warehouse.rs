//! What the sessions of one run share: the adapter, the relation cache, how statements are signed and macros are found.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::query_comment::{CommentSettings, Template, default_comment};
use super::relation_cache::RelationCache;
use crate::adapter::Adapter;
use crate::diagnostic::Diagnostic;
use crate::event::{Event, Events};
use crate::jinja::Error;
use crate::jinja::objects::adapter_methods::AdapterFacts;
use crate::manifest::{MacroRegistry, UniqueId};

/// One a run.
pub struct Warehouse {
    pub adapter: Arc<dyn Adapter>,
    pub cache: Arc<RelationCache>,
    pub events: Events,
    pub facts: AdapterFacts,
    pub comment: CommentSettings,
    pub signature: Signature,
    /// Renders a `query-comment` of the project's own.
    pub renderer: Option<CommentRenderer>,
    /// The target's database, for methods that are not told one.
    pub database: Option<String>,
    /// `dispatch` of dbt_project.yml: namespace → packages to search.
    pub dispatch: Vec<(String, Vec<String>)>,
    /// Names of all packages, the root's first.
    pub packages: Vec<Arc<str>>,
    pub macros: Arc<MacroRegistry>,
    /// Nodes may ask: off with `--no-introspect`.
    pub introspect: bool,
    warned: Mutex<HashSet<String>>,
    pub(super) constraints: Mutex<KnownConstraints>,
    /// Sources that a plugin loaded in this run.
    pub(super) loaded: Mutex<HashSet<UniqueId>>,
}

/// Renders a comment's template for a node, or for a connection that works for none.
pub type CommentRenderer = Box<dyn Fn(&str, Option<&UniqueId>, &str) -> Result<String, Error> + Send + Sync>;

/// Who runs: what the default query comment says.
#[derive(Debug, Clone, Default)]
pub struct Signature {
    pub profile: String,
    pub target: String,
    pub dbt_version: String,
}

/// Constraints and database types, asked once a run.
#[derive(Debug, Default)]
pub(super) struct KnownConstraints {
    /// Database → its type: `duckdb`, `sqlite`, `ducklake` …
    pub databases: Option<HashMap<String, String>>,
    /// (database, schema) → table → constraint types; all in lower case.
    pub by_schema: HashMap<(String, String), HashMap<String, Vec<String>>>,
}

/// What [`Warehouse::new`] needs.
pub struct WarehouseParts {
    pub adapter: Arc<dyn Adapter>,
    pub cache: Arc<RelationCache>,
    pub events: Events,
    pub facts: AdapterFacts,
    pub comment: CommentSettings,
    pub signature: Signature,
    pub renderer: Option<CommentRenderer>,
    pub database: Option<String>,
    pub dispatch: Vec<(String, Vec<String>)>,
    pub packages: Vec<Arc<str>>,
    pub macros: Arc<MacroRegistry>,
    pub introspect: bool,
}

impl Warehouse {
    pub fn new(parts: WarehouseParts) -> Self {
        let mut facts = parts.facts;
        facts.kind = parts.adapter.kind().into();
        facts.features = parts.adapter.features().clone();
        Self {
            adapter: parts.adapter,
            cache: parts.cache,
            events: parts.events,
            facts,
            comment: parts.comment,
            signature: parts.signature,
            renderer: parts.renderer,
            database: parts.database,
            dispatch: parts.dispatch,
            packages: parts.packages,
            macros: parts.macros,
            introspect: parts.introspect,
            warned: Mutex::default(),
            constraints: Mutex::default(),
            loaded: Mutex::default(),
        }
    }

    /// An adapter with nothing else around it: for tests and tools.
    pub fn plain(adapter: Arc<dyn Adapter>) -> Self {
        Self::new(WarehouseParts {
            adapter,
            cache: Arc::default(),
            events: Events::none(),
            facts: AdapterFacts::default(),
            comment: CommentSettings::read(None),
            signature: Signature::default(),
            renderer: None,
            database: None,
            dispatch: Vec::new(),
            packages: Vec::new(),
            macros: Arc::default(),
            introspect: true,
        })
    }

    /// The comment of a node's (or connection's) statements; empty where the project wants none.
    pub fn comment(&self, node: Option<&UniqueId>, connection: &str) -> Result<Arc<str>, Error> {
        match (&self.comment.template, &self.renderer) {
            (Template::Default, _) => {
                let Signature { profile, target, dbt_version } = &self.signature;
                Ok(default_comment(profile, target, dbt_version, node.map(UniqueId::as_str), connection).into())
            }
            (Template::Custom(template), Some(renderer)) => renderer(template, node, connection).map(Into::into),
            (Template::Custom(_), None) | (Template::None, _) => Ok("".into()),
        }
    }

    /// A warning that is told once a run.
    pub fn warn_once(&self, message: &str) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.insert(message.to_string()) {
            let warning = Diagnostic::warning("W0701", message).event("AdapterEventWarning");
            self.events.emit(Event::Diagnostic(Box::new(warning)));
        }
    }

    /// Where adapters look a macro up that they call themselves: the root project, then installed packages, then the built-in
    /// ones (dbt's `execute_macro`).
    pub fn package_of(&self, name: &str) -> Option<&str> {
        let registry = &*self.macros;
        if registry.in_package(&registry.root, name).is_some() {
            return Some(&registry.root);
        }
        let imported = registry.packages.keys().rev().filter(|package| !registry.internal.contains(package));
        let built_in = registry.internal.iter();
        imported.chain(built_in).find(|package| registry.in_package(package, name).is_some()).map(|package| &**package)
    }

    /// The packages that `adapter.dispatch(…, namespace)` searches; None stands for the names as the running code sees them.
    pub fn dispatch_order(&self, namespace: Option<&str>) -> Vec<Option<&str>> {
        let Some(namespace) = namespace else { return vec![None] };
        if let Some((_, order)) = self.dispatch.iter().find(|(name, _)| name == namespace) {
            return order.iter().map(|package| Some(package.as_str())).collect();
        }
        match self.packages.iter().find(|package| &***package == namespace) {
            Some(package) => vec![Some(&self.facts.project_name), Some(package)],
            None => vec![None],
        }
    }
}
