//! The page of a model, source, seed, snapshot, exposure, metric …

use serde::Serialize;

use super::view::{Html, Link, RunView, bars, chip, mark, node_link, prose, shown_value, state_word};
use super::{Pages, folder_url, semantic};
use crate::diagnostic::Diagnostic;
use crate::docs::site::{Column, Node, State};
use crate::docs::templates::File;
use crate::docs::{format, highlight, links, markdown};
use crate::manifest::{Json, JsonMap, Language, Resource, ResourceType};

/// Names beside a node's page.
const SIBLINGS: usize = 40;
/// Neighbours listed by name.
const NEIGHBOURS: usize = 100;
/// Code beyond this lies in a file of its own.
const SHOWN_CODE: usize = 10_000;
const COLUMNS: usize = 250;

#[derive(Serialize)]
struct View {
    id: String,
    name: String,
    /// What people call it, where that is something else.
    label: String,
    kind: &'static str,
    mark: String,
    state: &'static str,
    state_word: &'static str,
    badges: Vec<String>,
    summary: String,
    crumbs: Vec<Link>,
    /// The items of a list.
    siblings: Html,
    folder: Link,
    facts: Vec<Fact>,
    deprecated: Option<String>,
    description: String,
    graph: String,
    /// The part of the lineage page's address that shows it.
    address: String,
    number: usize,
    parents: Vec<Html>,
    children: Vec<Html>,
    more_parents: usize,
    more_children: usize,
    columns: Vec<ColumnView>,
    more_columns: usize,
    constraints: Vec<String>,
    tables: Vec<semantic::Table>,
    tests: Vec<Html>,
    tests_url: String,
    unit_tests: Vec<Html>,
    history: Vec<RunView>,
    bars: String,
    code: Vec<Code>,
    macros: Vec<Link>,
    details: Vec<(String, String)>,
}

/// A line of the card below the title.
#[derive(Serialize, Default)]
struct Fact {
    label: &'static str,
    values: Vec<Link>,
    /// Set in the code's letters; with a button to copy it.
    is_code: bool,
    copy: bool,
    /// How that stands.
    state: &'static str,
    word: String,
    /// A moment: the page adds how long ago it is.
    at: Option<String>,
}

#[derive(Serialize)]
struct ColumnView {
    name: String,
    anchor: String,
    url: String,
    kind: Option<String>,
    primary: bool,
    missing: bool,
    description: String,
    from: Option<Link>,
    notes: Vec<String>,
    tests: Vec<Html>,
}

#[derive(Serialize)]
pub(super) struct Code {
    title: &'static str,
    html: String,
    lines: usize,
    /// Where the whole text lies, if this is only its beginning.
    file: Option<String>,
    is_cut: bool,
}

impl Pages<'_> {
    /// The page of a node, and files of code too long for it.
    pub(super) fn node(&self, at: usize) -> Result<Vec<File>, Diagnostic> {
        let node = &self.site.nodes[at];
        let root = links::root(&node.url);
        let (code, mut files) = code(node);
        let siblings = self.siblings(at, &root);
        let view = View {
            id: node.id.to_string(),
            name: node.name.clone(),
            label: semantic::label(node),
            kind: node.kind.singular(),
            mark: mark(node),
            state: node.state.as_str(),
            state_word: state_word(node.state),
            badges: badges(node),
            summary: markdown::summary(node.description(), 150),
            crumbs: self.crumbs(node),
            siblings,
            folder: Link::plain(node.folder.last().cloned().unwrap_or_else(|| node.package.clone()), folder_url(node)),
            facts: self.facts(node),
            deprecated: deprecation(node),
            description: prose(self.site, node.description(), &root),
            graph: self.graph.focus(self.site, at),
            address: self.graph.address(self.site, at),
            number: at,
            parents: self.links(&node.parents, &root),
            children: self.links(&node.children, &root),
            more_parents: node.parents.len().saturating_sub(NEIGHBOURS),
            more_children: node.children.len().saturating_sub(NEIGHBOURS),
            columns: node.columns.iter().take(COLUMNS).map(|column| self.column_of(node, column, &root)).collect(),
            more_columns: node.columns.len().saturating_sub(COLUMNS),
            constraints: constraints(node),
            tables: semantic::tables(self.site, node, &root),
            tests_url: self.tests_url(node),
            tests: self.tests_of(at, ResourceType::Test, &root),
            unit_tests: self.tests_of(at, ResourceType::UnitTest, &root),
            history: node.past.iter().take(10).map(|run| RunView::new(run, self)).collect(),
            bars: bars(&node.past),
            code,
            macros: node.macros.iter().map(|at| self.macro_link(*at)).collect(),
            details: details(node),
        };
        let section = match node.kind {
            ResourceType::Source => "sources",
            ResourceType::Exposure => "exposures",
            ResourceType::Metric | ResourceType::SemanticModel | ResourceType::SavedQuery => "metrics",
            _ => "project",
        };
        files.push(self.templates.page("node.html", &node.url, section, &node.name, &view)?);
        Ok(files)
    }

    fn links(&self, nodes: &[usize], root: &str) -> Vec<Html> {
        nodes.iter().take(NEIGHBOURS).map(|at| node_link(&self.site.nodes[*at], root)).collect()
    }

    pub(super) fn macro_link(&self, at: usize) -> Link {
        let of = &self.site.macros[at];
        let name = if *of.of.package_name == *self.site.project {
            of.of.name.clone()
        } else {
            format!("{}.{}", of.of.package_name, of.of.name)
        };
        Link { mark: "k-macro".to_owned(), ..Link::plain(name, of.url.clone()) }
    }

    /// Package, folders.
    #[expect(clippy::unused_self, reason = "asked for as other parts of a page are")]
    fn crumbs(&self, node: &Node) -> Vec<Link> {
        let mut crumbs = vec![Link::plain(node.package.clone(), super::package_folder(&node.package, &[]))];
        for depth in 1..=node.folder.len() {
            let folder = &node.folder[..depth];
            crumbs.push(Link::plain(folder[depth - 1].clone(), super::package_folder(&node.package, folder)));
        }
        crumbs
    }

    /// Nodes of the same folder, those around this one where there are many. Put together without a template: there are forty on
    /// each page.
    fn siblings(&self, at: usize, root: &str) -> Html {
        let (all, place) = self.folders.around(at);
        let from = place.saturating_sub(SIBLINGS / 2).min(all.len().saturating_sub(SIBLINGS));
        let mut out = Html(String::with_capacity(6000));
        for &other in all.iter().skip(from).take(SIBLINGS) {
            let (url, rest) = self.folders.item(other);
            let current = if other == at { " aria-current=\"page\"" } else { "" };
            out.push("<li><a href=\"").push(root).push(url).push(current).push(rest);
        }
        out
    }

    fn facts(&self, node: &Node) -> Vec<Fact> {
        let mut facts = Vec::new();
        let mut add = |label, value: Option<String>| {
            let value = value.filter(|value| !value.is_empty());
            facts.extend(value.map(|value| Fact { label, values: vec![Link::plain(value, "")], ..Fact::default() }));
        };
        match &node.resource {
            Resource::Source(source) => add("Loader", Some(source.loader.clone())),
            Resource::Exposure(exposure) => {
                add("Type", Some(exposure.kind.clone()));
                add("Maturity", exposure.maturity.clone());
            }
            Resource::Metric(metric) => add("Type", metric.body.get("type").and_then(Json::as_str).map(str::to_owned)),
            _ => {}
        }
        facts.extend(semantic::facts(self.site, node).into_iter().map(|(label, text)| Fact {
            label,
            values: vec![Link::plain(text, "")],
            is_code: true,
            ..Fact::default()
        }));
        let mut add = |label, value: Option<String>| {
            facts.extend(value.map(|value| Fact { label, values: vec![Link::plain(value, "")], ..Fact::default() }));
        };
        let rows = node.past.iter().find_map(|ran| ran.result.rows_affected).or_else(|| counted_rows(node));
        add("Rows", rows.map(format::number));
        add("Last run took", node.last().map(|last| format::duration(last.execution_time)));
        let mut out: Vec<Fact> = Vec::new();
        if let Some(relation) = &node.relation {
            out.push(Fact {
                label: "Relation",
                values: vec![Link::plain(relation.replace('"', ""), "")],
                copy: true,
                ..Fact::default()
            });
        }
        if let Some(url) = exposure_url(node) {
            out.push(Fact { label: "Where", values: vec![Link::plain(url.clone(), url)], ..Fact::default() });
        }
        let owner = node.owner.as_ref().map(|owner| Link::plain(owner.clone(), self.owner_url(owner)));
        out.extend(owner.map(|owner| Fact { label: "Owner", values: vec![owner], ..Fact::default() }));
        let group = node.group.as_ref().and_then(|name| self.site.groups.iter().find(|group| group.name == *name));
        out.extend(group.map(|group| Fact {
            label: "Group",
            values: vec![Link::plain(group.name.clone(), group.url.clone())],
            ..Fact::default()
        }));
        out.extend(facts);
        if let Some(last) = node.last() {
            let shown = Link::plain(format::moment(&last.started_at), "");
            out.push(Fact { label: "Last run", values: vec![shown], at: Some(last.started_at.clone()), ..Fact::default() });
        }
        if let Some(loaded) = node.freshness.as_ref().and_then(|row| row.get("max_loaded_at")).and_then(Json::as_str) {
            let shown = Link::plain(format::moment(loaded), "freshness.html");
            out.push(Fact { label: "Newest row", values: vec![shown], at: Some(loaded.to_owned()), ..Fact::default() });
        }
        out.extend(self.stalest_source(node));
        if !node.tags.is_empty() {
            let tags = node.tags.iter().map(|tag| Link::plain(tag.clone(), self.tag_url(tag)));
            out.push(Fact { label: "Tags", values: tags.collect(), ..Fact::default() });
        }
        out
    }

    fn column_of(&self, node: &Node, column: &Column, root: &str) -> ColumnView {
        let mut notes = column.constraints.clone();
        notes.extend(column.tags.iter().map(|tag| format!("tag {tag}")));
        notes.extend(column.meta.iter().map(|(key, value)| format!("{key}: {}", shown_value(value))));
        ColumnView {
            name: column.name.clone(),
            anchor: links::anchor(&column.name),
            url: self.column_url(&column.name, node),
            kind: column.kind.clone(),
            primary: column.primary,
            missing: column.missing,
            description: prose(self.site, &column.description, root),
            from: column.inherited_from.map(|at| Link::node(&self.site.nodes[at])),
            notes,
            tests: column.tests.iter().map(|test| chip(&self.site.tests[*test], root)).collect(),
        }
    }

    /// Of the sources that were checked and that this is made from, the one that is the furthest behind.
    fn stalest_source(&self, node: &Node) -> Option<Fact> {
        let source = &self.site.nodes[node.stalest.filter(|_| node.kind != ResourceType::Source)?];
        let text = |key: &str| source.freshness.as_ref()?.get(key)?.as_str().map(str::to_owned);
        let status = text("status")?;
        let state = State::of(&status);
        let word = match state {
            State::Pass => "fresh".to_owned(),
            State::Warn => "late".to_owned(),
            State::Fail | State::Error => "too late".to_owned(),
            State::Skipped | State::NotRun => status,
        };
        let link = Link { state: "", ..Link::node(source) };
        Some(Fact {
            label: "Data it is made from",
            values: vec![link],
            state: state.as_str(),
            word,
            at: text("max_loaded_at"),
            ..Fact::default()
        })
    }

    /// The page of its generic tests; empty where it has none.
    fn tests_url(&self, node: &Node) -> String {
        let pages = node.tests.iter().filter_map(|test| self.site.tests[*test].url.split_once('#'));
        let own = node.url.split_once('/').map_or("", |(_, page)| page);
        let mut found = pages.map(|(page, _)| page).filter(|page| page.ends_with(own));
        found.next().unwrap_or_default().to_owned()
    }

    /// Tests of a kind that no column shows.
    fn tests_of(&self, at: usize, kind: ResourceType, root: &str) -> Vec<Html> {
        let node = &self.site.nodes[at];
        let in_columns = |test: usize| node.columns.iter().any(|column| column.tests.contains(&test));
        let tests = node.tests.iter().filter(|test| self.site.tests[**test].resource.resource_type() == kind);
        tests.filter(|test| !in_columns(**test)).take(NEIGHBOURS).map(|test| chip(&self.site.tests[*test], root)).collect()
    }
}

fn badges(node: &Node) -> Vec<String> {
    let mut badges: Vec<String> = Vec::new();
    if !node.materialization.is_empty() && node.materialization != node.kind.as_str() {
        badges.push(node.materialization.replace('_', " "));
    }
    if let Resource::Node(of) = &node.resource {
        if of.language == Language::Python {
            badges.push("Python".to_owned());
        }
        if of.contract.enforced {
            badges.push("contract".to_owned());
        }
        if let Some(model) = of.model() {
            if model.access != "protected" {
                badges.push(model.access.clone());
            }
            if model.version.is_some() && model.version == model.latest_version {
                badges.push("latest version".to_owned());
            }
        }
    }
    badges.retain(|badge| !badge.is_empty());
    badges
}

fn deprecation(node: &Node) -> Option<String> {
    let Resource::Node(of) = &node.resource else { return None };
    of.model()?.deprecation_date.as_deref().map(|date| date.get(..10).unwrap_or(date).to_owned())
}

fn exposure_url(node: &Node) -> Option<String> {
    let Resource::Exposure(exposure) = &node.resource else { return None };
    exposure.url.clone().filter(|url| url.starts_with("https://") || url.starts_with("http://"))
}

/// What the catalog's statistics say.
fn counted_rows(node: &Node) -> Option<i64> {
    let stats = &node.catalog.as_ref()?.stats;
    stats.iter().find(|(id, ..)| id == "num_rows" || id == "row_count").and_then(|(_, _, value, ..)| value.as_i64())
}

fn constraints(node: &Node) -> Vec<String> {
    let Resource::Node(of) = &node.resource else { return Vec::new() };
    let all = of.model().into_iter().flat_map(|model| &model.constraints);
    all.map(|constraint| crate::docs::columns::shown(&constraint.body)).collect()
}

/// Source and compiled SQL; a long text is cut, and lies in a file beside the page.
fn code(node: &Node) -> (Vec<Code>, Vec<File>) {
    let (mut shown, mut files) = (Vec::new(), Vec::new());
    let Resource::Node(of) = &node.resource else { return (shown, files) };
    if of.resource_type == ResourceType::Seed {
        return (shown, files);
    }
    let compiled = node.compiled.as_deref().filter(|compiled| compiled.trim() != of.raw_code.trim());
    let texts = [("Source", "source", Some(&*of.raw_code)), ("Compiled", "compiled", compiled)];
    for (title, name, text) in texts {
        let Some(mut code) = code_of(title, text.unwrap_or_default(), of.language) else { continue };
        if code.is_cut {
            let path = format!("{}.{name}.txt", node.url.trim_end_matches(".html"));
            files.push(File::new(path.clone(), text.unwrap_or_default()));
            code.file = Some(path);
        }
        shown.push(code);
    }
    (shown, files)
}

/// A text of code, cut where it is too long for a page. None for an empty one.
pub(super) fn code_of(title: &'static str, text: &str, language: Language) -> Option<Code> {
    let text = text.trim_end();
    // Lines before the first that says something.
    let start = text.find(|letter: char| !letter.is_whitespace())?;
    let text = &text[text[..start].rfind('\n').map_or(0, |end| end + 1)..];
    let is_cut = text.len() > SHOWN_CODE;
    let end = if is_cut { text[..text.floor_char_boundary(SHOWN_CODE)].rfind('\n').unwrap_or(SHOWN_CODE) } else { text.len() };
    let html = highlight::highlight(&text[..text.floor_char_boundary(end)], language);
    Some(Code { title, html, lines: text.lines().count(), file: None, is_cut })
}

/// Path, identity, meta, and configuration that was given.
fn details(node: &Node) -> Vec<(String, String)> {
    let mut details = vec![("File".to_owned(), node.path.clone()), ("Unique id".to_owned(), node.id.to_string())];
    let nested = |details: &mut Vec<(String, String)>, prefix: &str, map: &JsonMap| {
        let given = map.iter().filter(|(key, _)| !semantic::is_told(key) || !prefix.is_empty());
        given.for_each(|(key, value)| semantic::flattened(&format!("{prefix}{key}"), value, details));
    };
    nested(&mut details, "meta.", node.meta());
    match &node.resource {
        Resource::Node(of) => {
            let given =
                of.unrendered_config.iter().filter(|(key, _)| !matches!(key.as_str(), "meta" | "tags" | "materialized" | "docs"));
            let hidden = |key: &str| key.contains("hook");
            let given =
                given.filter(|(key, _)| !hidden(key)).filter_map(|(key, _)| of.config.given(key).map(|value| (key, value)));
            details.extend(given.filter(|(_, value)| !is_empty(value)).map(|(key, value)| (key.clone(), shown_value(value))));
        }
        Resource::Source(source) => {
            if let Some(field) = &source.loaded_at_field {
                details.push(("loaded_at_field".to_owned(), field.clone()));
            }
        }
        Resource::Metric(of) | Resource::SemanticModel(of) | Resource::SavedQuery(of) => nested(&mut details, "", &of.body),
        _ => {}
    }
    details
}

fn is_empty(value: &Json) -> bool {
    match value {
        Json::Array(items) => items.is_empty(),
        Json::Object(map) => map.is_empty(),
        Json::String(text) => text.is_empty(),
        _ => false,
    }
}
