//! The keys of a target, by adapter: kinds, defaults, and what Jinja's `target` may show of them.

use std::path::Path;

use super::Profile;
use crate::diagnostic::{Diagnostic, SourceText, nearest};
use crate::manifest::{Json, JsonMap};
use crate::yaml::{Kind, Reader, Yaml};

/// What a key of a target holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Text,
    Bool,
    Number,
    Map,
    /// A list whose items are texts or maps.
    List,
    /// A list of maps that need this key.
    Maps(&'static str),
    /// Read elsewhere.
    Any,
}

struct Key {
    name: &'static str,
    holds: Holds,
    /// Shown by Jinja's `target`.
    shown: bool,
    default: Json,
}

const fn key(name: &'static str, holds: Holds, shown: bool) -> Key {
    Key { name, holds, shown, default: Json::Null }
}

/// dbt-duckdb's keys, in the order in which `target` shows them.
const DUCKDB: &[Key] = &[
    key("database", Holds::Text, true),
    key("schema", Holds::Text, true),
    key("path", Holds::Text, true),
    key("config_options", Holds::Map, true),
    key("extensions", Holds::List, true),
    key("settings", Holds::Map, true),
    key("external_root", Holds::Text, true),
    key("use_credential_provider", Holds::Text, true),
    key("attach", Holds::Maps("path"), true),
    key("filesystems", Holds::Maps("fs"), true),
    key("remote", Holds::Map, true),
    key("plugins", Holds::Maps("module"), true),
    Key { name: "disable_transactions", holds: Holds::Bool, shown: true, default: Json::Bool(false) },
    key("secrets", Holds::Maps("type"), false),
    Key { name: "keep_open", holds: Holds::Bool, shown: false, default: Json::Bool(true) },
    key("module_paths", Holds::List, false),
    key("retries", Holds::Map, false),
    key("flights", Holds::Map, false),
    key("is_ducklake", Holds::Bool, false),
    key("motherduck_token", Holds::Text, false),
    key("type", Holds::Any, false),
    key("threads", Holds::Any, false),
];

/// dbt-postgres's keys, in the order in which `target` shows them.
const POSTGRES: &[Key] = &[
    key("host", Holds::Text, true),
    key("port", Holds::Number, true),
    key("user", Holds::Text, true),
    key("database", Holds::Text, true),
    key("schema", Holds::Text, true),
    key("connect_timeout", Holds::Number, true),
    key("role", Holds::Text, true),
    key("search_path", Holds::Text, true),
    key("keepalives_idle", Holds::Number, true),
    key("sslmode", Holds::Text, true),
    key("sslcert", Holds::Text, true),
    key("sslkey", Holds::Text, true),
    key("sslrootcert", Holds::Text, true),
    key("application_name", Holds::Text, true),
    Key { name: "autocommit", holds: Holds::Bool, shown: true, default: Json::Bool(false) },
    key("retries", Holds::Number, true),
    key("password", Holds::Text, false),
    key("dbname", Holds::Text, false),
    key("pass", Holds::Text, false),
    key("type", Holds::Any, false),
    key("threads", Holds::Any, false),
];

/// Reads each key by its kind; keys of no meaning are kept, and one that looks like a slip warns.
fn typed(keys: &[Key], output: &Yaml, adapter: &str, reader: &mut Reader<'_>) -> JsonMap {
    let mut credentials = JsonMap::new();
    for entry in output.entries() {
        let Some(key) = keys.iter().find(|key| key.name == &*entry.key) else {
            if let Some(near) = nearest(&entry.key, keys.iter().map(|key| key.name)) {
                let message = format!("a {adapter} target has no key '{}'", entry.key);
                let warning = Diagnostic::warning("W0102", message).at(reader.source, entry.key_span);
                reader.diagnostics.push(warning.help(format!("did you mean '{near}'?")));
            }
            credentials.insert(entry.key.to_string(), entry.value.to_json());
            continue;
        };
        if !matches!(key.name, "type" | "threads")
            && !entry.value.is_null()
            && let Some(value) = value(key, &entry.value, reader)
        {
            credentials.insert(key.name.to_owned(), value);
        }
    }
    credentials
}

fn value(key: &Key, value: &Yaml, reader: &mut Reader<'_>) -> Option<Json> {
    let what = format!("'{}'", key.name);
    match key.holds {
        Holds::Text => match &value.kind {
            // Numbers that a variable holds are texts here.
            Kind::Int(number) => Some(number.to_string().into()),
            _ => reader.expect_str(value, &what).map(|text| (&*text).into()),
        },
        Holds::Bool => reader.expect_bool(value, &what).map(Json::from),
        Holds::Number => match value.as_str().map(|text| text.trim().parse::<i64>()) {
            Some(Ok(number)) => Some(number.into()),
            _ => reader.expect_int(value, &what).map(Json::from),
        },
        Holds::Map => reader.expect_map(value, &what).map(|_| value.to_json()),
        Holds::List => reader.expect_list(value, &what).map(|_| value.to_json()),
        Holds::Maps(needed) => {
            for item in reader.expect_list(value, &what)? {
                if item.get(needed).is_none() {
                    reader.wrong_kind(item, &format!("each item of {what}"), &format!("a map with '{needed}'"));
                }
            }
            Some(value.to_json())
        }
        Holds::Any => None,
    }
}

fn shown(keys: &[Key], credentials: &JsonMap) -> JsonMap {
    let visible = keys.iter().filter(|key| key.shown);
    visible.map(|key| (key.name.to_owned(), credentials.get(key.name).unwrap_or(&key.default).clone())).collect()
}

/// Fills in a DuckDB target: the database is named after the file, and a relative path starts at the project's folder,
/// where dbt goes before it connects.
pub(super) fn duckdb(profile: &mut Profile, output: &Yaml, source: &SourceText, root: &Path, diagnostics: &mut Vec<Diagnostic>) {
    let mut reader = Reader { source, code: "E0110", diagnostics };
    let mut credentials = typed(DUCKDB, output, "duckdb", &mut reader);
    let path = credentials.get("path").and_then(Json::as_str).unwrap_or(":memory:").to_owned();
    let derived = database_name(&path);
    if derived.is_empty() {
        let span = output.get("path").map_or(output.span, |value| value.span);
        reader.diagnostics.push(
            Diagnostic::error("E0110", format!("no database name can be made of the path '{path}'"))
                .at(source, span)
                .help("name a file, such as: path: warehouse.duckdb"),
        );
        return;
    }
    let database = credentials.get("database").and_then(Json::as_str).unwrap_or(&derived).to_owned();
    let alias = |attached: &Json| attached.get("alias").and_then(Json::as_str) == Some(&database);
    let is_attached = credentials.get("attach").and_then(Json::as_array).is_some_and(|list| list.iter().any(alias));
    if database != derived && !is_attached && !credentials.contains_key("remote") {
        let span = output.get("database").map_or(output.span, |value| value.span);
        let message = format!("the database of the file '{path}' is called '{derived}', not '{database}'");
        let help = format!("write 'database: {derived}', or leave the key out");
        reader.diagnostics.push(Diagnostic::error("E0110", message).at(source, span).help(help));
    }
    credentials.get("schema").and_then(Json::as_str).unwrap_or("main").clone_into(&mut profile.schema);
    profile.database = Some(database.clone());
    for (name, value) in [("database", &database), ("schema", &profile.schema), ("path", &path)] {
        credentials.insert(name.to_owned(), value.as_str().into());
    }
    credentials.entry("external_root").or_insert_with(|| ".".into());
    credentials.entry("settings").or_insert_with(|| Json::Object(JsonMap::new()));
    profile.shown = duckdb_shown(&credentials);
    if is_file(&path) {
        credentials.insert("path".to_owned(), root.join(&path).to_string_lossy().into());
    }
    profile.credentials = credentials;
}

/// As dbt shows them: attachments and plugins with all their keys; tokens and passwords left out.
fn duckdb_shown(credentials: &JsonMap) -> JsonMap {
    let mut target = shown(DUCKDB, credentials);
    let whole = |value: &mut Json, defaults: &[(&str, Json)]| {
        for item in value.as_array_mut().into_iter().flatten() {
            let given = item.as_object().cloned().unwrap_or_default();
            *item = defaults
                .iter()
                .map(|(name, default)| ((*name).to_owned(), given.get(*name).unwrap_or(default).clone()))
                .collect();
        }
    };
    let null = || Json::Null;
    if let Some(attached) = target.get_mut("attach") {
        whole(
            attached,
            &[
                ("path", null()),
                ("type", null()),
                ("alias", null()),
                ("secret", null()),
                ("read_only", false.into()),
                ("options", null()),
                ("is_ducklake", null()),
            ],
        );
    }
    if let Some(plugins) = target.get_mut("plugins") {
        whole(plugins, &[("module", null()), ("alias", null()), ("config", null())]);
    }
    for key in ["settings", "config_options", "remote"] {
        if let Some(map) = target.get_mut(key).and_then(Json::as_object_mut) {
            map.retain(|name, _| !is_secret(name));
        }
    }
    target
}

fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    ["token", "password", "secret", "access_key"].iter().any(|part| name.contains(part))
}

/// A file of the machine: neither memory nor an address.
fn is_file(path: &str) -> bool {
    path != ":memory:" && !path.contains("://") && path.split_once(':').is_none_or(|(scheme, _)| scheme.len() == 1)
}

/// The name DuckDB gives to the database of a path: `memory`, or the file's name up to its first dot.
pub(super) fn database_name(path: &str) -> String {
    if path == ":memory:" {
        return "memory".to_owned();
    }
    let (scheme, rest) = path.split_once(':').filter(|(scheme, _)| scheme.len() > 1).unwrap_or(("", path));
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let file = rest.rsplit('/').next().unwrap_or_default();
    match scheme.to_lowercase().as_str() {
        "md" | "motherduck" => {
            let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
            if stem.is_empty() { "my_db".to_owned() } else { stem.to_owned() }
        }
        "ducklake" => {
            let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
            stem.rsplit(':').next().unwrap_or_default().to_owned()
        }
        _ => file.trim_start_matches('.').split('.').next().unwrap_or_default().to_owned(),
    }
}

/// Fills in a PostgreSQL target; `dbname` and `pass` are other names of `database` and `password`.
pub(super) fn postgres(profile: &mut Profile, output: &Yaml, source: &SourceText, diagnostics: &mut Vec<Diagnostic>) {
    let mut reader = Reader { source, code: "E0110", diagnostics };
    let mut credentials = typed(POSTGRES, output, "postgres", &mut reader);
    for (alias, name) in [("dbname", "database"), ("pass", "password")] {
        if let Some(value) = credentials.remove(alias) {
            credentials.entry(name).or_insert(value);
        }
    }
    for needed in ["host", "user", "port", "password", "database", "schema"] {
        if !credentials.contains_key(needed) {
            let message = format!("the postgres target '{}' has no '{needed}'", profile.target);
            reader.diagnostics.push(Diagnostic::error("E0110", message).at(source, output.span));
        }
    }
    let defaults: [(&str, Json); 4] = [
        ("connect_timeout", 10.into()),
        ("keepalives_idle", 0.into()),
        ("application_name", "dbt".into()),
        ("retries", 1.into()),
    ];
    for (name, value) in defaults {
        credentials.entry(name).or_insert(value);
    }
    let text = |name: &str| credentials.get(name).and_then(Json::as_str).map(str::to_owned);
    profile.schema = text("schema").unwrap_or_default();
    profile.database = text("database");
    profile.shown = shown(POSTGRES, &credentials);
    if let Some(database) = &profile.database {
        profile.shown.insert("dbname".to_owned(), database.as_str().into());
    }
    profile.credentials = credentials;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_are_named_after_their_files() {
        for (path, name) in [
            (":memory:", "memory"),
            ("warehouse.duckdb", "warehouse"),
            ("/a/b/my.db.duckdb", "my"),
            (".hidden.duckdb", "hidden"),
            ("md:", "my_db"),
            ("md:sales?token=x", "sales"),
            ("ducklake:metadata.ducklake", "metadata"),
            ("ducklake:sqlite:metadata.sqlite", "metadata"),
            ("s3://bucket/some.duckdb", "some"),
            ("folder/", ""),
        ] {
            assert_eq!(database_name(path), name, "{path}");
        }
    }
}
