//! A DuckDB target of profiles.yml: what to open, and the statements that prepare a session.

use crate::manifest::{Json, JsonMap};
use std::fmt::Write as _;

use super::AdapterError;

/// The keys that matter here, checked. Names and meanings are dbt-duckdb's.
#[derive(Debug, Clone, Default)]
pub(super) struct Credentials {
    pub path: String,
    pub config_options: Vec<(String, String)>,
    /// To be run once, when the database is opened, after the extensions are loaded.
    pub setup: Vec<String>,
    pub extensions: Vec<Extension>,
    /// To be run on every new connection.
    pub session: Vec<String>,
    pub external_root: String,
    pub disable_transactions: bool,
    pub ducklake: Vec<String>,
    pub retries: Retries,
    pub plugins: Vec<Plugin>,
    /// Folders where Python looks for modules.
    pub module_paths: Vec<String>,
    /// `settings` as they are, for plugins.
    pub settings: JsonMap,
    /// All keys as they are, for plugins.
    pub keys: JsonMap,
}

/// A dbt-duckdb plugin: Python, run only where a source or a model names it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plugin {
    /// The alias, or the last part of the module.
    pub name: String,
    pub module: String,
    pub config: JsonMap,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Extension {
    pub name: String,
    pub repository: Option<String>,
}

impl Extension {
    pub fn load(&self) -> String {
        format!("LOAD {}", self.name)
    }

    pub fn install(&self) -> String {
        let from = self.repository.as_ref().map_or_else(String::new, |repository| {
            if repository.contains(':') { format!(" FROM '{}'", escape(repository)) } else { format!(" FROM {repository}") }
        });
        format!("INSTALL {}{from}", self.name)
    }
}

/// `retries:` of the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Retries {
    pub connect_attempts: u32,
    pub query_attempts: u32,
    /// Python class names: `IOException`.
    pub exceptions: Vec<String>,
}

impl Default for Retries {
    fn default() -> Self {
        Self { connect_attempts: 1, query_attempts: 1, exceptions: vec!["IOException".to_string()] }
    }
}

fn refuse<T>(message: impl Into<String>, help: impl Into<String>) -> Result<T, AdapterError> {
    Err(AdapterError::Profile { message: message.into(), help: Some(help.into()) })
}

impl Credentials {
    /// # Errors
    /// Keys that ask for what only Python or a service can do, and values of the wrong shape.
    pub fn read(keys: &JsonMap) -> Result<Self, AdapterError> {
        let path = text(keys, "path").unwrap_or_else(|| ":memory:".to_string());
        refuse_foreign(keys, &path)?;
        let mut credentials = Self {
            external_root: text(keys, "external_root").unwrap_or_else(|| ".".to_string()),
            disable_transactions: keys.get("disable_transactions").and_then(Json::as_bool).unwrap_or(false),
            config_options: pairs(keys, "config_options")?,
            session: pairs(keys, "settings")?.iter().map(|(key, value)| format!("SET {key} = '{}'", escape(value))).collect(),
            retries: retries(keys),
            plugins: plugins(keys)?,
            module_paths: list(keys, "module_paths")?.iter().filter_map(scalar).collect(),
            settings: keys.get("settings").and_then(Json::as_object).cloned().unwrap_or_default(),
            keys: keys.clone(),
            ..Self::default()
        };
        if keys.get("is_ducklake").and_then(Json::as_bool) == Some(true) || path.to_lowercase().contains("ducklake:") {
            credentials.ducklake.push(database_name(&path).to_lowercase());
        }
        credentials.path = path;
        credentials.extensions = extensions(keys)?;
        credentials.setup = secrets(keys)?;
        for attachment in list(keys, "attach")? {
            let sql = credentials.attach(&attachment)?;
            credentials.setup.push(sql);
        }
        Ok(credentials)
    }

    /// The statement that attaches another database.
    fn attach(&mut self, attachment: &Json) -> Result<String, AdapterError> {
        let fields = match attachment {
            Json::Object(fields) => fields.clone(),
            Json::String(path) => JsonMap::from_iter([("path".to_string(), Json::from(path.as_str()))]),
            other => {
                return refuse(
                    format!("`attach` has the entry {other}"),
                    "Write `- path: other.duckdb`, and `alias:` if you like.",
                );
            }
        };
        let Some(path) = text(&fields, "path") else {
            return refuse("an entry of `attach` has no path", "Write `- path: other.duckdb`, and `alias:` if you like.");
        };
        if is_motherduck(&path) {
            return refuse_motherduck(&path);
        }
        let alias = text(&fields, "alias");
        if fields.get("is_ducklake").and_then(Json::as_bool) == Some(true) || path.to_lowercase().contains("ducklake:") {
            self.ducklake.push(alias.clone().unwrap_or_else(|| database_name(&path)).to_lowercase());
        }
        let mut sql = format!("ATTACH IF NOT EXISTS '{}'", escape(&path));
        if let Some(alias) = alias {
            sql.push_str(" AS ");
            sql.push_str(&alias);
        }
        let options = attach_options(&fields)?;
        if !options.is_empty() {
            let _ = write!(sql, " ({})", options.join(", "));
        }
        Ok(sql)
    }
}

/// Keys of dbt-duckdb that lineal does not have: each refused by name, with what to do instead.
fn refuse_foreign(keys: &JsonMap, path: &str) -> Result<(), AdapterError> {
    let given =
        |key: &str| keys.get(key).is_some_and(|value| !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty()));
    if is_motherduck(path) {
        return refuse_motherduck(path);
    }
    if given("filesystems") {
        return refuse(
            "`filesystems` are Python's fsspec, which lineal's own connections cannot use",
            "Use `extensions: [httpfs]` (or `azure`) with `secrets:`; then `s3://`, `gcs://`, `r2://`, `az://` and `https://` paths work.",
        );
    }
    if given("remote") {
        return refuse("`remote` (a Buena Vista server) is not supported", "Use `path:` for a DuckDB file.");
    }
    Ok(())
}

fn is_motherduck(path: &str) -> bool {
    path.split_once(':').is_some_and(|(scheme, _)| scheme == "md" || scheme == "motherduck")
}

fn refuse_motherduck<T>(path: &str) -> Result<T, AdapterError> {
    let path = path.split('?').next().unwrap_or(path);
    refuse(
        format!("'{path}' is a MotherDuck database, which lineal does not support yet"),
        "Use a DuckDB file as `path:`; MotherDuck needs an extension that talks to its service.",
    )
}

/// The catalog name DuckDB gives a file: the part of its name before the first dot.
fn database_name(path: &str) -> String {
    let path = path.rsplit_once("ducklake:").map_or(path, |(_, rest)| rest);
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    file.trim_start_matches('.').split('.').next().unwrap_or(file).to_string()
}

/// `'` doubled, for use within a quoted SQL text.
pub(super) fn escape(text: &str) -> String {
    text.replace('\'', "''")
}

/// A scalar as text; None for absent, null and containers.
fn scalar(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

fn text(keys: &JsonMap, key: &str) -> Option<String> {
    keys.get(key).and_then(scalar)
}

fn list(keys: &JsonMap, key: &str) -> Result<Vec<Json>, AdapterError> {
    match keys.get(key) {
        None | Some(Json::Null) => Ok(Vec::new()),
        Some(Json::Array(items)) => Ok(items.clone()),
        Some(_) => {
            refuse(format!("`{key}` of the target is not a list"), format!("Write `{key}:` with one `- …` for each entry."))
        }
    }
}

fn pairs(keys: &JsonMap, key: &str) -> Result<Vec<(String, String)>, AdapterError> {
    match keys.get(key) {
        None | Some(Json::Null) => Ok(Vec::new()),
        Some(Json::Object(fields)) => {
            Ok(fields.iter().filter_map(|(name, value)| Some((name.clone(), scalar(value)?))).collect())
        }
        Some(_) => refuse(format!("`{key}` of the target is not a mapping"), format!("Write `{key}:` with `name: value` lines.")),
    }
}

fn extensions(keys: &JsonMap) -> Result<Vec<Extension>, AdapterError> {
    let read = |item: Json| match &item {
        Json::String(name) => Ok(Extension { name: name.clone(), repository: None }),
        Json::Object(fields) if fields.contains_key("name") => {
            Ok(Extension { name: text(fields, "name").unwrap_or_default(), repository: text(fields, "repo") })
        }
        other => refuse(format!("`extensions` has the entry {other}"), "Write a name, or `{name: …, repo: community}`."),
    };
    let extensions: Vec<Extension> = list(keys, "extensions")?.into_iter().map(read).collect::<Result<_, _>>()?;
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./:".contains(&byte));
    match extensions.iter().find(|extension| !plain(&extension.name)) {
        Some(odd) => refuse(format!("'{}' is not the name of an extension", odd.name), "Names have letters, digits and `_`."),
        None => Ok(extensions),
    }
}

/// `plugins:` of the target. Those that only prepare the connection are refused: a connection of lineal is no Python object.
fn plugins(keys: &JsonMap) -> Result<Vec<Plugin>, AdapterError> {
    let read = |item: Json| {
        let Some(fields) = item.as_object().filter(|fields| fields.contains_key("module")) else {
            return refuse(
                format!("`plugins` has the entry {item}"),
                "Write `- module: name`, with `alias:` and `config:` if needed.",
            );
        };
        let module = text(fields, "module").unwrap_or_default();
        let instead = match module.as_str() {
            "postgres" => "Use `attach:` with `path: \"dbname=… host=…\"`, `type: postgres` and an `alias:`.",
            "glue" => "Register the files that `external` models write with AWS's own tools, after the run.",
            "motherduck" => "Use a DuckDB file as `path:`.",
            _ => {
                let last = module.rsplit('.').next().unwrap_or(&module);
                let name = text(fields, "alias").unwrap_or_else(|| last.to_owned());
                let config = fields.get("config").and_then(Json::as_object).cloned().unwrap_or_default();
                return Ok(Plugin { name, module, config });
            }
        };
        refuse(format!("the dbt-duckdb plugin '{module}' is not supported"), instead)
    };
    list(keys, "plugins")?.into_iter().map(read).collect()
}

fn retries(keys: &JsonMap) -> Retries {
    let Some(Json::Object(fields)) = keys.get("retries") else {
        return Retries::default();
    };
    let number = |key: &str| fields.get(key).and_then(Json::as_u64).and_then(|value| u32::try_from(value).ok());
    let names = |items: &Vec<Json>| items.iter().filter_map(scalar).collect();
    let default = Retries::default();
    Retries {
        connect_attempts: number("connect_attempts").unwrap_or(1).max(1),
        query_attempts: number("query_attempts").unwrap_or(1).max(1),
        exceptions: fields.get("retryable_exceptions").and_then(Json::as_array).map_or(default.exceptions, names),
    }
}

fn attach_options(fields: &JsonMap) -> Result<Vec<String>, AdapterError> {
    let empty = JsonMap::new();
    let options = fields.get("options").and_then(Json::as_object).unwrap_or(&empty);
    let mut out = Vec::new();
    for key in ["type", "secret"] {
        let own = text(fields, key);
        if own.is_some() && options.contains_key(key) {
            return refuse(format!("an entry of `attach` gives `{key}` twice"), "Keep it beside `path:`, or under `options:`.");
        }
        if let Some(value) = own.or_else(|| text(options, key)) {
            out.push(format!("{} {value}", key.to_uppercase()));
        }
    }
    let flag = |fields: &JsonMap| fields.get("read_only").and_then(Json::as_bool).unwrap_or(false);
    if flag(fields) || flag(options) {
        out.push("READ_ONLY".to_string());
    }
    for (key, value) in options.iter().filter(|(key, _)| !matches!(key.as_str(), "type" | "secret" | "read_only")) {
        let key = key.to_uppercase();
        match value {
            Json::Bool(true) => out.push(key),
            Json::String(text) if is_quoted(text) => out.push(format!("{key} {text}")),
            Json::String(text) => out.push(format!("{key} '{}'", escape(text))),
            Json::Number(number) => out.push(format!("{key} {number}")),
            _ => {}
        }
    }
    Ok(out)
}

fn is_quoted(text: &str) -> bool {
    let text = text.trim();
    text.len() >= 2 && ['\'', '"'].iter().any(|quote| text.starts_with(*quote) && text.ends_with(*quote))
}

/// `CREATE SECRET` statements of `secrets:` and `use_credential_provider:`.
fn secrets(keys: &JsonMap) -> Result<Vec<String>, AdapterError> {
    let mut entries = list(keys, "secrets")?;
    match text(keys, "use_credential_provider").as_deref() {
        None => {}
        Some("aws") => entries.push(serde_json::json!({"type": "s3", "provider": "credential_chain"})),
        Some(other) => {
            return refuse(format!("`use_credential_provider: {other}` is not known"), "Write `aws`, or use `secrets:`.");
        }
    }
    entries.iter().enumerate().map(|(index, entry)| secret(index, entry)).collect()
}

fn secret(index: usize, entry: &Json) -> Result<String, AdapterError> {
    let Some(fields) = entry.as_object().filter(|fields| fields.contains_key("type")) else {
        return refuse("an entry of `secrets` has no type", "Write `- type: s3` and the secret's keys.");
    };
    let name = text(fields, "name").unwrap_or_else(|| format!("_dbt_secret_{}", index + 1));
    let persistent = if fields.get("persistent").and_then(Json::as_bool) == Some(true) { " PERSISTENT" } else { "" };
    let mut parameters = Vec::new();
    let mut scopes = Vec::new();
    for (key, value) in fields {
        match (key.as_str(), value) {
            ("name" | "persistent", _) | (_, Json::Null) => {}
            ("scope", Json::Array(items)) => scopes.extend(items.iter().filter_map(scalar)),
            ("scope", value) => scopes.extend(scalar(value)),
            ("type" | "provider", value) => parameters.push(format!("{key} {}", scalar(value).unwrap_or_default())),
            (_, Json::Object(map)) => {
                let quoted = |text: &str| format!("'{}'", escape(text));
                let items =
                    map.iter().map(|(key, value)| format!("{}: {}", quoted(key), quoted(&scalar(value).unwrap_or_default())));
                parameters.push(format!("{key} map {{{}}}", items.collect::<Vec<_>>().join(", ")));
            }
            (_, Json::Array(items)) => {
                let items = items.iter().filter_map(scalar).map(|item| format!("'{}'", escape(&item)));
                parameters.push(format!("{key} array [{}]", items.collect::<Vec<_>>().join(", ")));
            }
            (_, value) => parameters.push(format!("{key} '{}'", escape(&scalar(value).unwrap_or_default()))),
        }
    }
    parameters.extend(scopes.iter().map(|scope| format!("scope '{}'", escape(scope))));
    Ok(format!("CREATE OR REPLACE{persistent} SECRET {name} ({})", parameters.join(", ")))
}

/// The target's keys as `debug` and `target` may show them: dbt-duckdb's connection keys, with what looks secret masked.
pub(super) fn shown(keys: &JsonMap) -> JsonMap {
    const SHOWN: [(&str, Json); 13] = [
        ("database", Json::Null),
        ("schema", Json::Null),
        ("path", Json::Null),
        ("config_options", Json::Null),
        ("extensions", Json::Null),
        ("settings", Json::Null),
        ("external_root", Json::Null),
        ("use_credential_provider", Json::Null),
        ("attach", Json::Null),
        ("filesystems", Json::Null),
        ("remote", Json::Null),
        ("plugins", Json::Null),
        ("disable_transactions", Json::Bool(false)),
    ];
    let mut out = JsonMap::new();
    for (key, default) in SHOWN {
        let value = keys.get(key).cloned().unwrap_or(default);
        out.insert(key.to_string(), masked(key, value));
    }
    if out["settings"].is_null() {
        out["settings"] = Json::Object(JsonMap::new());
    }
    if out["external_root"].is_null() {
        out["external_root"] = ".".into();
    }
    out
}

fn masked(key: &str, value: Json) -> Json {
    let key = key.to_lowercase();
    let secret = ["token", "secret", "password", "access_key", "key_id", "encryption_key"].iter().any(|word| key.contains(word));
    match value {
        Json::Object(fields) => Json::Object(fields.into_iter().map(|(key, value)| (key.clone(), masked(&key, value))).collect()),
        Json::Array(items) => items.into_iter().map(|item| masked(&key, item)).collect(),
        Json::Null => Json::Null,
        _ if secret => "*****".into(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(keys: &Json) -> Result<Credentials, AdapterError> {
        Credentials::read(keys.as_object().expect("a mapping"))
    }

    #[test]
    fn attachments_and_secrets_become_statements() {
        let credentials = read(&json!({
            "path": "x.duckdb",
            "attach": [
                {"path": "it's.db", "alias": "other", "type": "sqlite", "read_only": true},
                {"path": "ducklake:meta.db", "alias": "Lake", "options": {"data_path": "s3://b", "encrypted": true}},
            ],
            "secrets": [{"type": "s3", "region": "eu", "scope": ["s3://a", "s3://b"]}],
            "settings": {"TimeZone": "UTC"},
        }))
        .expect("a good target");
        assert_eq!(
            credentials.setup,
            [
                "CREATE OR REPLACE SECRET _dbt_secret_1 (type s3, region 'eu', scope 's3://a', scope 's3://b')",
                "ATTACH IF NOT EXISTS 'it''s.db' AS other (TYPE sqlite, READ_ONLY)",
                "ATTACH IF NOT EXISTS 'ducklake:meta.db' AS Lake (DATA_PATH 's3://b', ENCRYPTED)",
            ]
        );
        assert_eq!(credentials.ducklake, ["lake"]);
        assert_eq!(credentials.session, ["SET TimeZone = 'UTC'"]);
    }

    #[test]
    fn what_needs_python_or_a_service_is_refused_by_name() {
        for (keys, word) in [
            (json!({"path": "md:my_db?motherduck_token=abc"}), "MotherDuck"),
            (json!({"plugins": [{"module": "glue"}]}), "glue"),
            (json!({"plugins": ["excel"]}), "excel"),
            (json!({"filesystems": [{"fs": "s3"}]}), "filesystems"),
            (json!({"remote": {"host": "x"}}), "remote"),
            (json!({"attach": [{"path": "md:x"}]}), "MotherDuck"),
            (json!({"attach": {"path": "x"}}), "attach"),
            (json!({"extensions": ["a; drop"]}), "extension"),
        ] {
            let error = read(&keys).expect_err(word).to_string();
            assert!(error.contains(word) && !error.contains("abc"), "{error}");
        }
    }

    #[test]
    fn shown_keys_hide_secrets() {
        let keys = json!({"path": "x.db", "settings": {"s3_secret_access_key": "abc", "threads": 2}, "attach": [{"path": "y", "secret": "z"}]});
        let shown = Json::Object(shown(keys.as_object().expect("a mapping"))).to_string();
        assert!(!shown.contains("abc") && shown.contains("\"threads\":2"), "{shown}");
    }
}
