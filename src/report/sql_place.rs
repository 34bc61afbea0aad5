//! Where in the project a warehouse's error lies: its own words name a line of the statement that ran, which is looked up in
//! the model's file, or else in its compiled SQL.

use crate::diagnostic::{Diagnostic, Label, SourceText, Span};
use crate::event::Compiled;
use crate::manifest::Resource;

/// The diagnostic with its places in what the project's author wrote, where they can be found; places in built-in macros give
/// way to others.
pub(super) fn located(problem: &Diagnostic, of: Option<&Resource>, compiled: Option<&Compiled>) -> Diagnostic {
    let mut problem = problem.clone();
    if let Some((text, column)) = quoted_line(&problem.message)
        && let Some(label) = find(&text, column, &problem.labels, of, compiled)
    {
        problem.message = without_quote(&problem.message);
        problem.labels = vec![label];
        return problem;
    }
    let built_in = |label: &Label| label.source.name.starts_with('<');
    problem.labels = match (problem.labels.iter().any(|label| !built_in(label)), of) {
        (true, _) => problem.labels.into_iter().filter(|label| !built_in(label)).collect(),
        (false, Some(of)) => vec![own_place(&problem, of)],
        (false, None) => problem.labels.into_iter().take(1).collect(),
    };
    problem
}

/// Where the resource itself is written: what the problem names in quotes, else its first line.
fn own_place(problem: &Diagnostic, of: &Resource) -> Label {
    let text = match of {
        Resource::Node(node) if node.source_offset == 0 => &*node.raw_code,
        _ => "",
    };
    let quoted = problem.message.split('\'').nth(1).filter(|word| !word.is_empty());
    let found = quoted.and_then(|word| text.find(word).map(|at| Span::new(at, at + word.len())));
    let source = SourceText::new(of.original_file_path(), text);
    Label { source, span: found.unwrap_or_else(|| Span::first_line(text)), note: String::new() }
}

/// DuckDB's and PostgreSQL's `LINE 3:   select x from y` with a caret below: the line, and the caret's column in it from 0.
fn quoted_line(message: &str) -> Option<(String, usize)> {
    let mut lines = message.lines().skip_while(|line| !is_quote(line));
    let (quote, caret) = (lines.next()?, lines.next()?);
    let start = quote.find("LINE ")?;
    let text_from = start + quote[start..].find(": ")? + 2;
    let at = caret.chars().take_while(|c| *c == ' ').count();
    (caret.trim() == "^").then_some(())?;
    let lead = quote[..text_from].chars().count();
    Some((quote[text_from..].to_owned(), at.checked_sub(lead)?))
}

fn is_quote(line: &str) -> bool {
    let rest = line.trim_start().strip_prefix("LINE ");
    rest.is_some_and(|rest| rest.split_once(": ").is_some_and(|(number, _)| number.parse::<usize>().is_ok()))
}

fn without_quote(message: &str) -> String {
    let kept: Vec<&str> = message.lines().take_while(|line| !is_quote(line)).collect();
    kept.join("\n").trim_end().to_owned()
}

/// The only line like that in a file that the problem names, or in the model's own, else the first in its compiled SQL. Long
/// lines are quoted in part, between `...`.
fn find(quoted: &str, column: usize, named: &[Label], of: Option<&Resource>, compiled: Option<&Compiled>) -> Option<Label> {
    let inner = quoted.trim_start_matches("...");
    let cut = quoted.len() - inner.len();
    let piece = inner.trim_end_matches("...").trim();
    if piece.is_empty() {
        return None;
    }
    let indent = inner.chars().take_while(|c| c.is_whitespace()).count();
    let offset_in_piece = column.checked_sub(cut + indent)?;
    let label = |name: &str, text: &str, at: usize| {
        let start = at + piece.chars().take(offset_in_piece).map(char::len_utf8).sum::<usize>();
        let word = text.get(start..).unwrap_or_default();
        let length: usize =
            word.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '"')).map(char::len_utf8).sum();
        let source = SourceText::new(name, text);
        Label { source, span: Span::new(start, start + length.max(1)), note: String::new() }
    };
    let only = |text: &str| {
        let mut found = text.match_indices(piece).map(|(at, _)| at);
        found.next().filter(|_| found.next().is_none())
    };
    for source in named.iter().map(|label| &label.source).filter(|source| !source.name.starts_with('<')) {
        if let Some(at) = only(&source.text) {
            return Some(label(&source.name, &source.text, at));
        }
    }
    // The raw code is the file's text, but for blocks of a file that holds several.
    if let Some(Resource::Node(node)) = of
        && node.source_offset == 0
        && let Some(at) = only(&node.raw_code)
    {
        return Some(label(&node.original_file_path, &node.raw_code, at));
    }
    let compiled = compiled?;
    let at = compiled.code.find(piece)?;
    Some(label(compiled.compiled_path.as_deref()?, &compiled.code, at))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::artifacts::samples;

    fn error(message: &str) -> Diagnostic {
        let inside = SourceText::new("<dbt>/macros/statement.sql", "{{ adapter.execute() }}");
        Diagnostic::error("E0601", message).at(&inside, Span::new(3, 10))
    }

    fn compiled(code: &str) -> Compiled {
        let compiled_path = Some("target/compiled/shop/models/orders.sql".into());
        Compiled { code: code.into(), compiled_path, ..Compiled::default() }
    }

    fn place(problem: &Diagnostic) -> (String, (usize, usize), &str) {
        let label = &problem.labels[0];
        let text = &label.source.text[label.span.start..label.span.end];
        (label.source.name.to_string(), label.source.position(label.span.start), text)
    }

    #[test]
    fn the_line_is_found_in_the_models_file() {
        let mut node = samples::model("orders");
        node.raw_code = "with a as (\n  select 1\n)\nselect * from nowhere\n".into();
        let message =
            "Catalog Error: Table with name nowhere does not exist!\n\nLINE 6: select * from nowhere\n                      ^";
        let found = located(&error(message), Some(&Resource::Node(Arc::new(node))), None);
        assert_eq!(found.message, "Catalog Error: Table with name nowhere does not exist!");
        assert_eq!(place(&found), ("models/orders.sql".to_owned(), (4, 15), "nowhere"));
    }

    #[test]
    fn what_jinja_wrote_is_found_in_the_compiled_sql() {
        let node = Resource::Node(Arc::new(samples::model("orders")));
        let code = "select\n  amount_1 + missing as total\nfrom t";
        let message = "Binder Error: no column\n\nLINE 3: ...amount_1 + missing as total...\n                      ^";
        let found = located(&error(message), Some(&node), Some(&compiled(code)));
        assert_eq!(place(&found), ("target/compiled/shop/models/orders.sql".to_owned(), (2, 14), "missing"));
    }

    #[test]
    fn without_a_line_the_authors_own_places_come_first() {
        let own = SourceText::new("models/orders.sql", "{{ m() }}");
        let problem = error("IO Error: disk full").at_with(&own, Span::new(3, 6), "called from here");
        let found = located(&problem, None, Some(&compiled("select 1")));
        assert_eq!(found.labels.len(), 1);
        assert_eq!(place(&found).0, "models/orders.sql");
        let strange = error("Parser Error\n\nLINE 1: \n^");
        assert_eq!(located(&strange, None, Some(&compiled("select 1"))).labels.len(), 1);
    }

    #[test]
    fn instead_of_a_built_in_macro_the_models_file_is_shown() {
        let mut node = samples::model("orders");
        node.raw_code = "{{ config(materialized='tabel') }}\nselect 1".into();
        let node = Resource::Node(Arc::new(node));
        let found = located(&error("No materialization 'tabel' was found"), Some(&node), None);
        assert_eq!(place(&found), ("models/orders.sql".to_owned(), (1, 25), "tabel"));
        let found = located(&error("This model has an enforced contract that failed."), Some(&node), None);
        assert_eq!(place(&found).1, (1, 1));
    }
}
