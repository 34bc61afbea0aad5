//! Texts in Python's own notation, where dbt hashes them: checksums and ids depend on every character.

use std::fmt::Write as _;

use md5::{Digest, Md5};
use sha2::Sha256;

use crate::manifest::Json;

/// `repr` of a text: single quotes unless it holds some and no double ones.
pub fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for letter in text.chars() {
        match letter {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            letter if letter == quote => {
                out.push('\\');
                out.push(letter);
            }
            letter if (letter as u32) < 0x20 || letter as u32 == 0x7f => {
                let _ = write!(out, "\\x{:02x}", letter as u32);
            }
            letter => out.push(letter),
        }
    }
    out.push(quote);
    out
}

/// `repr` of a JSON value as Python holds it.
pub fn repr(value: &Json) -> String {
    match value {
        Json::Null => "None".to_owned(),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        Json::Number(number) => float_or_int(number),
        Json::String(text) => quoted(text),
        Json::Array(items) => format!("[{}]", items.iter().map(repr).collect::<Vec<_>>().join(", ")),
        Json::Object(map) => {
            let entries: Vec<String> = map.iter().map(|(key, value)| format!("{}: {}", quoted(key), repr(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

/// `str` of a value: like [`repr`], but a text stands for itself.
pub fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| repr(value), str::to_owned)
}

fn float_or_int(number: &serde_json::Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() => {
            let short = format!("{float:?}");
            match short.split_once('e') {
                Some((digits, power)) => {
                    let (sign, power) = power.strip_prefix('-').map_or(('+', power), |power| ('-', power));
                    format!("{}e{sign}{power:0>2}", digits.strip_suffix(".0").unwrap_or(digits))
                }
                None => short,
            }
        }
        _ => number.to_string(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

pub fn md5(text: &str) -> String {
    hex(&Md5::digest(text.as_bytes()))
}

pub fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_read_as_python_prints_them() {
        let value = json!({"a": [1, 2.5, null, true], "it's": "say \"hi\" it's"});
        assert_eq!(repr(&value), r#"{'a': [1, 2.5, None, True], "it's": 'say "hi" it\'s'}"#);
        assert_eq!(text(&json!("plain")), "plain");
        assert_eq!(repr(&json!(1e20)), "1e+20");
    }
}
