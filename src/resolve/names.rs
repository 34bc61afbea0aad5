//! Where a node lives in the warehouse: `generate_database_name`, `generate_schema_name`, `generate_alias_name`, and the
//! relation's rendered name.

use std::collections::HashMap;
use std::sync::Arc;

use crate::artifacts;
use crate::diagnostic::Diagnostic;
use crate::jinja::Engine;
use crate::manifest::{Include, Json, JsonMap, Macro, MacroRegistry, Node, Relation, Resource, ResourceType, UniqueId};
use crate::project::Project;

use super::host::NamingHost;

const COMPONENTS: [&str; 3] = ["database", "schema", "alias"];

/// A naming macro and the host of its package.
struct Call {
    found: Arc<Macro>,
    host: Arc<NamingHost>,
}

/// How one component's name is made.
enum Rule {
    /// By the built-in macro, which nothing overrides: made here, without Jinja.
    BuiltIn,
    Macro(Call),
}

impl Call {
    fn new(project: &Arc<Project>, found: &Arc<Macro>) -> Self {
        Self { found: found.clone(), host: Arc::new(NamingHost::new(project, &found.package_name)) }
    }

    /// What the macro makes of a custom name; an error or warnings of its own are told.
    fn make(
        &self,
        engine: &Engine,
        custom: Option<&Json>,
        shown: &Arc<Json>,
        id: &UniqueId,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Result<Option<String>, ()> {
        let made = self.host.call(engine, &self.found, custom, shown);
        let warned = self.host.take_warnings().into_iter();
        diagnostics.extend(warned.map(|text| Diagnostic::warning("W0305", text).event("JinjaLogWarning").node(id.shared())));
        made.map_err(|error| diagnostics.push(error.diagnostic().node(id.shared())))
    }
}

/// The naming rules of a project: the root's (or the built-in) macros, and those that packages define for their own nodes.
pub struct Names {
    database: Option<String>,
    schema: String,
    rules: [Rule; 3],
    of_packages: HashMap<Arc<str>, [Option<Call>; 3]>,
    quoting: JsonMap,
    /// The flag `require_valid_schema_from_generate_schema_name`.
    schema_required: bool,
}

impl Names {
    pub fn new(project: &Arc<Project>, macros: &MacroRegistry) -> Self {
        let of_packages = project
            .packages
            .iter()
            .skip(1)
            .filter(|package| !package.builtin)
            .filter_map(|package| {
                let found = COMPONENTS.map(|component| {
                    let found = macros.in_package(&package.name, &format!("generate_{component}_name"))?;
                    Some(Call::new(project, found))
                });
                found.iter().any(Option::is_some).then(|| (package.name.clone(), found))
            })
            .collect();
        let flag = project.flags.get("require_valid_schema_from_generate_schema_name");
        Self {
            database: project.profile.database.clone(),
            schema: project.profile.schema.clone(),
            rules: COMPONENTS.map(|component| rule(component, project, macros)),
            of_packages,
            quoting: project.root_package().config.quoting.clone(),
            schema_required: flag.and_then(Json::as_bool).unwrap_or(false),
        }
    }

    /// Sets database, schema, alias and relation name, in dbt's order: each macro sees the components set before it.
    /// `naming` are the configured values, nulls as given.
    pub fn apply(&self, engine: &Engine, node: &mut Node, naming: &JsonMap, store_failures: bool) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        node.database.clone_from(&self.database);
        node.schema.clone_from(&self.schema);
        node.alias.clone_from(&node.name);
        // The node as macros see it, made only where one is called.
        let mut shown: Option<Arc<Json>> = None;
        for (at, component) in COMPONENTS.into_iter().enumerate() {
            let custom = naming.get(component).filter(|value| !value.is_null());
            let of_package = self.of_packages.get(&node.package_name).and_then(|calls| calls[at].as_ref());
            let made = match (of_package, &self.rules[at]) {
                (Some(call), _) | (None, Rule::Macro(call)) => {
                    let shown =
                        shown.get_or_insert_with(|| Arc::new(artifacts::resource(&Resource::Node(Arc::new(node.clone())), None)));
                    match call.make(engine, custom, shown, &node.unique_id, &mut diagnostics) {
                        Ok(made) => made,
                        Err(()) => continue,
                    }
                }
                (None, Rule::BuiltIn) => self.built_in(component, custom, node),
            };
            self.set(component, made, node, &mut diagnostics);
        }
        if node.resource_type == ResourceType::Snapshot {
            let given = |key: &str| naming.get(key).and_then(Json::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
            if let Some(database) = given("target_database") {
                node.database = Some(database);
            }
            if let Some(schema) = given("target_schema") {
                node.schema = schema;
            }
        }
        node.relation_name = is_relational(node, store_failures).then(|| self.relation(node).name());
        diagnostics
    }

    /// Database, schema and alias of a saved query's export, by dbt's own rule.
    pub fn of_export(
        &self,
        name: &str,
        database: Option<&Json>,
        schema: Option<&Json>,
        alias: Option<&Json>,
    ) -> (Option<String>, String, String) {
        let text = |value: Option<&Json>| value.map(super::python::text);
        let schema = text(schema).map_or_else(|| self.schema.clone(), |own| format!("{}_{}", self.schema, own.trim()));
        (text(database).or_else(|| self.database.clone()), schema, text(alias).unwrap_or_else(|| name.to_owned()))
    }

    /// What dbt's own macros make of a custom name.
    pub fn built_in(&self, component: &str, custom: Option<&Json>, node: &Node) -> Option<String> {
        let custom = custom.map(super::python::text);
        match component {
            "database" => custom.or_else(|| self.database.clone()),
            "schema" => Some(match custom {
                Some(custom) => format!("{}_{}", self.schema, custom.trim()),
                None => self.schema.clone(),
            }),
            _ => {
                Some(match (custom.filter(|custom| !custom.is_empty()), node.model().and_then(|model| model.version.as_ref())) {
                    (Some(custom), _) => custom.trim().to_owned(),
                    (None, Some(version)) => format!("{}_v{}", node.name, version.text.replace('.', "_")),
                    (None, None) => node.name.clone(),
                })
            }
        }
    }

    fn set(&self, component: &str, made: Option<String>, node: &mut Node, diagnostics: &mut Vec<Diagnostic>) {
        let made = made.map(|made| made.trim().to_owned());
        match (component, made) {
            ("database", made) => node.database = made,
            ("schema", Some(schema)) => node.schema = schema,
            ("schema", None) => {
                let message =
                    format!("Node '{}' has a schema set to None as a result of a generate_schema_name call", node.unique_id);
                let diagnostic = if self.schema_required {
                    Diagnostic::error("E0257", message)
                } else {
                    Diagnostic::warning("W0257", message).event("GenerateSchemaNameNullValueDeprecation")
                };
                let diagnostic =
                    diagnostic.help("let generate_schema_name return a name in every case").node(node.unique_id.shared());
                diagnostics.push(diagnostic);
                node.schema = String::from("None");
            }
            (_, made) => node.alias = made.unwrap_or_default(),
        }
    }

    /// The node's relation with its quoting: everything quoted, changed by the root project's `quoting:`, changed by the node's.
    pub fn relation(&self, node: &Node) -> Relation {
        let quoting = node.config.object("quoting");
        let mut relation = Relation::new(node.database.as_deref(), &node.schema, &node.alias);
        relation.quote = self.quote(quoting);
        relation
    }

    /// The quoting in force for a relation that gives its own.
    pub fn quote(&self, own: Option<&JsonMap>) -> Include {
        let part = |key: &str| {
            let given = |map: &JsonMap| map.get(key).and_then(Json::as_bool);
            own.and_then(given).or_else(|| given(&self.quoting)).unwrap_or(true)
        };
        Include { database: part("database"), schema: part("schema"), identifier: part("identifier") }
    }
}

/// Does the node map to an object of the warehouse?
fn is_relational(node: &Node, store_failures: bool) -> bool {
    match node.resource_type {
        ResourceType::Model => !node.is_ephemeral(),
        ResourceType::Seed | ResourceType::Snapshot | ResourceType::Function => true,
        ResourceType::Test => node.config.bool("store_failures") == Some(true) || store_failures,
        _ => false,
    }
}

/// The root project's macro, or a built-in one. The built-in one needs no Jinja unless something it dispatches to is
/// overridden.
fn rule(component: &str, project: &Arc<Project>, macros: &MacroRegistry) -> Rule {
    let name = format!("generate_{component}_name");
    if let Some(own) = macros.in_package(&macros.root, &name) {
        return Rule::Macro(Call::new(project, own));
    }
    let overridden = project.packages.iter().filter(|package| !package.builtin).any(|package| {
        ["default", &*project.profile.adapter]
            .iter()
            .any(|prefix| macros.in_package(&package.name, &format!("{prefix}__{name}")).is_some())
    });
    let built_in = macros.internal.iter().find_map(|package| macros.in_package(package, &name));
    match built_in {
        Some(found) if overridden => Rule::Macro(Call::new(project, found)),
        _ => Rule::BuiltIn,
    }
}
