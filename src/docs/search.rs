//! The search's index, made beforehand: names in one shard, column names in another, words of descriptions and code in shards by
//! their first two letters, each loaded when it is first needed.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;
use serde::Serialize;

use super::links;
use super::pages::{self, Pages};
use super::shard::shard;
use super::site::{Node, Site};
use super::templates::File;
use crate::manifest::Resource;

/// Nodes kept for one word; a word of more than that tells little.
const POSTINGS: usize = 60;
const SHORTEST: usize = 3;
const LONGEST: usize = 40;

/// Everything that has a name: columns of the table of entries, each joined by newlines.
#[derive(Serialize, Default)]
#[expect(clippy::struct_field_names, reason = "the names of the file's keys")]
struct Names {
    names: String,
    /// Empty where it is `node/<package>/<name>.html`.
    urls: String,
    /// Which of `marks`, `kinds` and `places` each has.
    mark: Vec<usize>,
    kind: Vec<usize>,
    place: Vec<usize>,
    marks: Vec<String>,
    kinds: Vec<String>,
    places: Vec<String>,
    /// Which shards of words there are.
    words: Vec<String>,
}

/// Adds texts to a table of texts.
#[derive(Default)]
struct Table(HashMap<String, usize>, Vec<String>);

impl Table {
    fn at(&mut self, text: &str) -> usize {
        if let Some(at) = self.0.get(text) {
            return *at;
        }
        self.1.push(text.to_owned());
        self.0.insert(text.to_owned(), self.1.len() - 1);
        self.1.len() - 1
    }
}

/// All shards of the index.
pub fn files(pages: &Pages) -> Vec<File> {
    let (words, prefixes) = words(pages.site);
    let mut files = vec![names(pages, prefixes), columns(pages)];
    files.extend(words);
    files
}

/// Nodes first, at their positions, then what else has a page.
fn names(pages: &Pages, words: Vec<String>) -> File {
    let site = pages.site;
    let (mut marks, mut kinds, mut places) = (Table::default(), Table::default(), Table::default());
    let mut out = Names { words, ..Names::default() };
    let mut add = |name: &str, url: &str, mark: &str, kind: &str, place: &str| {
        if !out.mark.is_empty() {
            out.names.push('\n');
            out.urls.push('\n');
        }
        out.names.push_str(&name.replace('\n', " "));
        let plain = url.strip_prefix("node/").and_then(|url| url.strip_suffix(".html"));
        if plain != Some(&format!("{place}/{name}")) {
            out.urls.push_str(url);
        }
        out.mark.push(marks.at(mark));
        out.kind.push(kinds.at(kind));
        out.place.push(places.at(place));
    };
    for node in &site.nodes {
        add(&node.name, &node.url, &pages::mark(node), node.kind.singular(), &node.package);
    }
    for entry in &site.macros {
        add(&entry.of.name, &entry.url, "k-macro", "macro", &entry.of.package_name);
    }
    // A generic test is found with what it tests; the others have names that people gave.
    let named = site.tests.iter().filter(|test| match &test.resource {
        Resource::Node(of) => of.test().is_none_or(|detail| detail.metadata.is_none()),
        _ => true,
    });
    for test in named {
        add(&test.name, &test.url, "k-test", test.resource.resource_type().singular(), test.resource.package_name());
    }
    let mut tags: Vec<&str> = site.nodes.iter().flat_map(|node| node.tags.iter().map(String::as_str)).collect();
    tags.sort_unstable();
    tags.dedup();
    for tag in tags {
        add(tag, &pages.tag_url(tag), "", "tag", "");
    }
    let mut owners: Vec<&str> = site.nodes.iter().filter_map(|node| node.owner.as_deref()).collect();
    owners.sort_unstable();
    owners.dedup();
    for owner in owners {
        add(owner, &pages.owner_url(owner), "", "owner", "");
    }
    for section in super::nav::sections(site).iter().flat_map(|chapter| &chapter.sections) {
        add(section.title, section.url, "", "page", "");
    }
    (out.marks, out.kinds, out.places) = (marks.1, kinds.1, places.1);
    shard("names", &out)
}

/// Column names, each with the number of nodes that have it; the node of those that only one has; and addresses that do not follow
/// from the name.
fn columns(pages: &Pages) -> File {
    #[derive(Serialize)]
    struct Columns {
        names: String,
        counts: Vec<usize>,
        only: Vec<usize>,
        urls: BTreeMap<usize, String>,
    }
    // How many nodes, the last of them, the name as it is written.
    let mut known: BTreeMap<String, (usize, usize, &str)> = BTreeMap::new();
    for (at, node) in pages.site.nodes.iter().enumerate() {
        for column in &node.columns {
            let entry = known.entry(column.name.to_lowercase()).or_default();
            *entry = (entry.0 + 1, at, &column.name);
        }
    }
    let mut out = Columns { names: String::new(), counts: Vec::new(), only: Vec::new(), urls: BTreeMap::new() };
    for (at, (name, (count, node, written))) in known.iter().enumerate() {
        if at > 0 {
            out.names.push('\n');
        }
        out.names.push_str(&name.replace('\n', " "));
        let is_shared = pages.site.shared_columns.contains(name);
        // A number of one says that there is no page.
        out.counts.push(if is_shared { (*count).max(2) } else { 1 });
        if !is_shared {
            out.only.push(*node);
        }
        if links::slug(name, written) != *name {
            out.urls.insert(at, pages.column_url(written, &pages.site.nodes[*node]));
        }
    }
    shard("columns", &out)
}

/// Words and the nodes that have them.
type Postings<'a> = HashMap<Cow<'a, str>, Vec<usize>>;

/// Those of one shard.
#[derive(Serialize, Default)]
struct Words<'a> {
    /// Of descriptions, and of code.
    text: BTreeMap<&'a str, &'a [usize]>,
    code: BTreeMap<&'a str, &'a [usize]>,
}

fn words(site: &Site) -> (Vec<File>, Vec<String>) {
    let (mut text, mut code) = (Postings::new(), Postings::new());
    for (at, node) in site.nodes.iter().enumerate() {
        texts_of(node).for_each(|words| note(words, at, &mut text));
        if let Resource::Node(of) = &node.resource {
            note(&of.raw_code, at, &mut code);
        }
    }
    let mut shards: BTreeMap<String, Words> = BTreeMap::new();
    for (word, nodes) in &text {
        shards.entry(prefix(word)).or_default().text.insert(word, nodes);
    }
    for (word, nodes) in &code {
        shards.entry(prefix(word)).or_default().code.insert(word, nodes);
    }
    let prefixes = shards.keys().cloned().collect();
    (shards.into_par_iter().map(|(prefix, words)| shard(&format!("words/{prefix}"), &words)).collect(), prefixes)
}

/// Notes that a node has a text's words.
fn note<'a>(text: &'a str, node: usize, into: &mut Postings<'a>) {
    for word in split(text) {
        let nodes = into.entry(word).or_default();
        if nodes.len() < POSTINGS && nodes.last() != Some(&node) {
            nodes.push(node);
        }
    }
}

/// The shard of a word: its first two letters; all others are together.
fn prefix(word: &str) -> String {
    match word.as_bytes() {
        [first, second, ..] if first.is_ascii_alphanumeric() && second.is_ascii_alphanumeric() => word[..2].to_owned(),
        _ => "other".to_owned(),
    }
}

/// The texts that describe a node.
fn texts_of(node: &Node) -> impl Iterator<Item = &str> {
    let columns = node.columns.iter().filter(|column| column.inherited_from.is_none()).map(|column| column.description.as_str());
    let words = node.tags.iter().chain(&node.owner).map(String::as_str);
    let meta = node.meta().iter().flat_map(|(key, value)| [key.as_str(), value.as_str().unwrap_or_default()]);
    std::iter::once(node.description()).chain(columns).chain(words).chain(meta)
}

/// A text's words in lower case, numbers left out.
fn split(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    let told = words.filter(|word| (SHORTEST..=LONGEST).contains(&word.len()) && !word.bytes().all(|byte| byte.is_ascii_digit()));
    told.map(|word| {
        let is_low = word.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
        if is_low { Cow::Borrowed(word) } else { Cow::Owned(word.to_lowercase()) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_and_put_into_shards() {
        let words: Vec<_> = split("One row per Order_ID, 2024: «élan» of it.").collect();
        assert_eq!(words, ["one", "row", "per", "order_id", "élan"]);
        assert_eq!(words.iter().map(|word| prefix(word)).collect::<Vec<_>>(), ["on", "ro", "pe", "or", "other"]);
    }
}
