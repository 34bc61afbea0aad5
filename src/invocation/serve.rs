//! docs serve: the written site, at an address of this machine.

use super::Invocation;
use crate::cli::Outcome;
use crate::diagnostic::Diagnostic;
use crate::docs::Server;
use crate::event::Event;
use crate::manifest::{Json, JsonMap};

/// dbt's defaults.
const HOST: &str = "127.0.0.1";
const PORT: u16 = 8080;

/// Serves until it is stopped.
pub fn run(invocation: &Invocation) -> Outcome {
    let given = &invocation.request.given;
    let folder = invocation.project.target_path.clone();
    if !invocation.fs.exists(&folder.join("index.html")) {
        let message = format!("there is no documentation in {}", folder.display());
        let help = "`lineal docs generate` makes it";
        invocation.teller.tell(vec![Diagnostic::error("E0822", message).help(help)]);
        return Outcome::Unusable;
    }
    let host = invocation.request.text("host").unwrap_or(HOST);
    let port = match given.get("port").and_then(Json::as_i64).map(u16::try_from) {
        Some(Ok(port)) => port,
        None => PORT,
        Some(Err(_)) => {
            let fault =
                Diagnostic::error("E0823", "--port is no port").help("give a number from 0 to 65535; 0 takes any free port");
            invocation.teller.tell(vec![fault]);
            return Outcome::Unusable;
        }
    };
    let server = match Server::new(folder, host, port) {
        Ok(server) => server,
        Err(error) => {
            let message = format!("cannot serve at {host}:{port}: {error}");
            let help = "another program may use the port: give another with --port";
            invocation.teller.tell(vec![Diagnostic::error("E0824", message).help(help)]);
            return Outcome::Unusable;
        }
    };
    let port = server.port();
    let address = format!("http://localhost:{port}");
    let say = |text: String| {
        invocation.events.emit(Event::Note { name: "Note", code: "Z050", level: "info", text, data: JsonMap::new() });
    };
    say(format!("Serving docs at {port}"));
    say(format!("To access from your browser, navigate to: {address}"));
    say("Press Ctrl+C to exit.".to_owned());
    if given.get("browser").and_then(Json::as_bool).unwrap_or(true) {
        open_browser(&address);
    }
    server.run();
    Outcome::Success
}

/// Opens the reader's browser where there is a way to; none is no fault.
fn open_browser(address: &str) {
    let program = match std::env::consts::OS {
        "macos" => "open",
        "windows" => "explorer",
        _ => "xdg-open",
    };
    let mut command = std::process::Command::new(program);
    command.arg(address).stdin(std::process::Stdio::null());
    let _ = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn();
}
