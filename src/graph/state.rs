//! Criteria that compare with an earlier run: `state:`, `result:` and `source_status:`.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::criteria::{Criterion, Method};
use super::dag::Graph;
use super::methods;
use super::node_set::NodeSet;
use crate::artifacts::{self, PreviousState};
use crate::diagnostic::Diagnostic;
use crate::manifest::{Json, JsonMap, Manifest, Node, Resource, ResourceType, UniqueId};
use crate::project::Project;

/// What criteria compare with.
#[derive(Debug, Clone, Default)]
pub struct Comparand {
    /// The artifacts of an earlier run (`--state`).
    pub earlier: Arc<PreviousState>,
    /// The rows of sources.json in the present target folder, by unique id; None without the file.
    pub current_sources: Option<HashMap<String, Json>>,
}

/// The resources that a state, result or `source_status` criterion matches.
pub(super) fn search(
    project: &Project,
    manifest: &Manifest,
    graph: &Graph,
    previous: Option<&Comparand>,
    criterion: &Criterion,
) -> Result<NodeSet, Box<Diagnostic>> {
    let value = methods::text_of(criterion)?;
    let place = &criterion.place;
    let Some(previous) = previous else {
        let message = format!("`{}:` compares with an earlier run, and no state was given", criterion.method.name());
        let help = "give the folder of an earlier run's artifacts with --state";
        return Err(Box::new(place.error("E0507", message).help(help)));
    };
    let earlier = &previous.earlier;
    let missing = |file: &str| Box::new(earlier.missing(file).at(&place.source, place.span));
    match criterion.method {
        Method::Result => {
            let results = earlier.run_results.as_ref().ok_or_else(|| missing("run_results.json"))?;
            let matched = results.values().filter(|result| result.status.as_str() == value);
            Ok(matched.filter_map(|result| graph.position(&result.unique_id)).collect())
        }
        Method::SourceStatus => {
            let before = earlier.sources.as_ref().ok_or_else(|| missing("sources.json"))?;
            let now = previous.current_sources.as_ref().ok_or_else(|| {
                let message = "there is no sources.json in the target folder to compare the earlier one with";
                Box::new(place.error("E0507", message).help("run `source freshness` first"))
            })?;
            Ok(if value == "fresher" { fresher(graph, before, now) } else { NodeSet::default() })
        }
        _ => {
            let old = earlier.manifest.as_deref().ok_or_else(|| missing("manifest.json"))?;
            let Some(check) = Check::named(&value) else {
                let message = format!("Got an invalid selector \"{value}\", expected one of {}", Check::names());
                return Err(Box::new(criterion.place.error("E0503", message)));
            };
            let comparison = Comparison::new(project, manifest, old);
            let matched = graph.resources().filter(|(_, resource)| comparison.matches(resource, check));
            Ok(matched.map(|(position, _)| position).collect())
        }
    }
}

/// Sources whose newest row is newer than it was; texts of the same form compare as times.
fn fresher(graph: &Graph, before: &HashMap<String, Json>, now: &HashMap<String, Json>) -> NodeSet {
    let time = |row: Option<&Json>| row.and_then(|row| row.get("max_loaded_at")?.as_str().map(ToString::to_string));
    let newer = now
        .iter()
        .filter(|(id, row)| time(Some(row)).is_some_and(|current| time(before.get(*id)).is_none_or(|earlier| current > earlier)));
    newer.filter_map(|(id, _)| graph.position(id)).collect()
}

/// What `state:` compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Check {
    New,
    Old,
    Modified,
    Unmodified,
    Body,
    Configs,
    Descriptions,
    Relation,
    Macros,
    Contract,
}

impl Check {
    const ALL: [(&'static str, Self); 10] = [
        ("new", Self::New),
        ("old", Self::Old),
        ("modified", Self::Modified),
        ("unmodified", Self::Unmodified),
        ("modified.body", Self::Body),
        ("modified.configs", Self::Configs),
        ("modified.persisted_descriptions", Self::Descriptions),
        ("modified.relation", Self::Relation),
        ("modified.macros", Self::Macros),
        ("modified.contract", Self::Contract),
    ];

    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, check)| *check)
    }

    fn names() -> String {
        Self::ALL.map(|(name, _)| name).join(", ")
    }
}

/// The sections of manifest.json that hold resources.
const SECTIONS: [&str; 8] =
    ["nodes", "sources", "exposures", "metrics", "semantic_models", "unit_tests", "saved_queries", "functions"];

struct Comparison<'a> {
    old: HashMap<&'a str, &'a Json>,
    /// Macros whose text is new or changed, and all that call them, directly or not.
    changed_macros: HashSet<UniqueId>,
    more_unrendered: bool,
}

impl<'a> Comparison<'a> {
    fn new(project: &Project, manifest: &Manifest, old: &'a Json) -> Self {
        let sections = SECTIONS.iter().filter_map(|section| old.get(section)?.as_object());
        let flag = project.flags.get("state_modified_compare_more_unrendered_values");
        Self {
            old: sections.flatten().map(|(id, body)| (id.as_str(), body)).collect(),
            changed_macros: changed_macros(manifest, old),
            more_unrendered: flag.and_then(Json::as_bool).unwrap_or_default(),
        }
    }

    fn matches(&self, resource: &Resource, check: Check) -> bool {
        let old = self.old.get(resource.unique_id().as_str()).copied();
        let node = if let Resource::Node(node) = resource { Some(&**node) } else { None };
        // A part that changed, where the kind of resource has it; what is new has every part changed.
        let part = |same: fn(&Node, &Json) -> bool| node.is_some_and(|node| old.is_none_or(|old| !same(node, old)));
        match check {
            Check::New => old.is_none(),
            Check::Old => old.is_some(),
            Check::Modified => self.modified(resource, old),
            Check::Unmodified => !self.modified(resource, old),
            Check::Body => part(same_body),
            Check::Configs => match (node, old) {
                (Some(node), Some(old)) => !same_node_config(node, old),
                (None, Some(old)) => !same_config(&unrendered(resource), old, &[]),
                (_, None) => true,
            },
            Check::Descriptions => part(same_persisted_descriptions),
            Check::Relation => match (resource, old) {
                (Resource::Source(_), Some(old)) => !self.same_source_relation(&artifacts::resource(resource, None), old),
                (Resource::Source(_), None) => true,
                _ => part(same_node_relation),
            },
            Check::Macros => self.calls_changed_macro(resource),
            Check::Contract => part(same_contract),
        }
    }

    fn modified(&self, resource: &Resource, old: Option<&Json>) -> bool {
        let changed = match (resource, old) {
            (Resource::Node(node), old) => old.is_none_or(|old| !same_node(node, old)),
            (Resource::UnitTest(test), old) => {
                old.and_then(|old| old.get("checksum")).and_then(Json::as_str) != test.checksum.as_deref()
            }
            // As in dbt, a new resource of these kinds counts as new, not as modified.
            (_, None) => false,
            (Resource::Source(_), Some(old)) => {
                let new = artifacts::resource(resource, None);
                let keys = ["fqn", "quoting", "freshness", "loaded_at_field", "external"];
                !same_keys(&new, old, &keys)
                    || !self.same_source_relation(&new, old)
                    || !same_config(&unrendered(resource), old, &[])
            }
            (_, Some(old)) => !same_definition(resource, old),
        };
        changed || self.calls_changed_macro(resource)
    }

    fn same_source_relation(&self, new: &Json, old: &Json) -> bool {
        let keys = if self.more_unrendered {
            ["unrendered_database", "unrendered_schema", "identifier"]
        } else {
            ["database", "schema", "identifier"]
        };
        same_keys(new, old, &keys)
    }

    fn calls_changed_macro(&self, resource: &Resource) -> bool {
        let macros = match resource {
            Resource::Node(node) => &node.depends_on.macros,
            Resource::UnitTest(test) => &test.depends_on.macros,
            Resource::Exposure(exposure) => &exposure.depends_on.macros,
            Resource::Metric(semantic) | Resource::SemanticModel(semantic) | Resource::SavedQuery(semantic) => {
                &semantic.depends_on.macros
            }
            Resource::Source(_) => return false,
        };
        macros.iter().any(|id| self.changed_macros.contains(id))
    }
}

/// Changed macros and their callers.
fn changed_macros(manifest: &Manifest, old: &Json) -> HashSet<UniqueId> {
    let old = old.get("macros").and_then(Json::as_object);
    let mut callers: HashMap<&UniqueId, Vec<&UniqueId>> = HashMap::new();
    let mut open: Vec<&UniqueId> = Vec::new();
    for found in manifest.macros.all() {
        let before = old.and_then(|old| old.get(found.unique_id.as_str()));
        if before.and_then(|before| before.get("macro_sql")).and_then(Json::as_str) != Some(found.macro_sql()) {
            open.push(&found.unique_id);
        }
        for called in &found.depends_on {
            callers.entry(called).or_default().push(&found.unique_id);
        }
    }
    let mut changed: HashSet<UniqueId> = HashSet::new();
    while let Some(id) = open.pop() {
        if changed.insert(id.clone()) {
            open.extend(callers.get(id).into_iter().flatten());
        }
    }
    changed
}

fn same_node(node: &Node, old: &Json) -> bool {
    let same_base = same_node_config(node, old) && old.get("fqn") == Some(&Json::from(node.fqn.clone()));
    if node.test().is_some_and(|test| test.metadata.is_some()) {
        return same_base;
    }
    same_base
        && same_body(node, old)
        && same_persisted_descriptions(node, old)
        && same_node_relation(node, old)
        && same_contract(node, old)
        && same_reference(node, old)
}

fn same_body(node: &Node, old: &Json) -> bool {
    if node.resource_type == ResourceType::Seed {
        let checksum = old.get("checksum");
        let text = |key: &str| checksum.and_then(|checksum| checksum.get(key)).and_then(Json::as_str);
        return text("name") == Some(node.checksum.name) && text("checksum") == Some(&node.checksum.checksum);
    }
    old.get("raw_code").and_then(Json::as_str) == Some(&node.raw_code)
}

fn same_node_config(node: &Node, old: &Json) -> bool {
    same_config(&node.unrendered_config, old, &["alias", "schema", "database", "tags", "group"])
}

/// The configuration as written, key for key, some left out.
fn same_config(new: &JsonMap, old: &Json, ignored: &[&str]) -> bool {
    let none = JsonMap::new();
    let old = old.get("unrendered_config").and_then(Json::as_object).unwrap_or(&none);
    let mut keys = new.keys().chain(old.keys()).filter(|key| !ignored.contains(&key.as_str()));
    keys.all(|key| new.get(key) == old.get(key))
}

fn unrendered(resource: &Resource) -> JsonMap {
    match resource {
        Resource::Node(node) => node.unrendered_config.clone(),
        Resource::Source(source) => source.unrendered_config.clone(),
        Resource::Exposure(exposure) => exposure.unrendered_config.clone(),
        Resource::Metric(semantic) | Resource::SemanticModel(semantic) | Resource::SavedQuery(semantic) => {
            semantic.unrendered_config.clone()
        }
        Resource::UnitTest(_) => JsonMap::new(),
    }
}

/// Descriptions count where they are written into the warehouse.
fn same_persisted_descriptions(node: &Node, old: &Json) -> bool {
    let persisted =
        |key: &str| node.config.object("persist_docs").and_then(|docs| docs.get(key)).and_then(Json::as_bool).unwrap_or_default();
    if persisted("relation") && old.get("description").and_then(Json::as_str) != Some(&node.description) {
        return false;
    }
    if !persisted("columns") {
        return true;
    }
    let before = old.get("columns").and_then(Json::as_object);
    let described = |name: &String| before?.get(name)?.get("description")?.as_str();
    before.map_or(0, JsonMap::len) == node.columns.len()
        && node.columns.iter().all(|(name, column)| described(name) == Some(column.description.as_str()))
}

fn same_node_relation(node: &Node, old: &Json) -> bool {
    let old = old.get("unrendered_config");
    ["database", "schema", "alias"].iter().all(|key| {
        let before = old.and_then(|old| old.get(key)).filter(|value| !value.is_null());
        node.unrendered_config.get(*key).filter(|value| !value.is_null()) == before
    })
}

fn same_contract(node: &Node, old: &Json) -> bool {
    let old = old.get("contract");
    let enforced = old.and_then(|old| old.get("enforced")).and_then(Json::as_bool).unwrap_or_default();
    let checksum = old.and_then(|old| old.get("checksum")).and_then(Json::as_str);
    if !enforced && !node.contract.enforced {
        return true;
    }
    enforced == node.contract.enforced && checksum == node.contract.checksum.as_deref()
}

/// What references to a model depend on: its latest version, access and deprecation.
fn same_reference(node: &Node, old: &Json) -> bool {
    if node.model().is_none() {
        return true;
    }
    let new = artifacts::resource(&Resource::Node(std::sync::Arc::new(node.clone())), None);
    same_keys(&new, old, &["latest_version", "access", "deprecation_date"])
}

/// Exposures and the semantic layer: the keys that dbt compares.
fn same_definition(resource: &Resource, old: &Json) -> bool {
    let new = artifacts::resource(resource, None);
    let (keys, ignored): (&[&str], &[&str]) = match resource {
        Resource::Exposure(_) => (&["fqn", "type", "owner", "maturity", "url", "description", "label"], &[]),
        Resource::Metric(_) => (&["type", "description", "label"], &["group"]),
        Resource::SemanticModel(_) => {
            (&["model", "description", "defaults", "entities", "dimensions", "measures", "primary_entity", "group"], &["group"])
        }
        _ => (&["query_params", "description", "label", "group", "exports", "tags"], &["group", "tags"]),
    };
    let same_parents = match resource {
        Resource::Exposure(exposure) => {
            let new: HashSet<&str> = exposure.depends_on.nodes.iter().map(UniqueId::as_str).collect();
            let old = old.pointer("/depends_on/nodes").and_then(Json::as_array);
            old.is_some_and(|old| old.iter().filter_map(Json::as_str).collect::<HashSet<_>>() == new)
        }
        _ => true,
    };
    same_parents && same_keys(&new, old, keys) && same_config(&unrendered(resource), old, ignored)
}

/// Equal under each key; null and absent are the same.
fn same_keys(new: &Json, old: &Json, keys: &[&str]) -> bool {
    let value = |of: &Json, key: &str| of.get(key).filter(|value| !value.is_null()).cloned();
    keys.iter().all(|key| value(new, key) == value(old, key))
}
