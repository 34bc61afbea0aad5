//! dbt_project.yml: from the rendered YAML to a [`ProjectConfig`], with what is wrong in it.

use super::version::{self, Bound, Verdict};
use super::{PROJECT_FILE, ProjectConfig};
use crate::diagnostic::{Diagnostic, SourceText, Span};
use crate::manifest::{Json, JsonMap};
use crate::yaml::{Kind, Reader, Yaml};

/// Keys of a resource tree, and the name they are kept under.
const TREES: &[(&str, &str)] = &[
    ("models", "models"),
    ("seeds", "seeds"),
    ("snapshots", "snapshots"),
    ("sources", "sources"),
    ("tests", "data_tests"),
    ("data_tests", "data_tests"),
    ("unit_tests", "unit_tests"),
    ("exposures", "exposures"),
    ("metrics", "metrics"),
    ("semantic-models", "semantic-models"),
    ("saved-queries", "saved-queries"),
    ("analyses", "analyses"),
    ("functions", "functions"),
];

/// Every key that dbt 1.12 knows, resource trees aside.
const KEYS: &[&str] = &[
    "name",
    "version",
    "config-version",
    "profile",
    "project-root",
    "source-paths",
    "model-paths",
    "macro-paths",
    "data-paths",
    "seed-paths",
    "test-paths",
    "analysis-paths",
    "docs-paths",
    "asset-paths",
    "function-paths",
    "osi-paths",
    "snapshot-paths",
    "target-path",
    "log-path",
    "packages-install-path",
    "clean-targets",
    "quoting",
    "on-run-start",
    "on-run-end",
    "require-dbt-version",
    "dispatch",
    "vars",
    "packages",
    "query-comment",
    "restrict-access",
    "dbt-cloud",
    "flags",
];

/// Names that a project may not have: Jinja knows them as something else.
const RESERVED: &[&str] = &[
    "_sql_results",
    "adapter",
    "api",
    "column",
    "config",
    "context",
    "database",
    "env",
    "env_var",
    "exceptions",
    "execute",
    "flags",
    "fromjson",
    "fromyaml",
    "graph",
    "invocation_id",
    "load_agate_table",
    "load_result",
    "log",
    "model",
    "modules",
    "post_hooks",
    "pre_hooks",
    "ref",
    "render",
    "return",
    "run_started_at",
    "schema",
    "source",
    "sql",
    "sql_now",
    "store_result",
    "store_raw_result",
    "target",
    "this",
    "tojson",
    "toyaml",
    "try_or_compiler_error",
    "var",
    "write",
];

/// Reads the rendered file; `unrendered` is the same before rendering. Always gives a config, as far as the file goes.
pub(super) fn read(
    rendered: &Yaml,
    unrendered: &Yaml,
    source: &SourceText,
    version_check: bool,
) -> (ProjectConfig, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let reader = Reader { source, code: "E0103", diagnostics: &mut diagnostics };
    let mut file = File { yaml: rendered, reader };
    let mut config = ProjectConfig { source: Some(source.clone()), ..ProjectConfig::default() };
    file.unknown_keys();
    file.identity(&mut config);
    file.paths(&mut config);
    file.trees(unrendered, &mut config);
    file.settings(&mut config);
    file.required_version(&mut config, version_check);
    (config, diagnostics)
}

struct File<'a> {
    yaml: &'a Yaml,
    reader: Reader<'a>,
}

impl File<'_> {
    fn unknown_keys(&mut self) {
        let known: Vec<&str> = KEYS.iter().copied().chain(TREES.iter().map(|(key, _)| *key)).collect();
        self.reader.unknown_keys(self.yaml.entries(), &known, PROJECT_FILE, None);
    }

    fn given(&self, key: &str) -> Option<&Yaml> {
        self.yaml.get(key).filter(|value| !value.is_null())
    }

    fn error(&mut self, span: Span, message: impl Into<String>, help: &str) {
        let source = self.reader.source;
        self.reader.diagnostics.push(Diagnostic::error("E0103", message).at(source, span).help(help));
    }

    fn deprecated(&mut self, span: Span, message: String, help: &str, event: &'static str) {
        let source = self.reader.source;
        self.reader.diagnostics.push(Diagnostic::warning("W0103", message).at(source, span).help(help).event(event));
    }

    fn identity(&mut self, config: &mut ProjectConfig) {
        match self.given("name") {
            None => self.error(Span::new(0, 0), "the project has no name", "add a line like: name: my_project"),
            Some(name) => {
                let (span, kind) = (name.span, name.kind.clone());
                match kind {
                    Kind::Str(text) if is_identifier(&text) && !is_reserved(&text) => config.name = text.to_string(),
                    Kind::Str(text) if is_identifier(&text) => {
                        self.error(span, format!("a project cannot be named '{text}': the word is taken"), "choose another name");
                    }
                    Kind::Str(text) => self.error(
                        span,
                        format!("'{text}' is not a name for a project"),
                        "use letters, digits and underscores, and start with a letter or an underscore",
                    ),
                    _ => {
                        let kind = kind.noun();
                        self.error(span, format!("the project's name must be a text, not {kind}"), "put quotes around it");
                    }
                }
            }
        }
        if let Some(version) = self.given("version") {
            let (span, json) = (version.span, version.to_json());
            let fits = json.is_number() || json.as_str().is_some_and(is_release);
            if !fits {
                let help = "write it like '1.0.0', or leave it out";
                let shown = json.as_str().map_or_else(|| json.to_string(), |text| format!("'{text}'"));
                self.error(
                    span,
                    format!("{shown} is not a version: at path ['version']: {shown} is not valid under any of the given schemas"),
                    help,
                );
            }
            config.version = Some(json.as_str().map_or_else(|| json.to_string(), str::to_owned));
        }
        if let Some(version) = self.given("config-version").filter(|version| version.as_i64() != Some(2)) {
            let span = version.span;
            self.error(span, "only config-version 2 is known", "write: config-version: 2");
        }
        config.profile = self.given("profile").and_then(|value| match &value.kind {
            Kind::Str(text) => Some(text.to_string()),
            Kind::Int(number) => Some(number.to_string()),
            _ => None,
        });
    }

    /// A list of folders; a single text stands for one.
    fn folders(&mut self, key: &str) -> Option<Vec<String>> {
        let value = self.yaml.get(key).filter(|value| !value.is_null())?;
        self.reader.expect_texts(value, &format!("'{key}'"), true)
    }

    /// The folders of a kind under its present key or the one it once had.
    fn renamed(&mut self, old: &'static str, new: &'static str, event: &'static str) -> Option<Vec<String>> {
        let Some(place) = self.yaml.entry(old).map(|entry| entry.key_span) else { return self.folders(new) };
        if self.yaml.get(new).is_some() {
            self.error(
                place,
                format!("'{old}' and '{new}' cannot both be given"),
                "keep the second: the first is its former name",
            );
            return self.folders(new);
        }
        self.deprecated(place, format!("'{old}' is the former name of '{new}'"), "rename the key", event);
        self.folders(old)
    }

    fn paths(&mut self, config: &mut ProjectConfig) {
        let one = |name: &str| vec![name.to_owned()];
        config.model_paths =
            self.renamed("source-paths", "model-paths", "ConfigSourcePathDeprecation").unwrap_or_else(|| one("models"));
        config.seed_paths = self.renamed("data-paths", "seed-paths", "ConfigDataPathDeprecation").unwrap_or_else(|| one("seeds"));
        config.macro_paths = self.folders("macro-paths").unwrap_or_else(|| one("macros"));
        config.test_paths = self.folders("test-paths").unwrap_or_else(|| one("tests"));
        config.analysis_paths = self.folders("analysis-paths").unwrap_or_else(|| one("analyses"));
        config.snapshot_paths = self.folders("snapshot-paths").unwrap_or_else(|| one("snapshots"));
        config.function_paths = self.folders("function-paths").unwrap_or_else(|| one("functions"));
        config.osi_paths = self.folders("osi-paths").unwrap_or_else(|| vec!["osi".to_owned(), "OSI".to_owned()]);
        config.docs_paths = self.folders("docs-paths");
        config.asset_paths = self.folders("asset-paths").unwrap_or_default();
        config.target_path = self.moved_path("target-path", "target", "--target-path", "ConfigTargetPathDeprecation");
        config.log_path = self.moved_path("log-path", "logs", "--log-path", "ConfigLogPathDeprecation");
        config.packages_install_path = self.text("packages-install-path").unwrap_or_else(|| "dbt_packages".to_owned());
        let target = config.target_path.clone().unwrap_or_else(|| "target".to_owned());
        config.clean_targets = self.folders("clean-targets").unwrap_or_else(|| vec![target]);
    }

    fn text(&mut self, key: &str) -> Option<String> {
        let value = self.yaml.get(key).filter(|value| !value.is_null())?;
        self.reader.expect_str(value, &format!("'{key}'")).map(|text| text.to_string())
    }

    /// Paths that belong on the command line now; the default value may stay without a word.
    fn moved_path(&mut self, key: &'static str, default: &str, flag: &str, event: &'static str) -> Option<String> {
        let text = self.text(key)?;
        if text != default
            && let Some(place) = self.yaml.entry(key).map(|entry| entry.key_span)
        {
            let variable = format!("DBT_{}", key.to_uppercase().replace('-', "_"));
            self.deprecated(
                place,
                format!("'{key}' in {PROJECT_FILE} is deprecated"),
                &format!("use {flag} or the variable {variable}"),
                event,
            );
        }
        Some(text)
    }

    fn trees(&mut self, unrendered: &Yaml, config: &mut ProjectConfig) {
        let (old, new) = (self.given("tests"), self.given("data_tests"));
        if let (Some(old), Some(new)) = (old, new)
            && !old.entries().is_empty()
            && !new.entries().is_empty()
        {
            let span = old.span;
            self.error(span, "'tests' and 'data_tests' cannot both be given", "move everything under 'data_tests'");
        }
        for (key, name) in TREES {
            if *key == "tests" && self.yaml.get("data_tests").is_some() {
                continue;
            }
            let Some(tree) = self.yaml.get(key) else { continue };
            if self.reader.expect_map(tree, &format!("'{key}'")).is_none() {
                continue;
            }
            config.resource_configs.push(((*name).to_owned(), as_map(tree)));
            if let Some(tree) = unrendered.get(key) {
                config.unrendered_resource_configs.push(((*name).to_owned(), as_map(tree)));
            }
        }
    }

    fn settings(&mut self, config: &mut ProjectConfig) {
        config.vars = self.map("vars");
        config.flags = self.map("flags");
        config.on_run_start = self.hooks("on-run-start");
        config.on_run_end = self.hooks("on-run-end");
        config.quoting = self.quoting();
        config.dispatch = self.dispatch();
        config.query_comment = self.query_comment();
        config.restrict_access = match self.given("restrict-access") {
            Some(value) => {
                let value = value.clone();
                self.reader.expect_bool(&value, "'restrict-access'").unwrap_or_default()
            }
            None => false,
        };
        if let Some(cloud) = self.given("dbt-cloud").filter(|cloud| !matches!(cloud.kind, Kind::Map(_))) {
            let (span, json) = (cloud.span, cloud.to_json());
            let shown = json.as_str().map_or_else(|| json.to_string(), |text| format!("'{text}'"));
            let message =
                format!("this must be a map: at path ['dbt-cloud']: {shown} is not valid under any of the given schemas");
            self.error(span, message, "write a map: dbt-cloud: {project-id: 1}");
        }
    }

    fn map(&mut self, key: &str) -> JsonMap {
        let Some(value) = self.yaml.get(key) else { return JsonMap::new() };
        self.reader.expect_map(value, &format!("'{key}'"));
        match value.to_json() {
            Json::Object(map) => map,
            _ => JsonMap::new(),
        }
    }

    fn hooks(&mut self, key: &str) -> Vec<String> {
        let Some(value) = self.yaml.get(key) else { return Vec::new() };
        self.reader.expect_texts(value, &format!("'{key}'"), true).unwrap_or_default()
    }

    fn quoting(&mut self) -> JsonMap {
        const PARTS: &[&str] = &["database", "schema", "identifier", "project", "snowflake_ignore_case"];
        let Some(value) = self.yaml.get("quoting") else { return JsonMap::new() };
        let Some(entries) = self.reader.expect_map(value, "'quoting'") else { return JsonMap::new() };
        self.reader.unknown_keys(entries, PARTS, "'quoting'", None);
        let mut quoting = JsonMap::new();
        for entry in entries.iter().filter(|entry| PARTS.contains(&&*entry.key) && !entry.value.is_null()) {
            let Some(value) = self.reader.expect_bool(&entry.value, &format!("quoting's '{}'", entry.key)) else { continue };
            // BigQuery's word for a database.
            let part = if &*entry.key == "project" { "database" } else { &entry.key };
            quoting.insert(part.to_owned(), value.into());
        }
        quoting
    }

    fn dispatch(&mut self) -> Vec<(String, Vec<String>)> {
        let Some(value) = self.yaml.get("dispatch") else { return Vec::new() };
        let Some(items) = self.reader.expect_list(value, "'dispatch'") else { return Vec::new() };
        let mut dispatch = Vec::new();
        for item in items {
            let namespace = item.get("macro_namespace").and_then(Yaml::as_str).map(str::to_owned);
            let order = item.get("search_order").filter(|order| matches!(order.kind, Kind::Seq(_)));
            let (Some(namespace), Some(order)) = (namespace, order) else {
                self.error(
                    item.span,
                    "a dispatch entry needs 'macro_namespace' and a list 'search_order'",
                    "write: - macro_namespace: dbt_utils, and search_order: [my_project, dbt_utils]",
                );
                continue;
            };
            let order = self.reader.expect_texts(order, "'search_order'", false).unwrap_or_default();
            dispatch.push((namespace, order));
        }
        dispatch
    }

    /// See [`ProjectConfig::query_comment`].
    fn query_comment(&mut self) -> Json {
        let Some(value) = self.yaml.get("query-comment") else { return Json::Object(JsonMap::new()) };
        let none = serde_json::json!({"comment": ""});
        match &value.kind {
            Kind::Null | Kind::Bool(false) => none,
            Kind::Str(text) => serde_json::json!({"comment": &**text}),
            Kind::Map(entries) if entries.is_empty() => none,
            Kind::Map(entries) => {
                self.reader.unknown_keys(entries, &["comment", "append", "job-label"], "'query-comment'", None);
                value.to_json()
            }
            _ => {
                self.reader.wrong_kind(value, "'query-comment'", "a text or a map");
                Json::Object(JsonMap::new())
            }
        }
    }

    fn required_version(&mut self, config: &mut ProjectConfig, version_check: bool) {
        let Some(value) = self.given("require-dbt-version") else {
            config.require_dbt_version = vec![">=0.0.0".to_owned()];
            return;
        };
        let value = value.clone();
        let texts: Vec<String> = match &value.kind {
            Kind::Str(text) => text.split(',').map(str::to_owned).collect(),
            _ => self.reader.expect_texts(&value, "'require-dbt-version'", false).unwrap_or_default(),
        };
        let mut bounds = Vec::new();
        for text in &texts {
            match Bound::parse(text) {
                Ok(bound) => bounds.push(bound),
                Err(message) => self.error(value.span, message, "write it like '>=1.3.0', or as a list of such bounds"),
            }
        }
        config.require_dbt_version = bounds.iter().map(ToString::to_string).collect();
        if !version_check {
            return;
        }
        let wanted = config.require_dbt_version.join(", ");
        let name = if config.name.is_empty() { "this project".to_owned() } else { format!("'{}'", config.name) };
        match version::check(&bounds) {
            Verdict::Holds => {}
            Verdict::Differs => {
                let ours = version::DBT_VERSION;
                let message = format!("{name} asks for dbt {wanted}, but lineal is compatible with dbt {ours}");
                self.error(value.span, message, "use another version of it, widen the range, or run with --no-version-check");
            }
            Verdict::Impossible => {
                let message = format!("{name} asks for dbt {wanted}, which no version can be");
                self.error(value.span, message, "correct the range, or run with --no-version-check");
            }
        }
    }
}

/// A tree without anything in it is an empty map.
fn as_map(tree: &Yaml) -> Yaml {
    if tree.is_null() { Yaml { kind: Kind::Map(Vec::new()), span: tree.span } } else { tree.clone() }
}

/// A word that Jinja knows as something else.
pub(super) fn is_reserved(text: &str) -> bool {
    RESERVED.contains(&text)
}

/// A name that a project may have, by its letters.
pub(super) fn is_identifier(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_alphanumeric() || letter == '_')
}

/// `1.0`, `1.0.0`, `1.0.0-rc1+build`: numbers without leading zeros.
fn is_release(text: &str) -> bool {
    let number = |part: &str| {
        part == "0" || (!part.starts_with('0') && !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    match text.splitn(3, '.').collect::<Vec<_>>().as_slice() {
        [major, minor] => number(major) && number(minor),
        _ => Bound::parse(text).is_ok() && text.starts_with(|first: char| first.is_ascii_digit()),
    }
}
