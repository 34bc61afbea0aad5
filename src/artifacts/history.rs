//! Reading back the run history that docs/history.md describes.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use crate::fs::FileSystem;

/// The newest version that is understood; files of newer ones are left out.
const SCHEMA_VERSION: u32 = 1;

/// One past invocation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PastRun {
    /// The file's name without its ending: `20260131T080000000000Z-<invocation_id>`.
    pub stem: String,
    pub invocation_id: String,
    pub started_at: String,
    pub command: String,
    pub target: Option<String>,
    pub threads: Option<u64>,
    /// None: it never finished.
    pub success: Option<bool>,
    pub interrupted: bool,
    pub elapsed: Option<f64>,
    /// In the order in which they finished.
    pub results: Vec<Arc<PastResult>>,
}

/// What became of one node in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PastResult {
    pub unique_id: String,
    pub resource_type: String,
    pub name: String,
    pub status: String,
    pub started_at: String,
    pub completed_at: String,
    pub execution_time: f64,
    pub thread_id: String,
    pub rows_affected: Option<i64>,
    pub failures: Option<i64>,
    pub message: Option<String>,
}

/// A line of any kind: keys that it does not have stay empty.
#[derive(Deserialize)]
struct Line<'a> {
    schema_version: u32,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(default)]
    invocation_id: String,
    #[serde(default)]
    started_at: String,
    #[serde(default)]
    command: String,
    target: Option<String>,
    threads: Option<u64>,
    #[serde(default)]
    unique_id: String,
    #[serde(default)]
    resource_type: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    completed_at: String,
    execution_time: Option<f64>,
    thread_id: Option<String>,
    rows_affected: Option<i64>,
    failures: Option<i64>,
    message: Option<String>,
    elapsed: Option<f64>,
    success: Option<bool>,
    interrupted: Option<bool>,
}

/// The latest invocations, the newest first: as many as `most` and as much text as `bytes` allow. A missing folder has none,
/// and torn lines are skipped.
pub fn past_runs(fs: &dyn FileSystem, folder: &Path, most: usize, bytes: u64) -> Vec<PastRun> {
    let mut files = fs.entries(folder).unwrap_or_default();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    let mut left = bytes;
    let mut runs = Vec::new();
    for path in files.iter().rev() {
        let Ok((size, _)) = fs.stat(path) else { continue };
        if runs.len() == most || size > left {
            break;
        }
        left -= size;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let text = fs.read(path).unwrap_or_default();
        runs.extend(past_run(&stem, &String::from_utf8_lossy(&text)));
    }
    runs
}

/// None for a file without a first line.
fn past_run(stem: &str, text: &str) -> Option<PastRun> {
    let mut run: Option<PastRun> = None;
    for line in text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok()) {
        if line.schema_version > SCHEMA_VERSION {
            return None;
        }
        match (&*line.kind, &mut run) {
            ("invocation", None) => {
                run = Some(PastRun {
                    stem: stem.to_owned(),
                    invocation_id: line.invocation_id,
                    started_at: line.started_at,
                    command: line.command,
                    target: line.target,
                    threads: line.threads,
                    ..PastRun::default()
                });
            }
            ("node", Some(run)) => run.results.push(Arc::new(PastResult {
                unique_id: line.unique_id,
                resource_type: line.resource_type,
                name: line.name,
                status: line.status,
                started_at: line.started_at,
                completed_at: line.completed_at,
                execution_time: line.execution_time.unwrap_or_default(),
                thread_id: line.thread_id.unwrap_or_default(),
                rows_affected: line.rows_affected,
                failures: line.failures,
                message: line.message,
            })),
            ("end", Some(run)) => {
                run.success = line.success;
                run.interrupted = line.interrupted.unwrap_or_default();
                run.elapsed = line.elapsed;
            }
            _ => {}
        }
    }
    run
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::Memory;

    #[test]
    fn the_newest_come_first_and_torn_lines_are_skipped() {
        let first =
            "{\"schema_version\":1,\"kind\":\"invocation\",\"invocation_id\":\"a\",\"started_at\":\"t\",\"command\":\"build\"}\n";
        let node = "{\"schema_version\":1,\"kind\":\"node\",\"invocation_id\":\"a\",\"unique_id\":\"model.s.o\",\"status\":\"success\",\"execution_time\":1.5}\n";
        let end = "{\"schema_version\":1,\"kind\":\"end\",\"invocation_id\":\"a\",\"elapsed\":2.0,\"success\":true,\"interrupted\":false}\n";
        let torn = format!("{first}{node}{{\"schema_ver");
        let whole = format!("{first}{node}{end}");
        let newer = first.replace(":1", ":9");
        let fs = Memory::new([
            ("/h/1-a.jsonl", torn.as_str()),
            ("/h/2-b.jsonl", whole.as_str()),
            ("/h/3-c.jsonl", newer.as_str()),
            ("/h/x.txt", ""),
        ]);
        let runs = past_runs(&fs, Path::new("/h"), 10, 10_000);
        let shown: Vec<_> = runs.iter().map(|run| (run.stem.as_str(), run.success, run.results.len())).collect();
        assert_eq!(shown, [("2-b", Some(true), 1), ("1-a", None, 1)]);
        assert_eq!(past_runs(&fs, Path::new("/h"), 1, 10_000).len(), 1);
        assert!(past_runs(&fs, Path::new("/none"), 9, 10_000).is_empty());
    }
}
