//! Which nodes lie in which folder.

use std::collections::BTreeMap;

use super::html::escape;
use super::pages::mark;
use super::site::{Node, Site};

/// A package, and a folder in it.
type Place = (String, Vec<String>);

/// Nodes by package and folder, by name.
pub struct Folders {
    /// With their nodes; sorted.
    all: Vec<(Place, Vec<usize>)>,
    /// Of each node: which of `all` it lies in, and its place there.
    home: Vec<(usize, usize)>,
    /// Of each node: its address, and what follows that in an item of a list.
    items: Vec<(String, String)>,
}

impl Folders {
    pub fn new(site: &Site) -> Self {
        let mut found: BTreeMap<Place, Vec<usize>> = BTreeMap::new();
        for (at, node) in site.nodes.iter().enumerate() {
            found.entry((node.package.clone(), node.folder.clone())).or_default().push(at);
        }
        let mut all: Vec<_> = found.into_iter().collect();
        let mut home = vec![(0, 0); site.nodes.len()];
        for (folder, (_, nodes)) in all.iter_mut().enumerate() {
            nodes.sort_by(|a, b| site.nodes[*a].name.cmp(&site.nodes[*b].name).then(a.cmp(b)));
            nodes.iter().enumerate().for_each(|(place, node)| home[*node] = (folder, place));
        }
        Self { all, home, items: site.nodes.iter().map(item).collect() }
    }

    /// The nodes of the folder that a node lies in, and which of them it is.
    pub fn around(&self, node: usize) -> (&[usize], usize) {
        let (folder, place) = self.home[node];
        (&self.all[folder].1, place)
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
