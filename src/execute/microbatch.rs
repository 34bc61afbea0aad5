//! A microbatch model: one step that turns out to be many batches, each a span of event time. The first runs alone, since
//! it may make the table; those between may run side by side; the last runs alone, since it has the post-hooks.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::node::{Outcome, StepRun, described, group, materialize, thread_name, timed};
use super::repeat::Repeating;
use crate::compile::{self, RunContext, RuntimeHost, Scope, Session};
use crate::diagnostic::Diagnostic;
use crate::event::{BatchPlace, Event, RunResult, Status, Timing};
use crate::jinja::objects::relation;
use crate::jinja::{Args, Error, ErrorKind, mentions_this};
use crate::manifest::{BatchResults, BatchSize, Json, JsonMap, Node, Relation, RelationType, Resource, TimeSpan};
use crate::plan::microbatch::{Circumstances, batch_size, batches};

/// A batch that a worker may take over.
pub struct Part {
    model: Arc<Model>,
    index: usize,
}

impl Part {
    /// Runs the batch. Never fails: errors are in its result.
    pub fn run(&self, session: &Arc<Session>) {
        self.model.batch(session, self.index, true);
    }
}

/// Whatever happened in there, nobody must wait for it for ever.
impl Drop for Part {
    fn drop(&mut self) {
        *self.model.left.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.model.changed.notify_all();
    }
}

/// One microbatch model while it runs.
struct Model {
    run: Arc<RunContext>,
    node: Arc<Node>,
    size: BatchSize,
    batches: Arc<Vec<TimeSpan>>,
    concurrent: bool,
    stop: Arc<AtomicBool>,
    done: Mutex<Done>,
    /// Shared batches that are not done.
    left: Mutex<usize>,
    changed: Condvar,
}

#[derive(Default)]
struct Done {
    results: BatchResults,
    /// The first failure.
    diagnostic: Option<Diagnostic>,
}

/// Runs the batches of a model, or those that a run before left undone.
pub fn run(step: &StepRun<'_>, node: &Arc<Node>) -> Result<Outcome, Error> {
    let existing = existing(step, node)?;
    let full_refresh = node.config.bool("full_refresh").unwrap_or(step.run.options.full_refresh);
    let is_incremental = existing.is_some_and(|existing| existing.kind == Some(RelationType::Table)) && !full_refresh;
    let before = step.step.resumes.as_ref();
    let spans = match before {
        Some(before) => before.failed.clone(),
        None => batches(node, circumstances(step.run, is_incremental)).map_err(|text| Error::new(ErrorKind::Runtime, text))?,
    };
    let (Some(size), Some(last)) = (batch_size(node), spans.len().checked_sub(1)) else { return Ok(nothing_left(before)) };
    let may_share = step.run.adapter.features().concurrent_batches
        && node.config.bool("concurrent_batches").unwrap_or_else(|| !mentions_this(&node.raw_code));
    let model = Arc::new(Model {
        run: step.run.clone(),
        node: node.clone(),
        size,
        batches: Arc::new(spans),
        concurrent: may_share,
        stop: step.stop.clone(),
        done: Mutex::default(),
        left: Mutex::new(0),
        changed: Condvar::new(),
    });
    step.run.events.emit(Event::Batches { node: node.clone(), batches: model.batches.clone() });
    if model.batch(step.session, 0, is_incremental) {
        model.between(step, last);
        if last > 0 {
            model.batch(step.session, last, true);
        }
    } else {
        for index in 1..=last {
            model.skip(index);
        }
    }
    Ok(model.outcome(before))
}

fn circumstances(run: &RunContext, is_incremental: bool) -> Circumstances {
    Circumstances { span: run.options.sample.or(run.options.event_time), now: run.options.batches_until, is_incremental }
}

/// The model's relation, where it is there.
fn existing(step: &StepRun<'_>, node: &Arc<Node>) -> Result<Option<Relation>, Error> {
    let host = RuntimeHost::new(step.run, step.session, Scope::Node(node.clone()), indexmap::IndexMap::new()).noting_nothing();
    let this = relation::value(step.run.relation(node));
    let found = step.run.engine.call_macro("dbt", "load_cached_relation", Args::new(vec![this]), host.shared())?;
    Ok(relation::of(&found))
}

/// A retried model without a batch to run.
fn nothing_left(before: Option<&BatchResults>) -> Outcome {
    Outcome {
        message: Some(String::new()),
        failures: Some(0),
        batches: Some(before.cloned().unwrap_or_default()),
        ..Outcome::default()
    }
}

impl Model {
    /// The batches between the first and the last: side by side where they may be, and all done when this returns.
    fn between(self: &Arc<Self>, step: &StepRun<'_>, last: usize) {
        if !self.concurrent {
            for index in 1..last {
                self.batch(step.session, index, true);
            }
            return;
        }
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = last.saturating_sub(1);
        step.pool.share((1..last).map(|index| Part { model: self.clone(), index }));
        while let Some(part) = step.pool.part() {
            part.run(step.session);
        }
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        while *left > 0 {
            left = self.changed.wait(left).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn place(&self, index: usize) -> BatchPlace {
        let label = self.batches.get(index).map(|span| self.size.label(span.start)).unwrap_or_default();
        let total = self.batches.len();
        BatchPlace { label, index: index + 1, total, concurrent: self.concurrent && index > 0 && index + 1 < total }
    }

    /// Runs one batch; true if it went well.
    fn batch(&self, session: &Arc<Session>, index: usize, is_incremental: bool) -> bool {
        if self.stop.load(Ordering::Relaxed) {
            self.note(index, false, None);
            return false;
        }
        let (started_at, begun) = (SystemTime::now(), Instant::now());
        let (node, thread) = (self.node.clone(), thread_name());
        self.run.events.emit(Event::BatchStart { node, place: self.place(index), thread, at: started_at });
        session.work_for(Some(&self.node.unique_id), self.node.unique_id.as_str());
        let mut timing = Vec::new();
        let repeating = Repeating { run: &self.run, session, stop: &self.stop, idempotent: false };
        let outcome = repeating.run(|| {
            timing.clear();
            self.compile_and_execute(session, index, is_incremental, &mut timing)
        });
        let result = self.result(outcome.as_ref(), timing, begun.elapsed());
        let diagnostic = outcome.as_ref().err().map(|error| error.diagnostic().node(self.node.unique_id.shared()));
        self.note(index, outcome.is_ok(), diagnostic);
        self.finished(index, started_at, result);
        outcome.is_ok()
    }

    fn compile_and_execute(
        &self,
        session: &Arc<Session>,
        index: usize,
        is_incremental: bool,
        timing: &mut Vec<Timing>,
    ) -> Result<Outcome, Error> {
        let resource = Resource::Node(self.node.clone());
        let span = self.batches.get(index).copied().ok_or_else(|| Error::new(ErrorKind::Runtime, "there is no such batch"))?;
        let node = self.with_hooks(index);
        self.run.events.emit(Event::NodeCompiling { node: resource.clone(), at: SystemTime::now() });
        let batch = timed(timing, "compile", || compile::microbatch::compile_batch(&self.run, session, &node, span, self.size))?;
        self.run.events.emit(Event::NodeExecuting { node: resource, at: SystemTime::now() });
        timed(timing, "execute", || {
            let host = compile::microbatch::batch_host(&self.run, session, &node, &batch, is_incremental);
            let done = materialize(&self.run, session, &node, &host, self.completes(index));
            if let Err(error) = &done {
                self.complain(&error.message);
            }
            done
        })
    }

    /// The model as a batch has it: pre-hooks for the first one only, post-hooks for the last one.
    fn with_hooks(&self, index: usize) -> Arc<Node> {
        let mut node = Node::clone(&self.node);
        let mut drop_hooks = |key: &str| node.config.0.insert(key.to_owned(), Json::Array(Vec::new()));
        if index > 0 {
            drop_hooks("pre-hook");
        }
        if index + 1 < self.batches.len() {
            drop_hooks("post-hook");
        }
        Arc::new(node)
    }

    /// Is it the last batch, and all went well until then?
    fn completes(&self, index: usize) -> bool {
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        index + 1 == self.batches.len() && done.results.failed.is_empty()
    }

    /// dbt tells of a failed batch at once.
    fn complain(&self, message: &str) {
        let id = self.node.unique_id.as_str();
        let exc = format!("Exception on worker thread. {message}");
        let data = JsonMap::from_iter([("exc".to_owned(), exc.clone().into()), ("unique_id".to_owned(), id.into())]);
        let text = format!("[ERROR]: Unhandled error while executing {id}\n{exc}");
        self.run.events.emit(Event::Note { name: "GenericExceptionOnRun", code: "W004", level: "error", text, data });
    }

    fn skip(&self, index: usize) {
        self.note(index, false, None);
        let result = RunResult {
            status: Status::Skipped,
            message: Some("SKIPPED".to_owned()),
            failures: Some(1),
            ..self.result(Ok(&Outcome::default()), Vec::new(), Duration::ZERO)
        };
        self.finished(index, SystemTime::now(), result);
    }

    fn finished(&self, index: usize, started_at: SystemTime, result: RunResult) {
        let group = group(&self.run, &Resource::Node(self.node.clone()));
        let (node, place) = (self.node.clone(), self.place(index));
        self.run.events.emit(Event::BatchFinished { node, place, started_at, result: Arc::new(result), group });
    }

    fn note(&self, index: usize, fine: bool, diagnostic: Option<Diagnostic>) {
        let Some(span) = self.batches.get(index) else { return };
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let list = if fine { &mut done.results.successful } else { &mut done.results.failed };
        list.push(*span);
        if done.diagnostic.is_none() {
            done.diagnostic = diagnostic;
        }
    }

    /// A batch's result, for the log only.
    fn result(&self, outcome: Result<&Outcome, &Error>, timing: Vec<Timing>, took: Duration) -> RunResult {
        let resource = Resource::Node(self.node.clone());
        let (status, message, response) = match outcome {
            Ok(outcome) => (Status::Success, outcome.message.clone(), outcome.response.clone()),
            Err(error) => (Status::Error, Some(described(error, &resource, &self.run)), JsonMap::new()),
        };
        RunResult {
            timing,
            execution_time: took,
            adapter_response: response,
            message,
            ..RunResult::new(self.node.unique_id.clone(), status, thread_name())
        }
    }

    /// What the batches come to; those that a run before had done come last.
    fn outcome(&self, before: Option<&BatchResults>) -> Outcome {
        let mut done = std::mem::take(&mut *self.done.lock().unwrap_or_else(PoisonError::into_inner));
        let (good, bad) = (done.results.successful.len(), done.results.failed.len());
        let (status, message) = match (good, bad) {
            (_, 0) => (Status::Success, "SUCCESS".to_owned()),
            (0, _) => (Status::Error, "ERROR".to_owned()),
            _ => (Status::PartialSuccess, format!("PARTIAL SUCCESS ({good}/{})", good + bad)),
        };
        done.results.successful.sort_unstable();
        done.results.failed.sort_unstable();
        done.results.successful.extend(before.into_iter().flat_map(|before| &before.successful));
        Outcome {
            status: Some(status),
            message: Some(message),
            failures: Some(0),
            batches: Some(done.results),
            diagnostic: done.diagnostic,
            ..Outcome::default()
        }
    }
}
