//! Renders texts for what they ask for. One [`Captures`] serves a whole parse, from all threads.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::diagnostic::{Diagnostic, SourceText, Span};
use crate::jinja::{self, Engine, Error, Template, Value};
use crate::manifest::{Json, Relation, UniqueId};
use crate::project::context::BaseContext;
use crate::project::{Package, Project};
use crate::project::{late_in_property, render_yaml};
use crate::yaml::Yaml;

use super::calls::{self, Arguments};
use super::docs::has_jinja;
use super::host::{CaptureHost, Recorder};
use super::macros::MacroResolver;
use super::parse_adapter::ParseAdapter;
use super::python_model::{self, PythonCall, PythonFunction};
use super::test_namespace::TestNamespace;
use super::{Capture, CaptureNode, Draft, TestDraft, static_model};

/// What captures share.
pub struct Captures {
    project: Arc<Project>,
    engine: Arc<Engine>,
    adapter: Arc<ParseAdapter>,
    bases: HashMap<Arc<str>, OnceLock<BaseContext>>,
    namespaces: Mutex<HashMap<Option<UniqueId>, Arc<TestNamespace>>>,
}

impl Captures {
    pub fn new(project: &Arc<Project>, engine: &Arc<Engine>) -> Self {
        Self {
            project: project.clone(),
            engine: engine.clone(),
            adapter: Arc::new(ParseAdapter::new(project)),
            bases: project.packages.iter().map(|package| (package.name.clone(), OnceLock::new())).collect(),
            namespaces: Mutex::default(),
        }
    }

    /// A flag in force.
    pub fn flag(&self, name: &str) -> bool {
        self.project.flags.get(name).and_then(Json::as_bool).unwrap_or(false)
    }

    pub fn is_root(&self, package: &str) -> bool {
        *self.project.root_package().name == *package
    }

    /// Would dbt read a model of that package without rendering it? Not where a macro stands in for one of the three functions.
    pub fn reads_statically(&self, package: &str, text: &str) -> bool {
        let root = &self.project.root_package().name;
        let macros = &self.engine.macros;
        let replaced = |name: &&str| [package, root].iter().any(|package| macros.in_package(package, name).is_some());
        self.project.flags.get("static_parser").and_then(Json::as_bool).unwrap_or(true)
            && !["ref", "source", "config"].iter().any(replaced)
            && static_model::is_static(text)
    }

    /// A relation of that name where the profile's target points.
    pub fn default_relation(&self, name: &str) -> Relation {
        let profile = &self.project.profile;
        Relation {
            quote: self.adapter.quoting(),
            dialect: self.adapter.dialect(),
            ..Relation::new(profile.database.as_deref(), &profile.schema, name)
        }
    }

    /// Renders a node's text. With a diagnostic, the capture holds what was asked for until then.
    pub fn render(&self, node: &CaptureNode, text: &Template) -> (Capture, Option<Diagnostic>) {
        let Template { source, span } = text;
        if !has_jinja(source.text.get(span.start..span.end).unwrap_or_default()) {
            return (Capture::default(), None);
        }
        let host = Arc::new(self.host(node));
        let recorder = host.recorder.clone();
        let problem = self.engine.render(text, host).err();
        (recorder.take(), problem.map(|error| error.diagnostic().node(node.unique_id.shared())))
    }

    /// Renders an expression of a property file, `ref('x')`.
    pub fn expression(&self, node: &CaptureNode, expression: &str, place: (&SourceText, Span)) -> Result<Capture, Diagnostic> {
        let text = SourceText::new(place.0.name.clone(), format!("{{{{ {expression} }}}}"));
        let host = Arc::new(self.host(node));
        let recorder = host.recorder.clone();
        match self.engine.render(&Template::whole(text), host) {
            Ok(_) => Ok(recorder.take()),
            Err(error) => Err(at_place(&error, place).node(node.unique_id.shared())),
        }
    }

    /// Renders a generic test: its arguments first, then its code with them.
    pub fn render_test(
        &self,
        node: &CaptureNode,
        raw_code: &str,
        test: &TestDraft,
        namespace: Arc<TestNamespace>,
    ) -> (Capture, Option<Diagnostic>) {
        let place = (&test.place.0, test.place.1);
        let mut host = self.host(node);
        host.namespace = Some(namespace);
        let recorder = host.recorder.clone();
        let mut rendered = Vec::with_capacity(test.kwargs.len());
        for (name, value) in &test.kwargs {
            let value = if name == "column_name" { Ok(jinja::from_json(value)) } else { self.argument(value, &host, place) };
            match value {
                Ok(value) => rendered.push((name.as_str(), value)),
                Err(error) => return (recorder.take(), Some(at_place(&error, place).node(node.unique_id.shared()))),
            }
        }
        host.test_kwargs = Some(jinja::dict(rendered));
        let text = Template::whole(SourceText::new(place.0.name.clone(), raw_code));
        let problem = self.engine.render(&text, Arc::new(host)).err();
        (recorder.take(), problem.map(|error| at_place(&error, place).node(node.unique_id.shared())))
    }

    /// The macros that tests of that macro see.
    pub fn test_namespace(&self, resolver: &MacroResolver, test: Option<&UniqueId>) -> Arc<TestNamespace> {
        let mut known = self.namespaces.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(TestNamespace::new(resolver, test, self.flag("support_custom_ref_kwargs")));
        known.entry(test.cloned()).or_insert_with(new).clone()
    }

    /// An argument of a generic test as the test's macro gets it: texts are rendered, and so is a text that reads like a call
    /// of `ref`, `source`, `var`, `env_var` or `doc`.
    fn argument(&self, value: &Json, host: &CaptureHost, place: (&SourceText, Span)) -> Result<Value, Error> {
        match value {
            Json::Array(items) => {
                Ok(jinja::list(items.iter().map(|item| self.argument(item, host, place)).collect::<Result<_, _>>()?))
            }
            Json::Object(map) => {
                let pairs = map.iter().map(|(key, value)| Ok((key.as_str(), self.argument(value, host, place)?)));
                Ok(jinja::dict(pairs.collect::<Result<Vec<_>, Error>>()?))
            }
            Json::String(text) => {
                let text = if jinja::is_bare_call(text) { format!("{{{{ {text} }}}}") } else { text.clone() };
                if !has_jinja(&text) {
                    return Ok(Value::from(text));
                }
                self.engine.render_native(&text, place.0, place.1, Arc::new(host.shared()))
            }
            scalar => Ok(jinja::from_json(scalar)),
        }
    }

    /// A configuration value of a generic test: rendered with what property files know.
    pub fn render_test_config(&self, package: &Package, text: &str) -> Result<Json, Error> {
        if has_jinja(text) { self.base(&package.name).render_native(text) } else { Ok(text.into()) }
    }

    /// An entry of a property file, rendered where dbt renders it.
    pub fn render_property(
        &self,
        package: &Package,
        source: &SourceText,
        section: &str,
        entry: &Yaml,
    ) -> (Yaml, Vec<Diagnostic>) {
        render_yaml(entry, source, &self.base(&package.name), &|path| late_in_property(section, path))
    }

    /// What a Python model asks for, read from its text.
    pub fn read_python(&self, node: &CaptureNode, draft: &Draft) -> (Capture, Option<Diagnostic>) {
        let mut capture = Capture::default();
        let problem = |message: String, span: Span| {
            let span = Span::new(draft.span.start + span.start, draft.span.start + span.end);
            Some(Diagnostic::error("E0320", message).at(&draft.file.source, span).node(node.unique_id.shared()))
        };
        let calls = match python_model::calls(&draft.raw_code) {
            Ok(calls) => calls,
            Err(fault) => return (capture, problem(fault.message, fault.span)),
        };
        let mut asked = AskedConfig::default();
        for call in calls {
            let span = call.span;
            if let Err(message) = record_python(&mut capture, &mut asked, call) {
                return (capture, problem(message, span));
            }
        }
        capture.config_calls.extend(asked.into_config());
        (capture, None)
    }

    /// What all renders of a package share.
    fn base(&self, package: &str) -> BaseContext {
        let new = || BaseContext::new(&self.project, package);
        self.bases.get(package).map_or_else(new, |base| base.get_or_init(new).clone())
    }

    fn host(&self, node: &CaptureNode) -> CaptureHost {
        let recorder = Arc::new(Recorder::default());
        CaptureHost {
            base: self.base(&node.package.name).at_parse().recording(recorder.clone()),
            engine: self.engine.clone(),
            adapter: self.adapter.clone(),
            node: Arc::new(node.clone()),
            recorder,
            namespace: None,
            test_kwargs: None,
            results: Arc::default(),
            nested: false,
        }
    }
}

/// Keys that a Python model asks `dbt.config` for: they reach its compiled code through its configuration.
#[derive(Debug, Default)]
struct AskedConfig {
    keys: [Vec<Json>; 2],
    defaults: [Vec<Json>; 2],
}

impl AskedConfig {
    fn into_config(self) -> Option<crate::manifest::JsonMap> {
        if self.keys.iter().all(Vec::is_empty) {
            return None;
        }
        let [keys, meta_keys] = self.keys;
        let [defaults, meta_defaults] = self.defaults;
        let entries = [
            ("config_keys_used", keys),
            ("config_keys_defaults", defaults),
            ("meta_keys_used", meta_keys),
            ("meta_keys_defaults", meta_defaults),
        ];
        Some(entries.into_iter().map(|(key, values)| (key.to_owned(), Json::Array(values))).collect())
    }
}

fn record_python(capture: &mut Capture, asked: &mut AskedConfig, call: PythonCall) -> Result<(), String> {
    let PythonCall { function, positional, keyword, .. } = call;
    let which = usize::from(function == PythonFunction::ConfigMetaGet);
    match function {
        PythonFunction::Ref => calls::record_ref(capture, &Arguments { positional, keyword }),
        PythonFunction::Source => calls::record_source(capture, &Arguments { positional, keyword }),
        PythonFunction::Config => calls::record_config(capture, Arguments { positional, keyword }),
        PythonFunction::ConfigGet | PythonFunction::ConfigMetaGet => {
            let mut given = positional.into_iter();
            let (Some(key), default, None) = (given.next(), given.next(), given.next()) else {
                return Err("`dbt.config.get` takes a key, and a default if it has one".to_owned());
            };
            asked.keys[which].push(key);
            asked.defaults[which].push(default.unwrap_or_default());
            Ok(())
        }
    }
}

/// An error of a text that stands in a property file: told where that is, with the macros it went through.
fn at_place(error: &Error, place: (&SourceText, Span)) -> Diagnostic {
    let mut diagnostic = error.diagnostic();
    diagnostic.labels.retain(|label| label.source.name != place.0.name);
    let main = crate::diagnostic::Label { source: place.0.clone(), span: place.1, note: String::new() };
    diagnostic.labels.insert(0, main);
    diagnostic
}
