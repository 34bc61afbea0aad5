//! The lineage graph of the site: laid out here, drawn by `docs-site/lineage*.js` on a page of its own, and as a picture on each
//! node's page.

mod data;
mod erd;
mod focus;
mod layers;
mod layout;
mod order;
mod place;

use std::collections::HashMap;
use std::fmt::Write;

use flate2::Compression;
use serde::Serialize;

use super::shard::packed;
use super::site::{Node, Site};
use super::templates::{File, Templates};
use crate::diagnostic::Diagnostic;
use crate::manifest::ResourceType;

pub struct Graph {
    /// How often a bare word may mean something: a node, a folder or a package.
    words: HashMap<String, usize>,
}

#[derive(Serialize)]
struct View {
    mode: &'static str,
    example: String,
    rows: Vec<erd::Row>,
    /// Relationships beyond those rows.
    more: usize,
}

impl Graph {
    pub fn new(site: &Site) -> Self {
        Self { words: words(site) }
    }

    /// A node with what is near it, for its page.
    pub fn focus(&self, site: &Site, node: usize) -> String {
        focus::picture(self, site, node)
    }

    pub fn pages(&self, site: &Site, templates: &Templates) -> Result<Vec<File>, Diagnostic> {
        let layout = layout::whole(site.nodes.len(), &edges(site).collect::<Vec<_>>());
        let example = self.example(site);
        let view = |mode, rows, more| View { mode, example: example.clone(), rows, more };
        let lineage = view("lineage", Vec::new(), 0);
        let (rows, more) = erd::rows(site);
        let mut files = vec![
            templates.page("lineage.html", "lineage.html", "lineage", "Lineage", &lineage)?,
            templates.page("lineage-erd.html", "erd.html", "erd", "Relationships", &view("erd", rows, more))?,
            packed("graph", &data::columns(site, &layout), Compression::best()),
        ];
        if !site.relationships.is_empty() {
            files.push(packed("erd", &erd::tables(site), Compression::best()));
        }
        Ok(files)
    }

    /// The part of an address that shows a node with its neighbourhood: `s=2+orders+2`.
    pub fn address(&self, site: &Site, node: usize) -> String {
        format!("s=2+{}+2", encoded(&self.word(site, &site.nodes[node])))
    }

    /// The word that `--select` takes for this node and no other, where there is one.
    fn word(&self, site: &Site, node: &Node) -> String {
        match node.kind {
            ResourceType::Source
            | ResourceType::Exposure
            | ResourceType::Metric
            | ResourceType::SemanticModel
            | ResourceType::SavedQuery => {
                let package = if node.package == site.project { String::new() } else { format!("{}.", node.package) };
                format!("{}:{package}{}", node.kind, node.name)
            }
            _ if self.words.get(&node.name) == Some(&1) => node.name.clone(),
            _ => node.fqn.join("."),
        }
    }

    /// An example of what can be selected: of this project, so that it works.
    fn example(&self, site: &Site) -> String {
        let busy = site.nodes.iter().filter(|node| node.kind == ResourceType::Model).max_by_key(|node| {
            (
                node.parents.len().min(3) + node.children.len().min(3),
                std::cmp::Reverse(node.name.len()),
                std::cmp::Reverse(&node.id),
            )
        });
        let mut parts: Vec<String> = busy.map(|node| format!("2+{}+2", self.word(site, node))).into_iter().collect();
        parts.extend(site.nodes.iter().flat_map(|node| &node.tags).min().map(|tag| format!("tag:{tag}")));
        parts.push("models/…".to_owned());
        parts.join(" or ")
    }
}

fn words(site: &Site) -> HashMap<String, usize> {
    let mut words: HashMap<String, usize> = HashMap::new();
    let mut note = |word: &str| *words.entry(word.to_owned()).or_default() += 1;
    for node in site.nodes.iter().filter(|node| node.kind != ResourceType::Source) {
        note(&node.name);
    }
    let folders: std::collections::BTreeSet<&str> =
        site.nodes.iter().filter_map(|node| node.folder.get(1)).map(String::as_str).collect();
    folders.into_iter().for_each(&mut note);
    let packages: std::collections::BTreeSet<&str> = site.nodes.iter().map(|node| node.package.as_str()).collect();
    packages.into_iter().for_each(&mut note);
    words
}

/// From parents to children.
fn edges(site: &Site) -> impl Iterator<Item = (u32, u32)> {
    let nodes = site.nodes.iter().enumerate();
    nodes.flat_map(|(at, node)| node.parents.iter().map(move |&parent| (layers::index(parent), layers::index(at))))
}

/// A word as it stands in the part of an address behind `#`.
fn encoded(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    for byte in word.bytes() {
        if byte.is_ascii_alphanumeric() || b"_.-:/,@*".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests;
