//! `deps --add-package`: one more entry in packages.yml, or in dependencies.yml where that holds the packages.

use super::AddPackage;
use crate::diagnostic::SourceText;
use crate::jinja::write_packages;
use crate::manifest::{Json, JsonMap};
use crate::yaml;

/// The package file with the entry added, and the entries for the same package that it replaces.
pub fn added(file: Option<&SourceText>, add: &AddPackage) -> (String, Vec<JsonMap>) {
    let mut whole = match file.and_then(|file| yaml::read(file).0).map(|yaml| yaml.to_json()) {
        Some(Json::Object(map)) => map,
        _ => JsonMap::new(),
    };
    let mut entries = match whole.remove("packages") {
        Some(Json::Array(entries)) => entries,
        _ => Vec::new(),
    };
    let mut replaced = Vec::new();
    entries.retain(|entry| {
        let same = names_it(entry, &add.name);
        if let (true, Some(entry)) = (same, entry.as_object()) {
            let told = entry.iter().filter(|(_, value)| value.is_string() || value.is_number());
            replaced.push(told.map(|(key, value)| (key.clone(), value.clone())).collect());
        }
        !same
    });
    entries.push(Json::Object(entry(add)));
    whole.insert("packages".to_owned(), Json::Array(entries));
    (write_packages(&Json::Object(whole)), replaced)
}

fn entry(add: &AddPackage) -> JsonMap {
    let key = if add.source == "hub" { "package" } else { &add.source };
    let mut entry = JsonMap::new();
    entry.insert(key.to_owned(), add.name.as_str().into());
    if let Some(version) = &add.version {
        let value = if version.contains(',') { version.split(',').map(Json::from).collect() } else { version.as_str().into() };
        entry.insert(if add.source == "git" { "revision" } else { "version" }.to_owned(), value);
    }
    entry
}

/// Does an entry name that package, with or without its owner, `-` or `_`, as a whole word of its address?
fn names_it(entry: &Json, name: &str) -> bool {
    let keys = ["package", "git", "local", "tarball", "private"];
    let Some(address) = keys.iter().find_map(|key| entry.get(key).and_then(Json::as_str).filter(|text| !text.is_empty())) else {
        return false;
    };
    let short = name.rsplit('/').next().unwrap_or(name);
    let variants = [name, short].into_iter().flat_map(|name| [name.to_owned(), name.replace('_', "-"), name.replace('-', "_")]);
    variants.into_iter().any(|name| {
        let Some(at) = address.find(&name) else { return false };
        let ends = |letter: Option<char>| letter.is_none_or(|letter| matches!(letter, '/' | '.'));
        ends(address[..at].chars().next_back()) && ends(address[at + name.len()..].chars().next())
    })
}
