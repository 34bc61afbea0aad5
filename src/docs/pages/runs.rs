//! Past invocations: the list, and a page for each.

use crate::artifacts::PastRun;
use crate::docs::links;

/// The page of a run: a file's name begins with its time, so that pages sort as runs do.
pub fn url(run: &PastRun) -> String {
    format!("run/{}.html", links::slug(&run.stem, &run.stem))
}
