//! Which nodes lie in which folder.

use std::collections::BTreeMap;

use super::html::escape;
use super::pages::mark;
use super::site::{Node, Site};

/// Nodes by package and folder, by name.
pub struct Folders {
    all: BTreeMap<(String, Vec<String>), Vec<usize>>,
    /// Of each node: the node's folder, as its number in `all`, and the node's place in it.
    home: Vec<(usize, usize)>,
    lists: Vec<Vec<usize>>,
    /// Of each node: its address, and what follows that in an item of a list.
    items: Vec<(String, String)>,
}

impl Folders {
    pub fn new(site: &Site) -> Self {
        let mut all: BTreeMap<(String, Vec<String>), Vec<usize>> = BTreeMap::new();
        for (at, node) in site.nodes.iter().enumerate() {
            all.entry((node.package.clone(), node.folder.clone())).or_default().push(at);
        }
        let mut home = vec![(0, 0); site.nodes.len()];
        for (folder, nodes) in all.values_mut().enumerate() {
            nodes.sort_by(|a, b| site.nodes[*a].name.cmp(&site.nodes[*b].name).then(a.cmp(b)));
            nodes.iter().enumerate().for_each(|(place, node)| home[*node] = (folder, place));
        }
        let lists = all.values().cloned().collect();
        Self { all, home, lists, items: site.nodes.iter().map(item).collect() }
    }

    /// The nodes of the folder that a node lies in, and which of them it is.
    pub fn around(&self, node: usize) -> (&[usize], usize) {
        let (folder, place) = self.home[node];
        (&self.lists[folder], place)
    }

    /// A node as an item of a list, from behind the way to the site's folder: its address, and what comes after its attributes.
    pub fn item(&self, node: usize) -> (&str, &str) {
        let (url, rest) = &self.items[node];
        (url, rest)
    }

    pub fn all(&self) -> impl Iterator<Item = (&str, &[String], &[usize])> {
        self.all.iter().map(|((package, folder), nodes)| (package.as_str(), folder.as_slice(), nodes.as_slice()))
    }
}

fn item(node: &Node) -> (String, String) {
    let dot = if node.state.is_bad() { format!("<span class=\"dot s-{}\"></span>", node.state.as_str()) } else { String::new() };
    let (url, name) = (escape(&node.url), escape(&node.name));
    (format!("{url}\""), format!("><span class=\"mark {}\"></span>{name}{dot}</a></li>", mark(node)))
}
