//! A small server for the written site: reads files below one folder, and tells open pages when the site was written anew.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::{FOLDER, STAMP};
use crate::fs::{Disk, FileSystem};

/// How often the site is looked at for changes.
const LOOKS: Duration = Duration::from_millis(400);
/// A request that is longer is none of a browser.
const LONGEST_REQUEST: u64 = 16 << 10;
const EVENTS: &str = "/__lineal/events";
const SCRIPT: &str = "/__lineal/live.js";
/// Reloads the page when the server says so, and when it is back after a restart.
const LIVE: &str = "(function(){var s=new EventSource('/__lineal/events'),first=null;s.onmessage=function(e){if(first===null)first=e.data;\
else if(e.data!==first)location.reload();};})();\n";

/// A server that listens already.
pub struct Server {
    listener: TcpListener,
    site: Arc<Served>,
}

struct Served {
    folder: PathBuf,
    /// The server is only for this machine: names of other machines are refused, so that no page of the web reads from it.
    local: bool,
}

impl Server {
    /// Listens at an address, for the files below `folder`.
    pub fn new(folder: PathBuf, host: &str, port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((host, port))?;
        let local = listener.local_addr()?.ip().is_loopback();
        Ok(Self { listener, site: Arc::new(Served { folder, local }) })
    }

    /// The port, where 0 asked for any.
    pub fn port(&self) -> u16 {
        self.listener.local_addr().map(|address| address.port()).unwrap_or_default()
    }

    /// Answers until the process ends.
    pub fn run(self) {
        for stream in self.listener.incoming().flatten() {
            let site = self.site.clone();
            // A reader that goes away is no fault.
            std::thread::spawn(move || drop(site.answer(&stream)));
        }
    }
}

/// What goes back.
struct Answer {
    status: &'static str,
    kind: &'static str,
    body: Vec<u8>,
    location: Option<String>,
}

impl Answer {
    fn text(status: &'static str, body: &str) -> Self {
        Self { status, kind: "text/plain; charset=utf-8", body: body.as_bytes().to_vec(), location: None }
    }
}

impl Served {
    fn answer(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut reader = BufReader::new(stream.take(LONGEST_REQUEST));
        let mut first = String::new();
        reader.read_line(&mut first)?;
        let mut host = String::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
                break;
            }
            if let Some((_, value)) = line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("host")) {
                value.trim().clone_into(&mut host);
            }
        }
        let mut words = first.split_whitespace();
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if self.local && !is_local(&host) {
            return send(stream, &Answer::text("403 Forbidden", "only for this machine"), true);
        }
        if !matches!(method, "GET" | "HEAD") {
            return send(stream, &Answer::text("405 Method Not Allowed", "only GET and HEAD"), true);
        }
        let path = target.split(['?', '#']).next().unwrap_or_default();
        match path {
            EVENTS => self.events(stream),
            SCRIPT => {
                let body = LIVE.as_bytes().to_vec();
                send(stream, &Answer { status: "200 OK", kind: "text/javascript", body, location: None }, method == "GET")
            }
            _ => send(stream, &self.file(path), method == "GET"),
        }
    }

    /// The file that a path asks for; in a folder its index.html.
    fn file(&self, path: &str) -> Answer {
        let missing = || {
            let page = Disk.read(&self.folder.join(FOLDER).join("404.html")).unwrap_or_default();
            // Its links are relative: they hold from the site's own folder only.
            let page = String::from_utf8_lossy(&page)
                .replace("href=\"", &format!("href=\"/{FOLDER}/"))
                .replace("src=\"", &format!("src=\"/{FOLDER}/"));
            let page = page
                .replace(&format!("href=\"/{FOLDER}/#"), "href=\"#")
                .replace(&format!("href=\"/{FOLDER}/data:"), "href=\"data:");
            let page = page.replace("data-root=\"\"", &format!("data-root=\"/{FOLDER}/\""));
            Answer { status: "404 Not Found", kind: "text/html; charset=utf-8", body: page.into_bytes(), location: None }
        };
        let Some(inner) = inner_path(path) else { return missing() };
        let mut file = self.folder.join(inner);
        if Disk.is_dir(&file) {
            if !path.ends_with('/') {
                return Answer { location: Some(format!("{path}/")), ..Answer::text("301 Moved Permanently", "") };
            }
            file = file.join("index.html");
        }
        let Ok(mut body) = Disk.read(&file) else { return missing() };
        let kind = kind_of(&file);
        if kind.starts_with("text/html") {
            body = with_script(body);
        }
        Answer { status: "200 OK", kind, body, location: None }
    }

    /// Sends the site's stamp at once and whenever it changes, for as long as somebody listens.
    fn events(&self, mut stream: &TcpStream) -> io::Result<()> {
        let path = self.folder.join(FOLDER).join(STAMP);
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
        )?;
        let mut known = None;
        let mut silent = 0;
        loop {
            let stamp = Disk.read(&path).unwrap_or_default();
            if !stamp.is_empty() && known.as_ref() != Some(&stamp) {
                let event = format!("data: {}\n\n", String::from_utf8_lossy(&stamp).trim());
                // In one piece.
                stream.write_all(event.as_bytes())?;
                known = Some(stamp);
                silent = 0;
            } else if silent > 20 {
                // Notices that the reader has gone.
                stream.write_all(b": still here\n\n")?;
                silent = 0;
            }
            silent += 1;
            std::thread::sleep(LOOKS);
        }
    }
}

fn send(mut stream: &TcpStream, answer: &Answer, with_body: bool) -> io::Result<()> {
    let Answer { status, kind, body, location } = answer;
    write!(stream, "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n", body.len())?;
    if let Some(location) = location {
        write!(stream, "Location: {location}\r\n")?;
    }
    write!(stream, "Cache-Control: no-cache\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n")?;
    if with_body {
        stream.write_all(body)?;
    }
    stream.flush()
}

/// Is a Host header's name one of this machine's own?
fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// A request's path below the folder; None where it leads out of it.
fn inner_path(path: &str) -> Option<PathBuf> {
    let decoded = percent_decoded(path.trim_start_matches('/'))?;
    let inner = PathBuf::from(decoded);
    let plain = inner.components().all(|part| matches!(part, Component::Normal(_)));
    let hidden = inner.components().any(|part| part.as_os_str().to_string_lossy().starts_with('.'));
    (plain && !hidden).then_some(inner)
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    (!text.contains(['\0', '\\', ':'])).then_some(text)
}

/// The page with the script that reloads it.
fn with_script(body: Vec<u8>) -> Vec<u8> {
    let tag = format!("<script src=\"{SCRIPT}\" defer></script></head>");
    match String::from_utf8(body) {
        Ok(text) => text.replacen("</head>", &tag, 1).into_bytes(),
        Err(other) => other.into_bytes(),
    }
}

fn kind_of(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "txt" | "sql" | "md" | "yml" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_in_the_folder() {
        for bad in ["/../x", "/a/../../x", "/%2e%2e/x", "/a\\b", "/.hidden", "/c:/x", "/%zz", "/a%00b"] {
            assert_eq!(inner_path(bad), None, "{bad}");
        }
        assert_eq!(inner_path("/lineal-docs/node/a%20b.html"), Some(PathBuf::from("lineal-docs/node/a b.html")));
        assert_eq!(inner_path("/"), Some(PathBuf::new()));
    }

    #[test]
    fn hosts_of_the_web_are_refused() {
        for local in ["localhost:8080", "127.0.0.1", "[::1]:9", "LOCALHOST"] {
            assert!(is_local(local), "{local}");
        }
        for foreign in ["evil.example", "127.0.0.1.evil.example", "", "10.0.0.1:80"] {
            assert!(!is_local(foreign), "{foreign}");
        }
    }

    #[test]
    fn files_are_served() {
        let folder = tempfile::tempdir().expect("a folder");
        Disk.write(&folder.path().join("index.html"), b"<head></head>hello").expect("written");
        let server = Server::new(folder.path().to_owned(), "127.0.0.1", 0).expect("listens");
        let port = server.port();
        std::thread::spawn(move || server.run());
        let ask = |request: &str| {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connects");
            stream.write_all(request.as_bytes()).expect("asks");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).expect("answers");
            answer
        };
        let page = ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert!(page.starts_with("HTTP/1.1 200") && page.ends_with("hello") && page.contains(SCRIPT), "{page}");
        assert!(ask("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n").starts_with("HTTP/1.1 403"));
        assert!(ask("GET /../x HTTP/1.1\r\nHost: localhost\r\n\r\n").starts_with("HTTP/1.1 404"));
        assert!(ask("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n").starts_with("HTTP/1.1 405"));
    }
}
