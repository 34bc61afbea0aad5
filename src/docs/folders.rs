//! Which nodes lie in which folder.

use std::collections::BTreeMap;

use super::site::{Node, Site};

/// Nodes by package and folder, by name.
pub struct Folders(BTreeMap<(String, Vec<String>), Vec<usize>>);

impl Folders {
    pub fn new(site: &Site) -> Self {
        let mut folders: BTreeMap<(String, Vec<String>), Vec<usize>> = BTreeMap::new();
        for (at, node) in site.nodes.iter().enumerate() {
            folders.entry((node.package.clone(), node.folder.clone())).or_default().push(at);
        }
        for nodes in folders.values_mut() {
            nodes.sort_by(|a, b| site.nodes[*a].name.cmp(&site.nodes[*b].name).then(a.cmp(b)));
        }
        Self(folders)
    }

    /// The nodes of the folder that a node lies in.
    pub fn of(&self, node: &Node) -> &[usize] {
        self.0.get(&(node.package.clone(), node.folder.clone())).map_or(&[], Vec::as_slice)
    }

    pub fn all(&self) -> impl Iterator<Item = (&str, &[String], &[usize])> {
        self.0.iter().map(|((package, folder), nodes)| (package.as_str(), folder.as_slice(), nodes.as_slice()))
    }
}
