//! What all nodes of one run share: the resolved project and what the run has found out so far.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use chrono::{DateTime, Utc};

use super::deferral::Deferral;
use super::plugins;
use super::query_comment::{self, CommentSettings};
use super::relation_cache::RelationCache;
use super::warehouse::{CommentRenderer, Signature, Warehouse, WarehouseParts};
use crate::adapter::Adapter;
use crate::artifacts::{self, CompiledNodes};
use crate::event::{Compiled, Events};
use crate::fs::FileSystem;
use crate::jinja::objects::adapter_methods::AdapterFacts;
use crate::jinja::{self, Engine, Error, Host, Message, Undefined, Value};
use crate::manifest::{Dialect, Include, Json, JsonMap, Lookup, Manifest, Node, Relation, Source, TimeSpan, UniqueId};
use crate::project::context::BaseContext;
use crate::project::{FileKind, Package, Project, SourceFile};

/// Flags of the invocation that change what SQL says or does.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// `--empty`: refs and sources give no rows.
    pub empty: bool,
    /// `--full-refresh`.
    pub full_refresh: bool,
    /// `--sample`: the span of event time that is read.
    pub sample: Option<TimeSpan>,
    /// `--event-time-start` and `--event-time-end`.
    pub event_time: Option<TimeSpan>,
    /// Where the last batch of a microbatch model ends that has no other end: when the invocation began, or the one that is
    /// retried.
    pub batches_until: DateTime<Utc>,
    /// `--no-introspect` forbids queries while compiling.
    pub introspect: bool,
    pub inject_ephemeral_ctes: bool,
    /// `exceptions.warn` fails: `--warn-error` covers it.
    pub warnings_fail: bool,
    /// Write `target/compiled` and `target/run`.
    pub write_files: bool,
}

/// One run. Workers share it; it grows only by what has been compiled.
pub struct RunContext {
    pub project: Arc<Project>,
    pub manifest: Arc<Manifest>,
    pub lookup: Lookup,
    pub engine: Arc<Engine>,
    pub adapter: Arc<dyn Adapter>,
    pub warehouse: Arc<Warehouse>,
    pub fs: Arc<dyn FileSystem>,
    pub events: Events,
    pub cache: Arc<RelationCache>,
    pub options: RunOptions,
    pub deferral: Deferral,
    /// Which parts of a name are quoted: all, but for the project's `quoting:`.
    pub quote: Include,
    /// Unique ids that the selection holds, sorted: Jinja's `selected_resources`.
    pub selected: Vec<UniqueId>,
    /// The project has Python models, or names plugins.
    pub uses_python: bool,
    /// By package and path.
    files: HashMap<Arc<str>, HashMap<Arc<str>, Arc<SourceFile>>>,
    graph: OnceLock<Arc<Json>>,
    runtime_config: OnceLock<Value>,
    contexts: HashMap<Arc<str>, Arc<BaseContext>>,
    compiled: RwLock<CompiledNodes>,
}

/// What [`RunContext::new`] needs.
pub struct RunParts {
    pub project: Arc<Project>,
    pub manifest: Arc<Manifest>,
    pub engine: Arc<Engine>,
    pub adapter: Arc<dyn Adapter>,
    pub fs: Arc<dyn FileSystem>,
    pub events: Events,
    pub options: RunOptions,
    pub deferral: Deferral,
    pub selected: Vec<UniqueId>,
}

impl RunContext {
    pub fn new(parts: RunParts) -> Arc<Self> {
        let contexts = parts.project.packages.iter().map(|package| {
            let context = BaseContext::new(&parts.project, &package.name);
            (package.name.clone(), Arc::new(context))
        });
        let files = parts.project.packages.iter().map(|package| {
            let files = package.files.iter().map(|file| (file.original_path.clone(), file.clone()));
            (package.name.clone(), files.collect())
        });
        let files = files.collect();
        let quote = quoting(Include::default(), &parts.project.root_package().config.quoting);
        let warehouse = Arc::new(warehouse(&parts, quote));
        let uses_python = plugins::uses_python(&parts.manifest);
        if uses_python {
            parts.adapter.expect_python();
        }
        Arc::new(Self {
            cache: warehouse.cache.clone(),
            warehouse,
            contexts: contexts.collect(),
            lookup: Lookup::new(&parts.manifest),
            project: parts.project,
            manifest: parts.manifest,
            engine: parts.engine,
            adapter: parts.adapter,
            fs: parts.fs,
            events: parts.events,
            options: parts.options,
            deferral: parts.deferral,
            quote,
            selected: parts.selected,
            uses_python,
            files,
            graph: OnceLock::new(),
            runtime_config: OnceLock::new(),
            compiled: RwLock::default(),
        })
    }

    /// The file that a node is written in.
    pub fn file(&self, node: &Node) -> Option<&Arc<SourceFile>> {
        self.files.get(&*node.package_name)?.get(&*node.original_file_path)
    }

    /// The file of a package that holds the body of a function of that name.
    pub fn function_file(&self, package: &str, name: &str) -> Option<&Arc<SourceFile>> {
        let stem = |file: &SourceFile| file.path.rsplit('/').next().and_then(|last| last.split('.').next()) == Some(name);
        self.project.package(package)?.files.iter().find(|file| file.kind == FileKind::Function && stem(file))
    }

    /// Jinja's `graph`. It is made when first asked for; dbt's grows while nodes are compiled, since the macros that a compile
    /// finds are added to the node's `depends_on.macros`, and so does this one. `now` are those of the node that asks.
    pub fn graph(&self, now: Option<(&UniqueId, Vec<UniqueId>)>) -> Arc<Json> {
        let base = self.graph.get_or_init(|| Arc::new(artifacts::graph(&self.manifest)));
        let compiled = self.compiled.read().unwrap_or_else(PoisonError::into_inner);
        let before = compiled.iter().map(|(id, compiled)| (id, compiled.macros.clone()));
        let found: Vec<(&UniqueId, Vec<UniqueId>)> =
            before.chain(now).filter(|(id, macros)| self.knows_more(id, macros)).collect();
        if found.is_empty() {
            return base.clone();
        }
        let mut graph = Json::clone(base);
        for (id, macros) in found {
            let known =
                graph.pointer_mut(&format!("/nodes/{}/depends_on/macros", id.as_str().replace('~', "~0").replace('/', "~1")));
            if let Some(known) = known.and_then(Json::as_array_mut) {
                let new = macros.iter().map(|id| Json::from(id.as_str())).filter(|id| !known.contains(id)).collect::<Vec<_>>();
                known.extend(new);
            }
        }
        Arc::new(graph)
    }

    /// Are there macros among these that parsing did not see the node call?
    fn knows_more(&self, id: &UniqueId, macros: &[UniqueId]) -> bool {
        let node = self.manifest.nodes.get(id);
        node.is_some_and(|node| macros.iter().any(|found| !node.depends_on.macros.contains(found)))
    }

    /// What packages read of dbt's `RuntimeConfig`, by way of `builtins.ref.config`: the projects and what was asked for.
    pub fn runtime_config(&self) -> &Value {
        self.runtime_config.get_or_init(|| {
            let project = &*self.project;
            let of = |package: &Package| {
                let config = &package.config;
                let version = config.version.clone();
                serde_json::json!({"project_name": config.name, "version": version, "vars": config.vars, "packages_install_path": config.packages_install_path})
            };
            let mut root = of(project.root_package());
            let dependencies: JsonMap =
                project.packages.iter().map(|package| (package.name.to_string(), of(package))).collect();
            if let Some(root) = root.as_object_mut() {
                root.insert("dependencies".to_owned(), dependencies.into());
                root.insert("cli_vars".to_owned(), project.cli_vars.clone().into());
                root.insert("args".to_owned(), project.invocation.args.clone().into());
                root.insert("profile_name".to_owned(), project.profile.name.clone().into());
                root.insert("target_name".to_owned(), project.profile.target.clone().into());
            }
            jinja::from_shared_json(Arc::new(root))
        })
    }

    /// `var`, `env_var`, `target` and their like, as code of a package sees them.
    pub fn base(&self, package: &str) -> Option<&Arc<BaseContext>> {
        self.contexts.get(package).or_else(|| self.contexts.get(&self.project.root_package().name))
    }

    pub fn compiled(&self, id: &str) -> Option<Arc<Compiled>> {
        self.compiled.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    pub fn keep_compiled(&self, id: &UniqueId, compiled: Arc<Compiled>) {
        self.compiled.write().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), compiled);
    }

    pub fn dialect(&self) -> Dialect {
        self.warehouse.facts.dialect()
    }

    /// Where a node stands in the warehouse.
    pub fn relation(&self, node: &Node) -> Relation {
        let mut relation = Relation::new(node.database.as_deref(), &node.schema, &node.alias);
        relation.dialect = self.dialect();
        relation.quote = node.config.object("quoting").map_or(self.quote, |own| quoting(self.quote, own));
        relation
    }

    /// Where a source's table stands, or what is read instead of it (dbt-duckdb's `external_location`). The project's quoting
    /// does not count for sources.
    pub fn source_relation(&self, source: &Source) -> Relation {
        let mut relation = Relation::new(source.database.as_deref(), &source.schema, &source.identifier);
        relation.dialect = self.dialect();
        relation.quote = quoting(Include::default(), &source.quoting);
        if relation.name() != source.relation_name {
            relation.rendered = Some(source.relation_name.as_str().into());
        }
        relation
    }

    /// Adds macros to those that a compiled node is known to call.
    pub fn note_macros(&self, id: &UniqueId, macros: Vec<UniqueId>) {
        let mut compiled = self.compiled.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = compiled.get_mut(id.as_str()) {
            let known = Arc::make_mut(known);
            let new = macros.into_iter().filter(|id| !known.macros.contains(id)).collect::<Vec<_>>();
            known.macros.extend(new);
        }
    }

    /// Remembers where a node's executed SQL was written. Seeds, which compile to nothing, get an entry for it.
    pub fn note_build_path(&self, id: &UniqueId, path: String) {
        let mut compiled = self.compiled.write().unwrap_or_else(PoisonError::into_inner);
        Arc::make_mut(compiled.entry(id.clone()).or_default()).build_path = Some(path.into());
    }

    /// Remembers which of its moment's hooks an operation was.
    pub fn note_hook(&self, id: &UniqueId, place: usize) {
        let mut compiled = self.compiled.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = compiled.get_mut(id.as_str()) {
            Arc::make_mut(known).hook = Some(place);
        }
    }

    /// All that has been compiled so far.
    pub fn all_compiled(&self) -> CompiledNodes {
        self.compiled.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn warehouse(parts: &RunParts, quote: Include) -> Warehouse {
    let project = &parts.project;
    let root = &project.root_package().config;
    Warehouse::new(WarehouseParts {
        adapter: parts.adapter.clone(),
        cache: Arc::default(),
        events: parts.events.clone(),
        facts: AdapterFacts {
            quoting: quote,
            flags: project.flags.clone(),
            project_name: project.root_package().name.clone(),
            config: project.profile.shown.clone(),
            ..AdapterFacts::default()
        },
        comment: CommentSettings::read(Some(&root.query_comment)),
        renderer: Some(comment_renderer(parts)),
        signature: Signature {
            profile: project.profile.name.clone(),
            target: project.profile.target.clone(),
            dbt_version: artifacts::DBT_VERSION.to_owned(),
        },
        database: project.profile.database.clone(),
        dispatch: root.dispatch.clone(),
        packages: project.packages.iter().map(|package| package.name.clone()).collect(),
        macros: parts.manifest.macros.clone(),
        introspect: parts.options.introspect,
    })
}

/// Renders a `query-comment` as the root project's code, with `node` and `connection_name`.
fn comment_renderer(parts: &RunParts) -> CommentRenderer {
    let (engine, manifest) = (parts.engine.clone(), parts.manifest.clone());
    let base = Arc::new(BaseContext::new(&parts.project, &parts.project.root_package().name));
    let package = parts.project.root_package().name.clone();
    Box::new(move |template, node, connection| {
        let node = node.and_then(|id| manifest.get(id.as_str()));
        let node = node.map_or_else(jinja::none, |node| jinja::from_shared_json(Arc::new(artifacts::resource(&node, None))));
        let host = CommentHost { package: package.clone(), base: base.clone(), node, connection: connection.into() };
        query_comment::render(&engine, template, Arc::new(host))
    })
}

/// What a query comment sees.
struct CommentHost {
    package: Arc<str>,
    base: Arc<BaseContext>,
    node: Value,
    connection: Arc<str>,
}

impl Host for CommentHost {
    fn package(&self) -> &str {
        &self.package
    }

    fn global(&self, name: &str) -> Option<Value> {
        match name {
            "node" => Some(self.node.clone()),
            "connection_name" => Some(Value::from(&*self.connection)),
            "execute" => Some(true.into()),
            _ => self.base.global(name),
        }
    }

    fn undefined(&self) -> Undefined {
        Undefined::Lenient
    }

    fn message(&self, _: Message) -> Result<(), Error> {
        Ok(())
    }
}

/// A quoting policy changed by `quoting:` keys that are given.
pub(super) fn quoting(base: Include, keys: &JsonMap) -> Include {
    let given = |key: &str, base: bool| keys.get(key).and_then(Json::as_bool).unwrap_or(base);
    Include {
        database: given("database", base.database),
        schema: given("schema", base.schema),
        identifier: given("identifier", base.identifier),
    }
}
