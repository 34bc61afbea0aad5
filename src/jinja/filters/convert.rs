//! Filters that change a value's form: JSON, and dbt's `as_native` and its like.

use std::fmt::Write;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::ValueKind;

use super::Filter;
use crate::jinja::render::RenderState;
use crate::jinja::value::{
    Instance, downcast, instance, items, list, none, repr, text, to_json, tuple, undefined_message, write_float,
};
use crate::jinja::{Args, Cx, Error, ErrorKind};
use crate::manifest::Json;

pub(super) const FILTERS: &[(&str, Filter)] = &[
    ("tojson", |_, args| {
        let json = to_json(args.subject())?;
        let indent = args.whole(1, "indent")?.and_then(|width| usize::try_from(width).ok());
        Ok(Value::from(html_safe(&json_text(&json, true, indent))))
    }),
    ("pprint", |_, args| Ok(Value::from(repr(args.subject())))),
    ("as_text", |cx, args| Ok(mark(cx, args, Wanted::Text))),
    ("as_bool", |cx, args| Ok(mark(cx, args, Wanted::Bool))),
    ("as_native", |cx, args| Ok(mark(cx, args, Wanted::Any))),
    ("as_number", |cx, args| Ok(mark(cx, args, Wanted::Number))),
    ("_take", take),
];

/// Python's `json.dumps`: `, ` and `: ` between, everything beyond ASCII escaped.
pub(in crate::jinja) fn json_text(json: &Json, sorted: bool, indent: Option<usize>) -> String {
    let mut out = String::new();
    write_json(&mut out, json, sorted, indent, 0);
    out
}

fn write_json(out: &mut String, json: &Json, sorted: bool, indent: Option<usize>, depth: usize) {
    let line = |out: &mut String, depth: usize| {
        if let Some(width) = indent {
            out.push('\n');
            out.push_str(&" ".repeat(width * depth));
        }
    };
    let comma = |out: &mut String, at: usize| {
        if at > 0 {
            out.push_str(if indent.is_some() { "," } else { ", " });
        }
    };
    match json {
        Json::Null => out.push_str("null"),
        Json::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Json::Number(number) if number.is_f64() => write_float(out, number.as_f64().unwrap_or_default()),
        Json::Number(number) => out.push_str(&number.to_string()),
        Json::String(text) => json_string(out, text),
        Json::Array(items) if items.is_empty() => out.push_str("[]"),
        Json::Object(map) if map.is_empty() => out.push_str("{}"),
        Json::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                comma(out, at);
                line(out, depth + 1);
                write_json(out, item, sorted, indent, depth + 1);
            }
            line(out, depth);
            out.push(']');
        }
        Json::Object(map) => {
            let mut pairs: Vec<(&String, &Json)> = map.iter().collect();
            if sorted {
                pairs.sort_by_key(|(key, _)| *key);
            }
            out.push('{');
            for (at, (key, value)) in pairs.into_iter().enumerate() {
                comma(out, at);
                line(out, depth + 1);
                json_string(out, key);
                out.push_str(": ");
                write_json(out, value, sorted, indent, depth + 1);
            }
            line(out, depth);
            out.push('}');
        }
    }
}

fn json_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

/// As Jinja2's own `tojson` filter makes JSON fit for HTML.
fn html_safe(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026").replace('\'', "\\u0027")
}

/// What an `as_…` filter asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Text,
    Bool,
    Number,
    Any,
}

/// A text that a native render shall convert, if it is all that the render gives.
#[derive(Debug)]
struct Marked {
    text: String,
    wanted: Wanted,
}

impl Instance for Marked {
    fn type_name(&self) -> &'static str {
        "str"
    }

    fn text(&self) -> String {
        self.text.clone()
    }
}

/// Outside of native renders these filters change nothing.
fn mark(cx: &Cx<'_>, args: &Args, wanted: Wanted) -> Value {
    let native = cx.render_state().and_then(|render| render.text.as_ref()).is_some_and(|text| text.native);
    if !native {
        return args.subject().clone();
    }
    instance(Arc::new(Marked { text: text(args.subject()), wanted }))
}

/// Hands a value out of a native render; in its place stands a mark.
fn take(cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
    if let Some(message) = undefined_message(args.subject())
        && cx.host().is_some_and(|host| host.undefined() == crate::jinja::Undefined::Strict)
    {
        return Err(Error::new(ErrorKind::Undefined, message));
    }
    let number = cx.render_state().map_or(0, |render: &RenderState| render.root.take(args.subject().clone()));
    Ok(Value::from(format!("\0\u{1}{number}\0")))
}

/// The text of a native render with its values in their places.
pub(in crate::jinja) fn fill_taken(rendered: &str, taken: &[Value]) -> String {
    let mut out = String::with_capacity(rendered.len());
    let mut rest = rendered;
    while let Some(at) = rest.find("\0\u{1}") {
        out.push_str(&rest[..at]);
        rest = &rest[at + 2..];
        let end = rest.find('\0').unwrap_or(rest.len());
        if let Some(value) = rest[..end].parse::<usize>().ok().and_then(|number| taken.get(number)) {
            out.push_str(&text(value));
        }
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// The one value of a native render; marked text is read as the literal it is.
pub(in crate::jinja) fn native_value(value: Value) -> Result<Value, Error> {
    let Some(marked) = downcast::<Marked>(&value) else { return Ok(value) };
    if marked.wanted == Wanted::Text {
        return Ok(Value::from(marked.text.as_str()));
    }
    let found = literal(&marked.text).unwrap_or_else(|| Value::from(marked.text.as_str()));
    let could_not = |kind: &str| Err(Error::compilation(format!("Could not convert value '{}' into type '{kind}'", marked.text)));
    match marked.wanted {
        Wanted::Bool if found.kind() != ValueKind::Bool => could_not("bool"),
        Wanted::Number if !found.is_number() => could_not("number"),
        _ => Ok(found),
    }
}

/// Python's `literal_eval`: numbers, strings, lists, tuples, dicts, `True`, `False`, `None`.
fn literal(source: &str) -> Option<Value> {
    let mut reader = Literal { rest: source.trim() };
    let value = reader.value(0)?;
    reader.space();
    reader.rest.is_empty().then_some(value)
}

struct Literal<'t> {
    rest: &'t str,
}

impl Literal<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, wanted: char) -> bool {
        self.space();
        let found = self.rest.strip_prefix(wanted);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        self.space();
        if depth > 100 {
            return None;
        }
        match self.rest.chars().next()? {
            '[' => self.items('[', ']', depth).map(|(items, _)| list(items)),
            '(' => {
                let (mut items, comma) = self.items('(', ')', depth)?;
                if items.len() == 1 && !comma { items.pop() } else { Some(tuple(items)) }
            }
            '{' => self.dict(depth),
            '\'' | '"' => self.string(),
            '-' | '+' | '.' | '0'..='9' => self.number(),
            _ => {
                let words = [("True", Value::from(true)), ("False", Value::from(false)), ("None", none())];
                let (word, value) = words.into_iter().find(|(word, _)| self.rest.starts_with(word))?;
                self.rest = &self.rest[word.len()..];
                Some(value)
            }
        }
    }

    fn items(&mut self, open: char, close: char, depth: usize) -> Option<(Vec<Value>, bool)> {
        let (mut found, mut comma) = (Vec::new(), false);
        self.eat(open);
        while !self.eat(close) {
            if !found.is_empty() && !comma {
                return None;
            }
            found.push(self.value(depth + 1)?);
            comma = self.eat(',');
        }
        Some((found, comma))
    }

    fn dict(&mut self, depth: usize) -> Option<Value> {
        let (mut found, mut comma) = (Vec::new(), true);
        self.eat('{');
        while !self.eat('}') {
            if !comma {
                return None;
            }
            let key = self.value(depth + 1)?;
            if !self.eat(':') {
                return None;
            }
            found.push((key, self.value(depth + 1)?));
            comma = self.eat(',');
        }
        Some(crate::jinja::dict(found))
    }

    fn string(&mut self) -> Option<Value> {
        let quote = self.rest.chars().next()?;
        let bytes = self.rest.as_bytes();
        let mut at = 1;
        while *bytes.get(at)? != quote as u8 {
            at += if bytes[at] == b'\\' { 2 } else { 1 };
        }
        let (literal, rest) = self.rest.split_at_checked(at + 1)?;
        self.rest = rest;
        Some(Value::from(crate::jinja::syntax::unquote(literal)))
    }

    fn number(&mut self) -> Option<Value> {
        let signs = self.rest.len() - self.rest.trim_start_matches(['-', '+']).len();
        let body = &self.rest[signs..];
        let mut end = 0;
        for (at, character) in body.char_indices() {
            let exponent_sign = matches!(character, '+' | '-') && body[..at].ends_with(['e', 'E']);
            if !(character.is_ascii_alphanumeric() || character == '.' || character == '_' || exponent_sign) {
                break;
            }
            end = at + 1;
        }
        let digits = body[..end].replace('_', "");
        let negative = self.rest[..signs].matches('-').count() % 2 == 1;
        self.rest = &body[end..];
        if digits.len() > 1
            && digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.trim_matches('0').is_empty()
        {
            return None;
        }
        if let Ok(whole) = digits.parse::<i64>() {
            return Some(Value::from(if negative { -whole } else { whole }));
        }
        let float = digits.parse::<f64>().ok().filter(|_| digits.bytes().any(|byte| byte.is_ascii_digit()))?;
        Some(Value::from(if negative { -float } else { float }))
    }
}

/// A group of `groupby`: a pair whose parts have names.
#[derive(Debug)]
struct Group {
    key: Value,
    members: Value,
}

/// A group, as `groupby` gives it.
pub(super) fn group(key: Value, members: Value) -> Value {
    instance(Arc::new(Group { key, members }))
}

impl Instance for Group {
    fn type_name(&self) -> &'static str {
        "_GroupTuple"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        match name {
            "grouper" => Some(self.key.clone()),
            "list" => Some(self.members.clone()),
            _ => None,
        }
    }

    fn item(&self, key: &Value) -> Option<Value> {
        match i64::try_from(key.clone()).ok()? {
            0 | -2 => Some(self.key.clone()),
            1 | -1 => Some(self.members.clone()),
            _ => None,
        }
    }

    fn text(&self) -> String {
        format!("({}, {})", repr(&self.key), repr(&self.members))
    }

    fn repr(&self) -> String {
        self.text()
    }

    fn items(&self) -> Option<Vec<Value>> {
        Some(vec![self.key.clone(), self.members.clone()])
    }

    fn equals(&self, other: &Value) -> bool {
        items(other).is_some_and(|other| {
            other.len() == 2 && crate::jinja::equal(&self.key, &other[0]) && crate::jinja::equal(&self.members, &other[1])
        })
    }
}
