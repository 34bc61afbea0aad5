//! Resolve: drafts become the [`Manifest`]: properties applied, configuration merged, names made, references followed.
//! Reads no files and never touches the warehouse.

use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::manifest::Manifest;
use crate::parse::Parsed;
use crate::project::Project;

/// `None` only where an error makes the manifest useless; otherwise what could be resolved, with all diagnostics.
pub fn resolve(_project: &Arc<Project>, _parsed: Parsed) -> (Option<Manifest>, Vec<Diagnostic>) {
    (None, Vec::new())
}
