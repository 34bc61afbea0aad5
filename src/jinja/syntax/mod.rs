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
    let mut found: Vec<calls::StaticCall> = Vec::new();
    for call in facts(text).calls {
        if !found.contains(&call) {
            found.push(call);
        }
    }
    found
}

/// Does the text mention `this`?
pub(super) fn mentions_this(text: &str) -> bool {
    facts(text).this
}

/// What a text mentions; nothing where it is no Jinja.
fn facts(text: &str) -> expression::Facts {
    let (mut edits, mut facts) = (edits::Edits::default(), expression::Facts::default());
    // A macro's own tags are not statements: only their defaults could call, which dbt counts too.
    for segment in &scan::segments(text, Span::new(0, text.len())).unwrap_or_default() {
        rewrite::calls(text, segment, &mut edits, &mut facts);
    }
    facts
}

/// What is wrong with a text, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub message: String,
    pub span: Span,
    pub help: Option<String>,
}

impl Fault {
    pub fn new(message: impl Into<String>, start: usize, end: usize) -> Self {
        Self { message: message.into(), span: Span::new(start, end), help: None }
    }

    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}
