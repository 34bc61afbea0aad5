//! Criteria that compare with an earlier run: `state:`, `result:` and `source_status:`.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::contract_changes::{self, Change};
use super::criteria::{Criterion, Method};
use super::dag::Graph;
use super::methods;
use super::node_set::NodeSet;
use crate::artifacts::{self, PreviousState};
use crate::diagnostic::Diagnostic;
use crate::manifest::{Detail, Json, JsonMap, Manifest, Node, Resource, ResourceType, UniqueId};
use crate::project::Project;

/// What criteria compare with.
#[derive(Debug, Clone, Default)]
pub struct Comparand {
    /// The artifacts of an earlier run (`--state`).
    pub earlier: Arc<PreviousState>,
    /// The rows of sources.json in the present target folder, by unique id; None without the file.
    pub current_sources: Option<HashMap<String, Json>>,
}

/// Where resources are looked for.
#[derive(Clone, Copy)]
pub(super) struct Places<'a> {
    pub project: &'a Project,
    pub manifest: &'a Manifest,
    pub graph: &'a Graph,
}

/// The resources that a state, result or `source_status` criterion matches, and what the comparison found worth saying:
/// contracts that were broken, seeds too big to compare.
pub(super) fn search(
    places: Places<'_>,
    previous: Option<&Comparand>,
    criterion: &Criterion,
) -> Result<(NodeSet, Vec<Diagnostic>), Box<Diagnostic>> {
    let value = methods::text_of(criterion)?;
    let place = &criterion.place;
    let graph = places.graph;
    let Some(previous) = previous else {
        let message = match criterion.method {
            Method::State => "Got a state selector method, but no comparison manifest",
            Method::Result => "No comparison run_results: no state was given",
            _ => "No previous state comparison freshness results in sources.json: no state was given",
        };
        let help = "give the folder of an earlier run's artifacts with --state";
        return Err(Box::new(place.error("E0507", message).help(help)));
    };
    let earlier = &previous.earlier;
    let missing = |message: &str, file: &str| {
        let why = earlier.missing(file);
        let mut fault = place.error(why.code, format!("{message}: {}", why.message));
        fault.help = why.help;
        Box::new(fault)
    };
    match criterion.method {
        Method::Result => {
            let results = earlier.run_results.as_ref();
            let results = results.ok_or_else(|| missing("No comparison run_results", "run_results.json"))?;
            let matched = results.values().filter(|result| result.status.as_str() == value);
            Ok((matched.filter_map(|result| graph.position(&result.unique_id)).collect(), Vec::new()))
        }
        Method::SourceStatus => {
            let before = earlier.sources.as_ref();
            let before = before
                .ok_or_else(|| missing("No previous state comparison freshness results in sources.json", "sources.json"))?;
            let now = previous.current_sources.as_ref().ok_or_else(|| {
                let message = "No current state comparison freshness results in sources.json: the target folder has none";
                Box::new(place.error("E0507", message).help("run `source freshness` first"))
            })?;
            Ok((if value == "fresher" { fresher(graph, before, now) } else { NodeSet::default() }, Vec::new()))
        }
        _ => {
            let old = earlier.manifest.as_deref();
            let message = "Got a state selector method, but no comparison manifest";
            let old = old.ok_or_else(|| missing(message, "manifest.json"))?;
            let Some(check) = Check::named(&value) else {
                let message = format!("Got an invalid selector \"{value}\", expected one of {}", Check::names());
                return Err(Box::new(criterion.place.error("E0503", message)));
            };
            if check.looks_at_macros()
                && let Some(test) = places.manifest.nodes.values().find(|node| lacks_macro(places, node))
            {
                let message = format!(
                    "Node '{}' (in {}) depends on a macro or test that does not exist",
                    test.name, test.original_file_path
                );
                let help = "check the spelling, run `deps` if it is a package's, or take the test out";
                return Err(Box::new(Diagnostic::error("E0413", message).node(test.unique_id.shared()).help(help)));
            }
            let comparison = Comparison::new(places.project, places.manifest, old);
            let matched = graph.resources().filter(|(_, resource)| comparison.matches(resource, check));
            let matched = matched.map(|(position, _)| position).collect();
            if matches!(check, Check::Modified | Check::Unmodified | Check::Contract) {
                comparison.look_for_removed(places.manifest);
            }
            Ok((matched, comparison.said.into_inner()))
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

    fn looks_at_macros(self) -> bool {
        matches!(self, Self::Modified | Self::Unmodified | Self::Macros)
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
    seed_limit: i64,
    /// What was found worth saying.
    said: RefCell<Vec<Diagnostic>>,
}

impl<'a> Comparison<'a> {
    fn new(project: &Project, manifest: &Manifest, old: &'a Json) -> Self {
        let sections = SECTIONS.iter().filter_map(|section| old.get(section)?.as_object());
        let flag = project.flags.get("state_modified_compare_more_unrendered_values");
        Self {
            old: sections.flatten().map(|(id, body)| (id.as_str(), body)).collect(),
            changed_macros: changed_macros(manifest, old),
            more_unrendered: flag.and_then(Json::as_bool).unwrap_or_default(),
            seed_limit: project.flags.get("maximum_seed_size_mib").and_then(Json::as_i64).unwrap_or(1),
            said: RefCell::default(),
        }
    }

    fn matches(&self, resource: &Resource, check: Check) -> bool {
        let old = self.old.get(resource.unique_id().as_str()).copied();
        let node = if let Resource::Node(node) = resource { Some(&**node) } else { None };
        // A part that changed, where the kind of resource has it; what is new has every part changed.
        let part = |same: fn(&Node, &Json) -> bool| node.is_some_and(|node| old.is_none_or(|old| !same(node, old)));
        let of_node =
            |same: fn(&Self, &Node, &Json) -> bool| node.is_some_and(|node| old.is_none_or(|old| !same(self, node, old)));
        match check {
            Check::New => old.is_none(),
            Check::Old => old.is_some(),
            Check::Modified => self.modified(resource, old),
            Check::Unmodified => !self.modified(resource, old),
            Check::Body => of_node(Self::same_body),
            Check::Configs => match (resource, old) {
                (Resource::UnitTest(_), _) => false,
                (_, None) => true,
                (Resource::Node(node), Some(old)) => !same_node_config(node, old),
                (_, Some(old)) => !same_resource_config(resource, old),
            },
            Check::Descriptions => part(same_persisted_descriptions),
            Check::Relation => match (resource, old) {
                (Resource::Source(_), Some(old)) => !self.same_source_relation(&artifacts::resource(resource, None), old),
                (Resource::Source(_), None) => true,
                _ => part(same_node_relation),
            },
            Check::Macros => self.calls_changed_macro(resource),
            Check::Contract => of_node(Self::same_contract),
        }
    }

    fn modified(&self, resource: &Resource, old: Option<&Json>) -> bool {
        let changed = match (resource, old) {
            (Resource::Node(node), old) => old.is_none_or(|old| !self.same_node(node, old)),
            (Resource::UnitTest(test), old) => {
                old.and_then(|old| old.get("checksum")).and_then(Json::as_str) != test.checksum.as_deref()
            }
            // As in dbt, a new resource of these kinds counts as new, not as modified.
            (_, None) => false,
            (Resource::Source(_), Some(old)) => {
                let new = artifacts::resource(resource, None);
                let keys = ["fqn", "quoting", "freshness", "loaded_at_field", "external"];
                !same_keys(&new, old, &keys) || !self.same_source_relation(&new, old) || !same_resource_config(resource, old)
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

/// Is it a generic test without a macro?
fn lacks_macro(places: Places<'_>, node: &Node) -> bool {
    let metadata = node.test().and_then(|test| test.metadata.as_ref());
    metadata.is_some_and(|metadata| {
        let name = format!("test_{}", metadata.name);
        let package = metadata.namespace.as_deref().unwrap_or(&node.package_name);
        places.manifest.macros.find(package, &name).is_none()
    })
}

/// Changed macros and their callers. The built-in ones never count: a manifest that dbt itself wrote has other texts there, and
/// nothing in the project changed with them.
fn changed_macros(manifest: &Manifest, old: &Json) -> HashSet<UniqueId> {
    let old = old.get("macros").and_then(Json::as_object);
    let mut callers: HashMap<&UniqueId, Vec<&UniqueId>> = HashMap::new();
    let mut open: Vec<&UniqueId> = Vec::new();
    for found in manifest.macros.all() {
        let before = old.and_then(|old| old.get(found.unique_id.as_str()));
        if !manifest.macros.internal.contains(&found.package_name)
            && before.and_then(|before| before.get("macro_sql")).and_then(Json::as_str) != Some(found.macro_sql())
        {
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

impl Comparison<'_> {
    fn same_node(&self, node: &Node, old: &Json) -> bool {
        // Always asked: a broken contract is told even where something else changed.
        let same_contract = self.same_contract(node, old);
        let same_base = same_node_config(node, old) && old.get("fqn") == Some(&Json::from(node.fqn.clone()));
        if node.test().is_some_and(|test| test.metadata.is_some()) {
            return same_base;
        }
        same_base
            && self.same_body(node, old)
            && same_persisted_descriptions(node, old)
            && same_node_relation(node, old)
            && same_contract
            && same_reference(node, old)
            && same_function(node, old)
    }

    fn same_body(&self, node: &Node, old: &Json) -> bool {
        if node.resource_type == ResourceType::Seed {
            return self.same_seed(node, old);
        }
        old.get("raw_code").and_then(Json::as_str) == Some(&node.raw_code)
    }

    /// A seed's content, or where it is too big for that, its path.
    fn same_seed(&self, node: &Node, old: &Json) -> bool {
        let checksum = old.get("checksum");
        let text = |key: &str| checksum.and_then(|checksum| checksum.get(key)).and_then(Json::as_str);
        let same = text("name") == Some(node.checksum.name) && text("checksum") == Some(&node.checksum.checksum);
        if node.checksum.name == "path" {
            let found = format!("Found a seed ({}.{}) >{}MiB in size", node.package_name, node.name, self.seed_limit);
            let (event, what) = if text("name") != Some("path") {
                ("SeedIncreased", format!(". The previous file was <={}MiB, so it has changed", self.seed_limit))
            } else if same {
                let what = " at the same path, dbt cannot tell if it has changed: assuming they are the same";
                ("SeedExceedsLimitSamePath", what.to_owned())
            } else {
                let what = ". The previous file was in a different location, assuming it has changed";
                ("SeedExceedsLimitAndPathChanged", what.to_owned())
            };
            self.say(Diagnostic::warning("W0504", found + &what).event(event).node(node.unique_id.shared()));
        }
        same
    }

    fn same_contract(&self, node: &Node, old: &Json) -> bool {
        if node.model().is_none() {
            return true;
        }
        let new = artifacts::resource(&Resource::Node(Arc::new(node.clone())), None);
        match contract_changes::change(&new, old) {
            Change::None => true,
            Change::Additive => false,
            Change::Breaking(reasons) => {
                self.breaks(&new, &reasons);
                false
            }
        }
    }

    /// Contracted models that are gone: deleted, renamed or disabled.
    fn look_for_removed(&self, manifest: &Manifest) {
        for (id, before) in &self.old {
            if !id.starts_with("model.") {
                continue;
            }
            let disabled = manifest.disabled.get(*id).and_then(|definitions| definitions.first());
            let removed = match disabled {
                Some(now) => {
                    let now = artifacts::resource(now, None);
                    contract_changes::removed(&now, true).map(|reason| (now, reason))
                }
                None if !manifest.nodes.contains_key(*id) => {
                    contract_changes::removed(before, false).map(|reason| ((*before).clone(), reason))
                }
                None => None,
            };
            if let Some((model, reason)) = removed {
                self.breaks(&model, &[reason]);
            }
        }
    }

    /// A contract that others rely on is broken: an error for a version of a model, else a warning.
    fn breaks(&self, model: &Json, reasons: &[String]) {
        let text = |key: &str| model.get(key).and_then(Json::as_str).unwrap_or_default();
        let reasons = reasons.join("\n  - ");
        let said = if model.get("version").is_none_or(Json::is_null) {
            let message = format!(
                "Breaking change to contracted, unversioned model {} ({})\nWhile comparing to previous project state, dbt \
                 detected a breaking change to an unversioned model.\n  - {reasons}\n",
                text("name"),
                text("original_file_path")
            );
            Diagnostic::warning("W0505", message).event("UnversionedBreakingChange")
        } else {
            let message = format!(
                "Breaking change to contract of model {} ({})\nWhile comparing to previous project state, dbt detected a \
                 breaking change to an enforced contract.\n  - {reasons}",
                text("name"),
                text("original_file_path")
            );
            let help = "make an additive (non-breaking) change instead, or a new version of the model";
            Diagnostic::error("E0509", message).help(help)
        };
        self.say(said.node(text("unique_id")));
    }

    fn say(&self, diagnostic: Diagnostic) {
        self.said.borrow_mut().push(diagnostic);
    }
}

/// What of a data test's configuration counts as a change.
const TEST_CONFIG: [&str; 9] =
    ["severity", "where", "limit", "fail_calc", "warn_if", "error_if", "store_failures", "store_failures_as", "sql_header"];

fn same_node_config(node: &Node, old: &Json) -> bool {
    if node.resource_type == ResourceType::Test {
        return same_config(&node.unrendered_config, old, |key| TEST_CONFIG.contains(&key));
    }
    let apart = ["alias", "schema", "database", "tags", "group"];
    same_config(&node.unrendered_config, old, |key| !apart.contains(&key))
}

fn same_resource_config(resource: &Resource, old: &Json) -> bool {
    match resource {
        // Of these dbt compares what came of the configuration.
        Resource::SemanticModel(_) | Resource::SavedQuery(_) => same_keys(&artifacts::resource(resource, None), old, &["config"]),
        Resource::Metric(_) => same_config(&unrendered(resource), old, |key| key != "group"),
        _ => same_config(&unrendered(resource), old, |_| true),
    }
}

/// The configuration as written, for those keys that count.
fn same_config(new: &JsonMap, old: &Json, counts: impl Fn(&str) -> bool) -> bool {
    let none = JsonMap::new();
    let old = old.get("unrendered_config").and_then(Json::as_object).unwrap_or(&none);
    let mut keys = new.keys().chain(old.keys()).filter(|key| counts(key));
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

/// What references to a model depend on: its latest version, access and deprecation.
fn same_reference(node: &Node, old: &Json) -> bool {
    if node.model().is_none() {
        return true;
    }
    let new = artifacts::resource(&Resource::Node(std::sync::Arc::new(node.clone())), None);
    // Manifests of older versions know no access.
    let access = |of: &Json| of.get("access").filter(|access| !access.is_null()).cloned().unwrap_or_else(|| "protected".into());
    same_keys(&new, old, &["latest_version", "deprecation_date"]) && access(&new) == access(old)
}

/// What a function takes and gives.
fn same_function(node: &Node, old: &Json) -> bool {
    if !matches!(node.detail, Detail::Function(_)) {
        return true;
    }
    let new = artifacts::resource(&Resource::Node(Arc::new(node.clone())), None);
    let overloads = |of: &Json| -> Vec<[Json; 4]> {
        let all = of.get("overloads").and_then(Json::as_array).into_iter().flatten();
        all.map(|one| ["defined_in", "arguments", "returns", "raw_body"].map(|key| one.get(key).cloned().unwrap_or_default()))
            .collect()
    };
    same_keys(&new, old, &["arguments", "returns"]) && overloads(&new) == overloads(old)
}

/// Exposures and the semantic layer: the keys that dbt compares.
fn same_definition(resource: &Resource, old: &Json) -> bool {
    let new = artifacts::resource(resource, None);
    let same = match resource {
        Resource::Exposure(exposure) => {
            let parents: HashSet<&str> = exposure.depends_on.nodes.iter().map(UniqueId::as_str).collect();
            let before = old.pointer("/depends_on/nodes").and_then(Json::as_array);
            before.is_some_and(|before| before.iter().filter_map(Json::as_str).collect::<HashSet<_>>() == parents)
                && same_keys(&new, old, &["fqn", "type", "owner", "maturity", "url", "description", "label"])
        }
        Resource::Metric(_) => same_keys(&new, old, &["type", "description", "label"]),
        Resource::SemanticModel(_) => {
            let keys = ["model", "description", "defaults", "entities", "dimensions", "measures", "primary_entity", "group"];
            same_keys(&new, old, &keys)
        }
        _ => {
            let asks = |of: &Json| of.get("query_params").cloned().unwrap_or_default();
            same_keys(&asks(&new), &asks(old), &["metrics", "group_by", "where"])
                && same_keys(&new, old, &["description", "label", "group", "tags"])
                && exports(&new) == exports(old)
        }
    };
    same && same_resource_config(resource, old)
}

/// Of each export of a saved query what counts: its name and where it goes, as written.
fn exports(of: &Json) -> Vec<[Json; 4]> {
    let all = of.get("exports").and_then(Json::as_array).into_iter().flatten();
    all.map(|export| {
        let written = |key: &str| export.get("unrendered_config").and_then(|config| config.get(key)).cloned().unwrap_or_default();
        [export.get("name").cloned().unwrap_or_default(), written("export_as"), written("schema"), written("alias")]
    })
    .collect()
}

/// Equal under each key; null and absent are the same, however deep.
fn same_keys(new: &Json, old: &Json, keys: &[&str]) -> bool {
    keys.iter().all(|key| same_value(new.get(key), old.get(key)))
}

fn same_value(new: Option<&Json>, old: Option<&Json>) -> bool {
    match (new, old) {
        (Some(Json::Object(new)), Some(Json::Object(old))) => {
            new.keys().chain(old.keys()).all(|key| same_value(new.get(key), old.get(key)))
        }
        (Some(Json::Array(new)), Some(Json::Array(old))) => {
            new.len() == old.len() && new.iter().zip(old).all(|(new, old)| same_value(Some(new), Some(old)))
        }
        (new, old) => new.filter(|value| !value.is_null()) == old.filter(|value| !value.is_null()),
    }
}
