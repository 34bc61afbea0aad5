//! Rendering of YAML values: which of a file's texts are Jinja, and what becomes of them.
//!
//! A text that is one single `{{ … }}` becomes the value of that expression, with its type; any other stays text.

use super::context::BaseContext;
use crate::diagnostic::{Diagnostic, SourceText};
use crate::jinja;
use crate::yaml::{Entry, Kind, Yaml};

/// One step of the way from a file's root to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

impl Step<'_> {
    fn is(&self, names: &[&str]) -> bool {
        matches!(self, Self::Key(key) if names.contains(key))
    }
}

/// Renders every text but those that `late` says are rendered later or never. Places are kept; a text that cannot be
/// rendered stays as it is and is reported.
pub fn render_yaml(
    value: &Yaml,
    source: &SourceText,
    context: &BaseContext,
    late: &dyn Fn(&[Step<'_>]) -> bool,
) -> (Yaml, Vec<Diagnostic>) {
    let mut renderer = Renderer { source, context, late, diagnostics: Vec::new() };
    let rendered = renderer.value(value, &mut Vec::new());
    (rendered, renderer.diagnostics)
}

struct Renderer<'a> {
    source: &'a SourceText,
    context: &'a BaseContext,
    late: &'a dyn Fn(&[Step<'_>]) -> bool,
    diagnostics: Vec<Diagnostic>,
}

impl Renderer<'_> {
    fn value<'y>(&mut self, value: &'y Yaml, path: &mut Vec<Step<'y>>) -> Yaml {
        let kind = match &value.kind {
            Kind::Seq(items) => {
                let mut rendered = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    path.push(Step::Index(index));
                    rendered.push(self.value(item, path));
                    path.pop();
                }
                Kind::Seq(rendered)
            }
            Kind::Map(entries) => {
                let mut rendered = Vec::with_capacity(entries.len());
                for entry in entries {
                    path.push(Step::Key(&entry.key));
                    let value = self.value(&entry.value, path);
                    path.pop();
                    rendered.push(Entry { key: entry.key.clone(), key_span: entry.key_span, value });
                }
                Kind::Map(rendered)
            }
            Kind::Str(text) if !(self.late)(path) => return self.text(value, text),
            kind => kind.clone(),
        };
        Yaml { kind, span: value.span }
    }

    fn text(&mut self, value: &Yaml, text: &str) -> Yaml {
        if !is_jinja(text) {
            return Yaml { kind: plain(value, text), span: value.span };
        }
        match self.context.render_native(text) {
            Ok(json) => Yaml::from_json(&json, value.span),
            Err(error) => {
                self.diagnostics.push(fault(&error, self.source, value));
                value.clone()
            }
        }
    }
}

/// An error of a value's Jinja, told at the value's place.
pub(super) fn fault(error: &jinja::Error, source: &SourceText, value: &Yaml) -> Diagnostic {
    let mut diagnostic = error.diagnostic();
    diagnostic.labels.clear();
    diagnostic.message = format!("this value cannot be rendered: {}", diagnostic.message);
    diagnostic.at(source, value.span)
}

pub(super) fn is_jinja(text: &str) -> bool {
    text.contains("{{") || text.contains("{%") || text.contains("{#")
}

/// Jinja drops one newline at the end of a text, and knows `\n` alone; texts without Jinja go the same way.
fn plain(value: &Yaml, text: &str) -> Kind {
    if !text.contains('\r') && !text.ends_with('\n') {
        return value.kind.clone();
    }
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    Kind::Str(text.strip_suffix('\n').unwrap_or(&text).into())
}

/// dbt_project.yml: hooks, query comments and vars are rendered when they are used.
pub(super) fn late_in_project(path: &[Step<'_>]) -> bool {
    let Some(first) = path.first() else { return false };
    if first.is(&["on-run-start", "on-run-end", "query-comment", "vars"]) {
        return true;
    }
    let hook = |step: &Step<'_>| match step {
        Step::Key(key) => {
            matches!(key.trim_start_matches(['+', ' ']), "pre-hook" | "post-hook" | "pre_hook" | "post_hook")
        }
        Step::Index(_) => false,
    };
    first.is(&["seeds", "models", "snapshots", "tests", "data_tests"]) && path.iter().any(hook)
}

const TESTS_AND_DESCRIPTION: &[&str] = &["tests", "data_tests", "description"];
const LATE: &[&str] = &["tests", "data_tests", "description", "loaded_at_query"];

/// An entry of a property file's section: descriptions, tests' arguments, hooks and metric filters are rendered later.
/// `path` leads from the entry to the value.
pub fn late_in_property(section: &str, path: &[Step<'_>]) -> bool {
    let Some(first) = path.first() else { return false };
    let is_filter = || path.iter().rev().take(2).any(|step| step.is(&["filter"]));
    match section {
        "sources" => {
            first.is(&["description", "loaded_at_query"])
                || (first.is(&["config"]) && path.get(1).is_some_and(|step| step.is(&["loaded_at_query"])))
                || (first.is(&["tables"]) && late_in_entry(path.get(2..).unwrap_or_default()))
        }
        "macros" if first.is(&["arguments"]) => late_in_entry(&path[1..]),
        "metrics" => is_filter() || late_in_entry(path),
        "saved_queries" => {
            (first.is(&["query_params"]) && path.get(1).is_some_and(|step| step.is(&["where"]))) || late_in_entry(path)
        }
        "macros" => late_in_entry(path),
        _ => (first.is(&["metrics"]) && is_filter()) || late_in_entry(path),
    }
}

fn late_in_entry(path: &[Step<'_>]) -> bool {
    let at = |index: usize, names: &[&str]| path.get(index).is_some_and(|step| step.is(names));
    at(0, LATE)
        || (path.len() == 2 && at(1, LATE))
        || (at(0, &["config"]) && at(1, &["pre_hook", "post_hook", "loaded_at_query"]))
        || (path.len() == 5 && at(4, &["description"]))
        || (at(0, &["versions"]) && at(2, TESTS_AND_DESCRIPTION))
        || (at(0, &["versions"]) && at(2, &["columns"]) && at(4, TESTS_AND_DESCRIPTION))
        || (at(0, &["columns", "dimensions", "measures", "entities", "metrics"]) && at(2, TESTS_AND_DESCRIPTION))
        || (at(0, &["derived_semantics"]) && at(1, &["dimensions", "entities"]) && at(3, TESTS_AND_DESCRIPTION))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<Step<'_>> {
        text.split('.').map(|part| part.parse().map_or(Step::Key(part), Step::Index)).collect()
    }

    #[test]
    fn late_parts_of_a_project_file() {
        for late in ["vars.x", "on-run-start.0", "query-comment", "models.p.+pre-hook.0", "snapshots.p.post_hook.sql"] {
            assert!(late_in_project(&path(late)), "{late}");
        }
        for early in ["models.p.+schema", "name", "sources.p.+pre-hook", "flags.x"] {
            assert!(!late_in_project(&path(early)), "{early}");
        }
    }

    #[test]
    fn late_parts_of_a_property_entry() {
        for (section, late) in [
            ("models", "description"),
            ("models", "columns.0.description"),
            ("models", "columns.0.data_tests.1.accepted_values.values"),
            ("models", "config.pre_hook.0"),
            ("models", "versions.0.columns.1.tests.0"),
            ("sources", "tables.0.columns.2.tests.0"),
            ("sources", "tables.3.description"),
            ("sources", "config.loaded_at_query"),
            ("metrics", "type_params.numerator.filter"),
            ("macros", "arguments.0.description"),
            ("saved_queries", "query_params.where.0"),
        ] {
            assert!(late_in_property(section, &path(late)), "{section} {late}");
        }
        for (section, early) in [
            ("models", "config.schema"),
            ("models", "columns.0.meta.x"),
            ("sources", "schema"),
            ("sources", "tables.0.identifier"),
            ("sources", "tables.0.loaded_at_field"),
            ("exposures", "depends_on.0"),
        ] {
            assert!(!late_in_property(section, &path(early)), "{section} {early}");
        }
    }
}
