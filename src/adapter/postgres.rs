//! PostgreSQL: connections are opened when they are first needed and used again; one a thread at a time.
//!
//! Transactions are those of dbt's client: the first statement of a session begins one, also where nobody asked; after a
//! commit (a statement like any other to it) each statement stands alone; a rollback starts over.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::postgres_credentials::{Credentials, SslMode};
use super::postgres_socket::Place;
use super::postgres_values::{bound, cell, copy_pieces, type_name};
use super::postgres_wire::{Answer, CancelToken, Fault, PIECE_LENGTH, Pieces, Wire};
use super::{Adapter, AdapterError, Connection, Features, Repeat, Response, interrupt_all, pause};
use crate::agate::{Cell, Table};
use crate::manifest::{JsonMap, Relation};

/// The version of dbt's adapter whose behaviour this is.
pub const VERSION: &str = "1.11.0";

/// A PostgreSQL database.
pub struct Postgres {
    shared: Arc<Shared>,
    shown: JsonMap,
    features: Features,
}

struct Shared {
    credentials: Credentials,
    /// Connections that nobody uses now.
    idle: Mutex<Vec<Wire>>,
    /// What `cancel` needs to know of the others.
    running: Mutex<Vec<Arc<Running>>>,
    cancelled: AtomicBool,
    /// The server has let this run in before.
    reached: AtomicBool,
    /// One thread waited for the server until it gave up: no other one waits again.
    gave_up: AtomicBool,
}

struct Running {
    busy: AtomicBool,
    token: CancelToken,
}

/// How often a server that is known to be there is asked again: for about ten seconds.
const PATIENCE: u32 = 6;

/// Why there is no connection.
struct Refusal {
    message: String,
    hope: Hope,
}

/// May another attempt succeed?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hope {
    None,
    /// Nobody listens, or the line went dead.
    NoAnswer,
    /// The server starts, stops, or has no room just now.
    Answered,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Postgres {
    /// From the keys of a profile's target. Opens nothing.
    ///
    /// # Errors
    /// [`AdapterError::Profile`] for keys that have no sense.
    pub fn new(keys: &JsonMap) -> Result<Self, AdapterError> {
        let shared = Shared {
            credentials: Credentials::read(keys)?,
            idle: Mutex::default(),
            running: Mutex::default(),
            cancelled: AtomicBool::new(false),
            reached: AtomicBool::new(false),
            gave_up: AtomicBool::new(false),
        };
        let shown = keys.iter().filter(|(key, _)| !matches!(key.as_str(), "password" | "pass"));
        let shown = shown.map(|(key, value)| (key.clone(), value.clone())).collect();
        Ok(Self {
            shared: Arc::new(shared),
            shown,
            features: Features { binding: "%s", concurrent_batches: false, ..Features::default() },
        })
    }
}

impl Shared {
    /// A connection that was used before, or a new one.
    fn wire(&self) -> Result<Wire, AdapterError> {
        let idle = lock(&self.idle).pop();
        idle.map_or_else(|| self.open(), Ok)
    }

    /// A new connection. What may pass is tried again: as often as the target's `retries` says where the server may not be
    /// there at all, longer (a server's restart) where it is known to be.
    fn open(&self) -> Result<Wire, AdapterError> {
        let mut attempt = 0;
        loop {
            let refusal = match self.open_once() {
                Ok(wire) => {
                    self.reached.store(true, Ordering::SeqCst);
                    self.gave_up.store(false, Ordering::SeqCst);
                    return Ok(wire);
                }
                Err(refusal) => refusal,
            };
            if self.cancelled.load(Ordering::SeqCst) {
                return Err(AdapterError::Cancelled);
            }
            let given = self.credentials.retries;
            let no_answer = refusal.hope == Hope::NoAnswer;
            let most = match refusal.hope {
                Hope::None => 0,
                Hope::NoAnswer if self.gave_up.load(Ordering::SeqCst) => 0,
                Hope::NoAnswer if !self.reached.load(Ordering::SeqCst) => given,
                Hope::NoAnswer | Hope::Answered => given.max(PATIENCE),
            };
            if attempt >= most {
                self.gave_up.store(no_answer, Ordering::SeqCst);
                return Err(AdapterError::Connect { message: refusal.message, help: None });
            }
            std::thread::sleep(pause(attempt));
            attempt += 1;
        }
    }

    /// Tries each address of the host.
    fn open_once(&self) -> Result<Wire, Refusal> {
        let credentials = &self.credentials;
        let places = Place::all(credentials).map_err(|error| Refusal {
            message: format!("could not translate host name \"{}\" to address: {}", credentials.host, os_text(&error)),
            hope: Hope::None,
        })?;
        let mut refusal = Refusal { message: format!("host name \"{}\" has no address", credentials.host), hope: Hope::None };
        for place in places {
            match self.open_at(&place) {
                Ok(wire) => return Ok(wire),
                Err(Fault::Server(error)) => {
                    let message = format!("{place}: {}:  {}", error.severity, error.text);
                    let hope = if error.is_transient() { Hope::Answered } else { Hope::None };
                    return Err(Refusal { message, hope });
                }
                Err(Fault::Lost(error)) => {
                    let hope = if may_pass(&error) { Hope::NoAnswer } else { Hope::None };
                    refusal = Refusal { message: connect_text(&place, &error), hope };
                }
            }
        }
        Err(refusal)
    }

    fn open_at(&self, place: &Place) -> Result<Wire, Fault> {
        let credentials = &self.credentials;
        let log_in = |mode| {
            // libpq waits two seconds at least.
            let timeout = credentials.connect_timeout.map(|timeout| timeout.max(Duration::from_secs(2)));
            let socket = place.open(timeout)?;
            socket.keep_alive(credentials.keepalives_idle)?;
            socket.wait_at_most(timeout)?;
            Wire::log_in(socket.encrypted(credentials, mode)?, place.clone(), credentials)
        };
        // `allow` goes plain first, `prefer` encrypted; each takes the other way where the server wants it.
        let mut wire = match (log_in(credentials.ssl_mode), credentials.ssl_mode) {
            (Err(Fault::Server(error)), SslMode::Allow) if error.code == "28000" => log_in(SslMode::Require)?,
            (Err(Fault::Server(error)), SslMode::Prefer) if error.code == "28000" => log_in(SslMode::Disable)?,
            (done, _) => done?,
        };
        self.take_role(&mut wire)?;
        Ok(wire)
    }

    fn take_role(&self, wire: &mut Wire) -> Result<(), Fault> {
        if let Some(role) = &self.credentials.role {
            wire.query(&format!("set role {role}"), Some(0), None)?;
        }
        Ok(())
    }

    /// Takes a connection back for the next one who needs it, as if it were new.
    fn give_back(&self, mut wire: Wire) {
        let mut clean = || {
            if wire.in_transaction() {
                wire.query("ROLLBACK", Some(0), None)?;
            }
            wire.query("DISCARD ALL", Some(0), None)?;
            self.take_role(&mut wire)
        };
        if clean().is_ok() && !self.cancelled.load(Ordering::SeqCst) {
            lock(&self.idle).push(wire);
        }
    }
}

/// `Connection refused` out of `Connection refused (os error 111)`.
fn os_text(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

fn connect_text(place: &Place, error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    let question = match (error.kind(), place) {
        (ErrorKind::ConnectionRefused, Place::Tcp { .. }) => {
            "\n\tIs the server running on that host and accepting TCP/IP connections?"
        }
        (ErrorKind::ConnectionRefused | ErrorKind::NotFound, Place::Unix(_)) => {
            "\n\tIs the server running locally and accepting connections on that socket?"
        }
        _ => "",
    };
    let text = if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock) {
        "timeout expired".to_owned()
    } else {
        os_text(error)
    };
    format!("{place}: {text}{question}")
}

fn may_pass(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, NotFound, TimedOut, UnexpectedEof, WouldBlock,
    };
    // A socket that is not there appears when the server starts.
    matches!(
        error.kind(),
        ConnectionRefused | ConnectionReset | ConnectionAborted | BrokenPipe | NotFound | TimedOut | UnexpectedEof | WouldBlock
    )
}

impl Adapter for Postgres {
    fn kind(&self) -> &'static str {
        "postgres"
    }

    fn version(&self) -> Arc<str> {
        VERSION.into()
    }

    fn connect(&self, _name: &str) -> Result<Box<dyn Connection>, AdapterError> {
        if self.shared.cancelled.load(Ordering::SeqCst) {
            return Err(AdapterError::Cancelled);
        }
        let wire = self.shared.wire()?;
        Ok(Box::new(Session::new(&self.shared, wire)))
    }

    fn cancel(&self) {
        self.shared.cancelled.store(true, Ordering::SeqCst);
        let shared = self.shared.clone();
        interrupt_all(move || shared.interrupt());
    }

    fn is_gone(&self) -> bool {
        self.shared.gave_up.load(Ordering::SeqCst)
    }

    fn shown_credentials(&self) -> JsonMap {
        self.shown.clone()
    }

    fn features(&self) -> &Features {
        &self.features
    }
}

impl Shared {
    /// Asks the server to stop what runs; false if nothing does.
    fn interrupt(&self) -> bool {
        let busy: Vec<Arc<Running>> =
            lock(&self.running).iter().filter(|running| running.busy.load(Ordering::SeqCst)).cloned().collect();
        for running in &busy {
            let _ = running.token.send();
        }
        !busy.is_empty()
    }
}

/// One connection, in the hands of one thread.
struct Session {
    shared: Arc<Shared>,
    running: Arc<Running>,
    /// None once it is lost, or being dropped.
    wire: Option<Wire>,
    /// dbt's transaction: begun by it, not ended yet.
    open: bool,
    /// The client has begun one, and no rollback has come since.
    begun: bool,
    /// Something it did was kept by the server, or may have been.
    kept: bool,
    /// The last fault may pass.
    passing: bool,
}

impl Drop for Session {
    fn drop(&mut self) {
        lock(&self.shared.running).retain(|running| !Arc::ptr_eq(running, &self.running));
        if let Some(wire) = self.wire.take() {
            self.shared.give_back(wire);
        }
    }
}

impl Session {
    fn new(shared: &Arc<Shared>, wire: Wire) -> Self {
        let running = Running { busy: AtomicBool::new(false), token: wire.cancel.clone() };
        let running = Arc::new(running);
        let mut session =
            Self { shared: shared.clone(), running, wire: None, open: false, begun: false, kept: false, passing: false };
        session.hold(wire);
        session
    }

    /// Takes a connection, and makes it known to `cancel`.
    fn hold(&mut self, wire: Wire) {
        let mut known = lock(&self.shared.running);
        known.retain(|running| !Arc::ptr_eq(running, &self.running));
        self.running = Arc::new(Running { busy: AtomicBool::new(false), token: wire.cancel.clone() });
        known.push(self.running.clone());
        drop(known);
        self.wire = Some(wire);
    }

    /// Runs a statement, in the client's own transaction where one has to be begun.
    fn run(&mut self, sql: &str, keep: Option<usize>, pieces: Option<Pieces<'_>>) -> Result<Answer, AdapterError> {
        if !self.begun && !self.shared.credentials.autocommit {
            self.begin_first()?;
        }
        let answer = self.send(sql, keep, pieces).map_err(|fault| self.error(sql, fault))?;
        if answer.empty {
            let message = "can't execute an empty query".to_owned();
            return Err(AdapterError::Statement { message, sql: sql.into() });
        }
        Ok(answer)
    }

    /// Begins the first transaction. A connection that lay idle may have been lost since: then another one takes its place.
    fn begin_first(&mut self) -> Result<(), AdapterError> {
        if let Err(fault) = self.send("BEGIN", Some(0), None) {
            let lost = match &fault {
                Fault::Lost(_) => true,
                Fault::Server(error) => error.is_fatal(),
            };
            if !lost || self.shared.cancelled.load(Ordering::SeqCst) {
                return Err(self.error("BEGIN", fault));
            }
            lock(&self.shared.idle).clear();
            let wire = self.shared.open()?;
            self.hold(wire);
            self.send("BEGIN", Some(0), None).map_err(|fault| self.error("BEGIN", fault))?;
        }
        self.begun = true;
        Ok(())
    }

    fn send(&mut self, sql: &str, keep: Option<usize>, pieces: Option<Pieces<'_>>) -> Result<Answer, Fault> {
        let gone = || Fault::Lost(std::io::Error::new(std::io::ErrorKind::NotConnected, "connection already closed"));
        let wire = self.wire.as_mut().ok_or_else(gone)?;
        self.running.busy.store(true, Ordering::SeqCst);
        // Not before `busy` is seen by `cancel`: one of the two notices the other.
        if self.shared.cancelled.load(Ordering::SeqCst) {
            self.running.busy.store(false, Ordering::SeqCst);
            return Err(gone());
        }
        let inside = wire.in_transaction();
        let answer = wire.query(sql, keep, pieces);
        self.running.busy.store(false, Ordering::SeqCst);
        let (lost, passing) = match &answer {
            Err(Fault::Lost(error)) => (true, may_pass(error)),
            Err(Fault::Server(error)) => (error.is_fatal(), error.is_transient()),
            Ok(_) => (false, false),
        };
        self.passing = passing;
        // Outside a transaction all is kept at once. Who was cut off while committing cannot know.
        self.kept |= match &answer {
            Ok(_) => !wire.in_transaction(),
            Err(_) => lost && sql != "BEGIN" && (!inside || sql.to_ascii_lowercase().contains("commit")),
        };
        if lost {
            self.wire = None;
        }
        answer
    }

    fn error(&self, sql: &str, fault: Fault) -> AdapterError {
        if self.shared.cancelled.load(Ordering::SeqCst) {
            return AdapterError::Cancelled;
        }
        let message = match fault {
            Fault::Server(error) => error.text.trim().to_owned(),
            Fault::Lost(error) => os_text(&error),
        };
        AdapterError::Statement { message, sql: sql.into() }
    }

    /// Ends transactions without a look at `cancelled`: after an interrupt it matters most.
    fn end(&mut self, sql: &str) -> Result<(), AdapterError> {
        let Some(wire) = &mut self.wire else { return Ok(()) };
        match wire.query(sql, Some(0), None) {
            Ok(_) => Ok(()),
            Err(fault) => {
                self.wire = None;
                Err(self.error(sql, fault))
            }
        }
    }

    fn skips_transactions(&self) -> bool {
        self.shared.credentials.autocommit
    }
}

fn response(answer: &Answer) -> Response {
    let code: Vec<&str> = answer.tag.split(' ').filter(|word| word.parse::<u64>().is_err()).collect();
    let mut words = answer.tag.split(' ');
    let counted = matches!(words.next(), Some("SELECT" | "INSERT" | "UPDATE" | "DELETE" | "MERGE" | "FETCH" | "MOVE" | "COPY"));
    let count = if counted { answer.tag.rsplit(' ').next().and_then(|count| count.parse().ok()) } else { None };
    let rows = if answer.fields.is_some() { i64::try_from(answer.row_count).ok() } else { count };
    Response { message: answer.tag.clone(), code: Some(code.join(" ")), rows_affected: Some(rows.unwrap_or(-1)), query_id: None }
}

fn table(answer: Answer) -> Table {
    let Some(fields) = answer.fields else { return Table::empty() };
    let rows = answer.rows.into_iter().map(|row| {
        let cells = row
            .into_iter()
            .zip(&fields)
            .map(|(value, field)| value.map_or(Cell::Null, |bytes| cell(field.type_oid, &String::from_utf8_lossy(&bytes))));
        cells.collect()
    });
    Table::from_result(fields.iter().map(|field| field.name.as_str()), rows.collect())
}

impl Session {
    /// Which columns have numbers like `76.0`, which makes an integer column for dbt, and take whole numbers only: COPY does not
    /// cast as an insert does.
    fn whole_columns(&mut self, relation: &Relation, columns: &str, table: &Table) -> Result<Vec<bool>, AdapterError> {
        let pointed = |cell: &Cell| matches!(cell, Cell::Decimal(number) if number.scale() > 0);
        let has_points = |index: usize| match table.rows.file() {
            Some(file) => file.has_points(index),
            None => table.column(index).any(pointed),
        };
        let mut whole: Vec<bool> = (0..table.column_names.len()).map(has_points).collect();
        if whole.contains(&true) {
            let types = self.describe(&format!("select {columns} from {} where false", relation.name()))?;
            for (whole, (_, kind)) in whole.iter_mut().zip(&types) {
                *whole &= ["INTEGER", "LONGINTEGER"].contains(&kind.as_str());
            }
        }
        Ok(whole)
    }
}

impl Connection for Session {
    fn execute(&mut self, sql: &str) -> Result<Response, AdapterError> {
        self.run(sql, Some(0), None).map(|answer| response(&answer))
    }

    fn query(&mut self, sql: &str, limit: Option<usize>) -> Result<(Response, Table), AdapterError> {
        let answer = self.run(sql, limit, None)?;
        Ok((response(&answer), table(answer)))
    }

    fn execute_bound(&mut self, sql: &str, bindings: &[Cell]) -> Result<Response, AdapterError> {
        let whole = bound(sql, bindings).map_err(|message| AdapterError::Statement { message, sql: sql.into() })?;
        self.execute(&whole)
    }

    /// Sends nothing: the first statement begins by itself.
    fn begin(&mut self) -> Result<(), AdapterError> {
        self.open = true;
        Ok(())
    }

    fn commit(&mut self) -> Result<(), AdapterError> {
        // With `autocommit`, only what a macro began itself.
        if !self.skips_transactions() || self.wire.as_ref().is_some_and(Wire::in_transaction) {
            self.run("COMMIT", Some(0), None)?;
        }
        self.open = false;
        Ok(())
    }

    fn rollback(&mut self) -> Result<(), AdapterError> {
        self.open = false;
        self.begun = false;
        if self.wire.as_ref().is_some_and(Wire::in_transaction) { self.end("ROLLBACK") } else { Ok(()) }
    }

    fn in_transaction(&self) -> bool {
        self.open
    }

    fn repeat(&self) -> Repeat {
        match (self.passing && !self.shared.cancelled.load(Ordering::SeqCst), self.kept) {
            (false, _) => Repeat::Nothing,
            (true, true) => Repeat::Idempotent,
            (true, false) => Repeat::Everything,
        }
    }

    /// By running it: dbt asks with selects that give no row.
    fn describe(&mut self, sql: &str) -> Result<Vec<(String, String)>, AdapterError> {
        let answer = self.run(sql, Some(0), None)?;
        let fields = answer.fields.unwrap_or_default();
        Ok(fields.into_iter().map(|field| (field.name, type_name(field.type_oid))).collect())
    }

    fn load(&mut self, relation: &Relation, columns: &str, table: &Table) -> Result<Response, AdapterError> {
        let whole = self.whole_columns(relation, columns, table)?;
        let sql = format!("COPY {} ({columns}) FROM STDIN", relation.name());
        let mut pieces = copy_pieces(&table.rows, &whole, PIECE_LENGTH);
        self.run(&sql, Some(0), Some(&mut *pieces)).map(|answer| response(&answer))
    }
}
