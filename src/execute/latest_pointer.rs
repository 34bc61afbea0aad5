//! `latest_version_pointer`: a view under a versioned model's plain name that selects from its latest version.

use std::sync::Arc;

use indexmap::IndexMap;

use super::materialization;
use crate::compile::{RunContext, RuntimeHost, Scope, Session};
use crate::event::Compiled;
use crate::jinja::{self, Args, Error, ErrorKind, Host};
use crate::manifest::{Json, Language, Node, Relation, UniqueId};

/// Does this model get a pointer: is it the latest version, and does its configuration, else the project's flag, ask for one?
fn wanted(run: &RunContext, node: &Node) -> bool {
    let Some(model) = node.model() else { return false };
    let is_latest = matches!((&model.version, &model.latest_version), (Some(own), Some(latest)) if own.text == latest.text);
    let configured = node.config.object("latest_version_pointer").and_then(|pointer| pointer.get("enabled")?.as_bool());
    let by_default = || run.project.flags.get("latest_version_pointer_enabled_by_default").and_then(Json::as_bool);
    is_latest && configured.or_else(by_default).unwrap_or(false)
}

/// The pointer's name: what the project's `generate_latest_version_pointer_alias` says.
fn alias(run: &RunContext, node: &Node, host: &RuntimeHost) -> Result<String, Error> {
    let custom = node.config.object("latest_version_pointer").and_then(|pointer| pointer.get("alias")?.as_str());
    let custom = custom.map(str::trim).filter(|alias| !alias.is_empty()).map_or_else(jinja::none, jinja::Value::from);
    let model = host.global("model").unwrap_or_default();
    let package = &run.project.root_package().name;
    let args = Args::new(vec![custom, model]);
    let name = run.engine.call_macro(package, "generate_latest_version_pointer_alias", args, host.shared())?;
    let name = jinja::text(&name).trim().to_owned();
    Ok(if name.is_empty() { node.name.clone() } else { name })
}

/// Makes the view over the model's relation, with the grants of the model and without its hooks. Gives what was made.
pub fn create(
    run: &Arc<RunContext>,
    session: &Arc<Session>,
    node: &Arc<Node>,
    made: &[Relation],
    host: &RuntimeHost,
) -> Result<Vec<Relation>, Error> {
    let Some(source) = made.first().filter(|_| wanted(run, node)) else { return Ok(Vec::new()) };
    let alias = alias(run, node, host)?;
    let own = source.identifier.as_deref().unwrap_or_default();
    let same = if source.quote.identifier { own == alias } else { own.eq_ignore_ascii_case(&alias) };
    if same {
        let message = format!(
            "Cannot create latest version pointer: the latest version of '{}' is already aliased to '{alias}'. \
             Set `latest_version_pointer: enabled: false` or remove the conflicting alias.",
            node.name
        );
        return Err(Error::new(ErrorKind::Runtime, message));
    }
    let mut pointer = Node::clone(node);
    let code: Arc<str> = format!("select * from {}", source.name()).into();
    pointer.unique_id = UniqueId::new(format!("{}__latest_version_pointer", node.unique_id));
    pointer.alias = alias;
    pointer.language = Language::Sql;
    pointer.raw_code = code.clone();
    for (key, empty) in [
        ("pre-hook", Json::Array(Vec::new())),
        ("post-hook", Json::Array(Vec::new())),
        ("persist_docs", Json::Object(serde_json::Map::new())),
    ] {
        pointer.config.0.insert(key.to_owned(), empty);
    }
    let view = materialization::find(run, &pointer, "view")?;
    run.keep_compiled(&pointer.unique_id, Arc::new(Compiled { bare: code.clone(), code, ..Compiled::default() }));
    let pointer = Arc::new(pointer);
    let host = RuntimeHost::new(run, session, Scope::Node(pointer.clone()), IndexMap::new()).noting_nothing();
    let returned = run.engine.call_macro(&view.package_name, &view.name, Args::default(), host.shared())?;
    materialization::relations(&returned, &pointer)
}
