//! Jinja's `adapter` at parse time: no warehouse is asked; what needs none is answered as at execution.

use std::sync::Arc;

use crate::jinja::objects::adapter_methods::{self, AdapterFacts};
use crate::jinja::objects::api_with;
use crate::jinja::{Args, Cx, Error, Instance, Value};
use crate::manifest::{Dialect, Include, Json};
use crate::project::Project;

use super::macros::search_packages;

/// One for all renders of a parse.
pub struct ParseAdapter {
    project: Arc<Project>,
    facts: AdapterFacts,
}

impl std::fmt::Debug for ParseAdapter {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("ParseAdapter")
    }
}

impl ParseAdapter {
    pub fn new(project: &Arc<Project>) -> Self {
        let root = project.root_package();
        let quotes = |part: &str| root.config.quoting.get(part).and_then(Json::as_bool).unwrap_or(true);
        let facts = AdapterFacts {
            kind: project.profile.adapter.clone(),
            quoting: Include { database: quotes("database"), schema: quotes("schema"), identifier: quotes("identifier") },
            flags: project.flags.clone(),
            project_name: root.name.clone(),
            config: project.profile.shown.clone(),
            ..AdapterFacts::default()
        };
        Self { project: project.clone(), facts }
    }

    /// Which parts of names the root project quotes: all, unless it says otherwise.
    pub fn quoting(&self) -> Include {
        self.facts.quoting
    }

    pub fn dialect(&self) -> Dialect {
        self.facts.dialect()
    }

    /// `api.Relation` and `api.Column`.
    pub fn api(&self) -> Value {
        api_with(self.facts.quoting, self.facts.dialect())
    }

    /// `adapter.dispatch(macro_name, macro_namespace=none)`: the macro of that name for this adapter, or dbt's default one.
    fn dispatch(&self, cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
        let name = args.text(0, "macro_name").unwrap_or_default();
        if args.given(2, "packages").is_some() {
            let message = format!("`adapter.dispatch('{name}')` takes no `packages` any more: use `macro_namespace`");
            return Err(Error::compilation(message));
        }
        let namespace = match args.given(1, "macro_namespace") {
            None => None,
            Some(value) => match value.as_str() {
                Some(namespace) => Some(namespace.to_owned()),
                None => return Err(Error::compilation(format!("the `macro_namespace` of `dispatch('{name}')` must be a text"))),
            },
        };
        let packages = search_packages(&self.project, namespace.as_deref());
        let packages: Vec<Option<&str>> = packages.iter().map(Option::as_deref).collect();
        cx.dispatch(&name, namespace.as_deref(), &packages, &[&*self.facts.kind, "default"])
    }
}

impl Instance for ParseAdapter {
    fn type_name(&self) -> &'static str {
        "ParseDatabaseWrapper"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        adapter_methods::attribute(&self.facts, name)
    }

    fn methods(&self) -> &'static [&'static str] {
        adapter_methods::names()
    }

    fn call_method(&self, cx: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        if name == "dispatch" {
            return self.dispatch(cx, &args);
        }
        match adapter_methods::parse_value(name) {
            Some(value) => Ok(value),
            None => adapter_methods::pure(&self.facts, name, &args)
                .unwrap_or_else(|| Err(Error::missing_method(self.type_name(), name))),
        }
    }

    fn text(&self) -> String {
        "<ParseDatabaseWrapper>".to_owned()
    }
}
