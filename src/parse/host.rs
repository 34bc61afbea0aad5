//! Jinja's context at parse time: nothing runs, and what is asked for is written down.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::diagnostic::SourceText;
use crate::jinja::{
    self, Args, Cx, Engine, Error, Host, Instance, Message, Template, Undefined, Value, function, instance, objects,
};
use crate::manifest::{Json, JsonMap, Relation, RelationType, ResourceType, UniqueId};
use crate::project::context::{self, BaseContext};

use super::calls::{self, Arguments};
use super::parse_adapter::ParseAdapter;
use super::test_namespace::TestNamespace;
use super::{Capture, CaptureNode};

/// What one render asked for; shared between the host and the functions it gave out.
#[derive(Debug, Default)]
pub struct Recorder {
    capture: Mutex<Capture>,
    messages: Mutex<Vec<Message>>,
}

impl Recorder {
    fn capture(&self) -> MutexGuard<'_, Capture> {
        self.capture.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what was written down so far.
    pub fn take(&self) -> Capture {
        let mut capture = std::mem::take(&mut *self.capture());
        capture.messages = std::mem::take(&mut *self.messages.lock().unwrap_or_else(PoisonError::into_inner));
        capture
    }
}

impl context::Recorder for Recorder {
    fn var(&self, name: &str) {
        self.capture().reads.vars.insert(name.to_owned());
    }

    fn env_var(&self, name: &str) {
        self.capture().reads.env_vars.insert(name.to_owned());
    }

    fn volatile(&self) {
        self.capture().reads.volatile = true;
    }
}

/// The host of one node's render.
pub struct CaptureHost {
    pub base: BaseContext,
    pub engine: Arc<Engine>,
    pub adapter: Arc<ParseAdapter>,
    pub node: Arc<CaptureNode>,
    pub recorder: Arc<Recorder>,
    /// A generic test sees these macros alone.
    pub namespace: Option<Arc<TestNamespace>>,
    /// A generic test's arguments, rendered.
    pub test_kwargs: Option<Value>,
    pub results: Arc<Mutex<JsonResults>>,
    /// Renders for a macro that is running: what it calls is no dependency of the node itself.
    pub nested: bool,
}

/// Results that the text stored itself, by name: nothing else can be loaded at parse time.
pub type JsonResults = Vec<(String, Value)>;

impl Host for CaptureHost {
    fn package(&self) -> &str {
        &self.node.package.name
    }

    fn global(&self, name: &str) -> Option<Value> {
        self.own(name).or_else(|| self.base.global(name))
    }

    fn before_macros(&self, name: &str) -> Option<Value> {
        let namespace = self.namespace.as_ref()?;
        let own = if namespace.has(name) { None } else { self.global(name) };
        own.or_else(|| namespace.lookup(&self.engine, &self.node.package.name, name))
    }

    fn dispatches_anywhere(&self) -> bool {
        self.namespace.is_some()
    }

    fn undefined(&self) -> Undefined {
        Undefined::Capture
    }

    fn macro_called(&self, unique_id: &str, depth: usize) {
        if depth > 0 || self.nested {
            return;
        }
        let mut capture = self.recorder.capture();
        if !capture.macros.contains(unique_id) {
            capture.macros.insert(UniqueId::from(unique_id));
        }
    }

    fn message(&self, message: Message) -> Result<(), Error> {
        self.recorder.messages.lock().unwrap_or_else(PoisonError::into_inner).push(message);
        Ok(())
    }
}

impl CaptureHost {
    fn own(&self, name: &str) -> Option<Value> {
        let none = || Some(Value::from(()));
        match name {
            "execute" => Some(Value::from(false)),
            "ref" => Some(self.recording("ref", calls::record_ref, Returned::This)),
            "source" => Some(self.recording("source", calls::record_source, Returned::This)),
            "function" => Some(self.recording("function", calls::record_function, Returned::Function)),
            "metric" => Some(self.recording("metric", calls::record_metric, Returned::Metric)),
            "config" => Some(instance(Arc::new(ConfigObject { recorder: self.recorder.clone() }))),
            "adapter" => Some(instance(self.adapter.clone())),
            "api" => Some(self.adapter.api()),
            "column" => Some(objects::column::class(self.adapter.dialect())),
            "this" if self.node.resource_type == ResourceType::Operation => none(),
            "this" => Some(self.this(None)),
            "model" => Some(jinja::from_json(&self.model())),
            "database" | "schema" => {
                let relation = self.node.relation.as_ref()?;
                let part = if name == "schema" { &relation.schema } else { &relation.database };
                Some(part.as_deref().map_or(Value::from(()), Value::from))
            }
            "env" => self.base.global("target"),
            "graph" => Some(jinja::from_json(&Json::Object(JsonMap::new()))),
            "pre_hooks" | "post_hooks" | "selected_resources" => Some(jinja::list(Vec::new())),
            "sql" | "compiled_code" | "sql_now" | "defer_relation" | "load_agate_table" => none(),
            "load_result" => Some(self.load_result()),
            "store_result" => Some(self.store_result("response")),
            "store_raw_result" => Some(self.store_result("message")),
            "render" => Some(self.render()),
            "write" => Some(function("write", |_, _| Ok(Value::from("")))),
            "submit_python_job" => Some(function("submit_python_job", |_, _| {
                Err(Error::compilation("submit_python_job can only be called by a materialization's statement"))
            })),
            "adapter_macro" => Some(function("adapter_macro", |_, _| {
                let message =
                    "The \"adapter_macro\" macro has been deprecated: call `adapter.dispatch(name)` and then its result";
                Err(Error::compilation(message))
            })),
            "_dbt_generic_test_kwargs" => self.test_kwargs.clone(),
            _ => None,
        }
    }

    /// The same host for an object that outlives the call.
    pub fn shared(&self) -> Self {
        Self {
            base: self.base.clone(),
            engine: self.engine.clone(),
            namespace: self.namespace.clone(),
            adapter: self.adapter.clone(),
            node: self.node.clone(),
            recorder: self.recorder.clone(),
            test_kwargs: self.test_kwargs.clone(),
            results: self.results.clone(),
            nested: self.nested,
        }
    }

    fn this(&self, kind: Option<RelationType>) -> Value {
        match &self.node.relation {
            None => Value::from(()),
            Some(relation) => objects::relation::value(Relation { kind: kind.or(relation.kind), ..relation.clone() }),
        }
    }

    /// `render(text)`: renders a text with all that this one knows.
    fn render(&self) -> Value {
        let host = self.shared();
        function("render", move |cx, args| {
            let text = jinja::text(args.required("render", 0, "string")?);
            let template = Template::whole(SourceText::new(host.node.original_file_path.as_str(), text));
            let nested = Arc::new(Self { nested: host.nested || cx.depth() > 0, ..host.shared() });
            host.engine.render(&template, nested).map(Value::from)
        })
    }

    /// A function that writes its arguments down.
    fn recording(
        &self,
        name: &'static str,
        record: fn(&mut Capture, &Arguments) -> Result<(), String>,
        returned: Returned,
    ) -> Value {
        let recorder = self.recorder.clone();
        let relation = match returned {
            Returned::This => self.this(None),
            Returned::Function => self.this(Some(RelationType::Function)),
            Returned::Metric => Value::from(()),
        };
        function(name, move |_, args| {
            let arguments = as_json(&args)?;
            record(&mut recorder.capture(), &arguments).map_err(Error::compilation)?;
            match returned {
                Returned::This | Returned::Function => Ok(relation.clone()),
                Returned::Metric => Ok(instance(Arc::new(MetricReference::new(&arguments)))),
            }
        })
    }

    /// The node as `model` shows it before anything about it is resolved.
    fn model(&self) -> Json {
        let node = &self.node;
        let text = |part: Option<&Arc<str>>| part.map_or(Json::Null, |part| Json::from(&**part));
        let relation = node.relation.as_ref();
        serde_json::json!({
            "database": text(relation.and_then(|relation| relation.database.as_ref())),
            "schema": text(relation.and_then(|relation| relation.schema.as_ref())),
            "name": node.name,
            "resource_type": node.resource_type.as_str(),
            "package_name": &*node.package.name,
            "path": node.path,
            "original_file_path": node.original_file_path,
            "unique_id": node.unique_id.as_str(),
            "fqn": node.fqn,
            "alias": text(relation.and_then(|relation| relation.identifier.as_ref())),
            "config": {},
            "tags": [],
            "description": "",
            "columns": {},
            "meta": {},
            "raw_code": &*node.raw_code,
            "language": node.language.as_str(),
            "refs": [],
            "sources": [],
            "metrics": [],
            "depends_on": {"macros": [], "nodes": []},
        })
    }

    fn load_result(&self) -> Value {
        let results = self.results.clone();
        function("load_result", move |_, args| {
            let Some(name) = args.get(0, "name") else { return Ok(Value::from(())) };
            let name = name.to_string();
            let results = results.lock().unwrap_or_else(PoisonError::into_inner);
            let found = results.iter().rev().find(|(stored, _)| *stored == name);
            Ok(found.map_or(Value::from(()), |(_, value)| value.clone()))
        })
    }

    /// `store_result(name, response, agate_table)` and `store_raw_result(name, message, code, rows_affected, agate_table)`.
    fn store_result(&self, second: &'static str) -> Value {
        let results = self.results.clone();
        let table_at = if second == "response" { 2 } else { 4 };
        function("store_result", move |_, args| {
            let argument = |at, name| args.get(at, name).cloned().unwrap_or_else(|| Value::from(()));
            let entries = [
                ("response", argument(1, second)),
                ("data", jinja::list(Vec::new())),
                ("table", argument(table_at, "agate_table")),
            ];
            let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
            results.push((argument(0, "name").to_string(), jinja::dict(entries)));
            Ok(Value::from(""))
        })
    }
}

/// What a recording function answers.
#[derive(Clone, Copy)]
enum Returned {
    This,
    Function,
    Metric,
}

fn as_json(args: &Args) -> Result<Arguments, Error> {
    // A date is what a property file would say for it.
    let plain = |value: &Value| jinja::iso_text(value).map_or_else(|| jinja::to_json(value), |text| Ok(text.into()));
    let positional = args.positional.iter().map(plain).collect::<Result<_, _>>()?;
    let keyword = args.keyword.iter().map(|(key, value)| Ok((key.clone(), plain(value)?)));
    Ok(Arguments { positional, keyword: keyword.collect::<Result<_, Error>>()? })
}

/// `config`: calls are written down, and every question is answered with nothing, as in dbt.
#[derive(Debug)]
struct ConfigObject {
    recorder: Arc<Recorder>,
}

impl ConfigObject {
    fn record(&self, arguments: Arguments) -> Result<Value, Error> {
        calls::record_config(&mut self.recorder.capture(), arguments).map_err(Error::compilation)?;
        Ok(Value::from(""))
    }
}

impl Instance for ConfigObject {
    fn type_name(&self) -> &'static str {
        "ParseConfigObject"
    }

    fn methods(&self) -> &'static [&'static str] {
        &["set", "get", "require", "meta_get", "meta_require", "persist_relation_docs", "persist_column_docs"]
    }

    fn call_method(&self, _cx: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        match name {
            "get" | "require" | "meta_get" | "meta_require" => Ok(Value::from("")),
            "persist_relation_docs" | "persist_column_docs" => Ok(Value::from(false)),
            "set" => {
                let Arguments { positional, .. } = as_json(&args)?;
                let [Json::String(key), value] = positional.as_slice() else {
                    return Err(Error::compilation("`config.set` takes a key and a value"));
                };
                let keyword = [(key.clone(), value.clone())].into_iter().collect();
                self.record(Arguments { positional: Vec::new(), keyword })
            }
            _ => Err(Error::missing_method(self.type_name(), name)),
        }
    }

    fn call(&self, _cx: &mut Cx<'_>, args: Args) -> Result<Value, Error> {
        self.record(as_json(&args)?)
    }

    fn is_callable(&self) -> bool {
        true
    }

    fn text(&self) -> String {
        "<ParseConfigObject>".to_owned()
    }
}

/// What `metric('orders')` gives.
#[derive(Debug)]
struct MetricReference {
    name: String,
    package: Option<String>,
}

impl MetricReference {
    fn new(arguments: &Arguments) -> Self {
        let mut texts = arguments.positional.iter().rev().filter_map(Json::as_str).map(str::to_owned);
        Self { name: texts.next().unwrap_or_default(), package: texts.next() }
    }
}

impl Instance for MetricReference {
    fn type_name(&self) -> &'static str {
        "MetricReference"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        match name {
            "metric_name" => Some(Value::from(self.name.as_str())),
            "package_name" => Some(self.package.as_deref().map_or(Value::from(()), Value::from)),
            _ => None,
        }
    }

    fn text(&self) -> String {
        self.name.clone()
    }
}
