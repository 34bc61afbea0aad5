//! Several `config(…)` calls of one file become one map (dbt: `merge_config_dicts`).

use crate::manifest::{Json, JsonMap};

use super::{Fault, listed};

/// Joins the calls in order. Lists of hooks, tags and packages are appended; quoting, meta and their like updated; grants
/// appended key by key with the `+` kept; all else is replaced.
pub fn merge_calls(calls: &[JsonMap]) -> (JsonMap, Vec<Fault>) {
    let mut merged = JsonMap::new();
    let mut faults = Vec::new();
    for call in calls {
        if merged.is_empty() {
            merged.clone_from(call);
            continue;
        }
        for (key, value) in call {
            merge_one(&mut merged, key, value, &mut faults);
        }
    }
    (merged, faults)
}

fn merge_one(merged: &mut JsonMap, key: &str, value: &Json, faults: &mut Vec<Fault>) {
    let map_expected = || Fault::new(key, format!("expected a map, got {}", super::shape::shown(value)));
    match key {
        "pre-hook" | "pre_hook" | "post-hook" | "post_hook" | "tags" | "packages" => {
            let mut list = merged.get_mut(key).map(|earlier| listed(earlier.take())).unwrap_or_default();
            list.extend(listed(value.clone()));
            merged.insert(key.to_owned(), Json::Array(list));
        }
        "quoting" | "column_types" | "meta" | "docs" | "contract" | "snapshot_meta_column_names" => {
            let Some(later) = value.as_object() else {
                faults.push(map_expected());
                return;
            };
            match merged.get_mut(key).and_then(Json::as_object_mut) {
                Some(earlier) => earlier.extend(later.iter().map(|(key, value)| (key.clone(), value.clone()))),
                None => {
                    merged.insert(key.to_owned(), value.clone());
                }
            }
        }
        "grants" => {
            let Some(later) = value.as_object() else {
                faults.push(map_expected());
                return;
            };
            let mut grants = match merged.get_mut(key).map(Json::take) {
                Some(Json::Object(map)) => map,
                _ => JsonMap::new(),
            };
            for earlier in grants.values_mut() {
                *earlier = Json::Array(listed(earlier.take()));
            }
            for (who, value) in later {
                let added = listed(value.clone());
                match grants.get_mut(who).and_then(Json::as_array_mut) {
                    Some(list) if who.starts_with('+') => list.extend(added),
                    _ => {
                        grants.insert(who.clone(), Json::Array(added));
                    }
                }
            }
            merged.insert(key.to_owned(), Json::Object(grants));
        }
        _ => {
            merged.insert(key.to_owned(), value.clone());
        }
    }
}
