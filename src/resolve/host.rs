//! Jinja while resolving: naming macros and descriptions. `execute` is false and no warehouse is there.

use std::sync::{Arc, Mutex, PoisonError};

use crate::diagnostic::SourceText;
use crate::jinja::{self, Args, Cx, Engine, Error, Host, Instance, Message, Template, Undefined, Value};
use crate::manifest::{Json, Macro, UniqueId};
use crate::project::Project;
use crate::project::context::BaseContext;

use super::docs::{Docs, Whose};

/// Runs `generate_*_name` macros of one package.
pub struct NamingHost {
    base: BaseContext,
    package: Arc<str>,
    adapter: Arc<NamingAdapter>,
    /// What `exceptions.warn` said; other messages are for runs.
    warnings: Mutex<Vec<String>>,
}

impl NamingHost {
    /// A host for the macros that `package` defines.
    pub fn new(project: &Arc<Project>, package: &Arc<str>) -> Self {
        Self {
            base: BaseContext::new(project, package),
            package: package.clone(),
            adapter: Arc::new(NamingAdapter { project: project.clone() }),
            warnings: Mutex::default(),
        }
    }

    /// Calls a naming macro with the configured value (or none) and the node. What it returns, else what it renders; None for
    /// `none`.
    pub fn call(
        self: &Arc<Self>,
        engine: &Engine,
        found: &Macro,
        custom: Option<&Json>,
        node: &Arc<Json>,
    ) -> Result<Option<String>, Error> {
        let custom = custom.map_or_else(|| Value::from(()), jinja::from_json);
        let args = Args::new(vec![custom, jinja::from_shared_json(node.clone())]);
        let made = engine.call_macro(&self.package, &found.name, args, self.clone())?;
        Ok(if made.is_none() { None } else { Some(jinja::text(&made)) })
    }

    /// The warnings so far.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Host for NamingHost {
    fn package(&self) -> &str {
        &self.package
    }

    fn global(&self, name: &str) -> Option<Value> {
        match name {
            "execute" => Some(Value::from(false)),
            "adapter" => Some(jinja::instance(self.adapter.clone())),
            "env" => self.base.global("target"),
            "database" | "schema" => {
                let profile = &self.adapter.project.profile;
                let text = if name == "schema" { Some(profile.schema.as_str()) } else { profile.database.as_deref() };
                Some(text.map_or_else(|| Value::from(()), Value::from))
            }
            "model" | "this" | "sql" => Some(Value::from(())),
            "graph" => Some(jinja::from_json(&Json::Object(crate::manifest::JsonMap::new()))),
            _ => self.base.global(name),
        }
    }

    fn undefined(&self) -> Undefined {
        Undefined::Lenient
    }

    fn message(&self, message: Message) -> Result<(), Error> {
        if let Message::Warn(text) = message {
            self.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(text);
        }
        Ok(())
    }
}

/// `adapter` for naming macros: dispatch, and what needs no warehouse.
struct NamingAdapter {
    project: Arc<Project>,
}

impl std::fmt::Debug for NamingAdapter {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("NamingAdapter")
    }
}

impl Instance for NamingAdapter {
    fn type_name(&self) -> &'static str {
        "ParseDatabaseWrapper"
    }

    fn methods(&self) -> &'static [&'static str] {
        &["dispatch", "type", "quote", "quote_as_configured", "build_catalog_relation"]
    }

    fn call_method(&self, cx: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        match name {
            "dispatch" => {
                let wanted = args.text(0, "macro_name").unwrap_or_default();
                let namespace = args.text(1, "macro_namespace");
                let packages = self.project.dispatch_packages(namespace.as_deref());
                cx.dispatch(&wanted, namespace.as_deref(), &packages, &self.project.dispatch_prefixes())
            }
            "type" => Ok(Value::from(&*self.project.profile.adapter)),
            "quote" => Ok(Value::from(format!("\"{}\"", args.text(0, "identifier").unwrap_or_default()))),
            "quote_as_configured" => Ok(Value::from(args.text(0, "identifier").unwrap_or_default())),
            "build_catalog_relation" => Ok(Value::from(())),
            _ => Err(Error::missing_method(self.type_name(), name)),
        }
    }

    fn text(&self) -> String {
        "<ParseDatabaseWrapper>".to_owned()
    }
}

/// Renders descriptions that hold more than calls of `doc`.
pub struct DocsHost {
    base: BaseContext,
    docs: Arc<Docs>,
    unique_id: UniqueId,
    package: Arc<str>,
    found: Arc<Mutex<Vec<UniqueId>>>,
}

impl DocsHost {
    /// The rendered text, and the docs blocks that it named.
    pub fn render(
        project: &Arc<Project>,
        engine: &Engine,
        docs: &Arc<Docs>,
        whose: &Whose<'_>,
        text: &str,
    ) -> (Result<String, Error>, Vec<UniqueId>) {
        let found = Arc::new(Mutex::new(Vec::new()));
        let host = Arc::new(Self {
            base: BaseContext::new(project, whose.package),
            docs: docs.clone(),
            unique_id: whose.unique_id.clone(),
            package: whose.package.into(),
            found: found.clone(),
        });
        let source = SourceText::new(format!("{} (description of {})", whose.path, whose.unique_id), text);
        let rendered = engine.render(&Template::whole(source), host);
        let found = std::mem::take(&mut *found.lock().unwrap_or_else(PoisonError::into_inner));
        (rendered, found)
    }
}

impl Host for DocsHost {
    fn package(&self) -> &str {
        &self.package
    }

    fn global(&self, name: &str) -> Option<Value> {
        match name {
            "doc" => {
                let (docs, package, found) = (self.docs.clone(), self.package.clone(), self.found.clone());
                let unique_id = self.unique_id.clone();
                Some(jinja::function("doc", move |_, args| {
                    let words: Vec<String> = args.positional.iter().map(jinja::text).collect();
                    let (of, name) = match words.as_slice() {
                        [name] => (None, name),
                        [of, name] => (Some(of.as_str()), name),
                        _ => return Err(Error::compilation("doc() takes at most two arguments: the package and the name")),
                    };
                    let Some(block) = docs.find(of, name, &package) else {
                        return Err(Error::compilation(Docs::missing_message(&unique_id, name)));
                    };
                    found.lock().unwrap_or_else(PoisonError::into_inner).push(block.unique_id.clone());
                    Ok(Value::from(block.block_contents.as_str()))
                }))
            }
            "execute" => Some(Value::from(true)),
            _ => self.base.global(name),
        }
    }

    fn undefined(&self) -> Undefined {
        Undefined::Lenient
    }

    fn message(&self, _message: Message) -> Result<(), Error> {
        Ok(())
    }
}
