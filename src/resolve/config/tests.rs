//! Merging, level by level.

use serde_json::json;

use super::*;

fn map(value: Json) -> JsonMap {
    value.as_object().cloned().unwrap_or_default()
}

fn merged(kind: ResourceType, own: &[Json], patch: Option<Json>, calls: Json, root: &[Json]) -> Merged {
    let own: Vec<JsonMap> = own.iter().cloned().map(map).collect();
    let root: Vec<JsonMap> = root.iter().cloned().map(map).collect();
    let patch = patch.map(map);
    let calls = map(calls);
    let levels = Levels { own: own.iter().collect(), root: root.iter().collect() };
    merge(&Given { kind, levels, patch: patch.as_ref(), calls: &calls })
}

#[test]
fn later_levels_win_and_lists_are_joined() {
    let merged = merged(
        ResourceType::Model,
        &[json!({"materialized": "table", "tags": "a"}), json!({"tags": ["b"], "meta": {"x": 1, "y": 1}})],
        Some(json!({"materialized": "incremental", "tags": ["c"], "meta": {"y": 2}})),
        json!({"tags": "d", "made_up": 5}),
        &[],
    );
    assert_eq!(merged.faults, []);
    assert_eq!(merged.config.text("materialized"), Some("incremental"));
    assert_eq!(merged.config.get("tags"), Some(&json!(["a", "b", "c", "d"])));
    assert_eq!(merged.config.get("meta"), Some(&json!({"x": 1, "y": 2})));
    assert_eq!(merged.config.0.keys().next_back().map(String::as_str), Some("made_up"));
}

#[test]
fn the_root_project_beats_a_packages_own_config_call() {
    let merged = merged(
        ResourceType::Model,
        &[json!({"materialized": "table"})],
        None,
        json!({"materialized": "incremental"}),
        &[json!({"materialized": "view"})],
    );
    assert_eq!(merged.config.text("materialized"), Some("view"));
}

#[test]
fn hooks_come_in_every_spelling() {
    let merged = merged(
        ResourceType::Model,
        &[json!({"pre_hook": "select 1"})],
        Some(json!({"pre-hook": {"sql": "select 2", "transaction": false}})),
        json!({"pre-hook": ["{\"sql\": \"vacuum\", \"transaction\": false}"]}),
        &[],
    );
    let hooks = [("select 1", true), ("select 2", false), ("vacuum", false)]
        .map(|(sql, transaction)| json!({"sql": sql, "transaction": transaction, "index": null}));
    assert_eq!(merged.config.get("pre-hook"), Some(&json!(hooks)));
}

#[test]
fn grants_are_replaced_or_extended_by_key() {
    let merged = merged(
        ResourceType::Model,
        &[json!({"grants": {"select": "a", "insert": ["x"]}})],
        Some(json!({"grants": {"+select": ["b"], "insert": "y"}})),
        json!({}),
        &[],
    );
    assert_eq!(merged.config.get("grants"), Some(&json!({"select": ["a", "b"], "insert": ["y"]})));
}

#[test]
fn a_null_hides_a_name_but_not_the_trees_config() {
    let of_tree = merged(ResourceType::Model, &[json!({"schema": "marts"})], None, json!({"schema": null}), &[]);
    assert_eq!(of_tree.naming.get("schema"), Some(&Json::Null));
    assert_eq!(of_tree.config.text("schema"), Some("marts"));
    let of_patch = merged(ResourceType::Model, &[], Some(json!({"schema": "marts"})), json!({"schema": null}), &[]);
    assert_eq!(of_patch.config.text("schema"), None);
}

#[test]
fn wrong_values_are_told_and_left_out() {
    let merged = merged(
        ResourceType::Model,
        &[],
        None,
        json!({"enabled": "yes", "meta": [1], "access": "publik", "docs": {"node_color": "nope"}}),
        &[],
    );
    let keys: Vec<&str> = merged.faults.iter().map(|fault| fault.key.as_str()).collect();
    assert_eq!(keys, ["meta", "enabled", "docs", "access"]);
    assert!(merged.config.enabled());
    assert_eq!(merged.config.get("meta"), Some(&json!({})));
}

#[test]
fn tests_store_failures_as_they_say() {
    let of = |calls: Json| merged(ResourceType::Test, &[], None, calls, &[]).config;
    assert_eq!(of(json!({"store_failures": true})).text("store_failures_as"), Some("table"));
    assert_eq!(of(json!({"store_failures_as": "view"})).bool("store_failures"), Some(true));
    assert_eq!(of(json!({"store_failures_as": "ephemeral", "store_failures": true})).bool("store_failures"), Some(false));
    assert_eq!(of(json!({})).get("store_failures_as"), Some(&Json::Null));
    assert_eq!(of(json!({"limit": "10"})).get("limit"), Some(&json!(10)));
}

#[test]
fn calls_of_one_file_are_joined() {
    let calls = [json!({"tags": "a", "meta": {"x": 1}}), json!({"tags": ["b"], "meta": {"y": 2}, "alias": "z"})].map(map);
    let (joined, faults) = merge_calls(&calls);
    assert_eq!(faults, []);
    assert_eq!(Json::Object(joined), json!({"tags": ["a", "b"], "meta": {"x": 1, "y": 2}, "alias": "z"}));
}

#[test]
fn unrendered_config_replaces_key_by_key() {
    let (own, patch, calls) =
        (map(json!({"tags": ["a"], "schema": "{{ var('s') }}"})), map(json!({"tags": ["b"]})), map(json!({"alias": "z"})));
    let levels = Levels { own: vec![&own], root: Vec::new() };
    let all = unrendered(&levels, Some(&patch), &calls);
    assert_eq!(Json::Object(all), json!({"tags": ["b"], "schema": "{{ var('s') }}", "alias": "z"}));
}
