//! Reading back what an earlier invocation left in its target folder: for `--state`, `--defer` and `retry`.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{journal, upgrade};
use crate::diagnostic::{Diagnostic, SourceText, Span};
use crate::event::Status;
use crate::fs::FileSystem;
use crate::manifest::{BatchResults, Json, JsonMap, OverloadResults, TimeSpan, moment};

/// The artifacts of an earlier invocation, each where its file is there.
#[derive(Debug, Clone, Default)]
pub struct PreviousState {
    /// The folder, as given.
    pub folder: String,
    /// manifest.json, whole.
    pub manifest: Option<Arc<Json>>,
    /// run_results.json: by unique id, in the file's order.
    pub run_results: Option<indexmap::IndexMap<String, PreviousResult>>,
    /// sources.json: each source's row, by unique id.
    pub sources: Option<HashMap<String, Json>>,
}

/// The run that `retry` repeats.
#[derive(Debug, Clone)]
pub struct PreviousRun {
    /// In the order in which they finished.
    pub results: indexmap::IndexMap<String, PreviousResult>,
    /// The flags of that run, by dbt's names.
    pub args: JsonMap,
    pub started_at: Option<DateTime<Utc>>,
}

/// One earlier result.
#[derive(Debug, Clone, PartialEq)]
pub struct PreviousResult {
    pub unique_id: String,
    pub status: Status,
    /// `{successful, failed}` of a microbatch model.
    pub batch_results: Option<BatchResults>,
    /// `{successful, failed}` of a function's overloads.
    pub overload_results: Option<OverloadResults>,
}

impl PreviousState {
    /// A resource of the earlier manifest, whatever its kind.
    pub fn resource(&self, id: &str) -> Option<&Json> {
        let manifest = self.manifest.as_ref()?;
        let sections =
            ["nodes", "sources", "exposures", "metrics", "semantic_models", "saved_queries", "unit_tests", "functions", "macros"];
        sections.iter().find_map(|section| manifest.get(section)?.get(id))
    }

    /// An error for a file that what was asked for needs.
    pub fn missing(&self, file: &str) -> Diagnostic {
        let code = "E0811";
        Diagnostic::error(code, format!("no {file} in the state folder `{}`", self.folder)).help(
            "give --state (or DBT_STATE) the target folder of an earlier run, copied to a place that this run does not overwrite",
        )
    }
}

/// Reads manifest.json, run_results.json and sources.json of a folder. A file that isn't there stays None (see
/// [`PreviousState::missing`]); one that is broken, of another kind or too new is an error.
pub fn read_state(fs: &dyn FileSystem, folder: &Path) -> (PreviousState, Vec<Diagnostic>) {
    let mut found = PreviousState { folder: folder.display().to_string(), ..PreviousState::default() };
    let mut diagnostics = Vec::new();
    let mut file = |name: &str, kind: &str, newest: u32| match read_artifact(fs, folder, name, kind, newest) {
        Ok(content) => content,
        Err(diagnostic) => {
            diagnostics.push(diagnostic);
            None
        }
    };
    found.manifest = file("manifest.json", "manifest", 12).map(Arc::new);
    found.run_results = file("run_results.json", "run-results", 6).map(|results| previous_results(&results));
    found.sources = file("sources.json", "sources", 3).map(|sources| source_rows(&sources));
    (found, diagnostics)
}

/// The rows of a folder's sources.json by unique id; a file that is missing or unusable has none.
pub fn read_sources(fs: &dyn FileSystem, folder: &Path) -> HashMap<String, Json> {
    let sources = read_artifact(fs, folder, "sources.json", "sources", 3).ok().flatten();
    sources.map(|sources| source_rows(&sources)).unwrap_or_default()
}

fn source_rows(sources: &Json) -> HashMap<String, Json> {
    let rows = sources.get("results").and_then(Json::as_array).into_iter().flatten();
    rows.filter_map(|row| Some((row.get("unique_id")?.as_str()?.to_owned(), row.clone()))).collect()
}

/// The last run that a target folder tells of: that of run_results.json, or one that was killed after it. `Ok(None)`: neither.
pub fn read_run(fs: &dyn FileSystem, folder: &Path) -> Result<Option<PreviousRun>, Diagnostic> {
    let killed = journal::unfinished(fs, folder);
    let killed = |after: Option<DateTime<Utc>>| {
        let left = killed.filter(|left| after.is_none_or(|after| left.started_at > after))?;
        Some(PreviousRun { results: left.results, args: left.args, started_at: Some(left.started_at) })
    };
    let Some(mut file) = read_artifact(fs, folder, "run_results.json", "run-results", 6)? else { return Ok(killed(None)) };
    let time = |key: &str| {
        let text = file.get("metadata")?.get(key)?.as_str()?;
        DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc())
    };
    let (written_at, started_at) = (time("generated_at"), time("invocation_started_at").or_else(|| time("generated_at")));
    if let Some(run) = killed(written_at) {
        return Ok(Some(run));
    }
    let results = previous_results(&file);
    let args = match file.get_mut("args").map(Json::take) {
        Some(Json::Object(args)) => args,
        _ => JsonMap::new(),
    };
    Ok(Some(PreviousRun { results, args, started_at }))
}

fn previous_results(file: &Json) -> indexmap::IndexMap<String, PreviousResult> {
    let rows = file.get("results").and_then(Json::as_array).into_iter().flatten();
    let results = rows.filter_map(|row| {
        let unique_id = row.get("unique_id")?.as_str()?.to_owned();
        let status = Status::parse(row.get("status")?.as_str()?)?;
        let batch_results = row.get("batch_results").filter(|value| !value.is_null()).map(batch_results);
        let overload_results = row.get("overload_results").filter(|value| !value.is_null()).map(overload_results);
        Some((unique_id.clone(), PreviousResult { unique_id, status, batch_results, overload_results }))
    });
    results.collect()
}

/// `{successful: [[start, end], …], failed: […]}`.
pub(super) fn batch_results(value: &Json) -> BatchResults {
    let span = |pair: &Json| Some(TimeSpan { start: moment(pair.get(0)?.as_str()?)?, end: moment(pair.get(1)?.as_str()?)? });
    let list = |key: &str| value.get(key).and_then(Json::as_array).into_iter().flatten().filter_map(span).collect();
    BatchResults { successful: list("successful"), failed: list("failed") }
}

/// `{successful: [name, …], failed: […]}`.
pub(super) fn overload_results(value: &Json) -> OverloadResults {
    let names = |key: &str| value.get(key).and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
    let list = |key: &str| names(key).map(str::to_owned).collect();
    OverloadResults { successful: list("successful"), failed: list("failed") }
}

/// One artifact, its version checked. `Ok(None)`: no such file.
fn read_artifact(fs: &dyn FileSystem, folder: &Path, name: &str, kind: &str, newest: u32) -> Result<Option<Json>, Diagnostic> {
    let path = folder.join(name);
    if !fs.exists(&path) {
        return Ok(None);
    }
    let shown = path.display().to_string();
    let bytes = fs.read(&path).map_err(|error| {
        Diagnostic::error("E0802", format!("cannot read the state file `{shown}`: {error}"))
            .help("check the file's permissions, or point --state at another folder")
    })?;
    let mut content: Json = serde_json::from_slice(&bytes).map_err(|error| broken(&shown, &bytes, &error))?;
    let url = content.pointer("/metadata/dbt_schema_version").and_then(Json::as_str).unwrap_or_default().to_owned();
    match schema_version(&url) {
        Some((found, version)) if found == kind && (oldest(kind)..=newest).contains(&version) => {
            if kind == "manifest" && version < newest {
                upgrade::manifest(&mut content, version);
            }
            Ok(Some(content))
        }
        Some((found, version)) if found == kind && version < newest => Err(Diagnostic::error(
            "E0804",
            format!("`{shown}` has format {kind} v{version}, older than v{}, the oldest that can be read", oldest(kind)),
        )
        .help("make the state again with dbt 1.0 or newer, or with lineal")),
        Some((found, version)) if found == kind => Err(Diagnostic::error(
            "E0804",
            format!("`{shown}` has format {kind} v{version}, newer than v{newest}, which this version of lineal reads"),
        )
        .help("make the state with this version of lineal or with dbt 1.12, or upgrade lineal")),
        _ => Err(Diagnostic::error("E0803", format!("`{shown}` is not dbt's {name}"))
            .help(format!("its metadata.dbt_schema_version should name dbt/{kind}/v{newest}.json, and is `{url}`"))),
    }
}

/// The oldest format of an artifact that can still be read: as in dbt 1.12.
fn oldest(kind: &str) -> u32 {
    match kind {
        "manifest" | "run-results" => 4,
        _ => 3,
    }
}

/// (`manifest`, 12) of `https://schemas.getdbt.com/dbt/manifest/v12.json`.
fn schema_version(url: &str) -> Option<(&str, u32)> {
    let mut parts = url.strip_suffix(".json")?.rsplit('/');
    let version = parts.next()?.strip_prefix('v')?.parse().ok()?;
    Some((parts.next()?, version))
}

/// A file that is not JSON, with the place where it stops being so.
fn broken(shown: &str, bytes: &[u8], error: &serde_json::Error) -> Diagnostic {
    let text = String::from_utf8_lossy(bytes);
    let line_start: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let at = (line_start + error.column().saturating_sub(1)).min(text.len());
    // Artifacts are one long line: keep only what surrounds the place.
    let what = if error.is_eof() { "it ends too early" } else { "it is not JSON" };
    let mut diagnostic = Diagnostic::error("E0803", format!("the state file `{shown}` is broken: {what} ({error})"))
        .help("the run that wrote it was probably interrupted: make the state again");
    if text.len() <= 100_000 {
        diagnostic = diagnostic.at(&SourceText::new(shown, &*text), Span::new(at, at + 1));
    }
    diagnostic
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::Disk;

    fn state(files: &[(&str, &str)]) -> (PreviousState, Vec<Diagnostic>) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, content) in files {
            Disk.write(&folder.path().join(name), content.as_bytes()).expect("written");
        }
        read_state(&Disk, folder.path())
    }

    fn codes(diagnostics: &[Diagnostic]) -> Vec<&'static str> {
        diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
    }

    #[test]
    fn missing_files_are_no_error_until_asked_for() {
        let (state, diagnostics) = state(&[]);
        assert_eq!(codes(&diagnostics), Vec::<&str>::new());
        assert!(state.manifest.is_none() && state.run_results.is_none() && state.sources.is_none());
        assert_eq!(state.missing("manifest.json").code, "E0811");
    }

    #[test]
    fn results_and_args_are_read() {
        let (state, diagnostics) = state(&[(
            "run_results.json",
            r#"{"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json"},
            "results": [{"unique_id": "model.a.b", "status": "error"}, {"unique_id": "model.a.c", "status": "no-op"}],
            "args": {"which": "build"}}"#,
        )]);
        assert_eq!(codes(&diagnostics), Vec::<&str>::new());
        let results = state.run_results.expect("read");
        assert_eq!(results["model.a.b"].status, Status::Error);
        assert_eq!(results["model.a.c"].status, Status::NoOp);
    }

    #[test]
    fn an_older_manifest_is_told_in_new_words() {
        let (state, diagnostics) = state(&[(
            "manifest.json",
            r#"{"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v6.json"},
            "nodes": {"model.a.b": {"resource_type": "model", "raw_sql": "select 1", "refs": [["x"], ["p", "y"]]}},
            "metrics": {"metric.a.m": {}}}"#,
        )]);
        assert_eq!(codes(&diagnostics), Vec::<&str>::new());
        let node = state.resource("model.a.b").expect("read");
        assert_eq!(node["raw_code"], "select 1");
        assert_eq!(node["refs"][1], serde_json::json!({"package": "p", "name": "y", "version": null}));
        assert!(state.resource("metric.a.m").is_none());
    }

    #[test]
    fn broken_newer_and_foreign_files_are_told_apart() {
        let (_, diagnostics) = state(&[("manifest.json", "{\"metadata\":\n {\"x\": ")]);
        assert_eq!(codes(&diagnostics), ["E0803"]);
        let label = &diagnostics[0].labels[0];
        assert_eq!(label.source.position(label.span.start).0, 2);
        let (_, diagnostics) = state(&[(
            "manifest.json",
            r#"{"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v20.json"}}"#,
        )]);
        assert_eq!(codes(&diagnostics), ["E0804"]);
        let url = "https://schemas.getdbt.com/dbt/manifest/v3.json";
        let (_, diagnostics) = state(&[("manifest.json", &format!(r#"{{"metadata": {{"dbt_schema_version": "{url}"}}}}"#))]);
        assert_eq!(codes(&diagnostics), ["E0804"]);
        let (_, diagnostics) = state(&[("sources.json", "[1]")]);
        assert_eq!(codes(&diagnostics), ["E0803"]);
    }
}
