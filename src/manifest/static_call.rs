//! `ref('x')` and `source('a', 'b')` read without Jinja, where dbt reads them so: foreign keys, inputs of unit tests,
//! a semantic model's `model:`.

use super::{RefCall, VersionText};

/// What an expression names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    Ref(RefCall),
    Source(String, String),
}

/// Reads an expression that is one call of `ref` or `source` with constant arguments; None for anything else.
pub fn read(expression: &str) -> Option<Named> {
    let text = expression.trim();
    let (name, rest) = text.split_once('(')?;
    let inside = rest.trim_end().strip_suffix(')')?;
    let arguments = arguments(inside)?;
    let positional: Vec<&str> =
        arguments.iter().filter(|argument| argument.key.is_none()).map(|argument| argument.text.as_str()).collect();
    match name.trim() {
        "ref" => {
            if arguments.iter().any(|argument| argument.key.as_deref().is_some_and(|key| !matches!(key, "version" | "v"))) {
                return None;
            }
            let named = arguments.iter().find(|argument| matches!(argument.key.as_deref(), Some("version" | "v")));
            let version = named.map(|argument| VersionText { text: argument.text.clone(), number: argument.number });
            let (package, name) = match positional[..] {
                [name] => (None, name),
                [package, name] => (Some(package.to_owned()), name),
                _ => return None,
            };
            Some(Named::Ref(RefCall { package, name: name.to_owned(), version }))
        }
        "source" => {
            let named = |key: &str| arguments.iter().find(|argument| argument.key.as_deref() == Some(key));
            match (&positional[..], named("source_name"), named("table_name"), arguments.len()) {
                ([source, table], None, None, 2) => Some(Named::Source((*source).to_owned(), (*table).to_owned())),
                ([source], None, Some(table), 2) => Some(Named::Source((*source).to_owned(), table.text.clone())),
                ([], Some(source), Some(table), 2) => Some(Named::Source(source.text.clone(), table.text.clone())),
                _ => None,
            }
        }
        _ => None,
    }
}

struct Argument {
    key: Option<String>,
    text: String,
    number: bool,
}

fn arguments(mut rest: &str) -> Option<Vec<Argument>> {
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Some(found);
        }
        let mut key = None;
        let word = rest.find(|letter: char| !(letter.is_alphanumeric() || letter == '_')).unwrap_or(rest.len());
        let after = rest[word..].trim_start();
        if word > 0 && after.starts_with('=') {
            key = Some(rest[..word].to_owned());
            rest = after[1..].trim_start();
        }
        let (text, number, after) = constant(rest)?;
        found.push(Argument { key, text, number });
        rest = after.trim_start();
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None if rest.is_empty() => {}
            None => return None,
        }
    }
}

/// A quoted text or a number, and what follows it.
fn constant(text: &str) -> Option<(String, bool, &str)> {
    let quote = text.chars().next()?;
    if quote == '\'' || quote == '"' {
        let end = text[1..].find(quote)? + 1;
        return Some((text[1..end].to_owned(), false, &text[end + 1..]));
    }
    let end = text.find(|letter: char| !(letter.is_ascii_digit() || letter == '.')).unwrap_or(text.len());
    (end > 0).then(|| (text[..end].to_owned(), true, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(package: Option<&str>, name: &str, version: Option<(&str, bool)>) -> Option<Named> {
        let version = version.map(|(text, number)| VersionText { text: text.to_owned(), number });
        Some(Named::Ref(RefCall { package: package.map(str::to_owned), name: name.to_owned(), version }))
    }

    #[test]
    fn calls_with_constants_are_read() {
        assert_eq!(read("ref('a')"), reference(None, "a", None));
        assert_eq!(read(" ref( \"p\", 'a', version=2 ) "), reference(Some("p"), "a", Some(("2", true))));
        assert_eq!(read("ref('a', v='beta')"), reference(None, "a", Some(("beta", false))));
        for text in ["source('s', 't')", "source('s', table_name='t')", "source(table_name='t', source_name='s')"] {
            assert_eq!(read(text), Some(Named::Source("s".to_owned(), "t".to_owned())), "{text}");
        }
    }

    #[test]
    fn all_else_is_not() {
        for text in [
            "ref(name)",
            "ref('a', 'b', 'c')",
            "ref('a', label='x')",
            "source('s', name='t')",
            "this",
            "ref('a') ~ 'x'",
            "source('a')",
            "ref('a",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
