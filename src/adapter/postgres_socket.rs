//! Sockets to a PostgreSQL server: TCP, TCP with TLS, Unix.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use postgres_protocol::message::frontend;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::postgres_credentials::{Credentials, SslMode};
use super::postgres_tls;

pub(super) enum Socket {
    Tcp(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
    Unix(UnixStream),
}

/// Where a server listens.
#[derive(Debug, Clone)]
pub(super) enum Place {
    Tcp { host: String, address: SocketAddr },
    Unix(String),
}

/// As libpq names it in its messages.
impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(out, "connection to server on socket \"{path}\" failed"),
            Self::Tcp { host, address } => {
                write!(out, "connection to server at \"{host}\"")?;
                if address.ip().to_string() != *host {
                    write!(out, " ({})", address.ip())?;
                }
                write!(out, ", port {} failed", address.port())
            }
        }
    }
}

impl Place {
    /// The addresses that a target's host has.
    pub fn all(credentials: &Credentials) -> io::Result<Vec<Self>> {
        let Credentials { host, port, .. } = credentials;
        if credentials.is_socket() {
            return Ok(vec![Self::Unix(format!("{host}/.s.PGSQL.{port}"))]);
        }
        let addresses = (host.as_str(), *port).to_socket_addrs()?;
        Ok(addresses.map(|address| Self::Tcp { host: host.clone(), address }).collect())
    }

    pub fn open(&self, timeout: Option<Duration>) -> io::Result<Socket> {
        match self {
            Self::Unix(path) => Ok(Socket::Unix(UnixStream::connect(path)?)),
            Self::Tcp { address, .. } => {
                let stream = match timeout {
                    Some(timeout) => TcpStream::connect_timeout(address, timeout)?,
                    None => TcpStream::connect(address)?,
                };
                stream.set_nodelay(true)?;
                Ok(Socket::Tcp(stream))
            }
        }
    }
}

impl Socket {
    pub fn keep_alive(&self, idle: Option<Duration>) -> io::Result<()> {
        let Self::Tcp(stream) = self else { return Ok(()) };
        let socket = socket2::SockRef::from(stream);
        match idle {
            Some(idle) => socket.set_tcp_keepalive(&socket2::TcpKeepalive::new().with_time(idle)),
            None => socket.set_keepalive(true),
        }
    }

    /// From now on no answer takes longer; None: however long it takes.
    pub fn wait_at_most(&self, timeout: Option<Duration>) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_read_timeout(timeout),
            Self::Tls(stream) => stream.sock.set_read_timeout(timeout),
            Self::Unix(stream) => stream.set_read_timeout(timeout),
        }
    }

    /// Asks for TLS as the target wants it. What refuses is an error where TLS is required.
    pub fn encrypted(mut self, credentials: &Credentials, mode: SslMode) -> io::Result<Self> {
        if matches!(self, Self::Unix(_)) || matches!(mode, SslMode::Disable | SslMode::Allow) {
            return Ok(self);
        }
        let mut request = BytesMut::new();
        frontend::ssl_request(&mut request);
        self.write_all(&request)?;
        let mut answer = [0];
        self.read_exact(&mut answer)?;
        match (self, answer[0]) {
            (Self::Tcp(stream), b'S') => {
                let config = postgres_tls::config(credentials)?;
                Ok(Self::Tls(Box::new(handshake(stream, config, &credentials.host)?)))
            }
            (socket, _) if mode == SslMode::Prefer => Ok(socket),
            _ => Err(io::Error::new(io::ErrorKind::Unsupported, "server does not support SSL, but SSL was required")),
        }
    }
}

fn handshake(stream: TcpStream, config: Arc<ClientConfig>, host: &str) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let name = ServerName::try_from(host.to_owned()).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let connection = ClientConnection::new(config, name).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    let mut stream = StreamOwned::new(connection, stream);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock)?;
    }
    Ok(stream)
}

impl Read for Socket {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(into),
            Self::Tls(stream) => stream.read(into),
            Self::Unix(stream) => stream.read(into),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(from),
            Self::Tls(stream) => stream.write(from),
            Self::Unix(stream) => stream.write(from),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
            Self::Unix(stream) => stream.flush(),
        }
    }
}
