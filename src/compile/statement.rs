//! What a `statement` block left: `load_result(name)`, with `response`, `table` and `data`.

use std::sync::Arc;

use crate::agate::Table;
use crate::jinja::objects::table;
use crate::jinja::{Args, Cx, Error, Instance, Value, none, text};

/// One statement's result.
#[derive(Debug)]
pub struct StatementResult {
    /// An `AdapterResponse`, or what a macro stored in its place.
    pub response: Value,
    pub table: Arc<Table>,
}

const KEYS: [&str; 3] = ["response", "data", "table"];

impl Instance for StatementResult {
    fn type_name(&self) -> &'static str {
        "AttrDict"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        match name {
            "response" => Some(self.response.clone()),
            "table" => Some(table::value(self.table.clone())),
            "data" => Some(table::matrix(&self.table)),
            _ => None,
        }
    }

    fn methods(&self) -> &'static [&'static str] {
        &["get", "keys", "values", "items"]
    }

    fn call_method(&self, _: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        let value = |key: &str| self.attribute(key).unwrap_or_else(none);
        Ok(match name {
            "get" => {
                let found = args.text(0, "key").and_then(|key| self.attribute(&key));
                found.or_else(|| args.get(1, "default").cloned()).unwrap_or_else(none)
            }
            "keys" => crate::jinja::list(KEYS.iter().map(|key| Value::from(*key)).collect()),
            "values" => crate::jinja::list(KEYS.iter().map(|key| value(key)).collect()),
            "items" => {
                let pair = |key: &&str| crate::jinja::tuple(vec![Value::from(*key), value(key)]);
                crate::jinja::list(KEYS.iter().map(pair).collect())
            }
            _ => return Err(Error::missing_method(self.type_name(), name)),
        })
    }

    fn is_mapping(&self) -> bool {
        true
    }

    fn items(&self) -> Option<Vec<Value>> {
        Some(KEYS.iter().map(|key| Value::from(*key)).collect())
    }

    fn text(&self) -> String {
        format!("{{'response': {}, 'data': {}, 'table': <agate.Table>}}", text(&self.response), text(&table::matrix(&self.table)))
    }
}
