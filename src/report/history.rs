//! The run history: one file an invocation, one line a finished node (docs/history.md).

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::artifacts::system_timestamp;
use crate::diagnostic::Diagnostic;
use crate::event::{Event, RunResult, Status};
use crate::fs::{Disk, FileSystem};
use crate::manifest::{Json, JsonMap, Node, Resource, UniqueId};
use crate::text::without_secrets;

/// The format that docs/history.md describes.
const SCHEMA_VERSION: u32 = 1;
/// Files kept where no setting says otherwise.
pub(super) const KEPT_FILES: usize = 1000;
/// Commands that run nodes.
const RECORDED: [&str; 9] = ["build", "run", "test", "seed", "snapshot", "freshness", "run-operation", "retry", "clone"];

/// Writes the history of one invocation. The file is made when the first thing happens that is worth a line.
pub(super) struct History {
    folder: PathBuf,
    keep: usize,
    invocation_id: String,
    project_name: String,
    secrets: Vec<String>,
    started_at: SystemTime,
    command: &'static str,
    target: Option<Arc<str>>,
    threads: Option<usize>,
    interrupted: bool,
    file: State,
}

enum State {
    Waiting,
    Open(std::fs::File),
    /// Written to the end, or given up after a failure.
    Closed,
}

#[derive(Serialize)]
struct Head<'a> {
    schema_version: u32,
    kind: &'static str,
    invocation_id: &'a str,
}

#[derive(Serialize)]
struct InvocationLine<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    started_at: String,
    command: &'a str,
    project_name: &'a str,
    target: Option<&'a str>,
    threads: Option<usize>,
    lineal_version: &'static str,
}

#[derive(Serialize)]
struct NodeLine<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    unique_id: &'a str,
    resource_type: &'static str,
    name: &'a str,
    package_name: &'a str,
    original_file_path: &'a str,
    materialized: Option<&'a str>,
    relation_name: Option<&'a str>,
    depends_on: Vec<&'a str>,
    status: &'static str,
    started_at: String,
    completed_at: String,
    execution_time: f64,
    thread_id: &'a str,
    rows_affected: Option<i64>,
    failures: Option<i64>,
    message: Option<&'a str>,
}

#[derive(Serialize)]
struct EndLine<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    completed_at: String,
    elapsed: f64,
    success: bool,
    interrupted: bool,
}

impl History {
    pub(super) fn new(folder: PathBuf, keep: usize, invocation_id: &str, project_name: &str, secrets: &[String]) -> Self {
        Self {
            folder,
            keep,
            invocation_id: invocation_id.to_owned(),
            project_name: project_name.to_owned(),
            secrets: secrets.to_vec(),
            started_at: SystemTime::now(),
            command: "",
            target: None,
            threads: None,
            interrupted: false,
            file: State::Waiting,
        }
    }

    /// Writes what an event leaves. A failure gives one warning, and no more is tried.
    pub(super) fn follow(&mut self, event: &Event) -> Option<Diagnostic> {
        let done = match event {
            Event::Started { command, args } => {
                self.started_at = SystemTime::now();
                self.command = command;
                self.target = args.get("target").and_then(Json::as_str).map(Into::into);
                Ok(())
            }
            Event::Concurrency { threads, target, .. } => {
                self.threads = Some(*threads);
                self.target = Some(target.clone());
                self.begin()
            }
            Event::NodeFinished { node, started_at, result, .. } => self.node(node, *started_at, result),
            Event::HookFinished { node, status, took, .. } => self.hook(node, *status, *took),
            Event::RunFinished { interrupted, .. } => {
                self.interrupted = *interrupted;
                Ok(())
            }
            Event::Completed { success, took, .. } => self.end(*success, *took),
            _ => Ok(()),
        };
        done.err().map(|error| {
            self.file = State::Closed;
            Diagnostic::warning("W0802", format!("the run history in `{}` cannot be written: {error}", self.folder.display()))
                .help("the run goes on without it; give another --log-path, or set the flag `history: false` to keep none")
        })
    }

    fn recorded(&self) -> bool {
        RECORDED.contains(&self.command)
    }

    fn head(&self, kind: &'static str) -> Head<'_> {
        Head { schema_version: SCHEMA_VERSION, kind, invocation_id: &self.invocation_id }
    }

    /// Opens the file and writes its first line, unless that is done.
    fn begin(&mut self) -> io::Result<()> {
        if !matches!(self.file, State::Waiting) || !self.recorded() {
            return Ok(());
        }
        let started = DateTime::<Utc>::from(self.started_at).format("%Y%m%dT%H%M%S%6fZ");
        let path = self.folder.join(format!("{started}-{}.jsonl", self.invocation_id));
        let (file, _) = Disk.append(&path)?;
        self.file = State::Open(file);
        let line = InvocationLine {
            head: self.head("invocation"),
            started_at: system_timestamp(self.started_at),
            command: self.command,
            project_name: &self.project_name,
            target: self.target.as_deref(),
            threads: self.threads,
            lineal_version: env!("CARGO_PKG_VERSION"),
        };
        let line = super::history::text(&line);
        self.write(line)?;
        forget(&self.folder, self.keep)
    }

    /// One line, in one write: what a crash leaves is whole lines and at most one torn one.
    fn write(&mut self, line: String) -> io::Result<()> {
        let State::Open(file) = &mut self.file else { return Ok(()) };
        let mut line = without_secrets(line, &self.secrets);
        line.push('\n');
        file.write_all(line.as_bytes())
    }

    fn node(&mut self, of: &Resource, started: SystemTime, result: &RunResult) -> io::Result<()> {
        self.begin()?;
        let (materialized, relation_name) = match of {
            Resource::Node(node) => (Some(node.config.materialized()), node.relation_name.as_deref()),
            Resource::Source(source) => (None, Some(source.relation_name.as_str())),
            _ => (None, None),
        };
        let line = text(&NodeLine {
            head: self.head("node"),
            unique_id: of.unique_id().as_str(),
            resource_type: of.resource_type().as_str(),
            name: of.name(),
            package_name: of.package_name(),
            original_file_path: of.original_file_path(),
            materialized: materialized.filter(|text| !text.is_empty()),
            relation_name,
            depends_on: of.depends_on().iter().map(UniqueId::as_str).collect(),
            status: result.status.as_str(),
            started_at: system_timestamp(started),
            completed_at: system_timestamp(SystemTime::now()),
            execution_time: result.execution_time.as_secs_f64(),
            thread_id: &result.thread_id,
            rows_affected: rows_affected(&result.adapter_response),
            failures: result.failures,
            message: result.message.as_deref(),
        });
        self.write(line)
    }

    /// A hook of the project: on-run-start, on-run-end.
    fn hook(&mut self, of: &Arc<Node>, status: Status, took: Duration) -> io::Result<()> {
        self.begin()?;
        let now = SystemTime::now();
        let line = text(&NodeLine {
            head: self.head("node"),
            unique_id: of.unique_id.as_str(),
            resource_type: of.resource_type.as_str(),
            name: &of.name,
            package_name: &of.package_name,
            original_file_path: &of.original_file_path,
            materialized: None,
            relation_name: None,
            depends_on: of.depends_on.nodes.iter().map(UniqueId::as_str).collect(),
            status: status.as_str(),
            started_at: system_timestamp(now - took),
            completed_at: system_timestamp(now),
            execution_time: took.as_secs_f64(),
            thread_id: "MainThread",
            rows_affected: None,
            failures: None,
            message: None,
        });
        self.write(line)
    }

    fn end(&mut self, success: bool, took: Duration) -> io::Result<()> {
        let line = text(&EndLine {
            head: self.head("end"),
            completed_at: system_timestamp(SystemTime::now()),
            elapsed: took.as_secs_f64(),
            success,
            interrupted: self.interrupted,
        });
        self.write(line)?;
        self.file = State::Closed;
        Ok(())
    }
}

fn text(line: &impl Serialize) -> String {
    serde_json::to_string(line).unwrap_or_default()
}

fn rows_affected(response: &JsonMap) -> Option<i64> {
    response.get("rows_affected").and_then(Json::as_i64).filter(|rows| *rows >= 0)
}

/// Deletes the oldest files beyond the number to keep (0 keeps all): their names sort by time.
fn forget(folder: &Path, keep: usize) -> io::Result<()> {
    if keep == 0 {
        return Ok(());
    }
    let mut files = Disk.walk(folder)?;
    files.retain(|path| path.parent() == Some(folder) && path.extension().is_some_and(|extension| extension == "jsonl"));
    let surplus = files.len().saturating_sub(keep);
    files.iter().take(surplus).try_for_each(|path| Disk.remove(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(folder: &Path, keep: usize) -> History {
        let mut history = History::new(folder.to_owned(), keep, "id-1", "shop", &["hush".to_owned()]);
        assert!(history.follow(&Event::Started { command: "build", args: Arc::new(JsonMap::new()) }).is_none());
        history
    }

    fn lines(folder: &Path) -> Vec<Vec<Json>> {
        let files = Disk.walk(folder).expect("walks");
        let read = |path: &PathBuf| String::from_utf8(Disk.read(path).expect("reads")).expect("text");
        files.iter().map(|path| read(path).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()).collect()
    }

    #[test]
    fn each_finished_node_is_on_disk_at_once() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut history = history(folder.path(), 0);
        assert_eq!(lines(folder.path()).len(), 0);
        history.follow(&Event::Concurrency { threads: 4, target: "dev".into(), nodes: 1 });
        let event = crate::artifacts::samples::finished(|result| result.message = Some("no hush here".to_owned()));
        history.follow(&event);
        let found = lines(folder.path());
        assert_eq!(found[0].len(), 2);
        assert_eq!(found[0][0]["kind"], "invocation");
        assert_eq!(found[0][0]["threads"], 4);
        assert_eq!(found[0][1]["unique_id"], "model.shop.orders");
        assert_eq!(found[0][1]["message"], "no ***** here");
        history.follow(&Event::Completed { command: "build", success: true, took: Duration::from_secs(2) });
        let found = lines(folder.path());
        assert_eq!(found[0][2]["kind"], "end");
        assert_eq!(found[0][2]["success"], true);
        for line in &found[0] {
            assert_eq!((&line["schema_version"], &line["invocation_id"]), (&Json::from(1), &Json::from("id-1")));
        }
    }

    #[test]
    fn old_files_go_and_a_failure_only_warns() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for number in 0..5 {
            Disk.write(&folder.path().join(format!("2000010{number}T000000000000Z-x.jsonl")), b"{}\n").expect("writes");
        }
        Disk.write(&folder.path().join("notes.txt"), b"kept").expect("writes");
        history(folder.path(), 3).follow(&Event::Concurrency { threads: 1, target: "dev".into(), nodes: 1 });
        let left = Disk.walk(folder.path()).expect("walks");
        let names: Vec<String> =
            left.iter().map(|path| path.file_name().unwrap_or_default().to_string_lossy()[..8].to_owned()).collect();
        assert_eq!(names.len(), 4);
        assert_eq!((names[0].as_str(), names[1].as_str(), names[3].as_str()), ("20000103", "20000104", "notes.tx"));

        let file = folder.path().join("notes.txt");
        let mut broken = history(&file, 0);
        let warning = broken.follow(&Event::Concurrency { threads: 1, target: "dev".into(), nodes: 1 });
        assert_eq!(warning.map(|warning| warning.code), Some("W0802"));
        assert!(broken.follow(&Event::Completed { command: "build", success: true, took: Duration::ZERO }).is_none());
    }
}
