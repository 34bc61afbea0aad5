//! Tokens inside a tag.

use super::Fault;
use crate::diagnostic::Span;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Name,
    Text,
    Number,
    Plus,
    Minus,
    Star,
    Power,
    Slash,
    Floor,
    Percent,
    Tilde,
    Dot,
    Comma,
    Colon,
    Semicolon,
    Assign,
    Pipe,
    Equal,
    Unequal,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    ParenOpen,
    ParenClose,
    BracketOpen,
    BracketClose,
    BraceOpen,
    BraceClose,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
}

impl Token {
    pub fn text<'t>(&self, text: &'t str) -> &'t str {
        &text[self.start..self.end]
    }
}

/// Appends the tokens of `text[span]` to `tokens`.
pub(super) fn tokenize(text: &str, span: Span, tokens: &mut Vec<Token>) -> Result<(), Fault> {
    let bytes = &text.as_bytes()[..span.end];
    let mut at = span.start;
    while at < span.end {
        let byte = bytes[at];
        if byte.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let (kind, end) = match byte {
            b'\'' | b'"' => (Kind::Text, string_end(bytes, at).ok_or_else(|| unexpected(text, at, span.end))?),
            b'0'..=b'9' => {
                let after_dot = tokens.last().is_some_and(|last| last.kind == Kind::Dot && last.end == at);
                (Kind::Number, number_end(bytes, at, after_dot))
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => (Kind::Name, name_end(text, at, span.end)),
            _ => operator(bytes, at).ok_or_else(|| unexpected(text, at, span.end))?,
        };
        if end == at {
            return Err(unexpected(text, at, span.end));
        }
        tokens.push(Token { kind, start: at, end });
        at = end;
    }
    Ok(())
}

fn unexpected(text: &str, at: usize, limit: usize) -> Fault {
    let character = text[at..].chars().next().unwrap_or_default();
    Fault::new(format!("unexpected char {character:?}"), at, (at + character.len_utf8()).min(limit))
}

fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let quote = bytes[start];
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'\\' => at += 2,
            byte if *byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
}

fn name_end(text: &str, start: usize, limit: usize) -> usize {
    let part = |character: char| character == '_' || character.is_alphanumeric();
    let mut characters = text[start..limit].char_indices();
    match characters.next() {
        Some((_, first)) if first == '_' || first.is_alphabetic() => {}
        _ => return start,
    }
    characters.find(|(_, character)| !part(*character)).map_or(limit, |(at, _)| start + at)
}

/// Integers with underscores, other bases, fractions and exponents, as Jinja2 lexes them.
fn number_end(bytes: &[u8], start: usize, after_dot: bool) -> usize {
    let digits = |from: usize, accept: fn(&u8) -> bool| {
        bytes[from..].iter().take_while(|byte| accept(byte) || **byte == b'_').count() + from
    };
    if bytes[start] == b'0' && !after_dot {
        let accept: Option<fn(&u8) -> bool> = match bytes.get(start + 1) {
            Some(b'x' | b'X') => Some(u8::is_ascii_hexdigit),
            Some(b'o' | b'O') => Some(|byte| (b'0'..=b'7').contains(byte)),
            Some(b'b' | b'B') => Some(|byte| (b'0'..=b'1').contains(byte)),
            _ => None,
        };
        if let Some(accept) = accept {
            let end = digits(start + 2, accept);
            if end > start + 2 {
                return end;
            }
        }
    }
    let mut end = digits(start, u8::is_ascii_digit);
    if after_dot {
        return end;
    }
    if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
        end = digits(end + 1, u8::is_ascii_digit);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        if bytes.get(end + 1 + sign).is_some_and(u8::is_ascii_digit) {
            end = digits(end + 1 + sign, u8::is_ascii_digit);
        }
    }
    end
}

fn operator(bytes: &[u8], at: usize) -> Option<(Kind, usize)> {
    let pair = match (bytes[at], bytes.get(at + 1)) {
        (b'*', Some(b'*')) => Some(Kind::Power),
        (b'/', Some(b'/')) => Some(Kind::Floor),
        (b'=', Some(b'=')) => Some(Kind::Equal),
        (b'!', Some(b'=')) => Some(Kind::Unequal),
        (b'<', Some(b'=')) => Some(Kind::LessEqual),
        (b'>', Some(b'=')) => Some(Kind::GreaterEqual),
        _ => None,
    };
    if let Some(kind) = pair {
        return Some((kind, at + 2));
    }
    let kind = match bytes[at] {
        b'+' => Kind::Plus,
        b'-' => Kind::Minus,
        b'*' => Kind::Star,
        b'/' => Kind::Slash,
        b'%' => Kind::Percent,
        b'~' => Kind::Tilde,
        b'.' => Kind::Dot,
        b',' => Kind::Comma,
        b':' => Kind::Colon,
        b';' => Kind::Semicolon,
        b'=' => Kind::Assign,
        b'|' => Kind::Pipe,
        b'<' => Kind::Less,
        b'>' => Kind::Greater,
        b'(' => Kind::ParenOpen,
        b')' => Kind::ParenClose,
        b'[' => Kind::BracketOpen,
        b']' => Kind::BracketClose,
        b'{' => Kind::BraceOpen,
        b'}' => Kind::BraceClose,
        _ => return None,
    };
    Some((kind, at + 1))
}
