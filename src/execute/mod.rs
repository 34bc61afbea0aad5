//! Execute: a plan becomes results, on worker threads. Emits events; prints nothing.

mod dependents;
mod freshness;
mod function;
mod hooks;
mod latest_pointer;
mod materialization;
mod microbatch;
mod node;
mod repeat;
pub mod scheduler;
mod schemas;
mod test_status;
mod unit_diff;

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use crate::compile::{RunContext, Session};
use crate::event::{Event, RunResult, Status};
use crate::jinja::Error;
use crate::manifest::Resource;
use crate::plan::{Action, Plan};

use microbatch::Part;
use node::StepRun;
use repeat::Repeating;
use scheduler::{Pool, Task};

/// How to run.
#[derive(Debug, Clone)]
pub struct Settings {
    pub threads: usize,
    /// Stop at the first failure; what has not begun is skipped.
    pub fail_fast: bool,
    /// on-run-start and on-run-end: not for compile, show and their like.
    pub hooks: bool,
    /// Make missing schemas: what materializes does, `test` only where failures are stored.
    pub create_schemas: bool,
    /// Fill the relation cache before the first node.
    pub populate_cache: bool,
    pub cache_selected_only: bool,
    /// A failed test keeps its children from running: `build`.
    pub failed_tests_block: bool,
    /// `warn_error` covers test warnings.
    pub test_warnings_are_errors: bool,
    /// `skip_nodes_if_on_run_start_fails`.
    pub skip_nodes_if_start_fails: bool,
    /// Ephemeral models that were asked for by name have results, too: `compile --select`.
    pub ephemeral_results: bool,
    /// How many failing rows a failed test shows.
    pub failing_rows_shown: usize,
}

/// What came of a plan.
#[derive(Debug, Default)]
pub struct Executed {
    pub results: Vec<Arc<RunResult>>,
    pub interrupted: bool,
}

/// Runs a plan. `Err` only where nothing could begin (no connection, schemas that cannot be made); failures of nodes and
/// hooks are results. `stop` set from outside (ctrl-C) ends it early: what has not begun is skipped.
pub fn execute(run: &Arc<RunContext>, plan: &Plan, settings: &Settings, stop: &Arc<AtomicBool>) -> Result<Executed, Error> {
    run.events.emit(Event::Concurrency {
        threads: settings.threads,
        target: run.project.profile.target.as_str().into(),
        nodes: plan.counted(),
    });
    let main = Session::with(&run.warehouse, "master");
    let repeating = Repeating { run, session: &main, stop, idempotent: true };
    if settings.create_schemas {
        repeating.run(|| schemas::create(run, &main, plan))?;
    }
    if settings.populate_cache {
        repeating.run(|| schemas::populate_cache(run, &main, plan, settings.cache_selected_only))?;
    }
    let mut results = Vec::new();
    let mut start_failed = false;
    if settings.hooks {
        start_failed = hooks::run(run, &main, hooks::Moment::Start, &mut results);
    }
    if run.uses_python {
        // An idle worker's connection would keep a DuckDB file from Python.
        main.release()?;
    }
    let nothing_runs = start_failed && settings.skip_nodes_if_start_fails;
    let work = Work {
        run,
        plan,
        settings,
        stop,
        states: plan.steps.iter().map(|_| AtomicU8::new(FINE)).collect(),
        failed: AtomicBool::new(nothing_runs),
        begun: AtomicUsize::new(0),
        unreachable: AtomicBool::new(false),
        results: Mutex::default(),
    };
    let schedule = scheduler::Schedule { waits_for: plan.steps.iter().map(|step| step.waits_for.clone()).collect() };
    // The first worker takes over the connection that is open already.
    let spare = Mutex::new(Some(main));
    let session_of = |number: usize| {
        let spare = if number == 0 { spare.lock().unwrap_or_else(PoisonError::into_inner).take() } else { None };
        spare.unwrap_or_else(|| Session::with(&run.warehouse, &format!("worker-{number}")))
    };
    // Where batches of one step may run side by side, there can be more to do than steps.
    let most = if work.expands() { usize::MAX } else { plan.steps.len() };
    scheduler::run(&schedule, settings.threads.min(most), session_of, |pool, session, task| match task {
        Task::Step(position) => work.step(pool, session, position, nothing_runs),
        Task::Part(part) => part.run(session),
    });
    let unreachable = work.unreachable.into_inner();
    let nodes = work.results.into_inner().unwrap_or_else(PoisonError::into_inner);
    let interrupted = stop.load(Ordering::Relaxed);
    results.extend(nodes);
    if settings.hooks && !interrupted && !unreachable {
        let main = Session::with(&run.warehouse, "master");
        hooks::run(run, &main, hooks::Moment::End, &mut results);
    }
    Ok(Executed { results, interrupted })
}

const UNREACHABLE: &str = "Skipping since the warehouse cannot be reached";

const FINE: u8 = 0;
/// Failed or skipped: what waits for it is skipped.
const BLOCKS: u8 = 1;
/// An ephemeral model that does not compile: what waits for it fails with it.
const BROKEN: u8 = 2;

struct Work<'a> {
    run: &'a Arc<RunContext>,
    plan: &'a Plan,
    settings: &'a Settings,
    stop: &'a Arc<AtomicBool>,
    states: Vec<AtomicU8>,
    /// A node failed: with `fail_fast` nothing else begins.
    failed: AtomicBool,
    begun: AtomicUsize,
    /// A node failed since there was no connection to be had: told once, and nothing else begins.
    unreachable: AtomicBool,
    results: Mutex<Vec<Arc<RunResult>>>,
}

impl Work<'_> {
    /// Is there a step that turns out to have parts?
    fn expands(&self) -> bool {
        let nodes = &self.run.manifest.nodes;
        self.plan.steps.iter().any(|step| nodes.get(step.id.as_str()).is_some_and(|node| node.is_microbatch()))
    }

    fn step(&self, pool: &Pool<Part>, session: &Arc<Session>, position: usize, nothing_runs: bool) {
        let step = &self.plan.steps[position];
        let Some(resource) = self.run.manifest.get(step.id.as_str()) else { return };
        let total = self.plan.counted();
        let index = if step.is_counted() { self.begun.fetch_add(1, Ordering::Relaxed) + 1 } else { 0 };
        let started_at = SystemTime::now();
        let blocked = step.waits_for.iter().any(|parent| self.states[*parent].load(Ordering::Acquire) != FINE);
        let unreachable = self.unreachable.load(Ordering::SeqCst);
        let ended =
            unreachable || self.stop.load(Ordering::Relaxed) || (self.settings.fail_fast && self.failed.load(Ordering::Relaxed));
        let result = if nothing_runs || blocked {
            node::skipped(&resource, self.blocking_ephemeral(position, &resource))
        } else if ended {
            let why = match (self.stop.load(Ordering::Relaxed), unreachable) {
                (true, _) => "Skipping due to interruption",
                (false, true) => UNREACHABLE,
                (false, false) => "Skipping due to fail_fast",
            };
            node::skipped(&resource, Some(why.to_owned()))
        } else {
            if step.is_counted() {
                let thread = node::thread_name();
                self.run.events.emit(Event::NodeStart { node: resource.clone(), index, total, thread, at: started_at });
            }
            let (run, plan, settings, stop) = (self.run, self.plan, self.settings, self.stop);
            let result = StepRun { run, session, settings, resource: &resource, plan, step, pool, stop }.run();
            let told = session.is_unreachable() && self.unreachable.swap(true, Ordering::SeqCst);
            if told { node::skipped(&resource, Some(UNREACHABLE.to_owned())) } else { result }
        };
        self.note(position, &resource, &result);
        if step.is_counted() {
            let result = Arc::new(result);
            let group = node::group(self.run, &resource);
            self.run.events.emit(Event::NodeFinished { node: resource, index, total, started_at, result: result.clone(), group });
            self.results.lock().unwrap_or_else(PoisonError::into_inner).push(result);
        } else if self.settings.ephemeral_results {
            self.results.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(result));
        }
    }

    /// Remembers what the result means for the steps behind it.
    fn note(&self, position: usize, resource: &Resource, result: &RunResult) {
        let goes_on = matches!(resource, Resource::Node(node) if node.config.text("on_error") == Some("continue"));
        let blocks = match result.status {
            Status::Error | Status::RuntimeError | Status::PartialSuccess | Status::Skipped => true,
            Status::Fail => self.settings.failed_tests_block,
            _ => false,
        };
        if result.status.is_failure() {
            self.failed.store(true, Ordering::Relaxed);
        }
        if blocks && !goes_on {
            let broken = self.plan.steps[position].action == Action::CompileEphemeral;
            self.states[position].store(if broken { BROKEN } else { BLOCKS }, Ordering::Release);
        }
    }

    /// Where an ephemeral model's fault is the reason: dbt's message for that.
    fn blocking_ephemeral(&self, position: usize, resource: &Resource) -> Option<String> {
        let broken = |parent: &&usize| self.states[**parent].load(Ordering::Acquire) == BROKEN;
        let parent = self.plan.steps[position].waits_for.iter().find(broken)?;
        Some(format!(
            "Compilation Error in {}, caused by compilation error in referenced ephemeral model {}",
            resource.unique_id(),
            self.plan.steps[*parent].id
        ))
    }
}
