//! A server's errors, worded as libpq words them: tools and tests match those texts.

use std::fmt::Write as _;

use fallible_iterator::FallibleIterator;
use postgres_protocol::message::backend::ErrorFields;

/// An error that the server sent.
#[derive(Debug, Clone, Default)]
pub(super) struct ServerError {
    /// SQLSTATE: `42P01`.
    pub code: String,
    /// `ERROR`, `FATAL`, `PANIC`.
    pub severity: String,
    /// Without severity; with the line of the statement, detail, hint and context.
    pub text: String,
}

impl ServerError {
    pub fn read(mut fields: ErrorFields<'_>, sql: &str) -> Self {
        let mut error = Self::default();
        let mut parts = Parts::default();
        while let Ok(Some(field)) = fields.next() {
            let value = String::from_utf8_lossy(field.value_bytes()).into_owned();
            match field.type_() {
                b'C' => error.code = value,
                b'S' => error.severity = value,
                b'M' => parts.message = value,
                b'D' => parts.detail = value,
                b'H' => parts.hint = value,
                b'P' => parts.position = value.parse().ok(),
                b'p' => parts.internal_position = value.parse().ok(),
                b'q' => parts.internal_query = value,
                b'W' => parts.context = value,
                _ => {}
            }
        }
        error.text = parts.text(sql);
        error
    }

    /// Is the connection of no use after it?
    pub fn is_fatal(&self) -> bool {
        self.severity != "ERROR"
    }

    /// May the same step succeed when it is tried again?
    pub fn is_transient(&self) -> bool {
        // Connection exceptions; serialization failure, deadlock; too many connections; shutdown, crash, starting up.
        self.code.starts_with("08")
            || matches!(self.code.as_str(), "40001" | "40P01" | "53300" | "55P03" | "57P01" | "57P02" | "57P03" | "57P05")
    }
}

#[derive(Default)]
struct Parts {
    message: String,
    detail: String,
    hint: String,
    position: Option<usize>,
    internal_position: Option<usize>,
    internal_query: String,
    context: String,
}

impl Parts {
    fn text(&self, sql: &str) -> String {
        let mut text = self.message.clone();
        if let Some(position) = self.position {
            text.push_str(&marked_line(sql, position));
        } else if let Some(position) = self.internal_position {
            text.push_str(&marked_line(&self.internal_query, position));
        }
        for (label, part) in [("DETAIL", &self.detail), ("HINT", &self.hint)] {
            if !part.is_empty() {
                let _ = write!(text, "\n{label}:  {part}");
            }
        }
        if self.internal_position.is_none() && !self.internal_query.is_empty() {
            let _ = write!(text, "\nQUERY:  {}", self.internal_query);
        }
        if !self.context.is_empty() {
            let _ = write!(text, "\nCONTEXT:  {}", self.context);
        }
        text
    }
}

/// How much of a long line is shown, and how much at least to the right of the mark.
const SHOWN: usize = 60;
const RIGHT: usize = 10;

/// `LINE 3: select x` with a caret below the character at `position` (from 1); a long line is cut as libpq cuts it.
fn marked_line(sql: &str, position: usize) -> String {
    let chars: Vec<char> = sql.chars().collect();
    let Some(at) = position.checked_sub(1).filter(|at| *at <= chars.len()) else { return String::new() };
    let ends_line = |char: &char| *char == '\n' || *char == '\r';
    let begin = chars[..at].iter().rposition(ends_line).map_or(0, |place| place + 1);
    let end = chars[at..].iter().position(ends_line).map_or(chars.len(), |place| at + place);
    let before: String = chars[..at].iter().collect();
    let number = before.matches('\n').count() + before.replace("\r\n", "").matches('\r').count() + 1;
    let (mut from, mut to) = (begin, end);
    if end - begin > SHOWN {
        if begin + SHOWN >= at + RIGHT {
            to = begin + SHOWN;
        } else {
            to = end.min(at + RIGHT);
            from = to.saturating_sub(SHOWN).max(begin);
        }
    }
    let dots = |cut: bool| if cut { "..." } else { "" };
    let shown: String = chars[from..to].iter().map(|char| if *char == '\t' { ' ' } else { *char }).collect();
    let lead = format!("LINE {number}: {}", dots(from > begin));
    let blanks = lead.chars().count() + at - from;
    format!("\n{lead}{shown}{}\n{}^", dots(to < end), " ".repeat(blanks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_marked_as_libpq_does() {
        assert_eq!(marked_line("select 1\nfrom x", 15), "\nLINE 2: from x\n             ^");
        let long = format!("select {} from missing where true and true and true", "a, ".repeat(30));
        let at = long.find("missing").unwrap_or_default() + 1;
        let marked = marked_line(&long, at);
        let lines: Vec<&str> = marked.lines().collect();
        assert!(lines[1].starts_with("LINE 1: ...") && lines[1].ends_with("..."), "{marked}");
        let caret = lines[2].find('^').unwrap_or_default();
        assert!(lines[1][caret..].starts_with("missing"), "{marked}");
        assert_eq!(marked_line("x", 9), "");
    }
}
