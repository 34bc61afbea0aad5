//! Events become records: which of dbt's log lines an event is.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use indexmap::IndexMap;

use super::event_names;
use super::node_records::{self, Place, node_info};
use super::record::{Level, People, Record, pluralize, python_text, seconds};
use super::style::Style;
use super::summary;
use crate::artifacts::{self, DBT_VERSION};
use crate::diagnostic::Diagnostic;
use crate::event::{ConnectionStep, Event, RunResult, Status};
use crate::manifest::{Json, JsonMap, Node, Resource, UniqueId};

/// A resource that has begun or ended, and when.
pub(super) struct Seen {
    pub resource: Resource,
    pub started: Option<SystemTime>,
    pub status: &'static str,
}

/// What the lines of an invocation need to know of those before them.
pub(super) struct Translator {
    /// The command that runs: what `retry` repeats, not `retry`.
    pub command: String,
    pub seen: HashMap<UniqueId, Seen>,
    width: usize,
    show_all_deprecations: bool,
    /// How often each deprecation came.
    deprecations: IndexMap<&'static str, usize>,
    told: HashSet<Told>,
    /// By thread: what its connection is for.
    connections: HashMap<String, Arc<str>>,
}

/// A diagnostic is told once: by code, message, file and offset.
type Told = (&'static str, String, Option<(Arc<str>, usize)>);

/// Commands whose nodes make nothing that a line would tell.
const QUIET_COMMANDS: [&str; 6] = ["clone", "compile", "show", "generate", "list", "parse"];

impl Translator {
    pub(super) fn new(printer_width: usize, show_all_deprecations: bool) -> Self {
        Self {
            command: String::new(),
            seen: HashMap::new(),
            width: if printer_width == 0 { 80 } else { printer_width },
            show_all_deprecations,
            deprecations: IndexMap::new(),
            told: HashSet::new(),
            connections: HashMap::new(),
        }
    }

    fn place(&self, index: usize, total: usize) -> Place {
        Place { index, total, width: self.width }
    }

    fn quiet_nodes(&self) -> bool {
        QUIET_COMMANDS.contains(&self.command.as_str())
    }

    /// The records of an event, in order.
    #[expect(clippy::too_many_lines, reason = "a line or two for each event")]
    pub(super) fn records(&mut self, event: &Event) -> Vec<Record> {
        match event {
            Event::Started { command, args } => {
                args.get("which").and_then(Json::as_str).unwrap_or(command).clone_into(&mut self.command);
                started(args)
            }
            Event::AdapterRegistered { adapter, version } => vec![
                Record::new("AdapterRegistered", "E034", Level::Info, format!("Registered adapter: {adapter}={version}"))
                    .with("adapter_name", &**adapter)
                    .with("adapter_version", format!("={version}")),
            ],
            Event::Found { counts } => {
                let parts: Vec<String> = counts.iter().map(|(name, count)| pluralize(*count, name)).collect();
                let line = parts.join(", ");
                vec![Record::new("FoundStats", "W006", Level::Info, format!("Found {line}")).with("stat_line", line)]
            }
            Event::Concurrency { threads, target, nodes } => vec![
                Record::blank(),
                Record::new(
                    "ConcurrencyLine",
                    "Q027",
                    Level::Info,
                    format!("Concurrency: {threads} threads (target='{target}')"),
                )
                .with("node_count", *nodes)
                .with("num_threads", *threads)
                .with("target_name", &**target),
                Record::blank(),
            ],
            Event::NodeStart { node, index, total, thread, at } => self.node_start(node, *index, *total, thread, *at),
            Event::NodeCompiling { node, .. } => vec![self.node_step(node, "compiling", "NodeCompiling", "Q030")],
            Event::NodeExecuting { node, .. } => self.node_executing(node),
            Event::NodeFinished { node, index, total, started_at, result, group } => {
                let mut records = self.node_finished(node, self.place(*index, *total), *started_at, result);
                let line = records.first_mut().filter(|record| record.name != "NodeFinished");
                if let (Some(group), Some(line)) = (group, line) {
                    line.data.insert("group".to_owned(), Json::Object(JsonMap::clone(group)));
                }
                records
            }
            Event::OverloadStart { .. } | Event::OverloadFinished { .. } => self.overload(event),
            Event::Batches { .. } | Event::BatchStart { .. } | Event::BatchFinished { .. } => self.batch(event),
            Event::HookStart { node, index, total } => {
                let injected = self.injected(&Resource::Node(node.clone()));
                vec![injected, node_records::hook(node, self.place(*index, *total), None, info_of(node, "started"))]
            }
            Event::HookFinished { node, index, total, status, took } => {
                let done = Some((*status, *took));
                let hook = Seen { resource: Resource::Node(node.clone()), started: None, status: status.as_str() };
                self.seen.insert(node.unique_id.clone(), hook);
                vec![node_records::hook(node, self.place(*index, *total), done, info_of(node, status.as_str()))]
            }
            Event::Query { node, .. } | Event::QueryDone { node, .. } | Event::Log { node, .. } => {
                said(event).into_iter().map(|record| self.about(record, node.as_ref())).collect()
            }
            Event::Connection { step, connection, kind } => self.connection(*step, connection, kind),
            Event::Print { text } => vec![printed("PrintEvent", "Z052", text).with("msg", text.as_str())],
            Event::Diagnostic(diagnostic) => self.diagnostic(diagnostic).into_iter().collect(),
            Event::Note { name, code, level, text, data } => {
                let mut record = Record::new(name, code, Level::parse(level), text);
                record.data.clone_from(data);
                vec![record]
            }
            Event::Output { name, code, text, data } => {
                let mut record = printed(name, code, text);
                record.data.clone_from(data);
                vec![record]
            }
            Event::RunFinished { results, took, interrupted } => {
                let closed = self.closed_connections();
                closed.into_iter().chain(summary::run_finished(self, results, *took, *interrupted)).collect()
            }
            Event::Completed { command, success, took } => self.completed(command, *success, *took),
        }
    }

    fn node_start(&mut self, node: &Resource, index: usize, total: usize, thread: &str, at: SystemTime) -> Vec<Record> {
        self.seen.insert(node.unique_id().clone(), Seen { resource: node.clone(), started: Some(at), status: "started" });
        let info = node_info(node, "started", Some(at), None);
        let began = Record::new("NodeStart", "Q024", Level::Debug, format!("Began running node {}", node.unique_id()))
            .with("node_info", info.clone())
            .thread(thread);
        let runs = matches!(node, Resource::Node(_) | Resource::UnitTest(_) | Resource::Source(_));
        if self.quiet_nodes() || !runs {
            return vec![began];
        }
        vec![began, node_records::start(node, self.place(index, total), info).thread(thread)]
    }

    fn node_step(&mut self, node: &Resource, status: &'static str, name: &'static str, code: &'static str) -> Record {
        let seen = self.seen.get_mut(node.unique_id().as_str());
        let started = seen.and_then(|seen| {
            seen.status = status;
            seen.started
        });
        Record::new(name, code, Level::Debug, format!("Began {status} node {}", node.unique_id()))
            .with("node_info", node_info(node, status, started, None))
    }

    fn node_finished(&mut self, node: &Resource, place: Place, started: SystemTime, result: &RunResult) -> Vec<Record> {
        let status = result.status.as_str();
        let known = self.seen.get(node.unique_id().as_str());
        // What is skipped never began for the workers; in dbt's log it did.
        let new_to_us = known.is_none() && result.status == Status::Skipped;
        let started = known.and_then(|seen| seen.started).unwrap_or(started);
        self.seen.insert(node.unique_id().clone(), Seen { resource: node.clone(), started: Some(started), status });
        let finished = (result.status != Status::Skipped).then(SystemTime::now);
        let info = node_info(node, status, Some(started), finished);
        let began = new_to_us.then(|| {
            let began = format!("Began running node {}", node.unique_id());
            Record::new("NodeStart", "Q024", Level::Debug, began).with("node_info", info.clone()).thread(&result.thread_id)
        });
        let line = if self.quiet_nodes() { None } else { node_records::finished(node, place, result, info.clone()) };
        let fault = (result.status == Status::Error).then_some(result.message.as_deref()).flatten().map(|message| {
            let record = Record::new("CatchableExceptionOnRun", "W002", Level::Debug, message).with("exc", message);
            record.with("node_info", info.clone())
        });
        let done = finished_record(node.unique_id(), result, info);
        let marked = node_records::marks_children(&self.command, result.status).then(|| node_records::skipped_children(result));
        began.into_iter().chain(fault).chain(line).chain([done]).chain(marked).collect()
    }

    fn node_executing(&mut self, node: &Resource) -> Vec<Record> {
        let injected = writes_sql(node).then(|| self.injected(node));
        injected.into_iter().chain([self.node_step(node, "executing", "NodeExecuting", "Q031")]).collect()
    }

    /// dbt has one connection a thread, which takes the name of what it works for.
    fn connection(&mut self, step: ConnectionStep, name: &Arc<str>, kind: &str) -> Vec<Record> {
        let debug = |event, code, msg: String| Record::new(event, code, Level::Debug, msg);
        match step {
            ConnectionStep::Opened => {
                let thread = debug("", "", String::new()).thread;
                let former = self.connections.insert(thread, name.clone());
                let (first, state) = match former {
                    None => {
                        let new = debug("NewConnection", "E005", format!("Acquiring new {kind} connection '{name}'"));
                        (new.with("conn_name", &**name).with("conn_type", kind), "init")
                    }
                    Some(former) => {
                        let msg = format!("Re-using an available connection from the pool (formerly {former}, now {name})");
                        let again = debug("ConnectionReused", "E006", msg);
                        (again.with("conn_name", &**name).with("orig_conn_name", &*former), "closed")
                    }
                };
                let opening = format!("Opening a new connection, currently in state {state}");
                vec![first, debug("NewConnectionOpening", "E037", opening).with("connection_state", state)]
            }
            ConnectionStep::RolledBack => {
                vec![debug("Rollback", "E012", format!("On {name}: ROLLBACK")).with("conn_name", &**name)]
            }
            ConnectionStep::Closed => {
                vec![debug("ConnectionClosed", "E010", format!("On {name}: Close")).with("conn_name", &**name)]
            }
        }
    }

    /// ConnectionClosedInCleanup, under the name that each thread's connection had last.
    fn closed_connections(&self) -> Vec<Record> {
        let mut names: Vec<&Arc<str>> = self.connections.values().collect();
        names.sort_unstable();
        let closed = names.into_iter().map(|name| {
            let msg = format!("Connection '{name}' was properly closed.");
            Record::new("ConnectionClosedInCleanup", "E008", Level::Debug, msg).with("conn_name", &**name)
        });
        closed.collect()
    }

    fn injected(&self, of: &Resource) -> Record {
        let text = format!("Writing injected SQL for node \"{}\"", of.unique_id());
        let record = Record::new("WritingInjectedSQLForNode", "Q029", Level::Debug, text);
        match self.seen.get(of.unique_id()) {
            Some(_) => self.about(record, Some(of.unique_id())),
            None => record.with("node_info", node_info(of, "None", None, None)),
        }
    }

    /// What is told of a microbatch model's batches; `node_info` is the model's, at the batch's own time.
    fn batch(&self, event: &Event) -> Vec<Record> {
        match event {
            Event::Batches { node, batches } => node_records::batches(node, batches).into_iter().collect(),
            Event::BatchStart { node, place, thread, at } => {
                let info = node_info(&Resource::Node(node.clone()), "started", Some(*at), None);
                node_records::batch_start(node, place, self.width, &info)
                    .into_iter()
                    .map(|record| record.thread(thread))
                    .collect()
            }
            Event::BatchFinished { node, place, started_at, result, group } => {
                let finished = (result.status != Status::Skipped).then(SystemTime::now);
                let info = node_info(&Resource::Node(node.clone()), result.status.as_str(), Some(*started_at), finished);
                let mut line = node_records::batch_finished(node, place, self.width, result, info.clone());
                if let Some(group) = group {
                    line.data.insert("group".to_owned(), Json::Object(JsonMap::clone(group)));
                }
                let done = (result.status != Status::Skipped).then(|| finished_record(&node.unique_id, result, info));
                [line].into_iter().chain(done).collect()
            }
            _ => Vec::new(),
        }
    }

    /// What is told of a function's overloads.
    fn overload(&self, event: &Event) -> Vec<Record> {
        let (node, mut record) = match event {
            Event::OverloadStart { node, name, index, total } => {
                let place = Place { index: *index, total: *total, width: self.width };
                (node, node_records::overload_start(node, name, place))
            }
            Event::OverloadFinished { node, name, index, total, status, error, took, group } => {
                let place = Place { index: *index, total: *total, width: self.width };
                let mut record = node_records::overload_finished(node, name, place, (*status, error.as_deref(), *took));
                if let Some(group) = group {
                    record.data.insert("group".to_owned(), Json::Object(JsonMap::clone(group)));
                }
                (node, record)
            }
            _ => return Vec::new(),
        };
        record = self.about(record, Some(&node.unique_id));
        vec![record]
    }

    /// With `node_info` of the node it is about, where it is about one.
    fn about(&self, record: Record, node: Option<&UniqueId>) -> Record {
        match node.and_then(|id| self.seen.get(id)) {
            Some(seen) => record.with("node_info", node_info(&seen.resource, seen.status, seen.started, None)),
            None => record,
        }
    }

    /// A diagnostic, unless it was told before; deprecations once each, but counted.
    fn diagnostic(&mut self, diagnostic: &Diagnostic) -> Option<Record> {
        let place = diagnostic.labels.first().map(|label| (label.source.name.clone(), label.span.start));
        // What a project says itself is told as often as it says it.
        let own = diagnostic.event == Some("JinjaLogWarning");
        if !own && !self.told.insert((diagnostic.code, diagnostic.message.clone(), place)) {
            return None;
        }
        let deprecation = diagnostic.event.filter(|name| event_names::is_deprecation(name));
        if let Some(name) = deprecation.filter(|_| !diagnostic.is_error()) {
            let count = self.deprecations.entry(name).or_default();
            *count += 1;
            if *count > 1 && !self.show_all_deprecations {
                return None;
            }
        }
        Some(diagnostic_record(diagnostic, deprecation.is_some()))
    }

    fn completed(&mut self, command: &str, success: bool, took: Duration) -> Vec<Record> {
        let now = SystemTime::now();
        let command = match command {
            "generate" | "serve" => format!("dbt docs {command}"),
            "freshness" => format!("dbt source {command}"),
            _ => format!("dbt {command}"),
        };
        let outcome = if success { "succeeded" } else { "failed" };
        let at = chrono::DateTime::<chrono::Utc>::from(now).format("%H:%M:%S%.6f");
        let msg = format!("Command `{command}` {outcome} at {at} after {:.2} seconds", took.as_secs_f64());
        let completed = Record::new("CommandCompleted", "Q039", Level::Debug, msg)
            .with("command", command)
            .with("completed_at", artifacts::system_timestamp(now))
            .with("elapsed", seconds(took))
            .with("success", success);
        self.deprecation_summary().into_iter().chain([completed]).collect()
    }

    fn deprecation_summary(&self) -> Option<Record> {
        if self.deprecations.is_empty() {
            return None;
        }
        let mut msg = "[WARNING][DeprecationsSummary]: Deprecated functionality\nSummary of encountered deprecations:".to_owned();
        let mut summaries = Vec::new();
        for (name, count) in &self.deprecations {
            let _ = write!(msg, "\n- {name}: {}", pluralize(*count, "occurrence"));
            let code = event_names::code(name).unwrap_or_default();
            summaries.push(serde_json::json!({"event_code": code, "event_name": name, "occurrences": count}));
        }
        let hint = !self.show_all_deprecations && self.deprecations.values().any(|count| *count > 1);
        if hint {
            msg.push_str("\nEach is shown where it came first; --show-all-deprecations shows every place.");
        }
        let record = Record::new("DeprecationsSummary", "D028", Level::Warn, msg).accent("WARNING", Style::Caution);
        Some(record.with("show_all_hint", hint).with("summaries", Json::Array(summaries)))
    }
}

/// Is its compiled SQL written to a file? All but seeds', which have none.
fn writes_sql(of: &Resource) -> bool {
    matches!(of, Resource::Node(node) if node.resource_type != crate::manifest::ResourceType::Seed)
}

/// NodeFinished.
fn finished_record(id: &UniqueId, result: &RunResult, info: Json) -> Record {
    Record::new("NodeFinished", "Q025", Level::Debug, format!("Finished running node {id}"))
        .with("node_info", info)
        .with("run_result", node_records::run_result(result))
        .thread(&result.thread_id)
}

/// What the warehouse is asked and answers, and what macros log.
fn said(event: &Event) -> Vec<Record> {
    let debug = |name, code, msg: String| Record::new(name, code, Level::Debug, msg);
    vec![match event {
        Event::Query { sql, connection, kind, .. } => {
            let used = debug("ConnectionUsed", "E015", format!("Using {kind} connection \"{connection}\""))
                .with("conn_name", &**connection)
                .with("conn_type", *kind);
            let query = debug("SQLQuery", "E016", format!("On {connection}: {sql}"));
            let query = query.with("conn_name", &**connection).with("sql", &**sql);
            let commit = (&**sql == "COMMIT").then(|| debug("SQLCommit", "E018", format!("On {connection}: COMMIT")));
            let commit = commit.map(|record| record.with("conn_name", &**connection));
            return commit.into_iter().chain([used, query]).collect();
        }
        Event::QueryDone { status, took, .. } => {
            let record = debug("SQLQueryStatus", "E017", format!("SQL status: {status} in {:.3} seconds", took.as_secs_f64()));
            record.with("elapsed", seconds(*took)).with("query_id", "").with("status", status.as_str())
        }
        Event::Log { text, info: true, .. } => Record::new("JinjaLogInfo", "I062", Level::Info, text).with("msg", text.as_str()),
        Event::Log { text, .. } => Record::new("JinjaLogDebug", "I063", Level::Debug, text).with("msg", text.as_str()),
        _ => return Vec::new(),
    }]
}

/// MainReportVersion and MainReportArgs.
fn started(args: &crate::manifest::JsonMap) -> Vec<Record> {
    let version = Record::new(
        "MainReportVersion",
        "A001",
        Level::Info,
        format!("Running with dbt={DBT_VERSION} (lineal {})", env!("CARGO_PKG_VERSION")),
    );
    let texts: crate::manifest::JsonMap = args.iter().map(|(key, value)| (key.clone(), Json::from(python_text(value)))).collect();
    let shown = python_text(&Json::Object(texts.clone()));
    vec![
        version.with("log_version", 3).with("version", format!("={DBT_VERSION}")),
        Record::new("MainReportArgs", "A002", Level::Debug, format!("running dbt with arguments {shown}"))
            .with("args", Json::Object(texts)),
    ]
}

fn info_of(node: &Arc<Node>, status: &str) -> Json {
    node_info(&Resource::Node(node.clone()), status, None, None)
}

/// The command's own output.
fn printed(name: &'static str, code: &'static str, text: &str) -> Record {
    let mut record = Record::new(name, code, Level::Info, text);
    record.print = true;
    record
}

/// A warning by dbt's name for it, an error as `MainEncounteredError`; with its place as data of our own.
pub(super) fn diagnostic_record(diagnostic: &Diagnostic, deprecation: bool) -> Record {
    let text = match (diagnostic.labels.first(), diagnostic.is_error() || !deprecation) {
        (Some(label), true) => {
            let (line, column) = label.source.position(label.span.start);
            format!("{}\n  at {}:{line}:{column}", diagnostic.message, label.source.name)
        }
        _ => diagnostic.message.clone(),
    };
    let (name, code) = match diagnostic.event {
        // A warning that is to be an error ends the command: dbt tells of the end only.
        _ if diagnostic.is_error() => ("MainEncounteredError", "Z002"),
        Some(name) => (name, event_names::code(name).unwrap_or_default()),
        None => ("Note", "Z050"),
    };
    let record = if diagnostic.is_error() {
        let exc = exception(diagnostic, &text);
        let msg = format!("[ERROR]: Encountered an error:\n{exc}");
        Record::new(name, code, Level::Error, msg).accent("ERROR", Style::Bad).with("exc", exc)
    } else if deprecation {
        let msg = format!("[WARNING][{name}]: Deprecated functionality\n{text}");
        Record::new(name, code, Level::Warn, msg).accent("WARNING", Style::Caution)
    } else {
        Record::new(name, code, Level::Warn, format!("[WARNING]: {text}")).accent("WARNING", Style::Caution)
    };
    let mut record = record.with("msg", diagnostic.message.as_str()).with("code", diagnostic.code);
    if let Some(label) = diagnostic.labels.first() {
        let (line, column) = label.source.position(label.span.start);
        record = record.with("file", &*label.source.name).with("line", line).with("column", column);
    }
    if let Some(help) = &diagnostic.help {
        record = record.with("help", help.as_str());
    }
    if let Some(id) = &diagnostic.unique_id {
        record = record.with("unique_id", &**id);
    }
    record.people = People::Diagnostic(Box::new(diagnostic.clone()));
    record
}

/// An error as dbt's exceptions print: `Compilation Error in model orders (models/orders.sql)`, then the message, indented.
fn exception(diagnostic: &Diagnostic, text: &str) -> String {
    let kind = match diagnostic.code.get(1..3) {
        // A warning that was made an error.
        _ if diagnostic.code.starts_with('W') && diagnostic.event.is_some() => "Compilation Error",
        _ if diagnostic.code == "E0509" => "Breaking change to contract Error",
        _ if diagnostic.code == "E0138" => "Internal Error",
        Some("02") => "Parsing Error",
        Some("03" | "04") => "Compilation Error",
        Some("06" | "07") => "Database Error",
        Some("09") => "Internal Error",
        _ => "Runtime Error",
    };
    let mut parts = diagnostic.unique_id.as_deref().unwrap_or_default().splitn(3, '.');
    let about = match (parts.next(), parts.nth(1), diagnostic.labels.first()) {
        (Some(kind), Some(name), Some(label)) => format!(" in {kind} {name} ({})", label.source.name),
        _ => String::new(),
    };
    let body: Vec<String> = text.lines().map(|line| format!("  {line}")).collect();
    format!("{kind}{about}\n{}", body.join("\n"))
}
