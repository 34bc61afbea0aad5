//! What Jinja sees while a node (or an operation) is compiled and executed.

use std::sync::{Arc, Mutex, PoisonError};

use indexmap::{IndexMap, IndexSet};

use super::config_object::ConfigObject;
use super::run_context::RunContext;
use super::session::Session;
use super::{Batch, adapter_object, references};
use crate::adapter::{PythonTask, Response};
use crate::artifacts;
use crate::diagnostic::{Diagnostic, SourceText};
use crate::event::{Compiled, Event};
use crate::jinja::{self, Args, Cx, Error, Host, Message, Template, Undefined, Value, objects};
use crate::manifest::{Json, JsonMap, Node, Relation, Resource, ResourceType, UniqueId};

/// Whose code runs.
#[derive(Debug, Clone)]
pub enum Scope {
    /// A node: refs must have been seen when it was parsed.
    Node(Arc<Node>),
    /// A macro called by `run-operation`, or a query of `show --inline`: it may ref anything but ephemeral models.
    Operation,
    /// A query given on the command line: it may ref anything.
    Inline,
}

/// The context of one node's renders and materialization. Cheap to clone; clones share what was found out.
#[derive(Clone)]
pub struct RuntimeHost(Arc<Inner>);

pub(super) struct Inner {
    pub run: Arc<RunContext>,
    pub session: Arc<Session>,
    pub scope: Scope,
    pub package: Arc<str>,
    /// What wins over everything else: `sql`, `compiled_code`, `results`, a unit test's inputs …
    pub extra: IndexMap<String, Value>,
    /// A unit test's given relations: what `ref` and `source` answer instead.
    pub inputs: Option<Arc<super::unit_test::Inputs>>,
    /// The batch of a microbatch model that this is about.
    pub batch: Option<Arc<Batch>>,
    /// What the node was compiled to, where it is not what the run keeps: an overload of a function.
    pub compiled: Option<Arc<Compiled>>,
    /// Ephemeral models that were referred to, in order.
    pub ctes: Mutex<IndexSet<UniqueId>>,
    /// Macros called at `noted_depth`: what dbt adds to the node's `depends_on.macros`.
    pub macros: Mutex<IndexSet<UniqueId>>,
    pub noted_depth: usize,
}

impl RuntimeHost {
    pub fn new(run: &Arc<RunContext>, session: &Arc<Session>, scope: Scope, extra: IndexMap<String, Value>) -> Self {
        let package = match &scope {
            Scope::Node(node) => node.package_name.clone(),
            Scope::Operation | Scope::Inline => run.project.root_package().name.clone(),
        };
        Self(Arc::new(Inner {
            run: run.clone(),
            session: session.clone(),
            scope,
            package,
            extra,
            inputs: None,
            batch: None,
            compiled: None,
            ctes: Mutex::default(),
            macros: Mutex::default(),
            noted_depth: 0,
        }))
    }

    /// The same with something changed; what was noted so far is not taken over.
    fn changed(&self, change: impl FnOnce(&mut Inner)) -> Self {
        let inner = &*self.0;
        let mut changed = Inner {
            run: inner.run.clone(),
            session: inner.session.clone(),
            scope: inner.scope.clone(),
            package: inner.package.clone(),
            extra: inner.extra.clone(),
            inputs: inner.inputs.clone(),
            batch: inner.batch.clone(),
            compiled: inner.compiled.clone(),
            ctes: Mutex::default(),
            macros: Mutex::default(),
            noted_depth: inner.noted_depth,
        };
        change(&mut changed);
        Self(Arc::new(changed))
    }

    /// For code of a package that isn't the node's own.
    #[must_use]
    pub fn in_package(self, package: &Arc<str>) -> Self {
        self.changed(|inner| inner.package = package.clone())
    }

    /// For a unit test: `ref` and `source` answer its inputs.
    #[must_use]
    pub fn with_inputs(self, inputs: Arc<super::unit_test::Inputs>) -> Self {
        self.changed(|inner| inner.inputs = Some(inputs))
    }

    /// For one batch of a microbatch model.
    #[must_use]
    pub fn with_batch(self, batch: Arc<Batch>) -> Self {
        self.changed(|inner| inner.batch = Some(batch))
    }

    /// For an overload of a function, with what that was compiled to.
    #[must_use]
    pub fn with_compiled(self, compiled: Arc<Compiled>) -> Self {
        self.changed(|inner| inner.compiled = Some(compiled))
    }

    /// Notes the macros that a materialization calls, not those that the text calls.
    #[must_use]
    pub fn noting_materialization(self) -> Self {
        self.changed(|inner| inner.noted_depth = 1)
    }

    /// Notes no macros: what a model's materialization calls is not the model's.
    #[must_use]
    pub fn noting_nothing(self) -> Self {
        self.changed(|inner| inner.noted_depth = usize::MAX)
    }

    /// The macros noted so far.
    pub fn macros(&self) -> Vec<UniqueId> {
        self.0.macros.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// The ephemeral models that the renders so far referred to.
    pub fn ctes(&self) -> Vec<UniqueId> {
        self.0.ctes.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    pub fn shared(&self) -> Arc<dyn Host> {
        Arc::new(self.clone())
    }
}

impl Inner {
    pub(super) fn node(&self) -> Option<&Arc<Node>> {
        if let Scope::Node(node) = &self.scope { Some(node) } else { None }
    }

    /// What the node was compiled to, in the batch or overload that this is about.
    fn compiled(&self) -> Option<Arc<Compiled>> {
        match (&self.batch, &self.compiled) {
            (Some(batch), _) => batch.compiled.clone(),
            (None, Some(compiled)) => Some(compiled.clone()),
            (None, None) => self.run.compiled(self.node()?.unique_id.as_str()),
        }
    }
}

impl Host for RuntimeHost {
    fn package(&self) -> &str {
        &self.0.package
    }

    /// What is given for one render wins over macros, too.
    fn before_macros(&self, name: &str) -> Option<Value> {
        self.0.extra.get(name).cloned().or_else(|| self.0.inputs.as_ref()?.overridden(name))
    }

    fn undefined(&self) -> Undefined {
        Undefined::Lenient
    }

    fn macro_called(&self, unique_id: &str, depth: usize) {
        if depth == self.0.noted_depth {
            let mut macros = self.0.macros.lock().unwrap_or_else(PoisonError::into_inner);
            if !macros.contains(unique_id) {
                macros.insert(unique_id.into());
            }
        }
    }

    fn message(&self, message: Message) -> Result<(), Error> {
        let node = self.0.node().map(|node| node.unique_id.clone());
        let events = &self.0.run.events;
        match message {
            Message::Debug(text) => events.emit(Event::Log { text, info: false, node }),
            Message::Info(text) => events.emit(Event::Log { text, info: true, node }),
            Message::Print(text) => events.emit(Event::Print { text }),
            Message::Warn(text) if self.0.run.options.warnings_fail => return Err(Error::compilation(text)),
            Message::Warn(text) => {
                let mut diagnostic = Diagnostic::warning("W0305", text).event("JinjaLogWarning");
                diagnostic.unique_id = node.map(|id| id.shared());
                events.emit(Event::Diagnostic(Box::new(diagnostic)));
            }
        }
        Ok(())
    }

    fn global(&self, name: &str) -> Option<Value> {
        let inner = &self.0;
        if let Some(value) = inner.extra.get(name) {
            return Some(value.clone());
        }
        let value = match name {
            "execute" => true.into(),
            "ref" => {
                let (inner, run) = (inner.clone(), inner.run.clone());
                let config = move || run.runtime_config().clone();
                jinja::function_with("ref", ("config", config), move |cx, args| references::reference(&inner, cx, args))
            }
            "source" => self.function("source", references::source),
            "function" => self.function("function", references::function),
            "metric" => self.function("metric", references::metric),
            "config" => ConfigObject::value(inner.node().cloned(), inner.batch.clone()),
            "this" => inner.node().and_then(|node| this(&inner.run, node)).map_or(Value::from(()), objects::relation::value),
            "model" => inner.node().map_or(Value::from(()), |node| model(inner, node)),
            "graph" => jinja::from_shared_json(inner.run.graph(inner.node().map(|node| (&node.unique_id, self.macros())))),
            "adapter" => adapter_object::value(&inner.session),
            "api" => objects::api_with(inner.run.quote, inner.run.dialect()),
            "schema" => {
                inner.node().map_or_else(|| inner.run.project.profile.schema.as_str().into(), |node| node.schema.as_str().into())
            }
            "database" => database(inner),
            "pre_hooks" | "post_hooks" => hooks(inner.node(), if name == "pre_hooks" { "pre-hook" } else { "post-hook" }),
            "sql" | "compiled_code" => compiled_code(inner),
            "selected_resources" => jinja::list(inner.run.selected.iter().map(|id| id.as_str().into()).collect()),
            "render" => self.render(),
            "load_result" => self.function("load_result", |inner, _, args| load_result(inner, &args)),
            "store_result" => self.function("store_result", |inner, _, args| store_result(inner, &args)),
            "store_raw_result" => self.function("store_raw_result", |inner, _, args| store_raw_result(inner, &args)),
            "load_agate_table" => self.function("load_agate_table", |inner, _, _| load_agate_table(inner)),
            "write" => self.function("write", |inner, _, args| write(inner, &args)),
            "submit_python_job" => self.function("submit_python_job", |inner, _, args| submit_python_job(inner, &args)),
            "defer_relation" => {
                let other = inner.node().and_then(|node| inner.run.deferred(node));
                other.map_or(Value::from(()), objects::relation::value)
            }
            "results" | "schemas" | "database_schemas" => return None,
            _ => return inner.run.base(&inner.package)?.global(name),
        };
        Some(value)
    }
}

impl RuntimeHost {
    /// `render(text)`: a text with Jinja (a hook), rendered in this same context.
    fn render(&self) -> Value {
        let host = self.clone();
        jinja::function("render", move |_, args| {
            let text = required(&args, "render", 0, "string")?;
            let source = host.0.node().map_or("render()", |node| node.original_file_path.as_str());
            let template = Template::whole(SourceText::new(source, text));
            host.0.run.engine.render(&template, host.shared()).map(Value::from)
        })
    }

    fn function(
        &self,
        name: &'static str,
        call: impl Fn(&Arc<Inner>, &mut Cx, Args) -> Result<Value, Error> + Send + Sync + 'static,
    ) -> Value {
        let inner = self.0.clone();
        jinja::function(name, move |cx, args| call(&inner, cx, args))
    }
}

/// The node's own relation; operations have none.
pub(super) fn this(run: &RunContext, node: &Node) -> Option<Relation> {
    (node.resource_type != ResourceType::Operation).then(|| run.relation(node))
}

/// The node as Jinja's `model` shows it: `compiled_sql` beside `compiled_code`, as old macros want it.
fn model(inner: &Inner, node: &Arc<Node>) -> Value {
    let compiled = inner.compiled();
    let mut json = artifacts::model(&Resource::Node(node.clone()), compiled.as_deref());
    if let (Some(deferred), Some(shown)) = (inner.run.deferral.relations.get(&node.unique_id), json.get_mut("defer_relation")) {
        *shown = deferred.shown.clone();
    }
    if let Some(code) = json.get("compiled_code").cloned()
        && let Some(map) = json.as_object_mut()
    {
        map.insert("compiled_sql".to_owned(), code);
    }
    translate_types(node, &mut json);
    let model = jinja::from_shared_json(Arc::new(json));
    if let Some(batch) = &inner.batch {
        batch.add_to(&model);
    }
    model
}

/// A contract's `string` is whatever the warehouse calls it, unless `alias_types` is off.
fn translate_types(node: &Node, json: &mut Json) {
    let columns = json.get_mut("columns").and_then(Json::as_object_mut).filter(|_| node.contract.alias_types);
    for kind in columns.into_iter().flat_map(JsonMap::values_mut).filter_map(|column| column.get_mut("data_type")) {
        if let Some(text) = kind.as_str() {
            *kind = objects::column::translate_type(text).into();
        }
    }
}

fn database(inner: &Inner) -> Value {
    let of_node = inner.node().and_then(|node| node.database.as_deref());
    of_node.or(inner.run.project.profile.database.as_deref()).map_or(Value::from(()), Value::from)
}

/// The node's hooks as the materializations take them: `[{sql, transaction, index}]`; empty for seeds' and models' tests.
fn hooks(node: Option<&Arc<Node>>, key: &str) -> Value {
    let Some(node) = node else { return Value::from(()) };
    if matches!(node.resource_type, ResourceType::Test | ResourceType::Analysis) {
        return jinja::list(Vec::new());
    }
    jinja::list(node.config.list(key).iter().map(jinja::from_json).collect())
}

fn compiled_code(inner: &Inner) -> Value {
    if let Some(code) = inner.node().and_then(|node| inner.run.clone_code(node)) {
        return code.into();
    }
    inner.compiled().map_or(Value::from(()), |compiled| Value::from(compiled.code.as_ref()))
}

fn load_result(inner: &Inner, args: &Args) -> Result<Value, Error> {
    let name = required(args, "the function", 0, "name")?;
    inner.session.load_result(&name)
}

fn store_result(inner: &Inner, args: &Args) -> Result<Value, Error> {
    let name = required(args, "the function", 0, "name")?;
    let response = args.get(1, "response").cloned().unwrap_or_default();
    inner.session.store_result(&name, response, args.get(2, "agate_table"));
    Ok("".into())
}

fn store_raw_result(inner: &Inner, args: &Args) -> Result<Value, Error> {
    let name = required(args, "the function", 0, "name")?;
    let text = |position, key| args.text(position, key);
    let response = Response {
        message: text(1, "message").unwrap_or_default(),
        code: text(2, "code"),
        rows_affected: text(3, "rows_affected").and_then(|rows| rows.parse().ok()),
        query_id: None,
    };
    inner.session.store_result(&name, objects::response::value(response), args.get(4, "agate_table"));
    Ok("".into())
}

/// The seed's CSV file as a table, types inferred as dbt's agate does.
fn load_agate_table(inner: &Inner) -> Result<Value, Error> {
    let node = inner.node().filter(|node| node.resource_type == ResourceType::Seed);
    let node = node.ok_or_else(|| Error::compilation("load_agate_table can only be called for seeds"))?;
    super::seed_file::load(&inner.run, node)
}

/// `write(payload)`: keeps what is run under `target/run`.
fn write(inner: &Inner, args: &Args) -> Result<Value, Error> {
    if let (Some(node), true) = (inner.node(), inner.run.options.write_files) {
        let payload = required(args, "write", 0, "payload")?;
        if let Some(batch) = &inner.batch {
            super::write_file(&inner.run, "run", &batch.path(node), &payload)?;
        } else {
            let path = artifacts::output_path(node);
            super::write_file(&inner.run, "run", &path, &payload)?;
            inner.run.note_build_path(&node.unique_id, super::shown_path(&inner.run, "run", &path));
        }
    }
    Ok("".into())
}

/// `submit_python_job(parsed_model, compiled_code)`: runs a Python model where the data is.
fn submit_python_job(inner: &Inner, args: &Args) -> Result<Value, Error> {
    let code = required(args, "submit_python_job", 1, "compiled_code")?;
    let part =
        |name: &str| args.get(0, "parsed_model").and_then(|model| jinja::get(model, name)).map(|value| jinja::text(&value));
    let (name, file) = (part("alias").unwrap_or_default(), part("original_file_path").unwrap_or_default());
    inner.session.run_python(&PythonTask::Model { name: &name, code: &code, file: &file })?;
    Ok(objects::response::value(Response { message: "OK".to_owned(), ..Response::default() }))
}

/// An argument that must be there, as text.
pub(super) fn required(args: &Args, function: &str, position: usize, name: &str) -> Result<String, Error> {
    args.required(function, position, name).map(jinja::text)
}
