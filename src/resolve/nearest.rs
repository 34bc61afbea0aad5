//! Which known name was probably meant.

use crate::diagnostic::nearest;

/// A hint for a diagnostic: `did you mean 'x'?`.
pub fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(name, known).map(|other| format!("did you mean '{other}'?"))
}
