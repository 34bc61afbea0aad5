//! What two builds of a project differ in: a short account of each, kept beside the site that tells of it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::read_state;
use crate::diagnostic::Diagnostic;
use crate::fs::FileSystem;
use crate::manifest::Json;

const SCHEMA_VERSION: u32 = 1;

/// A build: its resources by unique id.
pub type Build = BTreeMap<String, BuiltNode>;

/// What may change in a resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuiltNode {
    pub name: String,
    /// A mark of its code, where it has any.
    #[serde(default)]
    pub code: String,
    #[serde(default)]
    pub materialized: String,
    /// A mark of its description.
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub parents: Vec<String>,
    /// Types by name; empty where unknown.
    #[serde(default)]
    pub columns: BTreeMap<String, String>,
}

/// The current build, and the last one that differed from it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Builds {
    schema_version: u32,
    pub current: Build,
    pub previous: Option<Build>,
}

impl Builds {
    /// With a new build: where nothing changed, what was known stays.
    #[must_use]
    pub fn followed_by(self, next: Build) -> Self {
        let previous = match self.current {
            same if same == next => self.previous,
            none if none.is_empty() && self.previous.is_none() => None,
            other => Some(other),
        };
        Self { schema_version: SCHEMA_VERSION, current: next, previous }
    }

    pub fn text(&self) -> String {
        super::text(self)
    }
}

/// A short mark of a text; empty for an empty one.
pub fn mark(text: &str) -> String {
    if text.trim().is_empty() { String::new() } else { blake3::hash(text.trim().as_bytes()).to_hex()[..12].to_owned() }
}

/// What an earlier run kept. A file that is missing, broken or of another version tells of nothing.
pub fn read_builds(fs: &dyn FileSystem, path: &Path) -> Builds {
    let builds = fs.read(path).ok().and_then(|text| serde_json::from_slice::<Builds>(&text).ok());
    builds.filter(|builds| builds.schema_version == SCHEMA_VERSION).unwrap_or_default()
}

/// The build that a folder's manifest.json and catalog.json tell of: for `--state`.
pub fn build_of_state(fs: &dyn FileSystem, folder: &Path) -> Result<Build, Diagnostic> {
    let (state, faults) = read_state(fs, folder);
    if let Some(fault) = faults.into_iter().next() {
        return Err(fault);
    }
    let Some(manifest) = &state.manifest else { return Err(state.missing("manifest.json")) };
    let catalog: Json =
        fs.read(&folder.join("catalog.json")).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
    let mut build = Build::new();
    for section in ["nodes", "sources", "exposures", "metrics", "semantic_models", "saved_queries", "functions", "unit_tests"] {
        for (id, node) in manifest.get(section).and_then(Json::as_object).into_iter().flatten() {
            build.insert(id.clone(), built(id, node, &catalog));
        }
    }
    Ok(build)
}

fn built(id: &str, node: &Json, catalog: &Json) -> BuiltNode {
    let text = |pointer: &str| node.pointer(pointer).and_then(Json::as_str).unwrap_or_default();
    let parents = node.pointer("/depends_on/nodes").and_then(Json::as_array).into_iter().flatten();
    let parents = parents.filter_map(Json::as_str).map(str::to_owned).collect();
    if id.starts_with("test.") || id.starts_with("unit_test.") {
        return BuiltNode { name: text("/name").to_owned(), code: mark(text("/raw_code")), parents, ..BuiltNode::default() };
    }
    let mut columns: BTreeMap<String, String> = BTreeMap::new();
    let documented = node.get("columns").and_then(Json::as_object).into_iter().flatten();
    for (name, column) in documented {
        columns.insert(name.to_lowercase(), column.get("data_type").and_then(Json::as_str).unwrap_or_default().to_owned());
    }
    let section = if id.starts_with("source.") { "sources" } else { "nodes" };
    let known = catalog.get(section).and_then(|nodes| nodes.get(id)).and_then(|table| table.get("columns"));
    for (name, column) in known.and_then(Json::as_object).into_iter().flatten() {
        columns.insert(name.to_lowercase(), column.get("type").and_then(Json::as_str).unwrap_or_default().to_owned());
    }
    let source = node.get("source_name").and_then(Json::as_str).filter(|_| section == "sources");
    BuiltNode {
        name: source.map_or_else(|| text("/name").to_owned(), |source| format!("{source}.{}", text("/name"))),
        code: mark(text("/raw_code")),
        materialized: if section == "sources" { String::new() } else { text("/config/materialized").to_owned() },
        description: mark(text("/description")),
        parents,
        columns,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(code: &str) -> Build {
        Build::from([("model.s.o".to_owned(), BuiltNode { name: "o".to_owned(), code: mark(code), ..BuiltNode::default() })])
    }

    #[test]
    fn the_last_build_that_differed_is_kept() {
        let first = Builds::default().followed_by(build("a"));
        assert_eq!(first.previous, None);
        let again = first.clone().followed_by(build("a"));
        assert_eq!(again, first);
        let second = again.followed_by(build("b"));
        assert_eq!(second.previous, Some(build("a")));
        assert_eq!(second.clone().followed_by(build("b")), second);
    }
}
