//! Finds the generic tests in an entry of a property file, and makes drafts of them.

use std::sync::Arc;

use indexmap::IndexSet;

use crate::diagnostic::{Diagnostic, SourceText};
use crate::jinja;
use crate::manifest::{Json, Language, RefCall, ResourceType, UniqueId, VersionText};
use crate::project::{Package, SourceFile};
use crate::yaml::{Kind, Yaml};

use super::capture::Captures;
use super::generic_tests::{self, BuiltTest, TestFlags, TestSite, version_text};
use super::macros::MacroResolver;
use super::{Capture, Draft, TestTarget, drafts};

/// A test as it stands in the file, and what it is about.
type Found<'y> = (&'y Yaml, TestSite<'y>);

/// All generic tests of one entry, as drafts.
pub fn of_entry(
    captures: &Captures,
    resolver: &MacroResolver,
    package: &Arc<Package>,
    file: &Arc<SourceFile>,
    section: &'static str,
    entry: &Yaml,
) -> (Vec<Draft>, Vec<Diagnostic>) {
    let mut finder = Finder { source: &file.source, found: Vec::new(), diagnostics: Vec::new() };
    match section {
        "models" | "seeds" | "snapshots" => finder.node(section, entry),
        "sources" => finder.source(entry),
        _ => return (Vec::new(), Vec::new()),
    }
    let flags = TestFlags {
        arguments_property: captures.flag("require_generic_test_arguments_property"),
        sql_header: captures.flag("require_sql_header_in_test_configs"),
    };
    let Finder { found, mut diagnostics, .. } = finder;
    let render = |text: &str| -> Result<Json, jinja::Error> { captures.render_test_config(package, text) };
    let mut tests = Vec::with_capacity(found.len());
    for (item, site) in found {
        match generic_tests::build(item, &site, flags, &render, &mut diagnostics) {
            Ok(test) => {
                let (draft, problem) = draft(captures, resolver, package, file, item, test);
                tests.push(draft);
                diagnostics.extend(problem);
            }
            Err(problem) => diagnostics.push(problem),
        }
    }
    (tests, diagnostics)
}

/// The node of a test: named, placed, and its code rendered for what it refers to.
fn draft(
    captures: &Captures,
    resolver: &MacroResolver,
    package: &Arc<Package>,
    file: &Arc<SourceFile>,
    item: &Yaml,
    test: BuiltTest,
) -> (Draft, Option<Diagnostic>) {
    let BuiltTest { draft: test, names, raw_code, id_hash } = test;
    let below_folder = file.original_path.split_once('/').map_or(&*file.original_path, |(_, rest)| rest);
    let mut fqn = drafts::fqn_prefix(&package.name, below_folder);
    fqn.push(names.full.clone());
    let macro_id = resolver.find(&package.name, &format!("test_{}", test.test_name)).map(|found| found.unique_id.clone());
    let draft = Draft {
        unique_id: UniqueId::new(format!("test.{}.{}.{id_hash}", package.name, names.full)),
        fqn,
        path: format!("{}.sql", names.short),
        raw_code: raw_code.into(),
        language: Language::Sql,
        ..drafts::new_draft(ResourceType::Test, names.full, package, file, item.span)
    };
    let macros: IndexSet<UniqueId> = macro_id.into_iter().collect();
    let mut capture = Capture { config_calls: vec![test.config.clone()], macros, ..Capture::default() };
    let known_by_heart = ["macro.dbt.test_not_null", "macro.dbt.test_unique"];
    if capture.macros.first().is_some_and(|id| known_by_heart.contains(&id.as_str())) {
        match &test.target {
            TestTarget::Node { name, version, .. } => {
                capture.refs.push(RefCall { package: None, name: name.clone(), version: version.clone() });
            }
            TestTarget::Source { source, table } => capture.sources.push((source.clone(), table.clone())),
        }
        return (Draft { capture, test: Some(test), ..draft }, None);
    }
    let mut problem = None;
    if capture.macros.is_empty() {
        problem = Some(unknown_test(&test.test_name, &test.place.0, test.place.1));
    }
    let node = drafts::node_of(captures, &draft);
    let namespace = captures.test_namespace(resolver, capture.macros.first());
    let (rendered, failure) = captures.render_test(&node, &draft.raw_code, &test, namespace);
    let Capture { config_calls, macros, .. } = capture;
    capture = Capture {
        config_calls: config_calls.into_iter().chain(rendered.config_calls).collect(),
        macros: macros.into_iter().chain(rendered.macros).collect(),
        ..rendered
    };
    let capture = drafts::with_unrendered_config(captures, &draft, capture);
    (Draft { capture, test: Some(test), ..draft }, failure.or(problem))
}

/// dbt parses such a project and fails where the test is compiled; so do we, but say so early.
fn unknown_test(name: &str, source: &SourceText, span: crate::diagnostic::Span) -> Diagnostic {
    let message = format!("no package has a data test named `{name}`");
    Diagnostic::warning("W0207", message).at(source, span).help(format!(
        "define `{{% test {name}(model) %}}` in a macro file or in tests/generic, or install the package that has it"
    ))
}

/// Walks an entry and collects its tests in dbt's order.
struct Finder<'y> {
    source: &'y SourceText,
    found: Vec<Found<'y>>,
    diagnostics: Vec<Diagnostic>,
}

impl<'y> Finder<'y> {
    /// A model, seed or snapshot; each version of a model has its own tests.
    fn node(&mut self, section: &'static str, entry: &'y Yaml) {
        let Some(name) = text_of(entry.get("name")) else { return };
        let quote_columns = entry.get("quote_columns").and_then(Yaml::as_bool);
        let columns = items(entry.get("columns"));
        let versions = items(entry.get("versions"));
        let target = |version: Option<VersionText>| TestTarget::Node { section, name: name.clone(), version };
        if versions.is_empty() {
            for column in columns {
                self.column(column, &target(None), quote_columns, &[]);
            }
            self.list(entry, &target(None), None, &[]);
            return;
        }
        for version in versions {
            let Some(number) = version.get("v").and_then(version_text) else { continue };
            let target = target(Some(number));
            let own_columns = items(version.get("columns"));
            let choice = own_columns.iter().find(|column| column.get("include").is_some() || column.get("exclude").is_some());
            for column in columns.iter().filter(|column| is_included(choice, column)) {
                self.column(column, &target, quote_columns, &[]);
            }
            for column in own_columns.iter().filter(|column| column.get("name").is_some()) {
                self.column(column, &target, quote_columns, &[]);
            }
            let has_own = ["tests", "data_tests"].iter().any(|key| version.get(key).is_some_and(|tests| !tests.is_null()));
            self.list(if has_own { version } else { entry }, &target, None, &[]);
        }
    }

    /// A source's tables, and their columns after them.
    fn source(&mut self, entry: &'y Yaml) {
        let Some(source) = text_of(entry.get("name")) else { return };
        for table in items(entry.get("tables")) {
            let Some(name) = text_of(table.get("name")) else { continue };
            let target = TestTarget::Source { source: source.clone(), table: name };
            let tags: Vec<String> = [entry, table].into_iter().flat_map(|holder| texts(holder.get("tags"))).collect();
            let quoting = |holder: &Yaml| holder.get("quoting")?.get("column")?.as_bool();
            let quote_columns = quoting(table).or_else(|| quoting(entry));
            self.list(table, &target, None, &tags);
            for column in items(table.get("columns")) {
                self.column(column, &target, quote_columns, &tags);
            }
        }
    }

    fn column(&mut self, column: &'y Yaml, target: &TestTarget, quote_columns: Option<bool>, tags: &[String]) {
        let Some(name) = text_of(column.get("name")) else { return };
        let quoted = column.get("quote").and_then(Yaml::as_bool).or(quote_columns) == Some(true);
        let name = if quoted { format!("\"{name}\"") } else { name };
        let own = texts(column.get("tags")).into_iter();
        let configured = texts(column.get("config").and_then(|config| config.get("tags"))).into_iter();
        let tags: Vec<String> = tags.iter().cloned().chain(own).chain(configured).collect();
        self.list(column, target, Some(&name), &tags);
    }

    /// The items under `data_tests:`, or `tests:` as older projects spell it.
    fn list(&mut self, holder: &'y Yaml, target: &TestTarget, column_name: Option<&str>, tags: &[String]) {
        let given = |key| holder.entry(key).filter(|entry| !entry.value.is_null());
        let (old, new) = (given("tests"), given("data_tests"));
        if let (Some(old), Some(new)) = (old, new)
            && !old.value.items().is_empty()
        {
            let error =
                Diagnostic::error("E0217", "`tests` and `data_tests` are two spellings of one list: have only one of them");
            self.diagnostics.push(error.at(self.source, old.key_span).at_with(self.source, new.key_span, "the other one"));
            return;
        }
        let Some(list) = new.or(old) else { return };
        let Kind::Seq(tests) = &list.value.kind else {
            let message = format!("`{}` must be a list, not {}", list.key, list.value.kind.noun());
            self.diagnostics.push(Diagnostic::error("E0210", message).at(self.source, list.value.span));
            return;
        };
        for test in tests {
            let site = TestSite {
                source: self.source,
                target: target.clone(),
                column_name: column_name.map(str::to_owned),
                tags: tags.to_vec(),
            };
            self.found.push((test, site));
        }
    }
}

/// Does a version take a column of the model over? `include` is everything unless it says otherwise.
fn is_included(choice: Option<&Yaml>, column: &Yaml) -> bool {
    let Some(choice) = choice else { return true };
    let name = text_of(column.get("name")).unwrap_or_default();
    let included = match choice.get("include").map(|include| &include.kind) {
        Some(Kind::Seq(names)) => names.iter().any(|item| text_of(Some(item)).as_deref() == Some(&name)),
        Some(Kind::Str(all)) => matches!(&**all, "*" | "all"),
        None => true,
        _ => false,
    };
    included && !texts(choice.get("exclude")).contains(&name)
}

fn items(list: Option<&Yaml>) -> &[Yaml] {
    list.map_or(&[], Yaml::items)
}

/// A text, or a scalar that stands where a text should.
fn text_of(value: Option<&Yaml>) -> Option<String> {
    let value = value?;
    match &value.kind {
        Kind::Str(text) => Some(text.to_string()),
        Kind::Int(_) | Kind::Float(_) | Kind::Bool(_) => Some(super::python::text(&value.to_json())),
        _ => None,
    }
}

/// A list of texts, or one text.
fn texts(value: Option<&Yaml>) -> Vec<String> {
    match value.map(|value| &value.kind) {
        Some(Kind::Seq(items)) => items.iter().filter_map(|item| text_of(Some(item))).collect(),
        Some(Kind::Str(text)) => vec![text.to_string()],
        _ => Vec::new(),
    }
}
