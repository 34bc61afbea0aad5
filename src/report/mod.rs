//! Report: events become console lines, the log file, the JSON log, and the run history. Decides nothing.
//!
//! An [`Event`] is one or more of dbt's log events (`translate.rs`); each such record goes to the console and to the log file,
//! where its level is wanted, in the format that was asked for ([`format`]). The history follows the events themselves.

mod console;
mod diagnostic;
mod event_names;
mod format;
mod history;
mod log_file;
mod node_records;
mod promotion;
mod record;
mod sql_place;
mod style;
mod summary;
#[cfg(test)]
mod tests;
mod translate;

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use self::console::Console;
use self::format::{Invocation, Look};
use self::history::History;
use self::log_file::LogFile;
use self::record::{Level, Record};
use self::style::Painter;
use self::translate::Translator;
use crate::diagnostic::Diagnostic;
use crate::event::{Event, Events};

pub use format::scrub_json;
pub use promotion::{Promotion, promote};

/// `--log-format` and its like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Calm lines for people.
    #[default]
    Default,
    Text,
    Debug,
    Json,
}

#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct ReportOptions {
    pub format: LogFormat,
    /// `debug`, `info`, `warn`, `error`, `none`; `--quiet` is `error`.
    pub level: String,
    pub file_format: LogFormat,
    pub file_level: String,
    /// Folder of dbt.log; None: no log file.
    pub log_path: Option<PathBuf>,
    pub log_file_max_bytes: u64,
    pub use_colors: bool,
    pub is_terminal: bool,
    pub quiet: bool,
    pub print: bool,
    pub printer_width: usize,
    pub show_all_deprecations: bool,
    pub invocation_id: String,
    /// `DBT_ENV_SECRET_*` values: replaced by `*****` everywhere.
    pub secrets: Vec<String>,
    /// `warn_error`, `warn_error_options`, as flags give them.
    pub warn_error: bool,
    pub warn_error_options: serde_json::Value,
    /// Folder of the history files; None: none are kept.
    pub history_path: Option<PathBuf>,
    pub project_name: String,
    /// How many history files are kept, the newest; 0 keeps all, None the usual number.
    pub history_keep: Option<usize>,
    /// `DBT_ENV_CUSTOM_ENV_*`: `info.extra` of the JSON log.
    pub metadata_env: crate::manifest::JsonMap,
}

/// Consumes events; [`Reporter::finish`] flushes what is open.
pub struct Reporter {
    state: Mutex<State>,
}

struct State {
    translator: Translator,
    console: Console,
    file: Option<FileLog>,
    history: Option<History>,
    invocation: Invocation,
}

struct FileLog {
    file: LogFile,
    format: LogFormat,
    level: Level,
}

impl Reporter {
    /// Reports to standard output.
    pub fn new(options: ReportOptions) -> Arc<Self> {
        Self::to(options, Box::new(std::io::stdout()))
    }

    /// Reports to a writer of the caller's.
    pub fn to(options: ReportOptions, out: Box<dyn Write + Send>) -> Arc<Self> {
        let console = Console::new(&options, out);
        let mut faults = Vec::new();
        let file = file_log(&options, &mut faults);
        let keep = options.history_keep.unwrap_or(history::KEPT_FILES);
        let ReportOptions { invocation_id, project_name, secrets, metadata_env, .. } = options;
        let history = options.history_path.map(|folder| History::new(folder, keep, &invocation_id, &project_name, &secrets));
        let translator = Translator::new(options.printer_width, options.show_all_deprecations);
        let invocation = Invocation { id: invocation_id, extra: metadata_env, secrets };
        let mut state = State { translator, console, file, history, invocation };
        for fault in faults {
            state.take(&Event::Diagnostic(Box::new(fault)));
        }
        Arc::new(Self { state: Mutex::new(state) })
    }

    /// Where the phases send their events.
    pub fn events(self: &Arc<Self>) -> Events {
        let reporter = self.clone();
        Events::new(move |event| reporter.take(&event))
    }

    fn take(&self, event: &Event) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).take(event);
    }

    /// Flushes the log file and takes the progress bar away.
    pub fn finish(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.console.clear();
        state.flush();
    }
}

/// dbt.log, where it is wanted and can be opened.
fn file_log(options: &ReportOptions, faults: &mut Vec<Diagnostic>) -> Option<FileLog> {
    let folder = options.log_path.as_ref()?;
    let level = Level::parse(if options.file_level.is_empty() { "debug" } else { &options.file_level });
    if level == Level::None {
        return None;
    }
    match LogFile::open(folder, options.log_file_max_bytes) {
        Ok(file) => Some(FileLog { file, format: options.file_format, level }),
        Err(error) => {
            let message = format!("the log file in `{}` cannot be opened: {error}", folder.display());
            faults.push(Diagnostic::warning("W0801", message).help("the run goes on without it; give another --log-path"));
            None
        }
    }
}

impl State {
    fn take(&mut self, event: &Event) {
        self.console.follow(event);
        for record in self.translator.records(event) {
            self.record(&record);
        }
        let fault = self.history.as_mut().and_then(|history| history.follow(event));
        if let Some(fault) = fault {
            self.take(&Event::Diagnostic(Box::new(fault)));
        }
        if matches!(event, Event::NodeFinished { .. } | Event::Completed { .. }) {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if let Some(log) = &mut self.file {
            log.file.flush();
        }
    }

    fn record(&mut self, record: &Record) {
        if self.console.wants(record) {
            self.console.write(record, &self.invocation);
        }
        if let Some(log) = self.file.as_mut().filter(|log| record.level >= log.level) {
            // Files are read by people and tools alike: no colours, and dbt's own words.
            let format = if log.format == LogFormat::Default { LogFormat::Debug } else { log.format };
            let look = Look { format, painter: Painter { colors: false }, terminal: false, among_errors: false };
            let line = format::line(record, look, &self.invocation);
            log.file.write(&line);
        }
    }
}
