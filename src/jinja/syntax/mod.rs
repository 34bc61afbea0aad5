//! Jinja's text: segments, tokens, and the rewriting of dbt's Jinja into what minijinja runs.

pub(super) mod blocks;
pub(super) mod calls;
mod edits;
mod expression;
mod literal;
mod rewrite;
mod scan;
mod signature;
mod statement;
mod token;

pub(super) use literal::unquote;
pub(super) use rewrite::{LOADER, Prepared, prepare_macro, prepare_template};
pub(super) use signature::Parameter;

use crate::diagnostic::Span;

/// The calls in a text, each once, in the order they stand in.
pub(super) fn static_calls(text: &str) -> Vec<calls::StaticCall> {
    let (mut edits, mut facts) = (edits::Edits::default(), expression::Facts::default());
    let Ok(segments) = scan::segments(text, Span::new(0, text.len())) else { return Vec::new() };
    // A macro's own tags are not statements: only their defaults could call, which dbt counts too.
    for segment in &segments {
        rewrite::calls(text, segment, &mut edits, &mut facts);
    }
    let mut found: Vec<calls::StaticCall> = Vec::new();
    for call in facts.calls {
        if !found.contains(&call) {
            found.push(call);
        }
    }
    found
}

/// What is wrong with a text, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub message: String,
    pub span: Span,
}

impl Fault {
    pub fn new(message: impl Into<String>, start: usize, end: usize) -> Self {
        Self { message: message.into(), span: Span::new(start, end) }
    }
}
