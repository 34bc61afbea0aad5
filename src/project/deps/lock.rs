//! package-lock.yml: its text, and the hash by which it is known to fit what a project asks for.

use std::fmt::Write;

use sha1::{Digest, Sha1};

use crate::jinja::write_packages;
use crate::manifest::{Json, JsonMap};
use crate::project::packages::{Origin, PackageSpec};

/// dbt's hash of what a project asks for: of each entry's JSON, keys sorted, entries sorted.
pub fn sha1_hash(specs: &[PackageSpec]) -> String {
    let mut texts: Vec<String> = specs.iter().map(|spec| python_json(&as_dbt(spec))).collect();
    texts.sort();
    let digest = Sha1::digest(texts.join("\n").as_bytes());
    digest.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// An entry with the keys that dbt gives to a package of its origin.
fn as_dbt(spec: &PackageSpec) -> Json {
    let mut map = spec.rendered.clone();
    if map.get("name").is_some_and(Json::is_null) {
        map.remove("name");
    }
    map.insert("unrendered".to_owned(), Json::Object(spec.unrendered.clone()));
    let defaults: &[(&str, Json)] = match spec.origin {
        Origin::Local(_) | Origin::Tarball(_) => &[],
        Origin::Hub(_) => &[("install_prerelease", Json::Bool(false))],
        Origin::Git(_) => &[("revision", Json::Null), ("warn-unpinned", Json::Null), ("subdirectory", Json::Null)],
        Origin::Private(_) => {
            &[("provider", Json::Null), ("revision", Json::Null), ("warn-unpinned", Json::Null), ("subdirectory", Json::Null)]
        }
    };
    for (key, value) in defaults {
        map.entry(*key).or_insert_with(|| value.clone());
    }
    Json::Object(map)
}

/// JSON as Python's `json.dumps(…, sort_keys=True)` writes it: blanks after commas and colons, ASCII only.
fn python_json(value: &Json) -> String {
    match value {
        Json::Object(map) => {
            let mut entries: Vec<(&String, &Json)> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            let entries: Vec<String> =
                entries.iter().map(|(key, value)| format!("{}: {}", python_text(key), python_json(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        Json::Array(items) => format!("[{}]", items.iter().map(python_json).collect::<Vec<_>>().join(", ")),
        Json::String(text) => python_text(text),
        other => other.to_string(),
    }
}

fn python_text(text: &str) -> String {
    let mut out = String::new();
    for letter in Json::from(text).to_string().chars() {
        if letter.is_ascii() {
            out.push(letter);
        } else {
            let mut units = [0; 2];
            for unit in letter.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

/// The lock file's text: entries as given, in that order.
pub fn lock_text(entries: Vec<JsonMap>, hash: &str) -> String {
    let mut whole = JsonMap::new();
    whole.insert("packages".to_owned(), entries.into_iter().map(Json::Object).collect());
    whole.insert("sha1_hash".to_owned(), hash.into());
    write_packages(&Json::Object(whole))
}
