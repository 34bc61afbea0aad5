//! One entry of `results` in on-run-end hooks: dbt's RunResult as Jinja sees it, with its node and the steps of its timing.

use std::sync::Arc;

use crate::jinja::{self, Args, Cx, Error, Instance, Value};
use crate::manifest::Json;

/// A result, or an object in it: what artifacts show of it, with `to_dict`.
#[derive(Debug)]
pub struct ResultObject {
    class: &'static str,
    value: Json,
}

/// The object over a result as `artifacts::result` writes it.
pub fn value(result: Json) -> Value {
    object("RunResult", result)
}

fn object(class: &'static str, value: Json) -> Value {
    jinja::instance(Arc::new(ResultObject { class, value }))
}

impl Instance for ResultObject {
    fn type_name(&self) -> &'static str {
        self.class
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        match (self.class, name, self.value.get(name)?) {
            ("RunResult", "timing", Json::Array(steps)) => {
                Some(jinja::list(steps.iter().map(|step| object("TimingInfo", step.clone())).collect()))
            }
            ("RunResult", "node", node @ Json::Object(_)) => Some(object("Node", node.clone())),
            (.., value) => Some(jinja::from_json(value)),
        }
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
        if self.class != "RunResult" {
            return format!("{}({})", self.class, self.value);
        }
        let part = |key: &str| self.value.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
        format!("RunResult(status={}, unique_id={})", part("status"), part("unique_id"))
    }

    fn to_json(&self) -> Option<Json> {
        Some(self.value.clone())
    }
}
