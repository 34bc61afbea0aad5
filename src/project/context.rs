//! What every rendering context shares: vars, the environment, the target, flags, and the invocation itself.

use std::sync::{Arc, LazyLock};

use indexmap::IndexMap;
use serde::Serialize;

use super::environment::SECRET_PREFIX;
use super::version::DBT_VERSION;
use super::{InvocationInfo, Project, flags};
use crate::diagnostic::{SourceText, Span};
use crate::jinja::{self, Args, Cx, Engine, Error, ErrorKind, Host, Instance, Message, Undefined, Value};
use crate::manifest::{Json, JsonMap};

/// Vars may name vars, but not without end.
const DEEPEST: usize = 20;

/// Told of what a render reads: for caches, and for what makes a render volatile.
pub trait Recorder: Send + Sync {
    /// `var(name)` or `var.has_var(name)`.
    fn var(&self, name: &str);
    fn env_var(&self, name: &str);
    /// The clock, the invocation's id, its flags or its target.
    fn volatile(&self);
}

/// What `var` does where nothing gives a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    /// An error: rendering of configuration, and execution.
    Fails,
    /// `None`: parsing, and `deps`.
    IsNone,
}

/// Vars, `env_var`, `target`, `flags` and their like, as the code of one package sees them. Cheap to clone.
#[derive(Clone)]
pub struct BaseContext {
    shared: Arc<Shared>,
    missing: Missing,
    recorder: Option<Arc<dyn Recorder>>,
    /// How many vars are being rendered within each other.
    depth: usize,
}

#[derive(Clone)]
struct Shared {
    package: Arc<str>,
    /// The root project's name; None while no project is known.
    project_name: Option<Arc<str>>,
    invocation: Arc<InvocationInfo>,
    vars: IndexMap<String, Arc<Json>>,
    target: Option<Arc<Json>>,
    flags: Arc<Json>,
    args: Arc<Json>,
    /// May `DBT_ENV_SECRET_*` be read?
    secrets: bool,
}

/// What a configuration context has besides vars.
#[derive(Debug, Clone, Default)]
pub(super) struct Given {
    /// None where no profile is known: any key of `target` is an empty text then.
    pub target: Option<JsonMap>,
    pub secrets: bool,
    pub vars_required: bool,
}

impl BaseContext {
    /// For code of `package`, once the project is loaded: as at execution, where a missing var is an error.
    pub fn new(project: &Project, package: &str) -> Self {
        Self::from_shared(Shared {
            package: package.into(),
            project_name: Some(project.root_package().name.clone()),
            invocation: project.invocation.clone(),
            vars: shared_vars(project.vars_of(package)),
            target: (!project.profile.shown.is_empty()).then(|| Arc::new(Json::Object(project.profile.shown.clone()))),
            flags: Arc::new(Json::Object(flags::shown(&project.flags))),
            args: Arc::new(Json::Object(project.invocation.args.clone())),
            secrets: false,
        })
    }

    /// For rendering configuration while the project is being loaded.
    pub(super) fn for_configuration(invocation: &Arc<InvocationInfo>, vars: JsonMap, given: Given) -> Self {
        let context = Self::from_shared(Shared {
            package: "".into(),
            project_name: None,
            invocation: invocation.clone(),
            vars: shared_vars(vars),
            target: given.target.filter(|target| !target.is_empty()).map(|target| Arc::new(Json::Object(target))),
            flags: Arc::new(Json::Object(flags::shown(&invocation.args))),
            args: Arc::new(Json::Object(invocation.args.clone())),
            secrets: given.secrets,
        });
        if given.vars_required { context } else { context.at_parse() }
    }

    fn from_shared(shared: Shared) -> Self {
        Self { shared: Arc::new(shared), missing: Missing::Fails, recorder: None, depth: 0 }
    }

    /// The same for parsing, where a missing var is `None`.
    #[must_use]
    pub fn at_parse(&self) -> Self {
        Self { missing: Missing::IsNone, ..self.clone() }
    }

    /// The same, telling `recorder` of what is read.
    #[must_use]
    pub fn recording(&self, recorder: Arc<dyn Recorder>) -> Self {
        Self { recorder: Some(recorder), ..self.clone() }
    }

    /// The same with other values of some vars: a unit test's overrides.
    #[must_use]
    pub fn with_vars(&self, overrides: &JsonMap) -> Self {
        let mut shared = (*self.shared).clone();
        shared.vars.extend(shared_vars(overrides.clone()));
        Self { shared: Arc::new(shared), ..self.clone() }
    }

    /// The same with other values of some environment variables: a unit test's overrides.
    #[must_use]
    pub fn with_env(&self, overrides: &JsonMap) -> Self {
        let mut shared = (*self.shared).clone();
        let old = &shared.invocation;
        let mut env = old.env.clone();
        env.extend(overrides.iter().map(|(name, value)| (name.clone(), plain_text(value))));
        shared.invocation = Arc::new(InvocationInfo { env, ..InvocationInfo::clone(old) });
        Self { shared: Arc::new(shared), ..self.clone() }
    }

    pub fn package(&self) -> &str {
        &self.shared.package
    }

    /// A var's value as given, not rendered.
    pub fn var(&self, name: &str) -> Option<&Json> {
        self.shared_var(name).map(|value| &**value)
    }

    fn shared_var(&self, name: &str) -> Option<&Arc<Json>> {
        if let Some(recorder) = &self.recorder {
            recorder.var(name);
        }
        self.shared.vars.get(name)
    }

    /// A variable of the environment, None where it is not set. An error for a secret that may not be read here; where it may,
    /// it is given as a placeholder, which [`Self::render_native`] replaces at the end.
    pub fn env_var(&self, name: &str) -> Result<Option<String>, Error> {
        let is_secret = name.starts_with(SECRET_PREFIX);
        if is_secret && !self.shared.secrets {
            let message =
                format!("Secret env vars are allowed only in profiles.yml or packages.yml. Found '{name}' referenced elsewhere.");
            return Err(Error::new(ErrorKind::Parsing, message));
        }
        if let Some(recorder) = &self.recorder {
            recorder.env_var(name);
        }
        let value = self.shared.invocation.env.get(name);
        Ok(value.map(|value| if is_secret { placeholder(name) } else { value.clone() }))
    }

    /// Renders one text of configuration: a single expression keeps its type.
    pub fn render_native(&self, text: &str) -> Result<Json, Error> {
        let source = SourceText::new("", text);
        let span = Span::new(0, text.len());
        let value = ENGINE.render_native(text, &source, span, Arc::new(ConfigurationHost(self.clone())))?;
        if !jinja::is_defined(&value) {
            let message = format!("nothing is known by the name in '{}'", text.trim());
            return Err(Error::new(ErrorKind::Undefined, message));
        }
        Ok(self.reveal(jinja::to_json(&value)?))
    }

    /// Renders to text.
    pub fn render(&self, text: &str) -> Result<String, Error> {
        let template = jinja::Template::whole(SourceText::new("", text));
        ENGINE.render(&template, Arc::new(ConfigurationHost(self.clone())))
    }

    /// Secrets in place of their placeholders.
    fn reveal(&self, value: Json) -> Json {
        match value {
            Json::String(text) if self.shared.secrets && text.contains(SECRET_START) => {
                let secrets = self.shared.invocation.env.iter().filter(|(name, _)| name.starts_with(SECRET_PREFIX));
                secrets.fold(text, |text, (name, value)| text.replace(&placeholder(name), value)).into()
            }
            Json::Array(items) => items.into_iter().map(|item| self.reveal(item)).collect(),
            Json::Object(map) => map.into_iter().map(|(key, value)| (key, self.reveal(value))).collect(),
            other => other,
        }
    }

    fn volatile(&self) {
        if let Some(recorder) = &self.recorder {
            recorder.volatile();
        }
    }

    /// The value of a name that all contexts know; None for any other.
    pub fn global(&self, name: &str) -> Option<Value> {
        let shared = &self.shared;
        if matches!(name, "target" | "flags" | "invocation_id" | "run_started_at" | "invocation_args_dict") {
            self.volatile();
        }
        Some(match name {
            "var" => jinja::instance(Arc::new(Var(self.clone()))),
            "env_var" => {
                let context = self.clone();
                jinja::function("env_var", move |_, args| context.call_env_var(&args))
            }
            "target" => match &shared.target {
                Some(target) => jinja::from_shared_json(target.clone()),
                None => jinja::instance(Arc::new(NoTarget)),
            },
            "flags" => jinja::from_shared_json(shared.flags.clone()),
            "dbt_version" => DBT_VERSION.into(),
            "project_name" => Value::from(shared.project_name.as_deref()?),
            "invocation_id" => shared.invocation.invocation_id.as_str().into(),
            "run_started_at" => jinja::datetime(shared.invocation.run_started_at.naive_utc(), Some(0)),
            "invocation_args_dict" => jinja::from_shared_json(shared.args.clone()),
            "dbt_metadata_envs" => jinja::from_json(&Json::Object(shared.invocation.metadata_env.clone())),
            _ => return None,
        })
    }

    fn call_env_var(&self, args: &Args) -> Result<Value, Error> {
        args.only("env_var", &["var", "default"])?;
        let name = jinja::text(args.required("env_var", 0, "var")?);
        if let Some(value) = self.env_var(&name)? {
            return Ok(value.into());
        }
        args.given(1, "default").cloned().ok_or_else(|| {
            let mut error = Error::new(ErrorKind::Parsing, format!("Env var required but not provided: '{name}'"));
            error.help = Some(format!("set it, or give a default: env_var('{name}', 'value')").into());
            error
        })
    }
}

/// Configuration calls no macros: one engine without any serves all of it.
static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new(Arc::default()));

const SECRET_START: &str = "$$$DBT_SECRET_START$$$";

/// Stands for a secret while Jinja runs, so that filters cannot take it apart.
fn placeholder(name: &str) -> String {
    format!("{SECRET_START}{name}$$$DBT_SECRET_END$$$")
}

fn shared_vars(vars: JsonMap) -> IndexMap<String, Arc<Json>> {
    vars.into_iter().map(|(name, value)| (name, Arc::new(value))).collect()
}

fn plain_text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Answers Jinja in YAML values.
struct ConfigurationHost(BaseContext);

impl Host for ConfigurationHost {
    fn package(&self) -> &str {
        self.0.package()
    }

    fn global(&self, name: &str) -> Option<Value> {
        self.0.global(name)
    }

    fn undefined(&self) -> Undefined {
        Undefined::Strict
    }

    fn message(&self, _: Message) -> Result<(), Error> {
        Ok(())
    }
}

/// Jinja's `var`: a function with a method.
struct Var(BaseContext);

impl std::fmt::Debug for Var {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Var")
    }
}

impl Instance for Var {
    fn type_name(&self) -> &'static str {
        "Var"
    }

    fn methods(&self) -> &'static [&'static str] {
        &["has_var"]
    }

    fn call_method(&self, _: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        if name != "has_var" {
            return Err(Error::missing_method(self.type_name(), name));
        }
        let name = jinja::text(args.required("has_var", 0, "var_name")?);
        Ok(self.0.shared_var(&name).is_some().into())
    }

    fn call(&self, cx: &mut Cx<'_>, args: Args) -> Result<Value, Error> {
        args.only("var", &["var_name", "default"])?;
        let name = jinja::text(args.required("var", 0, "var_name")?);
        match self.0.shared_var(&name) {
            Some(value) => self.rendered(cx, &name, value),
            None => args.get(1, "default").cloned().map_or_else(|| self.missing(&name), Ok),
        }
    }

    fn is_callable(&self) -> bool {
        true
    }

    fn text(&self) -> String {
        "<dbt.context.base.Var object>".to_owned()
    }
}

impl Var {
    /// Texts that hold Jinja are rendered each time they are read: with what all contexts know, or, where that is not enough,
    /// with all that the text that asks for the var knows: macros, `this`, …
    fn rendered(&self, cx: &mut Cx<'_>, name: &str, value: &Arc<Json>) -> Result<Value, Error> {
        match value.as_str().filter(|text| super::render::is_jinja(text)) {
            Some(_) if self.0.depth >= DEEPEST => Err(Error::compilation(format!("the var '{name}' names itself"))),
            Some(text) => match (BaseContext { depth: self.0.depth + 1, ..self.0.clone() }).render(text) {
                Err(error) if error.kind == jinja::ErrorKind::Undefined => match cx.lookup("render") {
                    Some(render) => cx.call(&render, Args::new(vec![text.into()])),
                    None => Err(error),
                },
                rendered => rendered.map(Value::from),
            },
            None => Ok(jinja::from_shared_json(value.clone())),
        }
    }

    fn missing(&self, name: &str) -> Result<Value, Error> {
        if self.0.missing == Missing::IsNone {
            return Ok(jinja::none());
        }
        let vars = &self.0.shared.vars;
        let mut known: JsonMap = vars.iter().map(|(name, value)| (name.clone(), Json::clone(value))).collect();
        known.sort_keys();
        let known = indented(&known);
        let package = &self.0.shared.package;
        let package = if package.is_empty() { "<Configuration>" } else { package };
        let mut error =
            Error::compilation(format!("Required var '{name}' not found in config:\nVars supplied to {package} = {known}"));
        error.help = Some(match crate::diagnostic::nearest(name, vars.keys().map(String::as_str)) {
            Some(near) => format!("did you mean '{near}'?").into(),
            None => "give it with --vars, under `vars:` in dbt_project.yml, or a default: var('name', 'value')".into(),
        });
        Err(error)
    }
}

/// As Python's `json.dumps(…, indent=4)`.
fn indented(map: &JsonMap) -> String {
    let mut text = Vec::new();
    let form = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let written = map.serialize(&mut serde_json::Serializer::with_formatter(&mut text, form));
    written.ok().and_then(|()| String::from_utf8(text).ok()).unwrap_or_default()
}

/// `target` where no profile is known: every key is an empty text.
#[derive(Debug)]
struct NoTarget;

impl Instance for NoTarget {
    fn type_name(&self) -> &'static str {
        "dict"
    }

    fn attribute(&self, _: &str) -> Option<Value> {
        Some("".into())
    }

    fn text(&self) -> String {
        "{}".to_owned()
    }

    fn truthy(&self) -> bool {
        false
    }
}

impl Project {
    /// Vars as the code of a package sees them: `--vars` over the root's (for the package, then for all) over the package's own.
    pub fn vars_of(&self, package: &str) -> JsonMap {
        let mut merged = JsonMap::new();
        let mut add = |vars: &JsonMap| {
            merged.extend(vars.iter().map(|(name, value)| (name.clone(), value.clone())));
            if let Some(own) = vars.get(package).and_then(Json::as_object) {
                merged.extend(own.iter().map(|(name, value)| (name.clone(), value.clone())));
            }
        };
        let root = self.root_package();
        if *package != *root.name
            && let Some(own) = self.package(package)
        {
            add(&own.config.vars);
        }
        add(if self.vars_file.is_empty() { &root.config.vars } else { &self.vars_file });
        merged.extend(self.cli_vars.iter().map(|(name, value)| (name.clone(), value.clone())));
        merged
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Mutex;

    use super::*;

    fn context(secrets: bool) -> BaseContext {
        let env = [("HOST", "db"), ("PORT", "5432"), ("DBT_ENV_SECRET_PASS", "hunter2")];
        let env: HashMap<String, String> = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let started = chrono::DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let invocation = Arc::new(InvocationInfo { env, run_started_at: started, ..InvocationInfo::default() });
        let vars = serde_json::json!({
            "n": 3, "list": [1, 2], "no": false, "host": "{{ env_var('HOST') }}!", "loop": "{{ var('loop') }}", "text": "x"
        });
        let target = serde_json::json!({"name": "dev", "schema": "main"}).as_object().cloned();
        let given = Given { target, secrets, vars_required: true };
        BaseContext::for_configuration(&invocation, vars.as_object().cloned().unwrap(), given)
    }

    fn shown(text: &str) -> String {
        match context(false).render_native(text) {
            Ok(value) => value.to_string(),
            Err(error) => format!("ERR {}", error.message),
        }
    }

    #[test]
    fn values_keep_their_types() {
        for (text, expected) in [
            ("{{ var('n') }}", "3"),
            ("{{ var('n') }} ", "\"3 \""),
            ("{{ var('list') }}", "[1,2]"),
            ("{{ var('no') }}", "false"),
            ("{{ var('none', 'default') }}", "\"default\""),
            ("{{ var('none', false) }}", "false"),
            ("{{ var('host') }}", "\"db!\""),
            ("{{ var.has_var('n') and not var.has_var('none') }}", "true"),
            ("{{ env_var('PORT') }}", "\"5432\""),
            ("{{ env_var('PORT') | as_number }}", "5432"),
            ("{{ env_var('NONE', 'x') }}", "\"x\""),
            ("{{ target.schema }}_{{ target['name'] }}", "\"main_dev\""),
            ("{{ run_started_at.strftime('%Y-%m-%d %H') }}", "\"2023-11-14 22\""),
            ("{{ run_started_at }}x", "\"2023-11-14 22:13:20+00:00x\""),
            ("{{ dbt_version }}", "\"1.12.6\""),
            ("plain", "\"plain\""),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_missing_is_said() {
        for (text, part) in [
            ("{{ var('tex') }}", "Required var 'tex' not found in config:\nVars supplied to "),
            ("{{ env_var('NONE') }}", "Env var required but not provided: 'NONE'"),
            ("{{ env_var('DBT_ENV_SECRET_PASS') }}", "Secret env vars are allowed only in"),
            ("{{ var('loop') }}", "names itself"),
            ("{{ nothing }}", "nothing"),
            ("{{ var( }}", ""),
        ] {
            let shown = shown(text);
            assert!(shown.starts_with("ERR ") && shown.contains(part), "{text}: {shown}");
        }
        assert_eq!(context(false).at_parse().render_native("{{ var('tex') }}").unwrap(), Json::Null);
    }

    #[test]
    fn secrets_cannot_be_taken_apart() {
        let context = context(true);
        assert_eq!(context.render_native("a-{{ env_var('DBT_ENV_SECRET_PASS') }}").unwrap(), "a-hunter2");
        assert_eq!(context.render_native("{{ env_var('DBT_ENV_SECRET_PASS') }}").unwrap(), "hunter2");
        let reversed = context.render_native("{{ env_var('DBT_ENV_SECRET_PASS') | reverse }}");
        assert!(reversed.is_err() || !reversed.unwrap().to_string().contains("2retnuh"));
    }

    #[test]
    fn reads_are_recorded() {
        #[derive(Default)]
        struct Log(Mutex<Vec<String>>);
        impl Recorder for Log {
            fn var(&self, name: &str) {
                self.0.lock().unwrap().push(format!("var {name}"));
            }
            fn env_var(&self, name: &str) {
                self.0.lock().unwrap().push(format!("env {name}"));
            }
            fn volatile(&self) {
                self.0.lock().unwrap().push("volatile".to_owned());
            }
        }
        let log = Arc::new(Log::default());
        context(false).recording(log.clone()).render_native("{{ var('host') }}{{ target.name }}").unwrap();
        assert_eq!(*log.0.lock().unwrap(), ["var host", "env HOST", "volatile"]);
    }
}
