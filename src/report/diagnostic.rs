//! Diagnostics for people: code and message, then each place with its line of text and a caret, then what to do.

use super::style::{Painter, Style};
use crate::diagnostic::{Diagnostic, Label, Severity, SourceText};

/// Longer lines are cut around the place they are shown for.
const WIDEST: usize = 140;
/// A trace may be long; this many of its places are shown.
const MOST_LABELS: usize = 6;

/// The console's form, several lines without a final newline.
pub(super) fn render(diagnostic: &Diagnostic, painter: Painter) -> String {
    let (word, style) = match diagnostic.severity {
        Severity::Error => ("error", Style::Bad),
        Severity::Warning => ("warning", Style::Caution),
    };
    let head = painter.paint(style, &format!("{word}[{}]", diagnostic.code));
    let mut message = diagnostic.message.trim_end().lines();
    let mut lines = vec![format!("{head}: {}", painter.paint(Style::Strong, message.next().unwrap_or_default()))];
    lines.extend(message.map(|line| format!("  {line}").trim_end().to_owned()));
    let gutter = gutter(diagnostic);
    for (index, label) in diagnostic.labels.iter().take(MOST_LABELS).enumerate() {
        place(&mut lines, label, index == 0, gutter, style, painter);
    }
    if diagnostic.labels.len() > MOST_LABELS {
        let more = diagnostic.labels.len() - MOST_LABELS;
        lines.push(painter.paint(Style::Quiet, &format!("{:gutter$} ... and {more} more calls", "")));
    }
    if let Some(help) = &diagnostic.help {
        for (index, line) in help.trim_end().lines().enumerate() {
            let lead = if index == 0 { "= help:" } else { "       " };
            lines.push(format!("{:gutter$} {} {line}", "", painter.paint(Style::Quiet, lead)));
        }
    }
    lines.join("\n")
}

/// How wide the widest line number is.
fn gutter(diagnostic: &Diagnostic) -> usize {
    let numbers = diagnostic.labels.iter().take(MOST_LABELS).map(|label| label.source.position(label.span.start).0);
    numbers.max().unwrap_or(0).to_string().len()
}

fn place(lines: &mut Vec<String>, label: &Label, main: bool, gutter: usize, style: Style, painter: Painter) {
    let (line, column) = label.source.position(label.span.start);
    let arrow = painter.paint(Style::Quiet, if main { "-->" } else { ":::" });
    lines.push(format!("{:gutter$}{arrow} {}:{line}:{column}", "", label.source.name.trim_start_matches("./")));
    let Some(text) = line_text(&label.source, line) else { return };
    let length = marked(label, text, column);
    let (shown, column) = excerpt(text, column, length);
    let bar = painter.paint(Style::Quiet, "|");
    let number = painter.paint(Style::Quiet, &format!("{line:>gutter$}"));
    let lead: String = " ".repeat(column - 1);
    let caret = painter.paint(style, &if main { "^" } else { "-" }.repeat(length));
    let note = if label.note.is_empty() { String::new() } else { format!(" {}", painter.paint(style, &label.note)) };
    lines.push(format!("{:gutter$} {bar}", ""));
    lines.push(format!("{number} {bar} {shown}").trim_end().to_owned());
    lines.push(format!("{:gutter$} {bar} {lead}{caret}{note}", ""));
}

/// A line by number, None beyond the text (an empty file, a place at its very end).
fn line_text(source: &SourceText, number: usize) -> Option<&str> {
    let line = source.text.split('\n').nth(number - 1)?;
    Some(line.trim_end_matches('\r')).filter(|line| !line.is_empty() || source.text.len() > 1)
}

/// How many characters of the first line the place covers, at least one.
fn marked(label: &Label, line: &str, column: usize) -> usize {
    let rest = line.chars().count().saturating_sub(column - 1);
    let (from, to) = (label.span.start.min(label.source.text.len()), label.span.end.min(label.source.text.len()));
    let covered = label.source.text.get(from..to).map_or(1, |text| text.lines().next().unwrap_or_default().chars().count());
    covered.min(rest).clamp(1, WIDEST)
}

/// The line without tabs, and cut to what matters where it is too long; with the column in that text.
fn excerpt(line: &str, column: usize, length: usize) -> (String, usize) {
    let chars: Vec<char> = line.chars().map(|c| if c == '\t' || c.is_control() { ' ' } else { c }).collect();
    if chars.len() <= WIDEST {
        return (chars.into_iter().collect(), column);
    }
    let start = (column - 1).saturating_sub(WIDEST / 3).min(chars.len());
    let end = (start + WIDEST.max(length)).min(chars.len());
    let mut shown: String = chars[start..end].iter().collect();
    let mut column = column - start;
    if start > 0 {
        shown.insert_str(0, "...");
        column += 3;
    }
    if end < chars.len() {
        shown.push_str("...");
    }
    (shown, column)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Span;

    fn plain(diagnostic: &Diagnostic) -> String {
        render(diagnostic, Painter { colors: false })
    }

    #[test]
    fn a_place_has_its_line_and_a_caret() {
        let source = SourceText::new("models/a.sql", "select *\nfrom {{ reff('b') }}\n");
        let diagnostic = Diagnostic::error("E0302", "'reff' is undefined")
            .at_with(&source, Span::new(17, 21), "no macro of that name")
            .help("did you mean `ref`?");
        insta::assert_snapshot!(plain(&diagnostic), @r"
        error[E0302]: 'reff' is undefined
         --> models/a.sql:2:9
          |
        2 | from {{ reff('b') }}
          |         ^^^^ no macro of that name
          = help: did you mean `ref`?
        ");
    }

    #[test]
    fn a_trace_shows_the_calls_and_long_lines_are_cut() {
        let inner = SourceText::new("macros/m.sql", format!("{}BAD{}", "x".repeat(200), "y".repeat(200)));
        let outer = SourceText::new("models/ä.sql", "\u{e4}\u{e4}\t{{ m() }}");
        let diagnostic = Diagnostic::warning("W0303", "two\nlines").at(&inner, Span::new(200, 203)).at_with(
            &outer,
            Span::new(5, 13),
            "called from here",
        );
        let text = plain(&diagnostic);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[..3], ["warning[W0303]: two", "  lines", " --> macros/m.sql:1:201"]);
        assert!(lines[4].chars().count() < 160, "{}", lines[4]);
        let at = lines[5].find("^^^").expect("a caret");
        assert_eq!(&lines[4][at..at + 3], "BAD");
        assert_eq!(lines[6], " ::: models/ä.sql:1:4");
        assert_eq!(lines[8], "1 | ää {{ m() }}");
        assert_eq!(lines[9], "  |    -------- called from here");
    }

    #[test]
    fn odd_places_do_no_harm() {
        let empty = SourceText::new("models/empty.sql", "");
        assert_eq!(
            plain(&Diagnostic::error("E0100", "empty").at(&empty, Span::new(0, 0))),
            "error[E0100]: empty\n --> models/empty.sql:1:1"
        );
        let text = SourceText::new("a.yml", "a: ä\nb");
        for start in 0..12 {
            for end in start..12 {
                plain(&Diagnostic::error("E0100", "m").at(&text, Span::new(start, end)));
            }
        }
    }
}
