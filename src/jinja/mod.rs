//! dbt's Jinja on minijinja. The only importer of that crate; others use the [`Value`] it re-exports.
//!
//! In: texts and a [`Host`] that knows what this phase answers. Out: text or a native value, or an error with the whole
//! trace. Does not read files, know the warehouse, or decide what `ref` means.

mod args;
#[cfg(test)]
mod cases;
mod cx;
mod engine;
#[cfg(test)]
mod engine_tests;
mod exceptions;
mod fault;
mod filters;
mod format;
mod functions;
mod macros;
mod methods;
mod modules;
pub mod objects;
mod operators;
mod render;
mod root;
mod syntax;
mod tests_of_values;
mod value;

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, SourceText, Span};

pub use args::Args;
pub use cx::Cx;
pub use engine::Engine;
pub use minijinja::Value;
pub use minijinja::value::ValueKind;
pub use modules::datetime::{date, datetime, iso_text, time, timedelta};
pub use modules::yaml::write_packages;
pub use syntax::blocks::{Block, BlockKind};
pub use syntax::calls::{StaticCall, is_bare_call};
pub use value::{
    AsAny, Decimal, Dict, Function, Instance, List, Operator, Set, Undefined as UndefinedValue, as_decimal, decimal, dict,
    downcast, equal, from_json, from_shared_json, function, function_with, get, instance, is_defined, items, list, none, pairs,
    repr, text, to_json, tuple,
};

/// What went wrong in a render: see [`Error::diagnostic`].
#[derive(Debug, Clone)]
pub struct Error {
    pub kind: ErrorKind,
    pub message: String,
    /// Innermost first: where it happened, then each macro call's site.
    pub trace: Vec<Frame>,
    /// The warehouse's own error, where that is the cause.
    pub database: bool,
    /// What to do about it, where that is known.
    pub help: Option<Box<str>>,
    /// Not an error at all, but the value of a `return(…)` on its way out of a macro.
    returned: Option<Box<Value>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The text is not Jinja.
    Syntax,
    /// A name that is not defined was used as if it were.
    Undefined,
    /// dbt's Compilation Error: `exceptions.raise_compiler_error`, wrong arguments, unknown macro …
    Compilation,
    /// dbt's Parsing Error: an environment variable that is not there, or not allowed there.
    Parsing,
    /// A contract that does not hold, a missing required config or var …: any other dbt error, by message.
    Runtime,
    /// From the warehouse.
    Database,
    /// The run is being interrupted.
    Cancelled,
}

/// One place in a trace.
#[derive(Debug, Clone)]
pub struct Frame {
    pub source: SourceText,
    pub span: Span,
    /// The macro whose body that is, if it is one's.
    pub macro_id: Option<Arc<str>>,
}

impl Error {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            trace: Vec::new(),
            database: kind == ErrorKind::Database,
            help: None,
            returned: None,
        }
    }

    pub fn compilation(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Compilation, message)
    }

    /// What `return(value)` gives: it ends the running macro.
    /// The value of a `return(…)` that no macro caught: what a text of its own (a query comment) gives.
    pub fn returned(&self) -> Option<&Value> {
        self.returned.as_deref()
    }

    pub(crate) fn returning(value: Value) -> Self {
        let mut error = Self::compilation("return() was called outside of a macro");
        error.returned = Some(Box::new(value));
        error
    }

    /// An instance of that type has no such method: for [`Instance::call_method`].
    pub fn missing_method(type_name: &str, method: &str) -> Self {
        Self::new(ErrorKind::Undefined, format!("'{type_name} object' has no attribute '{method}'"))
    }

    fn is_missing_method(&self, type_name: &str, method: &str) -> bool {
        self.kind == ErrorKind::Undefined && self.message == Self::missing_method(type_name, method).message
    }

    /// The same with a hint.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into().into());
        self
    }

    /// As told to people: the innermost place first, then the calls that led there.
    pub fn diagnostic(&self) -> Diagnostic {
        let code = match self.kind {
            ErrorKind::Syntax => "E0301",
            ErrorKind::Undefined => "E0302",
            ErrorKind::Compilation => "E0303",
            ErrorKind::Parsing => "E0299",
            ErrorKind::Runtime => "E0304",
            ErrorKind::Database => "E0601",
            ErrorKind::Cancelled => "E0701",
        };
        let mut diagnostic = Diagnostic::error(code, self.message.clone());
        for (depth, frame) in self.trace.iter().enumerate() {
            let note = if depth == 0 { "" } else { "called from here" };
            diagnostic = diagnostic.at_with(&frame.source, frame.span, note);
        }
        if self.kind == ErrorKind::Undefined && self.message.ends_with("is undefined") {
            diagnostic = diagnostic.help("check the spelling; if it is a macro of a package, run `deps` first");
        }
        match &self.help {
            Some(help) => diagnostic.help(&**help),
            None => diagnostic,
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// What Jinja says to people while it renders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// `log(text, info=false)`: to the log file only.
    Debug(String),
    /// `log(text, info=true)`: to the console too.
    Info(String),
    /// `print(text)`: to standard output, also with `--quiet`.
    Print(String),
    /// `exceptions.warn(text)`: an error under `--warn-error`, in which case the host returns Err.
    Warn(String),
}

/// How names that nobody defines behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undefined {
    /// Parsing: callable, chainable, empty.
    Capture,
    /// Execution, as in Jinja2: printed as nothing, calling or descending into it is an error.
    Lenient,
    /// Rendering of YAML: using it is an error.
    Strict,
}

/// What a phase answers to a render. One implementation a phase, in that phase's folder.
pub trait Host: Send + Sync {
    /// The package whose code is rendered: macro names are looked up from there.
    fn package(&self) -> &str;
    /// A variable or function of this phase's context: `ref`, `this`, `target`, `config`, `execute` … Asked once for each
    /// name used, after local variables and macros (a macro named `ref` hides the function, as in dbt; `builtins.ref` does
    /// not) and before the engine's own functions.
    fn global(&self, name: &str) -> Option<Value>;
    /// A name that hides a macro or package of that name: where a render may not see all of them.
    fn before_macros(&self, _name: &str) -> Option<Value> {
        None
    }
    /// Does `dispatch` without a namespace see the macros of all packages? (dbt: while a generic test is parsed.)
    fn dispatches_anywhere(&self) -> bool {
        false
    }
    fn undefined(&self) -> Undefined;
    /// A macro is about to run; depth 0 is a call from the rendered text itself (or from `dispatch` in it).
    fn macro_called(&self, _unique_id: &str, _depth: usize) {}
    fn message(&self, message: Message) -> Result<(), Error>;
}

/// A text to render.
#[derive(Debug, Clone)]
pub struct Template {
    /// The file it stands in; spans of errors point there.
    pub source: SourceText,
    /// The part of the file to render.
    pub span: Span,
}

impl Template {
    pub fn whole(source: SourceText) -> Self {
        let span = Span::new(0, source.text.len());
        Self { source, span }
    }
}

/// The top-level blocks of a file, and what is wrong with its block tags.
pub fn blocks(source: &SourceText) -> (Vec<Block>, Vec<Diagnostic>) {
    syntax::blocks::blocks(source)
}

/// The macros that a text calls by name, without running it, in the order dbt finds them; each once. Calls of context
/// functions (`ref`, `log` …) are among them. A text that is no Jinja has none.
pub fn macro_calls(text: &str) -> Vec<StaticCall> {
    syntax::static_calls(text)
}

/// Does a text mention `this`, wherever in its Jinja?
pub fn mentions_this(text: &str) -> bool {
    syntax::mentions_this(text)
}
