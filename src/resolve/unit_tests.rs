//! Unit tests: their fixtures brought into one form, and the model they test.

use std::collections::HashMap;
use std::path::Path;

use serde_json::json;

use crate::diagnostic::{Diagnostic, Span};
use crate::fs::{Disk, FileSystem};
use crate::manifest::{DependsOn, Json, JsonMap, Node, ResourceType, UnitTest, VersionText};
use crate::parse::{Draft, Property};
use crate::project::{FileKind, Project, SourceFile};
use crate::yaml::Yaml;

use super::config::{self, Given};
use super::nodes::Shared;
use super::{columns, nearest, patch, python};
use crate::manifest::static_call::{self, Named};

/// A unit test, and where it was written.
pub struct Written<'a> {
    pub of: UnitTest,
    property: &'a Property,
}

impl Written<'_> {
    fn error(&self, code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, message).at(&self.property.file.source, self.property.entry.span).node(self.of.unique_id.shared())
    }
}

/// Seeds' files, for inputs that name a seed and give no rows.
pub type Seeds<'a> = HashMap<&'a str, Vec<&'a Draft>>;

pub fn seeds(drafts: &[Draft]) -> Seeds<'_> {
    let mut seeds: Seeds<'_> = HashMap::new();
    for draft in drafts.iter().filter(|draft| draft.resource_type == ResourceType::Seed) {
        seeds.entry(draft.name.as_str()).or_default().push(draft);
    }
    seeds
}

/// One entry of `unit_tests:`; which model it tests is found later.
pub fn unit_test<'a>(
    shared: &Shared<'_>,
    property: &'a Property,
    seeds: &Seeds<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Written<'a>> {
    let entry = &property.entry;
    let name = super::exposures::name(property, diagnostics)?;
    let Some(model) = columns::text(entry.get("model")) else {
        let message = format!("The unit test '{name}' needs a `model`");
        diagnostics.push(Diagnostic::error("E0283", message).at(&property.file.source, entry.span));
        return None;
    };
    let package = &property.package.name;
    let unique_id: crate::manifest::UniqueId = format!("unit_test.{package}.{model}.{name}").into();
    let below = property.file.original_path.split_once('/').map_or(&*property.file.original_path, |(_, below)| below);
    let mut fqn = super::fqn_prefix(package, below);
    fqn.extend([model.clone(), name.clone()]);
    let given_config = columns::map(entry.get("config"));
    let levels = shared.trees.rendered(package, ResourceType::UnitTest, &fqn);
    let calls = JsonMap::new();
    let merged = config::merge(&Given { kind: ResourceType::UnitTest, levels, patch: Some(&given_config), calls: &calls });
    for fault in &merged.faults {
        let span = entry.get("config").and_then(|config| config.get(&fault.key)).unwrap_or(entry).span;
        let message = format!("Invalid config of {unique_id}: `{}`: {}", fault.key, fault.message);
        diagnostics.push(Diagnostic::error("E0250", message).at(&property.file.source, span));
    }
    let reader = Reader { property, seeds, name: &name };
    let inputs = entry.get("given").map(Yaml::items).unwrap_or_default();
    let given: Vec<JsonMap> = inputs.iter().map(|input| reader.fixture(input, true, diagnostics)).collect();
    let expect = if let Some(expect) = entry.get("expect") {
        reader.fixture(expect, false, diagnostics)
    } else {
        let message = format!("The unit test '{name}' needs an `expect`");
        diagnostics.push(Diagnostic::error("E0283", message).at(&property.file.source, entry.span));
        JsonMap::new()
    };
    let overrides = overrides(entry.get("overrides"));
    let versions = versions(entry.get("versions"));
    let checksum = checksum(&model, &versions, &given, &expect, &overrides);
    let list = |key: &str| merged.config.list(key).iter().filter_map(Json::as_str).map(str::to_owned).collect();
    let of = UnitTest {
        unique_id,
        name,
        model,
        tested_node: None,
        package_name: package.clone(),
        path: property.file.path.to_string(),
        original_file_path: property.file.original_path.to_string(),
        fqn,
        description: columns::text(entry.get("description")).unwrap_or_default(),
        given,
        expect,
        overrides,
        version: None,
        versions,
        schema: String::new(),
        checksum: Some(checksum),
        tags: list("tags"),
        meta: merged.config.object("meta").cloned().unwrap_or_default(),
        config: merged.config,
        depends_on: DependsOn::default(),
        created_at: shared.created_at,
    };
    Some(Written { of, property })
}

fn overrides(value: Option<&Yaml>) -> Json {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Json::Null };
    json!({
        "macros": columns::map(value.get("macros")),
        "vars": columns::map(value.get("vars")),
        "env_vars": columns::map(value.get("env_vars")),
    })
}

fn versions(value: Option<&Yaml>) -> Json {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Json::Null };
    let part = |key: &str| value.get(key).map_or(Json::Null, Yaml::to_json);
    json!({"include": part("include"), "exclude": part("exclude")})
}

struct Reader<'a> {
    property: &'a Property,
    seeds: &'a Seeds<'a>,
    name: &'a str,
}

impl Reader<'_> {
    /// `{input, rows, format, fixture}` (no input for what is expected), rows read and in one form.
    fn fixture(&self, own: &Yaml, is_input: bool, diagnostics: &mut Vec<Diagnostic>) -> JsonMap {
        let format = columns::text(own.get("format")).unwrap_or_else(|| "dict".to_owned());
        let fixture = columns::text(own.get("fixture"));
        let mut whole = JsonMap::new();
        if is_input {
            whole.insert("input".to_owned(), own.get("input").map_or(Json::Null, Yaml::to_json));
        }
        let rows = self.rows(own, &format, fixture.as_deref(), is_input).unwrap_or_else(|(message, span)| {
            let message = format!("Unit test {}: {message}", self.name);
            diagnostics.push(Diagnostic::error("E0284", message).at(&self.property.file.source, span));
            Json::Null
        });
        whole.insert("rows".to_owned(), rows);
        whole.insert("format".to_owned(), json!(format));
        whole.insert("fixture".to_owned(), json!(fixture));
        whole
    }

    fn rows(&self, own: &Yaml, format: &str, fixture: Option<&str>, is_input: bool) -> Result<Json, (String, Span)> {
        let given = own.get("rows").filter(|rows| !rows.is_null());
        let kind = if is_input { "input" } else { "expected" };
        match format {
            "dict" => match given {
                None if fixture.is_none() && is_input => self.seed_rows(own).map(first_without_nulls),
                Some(rows) if matches!(rows.kind, crate::yaml::Kind::Seq(_)) => Ok(first_without_nulls(rows.to_json())),
                other => {
                    let span = other.unwrap_or(own).span;
                    Err((format!("{kind} rows do not match format dict: a list of maps is expected"), span))
                }
            },
            "csv" => {
                let text = match fixture {
                    Some(name) => self.fixture_text(name, own.span)?,
                    None => given.and_then(Yaml::as_str).ok_or_else(|| csv_expected(kind, "csv", own.span))?.to_owned(),
                };
                csv_rows(&text).map(first_without_nulls).map_err(|message| (message, given.unwrap_or(own).span))
            }
            "sql" => match fixture {
                Some(name) => Ok(json!(self.fixture_text(name, own.span)?)),
                None => Ok(json!(given.and_then(Yaml::as_str).ok_or_else(|| csv_expected(kind, "sql", own.span))?)),
            },
            other => {
                let span = own.get("format").unwrap_or(own).span;
                Err((format!("'{other}' is not a format: it must be dict, csv or sql"), span))
            }
        }
    }

    fn fixture_text(&self, name: &str, span: Span) -> Result<String, (String, Span)> {
        let stem = |path: &str| Path::new(path).file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let fixtures = || self.property.package.files.iter().filter(|file| file.kind == FileKind::Fixture);
        if let Some(file) = fixtures().find(|file| stem(&file.path).as_deref() == Some(name)) {
            return Ok(file.source.text.to_string());
        }
        let known: Vec<String> = fixtures().filter_map(|file| stem(&file.path)).collect();
        let hint = nearest::hint(name, known.iter().map(String::as_str)).unwrap_or_default();
        let path = &self.property.file.original_path;
        Err((format!("File not found for fixture '{name}' in unit tests in {path}. {hint}").trim_end().to_owned(), span))
    }

    /// An input that names a seed and gives no rows has the seed's.
    fn seed_rows(&self, own: &Yaml) -> Result<Json, (String, Span)> {
        let input = columns::text(own.get("input")).unwrap_or_default();
        let Some(Named::Ref(call)) = static_call::read(&input) else {
            return Err((format!("the input '{input}' needs rows"), own.span));
        };
        let package = call.package.as_deref().unwrap_or(&self.property.package.name);
        let seed = self.seeds.get(call.name.as_str()).and_then(|seeds| seeds.iter().find(|seed| &*seed.package.name == package));
        let Some(seed) = seed else {
            let paths = self.property.package.config.seed_paths.join(", ");
            return Err((
                format!("Unable to find seed '{package}.{}' for unit tests in directories: {paths}", call.name),
                own.span,
            ));
        };
        let path = seed.package.root.join(&seed.original_file_path);
        let bytes = Disk.read(&path).map_err(|error| (format!("{}: {error}", seed.original_file_path), own.span))?;
        let text = String::from_utf8(bytes).map_err(|error| (format!("{}: {error}", seed.original_file_path), own.span))?;
        text_rows(&text).map_err(|message| (message, own.span))
    }
}

fn csv_expected(kind: &str, format: &str, span: Span) -> (String, Span) {
    (format!("{kind} rows do not match format {format}: a text or a fixture is expected"), span)
}

/// A CSV text as maps of texts.
fn text_rows(text: &str) -> Result<Json, String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let names: Vec<String> = reader.headers().map_err(|error| error.to_string())?.iter().map(str::to_owned).collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let row: JsonMap =
            names.iter().enumerate().map(|(at, name)| (name.clone(), record.get(at).map_or(Json::Null, Json::from))).collect();
        rows.push(Json::Object(row));
    }
    Ok(Json::Array(rows))
}

/// The same with empty values as nulls.
fn csv_rows(text: &str) -> Result<Json, String> {
    let mut rows = text_rows(text)?;
    for row in rows.as_array_mut().into_iter().flatten() {
        for value in row.as_object_mut().into_iter().flat_map(JsonMap::values_mut) {
            if value.as_str() == Some("") {
                *value = Json::Null;
            }
        }
    }
    Ok(rows)
}

/// The first row without nulls changes places with the first row: warehouses read types from that.
fn first_without_nulls(mut rows: Json) -> Json {
    if let Some(list) = rows.as_array_mut() {
        let full = |row: &Json| row.as_object().is_some_and(|row| row.values().all(|value| !value.is_null()));
        if let Some(at) = list.iter().position(full) {
            list.swap(0, at);
        }
    }
    rows
}

/// dbt's checksum of a unit test: over its parts in Python's notation.
fn checksum(model: &str, versions: &Json, given: &[JsonMap], expect: &JsonMap, overrides: &Json) -> String {
    let class = |name: &str, map: &JsonMap| {
        let parts: Vec<String> = map
            .iter()
            .map(|(key, value)| match (key.as_str(), value.as_str()) {
                ("format", Some(format)) => format!("format=<UnitTestFormat.{}: '{format}'>", format_name(format)),
                _ => format!("{key}={}", python::repr(value)),
            })
            .collect();
        format!("{name}({})", parts.join(", "))
    };
    let optional = |name: &str, value: &Json| value.as_object().map_or_else(|| "None".to_owned(), |map| class(name, map));
    let inputs: Vec<String> = given.iter().map(|one| class("UnitTestInputFixture", one)).collect();
    let from_file = |one: &&JsonMap| one.get("fixture").is_some_and(|fixture| !fixture.is_null());
    let rows = given.iter().filter(from_file).fold(String::new(), |rows, one| rows + "-" + &python::repr(&one["rows"]));
    let data = format!(
        "{model}-{}-[{}]-{}-{}{rows}",
        optional("UnitTestNodeVersions", versions),
        inputs.join(", "),
        class("UnitTestOutputFixture", expect),
        optional("UnitTestOverrides", overrides)
    );
    python::sha256(&data)
}

fn format_name(format: &str) -> &str {
    match format {
        "csv" => "CSV",
        "sql" => "SQL",
        _ => "Dict",
    }
}

/// What finding the tested models needs.
pub struct Models<'a> {
    /// Enabled and disabled models.
    pub by_name: HashMap<(&'a str, &'a str), Vec<&'a Node>>,
}

impl<'a> Models<'a> {
    pub fn new(nodes: impl Iterator<Item = &'a Node>) -> Self {
        let mut by_name: HashMap<(&str, &str), Vec<&Node>> = HashMap::new();
        for node in nodes.filter(|node| node.resource_type == ResourceType::Model) {
            by_name.entry((&*node.package_name, node.name.as_str())).or_default().push(node);
        }
        Self { by_name }
    }
}

/// Finds the tested model, checks overrides, and makes one test of each version of a versioned model.
pub fn follow(written: &Written<'_>, models: &Models<'_>, diagnostics: &mut Vec<Diagnostic>) -> Vec<UnitTest> {
    let mut words = written.of.model.split_whitespace();
    let (name, version) = (words.next().unwrap_or_default().to_owned(), words.next().map(str::to_owned));
    let package = written.of.package_name.clone();
    let named = models.by_name.get(&(&*package, name.as_str())).cloned().unwrap_or_default();
    let fits = |node: &&&Node| {
        let Some(model) = node.model() else { return false };
        match (&version, &model.version) {
            (Some(wanted), Some(own)) => *wanted == own.text,
            (None, Some(own)) => model.latest_version.as_ref().is_some_and(|latest| latest.text == own.text),
            (wanted, None) => wanted.is_none(),
        }
    };
    let tested = named.iter().filter(fits).find(|node| node.config.enabled()).or_else(|| named.iter().find(fits));
    let Some(tested) = tested else {
        let known = models.by_name.keys().filter(|(of, _)| *of == &*package).map(|(_, name)| *name);
        let message = format!(
            "Unable to find model '{package}.{}' for unit test '{}' in {}",
            written.of.model, written.of.name, written.of.original_file_path
        );
        let mut diagnostic = written.error("E0406", message);
        diagnostic.help = nearest::hint(&name, known);
        diagnostics.push(diagnostic);
        return Vec::new();
    };
    let mut test = written.of.clone();
    if !tested.config.enabled() {
        test.config.0.insert("enabled".to_owned(), Json::Bool(false));
    }
    if !test.config.enabled() {
        return vec![test];
    }
    test.depends_on.nodes = vec![tested.unique_id.clone()];
    test.tested_node = Some(tested.unique_id.clone());
    test.schema.clone_from(&tested.schema);
    check_incremental(written, tested, diagnostics);
    by_version(written, test, tested, &named, diagnostics)
}

fn check_incremental(written: &Written<'_>, tested: &Node, diagnostics: &mut Vec<Diagnostic>) {
    if !tested.depends_on.macros.iter().any(|id| id.as_str() == "macro.dbt.is_incremental") {
        return;
    }
    let value = written.of.overrides.pointer("/macros/is_incremental").and_then(Json::as_bool);
    match value {
        None => {
            let message = format!(
                "Boolean override for 'is_incremental' must be provided for unit test '{}' in model '{}'",
                written.of.name, tested.name
            );
            let help = "add `overrides: {macros: {is_incremental: false}}` to the unit test";
            diagnostics.push(written.error("E0285", message).help(help));
        }
        Some(true) if !written.of.given.iter().any(|given| given.get("input").and_then(Json::as_str) == Some("this")) => {
            let message =
                format!("Unit test '{}' for incremental model '{}' must have a 'this' input", written.of.name, tested.name);
            diagnostics.push(written.error("E0285", message));
        }
        Some(_) => {}
    }
}

fn by_version(
    written: &Written<'_>,
    test: UnitTest,
    tested: &Node,
    named: &[&Node],
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<UnitTest> {
    let listed = |key: &str| -> Vec<VersionText> {
        let versions = written.property.entry.get("versions");
        let items = versions.and_then(|versions| versions.get(key)).map(Yaml::items).unwrap_or_default();
        items.iter().filter_map(patch::version).collect()
    };
    let (include, exclude) = (listed("include"), listed("exclude"));
    if !include.is_empty() && !exclude.is_empty() {
        let message = "Unit tests can not both include and exclude versions: name those to take, or those to leave out";
        diagnostics.push(written.error("E0286", message));
        return Vec::new();
    }
    if tested.model().is_none_or(|model| model.version.is_none()) {
        if !include.is_empty() || !exclude.is_empty() {
            let message = format!(
                "Unit test '{}' should not have a versions include or exclude when referencing non-versioned model '{}'",
                test.name, tested.name
            );
            diagnostics.push(written.error("E0286", message));
        }
        return vec![test];
    }
    let taken = |version: &VersionText| {
        let named = test.versions.is_null() || include.contains(version);
        if exclude.is_empty() { named } else { !exclude.contains(version) }
    };
    let mut tests = Vec::new();
    for node in named.iter().filter(|node| node.config.enabled()) {
        let Some(version) = node.model().and_then(|model| model.version.clone()).filter(taken) else { continue };
        let mut one = test.clone();
        one.unique_id = format!("unit_test.{}.{}.{}_v{}", one.package_name, one.model, one.name, version.text).into();
        one.depends_on.nodes = vec![node.unique_id.clone()];
        one.tested_node = Some(node.unique_id.clone());
        one.version = Some(version);
        tests.push(one);
    }
    if tests.is_empty() {
        let message = format!("Unit test '{}' referenced a version of '{}' which was not found.", test.name, tested.name);
        diagnostics.push(written.error("E0286", message));
    }
    tests
}

/// Two fixture files of one package with one name: which of them a unit test means could not be told.
pub fn fixtures_of_one_name(project: &Project) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for package in project.packages.iter().filter(|package| !package.builtin) {
        let mut known: HashMap<String, &SourceFile> = HashMap::new();
        for file in package.files.iter().filter(|file| file.kind == FileKind::Fixture) {
            let name = Path::new(&*file.path).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            if let Some(first) = known.get(&name) {
                let message = format!(
                    "dbt found two fixtures with the name \"{name}\": {} and {}",
                    first.original_path, file.original_path
                );
                let diagnostic = Diagnostic::error("E0410", message).at(&file.source, Span::default());
                found.push(diagnostic.at_with(&first.source, Span::default(), "the other one").help("rename one of them"));
            } else {
                known.insert(name, file);
            }
        }
    }
    found
}
