//! `config` while a node is compiled: the merged configuration, read only.

use std::sync::Arc;

use super::Batch;
use super::host::required;
use crate::artifacts;
use crate::jinja::{self, Args, Cx, Error, Instance, Value};
use crate::manifest::{Json, Node, Resource, ResourceType, moment};

/// dbt's name for what its macros call a snapshot's own columns.
const SNAPSHOT_COLUMN_NAMES: &str = "snapshot_table_column_names";
const SNAPSHOT_COLUMNS: [&str; 5] = ["dbt_valid_from", "dbt_valid_to", "dbt_scd_id", "dbt_updated_at", "dbt_is_deleted"];

/// `config` of a node; without one (operations) it is empty.
#[derive(Debug)]
pub struct ConfigObject {
    node: Option<Arc<Node>>,
    batch: Option<Arc<Batch>>,
}

/// The configuration behind a `config` object.
pub fn of(value: &Value) -> Option<Json> {
    let node = jinja::downcast::<ConfigObject>(value)?.node.clone();
    Some(Json::Object(node.map(|node| node.config.0.clone()).unwrap_or_default()))
}

impl ConfigObject {
    pub fn value(node: Option<Arc<Node>>, batch: Option<Arc<Batch>>) -> Value {
        jinja::instance(Arc::new(Self { node, batch }))
    }

    /// A key's value: null counts as present, as in dbt. Hooks answer to both of their spellings.
    fn lookup(&self, key: &str) -> Option<&Json> {
        let config = &self.node.as_ref()?.config;
        config.get(key).or_else(|| match key {
            "pre_hook" => config.get("pre-hook"),
            "post_hook" => config.get("post-hook"),
            _ => None,
        })
    }

    /// What is no key of the configuration, but answers like one: a batch's ends, and the names of a snapshot's own columns.
    fn computed(&self, key: &str) -> Option<Value> {
        if let Some(batch) = &self.batch
            && let Some((_, end)) = batch.config().into_iter().find(|(name, _)| *name == key)
        {
            return Some(end);
        }
        if key == "begin" {
            return self.begin();
        }
        let node =
            self.node.as_ref().filter(|node| key == SNAPSHOT_COLUMN_NAMES && node.resource_type == ResourceType::Snapshot)?;
        let renamed = node.config.object("snapshot_meta_column_names");
        let name = |column: &'static str| {
            let name = renamed.and_then(|names| names.get(column)).and_then(Json::as_str).filter(|name| !name.is_empty());
            (column, name.unwrap_or(column).into())
        };
        Some(jinja::dict(SNAPSHOT_COLUMNS.map(name)))
    }

    /// Where a microbatch model begins, as a time.
    fn begin(&self) -> Option<Value> {
        let node = self.node.as_ref().filter(|node| node.is_microbatch())?;
        let begin = moment(node.config.text("begin")?)?;
        Some(jinja::datetime(begin.naive_utc(), None))
    }

    fn meta(&self, key: &str) -> Option<&Json> {
        self.lookup("meta")?.get(key)
    }

    fn persist(&self, key: &str) -> Result<Value, Error> {
        match self.lookup("persist_docs") {
            None | Some(Json::Null) => Ok(false.into()),
            Some(Json::Object(map)) => Ok(map.get(key).map_or(false.into(), jinja::from_json)),
            Some(other) => {
                Err(Error::compilation(format!("Invalid value provided for 'persist_docs'. Expected dict but received {other}")))
            }
        }
    }
}

impl Instance for ConfigObject {
    fn type_name(&self) -> &'static str {
        "RuntimeConfigObject"
    }

    fn methods(&self) -> &'static [&'static str] {
        &["get", "require", "set", "meta_get", "meta_require", "persist_relation_docs", "persist_column_docs"]
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        let node = self.node.as_ref().filter(|_| name == "model")?;
        Some(jinja::from_json(&artifacts::resource(&Resource::Node(node.clone()), None)))
    }

    fn is_callable(&self) -> bool {
        true
    }

    fn text(&self) -> String {
        "config".to_owned()
    }

    fn call(&self, _: &mut Cx, _: Args) -> Result<Value, Error> {
        Ok("".into())
    }

    fn call_method(&self, cx: &mut Cx, name: &str, args: Args) -> Result<Value, Error> {
        let found = |key: &str| {
            if name.starts_with("meta_") {
                return self.meta(key).map(jinja::from_json);
            }
            self.computed(key).or_else(|| self.lookup(key).map(jinja::from_json))
        };
        match name {
            "get" | "meta_get" => {
                let key = required(&args, name, 0, "name")?;
                let default = args.get(1, "default").cloned();
                let value = found(&key).or_else(|| default.clone()).unwrap_or_else(jinja::none);
                if let Some(validator) = args.get(2, "validator").filter(|_| default.is_some_and(|default| !default.is_none())) {
                    cx.call(validator, Args::new(vec![value.clone()]))?;
                }
                Ok(value)
            }
            "require" | "meta_require" => {
                let key = required(&args, name, 0, "name")?;
                let value = found(&key).ok_or_else(|| self.missing(&key))?;
                if let Some(validator) = args.get(1, "validator") {
                    cx.call(validator, Args::new(vec![value.clone()]))?;
                }
                Ok(value)
            }
            "set" => Ok("".into()),
            "persist_relation_docs" => self.persist("relation"),
            "persist_column_docs" => self.persist("columns"),
            _ => Err(Error::missing_method(self.type_name(), name)),
        }
    }
}

impl ConfigObject {
    fn missing(&self, key: &str) -> Error {
        let id = self.node.as_ref().map_or("the operation", |node| node.unique_id.as_str());
        Error::compilation(format!("Model '{id}' does not define a required config parameter '{key}'."))
    }
}
