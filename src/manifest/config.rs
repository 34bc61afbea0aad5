//! A node's merged configuration: dbt's known keys with their defaults, then whatever else the project gave.

use super::{Json, JsonMap};

/// Keys in dbt's order of the artifact; values as JSON. Typed reading through the methods.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config(pub JsonMap);

impl Config {
    pub fn get(&self, key: &str) -> Option<&Json> {
        self.0.get(key)
    }

    /// Like [`Self::get`], with null as absent.
    pub fn given(&self, key: &str) -> Option<&Json> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(Json::as_str)
    }

    pub fn bool(&self, key: &str) -> Option<bool> {
        self.0.get(key).and_then(Json::as_bool)
    }

    /// `enabled`, true where it isn't given.
    pub fn enabled(&self) -> bool {
        self.bool("enabled").unwrap_or(true)
    }

    /// `materialized`, empty where it isn't given.
    pub fn materialized(&self) -> &str {
        self.text("materialized").unwrap_or_default()
    }

    pub fn object(&self, key: &str) -> Option<&JsonMap> {
        self.0.get(key).and_then(Json::as_object)
    }

    pub fn list(&self, key: &str) -> &[Json] {
        self.0.get(key).and_then(Json::as_array).map_or(&[], Vec::as_slice)
    }
}
