//! The DAG of a manifest, and what `--select` and friends choose of it. Knows no adapter.

mod build_order;
mod contract_changes;
mod criteria;
mod cycle;
mod dag;
mod fqn;
mod listing;
mod methods;
mod node_set;
mod selection;
mod selectors;
mod state;
#[cfg(test)]
mod tests;
mod wildcard;

use std::sync::Arc;

use indexmap::IndexSet;

pub use build_order::{BuildOrder, Gates};
pub use dag::Graph;
pub use listing::{ListOutput, list};
pub use selection::select;
pub use state::Comparand;

use crate::manifest::{ResourceType, UniqueId};

/// How tests are taken along with what they test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IndirectSelection {
    /// A test of anything chosen.
    #[default]
    Eager,
    /// A test that reads nothing but what is chosen.
    Cautious,
    /// A test that reads nothing but what is chosen, or what that reads, directly or not.
    Buildable,
    /// Only tests that are chosen themselves.
    Empty,
}

impl IndirectSelection {
    /// By the name that `--indirect-selection` and selectors.yml use.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "eager" => Some(Self::Eager),
            "cautious" => Some(Self::Cautious),
            "buildable" => Some(Self::Buildable),
            "empty" => Some(Self::Empty),
            _ => None,
        }
    }
}

/// What the command line asks for.
#[derive(Debug, Clone, Default)]
pub struct SelectionRequest {
    pub select: Vec<String>,
    pub exclude: Vec<String>,
    pub selector: Option<String>,
    pub indirect: Option<IndirectSelection>,
    /// What the command takes at all: build, test, ls … differ. None: everything.
    pub resource_types: Option<Vec<ResourceType>>,
    /// Are nodes without any text taken too? `ls` shows them, other commands pass them over.
    pub include_empty: bool,
    /// Artifacts to compare with, for `state:`, `result:` and `source_status:`.
    pub previous: Option<Arc<Comparand>>,
}

/// The chosen resources, in manifest order.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    pub ids: IndexSet<UniqueId>,
    /// The selector of selectors.yml that was used because nothing was asked for: dbt says so (`DefaultSelector`).
    pub default_selector: Option<String>,
}
