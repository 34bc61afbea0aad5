//! The command line: words and environment variables become a [`Request`]; errors become exit codes.
//!
//! Does not act: it validates, then calls `invocation::run`.

mod environment;
mod flags;
mod parser;
mod prompt;
mod rules;
mod usage;

use std::process::ExitCode;

use crate::diagnostic::Diagnostic;
use crate::fs::Disk;
use crate::manifest::{Json, JsonMap};
use crate::project::with_dotenv;

pub use parser::parse;
pub use prompt::terminal;

/// The names of all flags that a verb takes.
pub fn flags_of(command: Command) -> Vec<&'static str> {
    flags::GLOBAL.iter().map(|flag| flag.name).chain(flags::of(command).iter().copied()).collect()
}

/// A verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    Build,
    Run,
    Test,
    Seed,
    Snapshot,
    Compile,
    Parse,
    List,
    Show,
    RunOperation,
    Debug,
    Clean,
    Init,
    Deps,
    DocsGenerate,
    DocsServe,
    SourceFreshness,
    Retry,
    Clone,
}

impl Command {
    /// dbt's `which`.
    pub fn which(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Run => "run",
            Self::Test => "test",
            Self::Seed => "seed",
            Self::Snapshot => "snapshot",
            Self::Compile => "compile",
            Self::Parse => "parse",
            Self::List => "list",
            Self::Show => "show",
            Self::RunOperation => "run-operation",
            Self::Debug => "debug",
            Self::Clean => "clean",
            Self::Init => "init",
            Self::Deps => "deps",
            Self::DocsGenerate => "generate",
            Self::DocsServe => "serve",
            Self::SourceFreshness => "freshness",
            Self::Retry => "retry",
            Self::Clone => "clone",
        }
    }
}

/// What was asked for: the verb, and each flag that the words or the environment gave.
#[derive(Debug, Clone)]
pub struct Request {
    pub command: Command,
    /// By dbt's flag name; only what was given.
    pub given: JsonMap,
    /// The macro of `run-operation`, the project of `init`, packages of `deps`.
    pub words: Vec<String>,
    /// The words as typed: for `invocation_command`.
    pub line: String,
    /// `lineal history …`: the command is for the project over the run history.
    pub of_history: bool,
    /// What the command line and the environment are warned of.
    pub warnings: Vec<Diagnostic>,
}

impl Request {
    pub fn text(&self, name: &str) -> Option<&str> {
        self.given.get(name).and_then(Json::as_str)
    }

    pub fn is(&self, name: &str) -> bool {
        self.given.get(name).and_then(Json::as_bool).unwrap_or(false)
    }

    pub fn number(&self, name: &str) -> Option<i64> {
        self.given.get(name).and_then(Json::as_i64)
    }

    pub fn list(&self, name: &str) -> Vec<String> {
        let items = self.given.get(name).and_then(Json::as_array);
        items.into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect()
    }
}

/// How an invocation ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Exit 0.
    Success,
    /// A node failed or errored: exit 1.
    Failure,
    /// Unusable input, or a fault of ours: exit 2.
    Unusable,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Success => ExitCode::SUCCESS,
            Outcome::Failure => ExitCode::from(1),
            Outcome::Unusable => ExitCode::from(2),
        }
    }
}

/// The whole program: reads the process's arguments and environment, runs, and gives the exit code.
pub fn main() -> ExitCode {
    let words: Vec<std::ffi::OsString> = std::env::args_os().collect();
    let env = std::env::vars_os().filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?))).collect();
    // A `.env` file sets flags as well: it is read before the words are.
    let cwd = std::env::current_dir().unwrap_or_default();
    let mut env = with_dotenv(&Disk, &cwd, env);
    let request = match parse(&words, &env) {
        Ok(request) => request,
        Err(code) => return code,
    };
    environment::spell_both_ways(&mut env);
    crate::invocation::run(&request, env).into()
}
