//! `fromyaml` and `toyaml`: PyYAML's `safe_load` and `safe_dump`.

use minijinja::Value;

use crate::diagnostic::{SourceText, any_error};
use crate::jinja::filters::json_text;
use crate::jinja::value::from_json;
use crate::jinja::value::write_float;
use crate::manifest::Json;

/// Lines are folded from here on, as PyYAML does.
const WIDTH: usize = 80;

/// A YAML document as fresh values; None if it is no YAML.
pub(in crate::jinja) fn read(text: &str) -> Option<Value> {
    let (yaml, diagnostics) = crate::yaml::read(&SourceText::new("<fromyaml>", text));
    if any_error(&diagnostics) {
        return None;
    }
    Some(from_json(&yaml?.to_json()))
}

/// JSON as a YAML document in block style.
pub(in crate::jinja) fn write(json: &Json, sorted: bool) -> String {
    write_as(json, Style { sorted, lists_indented: false })
}

/// JSON as dbt writes its package files: keys sorted, lists two further than their keys.
pub fn write_packages(json: &Json) -> String {
    write_as(json, Style { sorted: true, lists_indented: true })
}

#[derive(Clone, Copy)]
struct Style {
    sorted: bool,
    lists_indented: bool,
}

fn write_as(json: &Json, style: Style) -> String {
    let mut out = String::new();
    match json {
        Json::Object(map) if !map.is_empty() => block(&mut out, json, style, 0),
        Json::Array(items) if !items.is_empty() => block(&mut out, json, style, 0),
        Json::Object(_) => out.push_str("{}\n"),
        Json::Array(_) => out.push_str("[]\n"),
        scalar => {
            let text = scalar_text(scalar, 0);
            let plain = !text.starts_with(['\'', '"']);
            out.push_str(&text);
            out.push_str(if plain { "\n...\n" } else { "\n" });
        }
    }
    out
}

fn block(out: &mut String, json: &Json, style: Style, indent: usize) {
    match json {
        Json::Object(map) => {
            let mut pairs: Vec<(&String, &Json)> = map.iter().collect();
            if style.sorted {
                pairs.sort_by_key(|(key, _)| *key);
            }
            for (at, (key, value)) in pairs.into_iter().enumerate() {
                if at > 0 {
                    out.push_str(&" ".repeat(indent));
                }
                out.push_str(&string(key, 0));
                out.push(':');
                value_after_key(out, value, style, indent);
            }
        }
        Json::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push_str(&" ".repeat(indent));
                }
                out.push('-');
                if is_block(item) {
                    out.push(' ');
                    block(out, item, style, indent + 2);
                } else {
                    out.push(' ');
                    out.push_str(&scalar_text(item, indent + 2));
                    out.push('\n');
                }
            }
        }
        _ => {}
    }
}

/// A list stands at its key's own depth, unless the style says otherwise; a mapping two further.
fn value_after_key(out: &mut String, value: &Json, style: Style, indent: usize) {
    if !is_block(value) {
        out.push(' ');
        out.push_str(&scalar_text(value, indent + 2));
        out.push('\n');
        return;
    }
    out.push('\n');
    let indent = if value.is_array() && !style.lists_indented { indent } else { indent + 2 };
    out.push_str(&" ".repeat(indent));
    block(out, value, style, indent);
}

fn is_block(json: &Json) -> bool {
    match json {
        Json::Object(map) => !map.is_empty(),
        Json::Array(items) => !items.is_empty(),
        _ => false,
    }
}

fn scalar_text(json: &Json, indent: usize) -> String {
    match json {
        Json::Null => "null".to_owned(),
        Json::Bool(truth) => truth.to_string(),
        Json::Number(number) if number.is_f64() => float(number.as_f64().unwrap_or_default()),
        Json::Number(number) => number.to_string(),
        Json::String(text) => string(text, indent),
        Json::Array(_) => "[]".to_owned(),
        Json::Object(_) => "{}".to_owned(),
    }
}

fn float(number: f64) -> String {
    let mut text = String::new();
    write_float(&mut text, number);
    if !text.contains('.') && text.contains('e') {
        text = text.replacen('e', ".0e", 1);
    }
    text
}

/// A text in PyYAML's choice of style: plain, single quotes, or double quotes.
fn string(text: &str, indent: usize) -> String {
    if text.chars().any(|character| character.is_control() && character != '\n') || !text.is_ascii() {
        return double_quoted(text);
    }
    if text.contains('\n') || needs_quotes(text) {
        return folded(&single_quoted(text, indent), indent);
    }
    folded(text, indent)
}

/// Whether plain text would be read as something else.
fn needs_quotes(text: &str) -> bool {
    let Some(first) = text.chars().next() else { return true };
    let reserved = "#,[]{}&*!|>'\"%@`";
    let starts = reserved.contains(first)
        || (matches!(first, '-' | '?' | ':') && text[1..].chars().next().is_none_or(char::is_whitespace))
        || text.starts_with("---")
        || text.starts_with("...")
        || text == "=";
    let inner = text.contains(": ") || text.contains(" #") || text.ends_with(':');
    let spaces = text.starts_with(' ') || text.ends_with(' ');
    starts || inner || spaces || !is_text(text)
}

/// Whether YAML reads the plain text as text again, not as a number, date or truth value.
fn is_text(text: &str) -> bool {
    let (yaml, _) = crate::yaml::read(&SourceText::new("<toyaml>", text));
    let date = regex::Regex::new(r"^\d{4}-\d\d?-\d\d?([Tt ]|$)").is_ok_and(|date| date.is_match(text));
    !date && yaml.is_some_and(|yaml| yaml.as_str() == Some(text))
}

fn single_quoted(text: &str, indent: usize) -> String {
    let lines = format!("\n\n{}", " ".repeat(indent));
    format!("'{}'", text.replace('\'', "''").replace('\n', &lines))
}

fn double_quoted(text: &str) -> String {
    json_text(&Json::String(text.to_owned()), false, None)
}

/// Breaks long text at spaces, as PyYAML does beyond its width.
fn folded(text: &str, indent: usize) -> String {
    if text.len() + indent <= WIDTH || text.contains('\n') {
        return text.to_owned();
    }
    let (mut out, mut column) = (String::new(), indent);
    for word in text.split(' ') {
        if column > WIDTH && !out.is_empty() {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            column = indent;
        } else if !out.is_empty() {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += word.chars().count();
    }
    out
}
