//! Tests: all of them by how they stand, a page for those of each node, and one for each that is not generic.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use super::Pages;
use super::node::{Code, code_of};
use super::view::{Link, RunView, bars, prose, shown_value, state_word};
use crate::diagnostic::Diagnostic;
use crate::docs::site::{State, Test};
use crate::docs::templates::File;
use crate::docs::{format, links};
use crate::manifest::{JsonMap, Language, Resource};

/// Tests listed for each state.
const ROWS: usize = 500;
/// Tests on one page that all show their code.
const WITH_CODE: usize = 40;
/// What is listed first.
const ORDER: [State; 6] = [State::Error, State::Fail, State::Warn, State::Skipped, State::NotRun, State::Pass];

/// A test's own page, or a part of the page that it shares.
#[derive(Serialize)]
struct TestView {
    id: String,
    name: String,
    short: String,
    /// Where it is on a shared page.
    anchor: String,
    kind: &'static str,
    severity: String,
    state: &'static str,
    word: &'static str,
    message: Option<String>,
    failures: Option<i64>,
    of: Option<Link>,
    column: String,
    column_anchor: String,
    arguments: Vec<(String, String)>,
    file: String,
    description: String,
    /// What it reads beside the node that it tests.
    reads: Vec<Link>,
    history: Vec<RunView>,
    bars: String,
    code: Vec<Code>,
}

/// All generic tests of a node.
#[derive(Serialize)]
struct SharedView {
    of: Link,
    states: Vec<(&'static str, &'static str, String)>,
    tests: Vec<TestView>,
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
        let mut pages: BTreeMap<&str, Vec<&Test>> = BTreeMap::new();
        for test in tests {
            pages.entry(test.url.split('#').next().unwrap_or_default()).or_default().push(test);
        }
        let pages: Vec<(&str, Vec<&Test>)> = pages.into_iter().collect();
        pages.par_iter().try_for_each(|(url, tests)| self.out.put(self.tests_page(url, tests)?))?;
        let mut parts = Vec::new();
        let states = states(tests.iter());
        for state in ORDER {
            let those: Vec<usize> = (0..tests.len()).filter(|at| tests[*at].state == state).collect();
            if those.is_empty() {
                continue;
            }
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
        Ok(vec![self.templates.page("tests.html", "tests.html", "tests", "Tests", &ListView { lead, states, parts })?])
    }

    fn test_row(&self, test: &Test) -> Row {
        let last = test.past.first().map(|ran| &*ran.result);
        // More than one change in the latest runs: neither a fault nor its repair alone.
        let bad = |status: &str| State::of(status) > State::Skipped;
        let changes = test.past.windows(2).filter(|pair| bad(&pair[0].result.status) != bad(&pair[1].result.status)).count();
        Row {
            name: test.short.clone(),
            url: test.url.clone(),
            of: test.nodes.first().map(|at| Link { state: "", ..Link::node(&self.site.nodes[*at]) }),
            column: test.column.clone().unwrap_or_default(),
            state: test.state.as_str(),
            word: state_word(test.state),
            failures: last.and_then(|last| last.failures).filter(|failures| *failures > 0),
            took: last.map(|last| format::duration(last.execution_time)).unwrap_or_default(),
            changed: changes > 1,
        }
    }

    fn tests_page(&self, url: &str, tests: &[&Test]) -> Result<File, Diagnostic> {
        let root = links::root(url);
        let [alone] = tests else { return self.shared_page(url, &root, tests) };
        if alone.url != url {
            return self.shared_page(url, &root, tests);
        }
        self.templates.page("test.html", url, "tests", &alone.name, &self.test(alone, &root, true))
    }

    fn shared_page(&self, url: &str, root: &str, tests: &[&Test]) -> Result<File, Diagnostic> {
        let mut order: Vec<&Test> = tests.to_vec();
        let rank = |test: &Test| ORDER.iter().position(|state| *state == test.state);
        order.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| (&a.column, &a.short, &a.id).cmp(&(&b.column, &b.short, &b.id))));
        let node = order.first().and_then(|test| test.nodes.first()).map(|at| &self.site.nodes[*at]);
        let of = node.map(|node| Link { state: "", ..Link::node(node) }).unwrap_or_default();
        let title = format!("Tests of {}", of.name);
        // The code of what went well is left out where a page would get too long.
        let shown = |test: &Test| order.len() <= WITH_CODE || test.state > State::Skipped;
        let tests = order.iter().map(|test| self.test(test, root, shown(test))).collect();
        let view = SharedView { of, states: states(order.iter().copied()), tests };
        self.templates.page("tests-of.html", url, "tests", &title, &view)
    }

    fn test(&self, test: &Test, root: &str, with_code: bool) -> TestView {
        let last = test.past.first().map(|ran| &*ran.result);
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
        code.retain(|_| with_code);
        let is_generic = test.url.contains('#');
        TestView {
            id: test.id.to_string(),
            name: test.name.clone(),
            anchor: test.url.split_once('#').map(|(_, anchor)| anchor.to_owned()).unwrap_or_default(),
            short: test.short.clone(),
            kind: test.resource.resource_type().singular(),
            severity,
            state: test.state.as_str(),
            word: state_word(test.state),
            message: last.filter(|_| bad).and_then(|last| last.message.clone()),
            failures: last.and_then(|last| last.failures).filter(|failures| *failures > 0),
            of: test.nodes.first().map(node),
            column_anchor: test.column.as_deref().map(links::anchor).unwrap_or_default(),
            column: test.column.clone().unwrap_or_default(),
            arguments,
            file: test.resource.original_file_path().to_owned(),
            description: prose(self.site, description, root),
            reads: test.nodes.iter().skip(usize::from(is_generic)).map(node).collect(),
            history: test.past.iter().take(if is_generic { 1 } else { 10 }).map(|run| RunView::new(run, self)).collect(),
            bars: bars(&test.past[..test.past.len().min(if is_generic { 12 } else { 30 })]),
            code,
        }
    }
}

/// How many of the tests stand how: (state, word, number).
fn states<'a>(tests: impl Iterator<Item = &'a Test> + Clone) -> Vec<(&'static str, &'static str, String)> {
    let counted = ORDER.into_iter().map(|state| (state, tests.clone().filter(|test| test.state == state).count()));
    let shown = counted.filter(|(_, count)| *count > 0);
    shown.map(|(state, count)| (state.as_str(), state_word(state), format::count(count))).collect()
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
