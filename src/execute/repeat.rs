//! Faults that pass: a restarted server, a lost connection, a deadlock, a serialization failure. What was not kept by the
//! warehouse is done again from the start, after a pause.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::compile::session::pause;
use crate::compile::{RunContext, Session};
use crate::event::Event;
use crate::jinja::Error;

/// How often a piece of work is done again.
const MOST: u32 = 5;

/// What a piece of work needs to be done again.
pub struct Repeating<'a> {
    pub run: &'a Arc<RunContext>,
    pub session: &'a Arc<Session>,
    /// Nothing is tried again once this is set.
    pub stop: &'a AtomicBool,
    /// May the work be done again even where a part of it was kept?
    pub idempotent: bool,
}

impl Repeating<'_> {
    /// Does the work and releases the session, again where that may help. What the work noted in the relation cache is taken
    /// back first.
    pub fn run<T>(&self, mut work: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
        let mut attempt = 0;
        loop {
            self.run.cache.note_changes();
            let done = work();
            let helps = self.session.may_repeat(self.idempotent);
            let released = self.session.release();
            let error = match done {
                Ok(done) => return released.map(|()| done),
                Err(error) => error,
            };
            if !helps || attempt == MOST || self.stop.load(Ordering::Relaxed) {
                return Err(error);
            }
            let node = self.session.node();
            let first_line = error.message.lines().next().unwrap_or_default();
            let what = node.as_ref().map(|node| format!("{node}: ")).unwrap_or_default();
            let text = format!("{what}{first_line}: trying again");
            self.run.events.emit(Event::Log { text, info: true, node });
            self.run.cache.undo_changes();
            pause(attempt);
            attempt += 1;
        }
    }
}
