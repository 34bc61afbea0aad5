//! What every rendering context shares: vars, the environment, the target, flags, and the invocation itself.

use std::sync::Arc;

use super::environment::SECRET_PREFIX;
use super::version::DBT_VERSION;
use super::{InvocationInfo, Project, flags};
use crate::jinja;
use crate::manifest::{Json, JsonMap};

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
}

struct Shared {
    package: Arc<str>,
    /// The root project's name; None while no project is known.
    project_name: Option<Arc<str>>,
    invocation: Arc<InvocationInfo>,
    vars: JsonMap,
    target: Option<Arc<Json>>,
    flags: Arc<Json>,
    args: Arc<Json>,
    /// May `DBT_ENV_SECRET_*` be read?
    secrets: bool,
}

impl BaseContext {
    /// For code of `package`, once the project is loaded: as at execution, where a missing var is an error.
    pub fn new(project: &Project, package: &str) -> Self {
        let shared = Shared {
            package: package.into(),
            project_name: Some(project.root_package().name.clone()),
            invocation: project.invocation.clone(),
            vars: project.vars_of(package),
            target: Some(Arc::new(Json::Object(project.profile.shown.clone()))),
            flags: Arc::new(Json::Object(flags::shown(&project.flags))),
            args: Arc::new(Json::Object(project.invocation.args.clone())),
            secrets: false,
        };
        Self { shared: Arc::new(shared), missing: Missing::Fails, recorder: None }
    }

    /// For rendering configuration while the project is being loaded.
    pub(super) fn for_configuration(invocation: &Arc<InvocationInfo>, vars: JsonMap, given: Given) -> Self {
        let shared = Shared {
            package: "".into(),
            project_name: None,
            invocation: invocation.clone(),
            vars,
            target: given.target.map(|target| Arc::new(Json::Object(target))),
            flags: Arc::new(Json::Object(flags::shown(&invocation.args))),
            args: Arc::new(Json::Object(invocation.args.clone())),
            secrets: given.secrets,
        };
        let missing = if given.vars_required { Missing::Fails } else { Missing::IsNone };
        Self { shared: Arc::new(shared), missing, recorder: None }
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
        let mut vars = self.shared.vars.clone();
        vars.extend(overrides.iter().map(|(name, value)| (name.clone(), value.clone())));
        let shared = Shared {
            package: self.shared.package.clone(),
            project_name: self.shared.project_name.clone(),
            invocation: self.shared.invocation.clone(),
            vars,
            target: self.shared.target.clone(),
            flags: self.shared.flags.clone(),
            args: self.shared.args.clone(),
            secrets: self.shared.secrets,
        };
        Self { shared: Arc::new(shared), ..self.clone() }
    }

    pub fn package(&self) -> &str {
        &self.shared.package
    }

    /// A var's value as given, not rendered.
    pub fn var(&self, name: &str) -> Option<&Json> {
        if let Some(recorder) = &self.recorder {
            recorder.var(name);
        }
        self.shared.vars.get(name)
    }

    /// `env_var(name, default)`: an error where the variable is not set, or is a secret that may not be read here.
    pub fn env_var(&self, name: &str, default: Option<&str>) -> Result<String, jinja::Error> {
        if name.starts_with(SECRET_PREFIX) && !self.shared.secrets {
            let message = format!("'{name}' is a secret: such variables may be read in profiles.yml and packages.yml only");
            return Err(jinja::Error::compilation(message));
        }
        if let Some(recorder) = &self.recorder {
            recorder.env_var(name);
        }
        let found = self.shared.invocation.env.get(name).map(String::as_str).or(default);
        found.map(str::to_owned).ok_or_else(|| {
            jinja::Error::compilation(format!(
                "the environment variable '{name}' is not set, and env_var gives no default for it"
            ))
        })
    }

    /// The error of a var that nothing gives; None where it counts as `None`.
    fn missing_var(&self, name: &str) -> Option<jinja::Error> {
        if self.missing == Missing::IsNone {
            return None;
        }
        let near = crate::diagnostic::nearest(name, self.shared.vars.keys().map(String::as_str));
        let hint = near.map(|near| format!(" (did you mean '{near}'?)")).unwrap_or_default();
        let message = format!("the var '{name}' is required, but neither --vars nor the project gives it{hint}");
        Some(jinja::Error::compilation(message))
    }

    fn volatile(&self) {
        if let Some(recorder) = &self.recorder {
            recorder.volatile();
        }
    }

    /// Renders one text of configuration: a single expression keeps its type.
    pub fn render_native(&self, _text: &str) -> Result<Json, jinja::Error> {
        Err(jinja::Error::compilation("not yet"))
    }

    /// The value of a name that all contexts know; None for any other.
    pub fn global(&self, name: &str) -> Option<jinja::Value> {
        let shared = &self.shared;
        let is_volatile = matches!(name, "target" | "flags" | "invocation_id" | "run_started_at" | "invocation_args_dict");
        if is_volatile {
            self.volatile();
        }
        match name {
            "dbt_version" => Some(DBT_VERSION.into()),
            "project_name" => shared.project_name.as_deref().map(jinja::Value::from),
            "invocation_id" => Some(shared.invocation.invocation_id.as_str().into()),
            "target" => shared.target.clone().map(jinja::from_shared_json),
            "flags" => Some(jinja::from_shared_json(shared.flags.clone())),
            "invocation_args_dict" => Some(jinja::from_shared_json(shared.args.clone())),
            "dbt_metadata_envs" => Some(jinja::from_json(&Json::Object(shared.invocation.metadata_env.clone()))),
            _ => None,
        }
    }
}

/// What a configuration context has besides vars.
#[derive(Debug, Clone, Default)]
pub(super) struct Given {
    pub target: Option<JsonMap>,
    pub secrets: bool,
    pub vars_required: bool,
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
