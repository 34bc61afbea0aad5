//! What `metric(…)` gives: prints as the metric's name, has the manifest's keys, and knows which metrics it is made of.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use crate::artifacts;
use crate::jinja::{self, Args, Cx, Error, Value};
use crate::manifest::{Json, Manifest, Resource, Semantic};

const DEPENDENCIES: [&str; 4] =
    ["full_metric_dependency", "base_metric_dependency", "derived_metric_dependency", "derived_metric_dependency_depth"];

pub(super) struct MetricReference {
    metric: Arc<Semantic>,
    manifest: Arc<Manifest>,
    /// Made when first asked for: most metrics are only printed.
    keys: OnceLock<Value>,
}

impl std::fmt::Debug for MetricReference {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "<metric {}>", self.metric.name)
    }
}

impl MetricReference {
    pub fn new(metric: Arc<Semantic>, manifest: Arc<Manifest>) -> Self {
        Self { metric, manifest, keys: OnceLock::new() }
    }

    fn keys(&self) -> &Value {
        self.keys.get_or_init(|| jinja::from_json(&artifacts::resource(&Resource::Metric(self.metric.clone()), None)))
    }

    /// The metrics that one is made of.
    fn parents<'a>(&'a self, of: &'a Semantic) -> impl Iterator<Item = &'a Arc<Semantic>> {
        of.depends_on.nodes.iter().filter_map(|id| self.manifest.metrics.get(id))
    }

    /// The metric and all that it is made of, each once.
    fn all(&self) -> Vec<&Arc<Semantic>> {
        let mut found: HashSet<&str> = HashSet::new();
        let (mut all, mut open) = (Vec::new(), vec![&self.metric]);
        while let Some(metric) = open.pop() {
            if found.insert(metric.unique_id.as_str()) {
                all.push(metric);
                let parents: Vec<&Arc<Semantic>> = self.parents(metric).collect();
                open.extend(parents.into_iter().rev());
            }
        }
        all
    }

    /// The derived ones by how deep they lie below the metric, which is 1.
    fn depths(&self, of: &Arc<Semantic>, depth: i64, found: &mut Vec<Value>) {
        if is_derived(of) {
            found.push(jinja::dict([(of.name.as_str(), Value::from(depth))]));
            for parent in self.parents(of) {
                self.depths(parent, depth + 1, found);
            }
        }
    }
}

/// Made of other metrics, not of what is measured.
fn is_derived(metric: &Semantic) -> bool {
    matches!(metric.body.get("type").and_then(Json::as_str), Some("derived" | "ratio"))
}

impl jinja::Instance for MetricReference {
    fn type_name(&self) -> &'static str {
        "ResolvedMetricReference"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        if name == "metric_name" { Some(self.metric.name.as_str().into()) } else { jinja::get(self.keys(), name) }
    }

    fn methods(&self) -> &'static [&'static str] {
        &DEPENDENCIES
    }

    fn call_method(&self, cx: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        let names = |wanted: fn(&Semantic) -> bool| {
            let names = self.all().into_iter().filter(|metric| wanted(metric)).map(|metric| Value::from(metric.name.as_str()));
            Ok(jinja::list(names.collect()))
        };
        match name {
            "full_metric_dependency" => names(|_| true),
            "base_metric_dependency" => names(|metric| !is_derived(metric)),
            "derived_metric_dependency" => names(is_derived),
            "derived_metric_dependency_depth" => {
                let mut found = Vec::new();
                self.depths(&self.metric, 1, &mut found);
                Ok(jinja::list(found))
            }
            _ => match self.attribute(name) {
                Some(value) => cx.call(&value, args),
                None => Err(Error::missing_method(self.type_name(), name)),
            },
        }
    }

    fn text(&self) -> String {
        self.metric.name.clone()
    }
}
