//! SQL, read: the only importer of sqlparser.

mod aggregate;

pub use aggregate::{Aggregate, aggregate, ratio};
