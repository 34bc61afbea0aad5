//! Execute: a plan becomes results, on worker threads.

pub mod scheduler;
