//! The console: lines on standard output, and on a terminal a progress bar below them.

use std::io::Write;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::format::{self, Invocation, Look};
use super::record::{Level, People, Record};
use super::style::Painter;
use super::{LogFormat, ReportOptions};
use crate::event::Event;

pub(super) struct Console {
    out: Box<dyn Write + Send>,
    look: Look,
    level: Level,
    quiet: bool,
    print: bool,
    /// A progress bar may be shown.
    live: bool,
    /// One line a node: its start is told by `--debug`, `--log-format text` and the log file only.
    calm: bool,
    bar: Option<Bar>,
}

impl Console {
    pub(super) fn new(options: &ReportOptions, out: Box<dyn Write + Send>) -> Self {
        let for_people = options.format == LogFormat::Default;
        let colors = options.use_colors && options.format != LogFormat::Json;
        Self {
            out,
            look: Look {
                format: options.format,
                painter: Painter { colors },
                terminal: options.is_terminal,
                among_errors: false,
            },
            level: if options.quiet { Level::Error } else { Level::parse(&options.level) },
            quiet: options.quiet,
            print: options.print,
            live: for_people && options.is_terminal && !options.quiet && Level::parse(&options.level) <= Level::Info,
            calm: for_people && Level::parse(&options.level) >= Level::Info,
            bar: None,
        }
    }

    pub(super) fn wants(&self, record: &Record) -> bool {
        if record.print {
            return self.print || record.name != "PrintEvent";
        }
        let start = self.calm && matches!(record.people, People::Start);
        record.level >= self.level && !start && !(self.quiet && record.name == "Formatting")
    }

    pub(super) fn write(&mut self, record: &Record, invocation: &Invocation) {
        let line = format::line(record, self.look, invocation);
        self.look.among_errors = match &record.people {
            People::Diagnostic(problem) => self.look.among_errors || problem.is_error(),
            _ => false,
        };
        let out = &mut self.out;
        // A closed pipe (`… | head`) is no fault of the run.
        let mut show = || {
            let _ = writeln!(out, "{line}");
            let _ = out.flush();
        };
        match &self.bar {
            Some(bar) => bar.bar.suspend(show),
            None => show(),
        }
    }

    /// Moves the progress bar.
    pub(super) fn follow(&mut self, event: &Event) {
        if !self.live {
            return;
        }
        match (event, &mut self.bar) {
            (Event::Concurrency { nodes, .. }, None) if *nodes > 1 => self.bar = Some(Bar::new(*nodes)),
            (Event::NodeStart { node, .. }, Some(bar)) => bar.start(node.name()),
            (Event::NodeFinished { node, .. }, Some(bar)) => bar.finish(node.name()),
            (Event::RunFinished { .. } | Event::Completed { .. }, _) => self.clear(),
            _ => {}
        }
    }

    /// Takes the progress bar away.
    pub(super) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.bar.finish_and_clear();
        }
    }
}

/// How far the run is, and what runs now.
struct Bar {
    bar: ProgressBar,
    running: Vec<String>,
}

impl Bar {
    fn new(nodes: usize) -> Self {
        let bar = ProgressBar::with_draw_target(Some(nodes as u64), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{elapsed_precise:.dim}  {bar:24} {pos}/{len}  {wide_msg:.dim}") {
            bar.set_style(style.progress_chars("━╸─"));
        }
        bar.enable_steady_tick(Duration::from_millis(250));
        Self { bar, running: Vec::new() }
    }

    fn start(&mut self, name: &str) {
        self.running.push(name.to_owned());
        self.bar.set_message(self.running.join(", "));
    }

    fn finish(&mut self, name: &str) {
        if let Some(at) = self.running.iter().position(|running| running == name) {
            self.running.remove(at);
        }
        self.bar.set_message(self.running.join(", "));
        self.bar.inc(1);
    }
}
