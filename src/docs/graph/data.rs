//! `data/graph.js`: what the pages know of the graph, as columns of texts and numbers. `docs-site/lineage-data.js` reads it.

use std::collections::HashMap;

use super::layout::Layout;
use crate::docs::site::{Node, Site};
use crate::manifest::{Json, Resource, VersionText};

/// Changes with the format; the page refuses any other.
const VERSION: u64 = 1;
/// Between the parts of one text, and between texts.
const INSIDE: &str = "\u{1f}";
/// Longer values of configurations are SQL, not something that is selected by.
const LONGEST_VALUE: usize = 80;

/// All columns.
pub(super) fn columns(site: &Site, layout: &Layout) -> Vec<u8> {
    let mut out = Columns::default();
    let nodes = &site.nodes;
    out.number(VERSION);
    out.number(nodes.len() as u64);
    out.texts(&[clean(&site.project)]);
    out.texts(&nodes.iter().map(|node| clean(&node.name)).collect::<Vec<_>>());
    out.choice(nodes.iter().map(|node| node.kind.as_str().to_owned()));
    out.choice(nodes.iter().map(|node| clean(&node.package)));
    out.choice(nodes.iter().map(|node| clean(&node.folder.join("/"))));
    out.texts(&nodes.iter().map(own_file).collect::<Vec<_>>());
    out.choice(nodes.iter().map(|node| clean(patch_path(&node.resource))));
    out.texts(&nodes.iter().map(own_url).collect::<Vec<_>>());
    out.texts(&nodes.iter().map(own_fqn).collect::<Vec<_>>());
    out.choice(nodes.iter().map(|node| clean(&node.materialization)));
    out.choice(nodes.iter().map(|node| clean(node.owner.as_deref().unwrap_or_default())));
    out.choice(nodes.iter().map(|node| clean(node.group.as_deref().unwrap_or_default())));
    out.choice(nodes.iter().map(|node| clean(access(&node.resource))));
    out.choice(nodes.iter().map(|node| version(&node.resource).to_owned()));
    out.choice(nodes.iter().map(|node| joined(node.tags.iter().map(|tag| clean(tag)))));
    out.choice(nodes.iter().map(config));
    out.choice(nodes.iter().map(|node| node.state.as_str().to_owned()));
    out.numbers(nodes.iter().map(milliseconds));
    out.numbers(nodes.iter().map(|node| node.tests.len() as u64));
    out.numbers(nodes.iter().map(|node| failing(site, node)));
    out.numbers(layout.layer.iter().map(|layer| u64::from(*layer)));
    out.numbers(layout.column.iter().map(|column| u64::from(*column)));
    layout.y.iter().for_each(|y| out.quarters(*y));
    for node in nodes {
        out.ascending(&node.parents);
    }
    out.bytes
}

#[derive(Default)]
struct Columns {
    bytes: Vec<u8>,
}

impl Columns {
    /// Seven bits a byte, the lowest first.
    fn number(&mut self, mut value: u64) {
        loop {
            let seven = u8::try_from(value & 127).unwrap_or_default();
            value >>= 7;
            self.bytes.push(if value > 0 { seven | 128 } else { seven });
            if value == 0 {
                return;
            }
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "heights are a few thousand rows at most")]
    fn quarters(&mut self, y: f32) {
        let value = (y * 4.0).round() as i64;
        self.number(((value << 1) ^ (value >> 63)).unsigned_abs());
    }

    fn texts(&mut self, texts: &[String]) {
        let joined = texts.join("\n");
        self.number(texts.len() as u64);
        self.number(joined.len() as u64);
        self.bytes.extend(joined.as_bytes());
    }

    /// The different texts, then for each node which one it has.
    fn choice(&mut self, texts: impl Iterator<Item = String>) {
        let mut values = Vec::new();
        let mut known: HashMap<String, u64> = HashMap::new();
        let chosen: Vec<u64> = texts
            .map(|text| {
                *known.entry(text).or_insert_with_key(|text| {
                    values.push(text.clone());
                    values.len() as u64 - 1
                })
            })
            .collect();
        self.texts(&values);
        self.numbers(chosen.into_iter());
    }

    fn numbers(&mut self, numbers: impl Iterator<Item = u64>) {
        for number in numbers {
            self.number(number);
        }
    }

    /// How many, then each as its distance from the one before.
    fn ascending(&mut self, positions: &[usize]) {
        let mut sorted = positions.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        self.number(sorted.len() as u64);
        let mut next = 0;
        for position in sorted {
            self.number((position - next) as u64);
            next = position + 1;
        }
    }
}

/// Without the characters that texts are told apart by.
fn clean(text: &str) -> String {
    text.replace(['\n', '\u{1f}'], " ")
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(INSIDE)
}

/// The file's name where it is not the node's.
fn own_file(node: &Node) -> String {
    let file = node.path.rsplit('/').next().unwrap_or_default();
    if file.strip_suffix(".sql") == Some(&node.name) { String::new() } else { clean(file) }
}

fn own_url(node: &Node) -> String {
    if node.url == format!("node/{}/{}.html", node.package, node.name) { String::new() } else { clean(&node.url) }
}

/// The qualified name where it does not follow from package, folders and name.
fn own_fqn(node: &Node) -> String {
    let folders = node.folder.iter().skip(1).map(String::as_str);
    let usual = std::iter::once(node.package.as_str()).chain(folders).chain(std::iter::once(node.name.as_str()));
    if usual.eq(node.fqn.iter().map(String::as_str)) { String::new() } else { joined(node.fqn.iter().map(|part| clean(part))) }
}

fn patch_path(resource: &Resource) -> &str {
    let path = match resource {
        Resource::Node(node) => node.patch_path.as_deref(),
        Resource::Source(source) => source.patch_path.as_deref(),
        _ => None,
    };
    path.and_then(|path| path.split_once("://")).map_or("", |(_, path)| path)
}

fn access(resource: &Resource) -> &str {
    let Resource::Node(node) = resource else { return "" };
    node.model().map_or("", |model| model.access.as_str())
}

/// What `version:` asks: how a model's version stands to the latest.
fn version(resource: &Resource) -> &'static str {
    let Resource::Node(node) = resource else { return "" };
    let Some(model) = node.model() else { return "" };
    let number = |version: &VersionText| version.text.parse::<f64>().ok();
    match (&model.version, &model.latest_version) {
        (None, _) => "",
        (Some(version), Some(latest)) if version == latest => "latest",
        (Some(version), Some(latest)) => {
            let newer = match (number(version), number(latest)) {
                (Some(version), Some(latest)) => version > latest,
                _ => version.text > latest.text,
            };
            if newer { "prerelease" } else { "old" }
        }
        (Some(_), None) => "old",
    }
}

/// `key=value` for all that `config.key:value` may ask, lists taken apart, `meta` with its keys.
fn config(node: &Node) -> String {
    let mut pairs = Vec::new();
    if matches!(node.resource, Resource::Node(_) | Resource::Source(_)) {
        for (key, value) in &node.resource.config().0 {
            add_pairs(&mut pairs, key, value);
        }
    }
    joined(pairs.into_iter())
}

fn add_pairs(pairs: &mut Vec<String>, key: &str, value: &Json) {
    let text = match value {
        Json::Null => return,
        Json::Bool(value) => value.to_string(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => text.clone(),
        Json::Array(items) => return items.iter().filter(|item| !item.is_object()).for_each(|item| add_pairs(pairs, key, item)),
        Json::Object(object) => {
            return object.iter().for_each(|(inner, value)| add_pairs(pairs, &format!("{key}.{inner}"), value));
        }
    };
    if !text.is_empty() && text.len() <= LONGEST_VALUE {
        pairs.push(clean(&format!("{key}={text}")));
    }
}

/// One more than the last run took; 0 where there was none.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a run's milliseconds")]
fn milliseconds(node: &Node) -> u64 {
    node.last().filter(|run| run.status != "skipped").map_or(0, |run| (run.execution_time.max(0.0) * 1000.0).round() as u64 + 1)
}

fn failing(site: &Site, node: &Node) -> u64 {
    let bad = |test: &&usize| site.tests[**test].state.is_bad();
    node.tests.iter().filter(bad).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_choices() {
        let mut out = Columns::default();
        out.number(300);
        out.quarters(-0.5);
        out.choice(["a", "b", "a"].map(str::to_owned).into_iter());
        out.ascending(&[7, 2, 7]);
        assert_eq!(out.bytes, [172, 2, 3, 2, 3, b'a', b'\n', b'b', 0, 1, 0, 2, 2, 4]);
    }

    #[test]
    fn configuration_is_taken_apart() {
        let mut pairs = Vec::new();
        add_pairs(&mut pairs, "tags", &serde_json::json!(["a", "b\nc"]));
        add_pairs(&mut pairs, "meta", &serde_json::json!({"owner": {"team": "x"}, "level": 2, "no": null}));
        assert_eq!(pairs, ["tags=a", "tags=b c", "meta.owner.team=x", "meta.level=2"]);
    }
}
