//! The lineage graph of the site: on each node's page, and as a page of its own.

use super::html::escape;
use super::site::{Node, Site};
use super::templates::{File, Templates};
use crate::diagnostic::Diagnostic;

pub struct Graph;

impl Graph {
    pub fn new(_: &Site) -> Self {
        Self
    }

    /// A node's neighbours, for its page.
    pub fn focus(&self, site: &Site, node: usize) -> String {
        let node = &site.nodes[node];
        let list = |nodes: &[usize]| nodes.iter().take(20).map(|at| item(&site.nodes[*at])).collect::<String>();
        format!("<ul>{}</ul><ul>{}</ul>", list(&node.parents), list(&node.children))
    }

    pub fn pages(&self, _: &Site, templates: &Templates) -> Result<Vec<File>, Diagnostic> {
        Ok(vec![templates.page("lineage.html", "lineage.html", "lineage", "Lineage", &())?])
    }
}

fn item(node: &Node) -> String {
    format!("<li><a href=\"../../{}\">{}</a></li>", node.url, escape(&node.name))
}
