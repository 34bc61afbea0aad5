//! The names that dbt makes for generic tests: from the test, what it tests, and the arguments as Python prints them.

use std::fmt::Write as _;

use md5::{Digest, Md5};

use super::python;
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
            Json::Object(map) => parts.extend(map.values().map(python::text)),
            Json::Array(items) => parts.extend(items.iter().map(python::text)),
            scalar => parts.push(python::text(scalar)),
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
    text.push_str(&python::quoted(test_name));
    text.push_str(", 'namespace': ");
    text.push_str(&python::quoted(namespace.unwrap_or("None")));
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
                out.push_str(&python::quoted(key));
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
        scalar => out.push_str(&python::quoted(&python::text(scalar))),
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
}
