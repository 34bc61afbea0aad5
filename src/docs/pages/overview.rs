//! The first page.

use serde::Serialize;

use super::Pages;
use super::node::is_bad;
use super::view::{Link, RunView, hue, kind_name, prose};
use crate::artifacts::PastRun;
use crate::diagnostic::Diagnostic;
use crate::docs::format;
use crate::docs::site::{LastRun, State};
use crate::docs::templates::File;
use crate::manifest::ResourceType;

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
    start: Vec<Link>,
    documented: usize,
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
        let bad = |state: State| is_bad(state);
        let mut troubles: Vec<(State, usize)> =
            site.nodes.iter().enumerate().filter(|(_, node)| bad(node.state)).map(|(at, node)| (node.state, at)).collect();
        troubles.sort_by_key(|(state, at)| (std::cmp::Reverse(*state), *at));
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
            start: self.most_used(),
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
                let noun = if kind == T::Test { "test" } else { kind_name(kind) };
                let noun = if count == 1 { noun.to_owned() } else { format::plural(noun) };
                Count { number: format::count(count), noun, mark: format!("k-{}", hue(kind)), url }
            })
            .collect()
    }

    fn trouble(&self, state: State, at: usize) -> Trouble {
        let node = &self.site.nodes[at];
        let tests = node.tests.iter().map(|test| &self.site.tests[*test]);
        let names: Vec<&str> =
            tests.filter(|test| is_bad(test.state) && test.nodes.first() == Some(&at)).map(|test| test.short.as_str()).collect();
        let own = node.last.as_ref().filter(|last| is_bad(State::of(&last.status))).and_then(|last| last.message.as_deref());
        let why = own.map_or_else(|| names.join(", "), |message| message.lines().next().unwrap_or_default().to_owned());
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

    /// Where readers might begin: what is used the most at the end of the lineage, and exposures.
    fn most_used(&self) -> Vec<Link> {
        let site = self.site;
        let mut known: Vec<usize> =
            (0..site.nodes.len()).filter(|at| site.nodes[*at].kind == ResourceType::Exposure).take(6).collect();
        let mut ends: Vec<usize> = (0..site.nodes.len())
            .filter(|at| {
                let node = &site.nodes[*at];
                let is_end = node.children.iter().all(|child| site.nodes[*child].kind != ResourceType::Model);
                node.kind == ResourceType::Model && is_end && node.package == site.project
            })
            .collect();
        ends.sort_by_key(|at| (std::cmp::Reverse(site.nodes[*at].children.len() + site.nodes[*at].parents.len()), *at));
        known.extend(ends);
        known.into_iter().take(8).map(|at| Link::node(&site.nodes[at])).collect()
    }
}

/// A whole run as if it were one node's.
pub(super) fn whole(run: &PastRun, at: usize) -> LastRun {
    let status = match run.success {
        Some(true) => "success",
        Some(false) if run.interrupted => "interrupted",
        Some(false) => "error",
        None => "unfinished",
    };
    LastRun {
        status: status.to_owned(),
        started_at: run.started_at.clone(),
        seconds: run.elapsed.unwrap_or_default(),
        rows: None,
        failures: None,
        message: None,
        run: at,
    }
}
