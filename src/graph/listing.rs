//! What `ls` prints of a selection.

use std::io;

use rayon::prelude::*;
use serde::Serialize;
use serde_json::ser::Formatter;

use super::Selection;
use crate::artifacts;
use crate::manifest::{Json, Manifest, Resource};

/// `ls --output`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ListOutput {
    /// What would select each resource: `shop.marts.orders`, `source:shop.raw.orders`.
    #[default]
    Selector,
    Name,
    Path,
    Json,
}

impl ListOutput {
    /// By the name that `--output` uses.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "selector" => Some(Self::Selector),
            "name" => Some(Self::Name),
            "path" => Some(Self::Path),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// One line for each chosen resource, sorted by id. `keys` matter for JSON only.
pub fn list(manifest: &Manifest, selection: &Selection, output: ListOutput, keys: &[String]) -> Vec<String> {
    let mut ids: Vec<_> = selection.ids.iter().collect();
    ids.sort_unstable();
    let resources = ids.into_par_iter().filter_map(|id| manifest.get(id.as_str()));
    resources.map(|resource| line(&resource, output, keys)).collect()
}

fn line(resource: &Resource, output: ListOutput, keys: &[String]) -> String {
    match output {
        ListOutput::Selector => selector(resource),
        ListOutput::Name => resource.search_name(),
        ListOutput::Path => resource.original_file_path().to_string(),
        ListOutput::Json => json_line(&artifacts::listed(resource, keys)),
    }
}

fn selector(resource: &Resource) -> String {
    let package = resource.package_name();
    match resource {
        Resource::Node(node) => node.fqn.join("."),
        Resource::Source(source) => format!("source:{package}.{}.{}", source.source_name, source.name),
        Resource::UnitTest(test) => {
            let version = test.version.as_ref().map_or_else(String::new, |version| format!("_v{}", version.text));
            format!("unit_test:{package}.{}{version}", test.name)
        }
        Resource::Exposure(_) | Resource::Metric(_) | Resource::SemanticModel(_) | Resource::SavedQuery(_) => {
            format!("{}:{package}.{}", resource.resource_type(), resource.name())
        }
    }
}

/// JSON on one line as Python writes it: a space after each comma and colon, nothing but ASCII.
fn json_line(value: &Json) -> String {
    let mut out = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, OneLine);
    match value.serialize(&mut serializer) {
        Ok(()) => String::from_utf8(out).unwrap_or_default(),
        Err(_) => value.to_string(),
    }
}

struct OneLine;

impl Formatter for OneLine {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        for letter in fragment.chars() {
            if letter.is_ascii() {
                write!(writer, "{letter}")?;
                continue;
            }
            for unit in letter.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::json_line;

    #[test]
    fn json_is_written_as_python_writes_it() {
        let value = serde_json::json!({"a": [1, 2.5, null], "é\n": {"b": true}, "c": [], "d": {}, "😀": "\"x\""});
        assert_eq!(
            json_line(&value),
            r#"{"a": [1, 2.5, null], "\u00e9\n": {"b": true}, "c": [], "d": {}, "\ud83d\ude00": "\"x\""}"#
        );
    }
}
