//! The semantic layer: metrics, semantic models, saved queries, in the old and the new spelling of the YAML.

mod conversion;
mod depends;
mod filters;
mod input_measures;
mod metrics;
mod models;
mod osi;
mod saved_queries;
mod spines;
mod validate;

use serde_json::json;

use crate::diagnostic::{Diagnostic, Span};
use crate::manifest::{DependsOn, Json, JsonMap, Node, ResourceType, Semantic};
use crate::parse::Property;
use crate::yaml::Yaml;

use super::columns;
use super::exposures::{Placed, place};
use super::nodes::Shared;
use super::refs::{Index, Origin};

pub use depends::{Semantics, follow, follow_calls};
pub use metrics::{Under, metric};
pub use models::semantic_model;
pub use osi::documents;
pub use saved_queries::saved_query;
pub use spines::unconfigured_spine;
pub use validate::validate;

/// A semantic resource, and where it was written.
#[derive(Debug, Clone)]
pub struct Written {
    pub of: Semantic,
    pub file: std::sync::Arc<crate::project::SourceFile>,
    pub span: Span,
}

impl Written {
    fn error(&self, code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, message).at(&self.file.source, self.span).node(self.of.unique_id.shared())
    }

    fn warning(&self, code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::warning(code, message).at(&self.file.source, self.span).node(self.of.unique_id.shared())
    }
}

/// The entries that may define semantic resources, in dbt's order: file by file, within a file by section.
pub fn in_order(properties: &[Property]) -> Vec<&Property> {
    const SECTIONS: [&str; 4] = ["models", "metrics", "semantic_models", "saved_queries"];
    let rank = |property: &Property| SECTIONS.iter().position(|section| *section == property.section);
    let mut found: Vec<&Property> = properties.iter().filter(|property| rank(property).is_some()).collect();
    for of_file in found.chunk_by_mut(|one, next| std::sync::Arc::ptr_eq(&one.file, &next.file)) {
        of_file.sort_by_key(|property| rank(property));
    }
    found
}

/// What is the same for all three kinds.
fn written(shared: &Shared<'_>, property: &Property, placed: Placed, body: JsonMap) -> Written {
    Written {
        of: Semantic {
            group: placed.config.text("group").map(str::to_owned),
            unique_id: placed.unique_id,
            name: placed.name,
            package_name: property.package.name.clone(),
            path: property.file.path.to_string(),
            original_file_path: property.file.original_path.to_string(),
            fqn: placed.fqn,
            description: columns::text(property.entry.get("description")).unwrap_or_default(),
            label: columns::text(property.entry.get("label")),
            tags: Vec::new(),
            meta: JsonMap::new(),
            config: placed.config,
            unrendered_config: placed.unrendered_config,
            depends_on: DependsOn::default(),
            refs: Vec::new(),
            body,
            created_at: shared.created_at,
        },
        file: property.file.clone(),
        span: property.entry.span,
    }
}

fn placed(
    shared: &Shared<'_>,
    property: &Property,
    kind: ResourceType,
    name: &str,
    given: &JsonMap,
    diagnostics: &mut Vec<Diagnostic>,
) -> Placed {
    place(shared, property, kind, name, given, diagnostics)
}

/// `filter:` and `where:`: one text or several.
fn filter(value: Option<&Yaml>) -> Json {
    let texts = columns::texts(value);
    if texts.is_empty() {
        return Json::Null;
    }
    let each: Vec<Json> = texts.into_iter().map(|text| json!({"where_sql_template": text})).collect();
    json!({"where_filters": each})
}

/// A scalar as the manifest holds it; null where it is not given.
fn part(entry: &Yaml, key: &str) -> Json {
    entry.get(key).map_or(Json::Null, Yaml::to_json)
}

/// One of some known words, which may be written in any case.
fn choice(entry: &Yaml, key: &str) -> Json {
    match part(entry, key) {
        Json::String(word) => Json::String(word.to_lowercase()),
        other => other,
    }
}

fn given<'a>(entry: &'a Yaml, key: &str) -> Option<&'a Yaml> {
    entry.get(key).filter(|value| !value.is_null())
}

/// The new YAML: a semantic model and its metrics within a model's entry.
pub fn of_model(
    shared: &Shared<'_>,
    property: &Property,
    nodes: &[Node],
    semantics: &mut Semantics,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let Some(name) = columns::text(property.entry.get("name")) else { return };
    let of = |node: &&Node| {
        node.resource_type == ResourceType::Model && node.name == name && node.package_name == property.package.name
    };
    let Some(node) = nodes.iter().find(of) else { return };
    let Some((model, under)) = models::of_column_yaml(shared, property, node, diagnostics) else { return };
    semantics.models.push(model);
    for entry in property.entry.get("metrics").map(Yaml::items).unwrap_or_default() {
        let own = Property { section: "metrics", entry: entry.clone(), unrendered: entry.clone(), ..property.clone() };
        let simple = columns::text(entry.get("type")).is_none_or(|kind| kind == "simple");
        let under = if simple { under.clone() } else { Under::default() };
        semantics.metrics.extend(metric(shared, &own, &under, diagnostics));
    }
}

/// Follows each semantic model's reference, and notes where its model lives.
pub fn relations(semantics: &mut Semantics, nodes: &[Node], index: &Index, diagnostics: &mut Vec<Diagnostic>) {
    if semantics.models.is_empty() {
        return;
    }
    let by_id: std::collections::HashMap<_, &Node> = nodes.iter().map(|node| (&node.unique_id, node)).collect();
    for written in &mut semantics.models {
        let of = &mut written.of;
        let Some(call) = of.refs.first().filter(|_| of.config.enabled()).cloned() else { continue };
        let origin = Origin::of_property(&written.file.source, written.span);
        let whose =
            (&of.unique_id, ResourceType::SemanticModel, &of.package_name, of.original_file_path.as_str(), of.group.as_deref());
        let (found, told) = index.follow_ref(whose, &call, &origin);
        diagnostics.extend(told);
        let Some(found) = found else { continue };
        if let Some(node) = by_id.get(&found) {
            let relation = json!({
                "alias": node.alias,
                "schema_name": node.schema,
                "database": node.database,
                "relation_name": node.relation_name,
            });
            of.body.insert("node_relation".to_owned(), relation);
        }
        of.depends_on.nodes.push(found);
    }
}

/// Two semantic resources of one id are an error.
pub fn unique(semantics: &Semantics, diagnostics: &mut Vec<Diagnostic>) {
    let mut seen = std::collections::HashMap::new();
    for written in semantics.models.iter().chain(&semantics.metrics).chain(&semantics.saved_queries) {
        if let Some(first) = seen.insert(&written.of.unique_id, written) {
            let message = format!("dbt found two resources with the name \"{}\": {}", written.of.name, written.of.unique_id);
            let diagnostic = written.error("E0410", message).help("rename one of them");
            diagnostics.push(diagnostic.at_with(&first.file.source, first.span, "the other one"));
        }
    }
}
