//! One line of a log, before it gets its format: dbt's event, with its name, code, level, message and data.

use std::sync::Arc;
use std::time::SystemTime;

use super::style::Style;
use crate::agate::Table;
use crate::diagnostic::Diagnostic;
use crate::manifest::{Json, JsonMap};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Debug,
    Info,
    Warn,
    Error,
    /// Above all: nothing is logged.
    None,
}

impl Level {
    /// dbt's names; anything else is `info`.
    pub(super) fn parse(text: &str) -> Self {
        match text {
            "debug" => Self::Debug,
            "warn" => Self::Warn,
            "error" => Self::Error,
            "none" => Self::None,
            _ => Self::Info,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::None => "none",
        }
    }
}

/// What the console shows to people instead of the plain message, where it differs.
#[derive(Debug, Clone, Default)]
pub(super) enum People {
    #[default]
    Same,
    /// A node begins: the progress bar tells it where there is one.
    Start,
    /// A problem with its places.
    Diagnostic(Box<Diagnostic>),
    /// Why a node failed: the message, then places, failing rows, and how to see more.
    Failure(Box<Failure>),
}

#[derive(Debug, Clone, Default)]
pub(super) struct Failure {
    pub diagnostic: Option<Diagnostic>,
    pub sample: Option<Arc<Table>>,
    /// A command or query that shows the rest.
    pub more: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Record {
    pub name: &'static str,
    pub code: &'static str,
    pub level: Level,
    pub msg: String,
    /// A part of the message that is painted.
    pub accent: Option<(String, Style)>,
    pub data: JsonMap,
    pub thread: String,
    pub at: SystemTime,
    pub people: People,
    /// The command's own output: shown when quiet, and without a time.
    pub print: bool,
}

impl Record {
    pub(super) fn new(name: &'static str, code: &'static str, level: Level, msg: impl Into<String>) -> Self {
        Self {
            name,
            code,
            level,
            msg: msg.into(),
            accent: None,
            data: JsonMap::new(),
            thread: thread_name(),
            at: SystemTime::now(),
            people: People::Same,
            print: false,
        }
    }

    /// An empty line.
    pub(super) fn blank() -> Self {
        Self::new("Formatting", "Z017", Level::Info, "").with("msg", "")
    }

    pub(super) fn with(mut self, key: &str, value: impl Into<Json>) -> Self {
        self.data.insert(key.to_owned(), value.into());
        self
    }

    pub(super) fn accent(mut self, text: impl Into<String>, style: Style) -> Self {
        self.accent = Some((text.into(), style));
        self
    }

    pub(super) fn thread(mut self, name: &str) -> Self {
        name.clone_into(&mut self.thread);
        self
    }
}

/// dbt's names: `MainThread`, and `Thread-1 (worker)` as the workers' threads are called.
fn thread_name() -> String {
    match std::thread::current().name() {
        None | Some("main") => "MainThread".to_owned(),
        Some(name) => name.to_owned(),
    }
}

/// Seconds as the log's 32-bit numbers print them.
pub(super) fn seconds(duration: std::time::Duration) -> Json {
    let short = duration.as_secs_f32();
    short.to_string().parse::<f64>().map_or(Json::Null, Json::from)
}

/// The log's maps know one kind of number, a fraction.
pub(super) fn fractions(value: &Json) -> Json {
    match value {
        Json::Number(number) => number.as_f64().map_or(Json::Null, Json::from),
        Json::Array(items) => items.iter().map(fractions).collect(),
        Json::Object(map) => map.iter().map(|(key, value)| (key.clone(), fractions(value))).collect(),
        other => other.clone(),
    }
}

/// A value as Python's `str` writes it: the log's `args` and `cfg` hold texts only.
pub(super) fn python_text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => python_repr(other),
    }
}

fn python_repr(value: &Json) -> String {
    match value {
        Json::Null => "None".to_owned(),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        Json::Number(number) => number.to_string(),
        Json::String(text) if text.contains('\'') && !text.contains('"') => format!("\"{text}\""),
        Json::String(text) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n")),
        Json::Array(items) => format!("[{}]", items.iter().map(python_repr).collect::<Vec<_>>().join(", ")),
        Json::Object(map) => {
            let entries: Vec<String> = map.iter().map(|(key, value)| format!("'{key}': {}", python_repr(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

/// `1 error`, `2 errors`, `3 saved queries`, `2 analyses`.
pub(super) fn pluralize(count: usize, name: &str) -> String {
    if count == 1 {
        return format!("1 {name}");
    }
    if let Some(stem) = name.strip_suffix('y') {
        return format!("{count} {stem}ies");
    }
    if let Some(stem) = name.strip_suffix("sis") {
        return format!("{count} {stem}ses");
    }
    format!("{count} {name}s")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_written_as_python_and_protobuf_do() {
        assert_eq!(python_text(&json!({"a": [1, true, null, "x"], "b": "it's"})), r#"{'a': [1, True, None, 'x'], 'b': "it's"}"#);
        assert_eq!(python_text(&json!("plain")), "plain");
        assert_eq!(fractions(&json!({"k": [1, "x"]})).to_string(), r#"{"k":[1.0,"x"]}"#);
        assert_eq!(seconds(std::time::Duration::from_micros(81_614)).to_string(), "0.081614");
    }

    #[test]
    fn plurals() {
        let all: Vec<String> =
            [(1, "model"), (2, "data test"), (0, "saved query"), (3, "analysis")].map(|(n, name)| pluralize(n, name)).into();
        assert_eq!(all, ["1 model", "2 data tests", "0 saved queries", "3 analyses"]);
    }
}
