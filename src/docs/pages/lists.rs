//! Lists by what nodes have in common: kind, tag, owner, group, package, column; and macros.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use super::Pages;
use super::trees::{ListView, marked};
use super::view::{Html, Link, chip, node_link, prose, shown_state};
use crate::diagnostic::Diagnostic;
use crate::docs::site::{Group, State, Test};
use crate::docs::templates::File;
use crate::docs::{collect, format, highlight, links, markdown};
use crate::manifest::{Language, ResourceType};

/// Nodes listed on the page of a column.
const USES: usize = 200;

/// A page that leads to others: each with a name, a number, a text.
#[derive(Serialize)]
struct IndexView {
    lead: String,
    entries: Vec<Entry>,
    /// The heading of the text's column.
    about: &'static str,
}

#[derive(Serialize)]
struct Entry {
    link: Link,
    count: String,
    text: String,
}

#[derive(Serialize)]
struct GroupView {
    lead: String,
    description: String,
    contact: Vec<(String, String)>,
    rows: Html,
    more: usize,
}

#[derive(Serialize)]
struct ColumnView {
    lead: String,
    uses: Vec<Use>,
    more: usize,
}

#[derive(Serialize)]
struct Use {
    link: Link,
    anchor: String,
    kind: String,
    description: String,
    from: Option<Link>,
    tests: Vec<Html>,
    primary: bool,
}

#[derive(Serialize)]
struct MacroView {
    kind: &'static str,
    summary: String,
    description: String,
    signature: String,
    arguments: Vec<Argument>,
    file: String,
    html: String,
    lines: usize,
    used_by: Vec<Html>,
    more: usize,
    tests: Vec<Link>,
    more_tests: usize,
    callers: Vec<Link>,
    calls: Vec<Link>,
}

#[derive(Serialize)]
struct Argument {
    name: String,
    kind: String,
    description: String,
}

impl Pages<'_> {
    /// Sources, exposures, metrics and their like: all nodes of some kinds.
    pub(super) fn kinds(&self) -> Result<Vec<File>, Diagnostic> {
        use ResourceType as T;
        let pages: [(&str, &str, &[T]); 3] = [
            ("sources", "Sources", &[T::Source]),
            ("exposures", "Exposures", &[T::Exposure]),
            ("metrics", "Metrics", &[T::Metric, T::SemanticModel, T::SavedQuery]),
        ];
        let mut files = Vec::new();
        for (section, title, kinds) in pages {
            let nodes: Vec<usize> = (0..self.site.nodes.len()).filter(|at| kinds.contains(&self.site.nodes[*at].kind)).collect();
            if nodes.is_empty() {
                continue;
            }
            let (rows, more) = self.rows(&nodes, "");
            let lead = format::counted(nodes.len(), kinds[0].singular());
            let view = ListView { crumbs: Vec::new(), lead, folders: Vec::new(), rows, more };
            files.push(self.templates.page("list.html", &format!("{section}.html"), section, title, &view)?);
        }
        Ok(files)
    }

    pub(super) fn tags(&self) -> Result<Vec<File>, Diagnostic> {
        let mut tags: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, node) in self.site.nodes.iter().enumerate() {
            node.tags.iter().for_each(|tag| tags.entry(tag).or_default().push(at));
        }
        let (mut files, entries) = self.listed("tags", "Tags", &tags, |tag| self.tag_url(tag))?;
        if !entries.is_empty() {
            let view = IndexView { lead: format::counted(entries.len(), "tag"), entries, about: "On" };
            files.push(self.templates.page("entries.html", "tags.html", "tags", "Tags", &view)?);
        }
        Ok(files)
    }

    /// A page for each of the names, with the nodes that have it, and the entries that lead there.
    fn listed(
        &self,
        section: &str,
        title: &str,
        names: &BTreeMap<&str, Vec<usize>>,
        url: impl Fn(&str) -> String,
    ) -> Result<(Vec<File>, Vec<Entry>), Diagnostic> {
        let (mut files, mut entries) = (Vec::new(), Vec::new());
        for (name, nodes) in names {
            let url = url(name);
            entries.push(Entry {
                link: Link::plain(*name, url.clone()),
                count: format::count(nodes.len()),
                text: self.kinds_of(nodes),
            });
            let (rows, more) = self.rows(nodes, &links::root(&url));
            let crumbs = vec![Link::plain(title, format!("{section}.html"))];
            let view = ListView { crumbs, lead: format::counted(nodes.len(), "resource"), folders: Vec::new(), rows, more };
            files.push(self.templates.page("list.html", &url, section, name, &view)?);
        }
        Ok((files, entries))
    }

    /// `3 models, 1 source`.
    fn kinds_of(&self, nodes: &[usize]) -> String {
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for at in nodes {
            *kinds.entry(self.site.nodes[*at].kind.singular()).or_default() += 1;
        }
        kinds.into_iter().map(|(kind, count)| format::counted(count, kind)).collect::<Vec<_>>().join(", ")
    }

    /// Owners and groups.
    pub(super) fn owners(&self) -> Result<Vec<File>, Diagnostic> {
        let mut owners: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, node) in self.site.nodes.iter().enumerate() {
            if let Some(owner) = &node.owner {
                owners.entry(owner).or_default().push(at);
            }
        }
        let (mut files, mut entries) = self.listed("owners", "Owners", &owners, |owner| self.owner_url(owner))?;
        for group in &self.site.groups {
            let nodes: Vec<usize> =
                (0..self.site.nodes.len()).filter(|at| self.site.nodes[*at].group.as_deref() == Some(&group.name)).collect();
            let text = format!("group: {}", self.kinds_of(&nodes));
            entries.push(Entry {
                link: Link::plain(group.name.clone(), group.url.clone()),
                count: format::count(nodes.len()),
                text,
            });
            files.push(self.group(group, &nodes)?);
        }
        if !entries.is_empty() {
            let view = IndexView { lead: "Who to ask".to_owned(), entries, about: "Of" };
            files.push(self.templates.page("entries.html", "owners.html", "owners", "Owners", &view)?);
        }
        Ok(files)
    }

    fn group(&self, group: &Group, nodes: &[usize]) -> Result<File, Diagnostic> {
        let (rows, more) = self.rows(nodes, &links::root(&group.url));
        let contact = group.owner.iter().map(|(key, value)| (key.clone(), super::view::shown_value(value))).collect();
        let description = prose(self.site, &group.description, &links::root(&group.url));
        let view = GroupView {
            lead: format!("Group of {}", format::counted(nodes.len(), "resource")),
            description,
            contact,
            rows,
            more,
        };
        self.templates.page("group.html", &group.url, "owners", &group.name, &view)
    }

    pub(super) fn packages(&self) -> Result<Vec<File>, Diagnostic> {
        if self.site.packages.len() < 2 {
            return Ok(Vec::new());
        }
        let (mut files, mut entries) = (Vec::new(), Vec::new());
        for package in &self.site.packages {
            let nodes: Vec<usize> =
                (0..self.site.nodes.len()).filter(|at| self.site.nodes[*at].package == package.name).collect();
            let macros = self.site.macros.iter().filter(|entry| *entry.of.package_name == *package.name).count();
            let text = [self.kinds_of(&nodes), format::counted(macros, "macro")].into_iter().filter(|text| !text.is_empty());
            let text = text.collect::<Vec<_>>().join(", ");
            let version = package.version.as_ref().map(|version| format!("version {version}")).unwrap_or_default();
            entries.push(Entry {
                link: Link::plain(package.name.clone(), package.url.clone()),
                count: version.clone(),
                text: text.clone(),
            });
            let (rows, more) = self.rows(&nodes[..nodes.len().min(500)], &links::root(&package.url));
            let description = prose(self.site, package.overview.as_deref().unwrap_or_default(), &links::root(&package.url));
            let contact = [("Version", package.version.clone().unwrap_or_default())];
            let contact = contact.into_iter().filter(|(_, value)| !value.is_empty()).map(|(key, value)| (key.to_owned(), value));
            let view = GroupView {
                lead: format!("Package: {text}"),
                description,
                contact: contact.collect(),
                rows,
                more: more + nodes.len().saturating_sub(500),
            };
            files.push(self.templates.page("group.html", &package.url, "packages", &package.name, &view)?);
        }
        let view = IndexView { lead: "Installed packages, the project first".to_owned(), entries, about: "Has" };
        files.push(self.templates.page("entries.html", "packages.html", "packages", "Packages", &view)?);
        Ok(files)
    }

    /// columns.html with the names that occur the most, and a page for each name.
    pub(super) fn columns(&self) -> Result<Vec<File>, Diagnostic> {
        const SHOWN: usize = 1000;
        let mut names: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
        for (at, node) in self.site.nodes.iter().enumerate() {
            for (place, column) in node.columns.iter().enumerate() {
                names.entry(column.name.to_lowercase()).or_default().push((at, place));
            }
        }
        let names: Vec<(String, Vec<(usize, usize)>)> = names.into_iter().collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let shared = names.par_iter().filter(|(name, _)| self.site.shared_columns.contains(name));
        shared.try_for_each(|(name, uses)| self.out.put(self.column(name, uses)?))?;
        let mut shown: Vec<&(String, Vec<(usize, usize)>)> = names.iter().collect();
        shown.sort_by_key(|(_, uses)| std::cmp::Reverse(uses.len()));
        let entries = shown.iter().take(SHOWN).map(|(name, uses)| {
            let described = uses.iter().map(|(at, place)| &self.site.nodes[*at].columns[*place]);
            let text = described.map(|column| column.description.as_str()).find(|text| !text.trim().is_empty());
            let text = markdown::summary(text.unwrap_or_default(), 120);
            let node = &self.site.nodes[uses[0].0];
            Entry { link: Link::plain(name.clone(), self.column_url(name, node)), count: format::count(uses.len()), text }
        });
        let lead = match names.len() {
            few if few <= SHOWN => format::counted(few, "name"),
            many => format!(
                "{}; the {} that occur the most are listed, the search knows all",
                format::counted(many, "name"),
                format::count(SHOWN)
            ),
        };
        let view = IndexView { lead, entries: entries.collect(), about: "Description" };
        Ok(vec![self.templates.page("entries.html", "columns.html", "columns", "Columns", &view)?])
    }

    fn column(&self, name: &str, uses: &[(usize, usize)]) -> Result<File, Diagnostic> {
        let url = self.column_url(name, &self.site.nodes[uses[0].0]);
        let root = links::root(&url);
        let shown = uses.iter().take(USES).map(|(at, place)| {
            let node = &self.site.nodes[*at];
            let column = &node.columns[*place];
            Use {
                link: Link::node(node),
                anchor: links::anchor(&column.name),
                kind: column.kind.clone().unwrap_or_default(),
                description: prose(self.site, &column.description, &root),
                from: column.inherited_from.map(|from| Link::node(&self.site.nodes[from])),
                tests: column.tests.iter().map(|test| chip(&self.site.tests[*test], &root)).collect(),
                primary: column.primary,
            }
        });
        let lead = format!("A column of {}", format::counted(uses.len(), "relation"));
        let view = ColumnView { lead, uses: shown.collect(), more: uses.len().saturating_sub(USES) };
        self.templates.page("column.html", &url, "columns", name, &view)
    }

    /// macros.html, and a page for each macro.
    pub(super) fn macros(&self) -> Result<Vec<File>, Diagnostic> {
        if self.site.macros.is_empty() {
            return Ok(Vec::new());
        }
        let mut files =
            (0..self.site.macros.len()).into_par_iter().map(|at| self.macro_page(at)).collect::<Result<Vec<_>, _>>()?;
        let mut order: Vec<usize> = (0..self.site.macros.len()).collect();
        order.sort_by_key(|at| (*self.site.macros[*at].of.package_name != *self.site.project, *at));
        let entries = order.into_iter().map(|at| {
            let entry = &self.site.macros[at];
            let text = markdown::summary(&entry.of.description, 120);
            let uses = entry.used_by.len() + entry.callers.len() + entry.tests.len();
            Entry { link: self.macro_link(at), count: if uses > 0 { format::counted(uses, "use") } else { String::new() }, text }
        });
        let view = IndexView {
            lead: format::counted(self.site.macros.len(), "macro"),
            entries: entries.collect(),
            about: "Description",
        };
        files.push(self.templates.page("entries.html", "macros.html", "macros", "Macros", &view)?);
        Ok(files)
    }

    fn macro_page(&self, at: usize) -> Result<File, Diagnostic> {
        let entry = &self.site.macros[at];
        let of = &entry.of;
        let root = links::root(&entry.url);
        let text = of.macro_sql();
        let signature = of.signature.iter().map(|argument| argument.name.as_str()).collect::<Vec<_>>().join(", ");
        let arguments = of.arguments.iter().map(|argument| Argument {
            name: argument.name.clone(),
            kind: argument.kind.clone().unwrap_or_default(),
            description: prose(self.site, &argument.description, &root),
        });
        let view = MacroView {
            kind: collect::macro_kind(&of.kind),
            summary: markdown::summary(&of.description, 150),
            description: prose(self.site, &of.description, &root),
            signature: format!("{}({signature})", of.name),
            arguments: arguments.collect(),
            file: format!("{} in {}", of.original_file_path, of.package_name),
            html: highlight::highlight(text, Language::Sql),
            lines: text.lines().count(),
            used_by: entry.used_by.iter().take(USES).map(|at| node_link(&self.site.nodes[*at], &root)).collect(),
            more: entry.used_by.len().saturating_sub(USES),
            tests: entry.tests.iter().take(USES).map(|at| self.test_link(&self.site.tests[*at])).collect(),
            more_tests: entry.tests.len().saturating_sub(USES),
            callers: entry.callers.iter().map(|at| self.macro_link(*at)).collect(),
            calls: entry.calls.iter().map(|at| self.macro_link(*at)).collect(),
        };
        self.templates.page("macro.html", &entry.url, "macros", &of.name, &view)
    }

    /// A test by what it tests.
    fn test_link(&self, test: &Test) -> Link {
        let node = test.nodes.first().map_or(test.name.as_str(), |at| self.site.nodes[*at].name.as_str());
        let name = test.column.as_ref().map_or_else(|| node.to_owned(), |column| format!("{node}.{column}"));
        Link { mark: "k-test".to_owned(), state: shown_state(test.state), ..Link::plain(name, test.url.clone()) }
    }

    /// Freshness: every source, with what the last check found.
    pub(super) fn freshness(&self) -> Result<Option<File>, Diagnostic> {
        #[derive(Serialize)]
        struct View {
            checked: bool,
            rows: Vec<Fresh>,
        }
        #[derive(Serialize)]
        struct Fresh {
            link: Link,
            state: &'static str,
            word: String,
            newest: String,
            shown: String,
            age: String,
            limits: String,
        }
        let of_sources = self.site.nodes.iter().filter(|node| node.kind == ResourceType::Source);
        let mut rows: Vec<(State, Fresh)> = of_sources
            .map(|node| {
                let row = node.freshness.as_ref();
                let text =
                    |key: &str| row.and_then(|row| row.get(key)).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
                let status = text("status");
                let age = row.and_then(|row| row.get("max_loaded_at_time_ago_in_s")).and_then(serde_json::Value::as_f64);
                let state = State::of(&status);
                let newest = text("max_loaded_at");
                let fresh = Fresh {
                    link: marked(node, node.name.clone(), node.url.clone()),
                    state: state.as_str(),
                    word: if status.is_empty() { "not checked".to_owned() } else { status },
                    shown: format::moment(&newest),
                    newest,
                    age: age.map(format::duration).unwrap_or_default(),
                    limits: limits(node),
                };
                (state, fresh)
            })
            .collect();
        if rows.is_empty() {
            return Ok(None);
        }
        rows.sort_by_key(|(state, _)| std::cmp::Reverse(*state));
        let checked = rows.iter().any(|(state, _)| *state != State::NotRun);
        let view = View { checked, rows: rows.into_iter().map(|(_, row)| row).collect() };
        self.templates.page("freshness.html", "freshness.html", "freshness", "Freshness", &view).map(Some)
    }
}

/// `warn after 12 hours, error after 1 day`.
fn limits(node: &crate::docs::site::Node) -> String {
    let crate::manifest::Resource::Source(source) = &node.resource else { return String::new() };
    let limit = |key: &str, word: &str| {
        let limit = source.freshness.get(key)?;
        let count = limit.get("count")?.as_i64()?;
        let period = limit.get("period")?.as_str()?;
        let plural = if count == 1 { "" } else { "s" };
        Some(format!("{word} after {count} {period}{plural}"))
    };
    [limit("warn_after", "warn"), limit("error_after", "error")].into_iter().flatten().collect::<Vec<_>>().join(", ")
}
