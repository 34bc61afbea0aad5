//! Finding what `ref` and `source` name, in a resolved manifest.

use std::collections::HashMap;

use super::{Manifest, Node, ResourceType, UniqueId, VersionText};

/// Names to ids. `ref` sees models, seeds and snapshots.
#[derive(Debug, Default)]
pub struct Lookup {
    /// See [`Manifest::own_package_first`].
    own_package_first: bool,
    /// `orders`, and `orders.v2` for versions; the latest version stands under the plain name too.
    nodes: HashMap<String, Vec<UniqueId>>,
    /// `source.table`.
    sources: HashMap<String, Vec<UniqueId>>,
    functions: HashMap<String, Vec<UniqueId>>,
}

impl Lookup {
    pub fn new(manifest: &Manifest) -> Self {
        let mut lookup = Self { own_package_first: manifest.own_package_first, ..Self::default() };
        for node in manifest.nodes.values().filter(|node| refable(node)) {
            let version = node.model().and_then(|model| model.version.as_ref());
            let latest = node.model().and_then(|model| model.latest_version.as_ref());
            if let Some(version) = version {
                lookup.nodes.entry(format!("{}.v{}", node.name, version.text)).or_default().push(node.unique_id.clone());
            }
            if version.map(|version| &version.text) == latest.map(|latest| &latest.text) || version.is_none() {
                lookup.nodes.entry(node.name.clone()).or_default().push(node.unique_id.clone());
            }
        }
        for source in manifest.sources.values() {
            lookup.sources.entry(format!("{}.{}", source.source_name, source.name)).or_default().push(source.unique_id.clone());
        }
        for function in manifest.functions.values() {
            lookup.functions.entry(function.name.clone()).or_default().push(function.unique_id.clone());
        }
        lookup
    }

    /// The id that `ref(package, name, version)` means in code of package `from`: the given package only, else the
    /// root project, then `from` (the other way round where [`Manifest::own_package_first`]), then any.
    pub fn node(
        &self,
        root: &str,
        from: &str,
        package: Option<&str>,
        name: &str,
        version: Option<&VersionText>,
    ) -> Option<&UniqueId> {
        match version {
            Some(version) => self.search(self.nodes.get(&format!("{name}.v{}", version.text))?, root, from, package),
            None => self.search(self.nodes.get(name)?, root, from, package),
        }
    }

    /// The id that `source(source, table)` means in code of package `from`.
    pub fn source(&self, root: &str, from: &str, source: &str, table: &str) -> Option<&UniqueId> {
        self.search(self.sources.get(&format!("{source}.{table}"))?, root, from, None)
    }

    /// The id that `function(package, name)` means in code of package `from`.
    pub fn function(&self, root: &str, from: &str, package: Option<&str>, name: &str) -> Option<&UniqueId> {
        self.search(self.functions.get(name)?, root, from, package)
    }

    fn search<'a>(&self, found: &'a [UniqueId], root: &str, from: &str, package: Option<&str>) -> Option<&'a UniqueId> {
        let in_package = |package: &str| found.iter().find(|id| id.as_str().split('.').nth(1) == Some(package));
        let (first, second) = if self.own_package_first { (from, root) } else { (root, from) };
        match package {
            Some(package) => in_package(package),
            None => in_package(first).or_else(|| in_package(second)).or_else(|| found.first()),
        }
    }
}

fn refable(node: &Node) -> bool {
    matches!(node.resource_type, ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot)
}
