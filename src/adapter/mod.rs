//! Warehouses: connect, execute, query, transact, cancel, load. SQL texts are not here but in `macros/`.

pub mod duckdb;
mod duckdb_credentials;
#[cfg(feature = "shared")]
mod duckdb_library;
mod duckdb_python;
mod duckdb_values;
pub mod fake;
pub mod postgres;
mod postgres_certificates;
mod postgres_credentials;
mod postgres_errors;
mod postgres_socket;
mod postgres_tls;
mod postgres_values;
mod postgres_wire;
mod python;

use std::sync::Arc;
use std::time::Duration;

use crate::agate::{Cell, Table};
use crate::manifest::{JsonMap, Relation};

pub use python::{PythonTask, Said};

/// The adapter of a profile's target: `kind` is its `type`, `credentials` are its keys, rendered. Does not connect.
///
/// # Errors
/// [`AdapterError::Profile`] for an adapter that lineal does not have, and for keys that it refuses.
pub fn create(kind: &str, credentials: &JsonMap) -> Result<Arc<dyn Adapter>, AdapterError> {
    match kind {
        "duckdb" => Ok(Arc::new(duckdb::DuckDb::new(credentials)?)),
        "postgres" => Ok(Arc::new(postgres::Postgres::new(credentials)?)),
        "fake" => Ok(Arc::new(fake::Fake::default())),
        other => Err(AdapterError::Profile {
            message: format!("the profile's target has the type '{other}', which lineal does not know"),
            help: Some("Known types: duckdb, postgres.".to_string()),
        }),
    }
}

/// Why the warehouse said no.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AdapterError {
    /// No connection: wrong file, locked by another process, dead server, refused login.
    #[error("{message}")]
    Connect { message: String, help: Option<String> },
    /// The engine refused a statement; its own words.
    #[error("{message}")]
    Statement { message: String, sql: Arc<str> },
    /// The run is being interrupted.
    #[error("interrupted")]
    Cancelled,
    /// The profile asks for what this adapter cannot do, or wrongly.
    #[error("{message}")]
    Profile { message: String, help: Option<String> },
}

/// What the engine said of a statement: dbt's `AdapterResponse`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Response {
    /// `OK`, `SELECT 12` …: dbt's `_message`.
    pub message: String,
    pub code: Option<String>,
    pub rows_affected: Option<i64>,
    pub query_id: Option<String>,
}

impl Response {
    /// As run_results.json shows it: `{"_message": "OK", "code": …, "rows_affected": …}`, without what is not known.
    pub fn to_json(&self) -> JsonMap {
        let mut out = JsonMap::new();
        out.insert("_message".to_string(), self.message.clone().into());
        if let Some(code) = &self.code {
            out.insert("code".to_string(), code.clone().into());
        }
        if let Some(rows) = self.rows_affected {
            out.insert("rows_affected".to_string(), rows.into());
        }
        if let Some(id) = &self.query_id {
            out.insert("query_id".to_string(), id.clone().into());
        }
        out
    }
}

/// What macros may ask of a warehouse beyond running statements.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// Statements run without a transaction around them (dbt-duckdb's `disable_transactions`).
    pub disable_transactions: bool,
    /// Where files of `external` models go.
    pub external_root: String,
    /// Databases, in lower case, that are DuckLake catalogs.
    pub ducklake: Vec<String>,
    /// What stands for a bound value in a statement.
    pub binding: &'static str,
    /// Batches of one microbatch model may be written side by side.
    pub concurrent_batches: bool,
}

impl Default for Features {
    fn default() -> Self {
        Self {
            disable_transactions: false,
            external_root: ".".to_string(),
            ducklake: Vec::new(),
            binding: "?",
            concurrent_batches: true,
        }
    }
}

/// A warehouse; made from a profile's target, opened only when the first connection is asked for.
pub trait Adapter: Send + Sync {
    /// `duckdb`, `postgres`.
    fn kind(&self) -> &'static str;
    /// The engine's version, for the console; does not connect.
    fn version(&self) -> Arc<str>;
    /// A connection of its own for one worker thread; `name` is the node or step it is for.
    fn connect(&self, name: &str) -> Result<Box<dyn Connection>, AdapterError>;
    /// Interrupts every running statement, from any thread; later ones fail with `Cancelled`.
    fn cancel(&self);
    /// It was waited for in vain: no new connection is to be had.
    fn is_gone(&self) -> bool {
        false
    }
    /// Credentials as Jinja's `target` and `debug` may show them: no secrets.
    fn shown_credentials(&self) -> JsonMap;
    fn features(&self) -> &Features;
    /// Python may be asked for in this run; told before the first connection.
    fn expect_python(&self) {}
    /// Runs the user's Python on the warehouse. The caller's own connection has to be closed.
    ///
    /// # Errors
    /// No Python, what it lacks, and its exceptions.
    fn run_python(&self, task: &PythonTask, said: Said) -> Result<(), AdapterError> {
        let _ = (task, said);
        Err(AdapterError::Connect {
            message: format!("the adapter '{}' cannot run Python models", self.kind()),
            help: Some("Write the model in SQL.".to_owned()),
        })
    }
}

/// What may be done again after a fault of a connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Repeat {
    /// The fault would come again.
    #[default]
    Nothing,
    /// The fault may pass, but something was committed, or may have been: only what may be done twice.
    Idempotent,
    /// The fault may pass, and nothing was kept of what the connection did.
    Everything,
}

/// How long to wait before another attempt: longer each time, and a part of it is chance, so that many who failed together
/// do not come back together.
pub fn pause(attempt: u32) -> Duration {
    let full = 200_u64 << attempt.min(5);
    let chance = u64::from(uuid::Uuid::new_v4().as_bytes()[0]);
    Duration::from_millis(full / 2 + full * chance / 512)
}

/// Interrupts what runs, and again for some seconds: a statement may be between its last look at the adapter's flag and its
/// start, where an interrupt is lost. `interrupt` says whether anything runs.
fn interrupt_all(interrupt: impl Fn() -> bool + Send + 'static) {
    interrupt();
    std::thread::spawn(move || {
        for _ in 0..100 {
            std::thread::sleep(Duration::from_millis(50));
            if !interrupt() {
                break;
            }
        }
    });
}

/// One session with the warehouse, used by one thread at a time.
pub trait Connection: Send {
    /// Runs statements (one or more, `;` between), results ignored.
    fn execute(&mut self, sql: &str) -> Result<Response, AdapterError>;
    /// Runs statements and gives the last one's rows, at most `limit` of them.
    fn query(&mut self, sql: &str, limit: Option<usize>) -> Result<(Response, Table), AdapterError>;
    /// Runs one statement with values bound to its `?`s.
    fn execute_bound(&mut self, sql: &str, bindings: &[Cell]) -> Result<Response, AdapterError>;
    fn begin(&mut self) -> Result<(), AdapterError>;
    fn commit(&mut self) -> Result<(), AdapterError>;
    fn rollback(&mut self) -> Result<(), AdapterError>;
    fn in_transaction(&self) -> bool;
    /// What may be done again, on another connection, after the last statement failed.
    fn repeat(&self) -> Repeat {
        Repeat::Nothing
    }
    /// Column names and the engine's type names of a select, without running it to the end.
    fn describe(&mut self, sql: &str) -> Result<Vec<(String, String)>, AdapterError>;
    /// Puts a table's rows into an existing relation; `columns` are its names there, in the table's order, parted by commas.
    fn load(&mut self, relation: &Relation, columns: &str, table: &Table) -> Result<Response, AdapterError>;
}
