//! The conversation with a PostgreSQL server, blocking: logging in, simple queries, `COPY`, cancelling.
//!
//! Simple queries, since one statement of dbt's may hold several; over `postgres-protocol` itself, since the clients built
//! on it give neither a statement's tag (`SELECT 5`, `CREATE VIEW`) nor, in simple queries, the types of columns.

use std::io::{self, Read, Write};

use bytes::{Bytes, BytesMut};
use fallible_iterator::FallibleIterator;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::backend::{AuthenticationSaslBody, DataRowBody, Message, RowDescriptionBody};
use postgres_protocol::message::frontend;

use super::postgres_credentials::Credentials;
use super::postgres_errors::ServerError;
use super::postgres_socket::{Place, Socket};

/// Why there was no answer.
#[derive(Debug)]
pub(super) enum Fault {
    /// The server said no; the connection lives on, unless the error is fatal.
    Server(Box<ServerError>),
    /// The connection is gone, or never was.
    Lost(io::Error),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}

/// A column of an answer.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub name: String,
    pub type_oid: u32,
}

/// What the last statement of a query gave.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// None for statements without rows.
    pub fields: Option<Vec<Field>>,
    pub rows: Vec<Vec<Option<Bytes>>>,
    /// How many rows came, also those that were not kept.
    pub row_count: usize,
    /// `SELECT 5`.
    pub tag: String,
    /// There was nothing to run.
    pub empty: bool,
}

/// Where a cancel request goes, and what it says.
#[derive(Debug, Clone)]
pub(super) struct CancelToken {
    place: Place,
    process: i32,
    secret: i32,
}

impl CancelToken {
    /// Asks the server to stop what the connection is doing.
    pub fn send(&self) -> io::Result<()> {
        let mut message = BytesMut::new();
        frontend::cancel_request(self.process, self.secret, &mut message);
        let mut socket = self.place.open(None)?;
        socket.write_all(&message)?;
        socket.flush()?;
        // The server closes when it has taken note.
        let _ = socket.read(&mut [0]);
        Ok(())
    }
}

/// One connection, logged in.
pub(super) struct Wire {
    socket: Socket,
    incoming: BytesMut,
    pub cancel: CancelToken,
    /// As the server said last: `I` idle, `T` in a transaction, `E` in a failed one.
    status: u8,
    date_style: String,
}

/// The rows of a `COPY … FROM STDIN`: each call writes the next piece; nothing after the last.
pub(super) type Pieces<'a> = &'a mut dyn FnMut(&mut String);

/// How long such a piece should be: the server works on one while the next is made.
pub(super) const PIECE_LENGTH: usize = 64 << 10;

impl Wire {
    /// Logs in over an open socket.
    pub fn log_in(socket: Socket, place: Place, credentials: &Credentials) -> Result<Self, Fault> {
        let cancel = CancelToken { place, process: 0, secret: 0 };
        let mut wire = Self { socket, incoming: BytesMut::new(), cancel, status: b'I', date_style: String::new() };
        let who = [("user", credentials.user.as_str()), ("database", credentials.database.as_str())];
        let parameters = who.into_iter().chain(credentials.startup.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        wire.send(|out| frontend::startup_message(parameters, out))?;
        wire.authenticate(credentials)?;
        loop {
            match wire.receive()? {
                Message::BackendKeyData(key) => {
                    wire.cancel.process = key.process_id();
                    wire.cancel.secret = key.secret_key();
                }
                Message::ErrorResponse(body) => return Err(server(ServerError::read(body.fields(), ""))),
                Message::ReadyForQuery(body) => {
                    wire.status = body.status();
                    break;
                }
                _ => {}
            }
        }
        wire.socket.wait_at_most(None)?;
        if !wire.date_style.starts_with("ISO") {
            wire.query("SET datestyle TO 'ISO'", Some(0), None)?;
        }
        Ok(wire)
    }

    fn authenticate(&mut self, credentials: &Credentials) -> Result<(), Fault> {
        let password = || {
            let message = "fe_sendauth: no password supplied";
            credentials.password.as_deref().ok_or_else(|| Fault::Lost(io::Error::new(io::ErrorKind::PermissionDenied, message)))
        };
        match self.receive()? {
            Message::AuthenticationOk => return Ok(()),
            Message::AuthenticationCleartextPassword => {
                let password = password()?;
                self.send(|out| frontend::password_message(password.as_bytes(), out))?;
            }
            Message::AuthenticationMd5Password(body) => {
                let hash = md5_hash(credentials.user.as_bytes(), password()?.as_bytes(), body.salt());
                self.send(|out| frontend::password_message(hash.as_bytes(), out))?;
            }
            Message::AuthenticationSasl(body) => self.scram(&body, password()?)?,
            Message::ErrorResponse(body) => return Err(server(ServerError::read(body.fields(), ""))),
            _ => return Err(unsupported("the server asks for a kind of authentication that lineal does not have")),
        }
        match self.receive()? {
            Message::AuthenticationOk => Ok(()),
            Message::ErrorResponse(body) => Err(server(ServerError::read(body.fields(), ""))),
            _ => Err(unsupported("the server answered a login in an unknown way")),
        }
    }

    fn scram(&mut self, body: &AuthenticationSaslBody, password: &str) -> Result<(), Fault> {
        let mechanisms: Vec<String> = body.mechanisms().map(|name| Ok(name.to_owned())).collect()?;
        if !mechanisms.iter().any(|name| name == SCRAM_SHA_256) {
            return Err(unsupported("the server has no SASL mechanism that lineal knows"));
        }
        let mut scram = ScramSha256::new(password.as_bytes(), ChannelBinding::unsupported());
        self.send(|out| frontend::sasl_initial_response(SCRAM_SHA_256, scram.message(), out))?;
        match self.receive()? {
            Message::AuthenticationSaslContinue(body) => scram.update(body.data())?,
            Message::ErrorResponse(body) => return Err(server(ServerError::read(body.fields(), ""))),
            _ => return Err(unsupported("the server broke off the SASL exchange")),
        }
        self.send(|out| frontend::sasl_response(scram.message(), out))?;
        match self.receive()? {
            Message::AuthenticationSaslFinal(body) => Ok(scram.finish(body.data())?),
            Message::ErrorResponse(body) => Err(server(ServerError::read(body.fields(), ""))),
            _ => Err(unsupported("the server broke off the SASL exchange")),
        }
    }

    /// Is a transaction open, be it a failed one?
    pub fn in_transaction(&self) -> bool {
        self.status != b'I'
    }

    /// Runs statements and gives what the last one gave, at most `keep` of its rows; `pieces` go into a `COPY … FROM STDIN`.
    pub fn query(&mut self, sql: &str, keep: Option<usize>, mut pieces: Option<Pieces<'_>>) -> Result<Answer, Fault> {
        self.send(|out| frontend::query(sql, out))?;
        let mut answer = Answer::default();
        let mut error = None;
        loop {
            // What the server said before it hung up tells more than that it did.
            let message = match (self.receive(), error.take()) {
                (Err(_), Some(said)) => return Err(server(said)),
                (message, said) => {
                    error = said;
                    message?
                }
            };
            match message {
                Message::RowDescription(body) => answer = Answer { fields: Some(fields(&body)?), ..Answer::default() },
                Message::DataRow(body) => {
                    if keep.is_none_or(|keep| answer.rows.len() < keep) {
                        answer.rows.push(row(&body)?);
                    }
                    answer.row_count += 1;
                }
                Message::CommandComplete(body) => {
                    if !answer.tag.is_empty() {
                        answer = Answer::default();
                    }
                    body.tag()?.clone_into(&mut answer.tag);
                }
                Message::EmptyQueryResponse => answer.empty = true,
                Message::CopyInResponse(_) => self.copy_in(pieces.take())?,
                Message::ErrorResponse(body) => error = Some(ServerError::read(body.fields(), sql)),
                Message::ReadyForQuery(body) => {
                    self.status = body.status();
                    return error.map_or(Ok(answer), |error| Err(server(error)));
                }
                _ => {}
            }
        }
    }

    fn copy_in(&mut self, pieces: Option<Pieces<'_>>) -> io::Result<()> {
        let Some(pieces) = pieces else {
            return self.send(|out| frontend::copy_fail("nothing to copy from", out));
        };
        let mut piece = String::with_capacity(PIECE_LENGTH * 2);
        let mut out = BytesMut::with_capacity(PIECE_LENGTH * 2);
        loop {
            piece.clear();
            pieces(&mut piece);
            if piece.is_empty() {
                break;
            }
            out.clear();
            frontend::CopyData::new(piece.as_bytes())?.write(&mut out);
            self.socket.write_all(&out)?;
        }
        self.send(|out| {
            frontend::copy_done(out);
            Ok(())
        })
    }

    fn send(&mut self, write: impl FnOnce(&mut BytesMut) -> io::Result<()>) -> io::Result<()> {
        let mut out = BytesMut::new();
        write(&mut out)?;
        self.socket.write_all(&out)?;
        self.socket.flush()
    }

    /// The next message; notices and changed parameters are taken note of on the way.
    fn receive(&mut self) -> io::Result<Message> {
        let mut chunk = [0; 16 << 10];
        loop {
            match Message::parse(&mut self.incoming)? {
                Some(Message::ParameterStatus(body)) => {
                    if body.name()? == "DateStyle" {
                        body.value()?.clone_into(&mut self.date_style);
                    }
                }
                Some(Message::NoticeResponse(_) | Message::NotificationResponse(_)) => {}
                Some(message) => return Ok(message),
                None => match self.socket.read(&mut chunk)? {
                    0 => {
                        let message = "server closed the connection unexpectedly";
                        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
                    }
                    count => self.incoming.extend_from_slice(&chunk[..count]),
                },
            }
        }
    }
}

/// Ends the session as the server expects it.
impl Drop for Wire {
    fn drop(&mut self) {
        let _ = self.send(|out| {
            frontend::terminate(out);
            Ok(())
        });
    }
}

fn server(error: ServerError) -> Fault {
    Fault::Server(Box::new(error))
}

fn unsupported(message: &str) -> Fault {
    Fault::Lost(io::Error::new(io::ErrorKind::Unsupported, message))
}

fn fields(body: &RowDescriptionBody) -> io::Result<Vec<Field>> {
    body.fields().map(|field| Ok(Field { name: field.name().to_owned(), type_oid: field.type_oid() })).collect()
}

fn row(body: &DataRowBody) -> io::Result<Vec<Option<Bytes>>> {
    let bytes = body.buffer_bytes();
    body.ranges().map(|range| Ok(range.map(|range| bytes.slice(range)))).collect()
}
