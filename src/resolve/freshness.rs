//! Source freshness: thresholds of source, table and their configs, merged as dbt merges them.

use serde_json::json;

use crate::manifest::{Json, JsonMap};

fn time(value: Option<&Json>) -> Result<Json, String> {
    let Some(value) = value else { return Ok(json!({"count": null, "period": null})) };
    if value.is_null() {
        return Ok(Json::Null);
    }
    let part = |key: &str| value.get(key).cloned().unwrap_or(Json::Null);
    let (count, period) = (part("count"), part("period"));
    let known = period.is_null() || matches!(period.as_str(), Some("minute" | "hour" | "day"));
    if !known {
        return Err(format!("freshness: period {period} is not one of minute, hour, day"));
    }
    if !(count.is_null() || count.is_i64()) {
        return Err(format!("freshness: count {count} is not a whole number"));
    }
    Ok(json!({"count": count, "period": period}))
}

/// A threshold with all its keys; null stays null (freshness turned off).
pub fn normal(value: &Json) -> Result<Json, String> {
    if value.is_null() {
        return Ok(Json::Null);
    }
    if !value.is_object() {
        return Err(format!("freshness: {value} is not a map with warn_after and error_after"));
    }
    Ok(json!({
        "warn_after": time(value.get("warn_after"))?,
        "error_after": time(value.get("error_after"))?,
        "filter": value.get("filter").cloned().unwrap_or(Json::Null),
    }))
}

/// A time counts only with both count and period.
fn is_set(time: Option<&Json>) -> bool {
    let has = |key: &str| time.and_then(|time| time.get(key)).is_some_and(|value| !value.is_null());
    has("count") && has("period")
}

/// Does the threshold ask for anything?
pub fn asks(threshold: &Json) -> bool {
    is_set(threshold.get("warn_after")) || is_set(threshold.get("error_after"))
}

fn merge_time(base: Option<&Json>, update: Option<&Json>) -> Json {
    let base = base.unwrap_or(&Json::Null);
    match update {
        None | Some(Json::Null) => Json::Null,
        Some(update) if is_set(Some(base)) && is_set(Some(update)) => over(base, update),
        Some(update) if is_set(Some(update)) => update.clone(),
        Some(_) => base.clone(),
    }
}

/// The update's given keys over the base's.
fn over(base: &Json, update: &Json) -> Json {
    let mut merged: JsonMap = base.as_object().cloned().unwrap_or_default();
    for (key, value) in update.as_object().into_iter().flatten() {
        if !value.is_null() || !merged.contains_key(key) {
            merged.insert(key.clone(), value.clone());
        }
    }
    Json::Object(merged)
}

/// Source, source's config, table, table's config, in that order; each normal or null. A null later one turns freshness off;
/// after that only one that asks for something turns it on again.
pub fn merge(thresholds: [Json; 4]) -> Json {
    let mut thresholds = thresholds.into_iter();
    let first = thresholds.next().unwrap_or(Json::Null);
    thresholds.fold(first, |base, update| match (base.is_null(), update.is_null()) {
        (false, false) => {
            let mut merged = over(&base, &update);
            merged["error_after"] = merge_time(base.get("error_after"), update.get("error_after"));
            merged["warn_after"] = merge_time(base.get("warn_after"), update.get("warn_after"));
            merged
        }
        (true, false) if asks(&update) => update,
        _ => Json::Null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(value: Json) -> Json {
        normal(&value).expect("a threshold")
    }

    #[test]
    fn a_table_keeps_what_it_does_not_say_again() {
        let source = full(json!({"warn_after": {"count": 1, "period": "day"}, "error_after": {"count": 2, "period": "day"}}));
        let table = full(json!({"warn_after": {"count": 6, "period": "hour"}}));
        let merged = merge([source, full(json!({})), table, full(json!({}))]);
        assert_eq!(merged["warn_after"], json!({"count": 6, "period": "hour"}));
        assert_eq!(merged["error_after"], json!({"count": 2, "period": "day"}));
    }

    #[test]
    fn null_turns_it_off() {
        let source = full(json!({"warn_after": {"count": 1, "period": "day"}}));
        assert_eq!(merge([source, full(json!({})), Json::Null, full(json!({}))]), Json::Null);
    }

    #[test]
    fn unknown_periods_are_refused() {
        assert!(normal(&json!({"warn_after": {"count": 1, "period": "week"}})).is_err());
    }
}
