//! The DAG of a manifest, and what `--select` and friends choose of it. Knows no adapter.

use indexmap::IndexSet;

use crate::diagnostic::Diagnostic;
use crate::manifest::{Manifest, ResourceType, UniqueId};
use crate::project::Project;

/// Parents and children of every resource; acyclic.
#[derive(Debug, Default)]
pub struct Graph {}

impl Graph {
    /// A cycle is an error that shows the path that closes it.
    pub fn new(_manifest: &Manifest) -> (Self, Vec<Diagnostic>) {
        (Self::default(), Vec::new())
    }
}

/// How tests are taken along with what they test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IndirectSelection {
    #[default]
    Eager,
    Cautious,
    Buildable,
    Empty,
}

/// What the command line asks for.
#[derive(Debug, Clone, Default)]
pub struct SelectionRequest {
    pub select: Vec<String>,
    pub exclude: Vec<String>,
    pub selector: Option<String>,
    pub indirect: Option<IndirectSelection>,
    /// What the command takes at all: build, test, ls … differ. Empty: everything.
    pub resource_types: Vec<ResourceType>,
}

/// The chosen resources, in manifest order.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    pub ids: IndexSet<UniqueId>,
}

/// Chooses. Unknown methods and selectors are errors; a criterion that matches nothing warns.
pub fn select(
    _project: &Project,
    _manifest: &Manifest,
    _graph: &Graph,
    _request: &SelectionRequest,
) -> (Selection, Vec<Diagnostic>) {
    (Selection::default(), Vec::new())
}
