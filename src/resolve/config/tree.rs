//! The `models:`, `seeds:` … trees of dbt_project.yml, ready to be walked by a resource's fqn.

use std::collections::HashMap;
use std::sync::Arc;

use crate::manifest::{JsonMap, ResourceType};
use crate::project::{Package, Project, ProjectConfig};
use crate::yaml::{Kind, Yaml};

/// One level of a tree: what it configures, and the levels below it.
#[derive(Debug, Default)]
pub struct Level {
    /// `+` taken off the keys.
    pub config: JsonMap,
    children: HashMap<Arc<str>, Level>,
}

impl Level {
    fn new(tree: &Yaml) -> Self {
        let mut level = Self::default();
        for entry in tree.entries() {
            let is_map = matches!(entry.value.kind, Kind::Map(_));
            if let Some(key) = entry.key.strip_prefix('+') {
                level.config.insert(key.trim().to_owned(), entry.value.to_json());
            } else if is_map {
                level.children.insert(entry.key.clone(), Self::new(&entry.value));
            } else {
                level.config.insert(entry.key.to_string(), entry.value.to_json());
            }
        }
        level
    }

    /// This level, then each one below it that the fqn names, until one is missing.
    fn along<'a>(&'a self, fqn: &'a [String]) -> impl Iterator<Item = &'a JsonMap> {
        let mut next = Some(self);
        let mut names = fqn.iter();
        std::iter::from_fn(move || {
            let level = next?;
            next = names.next().and_then(|name| level.children.get(name.as_str()));
            Some(&level.config)
        })
    }
}

/// Which tree of dbt_project.yml configures a resource type. Whatever has no tree of its own reads `models`.
fn tree_key(kind: ResourceType, analyses_apart: bool) -> &'static str {
    match kind {
        ResourceType::Seed => "seeds",
        ResourceType::Snapshot => "snapshots",
        ResourceType::Source => "sources",
        ResourceType::Test => "data_tests",
        ResourceType::Metric => "metrics",
        ResourceType::SemanticModel => "semantic-models",
        ResourceType::SavedQuery => "saved-queries",
        ResourceType::Exposure => "exposures",
        ResourceType::UnitTest => "unit_tests",
        ResourceType::Function => "functions",
        ResourceType::Analysis if analyses_apart => "analyses",
        _ => "models",
    }
}

type Trees = HashMap<&'static str, Level>;

/// The trees of every package, rendered and as written.
#[derive(Debug)]
pub struct ConfigTrees {
    root: Arc<str>,
    analyses_apart: bool,
    rendered: HashMap<Arc<str>, Trees>,
    written: HashMap<Arc<str>, Trees>,
}

const TREES: [&str; 12] = [
    "models",
    "seeds",
    "snapshots",
    "sources",
    "data_tests",
    "metrics",
    "semantic-models",
    "saved-queries",
    "exposures",
    "unit_tests",
    "functions",
    "analyses",
];

fn trees<'a>(find: impl Fn(&'static str) -> Option<&'a Yaml>) -> Trees {
    TREES.into_iter().filter_map(|key| Some((key, Level::new(find(key)?)))).collect()
}

fn written_tree<'a>(config: &'a ProjectConfig, key: &str) -> Option<&'a Yaml> {
    config.unrendered_resource_configs.iter().find(|(name, _)| name == key).map(|(_, tree)| tree)
}

/// The levels that apply to one resource: its own package's, and for an installed package the root project's, which win
/// over all else.
pub struct Levels<'a> {
    pub own: Vec<&'a JsonMap>,
    pub root: Vec<&'a JsonMap>,
}

impl ConfigTrees {
    pub fn new(project: &Project) -> Self {
        let each = |build: fn(&Package) -> Trees| -> HashMap<Arc<str>, Trees> {
            project.packages.iter().map(|package| (package.name.clone(), build(package))).collect()
        };
        let flag = |name: &str| project.flags.get(name).and_then(serde_json::Value::as_bool).unwrap_or(false);
        Self {
            root: project.root_package().name.clone(),
            analyses_apart: flag("require_corrected_analysis_fqns"),
            rendered: each(|package| trees(|key| package.config.resource_config(key))),
            written: each(|package| trees(|key| written_tree(&package.config, key))),
        }
    }

    /// The rendered levels, outermost first.
    pub fn rendered<'a>(&'a self, package: &str, kind: ResourceType, fqn: &'a [String]) -> Levels<'a> {
        self.levels(&self.rendered, package, tree_key(kind, self.analyses_apart), fqn)
    }

    /// The levels as written, for `unrendered_config`; functions read the models' tree here, as in dbt.
    pub fn written<'a>(&'a self, package: &str, kind: ResourceType, fqn: &'a [String]) -> Levels<'a> {
        let key = if kind == ResourceType::Function { "models" } else { tree_key(kind, self.analyses_apart) };
        self.levels(&self.written, package, key, fqn)
    }

    fn levels<'a>(&self, trees: &'a HashMap<Arc<str>, Trees>, package: &str, key: &str, fqn: &'a [String]) -> Levels<'a> {
        let of = |name: &str| -> Vec<&'a JsonMap> {
            let level = trees.get(name).and_then(|trees| trees.get(key));
            level.map(|level| level.along(fqn).filter(|config| !config.is_empty()).collect()).unwrap_or_default()
        };
        Levels { own: of(package), root: if package == &*self.root { Vec::new() } else { of(&self.root) } }
    }
}
