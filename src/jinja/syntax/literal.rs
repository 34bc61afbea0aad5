//! String literals as Python reads their escapes.

/// The string that a quoted literal (quotes included) stands for.
pub(in crate::jinja) fn unquote(literal: &str) -> String {
    let inner = literal.get(1..literal.len().saturating_sub(1)).unwrap_or_default();
    if inner.contains(['\\', '\r']) { unescape(&inner.replace("\r\n", "\n")) } else { inner.to_owned() }
}

/// Whether minijinja would read the literal otherwise than Python does.
pub(super) fn is_peculiar(literal: &str) -> bool {
    let mut characters = literal.chars();
    while let Some(character) = characters.next() {
        if character == '\\' && !matches!(characters.next(), Some('n' | 't' | 'r' | '\\' | '\'' | '"')) {
            return true;
        }
    }
    false
}

/// A literal that minijinja reads as `value`.
pub(super) fn quote(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for character in value.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}

fn unescape(inner: &str) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(code) = rest.chars().next() else {
            out.push('\\');
            break;
        };
        let (text, used) = escape(code, rest);
        match text {
            Escape::Character(character) => out.push(character),
            Escape::Nothing => {}
            Escape::AsWritten => out.extend(['\\', code]),
        }
        rest = &rest[used..];
    }
    out.push_str(rest);
    out
}

/// What an escape stands for.
enum Escape {
    Character(char),
    /// A line end that the backslash takes away.
    Nothing,
    /// It is none: the backslash stays.
    AsWritten,
}

/// Reads the escape that begins with `code`; gives the length it takes, too.
fn escape(code: char, rest: &str) -> (Escape, usize) {
    let simple = |character: char| (Escape::Character(character), 1);
    let number = |number: u32| char::from_u32(number).map_or(Escape::Nothing, Escape::Character);
    let hex = |digits: usize| match rest.get(1..=digits).and_then(|text| u32::from_str_radix(text, 16).ok()) {
        Some(code) => (number(code), digits + 1),
        None => (Escape::AsWritten, 1),
    };
    match code {
        'n' => simple('\n'),
        't' => simple('\t'),
        'r' => simple('\r'),
        'a' => simple('\x07'),
        'b' => simple('\x08'),
        'f' => simple('\x0c'),
        'v' => simple('\x0b'),
        '\\' | '\'' | '"' => simple(code),
        '\n' => (Escape::Nothing, 1),
        'x' => hex(2),
        'u' => hex(4),
        'U' => hex(8),
        '0'..='7' => {
            let digits = rest.bytes().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
            (number(u32::from_str_radix(&rest[..digits], 8).unwrap_or_default()), digits)
        }
        _ => (Escape::AsWritten, code.len_utf8()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_as_in_python() {
        assert_eq!(unquote(r"'\s\d\/'"), r"\s\d\/");
        assert_eq!(unquote(r"'a\'b\x41\u00e9\101\n'"), "a'bA\u{e9}A\n");
        assert_eq!(unquote("'a\\\nb'"), "ab");
        assert!(is_peculiar(r"'\s'") && !is_peculiar(r"'\n\''"));
        assert_eq!(quote("a\"\\\n"), r#""a\"\\\n""#);
    }
}
