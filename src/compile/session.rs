//! One worker's conversation with the warehouse: its connection, its transaction, the results of its statements.
//!
//! Transactions follow dbt's connection manager: a statement begins one where it is asked to (`auto_begin`) and none is
//! open, an error rolls back, `release` rolls back what was not committed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::query_comment;
use super::statement::StatementResult;
use super::warehouse::Warehouse;
use crate::adapter::{self, AdapterError, Connection, PythonTask, Repeat, Response};
use crate::agate::{Cell, Table};
use crate::event::{ConnectionStep, Event};
use crate::jinja::objects::table;
use crate::jinja::{Error, ErrorKind, Value};
use crate::manifest::{Dialect, Relation, UniqueId};

/// Used by one thread at a time; objects in Jinja share it.
pub struct Session {
    pub warehouse: Arc<Warehouse>,
    state: Mutex<State>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Session({})", self.state().name)
    }
}

#[derive(Default)]
struct State {
    /// `master`, or the id of the node it works for.
    name: Arc<str>,
    node: Option<UniqueId>,
    /// Made for the first statement of a node.
    comment: Option<Arc<str>>,
    connection: Option<Box<dyn Connection>>,
    /// None where a result was loaded already.
    results: HashMap<String, Option<Arc<StatementResult>>>,
    /// Relations that its work had to drop, and that other nodes have to build again.
    lost: Vec<Relation>,
    /// After a fault.
    repeat: Repeat,
    /// There was no connection to be had.
    unreachable: bool,
}

/// How a statement is run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Execution {
    pub auto_begin: bool,
    pub fetch: bool,
    pub limit: Option<usize>,
}

impl Session {
    /// Connects at the first statement.
    pub fn with(warehouse: &Arc<Warehouse>, name: &str) -> Arc<Self> {
        let state = State { name: name.into(), ..State::default() };
        Arc::new(Self { warehouse: warehouse.clone(), state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on the session works for that node (None: for none): results of statements before are forgotten.
    pub fn work_for(&self, node: Option<&UniqueId>, name: &str) {
        let mut state = self.state();
        state.name = name.into();
        state.node = node.cloned();
        state.comment = None;
        state.results.clear();
        state.repeat = Repeat::Nothing;
        state.unreachable = false;
    }

    /// May its work be done again after the last fault? `idempotent` work may, even where a part of it was kept. Told once.
    pub fn may_repeat(&self, idempotent: bool) -> bool {
        match std::mem::take(&mut self.state().repeat) {
            Repeat::Nothing => false,
            Repeat::Idempotent => idempotent,
            Repeat::Everything => true,
        }
    }

    /// Did its work fail since the warehouse cannot be reached?
    pub fn is_unreachable(&self) -> bool {
        self.state().unreachable
    }

    /// Takes note of relations that could not stay.
    pub fn lost(&self, relations: Vec<Relation>) {
        self.state().lost.extend(relations);
    }

    /// The relations that were lost since they were asked for.
    pub fn take_lost(&self) -> Vec<Relation> {
        std::mem::take(&mut self.state().lost)
    }

    /// The node it works for.
    pub fn node(&self) -> Option<UniqueId> {
        self.state().node.clone()
    }

    /// Runs a statement with its comment: dbt's `adapter.execute`.
    pub fn execute_with(&self, sql: &str, how: Execution) -> Result<(Response, Table), Error> {
        let auto_begin = how.auto_begin && !self.warehouse.facts.features.disable_transactions;
        let sql = self.commented(sql)?;
        self.run(&sql, auto_begin, |connection| {
            if how.fetch {
                return connection.query(&sql, how.limit);
            }
            connection.execute(&sql).map(|response| (response, Table::empty()))
        })
    }

    /// Runs a statement outside of any transaction of its own, without its rows.
    pub fn execute(&self, sql: &str) -> Result<Response, Error> {
        self.execute_with(sql, Execution::default()).map(|(response, _)| response)
    }

    /// A statement's rows.
    pub fn query(&self, sql: &str) -> Result<Table, Error> {
        self.execute_with(sql, Execution { fetch: true, ..Execution::default() }).map(|(_, table)| table)
    }

    /// The first rows of a select, for people; nothing is logged as a statement of the node.
    pub fn peek(&self, sql: &str, limit: usize) -> Result<Table, Error> {
        let sql = format!("select * from (\n{}\n) as peeked limit {limit}", sql.trim().trim_end_matches(';'));
        self.query(&sql)
    }

    /// dbt's `adapter.add_query`: without a comment, in a transaction unless told otherwise, with values bound.
    pub fn add_query(&self, sql: &str, auto_begin: bool, bindings: &[Cell]) -> Result<Response, Error> {
        self.run(sql, auto_begin, |connection| {
            if bindings.is_empty() { connection.execute(sql) } else { connection.execute_bound(sql, bindings) }
        })
    }

    /// Puts a table's rows into a relation, in a transaction; `columns` are the relation's, in the table's order.
    pub fn load(&self, relation: &Relation, columns: &str, table: &Table) -> Result<Response, Error> {
        let sql = format!("COPY {} ({columns}) FROM STDIN", relation.name());
        self.run(&sql, true, |connection| connection.load(relation, columns, table))
    }

    /// Column names and types of a select.
    pub fn describe(&self, sql: &str) -> Result<Vec<(String, String)>, Error> {
        if self.warehouse.facts.dialect() == Dialect::DuckDb {
            return self.run(&format!("DESCRIBE ({sql})"), false, |connection| connection.describe(sql));
        }
        let sql = self.commented(sql)?;
        self.run(&sql, false, |connection| connection.describe(&sql))
    }

    /// Closes the connection, what is open committed; the next statement makes a new one.
    pub fn let_go(&self) -> Result<(), Error> {
        self.commit()?;
        self.state().connection = None;
        Ok(())
    }

    /// Runs the user's Python on the warehouse. What is not committed would be out of its sight, so it is committed first.
    pub fn run_python(&self, task: &PythonTask) -> Result<(), Error> {
        self.let_go()?;
        let state = self.state();
        let events = &self.warehouse.events;
        let node = state.node.clone();
        let text = format!("On {}: running Python", state.name);
        events.emit(Event::Log { text, info: false, node });
        let said = |line: &str| events.emit(Event::Print { text: line.to_owned() });
        self.warehouse.adapter.run_python(task, &said).map_err(fault)
    }

    fn commented(&self, sql: &str) -> Result<String, Error> {
        let known = self.state().comment.clone();
        let comment = if let Some(comment) = known {
            comment
        } else {
            let (node, name) = (self.node(), self.state().name.clone());
            let comment = self.warehouse.comment(node.as_ref(), &name)?;
            self.state().comment = Some(comment.clone());
            comment
        };
        query_comment::add(sql, &comment, self.warehouse.comment.append)
            .map_err(|message| Error::new(ErrorKind::Runtime, message))
    }

    /// Runs something on the connection, begun and rolled back as due, with its events.
    fn run<T: Responds>(
        &self,
        sql: &str,
        auto_begin: bool,
        work: impl FnOnce(&mut dyn Connection) -> Result<T, AdapterError>,
    ) -> Result<T, Error> {
        let mut state = self.state();
        self.connected(&mut state)?;
        if auto_begin && !state.in_transaction() {
            self.begin_in(&mut state)?;
        }
        self.observed(&mut state, sql, work)
    }

    fn connected(&self, state: &mut State) -> Result<(), Error> {
        if state.connection.is_none() {
            if !self.warehouse.introspect && state.node.is_some() {
                let thread = std::thread::current();
                let message = format!(
                    "connection never acquired for thread {}: --no-introspect keeps nodes from asking the warehouse",
                    thread.name().unwrap_or("main")
                );
                return Err(Error::new(ErrorKind::Runtime, message));
            }
            let connection = self.warehouse.adapter.connect(&state.name);
            state.unreachable = connection.is_err() && self.warehouse.adapter.is_gone();
            let connection = connection.map_err(fault)?;
            state.connection = Some(connection);
            self.noted(state, ConnectionStep::Opened);
        }
        Ok(())
    }

    fn noted(&self, state: &State, step: ConnectionStep) {
        let kind = self.warehouse.adapter.kind();
        self.warehouse.events.emit(Event::Connection { step, connection: state.name.clone(), kind });
    }

    fn observed<T: Responds>(
        &self,
        state: &mut State,
        sql: &str,
        work: impl FnOnce(&mut dyn Connection) -> Result<T, AdapterError>,
    ) -> Result<T, Error> {
        let events = &self.warehouse.events;
        let kind = self.warehouse.adapter.kind();
        events.emit(Event::Query { sql: sql.into(), connection: state.name.clone(), kind, node: state.node.clone() });
        let begun = Instant::now();
        let Some(connection) = &mut state.connection else { return Err(fault(AdapterError::Cancelled)) };
        match work(&mut **connection) {
            Ok(done) => {
                let status = done.status();
                events.emit(Event::QueryDone { status, took: begun.elapsed(), node: state.node.clone() });
                Ok(done)
            }
            Err(error) => {
                state.repeat = connection.repeat();
                if connection.in_transaction() {
                    let _ = connection.rollback();
                    self.noted(state, ConnectionStep::RolledBack);
                }
                Err(fault(error))
            }
        }
    }

    fn begin_in(&self, state: &mut State) -> Result<(), Error> {
        self.observed(state, "BEGIN", |connection| connection.begin())
    }

    /// Opens a transaction.
    ///
    /// # Errors
    /// One is open already.
    pub fn begin(&self) -> Result<(), Error> {
        let mut state = self.state();
        self.connected(&mut state)?;
        if state.in_transaction() {
            let message =
                format!("Tried to begin a new transaction on connection \"{}\", but it already had one open!", state.name);
            return Err(Error::new(ErrorKind::Runtime, message));
        }
        self.begin_in(&mut state)
    }

    /// Ends the transaction that a PostgreSQL session begins by itself: hooks and operations run without one.
    pub fn clear_transaction(&self) -> Result<(), Error> {
        if self.warehouse.facts.dialect() == Dialect::Postgres {
            if !self.in_transaction() {
                self.begin()?;
            }
            self.commit()?;
        }
        Ok(())
    }

    pub fn in_transaction(&self) -> bool {
        self.state().in_transaction()
    }

    /// Commits; without an open transaction it does nothing, as dbt-duckdb's `adapter.commit()`.
    pub fn commit(&self) -> Result<(), Error> {
        let mut state = self.state();
        if !state.in_transaction() {
            return Ok(());
        }
        self.observed(&mut state, "COMMIT", |connection| connection.commit())
    }

    /// Ends the work for a node: what is not committed is rolled back, the connection is closed (temporary tables go with it).
    pub fn release(&self) -> Result<(), Error> {
        let mut state = self.state();
        let Some(mut connection) = state.connection.take() else { return Ok(()) };
        let mut done = Ok(());
        if connection.in_transaction() {
            self.noted(&state, ConnectionStep::RolledBack);
            done = connection.rollback().map_err(fault);
        }
        drop(connection);
        self.noted(&state, ConnectionStep::Closed);
        done
    }

    /// Keeps a statement's result for `load_result`.
    pub fn store_result(&self, name: &str, response: Value, table: Option<&Value>) {
        let table = table.and_then(table::from_value).unwrap_or_default();
        let result = Arc::new(StatementResult { response, table });
        self.state().results.insert(name.to_string(), Some(result));
    }

    /// A statement's result, once (`main` as often as it is asked for); None where nothing was stored.
    ///
    /// # Errors
    /// It was loaded before.
    pub fn load_result(&self, name: &str) -> Result<Value, Error> {
        let mut state = self.state();
        let taken = match state.results.get_mut(name) {
            None => return Ok(crate::jinja::none()),
            Some(kept) if name == "main" => kept.clone(),
            Some(kept) => kept.take(),
        };
        match taken {
            Some(result) => Ok(crate::jinja::instance(result)),
            None => {
                Err(Error::compilation(format!("The 'statement' result named '{name}' has already been loaded into a variable")))
            }
        }
    }

    /// A statement's result, for the program itself; leaves it there.
    pub fn result(&self, name: &str) -> Option<Arc<StatementResult>> {
        self.state().results.get(name).cloned().flatten()
    }
}

impl State {
    fn in_transaction(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| connection.in_transaction())
    }
}

/// What an answer says of itself in the log.
trait Responds {
    fn status(&self) -> String {
        "OK".to_string()
    }
}

impl Responds for () {}
impl Responds for Vec<(String, String)> {}

impl Responds for Response {
    fn status(&self) -> String {
        self.message.clone()
    }
}

impl Responds for (Response, Table) {
    fn status(&self) -> String {
        self.0.message.clone()
    }
}

/// Waits before another attempt.
pub fn pause(attempt: u32) {
    std::thread::sleep(adapter::pause(attempt));
}

/// The warehouse's fault as an error of the render that asked.
pub fn fault(error: AdapterError) -> Error {
    match error {
        AdapterError::Statement { message, .. } => Error::new(ErrorKind::Database, message),
        AdapterError::Cancelled => Error::new(ErrorKind::Cancelled, "interrupted"),
        AdapterError::Connect { message, help } | AdapterError::Profile { message, help } => {
            let help = help.map(|help| format!("\n{help}")).unwrap_or_default();
            let mut error = Error::new(ErrorKind::Runtime, format!("{message}{help}"));
            error.database = true;
            error
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::fake::Fake;
    use crate::jinja::objects::response;

    fn session() -> (Arc<Fake>, Arc<Session>) {
        let fake = Arc::new(Fake::default());
        let warehouse = Arc::new(Warehouse::plain(fake.clone()));
        (fake.clone(), Session::with(&warehouse, "master"))
    }

    const BEGINS: Execution = Execution { auto_begin: true, fetch: false, limit: None };

    #[test]
    fn a_transaction_begins_once_and_ends_with_commit() {
        let (fake, session) = session();
        session.execute("set x = 1").expect("no fault");
        session.execute_with("create a", BEGINS).expect("no fault");
        session.execute_with("create b", BEGINS).expect("no fault");
        session.commit().expect("no fault");
        session.commit().expect("nothing to do");
        let sent: Vec<String> = fake.take().iter().map(|line| line.rsplit('\n').next().unwrap_or_default().to_string()).collect();
        assert_eq!(sent, ["set x = 1", "master: BEGIN", "create a", "create b", "master: COMMIT"]);
    }

    #[test]
    fn statements_carry_the_comment_of_their_node() {
        let (fake, session) = session();
        session.work_for(Some(&"model.p.m".into()), "model.p.m");
        session.execute("select 1").expect("no fault");
        session.add_query("select 2", false, &[Cell::Int(1)]).expect("no fault");
        let sent = fake.take();
        assert!(
            sent[0].starts_with("model.p.m: /* {\"app\": \"dbt\"") && sent[0].contains("\"node_id\": \"model.p.m\""),
            "{sent:?}"
        );
        assert_eq!(sent[1], "model.p.m: select 2 [1]");
    }

    #[test]
    fn an_error_rolls_back() {
        let (fake, session) = session();
        fake.fail("bad", "Catalog Error: no");
        let error = session.execute_with("bad", BEGINS).expect_err("a fault");
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Database, "Catalog Error: no"));
        assert!(!session.in_transaction());
        assert_eq!(fake.take().last().map(String::as_str), Some("master: ROLLBACK"));
    }

    #[test]
    fn release_rolls_back_what_is_open() {
        let (fake, session) = session();
        session.execute_with("create a", BEGINS).expect("no fault");
        assert!(session.begin().is_err());
        session.release().expect("no fault");
        session.release().expect("nothing to do");
        assert_eq!(fake.take().iter().filter(|line| line.ends_with("ROLLBACK")).count(), 1);
    }

    #[test]
    fn results_are_loaded_once_but_for_main() {
        let (_, session) = session();
        session.store_result("x", response::value(Response::default()), None);
        session.store_result("main", response::value(Response { message: "OK".to_string(), ..Response::default() }), None);
        assert!(session.load_result("x").is_ok_and(|value| !value.is_none()));
        assert!(session.load_result("x").is_err());
        assert!(session.load_result("never").is_ok_and(|value| value.is_none()));
        for _ in 0..2 {
            assert!(session.load_result("main").is_ok_and(|value| !value.is_none()));
        }
        assert_eq!(session.result("main").map(|main| response::of(&main.response).message).as_deref(), Some("OK"));
        session.work_for(None, "master");
        assert!(session.result("main").is_none());
    }
}
