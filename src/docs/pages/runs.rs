//! Past invocations: the list, and a page for each, with when its nodes ran.

use serde::Serialize;

use super::Pages;
use super::overview::whole;
use super::view::{Link, RunView, bars};
use crate::artifacts::{PastResult, PastRun};
use crate::diagnostic::Diagnostic;
use crate::docs::html::escape;
use crate::docs::site::{Ran, State};
use crate::docs::templates::File;
use crate::docs::{format, links};

/// Runs with a page of their own; results on it; bars of its picture.
const PAGES: usize = 30;
const ROWS: usize = 400;
const BARS: usize = 150;
const SLOWEST: usize = 15;

/// The page of a run: a file's name begins with its time, so that pages sort as runs do.
pub fn url(run: &PastRun) -> String {
    format!("run/{}.html", links::slug(&run.stem, &run.stem))
}

#[derive(Serialize)]
struct ListView {
    rows: Vec<Row>,
    bars: String,
    slow: Vec<Slow>,
}

#[derive(Serialize)]
struct Row {
    run: RunView,
    command: String,
    target: String,
    states: Vec<(&'static str, String)>,
}

#[derive(Serialize)]
struct Slow {
    link: Link,
    took: String,
    usually: String,
    bars: String,
}

#[derive(Serialize)]
struct View {
    command: String,
    run: RunView,
    facts: Vec<(&'static str, String)>,
    gantt: String,
    gantt_lead: String,
    rows: Vec<ResultRow>,
    more: usize,
}

#[derive(Serialize)]
struct ResultRow {
    link: Link,
    state: &'static str,
    status: String,
    message: Option<String>,
    rows: Option<String>,
    took: String,
}

impl Pages<'_> {
    /// The address of a run's page, where it has one.
    pub(super) fn run_url(&self, at: usize) -> String {
        self.site.runs.get(at).filter(|_| at < PAGES).map_or_else(|| "runs.html".to_owned(), url)
    }

    pub(super) fn runs(&self) -> Result<Vec<File>, Diagnostic> {
        let runs = &self.site.runs;
        let all: Vec<Ran> = runs.iter().enumerate().map(|(at, run)| whole(run, at)).collect();
        let rows = runs.iter().zip(&all).map(|(run, whole)| Row {
            run: RunView::new(whole, self),
            command: run.command.clone(),
            target: run.target.clone().unwrap_or_default(),
            states: states(run).into_iter().map(|(state, count)| (state, format::count(count))).collect(),
        });
        let view = ListView { rows: rows.collect(), bars: bars(&all), slow: self.slowest() };
        let mut files = vec![self.templates.page("runs.html", "runs.html", "runs", "Runs", &view)?];
        for (at, run) in runs.iter().take(PAGES).enumerate() {
            files.push(self.run(at, run)?);
        }
        Ok(files)
    }

    /// What took the longest when it last ran.
    fn slowest(&self) -> Vec<Slow> {
        let mut nodes: Vec<(f64, usize)> = self
            .site
            .nodes
            .iter()
            .enumerate()
            .filter_map(|(at, node)| node.last().map(|last| (last.execution_time, at)))
            .collect();
        nodes.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let slow = nodes.into_iter().take(SLOWEST).map(|(seconds, at)| {
            let node = &self.site.nodes[at];
            Slow { link: Link::node(node), took: format::duration(seconds), usually: usually(&node.past), bars: bars(&node.past) }
        });
        slow.collect()
    }

    fn run(&self, at: usize, run: &PastRun) -> Result<File, Diagnostic> {
        let mut order: Vec<&PastResult> = run.results.iter().map(|result| &**result).collect();
        let rank = |result: &PastResult| match State::of(&result.status) {
            State::Error | State::Fail => 0,
            State::Warn => 1,
            State::Skipped => 2,
            _ => 3,
        };
        order.sort_by(|a, b| {
            rank(a).cmp(&rank(b)).then(b.execution_time.total_cmp(&a.execution_time)).then(a.unique_id.cmp(&b.unique_id))
        });
        let mut facts = vec![("Nodes", format::count(run.results.len()))];
        facts.extend(run.elapsed.map(|elapsed| ("Took", format::duration(elapsed))));
        let worked: f64 = run.results.iter().map(|result| result.execution_time).sum();
        facts.push(("Work of all nodes", format::duration(worked)));
        facts.extend(run.target.clone().map(|target| ("Target", target)));
        facts.extend(run.threads.map(|threads| ("Threads", threads.to_string())));
        let counted = states(run);
        facts.extend(counted.into_iter().map(|(state, count)| (words(state), format::count(count))));
        let gantt = gantt(run);
        let gantt_lead = if run.results.len() > BARS { format!("the {BARS} that took the longest") } else { String::new() };
        let view = View {
            command: run.command.clone(),
            run: RunView::new(&whole(run, at), self),
            facts,
            gantt,
            gantt_lead,
            rows: order.iter().take(ROWS).map(|result| self.result(result)).collect(),
            more: order.len().saturating_sub(ROWS),
        };
        let title = format!("{} {}", run.command, format::moment(&run.started_at));
        self.templates.page("run.html", &url(run), "runs", &title, &view)
    }

    fn result(&self, result: &PastResult) -> ResultRow {
        let state = State::of(&result.status);
        ResultRow {
            link: self.link_to(&result.unique_id).unwrap_or_else(|| Link::plain(result.name.clone(), "")),
            state: state.as_str(),
            status: result.status.clone(),
            message: result.message.clone().filter(|text| state > State::Pass && !text.trim().is_empty()),
            rows: result.rows_affected.map(format::number),
            took: format::duration(result.execution_time),
        }
    }

    /// A node or a test by its id, where it still has a page.
    pub(super) fn link_to(&self, id: &str) -> Option<Link> {
        if let Some(at) = self.site.position(id) {
            return Some(Link { state: "", ..Link::node(&self.site.nodes[at]) });
        }
        let at = self.site.tests.binary_search_by(|test| test.id.as_str().cmp(id)).ok()?;
        let test = &self.site.tests[at];
        Some(Link { mark: "k-test".to_owned(), ..Link::plain(test.name.clone(), test.url.clone()) })
    }
}

fn words(state: &str) -> &'static str {
    match state {
        "pass" => "Went well",
        "warn" => "Warned",
        "fail" => "Failed",
        "error" => "Errors",
        "skipped" => "Skipped",
        _ => "Others",
    }
}

/// How many nodes ended how, the worst first.
fn states(run: &PastRun) -> Vec<(&'static str, usize)> {
    let order = [State::Error, State::Fail, State::Warn, State::Skipped, State::Pass];
    let counted = order.into_iter().map(|state| {
        let count = run.results.iter().filter(|result| State::of(&result.status) == state).count();
        (state.as_str(), count)
    });
    counted.filter(|(_, count)| *count > 0).collect()
}

/// The median of the runs before the last one.
fn usually(past: &[Ran]) -> String {
    let mut seconds: Vec<f64> = past.iter().skip(1).map(|ran| ran.result.execution_time).collect();
    if seconds.is_empty() {
        return String::new();
    }
    seconds.sort_by(f64::total_cmp);
    format::duration(seconds[seconds.len() / 2])
}

/// When each node ran: a line for each thread, a bar for each node.
fn gantt(run: &PastRun) -> String {
    const WIDTH: f64 = 1000.0;
    const LINE: usize = 26;
    let mut shown: Vec<(f64, f64, &PastResult)> = run
        .results
        .iter()
        .filter(|result| result.execution_time > 0.0)
        .filter_map(|result| {
            Some((format::seconds_of(&result.started_at)?, format::seconds_of(&result.completed_at)?, &**result))
        })
        .collect();
    shown.sort_by(|a, b| (b.1 - b.0).total_cmp(&(a.1 - a.0)).then(a.2.unique_id.cmp(&b.2.unique_id)));
    shown.truncate(BARS);
    shown.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.2.unique_id.cmp(&b.2.unique_id)));
    let Some(begin) = shown.first().map(|bar| bar.0) else { return String::new() };
    let end = shown.iter().map(|bar| bar.1).fold(begin + 0.001, f64::max);
    let mut threads: Vec<&str> = shown.iter().map(|bar| bar.2.thread_id.as_str()).collect();
    threads.sort_by_key(|thread| (thread.len(), *thread));
    threads.dedup();
    let height = threads.len() * LINE + 24;
    let mut out = format!(
        "<svg viewBox=\"0 0 1000 {height}\" width=\"1000\" height=\"{height}\" role=\"img\" aria-label=\"When each node ran, by thread; the table below tells the same\">"
    );
    let scale = WIDTH / (end - begin);
    for part in 0..=4_u8 {
        let x = WIDTH * f64::from(part) / 4.0;
        let anchor = ["start", "middle", "middle", "middle", "end"][usize::from(part)];
        out.push_str(&format!(
            "<line class=\"grid\" x1=\"{x}\" x2=\"{x}\" y1=\"0\" y2=\"{}\"/><text class=\"tick\" x=\"{x}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>",
            height - 22,
            height - 6,
            format::duration((end - begin) * f64::from(part) / 4.0)
        ));
    }
    for (from, to, result) in &shown {
        let line = threads.iter().position(|thread| *thread == result.thread_id).unwrap_or_default();
        let (x, width) = ((from - begin) * scale, ((to - from) * scale).max(1.5));
        let y = line * LINE + 2;
        let told = format!("{} · {} · {}", result.name, result.status, format::duration(result.execution_time));
        out.push_str(&format!(
            "<g class=\"s-{}\"><rect class=\"bar\" x=\"{x:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"20\" rx=\"3\"><title>{}</title></rect>",
            State::of(&result.status).as_str(),
            escape(&told)
        ));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a width in pixels")]
        let letters = (width / 7.0) as usize;
        if letters > 4 {
            let name: String = result.name.chars().take(letters.saturating_sub(1)).collect();
            out.push_str(&format!("<text class=\"name\" x=\"{:.1}\" y=\"{}\">{}</text>", x + 4.0, y + 14, escape(&name)));
        }
        out.push_str("</g>");
    }
    out.push_str("</svg>");
    out
}
