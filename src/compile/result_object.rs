//! One entry of `results` in on-run-end hooks: dbt's RunResult as Jinja sees it.

use std::sync::Arc;

use crate::jinja::{self, Args, Cx, Error, Instance, Value};
use crate::manifest::Json;

/// A result with its node.
#[derive(Debug)]
pub struct ResultObject(Json);

/// The object over a result as `artifacts::result` writes it.
pub fn value(result: Json) -> Value {
    jinja::instance(Arc::new(ResultObject(result)))
}

impl Instance for ResultObject {
    fn type_name(&self) -> &'static str {
        "RunResult"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        match (name, self.0.get(name)?) {
            ("timing", Json::Array(steps)) => Some(jinja::list(steps.iter().map(|step| part("TimingInfo", step)).collect())),
            ("node", node @ Json::Object(_)) => Some(part("Node", node)),
            (_, value) => Some(jinja::from_json(value)),
        }
    }

    fn methods(&self) -> &'static [&'static str] {
        &["to_dict"]
    }

    fn call_method(&self, _: &mut Cx<'_>, name: &str, _: Args) -> Result<Value, Error> {
        match name {
            "to_dict" => Ok(jinja::from_json(&self.0)),
            _ => Err(Error::missing_method(self.type_name(), name)),
        }
    }

    fn text(&self) -> String {
        let part = |key: &str| self.0.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
        format!("RunResult(status={}, unique_id={})", part("status"), part("unique_id"))
    }

    fn to_json(&self) -> Option<Json> {
        Some(self.0.clone())
    }
}

/// A node or a step of the timing: what artifacts show of it, with `to_dict`.
#[derive(Debug)]
struct PartObject {
    class: &'static str,
    value: Json,
}

fn part(class: &'static str, value: &Json) -> Value {
    jinja::instance(Arc::new(PartObject { class, value: value.clone() }))
}

impl Instance for PartObject {
    fn type_name(&self) -> &'static str {
        self.class
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        self.value.get(name).map(jinja::from_json)
    }

    fn methods(&self) -> &'static [&'static str] {
        &["to_dict"]
    }

    fn call_method(&self, _: &mut Cx<'_>, name: &str, _: Args) -> Result<Value, Error> {
        match name {
            "to_dict" => Ok(jinja::from_json(&self.value)),
            _ => Err(Error::missing_method(self.class, name)),
        }
    }

    fn text(&self) -> String {
        format!("{}({})", self.class, self.value)
    }

    fn to_json(&self) -> Option<Json> {
        Some(self.value.clone())
    }
}
