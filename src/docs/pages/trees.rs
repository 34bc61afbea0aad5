//! The project by folder, and the database by schema.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use super::view::{Html, Link, mark};
use super::{Pages, package_folder};
use crate::diagnostic::Diagnostic;
use crate::docs::site::{Node, State};
use crate::docs::templates::File;
use crate::docs::{format, links, markdown};

/// Rows of one list; a folder with more is a rare thing.
const ROWS: usize = 2000;

/// Projects of up to so many nodes show them in the tree.
const SMALL: usize = 250;

#[derive(Serialize)]
struct Branch {
    depth: usize,
    link: Link,
    count: String,
    bad: usize,
    /// What lies directly in it, in small projects.
    nodes: Vec<Link>,
}

#[derive(Serialize)]
struct TreeView {
    lead: String,
    branches: Vec<Branch>,
}

#[derive(Serialize)]
pub(super) struct ListView {
    pub crumbs: Vec<Link>,
    pub lead: String,
    pub folders: Vec<Link>,
    pub rows: Html,
    pub more: usize,
}

/// What lies directly in a folder, how much lies in it at any depth, and how much of that is bad.
type Below = (Vec<usize>, usize, usize);

impl Pages<'_> {
    /// Rows of a list of nodes, on a page this far from the site's folder, and how many more there are.
    pub(super) fn rows(&self, nodes: &[usize], root: &str) -> (Html, usize) {
        self.rows_named(nodes, root, |node| node.name.as_str().into())
    }

    fn rows_named(&self, nodes: &[usize], root: &str, name: impl Fn(&Node) -> Cow<'_, str>) -> (Html, usize) {
        let mut out = Html::default();
        for node in nodes.iter().take(ROWS).map(|at| &self.site.nodes[*at]) {
            out.push("<tr><td>").node(node, &name(node), root).push("</td><td class=\"faint\">").push(node.kind.singular());
            if !node.materialization.is_empty() && node.materialization != node.kind.as_str() {
                out.push(" · ").text(&node.materialization.replace('_', " "));
            }
            out.push("</td><td>").text(&markdown::summary(node.description(), 140));
            if let Some(owner) = &node.owner {
                out.push(" <span class=\"badge\">").text(owner).push("</span>");
            }
            out.push("</td><td>");
            if node.state != State::NotRun {
                out.status(node.state);
            }
            out.push("</td></tr>\n");
        }
        (out, nodes.len().saturating_sub(ROWS))
    }

    fn in_tree(&self, nodes: &[usize]) -> Vec<Link> {
        let shown: &[usize] = if self.site.nodes.len() > SMALL { &[] } else { nodes };
        shown.iter().map(|at| Link::node(&self.site.nodes[*at])).collect()
    }

    /// project.html, and a page for each folder.
    pub(super) fn project_tree(&self) -> Result<Vec<File>, Diagnostic> {
        // Every folder on the way to a node: what lies directly in it, and how much below it.
        let mut tree: BTreeMap<(usize, Vec<String>), Below> = BTreeMap::new();
        for (package, folder, nodes) in self.folders.all() {
            let order = self.site.packages.iter().position(|known| known.name == package).unwrap_or(usize::MAX);
            let bad = nodes.iter().filter(|at| self.site.nodes[**at].state.is_bad()).count();
            for depth in 0..=folder.len() {
                let entry = tree.entry((order, folder[..depth].to_vec())).or_default();
                entry.1 += nodes.len();
                entry.2 += bad;
                if depth == folder.len() {
                    entry.0 = nodes.to_vec();
                }
            }
        }
        let mut files = Vec::new();
        let mut branches = Vec::new();
        for ((package, folder), (nodes, count, bad)) in &tree {
            let Some(package_name) = self.site.packages.get(*package).map(|package| package.name.as_str()) else { continue };
            let name = folder.last().map_or(package_name, String::as_str);
            let url = package_folder(package_name, folder);
            branches.push(Branch {
                depth: folder.len(),
                link: Link::plain(name, url.clone()),
                count: format::count(*count),
                bad: *bad,
                nodes: self.in_tree(nodes),
            });
            // What is below a folder stands right behind it.
            let below = tree.range((*package, folder.clone())..).map(|(key, _)| key);
            let below = below.take_while(|(other, path)| other == package && path.starts_with(folder));
            let inner = below.filter(|(_, path)| path.len() == folder.len() + 1);
            let folders =
                inner.map(|(_, path)| Link::plain(path.last().cloned().unwrap_or_default(), package_folder(package_name, path)));
            let (rows, more) = self.rows(nodes, &links::root(&url));
            let mut crumbs = vec![Link::plain("Project", "project.html")];
            if !folder.is_empty() {
                crumbs.push(Link::plain(package_name, package_folder(package_name, &[])));
            }
            for depth in 1..folder.len() {
                crumbs.push(Link::plain(folder[depth - 1].clone(), package_folder(package_name, &folder[..depth])));
            }
            let lead = format::counted(*count, "resource");
            let view = ListView { crumbs, lead, folders: folders.collect(), rows, more };
            files.push(self.templates.page("list.html", &url, "project", name, &view)?);
        }
        let lead = format!(
            "{} in {}",
            format::counted(self.site.nodes.len(), "resource"),
            format::counted(self.site.packages.len(), "package")
        );
        files.push(self.templates.page("tree.html", "project.html", "project", "Project", &TreeView { lead, branches })?);
        Ok(files)
    }

    /// database.html, and a page for each schema.
    pub(super) fn database_tree(&self) -> Result<Vec<File>, Diagnostic> {
        let mut schemas: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
        for (at, node) in self.site.nodes.iter().enumerate() {
            if let Some(schema) = &node.schema {
                schemas.entry((node.database.clone().unwrap_or_default(), schema.clone())).or_default().push(at);
            }
        }
        let ids: Vec<String> = schemas.keys().map(|(database, schema)| format!("{database}.{schema}")).collect();
        let urls = links::urls(ids.iter().map(|id| ("schema".to_owned(), id.as_str(), id.as_str())));
        let (mut files, mut branches) = (Vec::new(), Vec::new());
        let mut known: Option<&str> = None;
        for (((database, schema), nodes), url) in schemas.iter().zip(urls) {
            if known != Some(database) {
                known = Some(database);
                let within = schemas.iter().filter(|((other, _), _)| other == database);
                let count = within.map(|(_, nodes)| nodes.len()).sum();
                branches.push(Branch {
                    depth: 0,
                    link: Link::plain(database.clone(), ""),
                    count: format::count(count),
                    bad: 0,
                    nodes: Vec::new(),
                });
            }
            let bad = nodes.iter().filter(|at| self.site.nodes[**at].state.is_bad()).count();
            let link = Link::plain(schema.clone(), url.clone());
            let mut nodes = nodes.clone();
            nodes.sort_by_key(|at| self.site.nodes[*at].relation.clone());
            branches.push(Branch { depth: 1, link, count: format::count(nodes.len()), bad, nodes: self.in_tree(&nodes) });
            let (rows, more) = self.rows_named(&nodes, &links::root(&url), |node| {
                let relation = node.relation.as_deref().unwrap_or_default().replace('"', "");
                relation.rsplit('.').next().unwrap_or_default().to_owned().into()
            });
            let crumbs = vec![Link::plain("Database", "database.html"), Link::plain(database.clone(), "")];
            let view = ListView { crumbs, lead: format::counted(nodes.len(), "relation"), folders: Vec::new(), rows, more };
            files.push(self.templates.page("list.html", &url, "database", schema, &view)?);
        }
        if !branches.is_empty() {
            let lead =
                format!("{}, as they lie in the warehouse ({})", format::counted(schemas.len(), "schema"), self.site.adapter);
            files.push(self.templates.page(
                "tree.html",
                "database.html",
                "database",
                "Database",
                &TreeView { lead, branches },
            )?);
        }
        Ok(files)
    }
}

/// A node's mark alone, for lists that name it otherwise.
pub(super) fn marked(node: &Node, name: String, url: String) -> Link {
    Link { name, url, mark: mark(node), state: "" }
}
