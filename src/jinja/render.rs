//! What one render keeps: its host, the macros it has loaded, those that are running.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

use minijinja::Value;

use super::Host;
use super::macros::{Entry, Macros};
use super::root::Root;
use super::syntax::Prepared;

/// Kept in minijinja's state, as its extension.
pub(crate) struct RenderState {
    pub host: Arc<dyn Host>,
    pub macros: Arc<Macros>,
    /// The macro by which others come into this render.
    pub loader: Value,
    /// minijinja's own macros, by the place of their entry.
    pub loaded: HashMap<usize, Value>,
    /// What a macro's template has just defined.
    pub defined: Option<Value>,
    /// The macros that are running, outermost first.
    pub running: Vec<Arc<Entry>>,
    /// How many calls that are not the text's own are running: the adapter's, of macros that it needs itself.
    pub apart: usize,
    /// The rendered text.
    pub text: Option<Arc<Prepared>>,
    pub root: Arc<Root>,
}

impl RenderState {
    /// The prepared text of a template by its name: a macro's id, or nothing for the rendered text.
    pub fn prepared(&self, name: &str) -> Option<&Prepared> {
        if name.is_empty() { self.text.as_deref() } else { self.macros.prepared(name) }
    }
}

thread_local! {
    /// Whether the render that runs on this thread captures. Lookups of attributes see no state of minijinja, so it is here.
    static CAPTURES: Cell<bool> = const { Cell::new(false) };
}

/// Whether unknown names give themselves for every attribute and call, as while dbt parses.
pub(crate) fn captures() -> bool {
    CAPTURES.get()
}

/// Sets the thread's way with undefined names for one render, and restores it.
pub(crate) struct Capturing(bool);

impl Capturing {
    pub fn set(captures: bool) -> Self {
        Self(CAPTURES.replace(captures))
    }
}

impl Drop for Capturing {
    fn drop(&mut self) {
        CAPTURES.set(self.0);
    }
}
