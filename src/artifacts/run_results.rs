//! run_results.json (version 6), sources.json (version 3), and a result as Jinja and the JSON log show it.

use std::sync::Arc;
use std::time::Duration;

use rayon::prelude::*;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::{Header, Metadata, resource, system_timestamp, text, value};
use crate::event::{RunResult, Status, Timing};
use crate::manifest::{
    BatchResults, Json, JsonMap, Manifest, Node, OverloadResults, Resource, ResourceType, Source, TimeSpan, iso,
};

/// run_results.json (v6). Results keep their order: that in which they finished.
pub fn run_results(
    manifest: &Manifest,
    results: &[Arc<RunResult>],
    elapsed: Duration,
    args: &JsonMap,
    metadata: &Metadata,
) -> String {
    let rows: Vec<String> = results
        .par_iter()
        .map(|result| text(&ResultView { result, of: manifest.get(result.unique_id.as_str()).as_ref() }))
        .collect();
    format!(
        "{{\"metadata\": {}, \"results\": [{}], \"elapsed_time\": {}, \"args\": {}}}",
        text(&Header { schema: "run-results/v6", metadata }),
        rows.join(", "),
        text(&elapsed.as_secs_f64()),
        text(args),
    )
}

/// One result in the artifact's order of keys.
struct ResultView<'a> {
    result: &'a RunResult,
    /// None for an operation's macro.
    of: Option<&'a Resource>,
}

impl ResultView<'_> {
    /// (compiled, compiled_code, relation_name): null where the kind of resource has no SQL.
    fn code(&self) -> (Option<bool>, Option<&str>, Option<&str>) {
        let compiled = self.result.compiled.as_ref();
        let code = compiled.map(|compiled| &*compiled.code);
        match self.of {
            None => (Some(compiled.is_some()), code, None),
            Some(Resource::Node(node)) if node.resource_type == ResourceType::Seed => (None, None, None),
            Some(Resource::Node(node)) => (Some(compiled.is_some()), code, node.relation_name.as_deref()),
            Some(Resource::UnitTest(_)) if compiled.is_some() => (Some(true), code, None),
            Some(_) => (None, None, None),
        }
    }

    fn common<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let result = self.result;
        map.serialize_entry("status", result.status.as_str())?;
        map.serialize_entry("timing", &Timings(&result.timing))?;
        map.serialize_entry("thread_id", &result.thread_id)?;
        map.serialize_entry("execution_time", &Seconds(result.execution_time))?;
        map.serialize_entry("adapter_response", &result.adapter_response)?;
        map.serialize_entry("message", &result.message)?;
        map.serialize_entry("failures", &result.failures)
    }
}

impl Serialize for ResultView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.common(&mut map)?;
        let (compiled, code, relation_name) = self.code();
        map.serialize_entry("unique_id", self.result.unique_id.as_str())?;
        map.serialize_entry("compiled", &compiled)?;
        map.serialize_entry("compiled_code", &code)?;
        map.serialize_entry("relation_name", &relation_name)?;
        map.serialize_entry("batch_results", &self.result.batch_results.as_ref().map(BatchesView))?;
        map.serialize_entry("overload_results", &self.result.overload_results.as_ref().map(OverloadsView))?;
        map.end()
    }
}

/// `{successful: [[start, end], …], failed: […]}`.
pub(super) struct BatchesView<'a>(pub &'a BatchResults);

impl Serialize for BatchesView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let list = |spans: &[TimeSpan]| spans.iter().map(|span| [iso(span.start), iso(span.end)]).collect::<Vec<_>>();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("successful", &list(&self.0.successful))?;
        map.serialize_entry("failed", &list(&self.0.failed))?;
        map.end()
    }
}

/// `{successful: [name, …], failed: […]}`.
pub(super) struct OverloadsView<'a>(pub &'a OverloadResults);

impl Serialize for OverloadsView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("successful", &self.0.successful)?;
        map.serialize_entry("failed", &self.0.failed)?;
        map.end()
    }
}

/// Seconds as Python writes them: a whole zero for what took no time at all.
struct Seconds(Duration);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_zero() { serializer.serialize_u8(0) } else { serializer.serialize_f64(self.0.as_secs_f64()) }
    }
}

struct Timings<'a>(&'a [Timing]);

#[derive(Serialize)]
struct TimingView {
    name: &'static str,
    started_at: String,
    completed_at: String,
}

impl Serialize for Timings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|timing| TimingView {
            name: timing.name,
            started_at: system_timestamp(timing.started_at),
            completed_at: system_timestamp(timing.completed_at),
        }))
    }
}

/// One of Jinja's `results` (on-run-end): dbt's `RunResult`, with its node.
pub fn result(of: &Resource, result: &RunResult) -> Json {
    struct View<'a>(ResultView<'a>, Json);
    impl Serialize for View<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            self.0.common(&mut map)?;
            map.serialize_entry("node", &self.1)?;
            map.serialize_entry("agate_table", &())?;
            map.serialize_entry("batch_results", &self.0.result.batch_results.as_ref().map(BatchesView))?;
            map.serialize_entry("overload_results", &self.0.result.overload_results.as_ref().map(OverloadsView))?;
            map.end()
        }
    }
    let node = resource(of, result.compiled.as_ref());
    value(&View(ResultView { result, of: Some(of) }, node))
}

/// sources.json (v3). Sources whose freshness could not be found out are left out, as in dbt.
pub fn sources(results: &[(Arc<Source>, Arc<RunResult>)], elapsed: Duration, metadata: &Metadata) -> String {
    #[derive(Serialize)]
    struct Sources<'a> {
        metadata: Header<'a>,
        results: Vec<Freshness<'a>>,
        elapsed_time: f64,
    }
    let known = results.iter().filter(|(_, result)| result.freshness.is_some() && result.status != Status::RuntimeError);
    let results = known.map(|(source, result)| Freshness { source, result }).collect();
    text(&Sources { metadata: Header { schema: "sources/v3", metadata }, results, elapsed_time: elapsed.as_secs_f64() })
}

struct Freshness<'a> {
    source: &'a Source,
    result: &'a RunResult,
}

impl Serialize for Freshness<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let found = self.result.freshness.as_ref();
        let of = |key: &str| found.and_then(|row| row.get(key));
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("unique_id", self.source.unique_id.as_str())?;
        for key in ["max_loaded_at", "snapshotted_at", "max_loaded_at_time_ago_in_s"] {
            map.serialize_entry(key, &of(key))?;
        }
        map.serialize_entry("status", self.result.status.as_str())?;
        map.serialize_entry("criteria", of("criteria").unwrap_or(&self.source.freshness))?;
        map.serialize_entry("adapter_response", &self.result.adapter_response)?;
        map.serialize_entry("timing", &Timings(&self.result.timing))?;
        map.serialize_entry("thread_id", &self.result.thread_id)?;
        map.serialize_entry("execution_time", &Seconds(self.result.execution_time))?;
        map.end()
    }
}

/// A node as `node_info` of the JSON log shows it; status and times are the caller's to fill in.
pub fn node_info(node: &Node) -> JsonMap {
    let materialized = Some(node.config.materialized()).filter(|text| !text.is_empty());
    let relation = [
        ("alias", Some(node.alias.as_str())),
        ("database", node.database.as_deref()),
        ("relation_name", node.relation_name.as_deref()),
        ("schema", Some(node.schema.as_str())),
    ];
    let checksum = Some(node.checksum.checksum.as_str());
    info(
        node.path.as_str(),
        &node.name,
        node.unique_id.as_str(),
        node.resource_type,
        materialized,
        &node.meta,
        relation,
        checksum,
    )
}

/// [`node_info`] of any resource.
pub fn resource_info(of: &Resource) -> JsonMap {
    let empty = JsonMap::new();
    let none = [("alias", None), ("database", None), ("relation_name", None), ("schema", None)];
    let (path, meta, relation) = match of {
        Resource::Node(node) => return node_info(node),
        Resource::Source(source) => {
            let relation = [
                ("alias", None),
                ("database", source.database.as_deref()),
                ("relation_name", Some(source.relation_name.as_str())),
                ("schema", Some(source.schema.as_str())),
            ];
            (&source.path, &source.meta, relation)
        }
        Resource::Exposure(exposure) => (&exposure.path, &exposure.meta, none),
        Resource::Metric(semantic) | Resource::SemanticModel(semantic) | Resource::SavedQuery(semantic) => {
            (&semantic.path, &semantic.meta, none)
        }
        Resource::UnitTest(test) => {
            let relation = [("alias", None), ("database", None), ("relation_name", None), ("schema", Some(test.schema.as_str()))];
            (&test.path, &empty, relation)
        }
    };
    info(path, of.name(), of.unique_id().as_str(), of.resource_type(), None, meta, relation, None)
}

#[expect(clippy::too_many_arguments, reason = "the keys of one flat object")]
fn info(
    path: &str,
    name: &str,
    unique_id: &str,
    kind: ResourceType,
    materialized: Option<&str>,
    meta: &JsonMap,
    relation: [(&str, Option<&str>); 4],
    checksum: Option<&str>,
) -> JsonMap {
    // The log's messages have no nulls: what is not there is an empty text.
    let plain = |text: Option<&str>| Json::from(text.unwrap_or_default());
    let mut info = JsonMap::new();
    info.insert("materialized".to_owned(), plain(materialized));
    info.insert("meta".to_owned(), Json::Object(meta.clone()));
    info.insert("node_checksum".to_owned(), plain(checksum));
    info.insert("node_finished_at".to_owned(), "".into());
    info.insert("node_name".to_owned(), name.into());
    info.insert("node_path".to_owned(), path.into());
    let relation = relation.into_iter().map(|(key, text)| (key.to_owned(), plain(text))).collect();
    info.insert("node_relation".to_owned(), Json::Object(relation));
    info.insert("node_started_at".to_owned(), "".into());
    info.insert("node_status".to_owned(), "None".into());
    info.insert("resource_type".to_owned(), kind.as_str().into());
    info.insert("unique_id".to_owned(), unique_id.into());
    info
}
