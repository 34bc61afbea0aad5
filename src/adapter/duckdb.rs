//! DuckDB, embedded: one database handle for the run, opened at the first connection, one connection a thread.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use duckdb::core::LogicalTypeId;
use duckdb::{Config, InterruptHandle};

use super::duckdb_credentials::{Credentials, Extension, shown};
use super::duckdb_python::Scratch;
use super::duckdb_values::{Bound, Context, cell, needs_text};
use super::python::{PythonTask, Said};
use super::{Adapter, AdapterError, Connection, Features, Response, interrupt_all};
use crate::agate::{Cell, Table};
use crate::manifest::{JsonMap, Relation};

/// The engine that is linked; a test compares it with what the engine says.
pub const VERSION: &str = "1.5.6";

/// A DuckDB file, or memory.
pub struct DuckDb {
    pub(super) credentials: Credentials,
    shown: JsonMap,
    features: Features,
    /// The connection that holds the database open; others are made from it.
    pub(super) root: Mutex<Option<duckdb::Connection>>,
    pub(super) sessions: Arc<Sessions>,
    /// Plugins that stored something in this run.
    pub(super) stored: Mutex<HashSet<String>>,
    /// What stands for memory once Python is expected; after `root`, which is closed before it goes.
    scratch: OnceLock<Scratch>,
}

/// What `cancel` needs to know of all connections.
#[derive(Default)]
pub(super) struct Sessions {
    pub(super) cancelled: AtomicBool,
    pub(super) open: Mutex<Vec<Arc<Running>>>,
}

pub(super) struct Running {
    busy: AtomicBool,
    interrupt: Arc<InterruptHandle>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl DuckDb {
    /// From the keys of a profile's target. Opens nothing.
    ///
    /// # Errors
    /// [`AdapterError::Profile`] for keys that are refused or have the wrong shape.
    pub fn new(keys: &JsonMap) -> Result<Self, AdapterError> {
        let credentials = Credentials::read(keys)?;
        let features = Features {
            disable_transactions: credentials.disable_transactions,
            external_root: credentials.external_root.clone(),
            ducklake: credentials.ducklake.clone(),
            ..Features::default()
        };
        Ok(Self {
            credentials,
            shown: shown(keys),
            features,
            root: Mutex::default(),
            sessions: Arc::default(),
            stored: Mutex::default(),
            scratch: OnceLock::new(),
        })
    }

    /// The database's file, or `:memory:`.
    pub(super) fn path(&self) -> Cow<'_, str> {
        self.scratch.get().map_or_else(|| self.credentials.path.as_str().into(), |scratch| scratch.path().into())
    }

    fn open(&self) -> Result<duckdb::Connection, AdapterError> {
        #[cfg(feature = "shared")]
        super::duckdb_library::load().map_err(|message| AdapterError::Connect {
            message: format!("cannot load DuckDB's shared library: {message}"),
            help: Some("`make deps` puts it into target/libduckdb; a static build (`make release`) needs none.".to_string()),
        })?;
        let retries = &self.credentials.retries;
        let mut attempt = 0;
        let connection = loop {
            match self.open_once() {
                Ok(connection) => break connection,
                Err(error) => {
                    attempt += 1;
                    let message = error_text(&error);
                    if attempt >= retries.connect_attempts || !retries.exceptions.contains(&exception_name(&message)) {
                        return Err(self.connect_error(&message));
                    }
                    std::thread::sleep(Duration::from_secs(1 << (attempt - 1).min(6)));
                }
            }
        };
        for extension in &self.credentials.extensions {
            load_extension(&connection, extension)?;
        }
        for sql in &self.credentials.setup {
            connection.execute_batch(sql).map_err(|error| self.connect_error(&error_text(&error)))?;
        }
        Ok(connection)
    }

    fn open_once(&self) -> duckdb::Result<duckdb::Connection> {
        let mut config = Config::default();
        for (key, value) in &self.credentials.config_options {
            config = config.with(key, value)?;
        }
        duckdb::Connection::open_with_flags(&*self.path(), config)
    }

    fn connect_error(&self, message: &str) -> AdapterError {
        let path = &self.credentials.path;
        let help = if message.contains("Could not set lock") {
            let holder = lock_holder(message).map_or_else(String::new, |holder| format!("It is held by {holder}. "));
            Some(format!(
                "{holder}Only one process at a time may write to a DuckDB file: end the other one, or give this target another path."
            ))
        } else if message.contains("No such file or directory") {
            Some(format!("The folder of '{path}' has to exist; paths are relative to where the command runs."))
        } else if message.contains("not a valid DuckDB database file") {
            Some(format!("'{path}' exists and is something else; give the target another path."))
        } else if message.contains("Permission denied") {
            Some(format!("This user may not write '{path}' or its folder."))
        } else {
            None
        };
        AdapterError::Connect { message: format!("cannot open the DuckDB database '{path}': {message}"), help }
    }
}

/// `PID 123 (/usr/bin/python)` out of DuckDB's message on a lock.
fn lock_holder(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("Conflicting lock is held in ")?;
    let (program, rest) = rest.split_once(" (PID ")?;
    let (pid, _) = rest.split_once(')')?;
    Some(format!("process {pid} ({program})"))
}

fn load_extension(connection: &duckdb::Connection, extension: &Extension) -> Result<(), AdapterError> {
    let load = extension.load();
    if connection.execute_batch(&load).is_ok() {
        return Ok(());
    }
    connection.execute_batch(&extension.install()).and_then(|()| connection.execute_batch(&load)).map_err(|error| {
        AdapterError::Connect {
            message: format!("cannot load the DuckDB extension '{}': {}", extension.name, error_text(&error)),
            help: Some(
                "Extensions are downloaded at their first use; without a network, copy them to ~/.duckdb/extensions.".into(),
            ),
        }
    })
}

impl Adapter for DuckDb {
    fn kind(&self) -> &'static str {
        "duckdb"
    }

    fn version(&self) -> Arc<str> {
        VERSION.into()
    }

    fn connect(&self, _name: &str) -> Result<Box<dyn Connection>, AdapterError> {
        let session = {
            let mut root = lock(&self.root);
            if self.sessions.cancelled.load(Ordering::SeqCst) {
                return Err(AdapterError::Cancelled);
            }
            if root.is_none() {
                *root = Some(self.open()?);
            }
            let clone = root.as_ref().map(duckdb::Connection::try_clone);
            let inner = clone.ok_or(AdapterError::Cancelled)?.map_err(|error| self.connect_error(&error_text(&error)))?;
            // Counted before the lock is let go of: Python may be waiting for the file.
            let running = Arc::new(Running { busy: AtomicBool::new(false), interrupt: inner.interrupt_handle() });
            lock(&self.sessions.open).push(running.clone());
            Session {
                inner: Some(inner),
                running,
                sessions: self.sessions.clone(),
                retries: self.credentials.retries.clone(),
                in_transaction: false,
                zone: None,
            }
        };
        if let Some(inner) = &session.inner {
            let mut settings = self.credentials.session.iter();
            settings.try_for_each(|sql| inner.execute_batch(sql)).map_err(|error| self.connect_error(&error_text(&error)))?;
        }
        Ok(Box::new(session))
    }

    fn cancel(&self) {
        self.sessions.cancelled.store(true, Ordering::SeqCst);
        let sessions = self.sessions.clone();
        interrupt_all(move || sessions.interrupt());
    }

    fn shown_credentials(&self) -> JsonMap {
        self.shown.clone()
    }

    fn features(&self) -> &Features {
        &self.features
    }

    fn expect_python(&self) {
        if self.credentials.path == ":memory:" && lock(&self.root).is_none() {
            self.scratch.get_or_init(Scratch::new);
        }
    }

    fn run_python(&self, task: &PythonTask, said: Said) -> Result<(), AdapterError> {
        self.lend(task, said)
    }
}

impl Sessions {
    /// Interrupts what runs; false if nothing does.
    fn interrupt(&self) -> bool {
        let open = lock(&self.open);
        let mut any = false;
        for running in open.iter().filter(|running| running.busy.load(Ordering::SeqCst)) {
            running.interrupt.interrupt();
            any = true;
        }
        any
    }
}

/// One connection.
struct Session {
    /// None only while it is being dropped.
    inner: Option<duckdb::Connection>,
    running: Arc<Running>,
    sessions: Arc<Sessions>,
    retries: super::duckdb_credentials::Retries,
    in_transaction: bool,
    zone: Option<chrono_tz::Tz>,
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.in_transaction {
            let _ = self.rollback();
        }
        self.inner = None;
        lock(&self.sessions.open).retain(|running| !Arc::ptr_eq(running, &self.running));
    }
}

impl Session {
    /// Runs with the connection marked busy; retries and errors as the profile says.
    fn run<T>(&self, sql: &str, work: impl Fn(&duckdb::Connection) -> duckdb::Result<T>) -> Result<T, AdapterError> {
        let mut attempt = 0;
        loop {
            if self.sessions.cancelled.load(Ordering::SeqCst) {
                return Err(AdapterError::Cancelled);
            }
            let Some(inner) = &self.inner else { return Err(AdapterError::Cancelled) };
            self.running.busy.store(true, Ordering::SeqCst);
            let done = work(inner);
            self.running.busy.store(false, Ordering::SeqCst);
            let error = match done {
                Ok(value) => return Ok(value),
                Err(error) => error_text(&error),
            };
            attempt += 1;
            if self.sessions.cancelled.load(Ordering::SeqCst) {
                return Err(AdapterError::Cancelled);
            }
            if attempt >= self.retries.query_attempts || !self.retries.exceptions.contains(&exception_name(&error)) {
                return Err(AdapterError::Statement { message: error, sql: sql.into() });
            }
            std::thread::sleep(Duration::from_secs(1 << (attempt - 1).min(6)));
        }
    }

    /// The session's time zone, asked once.
    fn zone(&mut self) -> chrono_tz::Tz {
        if let Some(zone) = self.zone {
            return zone;
        }
        let ask =
            |inner: &duckdb::Connection| inner.query_row("SELECT current_setting('TimeZone')", [], |row| row.get::<_, String>(0));
        let zone = self.inner.as_ref().and_then(|inner| ask(inner).ok()).and_then(|name| name.parse().ok());
        let zone = zone.unwrap_or(chrono_tz::UTC);
        self.zone = Some(zone);
        zone
    }

    /// The query with the columns that cannot be handed over cast to text.
    fn with_texts(&self, sql: &str) -> Result<String, AdapterError> {
        const OPAQUE: [&str; 6] = ["VARIANT", "TIME WITH TIME ZONE", "BIT", "BIGNUM", "TIME_NS", "GEOMETRY"];
        let sql = sql.trim().trim_end_matches(';');
        let described = self.run(sql, |inner| fetch(inner, &format!("DESCRIBE ({sql})"), None))?;
        let columns = described.rows.into_iter().enumerate().map(|(index, row)| {
            let mut fields =
                row.into_iter().map(|value| if let duckdb::types::Value::Text(text) = value { text } else { String::new() });
            let (name, kind) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
            let opaque = OPAQUE.iter().any(|word| kind.contains(word));
            let cast = if opaque { "::VARCHAR" } else { "" };
            format!("c{index}{cast} AS \"{}\"", name.replace('"', "\"\""))
        });
        let columns: Vec<String> = columns.collect();
        let names: Vec<String> = (0..columns.len()).map(|index| format!("c{index}")).collect();
        Ok(format!("SELECT {} FROM ({sql}\n) AS t({})", columns.join(", "), names.join(", ")))
    }

    fn rows(&mut self, sql: &str, limit: Option<usize>) -> Result<Table, AdapterError> {
        let fetched = match self.run(sql, |inner| fetch(inner, sql, limit)) {
            Err(AdapterError::Statement { message, .. }) if message == UNSUPPORTED => {
                let as_text = self.with_texts(sql)?;
                self.run(sql, |inner| fetch(inner, &as_text, limit))?
            }
            fetched => fetched?,
        };
        let zoned = fetched.kinds.contains(&LogicalTypeId::TimestampTZ);
        let zone = if zoned { self.zone() } else { chrono_tz::UTC };
        let kinds = fetched.kinds;
        let rows = fetched.rows.into_iter().map(|row| {
            let cells = row.into_iter().zip(&kinds);
            cells.map(|(value, kind)| cell(value, Context { kind: *kind, zone })).collect()
        });
        Ok(Table::from_result(fetched.names.iter().map(String::as_str), rows.collect()))
    }
}

/// Part of the message when a result has a type that the client library cannot hand over.
const UNSUPPORTED: &str = "lineal: unsupported column type";

struct Fetched {
    names: Vec<String>,
    kinds: Vec<LogicalTypeId>,
    rows: Vec<Vec<duckdb::types::Value>>,
}

fn fetch(inner: &duckdb::Connection, sql: &str, limit: Option<usize>) -> duckdb::Result<Fetched> {
    let unsupported = || duckdb::Error::DuckDBFailure(duckdb::ffi::Error::new(1), Some(UNSUPPORTED.to_string()));
    let mut statement = match inner.prepare(sql) {
        Ok(statement) => statement,
        Err(error) if is_blank(&error) => return Ok(Fetched { names: Vec::new(), kinds: Vec::new(), rows: Vec::new() }),
        Err(error) => return Err(error),
    };
    let mut rows = match statement.query([]) {
        Ok(rows) => rows,
        Err(duckdb::Error::FromSqlConversionFailure(..)) => return Err(unsupported()),
        Err(error) => return Err(error),
    };
    let Some(executed) = rows.as_ref() else {
        return Ok(Fetched { names: Vec::new(), kinds: Vec::new(), rows: Vec::new() });
    };
    let names = executed.column_names();
    let kinds: Vec<LogicalTypeId> = (0..names.len()).map(|index| executed.column_logical_type(index).id()).collect();
    if kinds.iter().any(|kind| needs_text(*kind)) {
        return Err(unsupported());
    }
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        if limit.is_some_and(|limit| out.len() >= limit) {
            break;
        }
        let cells = (0..names.len()).map(|index| row.get::<_, duckdb::types::Value>(index));
        out.push(cells.collect::<duckdb::Result<_>>()?);
    }
    Ok(Fetched { names, kinds, rows: out })
}

/// Nothing to run: an empty text, or comments only.
fn is_blank(error: &duckdb::Error) -> bool {
    matches!(error, duckdb::Error::DuckDBFailure(_, None))
}

impl Connection for Session {
    fn execute(&mut self, sql: &str) -> Result<Response, AdapterError> {
        self.run(sql, |inner| inner.execute_batch(sql))?;
        Ok(ok())
    }

    fn query(&mut self, sql: &str, limit: Option<usize>) -> Result<(Response, Table), AdapterError> {
        Ok((ok(), self.rows(sql, limit)?))
    }

    fn execute_bound(&mut self, sql: &str, bindings: &[Cell]) -> Result<Response, AdapterError> {
        self.run(sql, |inner| inner.prepare(sql)?.execute(duckdb::params_from_iter(bindings.iter().map(Bound))))?;
        Ok(ok())
    }

    fn begin(&mut self) -> Result<(), AdapterError> {
        self.run("BEGIN", |inner| inner.execute_batch("BEGIN"))?;
        self.in_transaction = true;
        Ok(())
    }

    fn commit(&mut self) -> Result<(), AdapterError> {
        self.run("COMMIT", |inner| inner.execute_batch("COMMIT"))?;
        self.in_transaction = false;
        Ok(())
    }

    /// Also after an interrupt, which is when it matters most.
    fn rollback(&mut self) -> Result<(), AdapterError> {
        self.in_transaction = false;
        let Some(inner) = &self.inner else { return Ok(()) };
        inner
            .execute_batch("ROLLBACK")
            .map_err(|error| AdapterError::Statement { message: error_text(&error), sql: "ROLLBACK".into() })
    }

    fn in_transaction(&self) -> bool {
        self.in_transaction
    }

    fn describe(&mut self, sql: &str) -> Result<Vec<(String, String)>, AdapterError> {
        let table = self.rows(&format!("DESCRIBE ({sql})"), None)?;
        let text = |row: &Vec<Cell>, index: usize| row.get(index).map(ToString::to_string).unwrap_or_default();
        Ok(table.rows.iter().map(|row| (text(row, 0), text(row, 1))).collect())
    }

    fn load(&mut self, relation: &Relation, columns: &str, table: &Table) -> Result<Response, AdapterError> {
        let places = vec!["?"; table.column_names.len()].join(", ");
        let sql = format!("INSERT INTO {} ({columns}) VALUES ({places})", relation.name());
        self.run(&sql, |inner| {
            let mut statement = inner.prepare(&sql)?;
            for row in &table.rows {
                statement.execute(duckdb::params_from_iter(row.iter().map(Bound)))?;
            }
            Ok(())
        })?;
        Ok(ok())
    }
}

/// dbt-duckdb's answer to every statement.
fn ok() -> Response {
    Response { message: "OK".to_string(), ..Response::default() }
}

fn error_text(error: &duckdb::Error) -> String {
    match error {
        duckdb::Error::DuckDBFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    }
}

/// `IO Error: …` → `IOException`, as Python's client names it.
fn exception_name(message: &str) -> String {
    let class = message.split_once(" Error:").map_or("", |(class, _)| class);
    format!("{}Exception", class.replace(' ', ""))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::agate::{CsvOptions, read_csv};

    fn memory() -> DuckDb {
        DuckDb::new(json!({"path": ":memory:"}).as_object().expect("a mapping")).expect("a good target")
    }

    fn query(connection: &mut Box<dyn Connection>, sql: &str) -> Table {
        connection.query(sql, None).unwrap_or_else(|error| panic!("{sql}: {error}")).1
    }

    #[test]
    fn the_linked_engine_is_the_one_that_is_named() {
        let mut connection = memory().connect("test").expect("a connection");
        let table = query(&mut connection, "select version()");
        assert_eq!(table.rows[0][0].to_string(), format!("v{VERSION}"));
    }

    #[test]
    fn every_type_prints_as_dbts_python_layer_shows_it() {
        let mut connection = memory().connect("test").expect("a connection");
        connection.execute("set TimeZone = 'America/New_York'").expect("a known zone");
        let cases = [
            ("1::tinyint", "1"),
            ("18446744073709551615::ubigint", "18446744073709551615"),
            ("170141183460469231731687303715884105727::hugeint", "170141183460469231731687303715884105727"),
            ("sum(x) from (select 5::integer as x)", "5"),
            ("1.50::decimal(9,2)", "1.50"),
            ("123456789012345678901234567.89::decimal(38,2)", "123456789012345678901234567.89"),
            ("1.0::double", "1.0"),
            ("'nan'::double", "NaN"),
            ("0.5::float", "0.5"),
            ("true", "True"),
            ("null", "None"),
            ("date '2020-01-02'", "2020-01-02"),
            ("timestamp '2020-01-02 03:04:05.6'", "2020-01-02 03:04:05.600000"),
            ("'2020-01-02 03:04:05'::timestamp_s", "2020-01-02 03:04:05"),
            ("'2020-01-02 03:04:05'::timestamp_ns", "2020-01-02 03:04:05"),
            ("timestamptz '2020-01-02 12:00:00+00'", "2020-01-02 07:00:00-05:00"),
            ("'infinity'::timestamp", "infinity"),
            ("time '12:34:56'", "12:34:56"),
            ("interval '1 month 2 days 3 hours'", "32 days, 3:00:00"),
            ("'a'::enum('a', 'b')", "a"),
            ("'f47ac10b-58cc-4372-a567-0e02b2c3d479'::uuid", "f47ac10b-58cc-4372-a567-0e02b2c3d479"),
            ("'\\xAAb'::blob", "b'\\xaab'"),
            ("'101'::bit", "101"),
            ("[1, null, 3]", "[1, null, 3]"),
            ("{'a': 1, 'b': ['x']}", "{\"a\": 1, \"b\": [\"x\"]}"),
            ("map {'k': 1}", "{\"k\": 1}"),
            ("[1, 2]::integer[2]", "[1, 2]"),
            ("union_value(n := 5)", "5"),
            ("'12:00:00+02'::timetz", "12:00:00+02"),
            ("'{\"a\": 1}'::json", "{\"a\": 1}"),
        ];
        for (sql, expected) in cases {
            let table = query(&mut connection, &format!("select {sql}"));
            assert_eq!(table.rows[0][0].to_string(), expected, "{sql}");
        }
    }

    #[test]
    fn several_statements_give_the_last_ones_rows() {
        let mut connection = memory().connect("test").expect("a connection");
        let table =
            query(&mut connection, "create table t (a integer); insert into t values (1), (2); select * from t order by a;");
        assert_eq!(table.rows.len(), 2);
        assert_eq!(connection.query("select * from t", Some(1)).expect("rows").1.rows.len(), 1);
        assert_eq!(query(&mut connection, "-- nothing but a comment").column_names.len(), 0);
        connection.execute("/* nothing */").expect("nothing to do");
        let described = connection.describe("select a, a::varchar as b from t").expect("a description");
        assert_eq!(described, [("a".to_string(), "INTEGER".to_string()), ("b".to_string(), "VARCHAR".to_string())]);
    }

    #[test]
    fn transactions_hide_what_is_not_committed() {
        let adapter = memory();
        let mut one = adapter.connect("one").expect("a connection");
        let mut two = adapter.connect("two").expect("a connection");
        one.execute("create table t (a integer)").expect("a table");
        one.begin().expect("a transaction");
        one.execute("insert into t values (1)").expect("a row");
        assert!(one.in_transaction());
        assert_eq!(query(&mut two, "select count(*) from t").rows[0][0], Cell::Int(0));
        one.rollback().expect("the way back");
        assert_eq!(query(&mut one, "select count(*) from t").rows[0][0], Cell::Int(0));
    }

    #[test]
    fn a_cancelled_statement_stops_and_later_ones_do_not_start() {
        let adapter = Arc::new(memory());
        let mut connection = adapter.connect("one").expect("a connection");
        connection.begin().expect("a transaction");
        let canceller = adapter.clone();
        let thread = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            canceller.cancel();
        });
        let result = connection.execute("select count(*) from range(1000000) a, range(1000000) b where a.range + b.range = 7");
        assert!(matches!(result, Err(AdapterError::Cancelled)), "{result:?}");
        assert!(matches!(connection.execute("select 1"), Err(AdapterError::Cancelled)));
        connection.rollback().expect("the way back still works");
        thread.join().expect("the thread ends");
    }

    #[test]
    fn rows_are_loaded_from_files_and_tables() {
        let mut connection = memory().connect("test").expect("a connection");
        connection.execute("create table t (a integer, b text)").expect("a table");
        let relation = Relation::new(Some("memory"), "main", "t");
        let options = CsvOptions { delimiter: ';', ..CsvOptions::default() };
        let file = read_csv("t.csv", "a;b\n1;x\n2;\n".to_owned(), &options).expect("a good file");
        connection.load(&relation, "a, b", &file).expect("a load");
        let more = Table::from_result(["a", "b"].into_iter(), vec![vec![Cell::Int(3), Cell::Null]]);
        connection.load(&relation, "a, b", &more).expect("a load");
        connection.execute_bound("insert into t values (?, ?)", &[Cell::Int(4), Cell::text("y")]).expect("a row");
        assert_eq!(query(&mut connection, "select count(*), count(b) from t").rows[0], [Cell::Int(4), Cell::Int(2)]);
    }

    #[test]
    fn faults_say_what_to_do() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("missing/x.duckdb");
        let adapter = DuckDb::new(json!({"path": path}).as_object().expect("a mapping")).expect("a good target");
        let Err(AdapterError::Connect { help: Some(help), .. }) = adapter.connect("test").map(|_| ()) else {
            panic!("a missing folder is an error with help")
        };
        assert!(help.contains("folder"), "{help}");
        let held = "IO Error: Could not set lock on file \"/x\": Conflicting lock is held in /usr/bin/python3 (PID 42). See also";
        assert_eq!(lock_holder(held).as_deref(), Some("process 42 (/usr/bin/python3)"));
        assert_eq!(exception_name(held), "IOException");
        let mut connection = memory().connect("test").expect("a connection");
        let Err(AdapterError::Statement { message, .. }) = connection.execute("select * from nowhere") else {
            panic!("an unknown table is an error")
        };
        assert!(message.starts_with("Catalog Error"), "{message}");
    }
}
