//! What happens during an invocation, as data: workers emit events, reporters consume them.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::agate::Table;
use crate::diagnostic::Diagnostic;
use crate::manifest::{BatchResults, Json, JsonMap, Node, OverloadResults, Relation, Resource, TimeSpan, UniqueId};

/// Where events go. Cheap to clone and share between threads.
#[derive(Clone)]
pub struct Events(Arc<dyn Fn(Event) + Send + Sync>);

impl Events {
    pub fn new(sink: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self(Arc::new(sink))
    }

    /// Drops everything: for tests and inner steps.
    pub fn none() -> Self {
        Self::new(|_| {})
    }

    pub fn emit(&self, event: Event) {
        (self.0)(event);
    }
}

/// dbt's `RunStatus`, `TestStatus` and `FreshnessStatus` in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    Success,
    Error,
    Skipped,
    PartialSuccess,
    NoOp,
    Pass,
    Fail,
    Warn,
    RuntimeError,
}

impl Status {
    /// As run_results.json spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Error => "error",
            Self::Skipped => "skipped",
            Self::PartialSuccess => "partial success",
            Self::NoOp => "no-op",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Warn => "warn",
            Self::RuntimeError => "runtime error",
        }
    }

    /// The status that run_results.json spells so.
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Success,
            Self::Error,
            Self::Skipped,
            Self::PartialSuccess,
            Self::NoOp,
            Self::Pass,
            Self::Fail,
            Self::Warn,
            Self::RuntimeError,
        ]
        .into_iter()
        .find(|status| status.as_str() == text)
    }

    /// Does it stop what depends on it, and fail the command?
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Error | Self::Fail | Self::PartialSuccess | Self::RuntimeError)
    }
}

/// A timed part of a node's work: dbt's `TimingInfo` (`compile`, `execute`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    pub name: &'static str,
    pub started_at: SystemTime,
    pub completed_at: SystemTime,
}

/// What came of compiling a node: the part of dbt's node that only a run knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Compiled {
    pub code: Arc<str>,
    /// Ephemeral models it includes, as CTEs: (id, ` name as (…)`). Already part of `code`.
    pub extra_ctes: Vec<(UniqueId, String)>,
    /// What foreign keys refer to, as written (`ref('x')`) and as the relation's name.
    pub foreign_keys: Vec<(String, String)>,
    /// The code without those CTEs: what an ephemeral model's readers include.
    pub bare: Arc<str>,
    /// Which of the hooks of its moment an operation was, counted from 1.
    pub hook: Option<usize>,
    /// A function's overloads, rendered, in their order.
    pub overloads: Vec<Arc<str>>,
    /// Macros that rendering called directly (depth 0) beyond those known at parse; for tests and functions also those that
    /// the materialization itself called: dbt adds them to the node's `depends_on.macros`.
    pub macros: Vec<UniqueId>,
    /// Where `code` was written, as the manifest shows it: `target/compiled/<package>/<path>`.
    pub compiled_path: Option<Arc<str>>,
    /// Where the executed SQL was written: `target/run/<package>/<path>`; seeds have it too (their `code` is empty), hooks don't.
    pub build_path: Option<Arc<str>>,
}

impl Compiled {
    /// Was it compiled? Seeds and clones only know where the SQL was written that ran.
    pub fn is_compiled(&self) -> bool {
        self.build_path.is_none() || self.compiled_path.is_some() || !self.code.is_empty()
    }
}

/// What came of one node: dbt's `RunResult`.
#[derive(Debug, Clone)]
pub struct RunResult {
    pub unique_id: UniqueId,
    pub status: Status,
    pub timing: Vec<Timing>,
    /// `Thread-1 (worker)` and its like.
    pub thread_id: String,
    pub execution_time: Duration,
    /// The adapter's response as dbt writes it: `{"_message": "OK", "rows_affected": 3}`.
    pub adapter_response: JsonMap,
    pub message: Option<String>,
    /// Failing rows of a test.
    pub failures: Option<i64>,
    pub compiled: Option<Compiled>,
    /// What came of a microbatch model's batches.
    pub batch_results: Option<BatchResults>,
    /// What came of a function's overloads.
    pub overload_results: Option<OverloadResults>,
    /// `sources.json` only: the row as that artifact writes it, without unique_id, status and timing.
    pub freshness: Option<JsonMap>,
    /// The first failing rows of a test, for people.
    pub sample: Option<Arc<Table>>,
    /// Why it failed, for people: with places.
    pub diagnostic: Option<Diagnostic>,
}

impl RunResult {
    /// A result of which nothing is known but how it ended, and on which thread.
    pub fn new(unique_id: UniqueId, status: Status, thread_id: String) -> Self {
        Self {
            unique_id,
            status,
            timing: Vec::new(),
            thread_id,
            execution_time: Duration::ZERO,
            adapter_response: JsonMap::new(),
            message: None,
            failures: None,
            compiled: None,
            batch_results: None,
            overload_results: None,
            freshness: None,
            sample: None,
            diagnostic: None,
        }
    }
}

/// What becomes of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionStep {
    Opened,
    RolledBack,
    Closed,
}

/// Which batch of a microbatch model.
#[derive(Debug, Clone)]
pub struct BatchPlace {
    /// `2020-01-01`.
    pub label: String,
    pub index: usize,
    pub total: usize,
    /// Other batches may run at the same time.
    pub concurrent: bool,
}

/// One thing that happened. Reporters match on it; dbt's event names are in the comments.
#[derive(Debug, Clone)]
pub enum Event {
    /// MainReportVersion, MainReportArgs: the invocation begins.
    Started { command: &'static str, args: Arc<JsonMap> },
    /// AdapterRegistered.
    AdapterRegistered { adapter: Arc<str>, version: Arc<str> },
    /// FoundNodes: how many resources of each type, as (singular name, number).
    Found { counts: Vec<(String, usize)> },
    /// ConcurrencyLine.
    Concurrency { threads: usize, target: Arc<str>, nodes: usize },
    /// NodeStart and LogStartLine: `index` of `total` begins.
    NodeStart { node: Resource, index: usize, total: usize, thread: String, at: SystemTime },
    /// NodeCompiling.
    NodeCompiling { node: Resource, at: SystemTime },
    /// NodeExecuting.
    NodeExecuting { node: Resource, at: SystemTime },
    /// LogModelResult, LogSeedResult, LogSnapshotResult, LogTestResult, LogNodeResult, LogFreshnessResult, LogSkip…; then NodeFinished.
    /// `group` is the node's, as dbt logs it: `{name, package_name, owner}`.
    NodeFinished {
        node: Resource,
        index: usize,
        total: usize,
        started_at: SystemTime,
        result: Arc<RunResult>,
        group: Option<Arc<JsonMap>>,
    },
    /// A microbatch model turned out to have these batches, which begin at those moments: one MicrobatchExecutionDebug.
    Batches { node: Arc<Node>, batches: Arc<Vec<TimeSpan>> },
    /// MicrobatchExecutionDebug, NodeStart, LogStartBatch.
    BatchStart { node: Arc<Node>, place: BatchPlace, thread: String, at: SystemTime },
    /// LogBatchResult, NodeFinished.
    BatchFinished {
        node: Arc<Node>,
        place: BatchPlace,
        started_at: SystemTime,
        result: Arc<RunResult>,
        group: Option<Arc<JsonMap>>,
    },
    /// LogStartOverload: `index` of `total` overloads of a function, which is defined in the file `name`, begins.
    OverloadStart { node: Arc<Node>, name: String, index: usize, total: usize },
    /// LogOverloadResult; `error` is why it failed, and `Skipped` one that an earlier run made.
    OverloadFinished {
        node: Arc<Node>,
        name: String,
        index: usize,
        total: usize,
        status: Status,
        error: Option<String>,
        took: Duration,
        group: Option<Arc<JsonMap>>,
    },
    /// HooksRunning, LogHookStartLine.
    HookStart { node: Arc<Node>, index: usize, total: usize },
    /// LogHookEndLine.
    HookFinished { node: Arc<Node>, index: usize, total: usize, status: Status, took: Duration },
    /// ConnectionUsed, SQLCommit where it is one, SQLQuery: for the log file. `kind` is the adapter's, `duckdb`.
    Query { sql: Arc<str>, connection: Arc<str>, kind: &'static str, node: Option<UniqueId> },
    /// NewConnection or ConnectionReused, with NewConnectionOpening; Rollback; ConnectionClosed.
    Connection { step: ConnectionStep, connection: Arc<str>, kind: &'static str },
    /// SQLQueryStatus.
    QueryDone { status: String, took: Duration, node: Option<UniqueId> },
    /// JinjaLogInfo, JinjaLogDebug: `log()` in Jinja.
    Log { text: String, info: bool, node: Option<UniqueId> },
    /// `print()` in Jinja: to standard output, even when quiet.
    Print { text: String },
    /// A warning or error of any phase. `JinjaLogWarning` and dbt's deprecations come here too.
    Diagnostic(Box<Diagnostic>),
    /// A line for people: progress of deps, clean, init, debug …; `level` is dbt's: debug, info, warn, error.
    Note { name: &'static str, code: &'static str, level: &'static str, text: String, data: JsonMap },
    /// ShowNode, CompiledNode, ListCmdOut and their like: the command's own output, to standard output.
    Output { name: &'static str, code: &'static str, text: String, data: JsonMap },
    /// EndOfRunSummary, StatsLine, RunResultWarning/Failure/Error lines.
    RunFinished { results: Arc<Vec<Arc<RunResult>>>, took: Duration, interrupted: bool },
    /// CommandCompleted.
    Completed { command: &'static str, success: bool, took: Duration },
}

/// SchemaCreation or SchemaDrop: a schema is about to be made or dropped.
pub fn schema_event(schema: &Relation, made: bool) -> Event {
    let (database, name) = (schema.database.as_deref().unwrap_or_default(), schema.schema.as_deref().unwrap_or_default());
    let mut key = JsonMap::new();
    for (part, text) in [("database", database), ("identifier", ""), ("schema", name)] {
        key.insert(part.to_owned(), text.into());
    }
    let shown = format!("database: \"{database}\"\nschema: \"{name}\"\n");
    let (event, code, text) = if made {
        ("SchemaCreation", "E020", format!("Creating schema \"{shown}\""))
    } else {
        ("SchemaDrop", "E021", format!("Dropping schema \"{shown}\"."))
    };
    let data = JsonMap::from_iter([("relation".to_owned(), Json::Object(key))]);
    Event::Note { name: event, code, level: "debug", text, data }
}
