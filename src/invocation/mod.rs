//! One invocation, phase by phase. Read this file first: load → parse → resolve → graph → plan → execute.

mod catalog;
mod event_time;
mod freshness;
mod history;
mod housekeeping;
mod init;
mod list;
mod nodes;
mod operation;
mod osi;
mod resources;
mod retry;
mod serve;
mod settings;
mod show;
mod state;

use std::cell::OnceCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::adapter::{self, Adapter};
use crate::artifacts::{self, Metadata};
use crate::cli::{Command, Outcome, Request};
use crate::compile::{RunContext, RunOptions, RunParts};
use crate::diagnostic::{Diagnostic, any_error};
use crate::event::{Event, Events};
use crate::fs::{Disk, FileSystem};
use crate::graph::{self, Graph, Selection, SelectionRequest};
use crate::jinja::{self, Engine, Message};
use crate::manifest::{Json, JsonMap, Manifest, UniqueId};
use crate::parse;
use crate::project::{self, Project};
use crate::report::{self, Reporter};
use crate::resolve;

/// Runs what was asked for and says how it ended. Everything to tell goes through events; nothing is printed here.
pub fn run(request: &Request, env: HashMap<String, String>) -> Outcome {
    let begun = Instant::now();
    let fs: Arc<dyn FileSystem> = Arc::new(Disk);
    let cwd = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    if request.command == Command::Init {
        return init::init(&*fs, &cwd, request, env);
    }
    let own;
    let request = if request.of_history {
        own = history::request(&*fs, &cwd, request, &env);
        &own
    } else {
        request
    };
    let repeated = if request.command == Command::Retry { retry::request(&*fs, &cwd, request, &env) } else { Ok(None) };
    let (repeated, faults) = repeated.map_or_else(|fault| (None, vec![fault]), |repeated| (repeated, Vec::new()));
    let asked = request.command.which();
    let (request, retry) = repeated.map_or_else(|| (request.clone(), None), |(request, retry)| (request, Some(retry)));
    let mut options = settings::load_options(&request, env);
    let unreadable = event_time::normalize(&mut options.flags, chrono::Utc::now());
    let (project, mut loaded) = project::load(&*fs, &cwd, &options);
    loaded.extend(faults.into_iter().chain(unreadable));
    let reporter = Reporter::new(settings::report_options(project.as_ref(), &options, &cwd));
    let events = reporter.events();
    let args = project.as_ref().map(|project| project.invocation.args.clone()).unwrap_or_default();
    events.emit(Event::Started { command: asked, args: Arc::new(args) });
    let teller =
        Teller { events: events.clone(), strict: request.is("strict"), options: settings::promotion(project.as_ref(), &options) };
    let mut said = request.warnings.clone();
    said.extend(teller.options.faults());
    said.extend(loaded);
    let fine = teller.tell(said);
    let shows_resources = project.as_ref().is_some_and(|project| project.flag("show_resource_report"));
    let outcome = match project {
        Some(project) if fine => {
            settings::share_work(&project);
            // dbt works in the project's folder: paths in SQL (`read_csv('data/x.csv')`) are relative to it.
            let _ = std::env::set_current_dir(&project.root);
            let (events, project) = (events.clone(), Arc::new(project));
            let invocation = Invocation { request: &request, fs, events, teller, project, retry, states: OnceCell::new() };
            invocation.dispatch()
        }
        // A check that fails has told what it is for.
        _ if request.command == Command::Debug => Outcome::Failure,
        _ => Outcome::Unusable,
    };
    let success = outcome == Outcome::Success;
    if let Some(event) = resources::report(&Disk, asked, success, begun.elapsed(), shows_resources) {
        events.emit(event);
    }
    events.emit(Event::Completed { command: asked, success, took: begun.elapsed() });
    reporter.finish();
    outcome
}

/// Tells diagnostics, warnings promoted as the flags say.
#[derive(Clone)]
struct Teller {
    events: Events,
    strict: bool,
    options: report::Promotion,
}

impl Teller {
    /// Emits them all; true if none is an error.
    fn tell(&self, diagnostics: Vec<Diagnostic>) -> bool {
        let mut diagnostics = report::promote(diagnostics, &self.options);
        if self.strict {
            let strict = diagnostics
                .iter_mut()
                .filter(|diagnostic| diagnostic.code.starts_with("W01") || diagnostic.code.starts_with("W02"));
            strict.for_each(|diagnostic| diagnostic.severity = crate::diagnostic::Severity::Error);
        }
        let fine = !any_error(&diagnostics);
        for diagnostic in diagnostics {
            self.events.emit(Event::Diagnostic(Box::new(diagnostic)));
        }
        fine
    }
}

/// A loaded project and what is asked of it.
struct Invocation<'a> {
    request: &'a Request,
    fs: Arc<dyn FileSystem>,
    events: Events,
    teller: Teller,
    project: Arc<Project>,
    /// What `retry` is for; None for other commands.
    retry: Option<retry::Retry>,
    /// What `--state` and `--defer-state` name; None inside after a fault, which has been told.
    states: OnceCell<Option<state::States>>,
}

/// A project that has been parsed and resolved.
struct Resolved {
    manifest: Arc<Manifest>,
    engine: Arc<Engine>,
    graph: Graph,
}

impl Invocation<'_> {
    fn dispatch(&self) -> Outcome {
        match self.request.command {
            Command::Deps => housekeeping::deps(self),
            Command::Clean => housekeeping::clean(self),
            Command::Debug => housekeeping::debug(self),
            Command::DocsServe => serve::run(self),
            Command::Show if self.request.text("inline_direct").is_some() => show::direct(self),
            _ => match self.resolved() {
                Some(resolved) => self.command(&resolved),
                None => Outcome::Unusable,
            },
        }
    }

    fn command(&self, resolved: &Resolved) -> Outcome {
        match self.request.command {
            Command::Parse => Outcome::Success,
            Command::List => list::run(self, resolved),
            Command::RunOperation => operation::run(self, resolved),
            Command::Show => show::run(self, resolved),
            Command::DocsGenerate => catalog::run(self, resolved),
            Command::SourceFreshness => freshness::run(self, resolved),
            _ => nodes::run(self, resolved),
        }
    }

    /// Parse, resolve, graph: the manifest, with manifest.json written. None after an error, which has been told.
    fn resolved(&self) -> Option<Resolved> {
        self.note_vars();
        let (parsed, diagnostics) = parse::parse(&self.project);
        let parsed_well = self.teller.tell(diagnostics);
        let parsed = parsed?;
        for (node, message) in &parsed.messages {
            self.say(node, message);
        }
        let engine = parsed.engine.clone();
        let (manifest, diagnostics) = resolve::resolve(&self.project, parsed);
        // A text that does not parse keeps its place, so that what else is wrong can be told in the same run.
        let fine = self.teller.tell(diagnostics) && parsed_well;
        let manifest = Arc::new(manifest.filter(|_| fine)?);
        let (graph, diagnostics) = Graph::new(&manifest);
        if !self.teller.tell(diagnostics) {
            return None;
        }
        self.events.emit(Event::Found { counts: artifacts::counts(&manifest) });
        let resolved = Resolved { manifest, engine, graph };
        if self.request.command != Command::List || self.writes_json() {
            let written = self.write_manifest(&resolved, &artifacts::CompiledNodes::default());
            if !written {
                return None;
            }
        }
        Some(resolved)
    }

    /// The event by which dbt says whether vars, profile and target are those of the last parse.
    fn note_vars(&self) {
        let project = &self.project;
        let plain = |vars: &JsonMap| jinja::repr(&jinja::from_json(&Json::Object(vars.clone())));
        let vars = plain(&project.cli_vars);
        let (profile, target) = (project.profile.name.as_str(), project.profile.target.as_str());
        let version = artifacts::DBT_VERSION;
        let of_file = (!project.vars_file.is_empty()).then(|| plain(&project.vars_file));
        let compared: Vec<&str> = [&*vars, profile, target, version].into_iter().chain(of_file.as_deref()).collect();
        let checksum = project::sha256(&compared.join("\0")).checksum;
        let text = format!("checksum: {checksum}, vars: {vars}, profile: {profile}, target: {target}, version: {version}");
        let data = [("checksum", &*checksum), ("vars", &*vars), ("profile", profile), ("target", target), ("version", version)];
        let data = data.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
        self.events.emit(Event::Note { name: "StateCheckVarsHash", code: "I025", level: "debug", text, data });
    }

    /// What a text logged or printed while it was parsed.
    fn say(&self, node: &UniqueId, message: &Message) {
        let log = |text: &str, info| Event::Log { text: text.to_owned(), info, node: Some(node.clone()) };
        self.events.emit(match message {
            Message::Debug(text) => log(text, false),
            Message::Info(text) | Message::Warn(text) => log(text, true),
            Message::Print(text) => Event::Print { text: text.clone() },
        });
    }

    /// What `--select` and friends choose; None after an error, which has been told.
    fn select(&self, resolved: &Resolved, types: Vec<crate::manifest::ResourceType>) -> Option<Selection> {
        let previous = self.comparand()?;
        let request = SelectionRequest {
            select: [self.request.list("models"), self.request.list("select")].concat(),
            exclude: self.request.list("exclude"),
            selector: self.request.text("selector").map(str::to_owned),
            indirect: settings::indirect_selection(&self.project),
            resource_types: Some(types),
            include_empty: matches!(self.request.command, Command::List | Command::DocsGenerate),
            previous,
        };
        let (selection, diagnostics) = graph::select(&self.project, &resolved.manifest, &resolved.graph, &request);
        if let Some(name) = &selection.default_selector {
            let text = format!("Using default selector {name}");
            self.events.emit(Event::Note { name: "DefaultSelector", code: "Q023", level: "info", text, data: JsonMap::new() });
        }
        self.teller.tell(diagnostics).then_some(selection)
    }

    /// The run's shared context; opens no connection.
    fn run_context(&self, resolved: &Resolved, selection: &Selection) -> Option<Arc<RunContext>> {
        self.run_context_with(resolved, selection, self.events.clone())
    }

    /// The same, with another way for its events.
    fn run_context_with(&self, resolved: &Resolved, selection: &Selection, events: Events) -> Option<Arc<RunContext>> {
        let deferral = self.deferral(resolved)?;
        let adapter = self.adapter()?;
        let mut selected: Vec<UniqueId> = selection.ids.iter().cloned().collect();
        selected.sort();
        let began = self.retry.as_ref().and_then(|retry| retry.began);
        let (sample, event_time) = event_time::spans(&self.project.invocation.args);
        Some(RunContext::new(RunParts {
            project: self.project.clone(),
            manifest: resolved.manifest.clone(),
            engine: resolved.engine.clone(),
            adapter,
            fs: self.fs.clone(),
            events,
            options: RunOptions {
                empty: self.request.is("empty"),
                full_refresh: self.flag("full_refresh", false),
                sample,
                event_time,
                batches_until: began.unwrap_or(self.project.invocation.run_started_at),
                introspect: self.request.given.get("introspect").and_then(Json::as_bool).unwrap_or(true),
                inject_ephemeral_ctes: self.request.given.get("inject_ephemeral_ctes").and_then(Json::as_bool).unwrap_or(true),
                warnings_fail: nodes::fails(self, "JinjaLogWarning"),
                write_files: self.writes_json(),
            },
            deferral,
            selected,
        }))
    }

    fn adapter(&self) -> Option<Arc<dyn Adapter>> {
        match adapter::create(&self.project.profile.adapter, &self.project.profile.credentials) {
            Ok(adapter) => {
                self.events.emit(Event::AdapterRegistered { adapter: adapter.kind().into(), version: adapter.version() });
                Some(adapter)
            }
            Err(error) => {
                self.teller.tell(vec![settings::adapter_fault(&error)]);
                None
            }
        }
    }

    fn writes_json(&self) -> bool {
        self.flag("write_json", true)
    }

    /// A flag in force, by dbt's name.
    fn flag(&self, name: &str, default: bool) -> bool {
        self.project.flags.get(name).and_then(Json::as_bool).unwrap_or(default)
    }

    /// The invocation's arguments as artifacts show them: secrets are blotted out.
    fn shown_args(&self) -> JsonMap {
        self.without_secrets(self.project.invocation.args.clone())
    }

    fn without_secrets(&self, mut args: JsonMap) -> JsonMap {
        args.values_mut().for_each(|value| report::scrub_json(value, &self.project.invocation.secrets));
        args
    }

    fn metadata(&self) -> Metadata {
        let invocation = &self.project.invocation;
        Metadata {
            invocation_id: invocation.invocation_id.clone(),
            invocation_started_at: invocation.run_started_at,
            generated_at: chrono::Utc::now(),
            env: invocation.metadata_env.clone(),
            quoting: settings::quoting(&self.project),
            selectors: self.project.selectors.as_ref().map(|(_, file)| artifacts::selectors(file)).unwrap_or_default(),
        }
    }

    /// manifest.json and, before anything is compiled, what stands beside it. False where one cannot be written, which
    /// has been told.
    fn write_manifest(&self, resolved: &Resolved, compiled: &artifacts::CompiledNodes) -> bool {
        if !self.writes_json() {
            return true;
        }
        let manifest = &resolved.manifest;
        if !self.write("manifest.json", artifacts::manifest(manifest, compiled, &self.metadata())) {
            return false;
        }
        if !compiled.is_empty() {
            return true;
        }
        let with_test_edges = self.request.command == Command::Build;
        self.write("graph_summary.json", artifacts::graph_summary(manifest, &self.metadata(), with_test_edges))
            && self.write("semantic_manifest.json", artifacts::semantic_manifest(manifest))
            && osi::write(self, manifest)
    }

    /// Writes an artifact; a failure is told.
    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> bool {
        self.write_at(&self.project.target_path.join(name), name, content)
    }

    /// Writes an artifact where the user wants it.
    fn write_at(&self, path: &Path, name: &str, content: impl AsRef<[u8]>) -> bool {
        let written = self.fs.write(path, content.as_ref());
        if let Err(error) = &written {
            let message = format!("{} cannot be written: {error}", path.display());
            self.teller.tell(vec![
                Diagnostic::error("E0805", message).help("check the folder's permissions, or give another with --target-path"),
            ]);
            return false;
        }
        let kind = match name {
            "manifest.json" => "WritableManifest",
            "run_results.json" => "RunExecutionResult",
            "semantic_manifest.json" => "SemanticManifest",
            "osi_document.json" => "OsiDocument",
            "catalog.json" => "CatalogArtifact",
            "sources.json" => "FreshnessResult",
            _ => return true,
        };
        let shown = path.display().to_string();
        let text = format!("Wrote artifact {kind} to {shown}");
        let data = [("artifact_path", shown.as_str()), ("artifact_type", kind)];
        let data = data.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
        self.events.emit(Event::Note { name: "ArtifactWritten", code: "P001", level: "debug", text, data });
        true
    }
}

/// Ctrl-C: running queries are interrupted and what has not begun is skipped; a second one ends the process at once.
fn stop_on_interrupt(adapter: &Arc<dyn Adapter>) -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = stop.clone();
    // The handler lives as long as the process; the warehouse is closed (and its log folded in) when the run ends.
    let adapter = Arc::downgrade(adapter);
    let handler = move || {
        if seen.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        if let Some(adapter) = adapter.upgrade() {
            adapter.cancel();
        }
    };
    // A second handler in one process (tests) is refused: the first one stays.
    let _ = ctrlc::set_handler(handler);
    stop
}
