//! `load_result('x').response`: what the warehouse said of a statement (dbt's `AdapterResponse`).

use std::sync::Arc;

use super::super::{Args, Cx, Error, Instance, Value, dict, downcast, instance, none};
use super::{no_method, optional};
use crate::adapter::Response;

#[derive(Debug, Clone, PartialEq)]
struct ResponseObject(Response);

/// A response for Jinja.
pub fn value(response: Response) -> Value {
    instance(Arc::new(ResponseObject(response)))
}

/// The response, if the value is one; a plain text (as older macros store) is its message.
pub fn of(value: &Value) -> Response {
    match downcast::<ResponseObject>(value) {
        Some(object) => object.0.clone(),
        None if value.is_none() || value.is_undefined() => Response::default(),
        None => Response { message: super::super::text(value), ..Response::default() },
    }
}

impl Instance for ResponseObject {
    fn type_name(&self) -> &'static str {
        "AdapterResponse"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        Some(match name {
            "_message" => self.0.message.as_str().into(),
            "code" => optional(self.0.code.as_deref()),
            "rows_affected" => self.0.rows_affected.map_or_else(none, Value::from),
            "query_id" => optional(self.0.query_id.as_deref()),
            _ => return None,
        })
    }

    fn methods(&self) -> &'static [&'static str] {
        &["to_dict"]
    }

    fn call_method(&self, _: &mut Cx<'_>, name: &str, _: Args) -> Result<Value, Error> {
        if name != "to_dict" {
            return Err(no_method(self.type_name(), name));
        }
        let keys = ["_message", "code", "rows_affected", "query_id"];
        Ok(dict(keys.into_iter().filter_map(|key| Some((key, self.attribute(key)?)))))
    }

    fn text(&self) -> String {
        self.0.message.clone()
    }

    fn repr(&self) -> String {
        let number = self.0.rows_affected.map_or_else(|| "None".to_string(), |rows| rows.to_string());
        let text = |text: Option<&str>| text.map_or_else(|| "None".to_string(), |text| format!("'{text}'"));
        format!(
            "AdapterResponse(_message='{}', code={}, rows_affected={number}, query_id={})",
            self.0.message,
            text(self.0.code.as_deref()),
            text(self.0.query_id.as_deref())
        )
    }

    fn equals(&self, other: &Value) -> bool {
        downcast::<Self>(other).is_some_and(|other| *other == *self)
    }

    fn to_json(&self) -> Option<serde_json::Value> {
        Some(serde_json::Value::Object(self.0.to_json()))
    }
}
