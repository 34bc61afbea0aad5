//! Methods of dicts.

use std::sync::Arc;

use minijinja::{State, Value};

use super::Native;
use super::list::not_iterable;
use crate::jinja::value::{Dict, Key, View, ViewKind, items, none, pairs, repr, tuple};
use crate::jinja::{Args, Error};

/// `dict.method(…)`. A key that holds a callable comes after these.
pub(in crate::jinja) fn dict(_state: &mut State<'_, '_>, target: &Arc<Dict>, method: &str, args: &[Value]) -> Native {
    let view = |kind: ViewKind| Ok(Value::from_object(View { kind, dict: target.clone() }));
    let args = Args::from_values(args);
    match method {
        "keys" => view(ViewKind::Keys),
        "values" => view(ViewKind::Values),
        "items" => view(ViewKind::Items),
        "get" => {
            let key = args.required(method, 0, "key")?;
            Ok(target.get(key).or_else(|| args.get(1, "default").cloned()).unwrap_or_else(none))
        }
        "update" => {
            let mut more = Vec::new();
            if let Some(first) = args.positional.first() {
                more = mapping_pairs(first)?;
            }
            more.extend(args.keyword.into_iter().map(|(name, value)| (Value::from(name), value)));
            target.change(|map| map.extend(more.into_iter().map(|(key, value)| (Key(key), value))));
            Ok(none())
        }
        "pop" => {
            let key = args.required(method, 0, "key")?;
            let found = target.change(|map| map.shift_remove(&Key(key.clone())));
            match found.or_else(|| args.get(1, "default").cloned()) {
                Some(value) => Ok(value),
                None => Err(Error::compilation(repr(key)).into()),
            }
        }
        "popitem" => match target.change(indexmap::IndexMap::pop) {
            Some((key, value)) => Ok(tuple(vec![key.0, value])),
            None => Err(Error::compilation("'popitem(): dictionary is empty'").into()),
        },
        "setdefault" => {
            let key = args.required(method, 0, "key")?;
            if let Some(value) = target.get(key) {
                return Ok(value);
            }
            let value = args.get(1, "default").cloned().unwrap_or_else(none);
            target.insert(key.clone(), value.clone());
            Ok(value)
        }
        "clear" => {
            target.change(indexmap::IndexMap::clear);
            Ok(none())
        }
        "copy" => Ok(Value::from_object(Dict::new(target.pairs()))),
        "fromkeys" => {
            let keys = args.required(method, 0, "iterable")?;
            let keys = items(keys).ok_or_else(|| not_iterable(keys))?;
            let value = args.get(1, "value").cloned().unwrap_or_else(none);
            Ok(Value::from_object(Dict::new(keys.into_iter().map(|key| (key, value.clone())))))
        }
        _ => Err(minijinja::ErrorKind::UnknownMethod.into()),
    }
}

/// What `dict(value)` and `update(value)` take: a mapping, or pairs.
pub(in crate::jinja) fn mapping_pairs(value: &Value) -> Result<Vec<(Value, Value)>, Error> {
    if let Some(pairs) = pairs(value) {
        return Ok(pairs);
    }
    let all = items(value).ok_or_else(|| not_iterable(value))?;
    let mut found = Vec::with_capacity(all.len());
    for (at, item) in all.iter().enumerate() {
        match items(item).as_deref() {
            Some([key, value]) => found.push((key.clone(), value.clone())),
            other => {
                let length = other.map_or(0, <[Value]>::len);
                return Err(Error::compilation(format!(
                    "dictionary update sequence element #{at} has length {length}; 2 is required"
                )));
            }
        }
    }
    Ok(found)
}
