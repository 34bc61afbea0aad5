//! A unit test as a node: the tested model's code over given rows, and the rows it should give.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use indexmap::{IndexMap, IndexSet};

use super::host::{RuntimeHost, Scope, required};
use super::references;
use super::run_context::RunContext;
use super::{Session, ctes, template};
use crate::artifacts;
use crate::diagnostic::SourceText;
use crate::event::Compiled;
use crate::jinja::{self, Args, Error, Host, Template, Value, objects};
use crate::manifest::static_call;
use crate::manifest::{Detail, Json, JsonMap, Node, ResourceType, UniqueId, UnitTest};

/// What the tested model's refs and sources answer: each given relation's CTE.
#[derive(Debug, Default)]
pub struct Inputs {
    /// By the id of what is replaced: the CTE's name.
    names: IndexMap<UniqueId, String>,
    /// The macros that the test overrides, and the packages that hold such macros.
    overridden: IndexMap<String, Value>,
}

impl Inputs {
    /// What a name stands for that `overrides: {macros: …}` replaces.
    pub fn overridden(&self, name: &str) -> Option<Value> {
        self.overridden.get(name).cloned()
    }

    /// The CTE that stands for a node or source; one that the test does not give is an error.
    pub fn relation(&self, id: &UniqueId, used: &Mutex<IndexSet<UniqueId>>) -> Result<Value, Error> {
        let name = self.names.get(id).ok_or_else(|| {
            Error::compilation(format!("the unit test gives no rows for '{id}', which the model reads: add it under `given`"))
        })?;
        used.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone());
        Ok(objects::relation::value(references::cte_relation(name)))
    }
}

/// The node that the `unit` materialization runs: the tested model's place, the expectation as configuration.
pub fn node_of(run: &RunContext, test: &UnitTest) -> Result<(Arc<Node>, Arc<Node>), Error> {
    let tested = test.tested_node.as_ref().and_then(|id| run.manifest.nodes.get(id.as_str()));
    let tested = tested.ok_or_else(|| Error::compilation(format!("the unit test's model '{}' was not found", test.model)))?;
    let mut node = Node::clone(tested);
    node.unique_id = test.unique_id.clone();
    node.resource_type = ResourceType::UnitTest;
    node.name = tested
        .model()
        .and_then(|model| model.version.as_ref())
        .map_or_else(|| test.name.clone(), |version| format!("{}_v{}", test.name, version.text));
    node.alias.clone_from(&node.name);
    node.package_name = test.package_name.clone();
    node.original_file_path.clone_from(&test.original_file_path);
    // Its SQL is written below its property file, which holds many: `models/schema.yml/models/<name>.sql`.
    let folder = test.original_file_path.rsplit_once('/').map_or("", |(folder, _)| folder);
    node.path = if folder.is_empty() { format!("{}.sql", test.name) } else { format!("{folder}/{}.sql", test.name) };
    node.fqn.clone_from(&test.fqn);
    node.detail = Detail::SqlOperation;
    node.columns.clear();
    let rows = test.expect.get("rows").cloned().unwrap_or(Json::Null);
    let is_sql = test.expect.get("format").and_then(Json::as_str) == Some("sql");
    let mut config = JsonMap::new();
    config.insert("materialized".to_owned(), "unit".into());
    config.insert("expected_rows".to_owned(), if is_sql { Json::Array(Vec::new()) } else { rows.clone() });
    config.insert("expected_sql".to_owned(), if is_sql { rows } else { Json::Null });
    node.config.0 = config;
    Ok((Arc::new(node), tested.clone()))
}

/// Compiles the tested model over the test's inputs.
pub fn compile(run: &Arc<RunContext>, session: &Arc<Session>, test: &UnitTest) -> Result<(Arc<Node>, Arc<Compiled>), Error> {
    let (node, tested) = node_of(run, test)?;
    let mut inputs = Inputs::default();
    let mut queries = IndexMap::new();
    for given in &test.given {
        let (id, name, query) = input(run, session, test, &tested, given)?;
        inputs.names.insert(id.clone(), name.clone());
        queries.insert(id, ctes::cte(&references::cte_name(&name), &query));
    }
    let this = inputs.names.get(&tested.unique_id).cloned();
    inputs.overridden = macro_overrides(run, session, test, &tested);
    let mut extra = overrides(run, session, test, &tested);
    let this_relation = this.as_ref().map(|name| objects::relation::value(references::cte_relation(name)));
    extra.insert("this".to_owned(), this_relation.unwrap_or_else(jinja::none));
    // The tested model's own configuration decides what its code does; the test's node only holds the expectation.
    let host = RuntimeHost::new(run, session, Scope::Node(tested.clone()), extra).with_inputs(Arc::new(inputs));
    let bare = run.engine.render(&template(run, &tested), host.shared())?;
    let mut used: Vec<UniqueId> = host.ctes();
    if this.is_some() && !used.contains(&tested.unique_id) {
        used.push(tested.unique_id.clone());
    }
    let extra_ctes: Vec<(UniqueId, String)> =
        used.into_iter().filter_map(|id| queries.get(&id).map(|sql| (id.clone(), sql.clone()))).collect();
    let texts: Vec<String> = extra_ctes.iter().map(|(_, sql)| sql.clone()).collect();
    let code = ctes::inject(&bare, &texts).into();
    let path = artifacts::output_path(&node);
    let compiled_path = Some(super::shown_path(run, "compiled", &path).into());
    let compiled = Arc::new(Compiled { code, extra_ctes, bare: bare.into(), compiled_path, ..Compiled::default() });
    run.keep_compiled(&node.unique_id, compiled.clone());
    if run.options.write_files {
        super::write_file(run, "compiled", &path, &compiled.code)?;
    }
    Ok((node, compiled))
}

/// One `given`: what it replaces, the CTE's name, and the query of its rows.
fn input(
    run: &Arc<RunContext>,
    session: &Arc<Session>,
    test: &UnitTest,
    tested: &Arc<Node>,
    given: &JsonMap,
) -> Result<(UniqueId, String, String), Error> {
    let text = given.get("input").and_then(Json::as_str).unwrap_or_default();
    let id = named(run, session, test, tested, text)?;
    let (alias, original) = match run.manifest.get(id.as_str()) {
        Some(crate::manifest::Resource::Node(node)) => (node.alias.clone(), Some(node)),
        Some(crate::manifest::Resource::Source(source)) => (format!("{}__{}", source.source_name, source.name), None),
        _ => return Err(Error::compilation(format!("unit test '{}': input {text} is no relation", test.name))),
    };
    let rows = given.get("rows").cloned().unwrap_or_else(|| Json::Array(Vec::new()));
    if given.get("format").and_then(Json::as_str) == Some("sql") {
        let query = rows.as_str().unwrap_or_default().to_owned();
        return Ok((id, alias, query));
    }
    // The fixture macro asks for the columns of `this`: the relation that the rows stand for.
    let this = match &original {
        Some(node) => super::host::this(run, node),
        None => run.manifest.sources.get(id.as_str()).map(|source| run.source_relation(source)),
    };
    let mut extra = IndexMap::new();
    extra.insert("this".to_owned(), this.map_or_else(jinja::none, objects::relation::value));
    extra.insert("fixture_format".to_owned(), given.get("format").map_or_else(jinja::none, jinja::from_json));
    let host = RuntimeHost::new(run, session, Scope::Node(original.unwrap_or_else(|| tested.clone())), extra);
    let args = Args::new(vec![jinja::from_json(&rows), jinja::none()]);
    let package = run.project.root_package().name.clone();
    let value = run.engine.call_macro(&package, "get_fixture_sql", args, host.shared())?;
    Ok((id, alias, jinja::text(&value)))
}

/// The id that an input's text (`ref('x')`, `source('a', 'b')`, `this`) names: the text is rendered, and what it calls is noted.
fn named(
    run: &Arc<RunContext>,
    session: &Arc<Session>,
    test: &UnitTest,
    tested: &Arc<Node>,
    text: &str,
) -> Result<UniqueId, Error> {
    if text.trim() == "this" {
        return Ok(tested.unique_id.clone());
    }
    if !run.project.flag("support_custom_ref_kwargs") && static_call::read(text).is_none() {
        let message = format!("Unit test given inputs must be either a 'ref', 'source' or 'this' call. Got: '{text}'.");
        return Err(Error::compilation(message));
    }
    let found: Arc<Mutex<Option<UniqueId>>> = Arc::default();
    let mut extra = IndexMap::new();
    for name in ["ref", "source"] {
        let (run, found, package) = (run.clone(), found.clone(), test.package_name.clone());
        let note = move |_: &mut jinja::Cx<'_>, args: Args| {
            let root = &run.manifest.project_name;
            let id = if name == "ref" {
                let (within, name, version) = references::ref_words(&args)?;
                run.lookup.node(root, &package, within.as_deref(), &name, version.as_ref())
            } else {
                let (source, table) = (required(&args, "source", 0, "source_name")?, required(&args, "source", 1, "table_name")?);
                run.lookup.source(root, &package, &source, &table)
            };
            *found.lock().unwrap_or_else(PoisonError::into_inner) = id.cloned();
            Ok(jinja::none())
        };
        extra.insert(name.to_owned(), jinja::function(name, note));
    }
    let host = RuntimeHost::new(run, session, Scope::Node(tested.clone()), extra);
    let source = SourceText::new(test.original_file_path.as_str(), format!("{{{{ {text} }}}}"));
    run.engine.render(&Template::whole(source), host.shared())?;
    let found = found.lock().unwrap_or_else(PoisonError::into_inner).take();
    found.ok_or_else(|| {
        Error::compilation(format!("Unit test '{}' had an input ({text}) which was not found in the manifest.", test.name))
    })
}

/// `overrides: {macros: …}`: macros answer a fixed value, other names of the context are replaced by it. A macro of dbt's is the
/// same by its plain name and in `dbt`; one that is named with another package is replaced in that package only.
fn macro_overrides(
    run: &Arc<RunContext>,
    session: &Arc<Session>,
    test: &UnitTest,
    tested: &Arc<Node>,
) -> IndexMap<String, Value> {
    let host = RuntimeHost::new(run, session, Scope::Node(tested.clone()), IndexMap::new());
    let mut plain: IndexMap<String, Value> = IndexMap::new();
    let mut packaged: IndexMap<&str, HashMap<String, Value>> = IndexMap::new();
    let fixed = |value: &Json| {
        let answer = jinja::from_json(value);
        jinja::function("overridden macro", move |_, _| Ok(answer.clone()))
    };
    let given = test.overrides.get("macros").and_then(Json::as_object);
    let (qualified, global): (Vec<_>, Vec<_>) = given.into_iter().flatten().partition(|(name, _)| name.contains('.'));
    for (name, value) in qualified {
        let Some((package, name)) = name.split_once('.') else { continue };
        if run.engine.macro_in(package, name).is_none() {
            continue;
        }
        packaged.entry(package).or_default().insert(name.to_owned(), fixed(value));
        if package == "dbt" {
            plain.insert(name.to_owned(), fixed(value));
        }
    }
    for (name, value) in global {
        if run.engine.find_macro(&tested.package_name, name).is_some() {
            plain.insert(name.clone(), fixed(value));
            if run.engine.macro_in("dbt", name).is_some() {
                packaged.entry("dbt").or_default().insert(name.clone(), fixed(value));
            }
        } else if host.global(name).is_some() {
            plain.insert(name.clone(), jinja::from_json(value));
        }
    }
    let packages = packaged.into_iter().map(|(package, macros)| (package.to_owned(), run.engine.namespace(package, macros)));
    plain.extend(packages);
    plain
}

/// `overrides:` of vars and env_vars as functions that win over the context.
fn overrides(run: &Arc<RunContext>, session: &Arc<Session>, test: &UnitTest, tested: &Arc<Node>) -> IndexMap<String, Value> {
    let mut extra = IndexMap::new();
    let given = |key: &str| test.overrides.get(key).and_then(Json::as_object).cloned().unwrap_or_default();
    let host = RuntimeHost::new(run, session, Scope::Node(tested.clone()), IndexMap::new()).shared();
    for (function, key) in [("var", "vars"), ("env_var", "env_vars")] {
        let fixed = given(key);
        if fixed.is_empty() {
            continue;
        }
        let original = host.global(function).unwrap_or_default();
        let answer = move |cx: &mut jinja::Cx<'_>, args: Args| match fixed.get(&required(&args, function, 0, "name")?) {
            Some(value) => Ok(jinja::from_json(value)),
            None => cx.call(&original, args),
        };
        extra.insert(function.to_owned(), jinja::function(function, answer));
    }
    extra
}
