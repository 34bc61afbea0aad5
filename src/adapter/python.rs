//! The user's own Python, as a child process: the driver's text and one task go in, one line of JSON comes back.
//!
//! Nobody needs Python who has no Python models and no plugins.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::AdapterError;
use crate::manifest::{Json, JsonMap};

/// Names the interpreter; without it the `python3` of the search path is taken.
pub const INTERPRETER: &str = "LINEAL_PYTHON";

const DRIVER: &str = include_str!("python_driver.py");

/// What Python shall do with the warehouse.
#[derive(Debug, Clone)]
pub enum PythonTask<'a> {
    /// Run a model: `code` defines `model`, `dbtObj` and `materialize`; `file` is what traces call it.
    Model { name: &'a str, code: &'a str, file: &'a str },
    /// Have a plugin load a source's table; `source` has the fields of dbt-duckdb's `SourceConfig`.
    Load { plugin: &'a str, source: JsonMap },
    /// Hand a model's file to a plugin; `target` has `relation`, `columns`, `config` and `location`.
    Store { plugin: &'a str, target: JsonMap },
}

/// Takes what the user's code prints, line by line.
pub type Said<'a> = &'a (dyn Fn(&str) + Sync);

/// Runs the driver on a task. `stopped` is asked now and then: when it says so, the child is killed.
///
/// # Errors
/// No interpreter, what the driver refuses, and exceptions of the user's code with their trace.
pub(super) fn run(task: &Json, said: Said, stopped: &dyn Fn() -> bool) -> Result<(), AdapterError> {
    let interpreter = std::env::var(INTERPRETER).ok().filter(|name| !name.is_empty());
    let interpreter = interpreter.unwrap_or_else(|| if cfg!(windows) { "python" } else { "python3" }.to_owned());
    let mut child = start(&interpreter)?;
    let (status, answer, last) = std::thread::scope(|scope| {
        // JSON is a Python text as well, but for the words of its constants: as a text within a text they do not matter.
        let program = format!("{DRIVER}\nmain(json.loads({}))\n", Json::from(task.to_string()));
        let input = child.stdin.take();
        scope.spawn(move || input.map(|mut input| input.write_all(program.as_bytes())));
        let output = child.stdout.take();
        let answer = scope.spawn(move || {
            let mut text = String::new();
            output.map(|mut output| output.read_to_string(&mut text));
            text
        });
        let printed = child.stderr.take();
        let printed = scope.spawn(move || printed.map(|printed| repeat(printed, said)).unwrap_or_default());
        let status = wait(&mut child, stopped);
        (status, answer.join().unwrap_or_default(), printed.join().unwrap_or_default())
    });
    let status = status?;
    match serde_json::from_str::<Json>(&answer) {
        Ok(answer) => judge(&answer),
        Err(_) => Err(ended(&interpreter, status, &last)),
    }
}

fn start(interpreter: &str) -> Result<Child, AdapterError> {
    let mut command = Command::new(interpreter);
    command.arg("-").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env("PYTHONIOENCODING", "utf-8").spawn().map_err(|error| AdapterError::Connect {
        message: format!("this needs Python, and '{interpreter}' cannot be started: {error}"),
        help: Some(format!("Put a python3 with the package duckdb on the search path, or name an interpreter in {INTERPRETER}.")),
    })
}

/// Hands each line on; the last one is given back.
fn repeat(printed: impl std::io::Read, said: Said) -> String {
    let mut last = String::new();
    for line in BufReader::new(printed).split(b'\n').map_while(Result::ok) {
        String::from_utf8_lossy(&line).trim_end().clone_into(&mut last);
        said(&last);
    }
    last
}

fn wait(child: &mut Child, stopped: &dyn Fn() -> bool) -> Result<ExitStatus, AdapterError> {
    let mut pause = Duration::from_millis(1);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if stopped() => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(AdapterError::Cancelled);
            }
            Ok(None) => std::thread::sleep(pause),
            Err(error) => {
                return Err(AdapterError::Connect { message: format!("Python was lost: {error}"), help: None });
            }
        }
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

fn judge(answer: &Json) -> Result<(), AdapterError> {
    let text = |key: &str| answer.get(key).and_then(Json::as_str);
    match (text("message"), text("trace")) {
        (Some(message), _) => Err(AdapterError::Connect { message: message.to_owned(), help: text("help").map(str::to_owned) }),
        (None, Some(trace)) => {
            let message = format!("Python model failed:\n{}", trace.trim_end());
            Err(AdapterError::Statement { message, sql: "".into() })
        }
        (None, None) => Ok(()),
    }
}

/// It ended without an answer: not a Python, or its process was ended from within.
fn ended(interpreter: &str, status: ExitStatus, last: &str) -> AdapterError {
    let last = if last.is_empty() { String::new() } else { format!(": {last}") };
    AdapterError::Connect {
        message: format!("'{interpreter}' ended without an answer ({status}){last}"),
        help: Some(format!("It has to be Python 3.8 or newer; {INTERPRETER} names another interpreter.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart() {
        assert!(judge(&serde_json::json!({"ok": true})).is_ok());
        let Err(AdapterError::Connect { help: Some(help), .. }) = judge(&serde_json::json!({"message": "no", "help": "do"}))
        else {
            panic!("a refusal has a help")
        };
        assert_eq!(help, "do");
        let Err(AdapterError::Statement { message, .. }) = judge(&serde_json::json!({"trace": "Traceback\n"})) else {
            panic!("a trace is the statement's fault")
        };
        assert_eq!(message, "Python model failed:\nTraceback");
    }
}
