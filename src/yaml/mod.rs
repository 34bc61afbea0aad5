//! YAML as PyYAML reads it (YAML 1.1 scalars), with a span on every value and every key.

mod expect;
mod load;
mod scalar;
#[cfg(test)]
#[expect(clippy::format_collect, reason = "texts for tests")]
mod tests;

use std::sync::Arc;

pub use expect::Reader;

use crate::diagnostic::{Diagnostic, SourceText, Span};

/// A value with the place it was written at.
#[derive(Debug, Clone, PartialEq)]
pub struct Yaml {
    pub kind: Kind,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// Text; timestamps and integers too large for i64 stay text as well.
    Str(Arc<str>),
    Seq(Vec<Yaml>),
    Map(Vec<Entry>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub key: Arc<str>,
    pub key_span: Span,
    pub value: Yaml,
}

impl Yaml {
    /// The entry's value in a map; None for other kinds.
    pub fn get(&self, key: &str) -> Option<&Yaml> {
        self.entries().iter().find(|entry| &*entry.key == key).map(|entry| &entry.value)
    }

    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| &*entry.key == key)
    }

    /// The entries of a map, else none.
    pub fn entries(&self) -> &[Entry] {
        if let Kind::Map(entries) = &self.kind { entries } else { &[] }
    }

    /// The items of a sequence, else none.
    pub fn items(&self) -> &[Yaml] {
        if let Kind::Seq(items) = &self.kind { items } else { &[] }
    }

    pub fn as_str(&self) -> Option<&str> {
        if let Kind::Str(text) = &self.kind { Some(text) } else { None }
    }

    pub fn as_bool(&self) -> Option<bool> {
        if let Kind::Bool(value) = self.kind { Some(value) } else { None }
    }

    pub fn as_i64(&self) -> Option<i64> {
        if let Kind::Int(value) = self.kind { Some(value) } else { None }
    }

    pub fn is_null(&self) -> bool {
        self.kind == Kind::Null
    }

    /// A JSON value as if it stood at `span`: for values that come from rendering. Numbers beyond i64 become floats.
    pub fn from_json(value: &serde_json::Value, span: Span) -> Self {
        let kind = match value {
            serde_json::Value::Null => Kind::Null,
            serde_json::Value::Bool(value) => Kind::Bool(*value),
            serde_json::Value::Number(number) => {
                number.as_i64().map_or_else(|| Kind::Float(number.as_f64().unwrap_or_default()), Kind::Int)
            }
            serde_json::Value::String(text) => Kind::Str(text.as_str().into()),
            serde_json::Value::Array(items) => Kind::Seq(items.iter().map(|item| Self::from_json(item, span)).collect()),
            serde_json::Value::Object(map) => Kind::Map(
                map.iter()
                    .map(|(key, value)| Entry { key: key.as_str().into(), key_span: span, value: Self::from_json(value, span) })
                    .collect(),
            ),
        };
        Self { kind, span }
    }

    /// The value without its places; map order is kept.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.kind {
            Kind::Null => serde_json::Value::Null,
            Kind::Bool(value) => (*value).into(),
            Kind::Int(value) => (*value).into(),
            Kind::Float(value) => (*value).into(),
            Kind::Str(text) => (&**text).into(),
            Kind::Seq(items) => items.iter().map(Yaml::to_json).collect(),
            Kind::Map(entries) => {
                serde_json::Value::Object(entries.iter().map(|entry| (entry.key.to_string(), entry.value.to_json())).collect())
            }
        }
    }
}

/// Reads one document. An empty text is `Null`. Duplicate keys are reported as warnings (the last one wins, as in PyYAML);
/// a text that is not YAML gives `None` and an error with the place.
pub fn read(source: &SourceText) -> (Option<Yaml>, Vec<Diagnostic>) {
    load::document(source)
}
