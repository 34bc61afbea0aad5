//! A warehouse that only takes notes: for tests of what is sent, in which order, in which transaction.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Adapter, AdapterError, Connection, Features, Response};
use crate::agate::{Cell, Table};
use crate::manifest::{JsonMap, Relation};

/// Records every statement as `connection: sql`; answers queries with the tables it was given.
#[derive(Default)]
pub struct Fake {
    shared: Arc<Shared>,
    pub features: Features,
}

#[derive(Default)]
struct Shared {
    statements: Mutex<Vec<String>>,
    /// (part of the statement, its answer or the error's text): the first that fits is used, once.
    answers: Mutex<VecDeque<(String, Result<Table, String>)>>,
    cancelled: AtomicBool,
}

impl Fake {
    /// The next query that contains `part` gives `table`.
    pub fn answer(&self, part: &str, table: Table) {
        lock(&self.shared.answers).push_back((part.to_string(), Ok(table)));
    }

    /// The next statement that contains `part` fails.
    pub fn fail(&self, part: &str, message: &str) {
        lock(&self.shared.answers).push_back((part.to_string(), Err(message.to_string())));
    }

    /// What was sent so far; forgets it.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.shared.statements))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Adapter for Fake {
    fn kind(&self) -> &'static str {
        "duckdb"
    }

    fn version(&self) -> Arc<str> {
        "0.0.0".into()
    }

    fn connect(&self, name: &str) -> Result<Box<dyn Connection>, AdapterError> {
        Ok(Box::new(FakeConnection { name: name.to_string(), shared: self.shared.clone(), open: false }))
    }

    fn cancel(&self) {
        self.shared.cancelled.store(true, Ordering::SeqCst);
    }

    fn shown_credentials(&self) -> JsonMap {
        JsonMap::new()
    }

    fn features(&self) -> &Features {
        &self.features
    }
}

struct FakeConnection {
    name: String,
    shared: Arc<Shared>,
    open: bool,
}

impl FakeConnection {
    fn note(&mut self, sql: &str) -> Result<Table, AdapterError> {
        if self.shared.cancelled.load(Ordering::SeqCst) {
            return Err(AdapterError::Cancelled);
        }
        lock(&self.shared.statements).push(format!("{}: {}", self.name, sql.trim()));
        let mut answers = lock(&self.shared.answers);
        let Some(at) = answers.iter().position(|(part, _)| sql.contains(part)) else {
            return Ok(Table::default());
        };
        match answers.remove(at) {
            Some((_, Ok(table))) => Ok(table),
            Some((_, Err(message))) => Err(AdapterError::Statement { message, sql: sql.into() }),
            None => Ok(Table::default()),
        }
    }

    fn respond(&mut self, sql: &str) -> Result<Response, AdapterError> {
        self.note(sql)?;
        Ok(Response { message: "OK".to_string(), ..Response::default() })
    }
}

impl Connection for FakeConnection {
    fn execute(&mut self, sql: &str) -> Result<Response, AdapterError> {
        self.respond(sql)
    }

    fn query(&mut self, sql: &str, limit: Option<usize>) -> Result<(Response, Table), AdapterError> {
        let mut table = self.note(sql)?;
        table.rows.change(|rows| rows.truncate(limit.unwrap_or(usize::MAX)));
        Ok((Response { message: "OK".to_string(), ..Response::default() }, table))
    }

    fn execute_bound(&mut self, sql: &str, bindings: &[Cell]) -> Result<Response, AdapterError> {
        let bound: Vec<String> = bindings.iter().map(Cell::repr).collect();
        self.respond(&format!("{sql} [{}]", bound.join(", ")))
    }

    fn begin(&mut self) -> Result<(), AdapterError> {
        self.respond("BEGIN")?;
        self.open = true;
        Ok(())
    }

    fn commit(&mut self) -> Result<(), AdapterError> {
        self.respond("COMMIT")?;
        self.open = false;
        Ok(())
    }

    fn rollback(&mut self) -> Result<(), AdapterError> {
        self.open = false;
        lock(&self.shared.statements).push(format!("{}: ROLLBACK", self.name));
        Ok(())
    }

    fn in_transaction(&self) -> bool {
        self.open
    }

    fn describe(&mut self, sql: &str) -> Result<Vec<(String, String)>, AdapterError> {
        let table = self.note(&format!("DESCRIBE ({sql})"))?;
        let text = |row: &Vec<Cell>, index: usize| row.get(index).map(ToString::to_string).unwrap_or_default();
        Ok(table.rows.iter().map(|row| (text(row, 0), text(row, 1))).collect())
    }

    fn load(&mut self, relation: &Relation, columns: &str, table: &Table) -> Result<Response, AdapterError> {
        self.respond(&format!("LOAD {relation} ({columns}) {} rows", table.len()))
    }
}
