//! One batch of a microbatch model: the model compiled for a span of event time, and what Jinja sees of that span.

use std::sync::Arc;

use indexmap::IndexMap;

use super::host::Scope;
use super::{RunContext, Session, host, references, render_node, write_file};
use crate::artifacts;
use crate::event::Compiled;
use crate::jinja::{self, Dict, Error, Value};
use crate::manifest::{BatchSize, Node, TimeSpan};

/// The batch that a render is for.
#[derive(Debug, Clone)]
pub struct Batch {
    pub span: TimeSpan,
    pub size: BatchSize,
    /// None while it is being compiled.
    pub compiled: Option<Arc<Compiled>>,
}

impl Batch {
    /// `model.batch`: its id and its ends.
    fn value(&self) -> Value {
        let id = self.label().replace('-', "");
        let [start, end] = self.ends();
        jinja::dict([("id", id.into()), ("event_time_start", start), ("event_time_end", end)])
    }

    fn ends(&self) -> [Value; 2] {
        [self.span.start, self.span.end].map(|end| jinja::datetime(end.naive_utc(), Some(0)))
    }

    /// `2020-01-01`.
    pub fn label(&self) -> String {
        self.size.label(self.span.start)
    }

    /// Puts the batch into Jinja's `model`, and where dbt before 1.9 had it.
    pub(super) fn add_to(&self, model: &Value) {
        let Some(dict) = model.downcast_object_ref::<Dict>() else { return };
        let config = dict.get(&"config".into());
        if let Some(config) = config.as_ref().and_then(|config| config.downcast_object_ref::<Dict>()) {
            for (key, value) in self.config() {
                config.insert(key.into(), value);
            }
        }
        dict.insert("batch".into(), self.value());
    }

    /// Config keys that only a batch has.
    pub(super) fn config(&self) -> [(&'static str, Value); 2] {
        let [start, end] = self.ends();
        [("__dbt_internal_microbatch_event_time_start", start), ("__dbt_internal_microbatch_event_time_end", end)]
    }

    /// A batch's file lies in a folder of the model's name: `a/b/model.sql` gives `a/b/model/model_2020-01-01.sql`.
    pub(super) fn path(&self, node: &Node) -> String {
        let path = artifacts::output_path(node);
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", &path));
        let (stem, extension) = file.rsplit_once('.').unwrap_or((file, "sql"));
        format!("{folder}/{stem}/{stem}_{}.{extension}", self.label())
    }
}

/// Renders the model for one batch; the outcome is the batch's own and not kept for the artifacts.
///
/// # Errors
/// The model does not compile, or its file cannot be written.
pub fn compile_batch(
    run: &Arc<RunContext>,
    session: &Arc<Session>,
    node: &Arc<Node>,
    span: TimeSpan,
    size: BatchSize,
) -> Result<Arc<Batch>, Error> {
    let mut batch = Batch { span, size, compiled: None };
    let mut compiled = render_node(run, session, node, IndexMap::new(), Some(Arc::new(batch.clone())))?;
    compiled.foreign_keys = references::foreign_keys(run, node)?;
    if run.options.write_files {
        write_file(run, "compiled", &batch.path(node), &compiled.code)?;
    }
    batch.compiled = Some(Arc::new(compiled));
    Ok(Arc::new(batch))
}

/// The context of a batch's materialization. From the second batch on, and for a table that is kept, it is incremental
/// whatever the macros of these names say.
pub fn batch_host(
    run: &Arc<RunContext>,
    session: &Arc<Session>,
    node: &Arc<Node>,
    batch: &Arc<Batch>,
    is_incremental: bool,
) -> host::RuntimeHost {
    let mut extra = IndexMap::new();
    if is_incremental {
        extra.insert("is_incremental".to_owned(), jinja::function("is_incremental", |_, _| Ok(true.into())));
        extra.insert("should_full_refresh".to_owned(), jinja::function("should_full_refresh", |_, _| Ok(false.into())));
    }
    host::RuntimeHost::new(run, session, Scope::Node(node.clone()), extra).noting_nothing().with_batch(batch.clone())
}
