//! The JSON log has dbt's events, keys and codes: what Dagster and Cosmos read.
//!
//! `tests/json_log/events.json` is what dbt 1.12.6 writes on `examples/jaffle_shop` (`--log-format json build --threads 1`):
//! for each event its code, its levels, and the keys of `info`, `data` and `data.node_info`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::program::{copy, lineal};

#[test]
fn the_json_log_has_dbts_events_and_keys() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let project = scratch.path().join("project");
    copy(&root.join("examples/jaffle_shop"), &project);
    let output = lineal(&project, &["--log-format", "json", "build", "--threads", "1"]);
    assert!(output.status.success());
    let mut events: BTreeMap<String, Keys> = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("not JSON ({error}): {line}"));
        let name = event["info"]["name"].as_str().expect("a name").to_owned();
        events.entry(name).or_default().add(&event);
    }
    let recorded = std::fs::read_to_string(root.join("tests/json_log/events.json")).expect("the record");
    let recorded: BTreeMap<String, Value> = serde_json::from_str(&recorded).expect("JSON");
    let ours: BTreeMap<String, Value> = events.into_iter().map(|(name, keys)| (name, keys.value())).collect();
    let names = |events: &BTreeMap<String, Value>| events.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&ours), names(&recorded));
    for (name, expected) in recorded {
        assert_eq!(ours[&name], expected, "{name}");
    }
}

#[derive(Default)]
struct Keys {
    code: String,
    parts: BTreeMap<&'static str, BTreeSet<String>>,
}

impl Keys {
    fn add(&mut self, event: &Value) {
        event["info"]["code"].as_str().unwrap_or_default().clone_into(&mut self.code);
        for (part, of) in [("info", &event["info"]), ("data", &event["data"]), ("node_info", &event["data"]["node_info"])] {
            let keys = of.as_object().into_iter().flatten().map(|(key, _)| key.clone());
            self.parts.entry(part).or_default().extend(keys);
        }
        let level = event["info"]["level"].as_str().unwrap_or_default().to_owned();
        self.parts.entry("levels").or_default().insert(level);
    }

    fn value(self) -> Value {
        let mut value = serde_json::json!(self.parts);
        value["code"] = self.code.into();
        value
    }
}
