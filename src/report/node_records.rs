//! The lines of one node: dbt's `LogStartLine`, `LogModelResult` and their like.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};

use super::record::{Level, People, Record, fractions, python_text, seconds};
use super::style::Style;
use crate::artifacts;
use crate::event::{BatchPlace, RunResult, Status};
use crate::manifest::{Json, JsonMap, Node, Resource, ResourceType, TimeSpan, iso};

/// A node's place in the run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub index: usize,
    pub total: usize,
    /// Columns of a line before its status.
    pub width: usize,
}

impl Place {
    /// `4 of 28 OK created sql view model main.a ............ [OK in 0.05s]`, and its status to be painted.
    fn line(self, text: &str, status: &str, took: Option<Duration>) -> String {
        let lead = format!("{} of {} {text} ", self.index, self.total);
        let time = took.map_or_else(String::new, |took| format!(" in {:.2}s", took.as_secs_f64()));
        let dots = ".".repeat(self.width.saturating_sub(lead.chars().count()));
        format!("{lead}{dots} [{status}{time}]")
    }
}

/// How a log names a resource: `sql view model main.orders`, `test not_null_x`, `seed file main.raw`.
pub(super) fn describe(of: &Resource) -> String {
    match of {
        Resource::Node(node) => match node.resource_type {
            ResourceType::Model => {
                let kind = if node.is_microbatch() { "microbatch" } else { node.config.materialized() };
                format!("{} {kind} model {}.{}", node.language.as_str(), node.schema, node.alias)
            }
            ResourceType::Seed => format!("seed file {}.{}", node.schema, node.alias),
            ResourceType::Snapshot | ResourceType::Function => format!("{} {}.{}", node.resource_type, node.schema, node.alias),
            ResourceType::Test => format!("test {}", node.name),
            kind => format!("{} {}", kind.as_str().replace('_', " "), node.name),
        },
        Resource::Source(source) => format!("freshness of {}.{}", source.source_name, source.name),
        Resource::UnitTest(test) => format!("unit_test {}::{}", test.model, test.name),
        other => format!("{} {}", other.resource_type().as_str().replace('_', " "), other.name()),
    }
}

/// `node_info` of a node whose run is in that state.
pub(super) fn node_info(of: &Resource, status: &str, started: Option<SystemTime>, finished: Option<SystemTime>) -> Json {
    let mut info = artifacts::resource_info(of);
    let time = |at: Option<SystemTime>| at.map_or_else(String::new, naive);
    info.insert("node_status".to_owned(), status.into());
    info.insert("node_started_at".to_owned(), time(started).into());
    info.insert("node_finished_at".to_owned(), time(finished).into());
    if let Some(meta) = info.get_mut("meta") {
        *meta = fractions(meta);
    }
    Json::Object(info)
}

/// `2026-11-21T09:37:17.203812`: UTC without saying so, as `node_info` has it.
fn naive(at: SystemTime) -> String {
    DateTime::<Utc>::from(at).format("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}

/// LogStartLine.
pub(super) fn start(of: &Resource, place: Place, info: Json) -> Record {
    let description = describe(of);
    let mut record = Record::new("LogStartLine", "Q011", Level::Info, place.line(&format!("START {description}"), "RUN", None))
        .with("description", description)
        .with("index", place.index)
        .with("node_info", info)
        .with("total", place.total);
    record.people = People::Start;
    record
}

/// The line that says how a node went, by its kind; None for kinds that have none.
pub(super) fn finished(of: &Resource, place: Place, result: &RunResult, info: Json) -> Option<Record> {
    if result.status == Status::Skipped {
        return Some(skipped(of, place, info));
    }
    if result.status == Status::NoOp {
        return Some(no_op(of, place, result, info));
    }
    let record = match of {
        Resource::Source(source) => {
            let record = tested(&format!("freshness of {}.{}", source.source_name, source.name), place, result, Verdict::Stale);
            named(record, "LogFreshnessResult", "Q018", place, result, info)
                .with("source_name", source.source_name.as_str())
                .with("status", result.status.as_str())
                .with("table_name", source.name.as_str())
        }
        Resource::UnitTest(test) => test_result(&format!("{}::{}", test.model, test.name), "", place, result, info),
        Resource::Node(node) => return node_finished(of, node, place, result, info),
        _ => return None,
    };
    Some(record)
}

fn node_finished(of: &Resource, node: &Node, place: Place, result: &RunResult, info: Json) -> Option<Record> {
    let message = result.message.clone().unwrap_or_default();
    Some(match node.resource_type {
        ResourceType::Test => {
            let attached = node.test().and_then(|test| test.attached_node.as_ref()).map_or("", |id| id.as_str());
            test_result(&node.name, attached, place, result, info)
        }
        ResourceType::Model => {
            let record = made("created", "creating", &describe(of), place, result);
            named(record, "LogModelResult", "Q012", place, result, info)
                .with("description", describe(of))
                .with("status", shown_status(result))
                .with("total", place.total)
        }
        ResourceType::Function => {
            let (text, style, level) = match result.status {
                Status::Error => ("ERROR creating", Style::Bad, Level::Error),
                _ => ("OK created", Style::Good, Level::Info),
            };
            let (description, shown) = (describe(of), result.status.as_str().to_uppercase());
            let line = place.line(&format!("{text} {description}"), &shown, Some(result.execution_time));
            let record = Record::new("", "", level, line).accent(shown, style);
            named(record, "LogFunctionResult", "Q047", place, result, info)
                .with("description", description)
                .with("status", result.status.as_str())
        }
        ResourceType::Seed => {
            let record = made("loaded", "loading", &describe(of), place, result);
            named(record, "LogSeedResult", "Q016", place, result, info)
                .with("relation", node.alias.as_str())
                .with("result_message", message)
                .with("schema", node.schema.as_str())
                .with("status", result.status.as_str())
        }
        ResourceType::Snapshot => {
            let name = format!("{}.{}", node.schema, node.alias);
            let record = made("snapshotted", "snapshotting", &name, place, result);
            named(record, "LogSnapshotResult", "Q015", place, result, info)
                .with("cfg", snapshot_config(&node.config.0))
                .with("description", name)
                .with("result_message", message)
                .with("status", result.status.as_str())
        }
        _ => return None,
    })
}

/// A config's keys that have a value, as texts.
fn snapshot_config(config: &JsonMap) -> Json {
    config
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| (key.clone(), Json::from(python_text(value))))
        .collect()
}

/// The name of the event, and the keys that all results have.
fn named(mut record: Record, name: &'static str, code: &'static str, place: Place, result: &RunResult, info: Json) -> Record {
    record.name = name;
    record.code = code;
    record
        .with("execution_time", seconds(result.execution_time))
        .with("index", place.index)
        .with("node_info", info)
        .with("total", place.total)
        .thread(&result.thread_id)
}

/// What a model's line says of it: the warehouse's words, or that it failed.
fn shown_status(result: &RunResult) -> String {
    match result.status {
        Status::Success => result.message.clone().unwrap_or_else(|| "OK".to_owned()),
        Status::PartialSuccess => result.message.clone().unwrap_or_else(|| "PARTIAL SUCCESS".to_owned()),
        other => other.as_str().to_owned(),
    }
}

/// A line for what the warehouse now has: `OK created …`, `ERROR creating …`.
fn made(past: &str, present: &str, description: &str, place: Place, result: &RunResult) -> Record {
    let (text, status, style, level) = match result.status {
        Status::Success => (format!("OK {past} {description}"), shown_status(result), Style::Good, Level::Info),
        Status::PartialSuccess => {
            (format!("PARTIALLY {past} {description}"), shown_status(result).to_uppercase(), Style::Caution, Level::Error)
        }
        _ => (format!("ERROR {present} {description}"), "ERROR".to_owned(), Style::Bad, Level::Error),
    };
    let msg = place.line(&text, &status, Some(result.execution_time));
    Record::new("", "", level, msg).accent(status, style)
}

/// How an error of a test and of a source's freshness is called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Failing,
    Stale,
}

fn tested(name: &str, place: Place, result: &RunResult, verdict: Verdict) -> Record {
    let rows = result.failures.unwrap_or(0);
    let stale = verdict == Verdict::Stale;
    let (status, style, level) = match result.status {
        Status::Pass | Status::Success => ("PASS".to_owned(), Style::Good, Level::Info),
        Status::Warn if stale => ("WARN".to_owned(), Style::Caution, Level::Warn),
        Status::Warn => (format!("WARN {rows}"), Style::Caution, Level::Warn),
        Status::Error if stale => ("ERROR STALE".to_owned(), Style::Bad, Level::Error),
        Status::Error | Status::RuntimeError => ("ERROR".to_owned(), Style::Bad, Level::Error),
        _ => (format!("FAIL {rows}"), Style::Bad, Level::Error),
    };
    let msg = place.line(&format!("{status} {name}"), &status, Some(result.execution_time));
    Record::new("", "", level, msg).accent(status, style)
}

fn test_result(name: &str, attached: &str, place: Place, result: &RunResult, info: Json) -> Record {
    let record = tested(name, place, result, Verdict::Failing);
    let mut record = named(record, "LogTestResult", "Q007", place, result, info)
        .with("attached_node", attached)
        .with("name", name)
        .with("num_failures", result.failures.unwrap_or(0))
        .with("num_models", place.total)
        .with("status", result.status.as_str());
    record.data.shift_remove("total");
    record
}

fn skipped(of: &Resource, place: Place, info: Json) -> Record {
    let (schema, kind) = match of {
        Resource::Node(node) => (node.schema.as_str(), node.resource_type),
        Resource::UnitTest(test) => (test.schema.as_str(), ResourceType::UnitTest),
        other => ("", other.resource_type()),
    };
    let name = of.name();
    let text = match kind {
        ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot => format!("SKIP relation {schema}.{name}"),
        kind => format!("SKIP {kind} {name}"),
    };
    Record::new("SkippingDetails", "Q034", Level::Info, place.line(&text, "SKIP", None))
        .accent("SKIP", Style::Caution)
        .with("index", place.index)
        .with("node_info", info)
        .with("node_name", name)
        .with("resource_type", kind.as_str())
        .with("schema", schema)
        .with("total", place.total)
}

fn no_op(of: &Resource, place: Place, result: &RunResult, info: Json) -> Record {
    let description = describe(of);
    let msg = place.line(&format!("NO-OP {description}"), "NO-OP", Some(result.execution_time));
    let record = Record::new("", "", Level::Info, msg).accent("NO-OP", Style::Caution);
    named(record, "LogNodeNoOpResult", "Q019", place, result, info)
        .with("description", description)
        .with("status", result.status.as_str())
}

/// `batch 2020-01-01 of main.events`.
fn describe_batch(node: &Node, place: &BatchPlace) -> String {
    format!("batch {} of {}.{}", place.label, node.schema, node.alias)
}

/// MicrobatchExecutionDebug: which batches there are.
pub(super) fn batches(node: &Node, batches: &[TimeSpan]) -> Option<Record> {
    let (first, last) = (batches.first()?, batches.last()?);
    let (count, from, until) = (batches.len(), iso(first.start), iso(last.end));
    let msg = format!("Batches of {}.{}: {count}, from {from} until {until}", node.schema, node.alias);
    Some(Record::new("MicrobatchExecutionDebug", "Q044", Level::Debug, &msg).with("msg", msg.as_str()))
}

/// MicrobatchExecutionDebug, NodeStart, LogStartBatch.
pub(super) fn batch_start(node: &Node, batch: &BatchPlace, width: usize, info: &Json) -> [Record; 3] {
    let description = describe_batch(node, batch);
    let how = if batch.concurrent { "concurrently" } else { "sequentially" };
    let msg = format!("{description} is being run {how}");
    let began = Record::new("NodeStart", "Q024", Level::Debug, format!("Began running node {}", node.unique_id));
    let place = Place { index: batch.index, total: batch.total, width };
    let line = format!("Batch {}", place.line(&format!("START {description}"), "RUN", None));
    let mut start = Record::new("LogStartBatch", "Q045", Level::Info, line)
        .with("batch_index", batch.index)
        .with("description", description)
        .with("node_info", info.clone())
        .with("total_batches", batch.total);
    start.people = People::Start;
    let debug = Record::new("MicrobatchExecutionDebug", "Q044", Level::Debug, &msg).with("msg", msg.as_str());
    [debug, began.with("node_info", info.clone()), start]
}

/// LogBatchResult.
pub(super) fn batch_finished(node: &Node, batch: &BatchPlace, width: usize, result: &RunResult, info: Json) -> Record {
    let description = describe_batch(node, batch);
    let (text, status, style, level) = match result.status {
        Status::Error => ("ERROR creating", "ERROR".to_owned(), Style::Bad, Level::Error),
        Status::Skipped => ("SKIP", "SKIPPED".to_owned(), Style::Caution, Level::Info),
        _ => ("OK created", shown_status(result), Style::Good, Level::Info),
    };
    let place = Place { index: batch.index, total: batch.total, width };
    let line = format!("Batch {}", place.line(&format!("{text} {description}"), &status, Some(result.execution_time)));
    Record::new("LogBatchResult", "Q046", level, line)
        .accent(status, style)
        .with("batch_index", batch.index)
        .with("description", description)
        .with("execution_time", seconds(result.execution_time))
        .with("node_info", info)
        .with("status", shown_status(result))
        .with("total_batches", batch.total)
        .thread(&result.thread_id)
}

/// LogStartOverload.
pub(super) fn overload_start(node: &Node, name: &str, place: Place) -> Record {
    let description = format!("function {} overload {name}", node.name);
    let line = format!("Overload {}", place.line(&format!("START {description}"), "RUN", None));
    let mut start = Record::new("LogStartOverload", "Q048", Level::Info, line)
        .with("description", description)
        .with("overload_index", place.index)
        .with("total_overloads", place.total);
    start.people = People::Start;
    start
}

/// LogOverloadResult: how it ended, why it failed, how long it took.
pub(super) fn overload_finished(node: &Node, name: &str, place: Place, how: (Status, Option<&str>, Duration)) -> Record {
    let (status, error, took) = how;
    let (text, style, level) = match status {
        Status::Error => ("ERROR creating", Style::Bad, Level::Error),
        Status::Skipped => ("SKIP", Style::Caution, Level::Info),
        _ => ("OK created", Style::Good, Level::Info),
    };
    let why = error.map(|error| format!(": {error}")).unwrap_or_default();
    let description = format!("function {} overload {name}{why}", node.name);
    let shown = status.as_str().to_uppercase();
    let line = format!("Overload {}", place.line(&format!("{text} {description}"), &shown, Some(took)));
    Record::new("LogOverloadResult", "Q049", level, line)
        .accent(shown, style)
        .with("description", description)
        .with("execution_time", seconds(took))
        .with("overload_index", place.index)
        .with("status", status.as_str())
        .with("total_overloads", place.total)
}

/// LogHookStartLine, and with a result LogHookEndLine.
pub(super) fn hook(node: &Node, place: Place, done: Option<(Status, Duration)>, info: Json) -> Record {
    let statement = statement(node);
    let (name, code, text, status, style, level) = match done {
        None => ("LogHookStartLine", "Q032", "START hook", "RUN", Style::Quiet, Level::Info),
        Some((Status::Success | Status::Pass, _)) => ("LogHookEndLine", "Q033", "OK hook", "OK", Style::Good, Level::Info),
        Some(_) => ("LogHookEndLine", "Q033", "ERROR hook", "ERROR", Style::Bad, Level::Info),
    };
    let msg = place.line(&format!("{text}: {statement}"), status, done.map(|(_, took)| took));
    let mut record = Record::new(name, code, level, msg)
        .with("index", place.index)
        .with("node_info", info)
        .with("statement", statement)
        .with("total", place.total);
    match done {
        None => record.people = People::Start,
        Some((status_of, took)) => {
            record = record.accent(status, style).with("execution_time", seconds(took)).with("status", status_of.as_str());
        }
    }
    record
}

/// `shop.on-run-end.0` of `shop-on-run-end-0`.
fn statement(node: &Node) -> String {
    for hook in ["on-run-start", "on-run-end"] {
        if let Some((project, index)) = node.name.rsplit_once(&format!("-{hook}-")) {
            return format!("{project}.{hook}.{index}");
        }
    }
    node.name.clone()
}

/// Does dbt tell, after a result like that, that what depends on the node will be skipped?
pub(super) fn marks_children(command: &str, status: Status) -> bool {
    match status {
        Status::Error | Status::PartialSuccess => true,
        Status::Fail | Status::Skipped => command == "build",
        _ => false,
    }
}

/// MarkSkippedChildren.
pub(super) fn skipped_children(result: &RunResult) -> Record {
    let (id, status) = (&result.unique_id, result.status.as_str());
    let reason = result.message.as_ref().map(|message| format!(" Reason: {message}.")).unwrap_or_default();
    let msg = format!("Marking all children of '{id}' to be skipped because of status '{status}'. {reason}");
    Record::new("MarkSkippedChildren", "Z033", Level::Debug, msg)
        .with("run_result", run_result(result))
        .with("status", status)
        .with("unique_id", id.as_str())
        .thread(&result.thread_id)
}

/// `run_result` of NodeFinished.
pub(super) fn run_result(result: &RunResult) -> Json {
    let timing: Vec<Json> = result
        .timing
        .iter()
        .map(|timing| {
            serde_json::json!({
                "completed_at": artifacts::system_timestamp(timing.completed_at),
                "name": timing.name,
                "started_at": artifacts::system_timestamp(timing.started_at),
            })
        })
        .collect();
    serde_json::json!({
        "adapter_response": fractions(&Json::Object(result.adapter_response.clone())),
        "execution_time": seconds(result.execution_time),
        "message": result.message.clone().unwrap_or_default(),
        "num_failures": result.failures.unwrap_or(0),
        "status": result.status.as_str(),
        "thread": result.thread_id,
        "timing_info": timing,
    })
}
