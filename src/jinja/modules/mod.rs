//! Python's modules that dbt hands to Jinja: `modules.datetime`, `.pytz`, `.re`, `.itertools`; and small objects.

pub(super) mod cycle;
pub(super) mod datetime;
mod itertools;
mod pytz;
mod re;
pub(super) mod yaml;

use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::Value;

use super::value::{Instance, dict, instance};

pub(super) use datetime::format_time;

/// dbt's `modules`.
pub(super) fn modules() -> Value {
    instance(Arc::new(Module {
        name: "modules",
        members: [
            ("datetime", datetime::module()),
            ("pytz", pytz::module()),
            ("re", re::module()),
            ("itertools", itertools::module()),
        ]
        .into_iter()
        .collect(),
    }))
}

/// A module: shared by all renders, so it cannot be changed.
#[derive(Debug)]
struct Module {
    name: &'static str,
    members: IndexMap<&'static str, Value>,
}

/// Hands a module's members to Jinja.
fn module(name: &'static str, members: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    instance(Arc::new(Module { name, members: members.into_iter().collect() }))
}

impl Instance for Module {
    fn type_name(&self) -> &'static str {
        "dict"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        self.members.get(name).cloned()
    }

    fn text(&self) -> String {
        format!("<module '{}'>", self.name)
    }

    fn is_mapping(&self) -> bool {
        true
    }

    fn items(&self) -> Option<Vec<Value>> {
        Some(self.members.keys().map(|name| Value::from(*name)).collect())
    }
}

/// The names and values of a match's groups and their like.
fn named(pairs: Vec<(String, Value)>) -> Value {
    dict(pairs)
}
