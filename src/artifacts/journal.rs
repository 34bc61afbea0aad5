//! What a run has finished so far, on disk as it comes: where the process is killed before run_results.json is written,
//! `retry` reads it here. It is gone once run_results.json is there.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::read::{batch_results, overload_results};
use super::run_results::{BatchesView, OverloadsView};
use super::{PreviousResult, value};
use crate::event::{Event, Events, RunResult, Status};
use crate::fs::{Disk, FileSystem};
use crate::manifest::{BatchResults, Json, JsonMap, TimeSpan, UniqueId, iso, moment};

/// Its name in the target folder.
const FILE: &str = "run_results.partial.jsonl";
const SCHEMA_VERSION: u32 = 2;

/// The first line: what the run is.
#[derive(Serialize, Deserialize)]
struct Head {
    schema_version: u32,
    invocation_id: String,
    invocation_started_at: String,
    args: JsonMap,
    /// The ids of all nodes that will have a result.
    planned: Vec<String>,
}

/// Every other line.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Result(ResultLine),
    /// Which batches a microbatch model has.
    Batches {
        unique_id: String,
        batches: Vec<[String; 2]>,
    },
    /// One of them, counted from 0, is done.
    Batch {
        unique_id: String,
        batch: usize,
        succeeded: bool,
    },
}

/// How a node ended.
#[derive(Serialize, Deserialize)]
struct ResultLine {
    unique_id: String,
    status: String,
    batch_results: Option<Json>,
    overload_results: Option<Json>,
}

/// A journal that is being written. Failures to write are no reason to end a run: they end the journal.
pub struct Journal {
    path: PathBuf,
    file: Mutex<Option<File>>,
}

impl Journal {
    /// Begins a new one in the target folder, in the place of any that an earlier run left there.
    pub fn begin(
        target: &Path,
        invocation: (&str, DateTime<Utc>),
        args: &JsonMap,
        planned: impl Iterator<Item = UniqueId>,
    ) -> Arc<Self> {
        let path = target.join(FILE);
        let head = Head {
            schema_version: SCHEMA_VERSION,
            invocation_id: invocation.0.to_owned(),
            invocation_started_at: super::timestamp(invocation.1),
            args: args.clone(),
            planned: planned.map(|id| id.as_str().to_owned()).collect(),
        };
        let journal = Self { file: Mutex::new(opened(&path).ok()), path };
        journal.write(&head);
        Arc::new(journal)
    }

    /// The same events, each result noted as it passes.
    pub fn following(self: &Arc<Self>, events: &Events) -> Events {
        let (journal, events) = (self.clone(), events.clone());
        Events::new(move |event| {
            match &event {
                Event::NodeFinished { result, .. } => journal.note(result),
                Event::Batches { node, batches } => journal.write(&Line::Batches {
                    unique_id: node.unique_id.as_str().to_owned(),
                    batches: batches.iter().map(|span| [iso(span.start), iso(span.end)]).collect(),
                }),
                Event::BatchFinished { node, place, result, .. } => journal.write(&Line::Batch {
                    unique_id: node.unique_id.as_str().to_owned(),
                    batch: place.index.saturating_sub(1),
                    succeeded: result.status == Status::Success,
                }),
                _ => {}
            }
            events.emit(event);
        })
    }

    fn note(&self, result: &RunResult) {
        self.write(&Line::Result(ResultLine {
            unique_id: result.unique_id.as_str().to_owned(),
            status: result.status.as_str().to_owned(),
            batch_results: result.batch_results.as_ref().map(|batches| value(&BatchesView(batches))),
            overload_results: result.overload_results.as_ref().map(|overloads| value(&OverloadsView(overloads))),
        }));
    }

    /// One line, in one write: what a kill leaves is whole lines and at most one torn one.
    fn write(&self, line: &impl Serialize) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let text = super::text(line) + "\n";
        if file.as_mut().is_some_and(|file| file.write_all(text.as_bytes()).is_err()) {
            *file = None;
        }
    }

    /// run_results.json is there: nothing is unfinished any more.
    pub fn end(&self) {
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let _ = Disk.remove(&self.path);
    }
}

fn opened(path: &Path) -> io::Result<File> {
    if Disk.exists(path) {
        Disk.remove(path)?;
    }
    Disk.append(path).map(|(file, _)| file)
}

/// A run that was killed: what it was asked, and what became of each node; nodes without a result count as skipped.
pub(super) struct Unfinished {
    pub started_at: DateTime<Utc>,
    pub args: JsonMap,
    pub results: IndexMap<String, PreviousResult>,
}

/// The journal that a killed run left in a target folder; None where there is none, or none that can be read.
pub(super) fn unfinished(fs: &dyn FileSystem, folder: &Path) -> Option<Unfinished> {
    let bytes = fs.read(&folder.join(FILE)).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let mut lines = text.lines();
    let head: Head = serde_json::from_str(lines.next()?).ok()?;
    if head.schema_version != SCHEMA_VERSION {
        return None;
    }
    let result = |unique_id: String, status, batch_results, overload_results| {
        (unique_id.clone(), PreviousResult { unique_id, status, batch_results, overload_results })
    };
    let mut results: IndexMap<_, _> = head.planned.into_iter().map(|id| result(id, Status::Skipped, None, None)).collect();
    let started_at = DateTime::parse_from_rfc3339(&head.invocation_started_at).ok()?.to_utc();
    let mut begun: IndexMap<String, Vec<(TimeSpan, bool)>> = IndexMap::new();
    for line in lines.filter_map(|line| serde_json::from_str::<Line>(line).ok()) {
        match line {
            Line::Result(line) => {
                let Some(status) = Status::parse(&line.status) else { continue };
                begun.shift_remove(&line.unique_id);
                let batches = line.batch_results.as_ref().map(batch_results);
                let overloads = line.overload_results.as_ref().map(overload_results);
                results.extend([result(line.unique_id, status, batches, overloads)]);
            }
            Line::Batches { unique_id, batches } => {
                let spans = batches.iter().filter_map(|[start, end]| Some(TimeSpan { start: moment(start)?, end: moment(end)? }));
                begun.insert(unique_id, spans.map(|span| (span, false)).collect());
            }
            Line::Batch { unique_id, batch, succeeded } => {
                if let Some((_, done)) = begun.get_mut(&unique_id).and_then(|batches| batches.get_mut(batch)) {
                    *done = succeeded;
                }
            }
        }
    }
    // Of a model that was at work, the batches that are not done are left.
    results.extend(begun.into_iter().map(|(unique_id, batches)| {
        let of = |wanted: bool| batches.iter().filter(|(_, done)| *done == wanted).map(|(span, _)| *span).collect();
        let batches = BatchResults { successful: of(true), failed: of(false) };
        result(unique_id, Status::PartialSuccess, Some(batches), None)
    }));
    Some(Unfinished { started_at, args: head.args, results })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifacts::samples;

    #[test]
    fn a_model_that_was_at_work_keeps_its_batches() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let planned = ["model.shop.daily"].map(UniqueId::from);
        let journal = Journal::begin(folder.path(), ("id-1", Utc::now()), &JsonMap::new(), planned.into_iter());
        let unique_id = || "model.shop.daily".to_owned();
        let days = ["2024-01-01T00:00:00+00:00", "2024-01-02T00:00:00+00:00", "2024-01-03T00:00:00+00:00"];
        let span = |day: usize| [days[day].to_owned(), days[day + 1].to_owned()];
        journal.write(&Line::Batches { unique_id: unique_id(), batches: vec![span(0), span(1)] });
        journal.write(&Line::Batch { unique_id: unique_id(), batch: 0, succeeded: true });
        let left = unfinished(&Disk, folder.path()).expect("a journal");
        let batches = left.results["model.shop.daily"].batch_results.clone().expect("batches");
        let starts = |spans: &[TimeSpan]| spans.iter().map(|span| iso(span.start)).collect::<Vec<_>>();
        assert_eq!((starts(&batches.successful).len(), starts(&batches.failed)), (1, vec![iso(moment(days[1]).expect("a day"))]));
    }

    #[test]
    fn what_was_not_finished_counts_as_skipped() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let args = samples::object(serde_json::json!({"which": "build"}));
        let planned = ["model.shop.orders", "model.shop.late"].map(UniqueId::from);
        let journal = Journal::begin(folder.path(), ("id-1", Utc::now()), &args, planned.into_iter());
        journal.following(&Events::none()).emit(samples::finished(|_| {}));
        let path = folder.path().join(FILE);
        let mut torn = std::fs::OpenOptions::new().append(true).open(&path).expect("opens");
        torn.write_all(b"{\"unique_id\": \"model.sh").expect("writes");
        let left = unfinished(&Disk, folder.path()).expect("a journal");
        let statuses: Vec<_> = left.results.values().map(|result| (result.unique_id.as_str(), result.status)).collect();
        assert_eq!(statuses, [("model.shop.orders", Status::Success), ("model.shop.late", Status::Skipped)]);
        assert_eq!(left.args["which"], "build");
        journal.end();
        assert!(unfinished(&Disk, folder.path()).is_none());
    }
}
