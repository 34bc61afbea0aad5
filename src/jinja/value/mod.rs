//! Python's values under minijinja: mutable lists, dicts and sets, undefined names, objects of Rust.

mod compare;
mod decimal;
mod dict;
mod instance;
mod json;
mod list;
mod repr;
mod set;
mod shared;
mod undefined;
mod views;

pub use compare::{equal, order};
pub use decimal::{Decimal, as_decimal, decimal};
pub use dict::Dict;
pub use instance::{AsAny, Function, Instance, Operator, downcast, function, function_with, instance};
pub use json::{from_json, from_shared_json, to_json};
pub use list::List;
pub use repr::{repr, text};
pub use set::Set;
pub use undefined::{Undefined, is_defined};
pub use views::{Bound, Generator, Range, View, ViewKind};

pub(super) use compare::Key;
pub(super) use decimal::decimal_power;
pub(super) use instance::InstanceObject;
pub(super) use repr::{float as write_float, type_name, write_text};
pub(super) use undefined::undefined_message;
pub(super) use views::slice_bounds;

use minijinja::Value;
use minijinja::value::Tuple;

use crate::jinja::{Error, ErrorKind, fault};

/// A fresh, mutable list.
pub fn list(items: Vec<Value>) -> Value {
    Value::from_object(List::new(items))
}

/// A fresh, mutable dict with text keys, in that order.
pub fn dict<K: Into<Value>>(pairs: impl IntoIterator<Item = (K, Value)>) -> Value {
    Value::from_object(Dict::new(pairs.into_iter().map(|(key, value)| (key.into(), value))))
}

/// An immutable tuple.
pub fn tuple(items: Vec<Value>) -> Value {
    Value::from(Tuple::from(items))
}

/// Python's `None`.
pub fn none() -> Value {
    Value::from(())
}

/// The items that a Python `for` would see: of lists, tuples, sets, generators; keys of dicts; characters of text. None if
/// that cannot be iterated.
pub fn items(value: &Value) -> Option<Vec<Value>> {
    if value.is_none() {
        return None;
    }
    if let Some(items) = value.downcast_object_ref::<List>() {
        return Some(items.snapshot());
    }
    value.try_iter().ok().map(Iterator::collect)
}

/// The pairs of a mapping: a dict, keyword arguments, or an instance that has keys.
pub fn pairs(value: &Value) -> Option<Vec<(Value, Value)>> {
    if let Some(dict) = value.downcast_object_ref::<Dict>() {
        return Some(dict.pairs());
    }
    let object = value.as_object()?;
    if object.repr() != minijinja::value::ObjectRepr::Map {
        return None;
    }
    object.try_iter_pairs().map(Iterator::collect)
}

/// `value[key]` as Jinja2 gives it: an item that is missing is undefined, an undefined value has none.
pub(crate) fn item(value: &Value, key: &Value) -> Result<Value, Error> {
    step(value, |value| value.get_item(key))
}

/// `value.name` as Jinja2 gives it.
pub(crate) fn attribute(value: &Value, name: &str) -> Result<Value, Error> {
    step(value, |value| value.get_attr(name))
}

fn step(value: &Value, step: impl Fn(&Value) -> Result<Value, minijinja::Error>) -> Result<Value, Error> {
    match undefined_message(value) {
        Some(_) if crate::jinja::render::captures() => Ok(value.clone()),
        Some(message) => Err(Error::new(ErrorKind::Undefined, message)),
        None => step(value).map_err(|error| fault::from_native(&error, None)),
    }
}

/// The value at a key of a mapping, or of an instance's items; None where there is none.
pub fn get(value: &Value, key: &str) -> Option<Value> {
    if let Some(dict) = value.downcast_object_ref::<Dict>() {
        return dict.get(&Value::from(key));
    }
    item(value, &Value::from(key)).ok().filter(is_defined)
}
