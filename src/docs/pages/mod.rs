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
use super::site::{Node, Site};
use super::templates::{File, Templates};
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
}

impl Pages<'_> {
    /// All of them, in no particular order.
    pub fn all(&self) -> Result<Vec<File>, Diagnostic> {
        let nodes: Vec<Vec<File>> =
            (0..self.site.nodes.len()).into_par_iter().map(|at| self.node(at)).collect::<Result<_, _>>()?;
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
        let lists: Vec<Vec<File>> = parts.into_par_iter().map(|part| part(self)).collect::<Result<_, _>>()?;
        let mut files: Vec<File> = nodes.into_iter().chain(lists).flatten().collect();
        files.push(self.overview()?);
        files.extend(self.freshness()?);
        files.push(self.changes()?);
        files.push(self.templates.page("404.html", "404.html", "", "No such page", &())?);
        Ok(files)
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
