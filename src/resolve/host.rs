//! Jinja while resolving: naming macros and descriptions. `execute` is false and no warehouse is there.

use std::sync::Arc;

use crate::jinja::{Engine, Error};
use crate::manifest::{Json, Macro, Node};
use crate::project::Project;

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
