//! What is told to people about their project: a code, a place, an excerpt and a hint.
//!
//! Every phase collects [`Diagnostic`]s and goes on; nothing in here prints. Codes are stable: `E` for errors,
//! `W` for warnings, then four digits: 01xx project and profile, 02xx YAML properties, 03xx Jinja, 04xx references and
//! graph, 05xx selection, 06xx SQL and data tests, 07xx warehouse, 08xx command line and state files, 09xx our own faults.

use std::fmt;
use std::sync::Arc;

/// How bad it is. `--strict` and `--warn-error` turn warnings into errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Warning,
    Error,
}

/// A text that diagnostics can point into: a file of the project, or an argument of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceText {
    /// As shown: relative to the project where possible, with `/`.
    pub name: Arc<str>,
    pub text: Arc<str>,
}

impl SourceText {
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// Line and column, both from 1, columns in characters, of a byte offset.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &self.text[..offset];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

/// A half-open range of bytes in a [`SourceText`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end: end.max(start) }
    }

    /// The first line of a text that says anything, without the white space around it.
    pub fn first_line(text: &str) -> Self {
        let start = text.len() - text.trim_start().len();
        Self::new(start, start + text[start..].lines().next().unwrap_or_default().trim_end().len())
    }
}

/// One place a diagnostic points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    pub source: SourceText,
    pub span: Span,
    /// What is to be seen there; may be empty.
    pub note: String,
}

/// One thing to tell: what is wrong, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    pub code: &'static str,
    pub severity: Severity,
    pub message: String,
    /// The first is the main place.
    pub labels: Vec<Label>,
    pub help: Option<String>,
    /// dbt's name for the event, where it has one: what `--warn-error-options` selects by.
    pub event: Option<&'static str>,
    /// The node it is about, where it is about one.
    pub unique_id: Option<Arc<str>>,
}

impl Diagnostic {
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, message)
    }

    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, message)
    }

    fn new(code: &'static str, severity: Severity, message: impl Into<String>) -> Self {
        Self { code, severity, message: message.into(), labels: Vec::new(), help: None, event: None, unique_id: None }
    }

    #[must_use]
    pub fn at(self, source: &SourceText, span: Span) -> Self {
        self.at_with(source, span, "")
    }

    #[must_use]
    pub fn at_with(mut self, source: &SourceText, span: Span, note: impl Into<String>) -> Self {
        self.labels.push(Label { source: source.clone(), span, note: note.into() });
        self
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    #[must_use]
    pub fn event(mut self, event: &'static str) -> Self {
        self.event = Some(event);
        self
    }

    #[must_use]
    pub fn node(mut self, unique_id: impl Into<Arc<str>>) -> Self {
        self.unique_id = Some(unique_id.into());
        self
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// One line, `file:line:column: CODE message`: for logs. The console's form, with excerpts, is `report/`'s.
impl fmt::Display for Diagnostic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(label) = self.labels.first() {
            let (line, column) = label.source.position(label.span.start);
            write!(out, "{}:{line}:{column}: ", label.source.name)?;
        }
        write!(out, "{} {}", self.code, self.message)
    }
}

/// True if any of them is an error.
pub fn any_error(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(Diagnostic::is_error)
}

/// The candidate that was probably meant by a misspelt name: at most a third of its letters away; None where none is near.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let fold = |text: &str| text.to_lowercase().replace(['-', '_', ' '], "");
    let wanted: Vec<char> = fold(name).chars().collect();
    // Of one letter nothing is left when it is changed.
    let most = wanted.len().div_ceil(3).min(4).min(wanted.len().saturating_sub(1));
    let close =
        candidates.into_iter().filter(|candidate| candidate.len().abs_diff(name.len()) <= most + 2).filter_map(|candidate| {
            let distance = edits(&wanted, &fold(candidate).chars().collect::<Vec<_>>());
            (distance <= most).then_some((distance, candidate))
        });
    close.min().map(|(_, candidate)| candidate)
}

/// How many letters to insert, delete, replace or swap with their neighbour to get from one word to the other.
fn edits(from: &[char], to: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, letter) in from.iter().enumerate() {
        let mut next = vec![line + 1];
        for (column, other) in to.iter().enumerate() {
            let mut best = (row[column] + usize::from(letter != other)).min(row[column + 1] + 1).min(next[column] + 1);
            if line > 0 && column > 0 && from[line - 1] == *other && *letter == to[column - 1] {
                best = best.min(before[column - 1] + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn nearest_finds_slips_only() {
        let keys = ["model-paths", "macro-paths", "seed-paths", "profile", "vars"];
        assert_eq!(nearest("model_paths", keys), Some("model-paths"));
        assert_eq!(nearest("modle-paths", keys), Some("model-paths"));
        assert_eq!(nearest("proflie", keys), Some("profile"));
        assert_eq!(nearest("var", keys), Some("vars"));
        assert_eq!(nearest("zebra", keys), None);
        assert_eq!(nearest("x", []), None);
    }
}
