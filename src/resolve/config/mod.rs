//! Merging of a resource's configuration: own package's tree < property file < in-file `config()` < the root
//! project's tree, the last for installed packages only (dbt: `calculate_node_config`).

mod calls;
mod class;
mod shape;
#[cfg(test)]
mod tests;
mod tree;

use crate::manifest::{Config, Json, JsonMap, ResourceType};

pub use calls::merge_calls;
pub use class::{Class, Merge};
pub use tree::{ConfigTrees, Levels};

/// A value that its key does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub key: String,
    pub message: String,
}

impl Fault {
    fn new(key: &str, message: impl Into<String>) -> Self {
        Self { key: key.to_owned(), message: message.into() }
    }
}

/// What configures one resource, from its trees, its property file and its own text.
pub struct Given<'a> {
    pub kind: ResourceType,
    pub levels: Levels<'a>,
    pub patch: Option<&'a JsonMap>,
    pub calls: &'a JsonMap,
}

/// The merged configuration in the artifact's form: known keys in order, then the others as given.
#[derive(Debug, Default)]
pub struct Merged {
    pub config: Config,
    /// The values that name the relation. A null given last counts here, while `config` keeps what an earlier step of dbt's
    /// had put there.
    pub naming: JsonMap,
    pub faults: Vec<Fault>,
}

/// Merges and checks. Faulty values are reported and left out.
pub fn merge(given: &Given<'_>) -> Merged {
    let class = class::of(given.kind);
    let mut merger = Merger::new(class);
    given.levels.own.iter().for_each(|level| merger.apply(level));
    merger.step = Step::Own;
    if let Some(patch) = given.patch {
        merger.apply(patch);
    }
    merger.apply(given.calls);
    merger.step = Step::Root;
    given.levels.root.iter().for_each(|level| merger.apply(level));
    merger.finish(given)
}

/// `enabled` alone, without the property file: decides which of several nodes of a name a property file speaks of.
pub fn enabled_before_patch(levels: &Levels<'_>, calls: &JsonMap) -> bool {
    let all = levels.own.iter().copied().chain(std::iter::once(calls)).chain(levels.root.iter().copied());
    all.filter_map(|level| level.get("enabled")).next_back().and_then(Json::as_bool).unwrap_or(true)
}

/// The keys of a config that its class does not know: what an adapter or a macro reads.
pub fn extras(kind: ResourceType, config: &Config) -> JsonMap {
    let class = class::of(kind);
    let unknown = config.0.iter().filter(|(key, _)| class.field(key).is_none());
    unknown.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// dbt's `unrendered_config`: the same levels, later ones replacing earlier ones key by key.
pub fn unrendered(levels: &Levels<'_>, patch: Option<&JsonMap>, calls: &JsonMap) -> JsonMap {
    let mut merged = JsonMap::new();
    let parts = levels.own.iter().copied().chain(patch).chain(std::iter::once(calls)).chain(levels.root.iter().copied());
    for part in parts {
        merged.extend(part.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    merged
}

/// Which of dbt's sources is being applied.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Tree,
    Own,
    Root,
}

struct Merger {
    class: &'static Class,
    map: JsonMap,
    /// What the property file and in-file calls replaced: a null of theirs does not take the tree's value out of `config`, since
    /// dbt lays each step's result over the one before it, nulls left out.
    replaced: JsonMap,
    step: Step,
    faults: Vec<Fault>,
}

impl Merger {
    fn new(class: &'static Class) -> Self {
        Self { class, map: class.defaults(), replaced: JsonMap::new(), step: Step::Tree, faults: Vec::new() }
    }

    fn apply(&mut self, part: &JsonMap) {
        for (key, value) in part {
            self.set(hook_key(key, part), value);
        }
    }

    fn set(&mut self, key: Option<&str>, value: &Json) {
        let Some(key) = key else { return };
        let merge = self.class.field(key).map_or(Merge::Clobber, |field| field.merge);
        let Some(earlier) = self.map.get_mut(key) else {
            self.map.insert(key.to_owned(), value.clone());
            return;
        };
        match merge {
            Merge::Clobber => {
                let before = std::mem::replace(earlier, value.clone());
                match self.step {
                    Step::Own if !self.replaced.contains_key(key) => {
                        self.replaced.insert(key.to_owned(), before);
                    }
                    Step::Root => {
                        self.replaced.remove(key);
                    }
                    Step::Own | Step::Tree => {}
                }
            }
            Merge::Append => {
                let mut joined = listed(earlier.take());
                joined.extend(listed(value.clone()));
                *earlier = Json::Array(joined);
            }
            Merge::Update | Merge::DictKeyAppend => {
                let shorthand = key == "latest_version_pointer" && value.is_boolean();
                let Some(later) = (if shorthand { None } else { value.as_object() }) else {
                    if shorthand {
                        *earlier = value.clone();
                    } else {
                        self.faults.push(Fault::new(key, format!("expected a map, got {}", shape::shown(value))));
                    }
                    return;
                };
                let mut merged = match earlier.take() {
                    Json::Object(map) => map,
                    _ => JsonMap::new(),
                };
                if merge == Merge::Update {
                    merged.extend(later.iter().map(|(key, value)| (key.clone(), value.clone())));
                } else {
                    append_by_key(&mut merged, later);
                }
                *earlier = Json::Object(merged);
            }
        }
    }

    fn finish(mut self, given: &Given<'_>) -> Merged {
        let naming = ["database", "schema", "alias", "target_database", "target_schema"]
            .into_iter()
            .filter_map(|key| Some((key.to_owned(), self.map.get(key)?.clone())))
            .collect();
        for (key, value) in std::mem::take(&mut self.replaced) {
            let known = overlaid(given.kind) && self.class.field(&key).is_some();
            if let Some(place) = self.map.get_mut(&key).filter(|place| known && place.is_null()) {
                *place = value;
            }
        }
        for field in &self.class.fields {
            let Some(value) = self.map.get_mut(field.key) else { continue };
            match shape::normal(field.shape, value.take()) {
                Ok(normal) => *value = normal,
                Err(message) => {
                    *value = field.default.clone();
                    self.faults.push(Fault::new(field.key, message));
                }
            }
        }
        match given.kind {
            ResourceType::Test => shape::finish_test(&mut self.map),
            ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot => shape::check_node(&self.map, &mut self.faults),
            _ => {}
        }
        Merged { config: Config(self.map), naming, faults: self.faults }
    }
}

/// Kinds whose config dbt makes in steps, each laid over the one before.
fn overlaid(kind: ResourceType) -> bool {
    !matches!(
        kind,
        ResourceType::Source
            | ResourceType::Exposure
            | ResourceType::Metric
            | ResourceType::SemanticModel
            | ResourceType::SavedQuery
            | ResourceType::Group
    )
}

/// The canonical name of a hook key; None where the other spelling stands beside it and wins.
fn hook_key<'a>(key: &'a str, part: &JsonMap) -> Option<&'a str> {
    match key {
        "pre_hook" => Some("pre-hook"),
        "post_hook" => Some("post-hook"),
        "pre-hook" if part.contains_key("pre_hook") => None,
        "post-hook" if part.contains_key("post_hook") => None,
        other => Some(other),
    }
}

fn listed(value: Json) -> Vec<Json> {
    match value {
        Json::Array(items) => items,
        other => vec![other],
    }
}

/// grants: each key's value becomes a list; `+key` extends what was there, a plain key replaces it.
fn append_by_key(merged: &mut JsonMap, later: &JsonMap) {
    for value in merged.values_mut() {
        *value = Json::Array(listed(value.take()));
    }
    for (key, value) in later {
        let plain = key.trim_start_matches('+');
        let added = listed(value.clone());
        match merged.get_mut(plain).and_then(Json::as_array_mut) {
            Some(list) if plain != key => list.extend(added),
            _ => {
                merged.insert(plain.to_owned(), Json::Array(added));
            }
        }
    }
}
