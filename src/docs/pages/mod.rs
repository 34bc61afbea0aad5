//! The pages, one file for each kind.

mod changes;
mod checks;
mod lists;
mod node;
mod overview;
mod runs;
mod semantic;
mod trees;
mod view;

use rayon::prelude::*;

use super::folders::Folders;
use super::graph::Graph;
use super::links;
use super::output::Output;
use super::site::{Node, Site};
use super::templates::Templates;
use crate::artifacts::Build;
use crate::diagnostic::Diagnostic;

pub use changes::build;
pub use view::mark;

/// What all pages are made with.
pub struct Pages<'a> {
    pub site: &'a Site,
    pub templates: &'a Templates,
    pub graph: &'a Graph,
    pub folders: &'a Folders,
    /// The site in short, and what it is compared with.
    pub current: &'a Build,
    pub previous: Option<&'a Build>,
    pub out: &'a Output<'a>,
}

impl Pages<'_> {
    /// Makes all of them, in no particular order.
    pub fn all(&self) -> Result<(), Diagnostic> {
        (0..self.site.nodes.len()).into_par_iter().try_for_each(|at| self.out.put_all(self.node(at)?))?;
        let parts = [
            Self::project_tree,
            Self::database_tree,
            Self::kinds,
            Self::tags,
            Self::owners,
            Self::packages,
            Self::columns,
            Self::macros,
            Self::tests,
            Self::runs,
        ];
        parts.into_par_iter().try_for_each(|part| self.out.put_all(part(self)?))?;
        self.out.put(self.overview()?)?;
        self.out.put_all(self.freshness()?)?;
        self.out.put(self.changes()?)?;
        self.out.put(self.templates.page("404.html", "404.html", "", "No such page", &())?)
    }

    #[expect(clippy::unused_self, reason = "asked for as other addresses are")]
    pub fn tag_url(&self, tag: &str) -> String {
        format!("tag/{}.html", links::slug(tag, tag))
    }

    #[expect(clippy::unused_self, reason = "asked for as other addresses are")]
    pub fn owner_url(&self, owner: &str) -> String {
        format!("owner/{}.html", links::slug(owner, owner))
    }

    /// The page of a name that several nodes have; else its place on the page of the one that has it.
    pub fn column_url(&self, column: &str, node: &Node) -> String {
        let folded = column.to_lowercase();
        if self.site.shared_columns.contains(&folded) {
            return format!("column/{}.html", links::slug(&folded, &folded));
        }
        format!("{}#{}", node.url, links::anchor(column))
    }
}

/// The page of the folder that a node lies in.
fn folder_url(node: &Node) -> String {
    package_folder(&node.package, &node.folder)
}

/// The page of a folder of a package; of the package's root where it is empty.
fn package_folder(package: &str, folder: &[String]) -> String {
    let mut url = format!("folder/{}", links::slug(package, package));
    for part in folder {
        url.push('/');
        url.push_str(&links::slug(part, part));
    }
    url.push_str("/index.html");
    url
}
