//! Which batches a microbatch model has.

use chrono::{DateTime, Utc};

use crate::manifest::{BatchSize, Node, TimeSpan, moment};

/// What the batches of a model depend on beside its configuration.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances {
    /// `--event-time-start` and `--event-time-end`, or the span of `--sample`.
    pub span: Option<TimeSpan>,
    /// The end where none is given: when the invocation began.
    pub now: DateTime<Utc>,
    /// Its table is there and is to be kept.
    pub is_incremental: bool,
}

/// The batches, oldest first: never none. From `begin` on for a new table, else from `lookback` batches before the end.
///
/// # Errors
/// `batch_size` or `begin` is missing.
pub fn batches(node: &Node, of: Circumstances) -> Result<Vec<TimeSpan>, String> {
    let name = &node.name;
    let size = batch_size(node).ok_or_else(|| {
        let sizes = BatchSize::ALL.map(|size| format!("'{}'", size.as_str())).join(", ");
        format!("Microbatch model '{name}' does not have a 'batch_size' config (one of [{sizes}]) specified.")
    })?;
    let end = size.ceiling(of.span.map_or(of.now, |span| span.end));
    let start = match of.span {
        Some(span) => size.floor(span.start),
        None if of.is_incremental => size.step(end, -(1 + lookback(node))),
        None => {
            let begin = node.config.text("begin").and_then(moment);
            size.floor(begin.ok_or_else(|| format!("Microbatch model '{name}' requires a 'begin' configuration."))?)
        }
    };
    let mut batches = vec![TimeSpan { start, end: size.step(start, 1) }];
    while let Some(last) = batches.last().filter(|last| last.end < end).copied() {
        batches.push(TimeSpan { start: last.end, end: size.step(last.end, 1) });
    }
    if let Some(last) = batches.last_mut() {
        last.end = end;
    }
    Ok(batches)
}

/// The model's `batch_size`.
pub fn batch_size(node: &Node) -> Option<BatchSize> {
    node.config.text("batch_size").and_then(BatchSize::parse)
}

fn lookback(node: &Node) -> i64 {
    node.config.get("lookback").and_then(serde_json::Value::as_i64).unwrap_or(1)
}
