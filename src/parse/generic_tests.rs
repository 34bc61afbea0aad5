//! Generic tests as property files ask for them: arguments told apart from configuration, names made, raw code written.

use crate::diagnostic::{Diagnostic, SourceText, Span};
use crate::jinja;
use crate::manifest::{Json, JsonMap, VersionText};
use crate::yaml::{Kind, Yaml};

use super::python;
use super::test_names::{self, TestNames};
use super::{TestDraft, TestTarget};

/// Keys that configure a test wherever they stand, in dbt's order.
const CONFIG_KEYS: [&str; 15] = [
    "severity",
    "tags",
    "enabled",
    "where",
    "limit",
    "warn_if",
    "error_if",
    "fail_calc",
    "store_failures",
    "store_failures_as",
    "sql_header",
    "meta",
    "database",
    "schema",
    "alias",
];

/// What is tested, and where that was written.
#[derive(Debug, Clone)]
pub struct TestSite<'a> {
    pub source: &'a SourceText,
    pub target: TestTarget,
    /// As it goes into the arguments: quoted where the column asks for it.
    pub column_name: Option<String>,
    /// Tags that the test gets from what it tests.
    pub tags: Vec<String>,
}

/// Behaviour flags of the project that change how tests are read.
#[derive(Debug, Clone, Copy)]
pub struct TestFlags {
    /// `require_generic_test_arguments_property`.
    pub arguments_property: bool,
    /// `require_sql_header_in_test_configs`.
    pub sql_header: bool,
}

/// A test as asked for, with the names and the code that dbt gives it.
#[derive(Debug, Clone)]
pub struct BuiltTest {
    pub draft: TestDraft,
    pub names: TestNames,
    pub raw_code: String,
    pub id_hash: String,
}

/// Renders one configuration value that may hold Jinja; a plain text stays as it is.
pub type RenderValue<'a> = dyn Fn(&str) -> Result<Json, jinja::Error> + 'a;

impl TestSite<'_> {
    /// The `model` argument: `{{ get_where_subquery(ref('orders')) }}`.
    fn model_argument(&self) -> String {
        let relation = match &self.target {
            TestTarget::Node { name, version: Some(version), .. } => format!("ref('{name}', version='{}')", version.text),
            TestTarget::Node { name, version: None, .. } => format!("ref('{name}')"),
            TestTarget::Source { source, table } => format!("source('{source}', '{table}')"),
        };
        format!("{{{{ get_where_subquery({relation}) }}}}")
    }

    /// What stands after the test's own name in its full name.
    fn target_name(&self) -> String {
        match &self.target {
            TestTarget::Node { name, version: Some(version), .. } => format!("{name}_v{}", version.text),
            TestTarget::Node { name, version: None, .. } => name.clone(),
            TestTarget::Source { source, table } => format!("{source}_{table}"),
        }
    }

    /// `models.orders`, `sources.raw`.
    fn file_key_name(&self) -> String {
        match &self.target {
            TestTarget::Node { section, name, .. } => format!("{section}.{name}"),
            TestTarget::Source { source, .. } => format!("sources.{source}"),
        }
    }

    fn error(&self, code: &'static str, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, message).at(self.source, span)
    }
}

/// Reads one item of a `data_tests:` list. Warnings go to `diagnostics`; Err where no test can be made of it.
pub fn build(
    item: &Yaml,
    site: &TestSite<'_>,
    flags: TestFlags,
    render: &RenderValue<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<BuiltTest, Diagnostic> {
    let (written_name, name_span, mut arguments) = name_and_arguments(item, site)?;
    if let Some(column) = &site.column_name {
        arguments.insert("column_name".to_owned(), column.as_str().into());
    }
    unfold_arguments(&written_name, name_span, &mut arguments, site, flags, diagnostics);
    if arguments.contains_key("model") {
        return Err(site
            .error("E0213", name_span, format!("the data test `{written_name}` has an argument named `model`"))
            .help("`model` is what is tested: dbt fills it in; give the argument another name"));
    }
    arguments.insert("model".to_owned(), site.model_argument().into());
    let (namespace, test_name) = split_name(&written_name).ok_or_else(|| {
        site.error("E0211", name_span, format!("`{written_name}` is no name of a data test"))
            .help("a name has letters, digits and `_`, with the package before a `.` where the test comes from one")
    })?;

    let mut config = configuration(&test_name, name_span, &mut arguments, site, render)?;
    if config.get("sql_header").is_some() && !flags.sql_header {
        let message = format!("Custom key `sql_header` found in `config` of the data test `{written_name}`: it has no effect");
        let warning = Diagnostic::warning("W0206", message).at(site.source, name_span);
        diagnostics.push(
            warning.event("CustomKeyInConfigDeprecation").help("set the flag `require_sql_header_in_test_configs` to use it"),
        );
    }
    let own_tags = own_tags(&config).map_err(|message| site.error("E0216", name_span, message))?;
    let description = arguments.shift_remove("description").map(|text| python::text(&text)).unwrap_or_default();
    let names = match arguments.shift_remove("name") {
        Some(given) => TestNames { short: python::text(&given), full: python::text(&given) },
        None => synthetic_names(&test_name, namespace.as_deref(), &arguments, site),
    };
    let shortened = names.short != names.full;
    if shortened && !config.contains_key("alias") {
        config.insert("alias".to_owned(), names.short.as_str().into());
    }

    let mut tags: Vec<String> = site.tags.iter().cloned().chain(own_tags).collect();
    tags.sort();
    tags.dedup();
    let raw_code = raw_code(&test_name, namespace.as_deref(), &config);
    let id_hash = test_names::id_hash(&names.full, namespace.as_deref(), &test_name, &arguments);
    let draft = TestDraft {
        test_name,
        namespace,
        kwargs: arguments,
        unrendered_config: config.clone(),
        config,
        description,
        tags,
        column_name: site.column_name.clone(),
        target: site.target.clone(),
        alias: shortened.then(|| names.short.clone()),
        file_key_name: site.file_key_name(),
        place: (site.source.clone(), name_span),
    };
    Ok(BuiltTest { draft, names, raw_code, id_hash })
}

/// `unique`, `{unique: {…}}` or `{test_name: unique, …}`: the name, its place, and a copy of what goes with it.
fn name_and_arguments(item: &Yaml, site: &TestSite<'_>) -> Result<(String, Span, JsonMap), Diagnostic> {
    match &item.kind {
        Kind::Str(name) => return Ok((name.to_string(), item.span, JsonMap::new())),
        Kind::Map(_) => {}
        _ => {
            return Err(site
                .error("E0210", item.span, "a data test must be a name, or a name with its arguments")
                .help("write `- unique`, or `- accepted_values:` with the arguments below it"));
        }
    }
    if let Some(name) = item.get("test_name") {
        let Some(text) = name.as_str() else {
            return Err(site.error("E0211", name.span, "`test_name` must be a text"));
        };
        let rest = item.entries().iter().filter(|entry| &*entry.key != "test_name");
        return Ok((text.to_owned(), name.span, rest.map(|entry| (entry.key.to_string(), entry.value.to_json())).collect()));
    }
    let [entry] = item.entries() else {
        let names: Vec<&str> = item.entries().iter().map(|entry| &*entry.key).collect();
        return Err(site
            .error("E0210", item.span, format!("a data test has one name, this one has {}: {}", names.len(), names.join(", ")))
            .help("arguments belong below the test's name, indented deeper than it"));
    };
    match entry.value.to_json() {
        Json::Object(arguments) => Ok((entry.key.to_string(), entry.key_span, arguments)),
        _ => Err(site
            .error("E0212", entry.value.span, format!("the arguments of the data test `{}` must be a map", entry.key))
            .help(format!("a test without arguments is written `- {}`", entry.key))),
    }
}

/// Puts what stands under `arguments:` beside the rest, and warns of the spelling that is on its way out.
fn unfold_arguments(
    name: &str,
    span: Span,
    arguments: &mut JsonMap,
    site: &TestSite<'_>,
    flags: TestFlags,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut warn = |event: &'static str, message: String, help: &str| {
        diagnostics.push(Diagnostic::warning("W0205", message).at(site.source, span).event(event).help(help));
    };
    if !flags.arguments_property {
        if arguments.contains_key("arguments") {
            let message = format!("`arguments` of the data test `{name}` is handed to the test as an argument of that name");
            let help = "set the flag `require_generic_test_arguments_property` to have its entries as the test's arguments";
            warn("ArgumentsPropertyInGenericTestDeprecation", message, help);
        }
        return;
    }
    let given = arguments.shift_remove("arguments");
    for key in arguments.keys().filter(|key| CONFIG_KEYS.contains(&key.as_str())) {
        let message = format!("`{key}` of the data test `{name}` belongs under `config`");
        warn("PropertyMovedToConfigDeprecation", message, "move it there");
    }
    let is_argument = |key: &String| {
        !CONFIG_KEYS.contains(&key.as_str()) && !["config", "column_name", "description", "name"].contains(&key.as_str())
    };
    if !given.as_ref().is_some_and(is_true)
        && let Some(first) = arguments.keys().find(|key| is_argument(key))
    {
        let message = format!("the arguments of the data test `{name}` (`{first}` …) belong under `arguments`");
        warn("MissingArgumentsPropertyInGenericTestDeprecation", message, "move them there");
    }
    if let Some(Json::Object(given)) = given {
        arguments.extend(given);
    }
}

/// Takes the configuration out of the arguments: dbt's known keys first, from beside the arguments or from `config`, then
/// whatever else `config` has.
fn configuration(
    test_name: &str,
    span: Span,
    arguments: &mut JsonMap,
    site: &TestSite<'_>,
    render: &RenderValue<'_>,
) -> Result<JsonMap, Diagnostic> {
    let mut block = match arguments.shift_remove("config") {
        None => None,
        Some(Json::Object(block)) => Some(block),
        Some(_) => {
            return Err(site.error("E0214", span, format!("`config` of the data test `{test_name}` must be a map (a dict)")));
        }
    };
    let mut config = JsonMap::new();
    let mut add = |key: &str, value: Json| -> Result<(), Diagnostic> {
        let value = match &value {
            Json::String(text) => render(text).map_err(|mut error| {
                error.message = format!("Invalid generic test configuration: `{key}`: {}", error.message);
                error.diagnostic().at(site.source, span)
            })?,
            _ => value,
        };
        if !value.is_null() {
            config.insert(key.to_owned(), value);
        }
        Ok(())
    };
    for key in CONFIG_KEYS {
        let beside = arguments.shift_remove(key);
        // As in dbt, a false value beside the arguments gives way to `config`, even where that lacks the key.
        let value = match &mut block {
            Some(block) if !beside.as_ref().is_some_and(is_true) => block.shift_remove(key),
            Some(block) if block.contains_key(key) => {
                return Err(site
                    .error(
                        "E0312",
                        span,
                        format!(
                            "Test cannot have the same key at the top-level and in config: `{key}` of the data test `{test_name}`"
                        ),
                    )
                    .help("keep the one under `config`"));
            }
            _ => beside,
        };
        add(key, value.unwrap_or_default())?;
    }
    for (key, value) in block.unwrap_or_default() {
        add(&key, value)?;
    }
    Ok(config)
}

/// Python's truth of a value.
fn is_true(value: &Json) -> bool {
    match value {
        Json::Null => false,
        Json::Bool(value) => *value,
        Json::Number(number) => number.as_f64() != Some(0.0),
        Json::String(text) => !text.is_empty(),
        Json::Array(items) => !items.is_empty(),
        Json::Object(map) => !map.is_empty(),
    }
}

fn own_tags(config: &JsonMap) -> Result<Vec<String>, String> {
    let tag = |value: &Json| match value {
        Json::String(text) => Ok(text.clone()),
        other => Err(format!("a tag must be a text, not {}", python::text(other))),
    };
    match config.get("tags") {
        None => Ok(Vec::new()),
        Some(one @ Json::String(_)) => Ok(vec![tag(one)?]),
        Some(Json::Array(tags)) => tags.iter().map(tag).collect(),
        Some(other) => Err(format!("tags must be a list of texts, not {}", python::text(other))),
    }
}

fn synthetic_names(test_name: &str, namespace: Option<&str>, arguments: &JsonMap, site: &TestSite<'_>) -> TestNames {
    let mut kind = String::new();
    if let Some(namespace) = namespace {
        kind.push_str(namespace);
        kind.push('_');
    }
    if matches!(site.target, TestTarget::Source { .. }) {
        kind.push_str("source_");
    }
    kind.push_str(test_name);
    test_names::synthesize(&kind, &site.target_name(), arguments)
}

/// `package.test` or `test`, as far as the text is a name.
fn split_name(written: &str) -> Option<(Option<String>, String)> {
    let (first, rest) = leading_name(written)?;
    match rest.strip_prefix('.').and_then(leading_name) {
        Some((second, _)) => Some((Some(first.to_owned()), second.to_owned())),
        None => Some((None, first.to_owned())),
    }
}

fn leading_name(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    name.starts_with(|letter: char| !letter.is_ascii_digit()).then_some((name, rest))
}

/// The code of the node: a call of the test's macro, and its configuration as a `config` call.
fn raw_code(test_name: &str, namespace: Option<&str>, config: &JsonMap) -> String {
    let prefix = namespace.map(|namespace| format!("{namespace}.")).unwrap_or_default();
    let mut code = format!("{{{{ {prefix}test_{test_name}(**_dbt_generic_test_kwargs) }}}}");
    if !config.is_empty() {
        let values = config.iter().map(|(key, value)| match value {
            Json::String(text) => format!("{key}=\"{}\"", text.replace('"', "\\\"")),
            other => format!("{key}={}", python::text(other)),
        });
        code.push_str("{{ config(");
        code.push_str(&values.collect::<Vec<_>>().join(","));
        code.push_str(") }}");
    }
    code
}

/// A version as property files give it.
pub fn version_text(value: &Yaml) -> Option<VersionText> {
    match &value.kind {
        Kind::Str(text) => Some(VersionText { text: text.to_string(), number: false }),
        Kind::Int(number) => Some(VersionText { text: number.to_string(), number: true }),
        Kind::Float(_) => Some(VersionText { text: python::text(&value.to_json()), number: true }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::Entry;
    use serde_json::json;

    fn yaml(value: &Json) -> Yaml {
        let kind = match value {
            Json::Null => Kind::Null,
            Json::Bool(value) => Kind::Bool(*value),
            Json::Number(number) => Kind::Int(number.as_i64().unwrap_or_default()),
            Json::String(text) => Kind::Str(text.as_str().into()),
            Json::Array(items) => Kind::Seq(items.iter().map(yaml).collect()),
            Json::Object(map) => Kind::Map(
                map.iter()
                    .map(|(key, value)| Entry { key: key.as_str().into(), key_span: Span::default(), value: yaml(value) })
                    .collect(),
            ),
        };
        Yaml { kind, span: Span::default() }
    }

    fn built(item: &Json, column: Option<&str>) -> (Result<BuiltTest, Diagnostic>, Vec<Diagnostic>) {
        let source = SourceText::new("models/schema.yml", "");
        let site = TestSite {
            source: &source,
            target: TestTarget::Node { section: "models", name: "orders".into(), version: None },
            column_name: column.map(Into::into),
            tags: vec!["b".into()],
        };
        let mut diagnostics = Vec::new();
        let flags = TestFlags { arguments_property: true, sql_header: false };
        let test = build(&yaml(item), &site, flags, &|text| Ok(text.into()), &mut diagnostics);
        (test, diagnostics)
    }

    #[test]
    fn configuration_is_told_apart_from_arguments() {
        let item = json!({"accepted_values": {"values": ["a"], "severity": "warn", "config": {"where": "x > 1", "tags": "a", "custom": 1}}});
        let (test, warnings) = built(&item, Some("status"));
        let test = test.unwrap();
        assert_eq!(
            Json::Object(test.draft.kwargs),
            json!({"values": ["a"], "column_name": "status", "model": "{{ get_where_subquery(ref('orders')) }}"})
        );
        assert_eq!(Json::Object(test.draft.config), json!({"severity": "warn", "tags": "a", "where": "x > 1", "custom": 1}));
        assert_eq!(test.draft.tags, ["a", "b"]);
        assert_eq!(
            test.raw_code,
            "{{ test_accepted_values(**_dbt_generic_test_kwargs) }}{{ config(severity=\"warn\",tags=\"a\",where=\"x > 1\",custom=1) }}"
        );
        let events: Vec<_> = warnings.iter().filter_map(|warning| warning.event).collect();
        assert_eq!(events, ["PropertyMovedToConfigDeprecation", "MissingArgumentsPropertyInGenericTestDeprecation"]);
    }

    #[test]
    fn arguments_of_their_own_key_and_a_package_need_no_warning() {
        let item = json!({"dbt_utils.accepted_range": {"arguments": {"min_value": 0}, "name": "small"}});
        let (test, warnings) = built(&item, None);
        let test = test.unwrap();
        assert!(warnings.is_empty());
        assert_eq!(test.names.full, "small");
        assert_eq!(test.draft.namespace.as_deref(), Some("dbt_utils"));
        assert_eq!(test.raw_code, "{{ dbt_utils.test_accepted_range(**_dbt_generic_test_kwargs) }}");
    }

    #[test]
    fn wrong_shapes_are_told_with_their_code() {
        let cases = [
            (json!(3), "E0210"),
            (json!({"unique": {}, "severity": "warn"}), "E0210"),
            (json!({"unique": null}), "E0212"),
            (json!({"-": {}}), "E0211"),
            (json!({"unique": {"model": "x"}}), "E0213"),
            (json!({"unique": {"config": 1}}), "E0214"),
            (json!({"unique": {"severity": "warn", "config": {"severity": "error"}}}), "E0312"),
            (json!({"unique": {"config": {"tags": [1]}}}), "E0216"),
        ];
        for (item, code) in cases {
            assert_eq!(built(&item, None).0.unwrap_err().code, code, "{item}");
        }
    }
}
