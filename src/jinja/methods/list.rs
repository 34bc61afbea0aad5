//! Methods of lists and tuples.

use std::sync::Arc;

use minijinja::{State, Value};

use super::Native;
use crate::jinja::filters;
use crate::jinja::value::{List, equal, items, list as new_list, none, repr, type_name};
use crate::jinja::{Args, Cx, Error};

/// `list.method(…)`.
pub(in crate::jinja) fn list(state: &mut State<'_, '_>, target: &Arc<List>, method: &str, args: &[Value]) -> Native {
    let args = Args::from_values(args);
    match method {
        "append" => {
            let item = args.required(method, 0, "object")?.clone();
            target.lock().push(item);
            Ok(none())
        }
        "extend" => {
            let more = args.required(method, 0, "iterable")?;
            let more = items(more).ok_or_else(|| not_iterable(more))?;
            target.lock().extend(more);
            Ok(none())
        }
        "insert" => {
            let at = args.whole(0, "index")?.unwrap_or_default();
            let item = args.required(method, 1, "object")?.clone();
            let mut held = target.lock();
            let at = place(at, held.len()).min(held.len());
            held.insert(at, item);
            Ok(none())
        }
        "pop" => {
            let at = args.whole(0, "index")?.unwrap_or(-1);
            let mut held = target.lock();
            let at = usize::try_from(if at < 0 { at + i64::try_from(held.len()).unwrap_or(i64::MAX) } else { at });
            match at.ok().filter(|at| *at < held.len()) {
                Some(at) => Ok(held.remove(at)),
                None if held.is_empty() => Err(Error::compilation("pop from empty list").into()),
                None => Err(Error::compilation("pop index out of range").into()),
            }
        }
        "remove" => {
            let item = args.required(method, 0, "value")?;
            let found = target.snapshot().iter().position(|other| equal(other, item));
            let at = found.ok_or_else(|| Error::compilation("list.remove(x): x not in list"))?;
            target.lock().remove(at);
            Ok(none())
        }
        "clear" => {
            target.lock().clear();
            Ok(none())
        }
        "reverse" => {
            target.lock().reverse();
            Ok(none())
        }
        "copy" => Ok(new_list(target.snapshot())),
        "sort" => {
            let reverse = args.truth(usize::MAX, "reverse").unwrap_or_default();
            let key = args.given(usize::MAX, "key").cloned();
            let mut cx = Cx::new(state);
            let mut keyed = Vec::new();
            for item in target.snapshot() {
                let sort_key = match &key {
                    Some(key) => cx.call(key, Args::new(vec![item.clone()]))?,
                    None => item.clone(),
                };
                keyed.push((sort_key, item));
            }
            let sorted = filters::sort_by_key(keyed, reverse)?;
            *target.lock() = sorted;
            Ok(none())
        }
        "index" | "count" => search(&target.snapshot(), "list", method, &args),
        _ => Err(minijinja::ErrorKind::UnknownMethod.into()),
    }
}

/// `tuple.method(…)`.
pub(in crate::jinja) fn tuple(target: &Value, method: &str, args: &[Value]) -> Native {
    match method {
        "index" | "count" => search(&items(target).unwrap_or_default(), "tuple", method, &Args::from_values(args)),
        _ => super::missing(target, "tuple", method),
    }
}

fn search(all: &[Value], type_name: &str, method: &str, args: &Args) -> Native {
    let item = args.required(method, 0, "value")?;
    if method == "count" {
        return Ok(Value::from(all.iter().filter(|other| equal(other, item)).count()));
    }
    let start = args.whole(1, "start")?.map_or(0, |at| place(at, all.len()));
    let found = all.iter().enumerate().skip(start).find(|(_, other)| equal(other, item));
    match found {
        Some((at, _)) => Ok(Value::from(at)),
        None => Err(Error::compilation(format!("{} is not in {type_name}", repr(item))).into()),
    }
}

/// An index that may count from the end, as a place to begin at.
fn place(at: i64, length: usize) -> usize {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    usize::try_from(if at < 0 { (at + length).max(0) } else { at }).unwrap_or_default()
}

pub(super) fn not_iterable(value: &Value) -> Error {
    Error::compilation(format!("'{}' object is not iterable", type_name(value)))
}
