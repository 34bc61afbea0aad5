//! Typed reading of a [`Yaml`] value: what is not as expected becomes a diagnostic at its place, and reading goes on.

use std::sync::Arc;

use super::{Entry, Kind, Yaml};
use crate::diagnostic::{Diagnostic, SourceText, nearest};

impl Kind {
    /// As people call it: `a list`, `a number`.
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::Str(_) => "a text",
            Self::Seq(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

/// Reads values of one file and collects what is wrong with them.
pub struct Reader<'a> {
    pub source: &'a SourceText,
    /// The code of a value of the wrong kind: `E0103` in a project file, `E0201` in a property file.
    pub code: &'static str,
    pub diagnostics: &'a mut Vec<Diagnostic>,
}

impl Reader<'_> {
    /// Reports a value of the wrong kind; `what` names it: `'model-paths'`.
    pub fn wrong_kind(&mut self, value: &Yaml, what: &str, expected: &str) {
        let error = Diagnostic::error(self.code, format!("{what} must be {expected}, not {}", value.kind.noun()));
        let error = error.at(self.source, value.span);
        self.diagnostics.push(match expected {
            "a list" => error.help("a list is written as [a, b], or with a dash before each item, each on a line of its own"),
            "a map" => error.help("a map is written as `key: value`, each on a line of its own, deeper than the key above"),
            _ => error,
        });
    }

    /// The entries of a map; nothing counts as an empty one.
    pub fn expect_map<'y>(&mut self, value: &'y Yaml, what: &str) -> Option<&'y [Entry]> {
        match &value.kind {
            Kind::Map(entries) => Some(entries),
            Kind::Null => Some(&[]),
            _ => {
                self.wrong_kind(value, what, "a map");
                None
            }
        }
    }

    /// The items of a list; nothing counts as an empty one.
    pub fn expect_list<'y>(&mut self, value: &'y Yaml, what: &str) -> Option<&'y [Yaml]> {
        match &value.kind {
            Kind::Seq(items) => Some(items),
            Kind::Null => Some(&[]),
            _ => {
                self.wrong_kind(value, what, "a list");
                None
            }
        }
    }

    pub fn expect_str(&mut self, value: &Yaml, what: &str) -> Option<Arc<str>> {
        if let Kind::Str(text) = &value.kind {
            return Some(text.clone());
        }
        self.wrong_kind(value, what, "a text");
        None
    }

    pub fn expect_bool(&mut self, value: &Yaml, what: &str) -> Option<bool> {
        if let Kind::Bool(value) = value.kind {
            return Some(value);
        }
        self.wrong_kind(value, what, "true or false");
        None
    }

    pub fn expect_int(&mut self, value: &Yaml, what: &str) -> Option<i64> {
        if let Kind::Int(value) = value.kind {
            return Some(value);
        }
        self.wrong_kind(value, what, "a whole number");
        None
    }

    /// A list of texts; with `or_one`, a single text stands for a list of one.
    pub fn expect_texts(&mut self, value: &Yaml, what: &str, or_one: bool) -> Option<Vec<String>> {
        if let (Kind::Str(text), true) = (&value.kind, or_one) {
            return Some(vec![text.to_string()]);
        }
        let items = self.expect_list(value, what)?;
        let each = format!("each item of {what}");
        Some(items.iter().filter_map(|item| self.expect_str(item, &each)).map(|text| text.to_string()).collect())
    }

    /// Warns of every key that is not known, with the nearest one that is.
    pub fn unknown_keys(&mut self, entries: &[Entry], known: &[&str], what: &str, event: Option<&'static str>) {
        for entry in entries.iter().filter(|entry| !known.contains(&&*entry.key)) {
            let mut warning = Diagnostic::warning("W0102", format!("{what} has no key '{}'; it is ignored", entry.key))
                .at(self.source, entry.key_span);
            warning.event = event;
            if let Some(near) = nearest(&entry.key, known.iter().copied()) {
                warning = warning.help(format!("did you mean '{near}'?"));
            }
            self.diagnostics.push(warning);
        }
    }
}
