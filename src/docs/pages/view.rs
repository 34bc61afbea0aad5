//! What templates show of the nouns of a site: links, marks, results.

use serde::{Serialize, Serializer};

use super::Pages;
use crate::docs::format;
use crate::docs::html::escape_into;
use crate::docs::markdown::{self, Place};
use crate::docs::site::{Node, Ran, Site, State, Test};
use crate::manifest::{Json, ResourceType};

/// A name that leads to its page.
#[derive(Serialize, Clone, Default)]
pub struct Link {
    pub name: String,
    /// Below the site's folder; empty: no page.
    pub url: String,
    /// Classes of the mark before it; empty: none.
    pub mark: String,
    pub state: &'static str,
}

impl Link {
    pub fn plain(name: impl Into<String>, url: impl Into<String>) -> Self {
        Self { name: name.into(), url: url.into(), mark: String::new(), state: "" }
    }

    pub fn node(node: &Node) -> Self {
        Self { name: node.name.clone(), url: node.url.clone(), mark: mark(node), state: shown_state(node.state) }
    }
}

/// Classes of a node's mark: hue by kind, fill by materialization.
pub fn mark(node: &Node) -> String {
    let kind = hue(node.kind);
    let fill = match node.materialization.as_str() {
        "view" | "materialized_view" => " view",
        "ephemeral" => " ephemeral",
        "incremental" => " incremental",
        _ => "",
    };
    format!("k-{kind}{fill}")
}

/// Which of the site's hues a kind has.
pub fn hue(kind: ResourceType) -> &'static str {
    match kind {
        ResourceType::Metric | ResourceType::SemanticModel | ResourceType::SavedQuery => "metric",
        ResourceType::Analysis => "analysis",
        ResourceType::Function | ResourceType::Macro => "macro",
        ResourceType::UnitTest | ResourceType::Test => "test",
        other => other.as_str(),
    }
}

/// States that lists need not tell are empty.
pub fn shown_state(state: State) -> &'static str {
    if state.is_bad() { state.as_str() } else { "" }
}

pub fn state_word(state: State) -> &'static str {
    match state {
        State::NotRun => "not run",
        State::Pass => "passed",
        State::Skipped => "skipped",
        State::Warn => "warned",
        State::Fail => "failed",
        State::Error => "error",
    }
}

/// HTML that is made here, of what pages have very many of: templates show it as it is.
#[derive(Clone, Default)]
pub struct Html(pub String);

impl Serialize for Html {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        tera::Value::safe_string(&self.0).serialize(serializer)
    }
}

impl Html {
    pub fn push(&mut self, html: &str) -> &mut Self {
        self.0.push_str(html);
        self
    }

    pub fn text(&mut self, text: &str) -> &mut Self {
        escape_into(&mut self.0, text);
        self
    }

    /// A node's name, as `Link` is shown; without its state.
    pub fn node(&mut self, node: &Node, name: &str, root: &str) -> &mut Self {
        self.push("<span class=\"mark ").push(&mark(node)).push("\"></span><a href=\"");
        self.push(root).text(&node.url).push("\">").text(name).push("</a>")
    }

    /// A sign and a word that say how something stands.
    pub fn status(&mut self, state: State) -> &mut Self {
        self.push("<span class=\"status s-").push(state.as_str()).push("\">").push(state_word(state)).push("</span>")
    }
}

/// A link to a node, with its state where that is bad.
pub fn node_link(node: &Node, root: &str) -> Html {
    let mut out = Html::default();
    out.node(node, &node.name, root);
    if node.state.is_bad() {
        let state = node.state.as_str();
        out.push("<span class=\"dot s-").push(state).push("\" title=\"").push(state);
        out.push("\"><span class=\"only-read\"> (").push(state).push(")</span></span>");
    }
    out
}

/// A test's chip.
pub fn chip(test: &Test, root: &str) -> Html {
    let (state, word) = (test.state.as_str(), state_word(test.state));
    let mut out = Html::default();
    out.push("<a class=\"chip s-").push(state).push("\" href=\"").push(root).text(&test.url).push("\" title=\"");
    out.text(&test.short).push(": ").push(word).push("\">").text(&test.short);
    out.push("<span class=\"only-read\"> (").push(word).push(")</span></a>");
    out
}

/// One run of something.
#[derive(Serialize)]
pub struct RunView {
    pub status: String,
    pub state: &'static str,
    pub at: String,
    pub shown_at: String,
    pub duration: String,
    pub rows: Option<String>,
    pub failures: Option<i64>,
    pub message: Option<String>,
    pub url: String,
}

impl RunView {
    pub fn new(ran: &Ran, pages: &Pages) -> Self {
        let run = &ran.result;
        let status = State::of(&run.status);
        let told = !matches!(status, State::Pass | State::NotRun);
        Self {
            status: run.status.clone(),
            state: status.as_str(),
            at: run.started_at.clone(),
            shown_at: format::moment(&run.started_at),
            duration: format::duration(run.execution_time),
            rows: run.rows_affected.map(format::number),
            failures: run.failures.filter(|failures| *failures > 0),
            message: run.message.clone().filter(|message| told && !message.trim().is_empty()),
            url: pages.run_url(ran.run),
        }
    }
}

/// A value of `meta` or of a config in a line.
pub fn shown_value(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Array(items) if items.iter().all(|item| !item.is_array() && !item.is_object()) => {
            items.iter().map(shown_value).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// Markdown of the project on a page.
pub fn prose(site: &Site, text: &str, root: &str) -> String {
    let page = |id: &str| site.position(id).map(|at| site.nodes[at].url.clone());
    markdown::render(text, Place { root, page: &page })
}

/// The bars of a history, the oldest first: an SVG that needs no script.
pub fn bars(past: &[Ran]) -> String {
    const HEIGHT: f64 = 44.0;
    if past.len() < 2 {
        return String::new();
    }
    let longest = past.iter().map(|ran| ran.result.execution_time).fold(0.001, f64::max);
    let width = past.len() * 12;
    let mut out = format!(
        "<svg class=\"bars\" viewBox=\"0 0 {width} 46\" width=\"{width}\" height=\"46\" role=\"img\" aria-label=\"Durations of the last {} runs\">",
        past.len()
    );
    for (at, run) in past.iter().rev().map(|ran| &ran.result).enumerate() {
        let height = (run.execution_time / longest * HEIGHT).max(2.0);
        let (x, y) = (at * 12, 46.0 - height);
        let told = format!("{} · {} · {}", format::moment(&run.started_at), run.status, format::duration(run.execution_time));
        out.push_str(&format!(
            "<rect class=\"s-{}\" x=\"{x}\" y=\"{y:.1}\" width=\"9\" height=\"{height:.1}\" rx=\"2\"><title>{}</title></rect>",
            State::of(&run.status).as_str(),
            crate::docs::html::escape(&told)
        ));
    }
    out.push_str("</svg>");
    out
}
