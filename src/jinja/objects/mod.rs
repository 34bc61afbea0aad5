//! Objects that dbt hands to Jinja: relations, columns, tables.

pub mod adapter_methods;
pub mod column;
mod constraint;
mod indexes;
pub mod relation;
pub mod response;
pub mod table;

use std::sync::Arc;

use super::{Error, Instance, Value, dict, instance};
use crate::manifest::{Dialect, Include};

/// `api`: the classes that macros make objects of.
pub fn api() -> Value {
    api_with(Include::default(), Dialect::default())
}

/// `api` with the project's `quoting` as the default of new relations.
pub fn api_with(quote: Include, dialect: Dialect) -> Value {
    instance(Arc::new(Api { quote, dialect }))
}

#[derive(Debug)]
struct Api {
    quote: Include,
    dialect: Dialect,
}

impl Instance for Api {
    fn type_name(&self) -> &'static str {
        "DatabaseWrapper"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        match name {
            "Relation" => Some(relation::class(self.quote, self.dialect)),
            "Column" => Some(column::class(self.dialect)),
            _ => None,
        }
    }

    fn text(&self) -> String {
        "api".to_string()
    }
}

/// A text that may be absent, None or undefined.
fn optional(text: Option<&str>) -> Value {
    text.map_or_else(super::none, Value::from)
}

/// The keys of a mapping that name parts of a relation.
fn include_value(include: Include) -> Value {
    dict([
        ("database", Value::from(include.database)),
        ("schema", Value::from(include.schema)),
        ("identifier", Value::from(include.identifier)),
    ])
}

/// An error for a method that a class does not have.
fn no_method(class: &str, name: &str) -> Error {
    Error::missing_method(class, name)
}
