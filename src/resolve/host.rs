//! Jinja while resolving: naming macros and descriptions. `execute` is false and no warehouse is there.

use std::sync::Arc;

use crate::jinja::{Engine, Error};
use crate::manifest::{Json, Macro, Node, UniqueId};
use crate::project::Project;

use super::docs::{Docs, Whose};

/// Runs `generate_*_name` macros.
pub struct NamingHost;

impl NamingHost {
    /// Calls a naming macro with the configured value (or none) and the node.
    pub fn call(
        _project: &Arc<Project>,
        _engine: &Arc<Engine>,
        found: &Macro,
        _custom: Option<&Json>,
        _node: &Node,
    ) -> Result<Option<String>, Error> {
        Err(Error::compilation(format!("{} cannot be called yet", found.unique_id)))
    }
}

/// Renders descriptions.
pub struct DocsHost;

impl DocsHost {
    pub fn render(
        _project: &Arc<Project>,
        _engine: &Arc<Engine>,
        _docs: &Docs,
        whose: &Whose<'_>,
        _text: &str,
    ) -> (Result<String, Error>, Vec<UniqueId>) {
        (Err(Error::compilation(format!("the description of {} cannot be rendered yet", whose.unique_id))), Vec::new())
    }
}
