//! Questions at a terminal. Without one nothing is asked.

use std::io::{IsTerminal, Write};
use std::process::{Command, Stdio};

use crate::project::Ask;

/// Someone at a terminal; None where nobody is.
pub fn terminal() -> Option<Box<dyn Ask>> {
    (std::io::stdin().is_terminal() && std::io::stdout().is_terminal()).then(|| Box::new(Terminal) as Box<dyn Ask>)
}

struct Terminal;

impl Ask for Terminal {
    fn line(&mut self, prompt: &str, hidden: bool) -> Option<String> {
        let mut out = std::io::stdout();
        out.write_all(prompt.as_bytes()).and_then(|()| out.flush()).ok()?;
        let _quiet = hidden.then(Quiet::new);
        let mut line = String::new();
        let read = std::io::stdin().read_line(&mut line).ok()?;
        if hidden || read == 0 {
            let _ = out.write_all(b"\n");
        }
        (read > 0).then(|| line.trim_end_matches(['\n', '\r']).to_owned())
    }

    fn say(&mut self, text: &str) {
        let _ = writeln!(std::io::stdout(), "{text}");
    }
}

/// What is typed is not shown while this lives, where the system has `stty`.
struct Quiet;

impl Quiet {
    fn new() -> Self {
        stty("-echo");
        Self
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        stty("echo");
    }
}

fn stty(setting: &str) {
    let _ = Command::new("stty").arg(setting).stdin(Stdio::inherit()).stdout(Stdio::null()).stderr(Stdio::null()).status();
}
