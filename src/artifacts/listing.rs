//! `ls --output json`.

use super::resource::resource;
use crate::manifest::{Json, JsonMap, Resource, ResourceType};

/// What `ls --output json` shows without `--output-keys`, in whatever order the resource has them.
pub const DEFAULT_KEYS: [&str; 11] = [
    "alias",
    "name",
    "package_name",
    "depends_on",
    "direct_parents",
    "tags",
    "config",
    "resource_type",
    "source_name",
    "original_file_path",
    "unique_id",
];

/// `ls --output json` for one resource: of the asked keys those it has, in the order asked; without any the default ones.
/// A dot leads into an object (`config.materialized`).
pub fn listed(of: &Resource, keys: &[String]) -> Json {
    let mut whole = resource(of, None);
    if of.resource_type() == ResourceType::Model {
        // dbt lists a model's parents once more by that name: those of other projects would differ.
        whole["direct_parents"] = of.depends_on().iter().map(|id| Json::from(id.as_str())).collect();
    }
    let Json::Object(whole) = whole else { return Json::Null };
    if keys.is_empty() {
        return Json::Object(whole.into_iter().filter(|(key, _)| DEFAULT_KEYS.contains(&key.as_str())).collect());
    }
    let mut shown = JsonMap::new();
    for key in keys {
        let value = if key.contains('.') {
            key.split('.').try_fold(None, |at: Option<&Json>, part| at.map_or(whole.get(part), |at| at.get(part)).map(Some))
        } else {
            Some(whole.get(key))
        };
        let value = value.flatten().filter(|value| !(key.contains('.') && value.is_null()));
        if let Some(value) = value {
            shown.insert(key.clone(), value.clone());
        }
    }
    Json::Object(shown)
}
