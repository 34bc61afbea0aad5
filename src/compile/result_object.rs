//! One entry of `results` in on-run-end hooks: dbt's RunResult as Jinja sees it, with its node and the steps of its timing.

use std::sync::Arc;

use crate::jinja::{self, Args, Cx, Error, Instance, Value};
use crate::manifest::Json;

const CONFIG: &str = "NodeConfig";

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
        let Some(value) = self.value.get(name) else {
            // What a kind of node has no config for is None there, not undefined.
            return (self.class == CONFIG).then(jinja::none);
        };
        match (self.class, name, value) {
            ("RunResult", "timing", Json::Array(steps)) => {
                Some(jinja::list(steps.iter().map(|step| object("TimingInfo", step.clone())).collect()))
            }
            ("RunResult", "node", node @ Json::Object(_)) => Some(object("Node", node.clone())),
            ("Node", "config", config @ Json::Object(_)) => Some(object(CONFIG, config.clone())),
            (.., value) => Some(jinja::from_json(value)),
        }
    }

    fn methods(&self) -> &'static [&'static str] {
        &["to_dict"]
    }

    fn items(&self) -> Option<Vec<Value>> {
        let map = self.value.as_object().filter(|_| self.class == CONFIG)?;
        Some(map.keys().map(|key| key.as_str().into()).collect())
    }

    fn is_mapping(&self) -> bool {
        self.class == CONFIG
    }

    fn call_method(&self, cx: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        match name {
            "to_dict" => Ok(jinja::from_json(&self.value)),
            _ if self.class == CONFIG => cx.call_method(&jinja::from_json(&self.value), name, args),
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
