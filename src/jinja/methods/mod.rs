//! Methods of Python's own types.

mod dict;
mod list;
mod set;
mod text;

use minijinja::Value;

pub(super) use dict::{dict, mapping_pairs};
pub(super) use list::{list, tuple};
pub(super) use set::set;
pub(super) use text::{capitalize, is_of_text, text};

use super::render::captures;
use super::value::{Undefined, undefined_message};
use super::{Error, ErrorKind};

/// Methods that can be taken as values; see [`super::value::Bound`].
pub(super) const LIST: [&str; 11] =
    ["append", "extend", "insert", "remove", "pop", "clear", "index", "count", "sort", "reverse", "copy"];
pub(super) const DICT: [&str; 11] =
    ["keys", "values", "items", "get", "pop", "popitem", "update", "setdefault", "clear", "copy", "fromkeys"];
pub(super) const SET: [&str; 15] = [
    "add",
    "remove",
    "discard",
    "pop",
    "clear",
    "copy",
    "update",
    "union",
    "intersection",
    "difference",
    "symmetric_difference",
    "issubset",
    "issuperset",
    "isdisjoint",
    "difference_update",
];

type Native = Result<Value, minijinja::Error>;

/// What calling a method that a value does not have comes to: an error, or nothing while a render captures.
pub(super) fn missing(target: &Value, type_name: &str, method: &str) -> Native {
    if captures() {
        return Ok(Undefined::name(method));
    }
    let message = match undefined_message(target) {
        // minijinja's own undefined value does not say what it was; the place of the error will.
        Some(_) if target.is_undefined() => return Err(minijinja::ErrorKind::UndefinedError.into()),
        Some(message) => message,
        None if target.is_none() => format!("'None' has no attribute '{method}'"),
        None => format!("'{type_name} object' has no attribute '{method}'"),
    };
    Err(Error::new(ErrorKind::Undefined, message).into())
}
