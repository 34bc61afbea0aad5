//! The names that dbt makes for generic tests: from the test, what it tests, and the arguments as Python prints them.

use std::fmt::Write as _;

use md5::{Digest, Md5};

use crate::manifest::{Json, JsonMap};

/// A test's names: dbt's file name (and alias) is shortened where the full one has 64 characters or more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestNames {
    pub short: String,
    pub full: String,
}

/// The name of a test of `kind` (`unique`, `source_not_null`, `dbt_utils_equality`) on `target` with its arguments.
pub fn synthesize(kind: &str, target: &str, arguments: &JsonMap) -> TestNames {
    let mut names: Vec<&String> = arguments.keys().filter(|name| *name != "model").collect();
    names.sort();
    let mut parts = Vec::new();
    for name in names {
        match &arguments[name] {
            Json::Object(map) => parts.extend(map.values().map(python_str)),
            Json::Array(items) => parts.extend(items.iter().map(python_str)),
            scalar => parts.push(python_str(scalar)),
        }
    }
    let parts: Vec<String> = parts.iter().map(|part| only_word_characters(part)).collect();
    let identifier = format!("{kind}_{target}");
    let full = format!("{identifier}_{}", parts.join("__"));
    let short = if full.chars().count() < 64 {
        full.clone()
    } else {
        let start: String = identifier.chars().take(30).collect();
        format!("{start}_{}", md5_hex(&full))
    };
    TestNames { short, full }
}

/// The last part of a generic test's unique id: ten digits of a hash over its name and its metadata as Python prints them.
pub fn id_hash(name: &str, namespace: Option<&str>, test_name: &str, kwargs: &JsonMap) -> String {
    let mut text = String::from(name);
    text.push_str("{'kwargs': ");
    hashable(&Json::Object(kwargs.clone()), &mut text);
    text.push_str(", 'name': ");
    text.push_str(&python_quoted(test_name));
    text.push_str(", 'namespace': ");
    text.push_str(&python_quoted(namespace.unwrap_or("None")));
    text.push('}');
    let digest = md5_hex(&text);
    digest[digest.len() - 10..].to_owned()
}

/// Maps with sorted keys, lists as they are, and every other value as the text of it.
fn hashable(value: &Json, out: &mut String) {
    match value {
        Json::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            out.push('{');
            for (index, key) in keys.into_iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                out.push_str(&python_quoted(key));
                out.push_str(": ");
                hashable(&map[key], out);
            }
            out.push('}');
        }
        Json::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                hashable(item, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&python_quoted(&python_str(scalar))),
    }
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn md5_hex(text: &str) -> String {
    hex(&Md5::digest(text.as_bytes()))
}

/// Every run of other characters than ASCII letters, digits and `_` becomes one `_`.
fn only_word_characters(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_run = false;
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() || letter == '_' {
            out.push(letter);
            in_run = false;
        } else if !in_run {
            out.push('_');
            in_run = true;
        }
    }
    out
}

/// A value as Python's `str()` gives it.
pub fn python_str(value: &Json) -> String {
    if let Json::String(text) = value { text.clone() } else { python_repr(value) }
}

/// A value as Python's `repr()` gives it.
pub fn python_repr(value: &Json) -> String {
    match value {
        Json::Null => "None".to_owned(),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        Json::Number(number) if number.is_f64() => python_float(number.as_f64().unwrap_or_default()),
        Json::Number(number) => number.to_string(),
        Json::String(text) => python_quoted(text),
        Json::Array(items) => format!("[{}]", items.iter().map(python_repr).collect::<Vec<_>>().join(", ")),
        Json::Object(map) => {
            let entries = map.iter().map(|(key, value)| format!("{}: {}", python_quoted(key), python_repr(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// The shortest digits that read back as the same number; an exponent below 1e-4 and from 1e16.
fn python_float(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if number == 0.0 || (-4..16).contains(&exponent) {
        let plain = number.to_string();
        return if plain.contains('.') { plain } else { format!("{plain}.0") };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// Text in quotes: single ones, unless it has a single one and no double one.
fn python_quoted(text: &str) -> String {
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
            letter if !is_printable(letter) => {
                let code = letter as u32;
                // Writing to a String cannot fail.
                let _ = match code {
                    0..=0xff => write!(out, "\\x{code:02x}"),
                    0x100..=0xffff => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
            }
            letter => out.push(letter),
        }
    }
    out.push(quote);
    out
}

/// Python's `str.isprintable`, for what can stand in a YAML file: controls, separators and format characters are not.
fn is_printable(letter: char) -> bool {
    if letter.is_ascii() {
        return !letter.is_ascii_control();
    }
    !letter.is_control()
        && !letter.is_whitespace()
        && !matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{e000}'..='\u{f8ff}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: Json) -> JsonMap {
        if let Json::Object(map) = value { map } else { JsonMap::new() }
    }

    #[test]
    fn a_column_test_is_named_after_test_model_and_column() {
        let kwargs = map(json!({"column_name": "customer_id", "model": "{{ get_where_subquery(ref('customers')) }}"}));
        let names = synthesize("unique", "customers", &kwargs);
        assert_eq!(names.full, "unique_customers_customer_id");
        assert_eq!(names.short, names.full);
        assert_eq!(id_hash(&names.full, None, "unique", &kwargs), "c5af1ff4b1");
    }

    #[test]
    fn a_long_name_is_cut_and_hashed() {
        let kwargs =
            map(json!({"column_name": "status", "values": ["placed", "shipped", "completed", "return_pending", "returned"],
            "model": "{{ get_where_subquery(ref('orders')) }}"}));
        let names = synthesize("accepted_values", "orders", &kwargs);
        assert_eq!(names.full, "accepted_values_orders_status__placed__shipped__completed__return_pending__returned");
        assert_eq!(names.short, "accepted_values_orders_1ce6ab157c285f7cd2ac656013faf758");
        assert_eq!(id_hash(&names.full, None, "accepted_values", &kwargs), "be6b5b5ec3");
    }

    #[test]
    fn values_print_as_in_python() {
        let cases = [
            (json!(null), "None"),
            (json!(true), "True"),
            (json!(1.0), "1.0"),
            (json!(1e16), "1e+16"),
            (json!(0.000_01), "1e-05"),
            (json!(["it's", "\"", 'é']), r#"["it's", '"', 'é']"#),
            (json!({"a": {"b": "x\ny"}}), r"{'a': {'b': 'x\ny'}}"),
        ];
        for (value, expected) in cases {
            assert_eq!(python_repr(&value), expected);
        }
    }
}
