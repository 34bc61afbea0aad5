//! What changed since the last build that differed, or since the one that `--state` names.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Pages;
use super::view::Link;
use crate::artifacts::{self, Build, BuiltNode};
use crate::diagnostic::Diagnostic;
use crate::docs::format;
use crate::docs::site::{Node, Site};
use crate::docs::templates::File;
use crate::manifest::Resource;

/// Entries listed for each way of changing; names in one note.
const ENTRIES: usize = 300;
const NAMED: usize = 12;

#[derive(Serialize)]
struct View {
    lead: String,
    parts: Vec<Part>,
}

#[derive(Serialize)]
struct Part {
    title: &'static str,
    sign: &'static str,
    entries: Vec<Entry>,
    more: usize,
}

#[derive(Serialize)]
struct Entry {
    link: Link,
    kind: String,
    notes: Vec<String>,
}

/// The build that a site shows.
pub fn build(site: &Site) -> Build {
    let nodes = site.nodes.iter().map(|node| (node.id.to_string(), built(node)));
    let tests = site.tests.iter().map(|test| {
        let code = match &test.resource {
            Resource::Node(of) => artifacts::mark(&of.raw_code),
            _ => String::new(),
        };
        let parents = test.resource.depends_on().iter().map(ToString::to_string).collect();
        (test.id.to_string(), BuiltNode { name: test.name.clone(), code, parents, ..BuiltNode::default() })
    });
    nodes.chain(tests).collect()
}

fn built(node: &Node) -> BuiltNode {
    let code = match &node.resource {
        Resource::Node(of) => artifacts::mark(&of.raw_code),
        _ => String::new(),
    };
    let columns = node.columns.iter().map(|column| (column.name.to_lowercase(), column.kind.clone().unwrap_or_default()));
    BuiltNode {
        name: node.name.clone(),
        code,
        materialized: node.materialization.clone(),
        description: artifacts::mark(node.description()),
        parents: node.resource.depends_on().iter().map(ToString::to_string).collect(),
        columns: columns.collect(),
    }
}

impl Pages<'_> {
    pub(super) fn changes(&self) -> Result<File, Diagnostic> {
        let view = match self.previous {
            Some(previous) => self.compared(previous),
            None => View {
                lead: "No earlier build is known. The next documentation that differs from this one is compared with it; \
                       `lineal docs generate --state FOLDER` compares with any other."
                    .replace('`', ""),
                parts: Vec::new(),
            },
        };
        self.templates.page("changes.html", "changes.html", "changes", "Changes", &view)
    }

    fn compared(&self, previous: &Build) -> View {
        let (mut added, mut removed, mut changed) = (Vec::new(), Vec::new(), Vec::new());
        for (id, now) in self.current {
            match previous.get(id) {
                None => added.push(self.entry(id, now, Vec::new())),
                Some(before) if before != now => {
                    let notes = notes(before, now);
                    if !notes.is_empty() {
                        changed.push(self.entry(id, now, notes));
                    }
                }
                Some(_) => {}
            }
        }
        let shown = |id: &str| !id.starts_with("operation.") && !id.starts_with("sql_operation.");
        for (id, before) in previous.iter().filter(|(id, _)| !self.current.contains_key(*id) && shown(id)) {
            removed.push(self.entry(id, before, Vec::new()));
        }
        let lead = match (added.len(), removed.len(), changed.len()) {
            (0, 0, 0) => "Nothing differs from the build before.".to_owned(),
            (new, gone, other) => format!(
                "Compared with the build before: {} new, {} gone, {} changed.",
                format::count(new),
                format::count(gone),
                format::count(other)
            ),
        };
        let part = |title, sign, mut entries: Vec<Entry>| {
            let more = entries.len().saturating_sub(ENTRIES);
            entries.truncate(ENTRIES);
            Part { title, sign, entries, more }
        };
        let parts = [part("Changed", "changed", changed), part("New", "new", added), part("Gone", "gone", removed)];
        View { lead, parts: parts.into_iter().filter(|part| !part.entries.is_empty()).collect() }
    }

    fn entry(&self, id: &str, node: &BuiltNode, notes: Vec<String>) -> Entry {
        let kind = id.split('.').next().unwrap_or_default().replace('_', " ");
        Entry { link: self.link_to(id).unwrap_or_else(|| Link::plain(node.name.clone(), "")), kind, notes }
    }
}

/// What differs, a line each.
fn notes(before: &BuiltNode, now: &BuiltNode) -> Vec<String> {
    let mut notes = Vec::new();
    if before.code != now.code {
        notes.push("its code".to_owned());
    }
    if before.materialized != now.materialized {
        notes.push(format!("materialized as {}, before as {}", or_nothing(&now.materialized), or_nothing(&before.materialized)));
    }
    if before.description != now.description {
        notes.push("its description".to_owned());
    }
    let names = |parents: &[String]| parents.iter().cloned().collect::<BTreeSet<String>>();
    let (then, today) = (names(&before.parents), names(&now.parents));
    let short = |id: &&String| id.splitn(3, '.').nth(2).unwrap_or_default().to_owned();
    notes.extend(named("reads", today.difference(&then).map(|id| short(&id))));
    notes.extend(named("no longer reads", then.difference(&today).map(|id| short(&id))));
    let columns = |of: &BuiltNode| of.columns.keys().cloned().collect::<BTreeSet<String>>();
    let (then, today) = (columns(before), columns(now));
    notes.extend(named("new columns:", today.difference(&then).cloned()));
    notes.extend(named("columns gone:", then.difference(&today).cloned()));
    let retyped = now.columns.iter().filter_map(|(name, kind)| {
        let was =
            before.columns.get(name).filter(|was| !was.is_empty() && !kind.is_empty() && !was.eq_ignore_ascii_case(kind))?;
        Some(format!("{name} ({was} → {kind})"))
    });
    notes.extend(named("other types:", retyped));
    notes
}

fn or_nothing(text: &str) -> &str {
    if text.is_empty() { "nothing" } else { text }
}

fn named(words: &str, names: impl Iterator<Item = String>) -> Option<String> {
    let names: Vec<String> = names.collect();
    if names.is_empty() {
        return None;
    }
    let more = names.len().saturating_sub(NAMED);
    let mut out = format!("{words} {}", names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", "));
    if more > 0 {
        out.push_str(&format!(" and {more} more"));
    }
    Some(out)
}
