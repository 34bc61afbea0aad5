//! Methods of sets.

use std::sync::Arc;

use minijinja::{State, Value};

use super::Native;
use super::list::not_iterable;
use crate::jinja::value::{Key, Set, items, none, repr};
use crate::jinja::{Args, Error};

/// `set.method(…)`.
pub(in crate::jinja) fn set(_state: &mut State<'_, '_>, target: &Arc<Set>, method: &str, args: &[Value]) -> Native {
    let args = Args::from_values(args);
    let item = || args.required(method, 0, "item").map(|item| Key(item.clone()));
    let others = || -> Result<Vec<Set>, Error> {
        let made = |other: &Value| items(other).map(Set::new).ok_or_else(|| not_iterable(other));
        args.positional.iter().map(made).collect()
    };
    let new = |items: Vec<Value>| Ok(Value::from_object(Set::new(items)));
    let mine = || target.snapshot().into_iter();
    match method {
        "add" => {
            let item = item()?;
            target.lock().insert(item);
            Ok(none())
        }
        "discard" => {
            target.lock().shift_remove(&item()?);
            Ok(none())
        }
        "remove" => {
            let item = item()?;
            if target.lock().shift_remove(&item) { Ok(none()) } else { Err(Error::compilation(repr(&item.0)).into()) }
        }
        "pop" => {
            let first = target.lock().shift_remove_index(0);
            first.map(|key| key.0).ok_or_else(|| Error::compilation("'pop from an empty set'").into())
        }
        "clear" => {
            target.lock().clear();
            Ok(none())
        }
        "copy" => new(target.snapshot()),
        "update" => {
            let more: Vec<Value> = others()?.iter().flat_map(Set::snapshot).collect();
            target.lock().extend(more.into_iter().map(Key));
            Ok(none())
        }
        "difference_update" => {
            let others = others()?;
            let left: Vec<Value> = mine().filter(|item| !others.iter().any(|other| other.contains(item))).collect();
            *target.lock() = left.into_iter().map(Key).collect();
            Ok(none())
        }
        "union" => new(mine().chain(others()?.iter().flat_map(Set::snapshot)).collect()),
        "intersection" => {
            let others = others()?;
            new(mine().filter(|item| others.iter().all(|other| other.contains(item))).collect())
        }
        "difference" => {
            let others = others()?;
            new(mine().filter(|item| !others.iter().any(|other| other.contains(item))).collect())
        }
        "symmetric_difference" => {
            let others = others()?;
            let theirs = others.iter().flat_map(Set::snapshot).filter(|item| !target.contains(item));
            new(mine().filter(|item| !others.iter().any(|other| other.contains(item))).chain(theirs).collect())
        }
        "issubset" => Ok(Value::from(others()?.iter().all(|other| mine().all(|item| other.contains(&item))))),
        "issuperset" => Ok(Value::from(others()?.iter().all(|other| other.snapshot().iter().all(|item| target.contains(item))))),
        "isdisjoint" => Ok(Value::from(others()?.iter().all(|other| !mine().any(|item| other.contains(&item))))),
        _ => Err(minijinja::ErrorKind::UnknownMethod.into()),
    }
}
