//! The first page.

use std::cmp::Reverse;
use std::sync::Arc;

use serde::Serialize;

use super::Pages;
use super::view::{Link, RunView, hue, prose};
use crate::artifacts::{PastResult, PastRun};
use crate::diagnostic::Diagnostic;
use crate::docs::site::{Node, Ran, State};
use crate::docs::templates::File;
use crate::docs::{format, markdown};
use crate::manifest::{Resource, ResourceType};

const TROUBLES: usize = 12;

#[derive(Serialize)]
struct View {
    overview: String,
    counts: Vec<Count>,
    last: Option<RunView>,
    command: String,
    troubles: Vec<Trouble>,
    more_troubles: usize,
    tests: Vec<(&'static str, String, usize)>,
    start: Vec<Start>,
    documented: usize,
}

#[derive(Serialize)]
struct Start {
    link: Link,
    about: String,
}

#[derive(Serialize)]
struct Count {
    number: String,
    noun: String,
    mark: String,
    url: &'static str,
}

#[derive(Serialize)]
struct Trouble {
    link: Link,
    word: &'static str,
    why: String,
}

impl Pages<'_> {
    pub(super) fn overview(&self) -> Result<File, Diagnostic> {
        let site = self.site;
        let mut troubles: Vec<(State, usize)> =
            site.nodes.iter().enumerate().filter(|(_, node)| node.state.is_bad()).map(|(at, node)| (node.state, at)).collect();
        troubles.sort_by_key(|(state, at)| (Reverse(*state), *at));
        // A check of freshness says little of how things stand.
        let last = site.runs.iter().position(|run| run.command != "freshness");
        let described = site.nodes.iter().filter(|node| !node.description().trim().is_empty()).count();
        let view = View {
            overview: prose(site, site.overview.as_deref().unwrap_or_default(), ""),
            counts: self.counts(),
            last: last.map(|at| RunView::new(&whole(&site.runs[at], at), self)),
            command: last.map(|at| site.runs[at].command.clone()).unwrap_or_default(),
            more_troubles: troubles.len().saturating_sub(TROUBLES),
            troubles: troubles.iter().take(TROUBLES).map(|(state, at)| self.trouble(*state, *at)).collect(),
            tests: self.test_states(),
            start: self.starts(),
            documented: (described * 100).checked_div(site.nodes.len()).unwrap_or_default(),
        };
        self.templates.page("index.html", "index.html", "overview", &site.project, &view)
    }

    fn counts(&self) -> Vec<Count> {
        use ResourceType as T;
        let pages = [
            (T::Model, "project.html"),
            (T::Source, "sources.html"),
            (T::Seed, "project.html"),
            (T::Snapshot, "project.html"),
            (T::Exposure, "exposures.html"),
            (T::Metric, "metrics.html"),
        ];
        let counted =
            pages.into_iter().map(|(kind, url)| (kind, url, self.site.nodes.iter().filter(|node| node.kind == kind).count()));
        let tests = (T::Test, "tests.html", self.site.tests.len());
        let shown = counted.chain([tests]).filter(|(.., count)| *count > 0);
        shown
            .map(|(kind, url, count)| {
                let noun = if kind == T::Test { "test" } else { kind.singular() };
                let noun = if count == 1 { noun.to_owned() } else { format::plural(noun) };
                Count { number: format::count(count), noun, mark: format!("k-{}", hue(kind)), url }
            })
            .collect()
    }

    fn trouble(&self, state: State, at: usize) -> Trouble {
        let node = &self.site.nodes[at];
        let tests = node.tests.iter().map(|test| &self.site.tests[*test]);
        let names: Vec<&str> =
            tests.filter(|test| test.state.is_bad() && test.nodes.first() == Some(&at)).map(|test| test.short.as_str()).collect();
        let own = node.last().filter(|last| State::of(&last.status).is_bad()).and_then(|last| last.message.as_deref());
        let late = node.freshness.as_ref().and_then(|row| row.get("max_loaded_at")).and_then(|at| at.as_str());
        let late = late.map(|at| format!("newest row of {}", format::moment(at)));
        let told = own.map(|message| message.lines().next().unwrap_or_default().to_owned());
        let why = told.or(late.filter(|_| names.is_empty())).unwrap_or_else(|| names.join(", "));
        let word = if state == State::Warn { "warning" } else { "failing" };
        Trouble { link: Link::node(node), word, why }
    }

    /// How many tests stand how: (state, words, number).
    fn test_states(&self) -> Vec<(&'static str, String, usize)> {
        let states = [
            (State::Pass, "passed"),
            (State::Warn, "warned"),
            (State::Fail, "failed"),
            (State::Error, "could not run"),
            (State::Skipped, "skipped"),
            (State::NotRun, "have not run"),
        ];
        let counted = states.into_iter().map(|(state, word)| {
            let count = self.site.tests.iter().filter(|test| test.state == state).count();
            (state.as_str(), word.to_owned(), count)
        });
        counted.filter(|(.., count)| *count > 0).collect()
    }

    /// Where readers might begin: exposures, metrics, and what stands at the end of the lineage; what is described comes first.
    fn starts(&self) -> Vec<Start> {
        let site = self.site;
        let of_kind = |kind: ResourceType| (0..site.nodes.len()).filter(move |at| site.nodes[*at].kind == kind);
        let mut ends: Vec<usize> = of_kind(ResourceType::Model)
            .filter(|at| {
                let node = &site.nodes[*at];
                let is_end = node.children.iter().all(|child| site.nodes[*child].kind != ResourceType::Model);
                let is_read = node.materialization != "ephemeral" && !node.parents.is_empty() && !is_old(node);
                is_end && is_read && node.package == site.project
            })
            .collect();
        ends.sort_by_key(|at| {
            let node = &site.nodes[*at];
            (node.description().is_empty(), Reverse(node.children.len() + node.parents.len()), *at)
        });
        let known = of_kind(ResourceType::Exposure).take(4).chain(of_kind(ResourceType::Metric).take(4)).chain(ends).take(8);
        let start = |at: usize| {
            let node = &site.nodes[at];
            Start { link: Link::node(node), about: markdown::summary(node.description(), 90) }
        };
        known.map(start).collect()
    }
}

/// A version of a model that is not the latest.
fn is_old(node: &Node) -> bool {
    let Resource::Node(of) = &node.resource else { return false };
    of.model().is_some_and(|model| model.version.is_some() && model.version != model.latest_version)
}

/// A whole run as if it were one node's.
pub(super) fn whole(run: &PastRun, at: usize) -> Ran {
    let status = match run.success {
        Some(true) => "success",
        Some(false) if run.interrupted => "interrupted",
        Some(false) => "error",
        None => "unfinished",
    };
    let result = PastResult {
        status: status.to_owned(),
        started_at: run.started_at.clone(),
        execution_time: run.elapsed.unwrap_or_default(),
        ..PastResult::default()
    };
    Ran { run: at, result: Arc::new(result) }
}
