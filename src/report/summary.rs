//! The end of a run: how long it took, what failed and why, and the count of each outcome.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::node_records::{self, node_info};
use super::record::{Failure, Level, People, Record, pluralize, seconds};
use super::sql_place;
use super::style::Style;
use super::translate::Translator;
use crate::event::{RunResult, Status};
use crate::manifest::{Json, Resource, ResourceType};

/// FinishedRunningStats, EndOfRunSummary, each problem, StatsLine; what freshness and commands that run nothing say instead.
pub(super) fn run_finished(
    translator: &Translator,
    results: &[Arc<RunResult>],
    took: Duration,
    interrupted: bool,
) -> Vec<Record> {
    let bad: Vec<&RunResult> = results.iter().map(AsRef::as_ref).filter(|result| is_error(result)).collect();
    match translator.command.as_str() {
        "compile" | "show" | "generate" | "list" | "parse" => {
            return bad.iter().flat_map(|result| problem(translator, result)).collect();
        }
        _ => {}
    }
    // Nothing ran: the warning that says so is all.
    if results.is_empty() && translator.command != "freshness" {
        return Vec::new();
    }
    let mut records = Vec::new();
    if translator.command != "clone" && !translator.seen.is_empty() {
        records.extend([Record::blank(), finished(translator, took)]);
        if translator.command != "freshness" {
            records.push(end_result(results, took));
        }
    }
    if translator.command == "freshness" {
        records.extend(bad.iter().flat_map(|result| problem(translator, result)));
        records.push(Record::new("FreshnessCheckComplete", "Q003", Level::Info, "Done."));
        return records;
    }
    let count = |status: Status| results.iter().filter(|result| result.status == status).count();
    let (warnings, partial) = (count(Status::Warn), count(Status::PartialSuccess));
    records.push(Record::blank());
    records.push(end_of_run(bad.len(), warnings, partial, interrupted));
    let partial_or_warned = |wanted: Status| results.iter().filter(move |result| result.status == wanted);
    records.extend(bad.iter().flat_map(|result| problem(translator, result)));
    records.extend(partial_or_warned(Status::PartialSuccess).flat_map(|result| problem(translator, result)));
    records.extend(partial_or_warned(Status::Warn).flat_map(|result| problem(translator, result)));
    records.push(Record::blank());
    records.push(stats(results));
    records
}

/// EndRunResult: all results once more, for tools.
fn end_result(results: &[Arc<RunResult>], took: Duration) -> Record {
    let shown: Vec<Json> = results.iter().map(|result| node_records::run_result(result)).collect();
    Record::new("EndRunResult", "Q037", Level::Debug, "Command end result")
        .with("elapsed_time", seconds(took))
        .with("generated_at", chrono::Utc::now().format("%Y-%m-%dT%H:%M:%SZ").to_string())
        .with("results", Json::Array(shown))
        .with("success", !results.iter().any(|result| result.status.is_failure()))
}

/// Does it count as an error? A node that was skipped counts only where it says why.
fn is_error(result: &RunResult) -> bool {
    match result.status {
        Status::Error | Status::Fail | Status::RuntimeError => true,
        Status::Skipped => result.message.is_some() && !result.unique_id.as_str().starts_with("exposure."),
        _ => false,
    }
}

/// `Finished running 3 seeds, 2 table models, … in 0 hours 0 minutes and 0.87 seconds (0.87s).`
fn finished(translator: &Translator, took: Duration) -> Record {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for seen in translator.seen.values() {
        *counts.entry(counted(&seen.resource)).or_default() += 1;
    }
    let parts: Vec<String> = counts
        .into_iter()
        .map(|(name, count)| pluralize(count, &if name == "test" { "data test".to_owned() } else { name.replace('_', " ") }))
        .collect();
    let line = if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") };
    let total = took.as_secs_f64();
    let whole = took.as_secs();
    let (hours, minutes) = (whole / 3600, whole % 3600 / 60);
    let rest = took.saturating_sub(Duration::from_secs(whole - whole % 60)).as_secs_f64();
    let execution = format!(" in {hours} hours {minutes} minutes and {rest:.2} seconds");
    let msg = format!("Finished running {line}{execution} ({total:.2}s).");
    let record = Record::new("FinishedRunningStats", "E047", Level::Info, msg);
    record.with("execution", execution).with("execution_time", seconds(took)).with("stat_line", line)
}

/// dbt sorts by these names before it makes them readable.
fn counted(of: &Resource) -> String {
    match of {
        Resource::Node(node) if node.resource_type == ResourceType::Model => format!("{} model", node.config.materialized()),
        Resource::Node(node) if node.resource_type == ResourceType::Operation => "project hook".to_owned(),
        other => other.resource_type().as_str().to_owned(),
    }
}

fn end_of_run(errors: usize, warnings: usize, partial: usize, interrupted: bool) -> Record {
    let partly = format!("{partial} partial {}", if partial == 1 { "success" } else { "successes" });
    let warned = pluralize(warnings, "warning");
    let (msg, style) = if interrupted {
        ("Exited because of keyboard interrupt".to_owned(), Style::Caution)
    } else if errors > 0 {
        (format!("Completed with {}, {partly}, and {warned}:", pluralize(errors, "error")), Style::Bad)
    } else if partial > 0 {
        (format!("Completed with {partly} and {warned}"), Style::Caution)
    } else if warnings > 0 {
        (format!("Completed with {warned}:"), Style::Caution)
    } else {
        ("Completed successfully".to_owned(), Style::Good)
    };
    Record::new("EndOfRunSummary", "Z030", Level::Info, msg.clone())
        .accent(msg, style)
        .with("keyboard_interrupt", interrupted)
        .with("num_errors", errors)
        .with("num_partial_success", partial)
        .with("num_warnings", warnings)
}

/// One result that people should look at: which, why, where its SQL lies.
fn problem(translator: &Translator, result: &RunResult) -> Vec<Record> {
    let seen = translator.seen.get(&result.unique_id);
    let of = seen.map(|seen| &seen.resource);
    let info = seen.map(|seen| node_info(&seen.resource, seen.status, seen.started, None));
    let with_info = |record: Record| match &info {
        Some(info) => record.with("node_info", info.clone()),
        None => record,
    };
    let warned = result.status == Status::Warn;
    let mut records = vec![Record::blank()];
    if let Some(of) = of.filter(|_| matches!(result.status, Status::Error | Status::Fail | Status::Warn)) {
        records.push(with_info(heading(of, warned)));
    }
    records.push(with_info(reason(of, result, warned)));
    let path = result.compiled.as_ref().and_then(|compiled| compiled.compiled_path.clone());
    if let Some(path) = path {
        records.push(Record::blank());
        let record = Record::new("SQLCompiledPath", "Z026", Level::Info, format!("  compiled code at {path}"));
        records.push(with_info(record.with("path", &*path)));
    }
    if let Some(relation) = stored_failures(of) {
        let query = format!("select * from {relation}");
        let rule = "-".repeat(query.len());
        let msg = format!("  See test failures:\n  {rule}\n  {query}\n  {rule}");
        records.push(Record::blank());
        records.push(with_info(Record::new("CheckNodeTestFailure", "Z027", Level::Info, msg).with("relation_name", relation)));
    }
    records
}

/// RunResultFailure, RunResultWarning: `in model orders (models/orders.sql)`.
fn heading(of: &Resource, warned: bool) -> Record {
    let (kind, name, path) = (of.resource_type().as_str(), of.name(), of.original_file_path());
    let (event, code, level, word, style) = if warned {
        ("RunResultWarning", "Z021", Level::Warn, "WARNING", Style::Caution)
    } else {
        ("RunResultFailure", "Z022", Level::Error, "ERROR", Style::Bad)
    };
    Record::new(event, code, level, format!("[{word}]: in {kind} {name} ({path})"))
        .accent(word, style)
        .with("node_name", name)
        .with("path", path)
        .with("resource_type", kind)
}

/// RunResultError, RunResultWarningMessage, RunResultErrorNoMessage.
fn reason(of: Option<&Resource>, result: &RunResult, warned: bool) -> Record {
    let mut record = match (&result.message, warned) {
        (Some(message), true) => {
            let record = Record::new("RunResultWarningMessage", "Z046", Level::Warn, format!("[WARNING]: {message}"));
            record.accent("WARNING", Style::Caution).with("msg", message.as_str())
        }
        (Some(message), false) => {
            Record::new("RunResultError", "Z024", Level::Error, format!("  {message}")).with("msg", message.as_str())
        }
        (None, _) => {
            let status = result.status.as_str();
            Record::new("RunResultErrorNoMessage", "Z025", Level::Error, format!("  Status: {status}")).with("status", status)
        }
    };
    let sample = result.sample.clone().filter(|table| !table.rows.is_empty());
    let more = sample.as_ref().and(of).filter(|_| stored_failures(of).is_none());
    let more = more.map(|of| format!("lineal show --select {} --limit 100", of.name()));
    if sample.is_some() || result.diagnostic.is_some() {
        let compiled = result.compiled.as_ref();
        let diagnostic = result.diagnostic.as_ref().map(|problem| sql_place::located(problem, of, compiled));
        record.people = People::Failure(Box::new(Failure { diagnostic, sample, more }));
    }
    record
}

/// Where a test keeps its failing rows, if it does.
fn stored_failures(of: Option<&Resource>) -> Option<String> {
    let Some(Resource::Node(node)) = of else { return None };
    let keeps = node.resource_type == ResourceType::Test && node.config.bool("store_failures") == Some(true);
    node.relation_name.clone().filter(|_| keeps)
}

/// `Done. PASS=28 WARN=0 …`
fn stats(results: &[Arc<RunResult>]) -> Record {
    let count = |of: &[Status]| results.iter().filter(|result| of.contains(&result.status)).count();
    let pass = count(&[Status::Pass, Status::Success]);
    let warn = count(&[Status::Warn]);
    let error = count(&[Status::Error, Status::Fail, Status::PartialSuccess, Status::RuntimeError]);
    let skip = count(&[Status::Skipped]);
    let noop = count(&[Status::NoOp]);
    let total = results.len();
    let msg = format!("Done. PASS={pass} WARN={warn} ERROR={error} SKIP={skip} NO-OP={noop} REUSED=0 TOTAL={total}");
    let stats: Json = serde_json::json!({
        "error": error, "noop": noop, "pass": pass, "reused": 0, "skip": skip, "total": total, "warn": warn,
    });
    Record::new("StatsLine", "Z023", Level::Info, msg).with("stats", stats)
}
