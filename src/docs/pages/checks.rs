//! Tests: all of them by how they stand, and a page for each.

use rayon::prelude::*;
use serde::Serialize;

use super::Pages;
use super::node::{Code, code_of};
use super::view::{Link, RunView, bars, kind_name, prose, shown_value, state_word};
use crate::diagnostic::Diagnostic;
use crate::docs::site::{State, Test};
use crate::docs::templates::File;
use crate::docs::{format, links};
use crate::manifest::{JsonMap, Language, Resource};

/// Tests listed for each state.
const ROWS: usize = 500;

#[derive(Serialize)]
struct TestView {
    id: String,
    short: String,
    kind: &'static str,
    severity: String,
    state: &'static str,
    word: &'static str,
    message: Option<String>,
    failures: Option<i64>,
    of: Option<Link>,
    column: String,
    anchor: String,
    arguments: Vec<(String, String)>,
    file: String,
    description: String,
    reads: Vec<Link>,
    history: Vec<RunView>,
    bars: String,
    code: Vec<Code>,
}

#[derive(Serialize)]
struct ListView {
    lead: String,
    states: Vec<(&'static str, &'static str, String)>,
    parts: Vec<Part>,
}

#[derive(Serialize)]
struct Part {
    title: String,
    rows: Vec<Row>,
    more: usize,
}

#[derive(Serialize)]
struct Row {
    name: String,
    url: String,
    of: Option<Link>,
    column: String,
    state: &'static str,
    word: &'static str,
    failures: Option<i64>,
    took: String,
    changed: bool,
}

impl Pages<'_> {
    pub(super) fn tests(&self) -> Result<Vec<File>, Diagnostic> {
        let tests = &self.site.tests;
        if tests.is_empty() {
            return Ok(Vec::new());
        }
        let mut files = (0..tests.len()).into_par_iter().map(|at| self.test(at)).collect::<Result<Vec<_>, _>>()?;
        let order = [State::Error, State::Fail, State::Warn, State::Skipped, State::NotRun, State::Pass];
        let (mut states, mut parts) = (Vec::new(), Vec::new());
        for state in order {
            let those: Vec<usize> = (0..tests.len()).filter(|at| tests[*at].state == state).collect();
            if those.is_empty() {
                continue;
            }
            states.push((state.as_str(), state_word(state), format::count(those.len())));
            let rows = those.iter().take(ROWS).map(|at| self.test_row(&tests[*at])).collect();
            parts.push(Part { title: title(state).to_owned(), rows, more: those.len().saturating_sub(ROWS) });
        }
        let tested = self.site.nodes.iter().filter(|node| !node.tests.is_empty()).count();
        let lead = format!(
            "{} on {} of {}, by their last results",
            format::counted(tests.len(), "test"),
            format::count(tested),
            format::counted(self.site.nodes.len(), "resource")
        );
        files.push(self.templates.page("tests.html", "tests.html", "tests", "Tests", &ListView { lead, states, parts })?);
        Ok(files)
    }

    fn test_row(&self, test: &Test) -> Row {
        let last = test.past.first();
        // More than one change in the latest runs: neither a fault nor its repair alone.
        let bad = |status: &str| State::of(status) > State::Skipped;
        let changes = test.past.windows(2).filter(|pair| bad(&pair[0].status) != bad(&pair[1].status)).count();
        Row {
            name: test.short.clone(),
            url: test.url.clone(),
            of: test.nodes.first().map(|at| Link { state: "", ..Link::node(&self.site.nodes[*at]) }),
            column: test.column.clone().unwrap_or_default(),
            state: test.state.as_str(),
            word: state_word(test.state),
            failures: last.and_then(|last| last.failures).filter(|failures| *failures > 0),
            took: last.map(|last| format::duration(last.seconds)).unwrap_or_default(),
            changed: changes > 1,
        }
    }

    fn test(&self, at: usize) -> Result<File, Diagnostic> {
        let test = &self.site.tests[at];
        let last = test.past.first();
        let node = |at: &usize| Link { state: "", ..Link::node(&self.site.nodes[*at]) };
        let (mut code, mut severity, mut arguments) = (Vec::new(), String::new(), Vec::new());
        let mut description = "";
        match &test.resource {
            Resource::Node(of) => {
                description = &of.description;
                severity = of.config.text("severity").map(str::to_lowercase).filter(|text| text != "error").unwrap_or_default();
                let metadata = of.test().and_then(|detail| detail.metadata.as_ref());
                arguments = metadata.map(|metadata| arguments_of(&metadata.kwargs)).unwrap_or_default();
                let raw = if metadata.is_some() { "" } else { &*of.raw_code };
                code.extend(code_of("Source", raw, Language::Sql));
                code.extend(code_of("Compiled", test.compiled.as_deref().unwrap_or_default(), Language::Sql));
            }
            Resource::UnitTest(of) => {
                description = &of.description;
                for given in &of.given {
                    let input = given.get("input").map(shown_value).unwrap_or_default();
                    arguments.push((format!("Given {input}"), rows(given)));
                }
                arguments.push(("Expected".to_owned(), rows(&of.expect)));
            }
            _ => {}
        }
        let bad = test.state > State::Skipped;
        let view = TestView {
            id: test.id.to_string(),
            short: test.short.clone(),
            kind: kind_name(test.resource.resource_type()),
            severity,
            state: test.state.as_str(),
            word: state_word(test.state),
            message: last.filter(|_| bad).and_then(|last| last.message.clone()),
            failures: last.and_then(|last| last.failures).filter(|failures| *failures > 0),
            of: test.nodes.first().map(node),
            anchor: test.column.as_deref().map(links::anchor).unwrap_or_default(),
            column: test.column.clone().unwrap_or_default(),
            arguments,
            file: test.resource.original_file_path().to_owned(),
            description: prose(self.site, description, &links::root(&test.url)),
            reads: test.nodes.iter().map(node).collect(),
            history: test.past.iter().take(10).map(|run| RunView::new(run, self)).collect(),
            bars: bars(&test.past),
            code,
        };
        self.templates.page("test.html", &test.url, "tests", &test.name, &view)
    }
}

fn title(state: State) -> &'static str {
    match state {
        State::Error => "Could not run",
        State::Fail => "Failed",
        State::Warn => "Warned",
        State::Skipped => "Skipped",
        State::NotRun => "Have not run",
        State::Pass => "Passed",
    }
}

/// What a generic test was given, its model and column left out.
fn arguments_of(kwargs: &JsonMap) -> Vec<(String, String)> {
    let given = kwargs.iter().filter(|(key, value)| !matches!(key.as_str(), "model" | "column_name") && !value.is_null());
    given.map(|(key, value)| (key.clone(), shown_value(value))).collect()
}

/// The rows of a unit test's input or expectation, in a line or two.
fn rows(of: &JsonMap) -> String {
    const LONGEST: usize = 400;
    let text = of.get("rows").map(shown_value).unwrap_or_default();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
