//! Python's `str()` and `repr()`.

use std::fmt::Write;

use minijinja::Value;
use minijinja::value::ValueKind;

use super::{Dict, Generator, InstanceObject, List, Range, Set, View, is_defined, pairs};

const DEEPEST: usize = 100;

/// Python's `str(value)`: what `{{ value }}` prints.
pub fn text(value: &Value) -> String {
    match value.as_str() {
        Some(text) if value.kind() == ValueKind::String => text.to_owned(),
        _ => {
            let mut out = String::new();
            write_text(&mut out, value);
            out
        }
    }
}

/// Python's `repr(value)`.
pub fn repr(value: &Value) -> String {
    let mut out = String::new();
    write_repr(&mut out, value, 0);
    out
}

/// Appends Python's `str(value)`.
pub(crate) fn write_text(out: &mut String, value: &Value) {
    match value.kind() {
        ValueKind::String => out.push_str(value.as_str().unwrap_or_default()),
        ValueKind::Undefined => {}
        _ => match value.downcast_object_ref::<InstanceObject>() {
            Some(instance) => out.push_str(&instance.0.text()),
            None if !is_defined(value) => {}
            None => write_repr(out, value, 0),
        },
    }
}

fn write_repr(out: &mut String, value: &Value, depth: usize) {
    if depth > DEEPEST {
        return out.push_str("[...]");
    }
    match value.kind() {
        ValueKind::String => quote(out, value.as_str().unwrap_or_default()),
        ValueKind::Bytes => bytes(out, value.as_bytes().unwrap_or_default()),
        ValueKind::Undefined => out.push_str("Undefined"),
        ValueKind::None => out.push_str("None"),
        ValueKind::Bool => out.push_str(if value.is_true() { "True" } else { "False" }),
        ValueKind::Number if value.is_integer() => {
            let _ = write!(out, "{value}");
        }
        ValueKind::Number => float(out, f64::try_from(value.clone()).unwrap_or_default()),
        _ => object(out, value, depth),
    }
}

fn object(out: &mut String, value: &Value, depth: usize) {
    if let Some(list) = value.downcast_object_ref::<List>() {
        sequence(out, ("[", "]"), list.snapshot(), depth);
    } else if let Some(dict) = value.downcast_object_ref::<Dict>() {
        mapping(out, dict.pairs(), depth);
    } else if let Some(instance) = value.downcast_object_ref::<InstanceObject>() {
        out.push_str(&instance.0.repr());
    } else if value.is_tuple() {
        let items: Vec<Value> = value.try_iter().map(Iterator::collect).unwrap_or_default();
        let end = if items.len() == 1 { ",)" } else { ")" };
        sequence(out, ("(", end), items, depth);
    } else if let Some(set) = value.downcast_object_ref::<Set>() {
        let items = set.snapshot();
        if items.is_empty() { out.push_str("set()") } else { sequence(out, ("{", "}"), items, depth) }
    } else if let Some(view) = value.downcast_object_ref::<View>() {
        let _ = write!(out, "{}(", view.kind.name());
        sequence(out, ("[", "]"), view.items(), depth);
        out.push(')');
    } else if let Some(range) = value.downcast_object_ref::<Range>() {
        let _ = write!(out, "{range}");
    } else if let Some(generator) = value.downcast_object_ref::<Generator>() {
        let _ = write!(out, "<generator object {}>", generator.name);
    } else if !is_defined(value) {
        out.push_str("Undefined");
    } else if let Some(pairs) = pairs(value) {
        mapping(out, pairs, depth);
    } else if value.kind() == ValueKind::Seq {
        sequence(out, ("[", "]"), value.try_iter().map(Iterator::collect).unwrap_or_default(), depth);
    } else {
        let _ = write!(out, "{value}");
    }
}

fn sequence(out: &mut String, (open, close): (&str, &str), items: Vec<Value>, depth: usize) {
    out.push_str(open);
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        write_repr(out, &item, depth + 1);
    }
    out.push_str(close);
}

fn mapping(out: &mut String, pairs: Vec<(Value, Value)>, depth: usize) {
    out.push('{');
    for (at, (key, value)) in pairs.into_iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        write_repr(out, &key, depth + 1);
        out.push_str(": ");
        write_repr(out, &value, depth + 1);
    }
    out.push('}');
}

/// A string literal: single quotes, unless only those occur in it.
fn quote(out: &mut String, text: &str) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            _ if character == quote => {
                out.push('\\');
                out.push(character);
            }
            _ if (character as u32) < 0x20 || (0x7f..0xa1).contains(&(character as u32)) || character == '\u{ad}' => {
                let _ = write!(out, "\\x{:02x}", character as u32);
            }
            _ if matches!(character as u32, 0x200b..=0x200f | 0x2028..=0x202e | 0xfeff) => {
                let _ = write!(out, "\\u{:04x}", character as u32);
            }
            _ => out.push(character),
        }
    }
    out.push(quote);
}

fn bytes(out: &mut String, bytes: &[u8]) {
    out.push_str("b'");
    for byte in bytes {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'\'' => out.push_str("\\'"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x20..=0x7e => out.push(char::from(*byte)),
            _ => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out.push('\'');
}

/// The shortest digits that read back as the same number, with an exponent from 1e16 on and below 1e-4.
pub(crate) fn float(out: &mut String, number: f64) {
    if number.is_nan() {
        return out.push_str("nan");
    }
    if number.is_infinite() {
        return out.push_str(if number > 0.0 { "inf" } else { "-inf" });
    }
    let size = number.abs();
    if size != 0.0 && !(1e-4..1e16).contains(&size) {
        let text = format!("{number:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
        let _ = write!(out, "{digits}e{sign}{exponent:0>2}");
        return;
    }
    let start = out.len();
    let _ = write!(out, "{number}");
    if !out[start..].contains('.') {
        out.push_str(".0");
    }
}

/// Python's name for the value's type: `int`, `list`, `NoneType` …
pub(crate) fn type_name(value: &Value) -> String {
    let name = match value.kind() {
        ValueKind::String => "str",
        ValueKind::Bytes => "bytes",
        ValueKind::Undefined => "Undefined",
        ValueKind::None => "NoneType",
        ValueKind::Bool => "bool",
        ValueKind::Number if value.is_integer() => "int",
        ValueKind::Number => "float",
        _ => {
            if let Some(instance) = value.downcast_object_ref::<InstanceObject>() {
                return instance.0.type_name().to_owned();
            }
            object_type_name(value)
        }
    };
    name.to_owned()
}

fn object_type_name(value: &Value) -> &'static str {
    if value.downcast_object_ref::<List>().is_some() {
        "list"
    } else if value.is_tuple() {
        "tuple"
    } else if value.downcast_object_ref::<Set>().is_some() {
        "set"
    } else if let Some(view) = value.downcast_object_ref::<View>() {
        view.kind.name()
    } else if value.downcast_object_ref::<Range>().is_some() {
        "range"
    } else if value.downcast_object_ref::<Generator>().is_some() {
        "generator"
    } else if !is_defined(value) {
        "Undefined"
    } else {
        match value.kind() {
            ValueKind::Map => "dict",
            ValueKind::Seq => "list",
            ValueKind::Iterable => "generator",
            _ => "function",
        }
    }
}
