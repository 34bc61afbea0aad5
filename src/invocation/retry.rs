//! retry: the last run's command and flags again, for the nodes that failed or were skipped.

use std::collections::HashMap;
use std::path::Path;

use chrono::{DateTime, Utc};
use indexmap::IndexSet;

use super::settings;
use crate::artifacts;
use crate::cli::{self, Command, Request};
use crate::diagnostic::Diagnostic;
use crate::event::Status;
use crate::fs::FileSystem;
use crate::graph::{Graph, Selection};
use crate::manifest::{BatchResults, Json, JsonMap, OverloadResults, UniqueId};
use crate::project::{self, LoadOptions, Project};

/// Flags that are the present invocation's own, not the last run's.
const OWN_FLAGS: [&str; 7] =
    ["log_path", "output_path", "profiles_dir", "project_dir", "defer_state", "target_path", "warn_error"];
/// Flags that the present command line may change.
const CHANGEABLE: [&str; 2] = ["vars", "threads"];

/// What is left of the last run.
#[derive(Debug, Default)]
pub struct Retry {
    pub ids: IndexSet<UniqueId>,
    /// What came of the batches of microbatch models.
    pub batches: Vec<(UniqueId, BatchResults)>,
    /// What came of the overloads of functions.
    pub overloads: Vec<(UniqueId, OverloadResults)>,
    /// When the last run began: its batches end there, too.
    pub began: Option<DateTime<Utc>>,
}

/// The request that a `retry` comes to, and what it is for. `Err` where there is no last run to repeat.
pub fn request(
    fs: &dyn FileSystem,
    cwd: &Path,
    request: &Request,
    env: &HashMap<String, String>,
) -> Result<Option<(Request, Retry)>, Diagnostic> {
    // Packages and files are read, and faults of the project told, when it is loaded for good.
    let options = LoadOptions { packages_required: false, ..settings::load_options(request, env.clone()) };
    let (Some(project), _) = project::load(fs, cwd, &options) else { return Ok(None) };
    let folder = folder(request, &project);
    let missing = |why: &str| {
        Diagnostic::error("E0812", format!("Could not find previous run in '{folder}' target directory{why}"))
            .help("run a command first, or name the target folder of an earlier run with --state")
    };
    let run = artifacts::read_run(fs, &project.root.join(&folder))?.ok_or_else(|| missing(""))?;
    let which = run.args.get("which").and_then(Json::as_str).unwrap_or_default();
    let command = RETRIED.into_iter().find(|command| command.which() == which);
    let command = command.ok_or_else(|| missing(&format!(" that can be repeated: its command was '{which}'")))?;
    let warned = project.flags.get("warn_error").and_then(Json::as_bool).unwrap_or(false);
    let batches = run.results.values().filter_map(|result| {
        let batches = result.batch_results.clone()?;
        Some((UniqueId::from(result.unique_id.as_str()), batches))
    });
    let batches = batches.collect();
    let overloads = run.results.values().filter_map(|result| {
        let overloads = result.overload_results.clone()?;
        Some((UniqueId::from(result.unique_id.as_str()), overloads))
    });
    let overloads = overloads.collect();
    let ids = run.results.values().filter(|result| {
        let again = result.status.is_failure() || result.status == Status::Skipped || (warned && result.status == Status::Warn);
        // Hooks run with every command anyway.
        again && (command == Command::RunOperation || !result.unique_id.starts_with("operation."))
    });
    let ids = ids.map(|result| UniqueId::from(result.unique_id.as_str())).collect();
    Ok(Some((again(request, command, &run.args), Retry { ids, batches, overloads, began: run.started_at })))
}

/// The commands that can be repeated.
const RETRIED: [Command; 9] = [
    Command::Build,
    Command::Compile,
    Command::Clone,
    Command::DocsGenerate,
    Command::Seed,
    Command::Snapshot,
    Command::Test,
    Command::Run,
    Command::RunOperation,
];

/// Where the last run's results lie: as the user writes it.
fn folder(request: &Request, project: &Project) -> String {
    let target = project.target_path.strip_prefix(&project.root).unwrap_or(&project.target_path);
    request.text("state").map_or_else(|| target.to_string_lossy().into_owned(), str::to_owned)
}

/// The last run's flags, but for those that are the present invocation's.
fn again(request: &Request, command: Command, args: &JsonMap) -> Request {
    let known = cli::flags_of(command);
    let before = args.iter().filter(|(name, value)| {
        // Colours are usual where there is a terminal: only their absence was asked for.
        let usual = name.starts_with("use_colors") && **value == Json::Bool(true);
        let empty = |value: &Json| value.as_array().is_some_and(Vec::is_empty);
        let unset = name.as_str() == "warn_error_options"
            && (request.given.contains_key("warn_error") || value.as_object().is_some_and(|lists| lists.values().all(empty)));
        known.contains(&name.as_str()) && !OWN_FLAGS.contains(&name.as_str()) && !value.is_null() && !usual && !unset
    });
    let mut given: JsonMap = before.map(|(name, value)| (name.clone(), as_given(name, value))).collect();
    for (name, value) in &request.given {
        if OWN_FLAGS.contains(&name.as_str()) || CHANGEABLE.contains(&name.as_str()) {
            given.insert(name.clone(), value.clone());
        }
    }
    let words = args.get("macro").and_then(Json::as_str).map(str::to_owned).into_iter().collect();
    Request { command, given, words, ..request.clone() }
}

/// Maps are given as text on the command line.
fn as_given(name: &str, value: &Json) -> Json {
    match (name, value) {
        ("vars" | "args" | "sample", Json::Object(_)) => value.to_string().into(),
        _ => value.clone(),
    }
}

impl Retry {
    /// The nodes to run, all of which must still be there.
    pub fn selection(&self, graph: &Graph) -> Result<Selection, Vec<Diagnostic>> {
        let gone = self.ids.iter().filter(|id| graph.position(id.as_str()).is_none());
        let gone: Vec<Diagnostic> = gone
            .map(|id| {
                Diagnostic::error("E0421", format!("Couldn't find model '{id}' -- does it exist or is it disabled?"))
                    .help("it failed in the run that retry repeats; run the command anew instead")
            })
            .collect();
        if gone.is_empty() { Ok(Selection { ids: self.ids.clone(), default_selector: None }) } else { Err(gone) }
    }
}
