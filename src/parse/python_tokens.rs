//! Python's tokens, as far as finding calls with literal arguments needs them.

use crate::diagnostic::Span;

use super::python_model::PythonFault;

/// One token; comments and line ends are left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    pub kind: Kind,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    Name,
    Number,
    /// A string literal's value.
    Text(String),
    /// An f-string: the tokens of each of its expressions.
    Formatted(Vec<Vec<Token>>),
    Mark(char),
}

impl Token {
    pub fn text<'t>(&self, source: &'t str) -> &'t str {
        source.get(self.span.start..self.span.end).unwrap_or_default()
    }
}

/// Splits a text. Err is a string that is not closed.
pub fn tokens(text: &str) -> Result<Vec<Token>, PythonFault> {
    part(text, 0, text.len())
}

fn part(text: &str, start: usize, end: usize) -> Result<Vec<Token>, PythonFault> {
    let mut found = Vec::new();
    let mut at = start;
    while let Some(letter) = text[at..end].chars().next() {
        let from = at;
        let kind = if letter.is_whitespace() || letter == '\\' {
            at += letter.len_utf8();
            continue;
        } else if letter == '#' {
            at = text[at..end].find('\n').map_or(end, |line| at + line);
            continue;
        } else if letter == '"' || letter == '\'' {
            let (kind, next) = string(text, at, at, end)?;
            at = next;
            kind
        } else if letter.is_alphabetic() || letter == '_' {
            at = word_end(text, at, end);
            let is_prefix = at - from <= 2 && text[from..at].chars().all(|letter| "rRbBuUfF".contains(letter));
            if is_prefix && text[at..end].starts_with(['"', '\'']) {
                let (kind, next) = string(text, from, at, end)?;
                at = next;
                kind
            } else {
                Kind::Name
            }
        } else if letter.is_ascii_digit() {
            at = number_end(text, at, end);
            Kind::Number
        } else {
            at += letter.len_utf8();
            Kind::Mark(letter)
        };
        found.push(Token { kind, span: Span::new(from, at) });
    }
    Ok(found)
}

fn word_end(text: &str, at: usize, end: usize) -> usize {
    let word = &text[at..end];
    word.find(|letter: char| !letter.is_alphanumeric() && letter != '_').map_or(end, |length| at + length)
}

fn number_end(text: &str, at: usize, end: usize) -> usize {
    let mut length = 0;
    let bytes = &text.as_bytes()[at..end];
    while let Some(byte) = bytes.get(length) {
        let after_exponent = length > 0 && matches!(bytes[length - 1], b'e' | b'E') && !bytes.starts_with(b"0x");
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_') || (after_exponent && matches!(byte, b'+' | b'-')) {
            length += 1;
        } else {
            break;
        }
    }
    at + length
}

/// A string literal whose prefix begins at `from` and whose quotes begin at `at`: its kind, and where it ends.
fn string(text: &str, from: usize, at: usize, end: usize) -> Result<(Kind, usize), PythonFault> {
    let prefix = text[from..at].to_ascii_lowercase();
    let quote = &text[at..=at];
    let triple = text[at..end].starts_with(&quote.repeat(3));
    let delimiter = if triple { quote.repeat(3) } else { quote.to_owned() };
    let body = at + delimiter.len();
    let mut close = body;
    loop {
        let rest = text.get(close..end).unwrap_or_default();
        if rest.starts_with(&delimiter) {
            break;
        }
        match rest.chars().next() {
            Some('\\') => {
                close += 1;
                close += rest[1..].chars().next().map_or(0, char::len_utf8);
            }
            Some('\n') | None if !triple || rest.is_empty() => {
                let message = "this string is not closed".to_owned();
                return Err(PythonFault { message, span: Span::new(from, body) });
            }
            Some(letter) => close += letter.len_utf8(),
            None => {}
        }
    }
    let next = close + delimiter.len();
    let content = &text[body..close];
    if prefix.contains('f') {
        return Ok((Kind::Formatted(expressions(text, body, close)?), next));
    }
    Ok((Kind::Text(if prefix.contains('r') { content.to_owned() } else { unescaped(content) }), next))
}

/// The tokens between the braces of an f-string.
fn expressions(text: &str, start: usize, end: usize) -> Result<Vec<Vec<Token>>, PythonFault> {
    let mut found = Vec::new();
    let mut at = start;
    while let Some(open) = text[at..end].find('{') {
        let open = at + open + 1;
        let mut depth = 1_usize;
        let close = text[open..end].char_indices().find_map(|(offset, letter)| {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            (depth == 0).then_some(open + offset)
        });
        let Some(close) = close else { break };
        found.push(part(text, open, close)?);
        at = close + 1;
    }
    Ok(found)
}

fn unescaped(content: &str) -> String {
    let mut out = String::with_capacity(content.len());
    let mut letters = content.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('\n') | None => {}
            Some(quoted @ ('\\' | '\'' | '"')) => out.push(quoted),
            Some(kind @ ('x' | 'u' | 'U')) => {
                let length = match kind {
                    'x' => 2,
                    'u' => 4,
                    _ => 8,
                };
                let digits: String = letters.by_ref().take(length).collect();
                out.extend(u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32));
            }
            Some(other) => {
                out.push('\\');
                out.push(other);
            }
        }
    }
    out
}
