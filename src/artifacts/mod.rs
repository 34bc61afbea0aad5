//! dbt's public JSON, mirrored: the only place where domain types become JSON, and stored formats are read.
//!
//! Views borrow from the manifest and are serialized in parallel, each resource to its own piece of text; key names and
//! their order are those of dbt 1.12's artifacts.

mod builds;
mod catalog;
mod counts;
mod deferral;
mod graph_summary;
mod history;
mod journal;
mod listing;
mod manifest_v12;
mod osi;
mod read;
mod resource;
mod resource_kinds;
mod run_results;
#[cfg(test)]
pub(crate) mod samples;
mod selectors;
mod semantic_manifest;
#[cfg(test)]
mod tests;
mod upgrade;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::event::Compiled;
use crate::manifest::{JsonMap, UniqueId};

pub use builds::{Build, Builds, BuiltNode, build_of_state, mark, read_builds};
pub use catalog::{CatalogColumn, CatalogTable, catalog};
pub use counts::counts;
pub use deferral::{Deferred, deferred};
pub use graph_summary::graph_summary;
pub use history::{PastResult, PastRun, past_runs};
pub use journal::Journal;
pub use listing::{DEFAULT_KEYS, listed};
pub use manifest_v12::{edges, graph, manifest};
pub use osi::{
    OSI_VERSIONS, OsiDataset, OsiDatatype, OsiDimension, OsiDocument, OsiExpression, OsiField, OsiMetric, OsiModel,
    OsiRelationship,
};
pub use read::{PreviousResult, PreviousRun, PreviousState, read_run, read_sources, read_state};
pub use resource::{model, output_path, resource};
pub use run_results::{node_info, resource_info, result, run_results, sources};
pub use selectors::selectors;
pub use semantic_manifest::semantic_manifest;

/// The dbt version whose formats and behaviour these are: `dbt_version` of every artifact.
pub const DBT_VERSION: &str = "1.12.6";

/// What a run has compiled so far, by node.
pub type CompiledNodes = HashMap<UniqueId, Arc<Compiled>>;

/// `metadata` of every artifact.
#[derive(Debug, Clone, Default)]
pub struct Metadata {
    pub invocation_id: String,
    pub invocation_started_at: DateTime<Utc>,
    pub generated_at: DateTime<Utc>,
    /// `DBT_ENV_CUSTOM_ENV_*`.
    pub env: JsonMap,
    /// The project's `{database, schema, identifier}`, the adapter's defaults applied: manifest.json alone shows it.
    pub quoting: JsonMap,
    /// selectors.yml as [`selectors`] gives it: manifest.json alone shows it.
    pub selectors: JsonMap,
}

/// The keys of `metadata` that all artifacts share.
struct Header<'a> {
    schema: &'static str,
    metadata: &'a Metadata,
}

impl Header<'_> {
    fn entries<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let url = format!("https://schemas.getdbt.com/dbt/{}.json", self.schema);
        map.serialize_entry("dbt_schema_version", &url)?;
        map.serialize_entry("dbt_version", DBT_VERSION)?;
        map.serialize_entry("generated_at", &timestamp(self.metadata.generated_at))?;
        map.serialize_entry("invocation_id", &self.metadata.invocation_id)?;
        map.serialize_entry("invocation_started_at", &timestamp(self.metadata.invocation_started_at))?;
        map.serialize_entry("env", &self.metadata.env)
    }
}

impl Serialize for Header<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.entries(&mut map)?;
        map.end()
    }
}

/// `2026-11-21T09:37:15.310906Z`: UTC with microseconds, as artifacts write times.
pub fn timestamp(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// [`timestamp`] of a system time.
pub fn system_timestamp(at: SystemTime) -> String {
    timestamp(at.into())
}

/// JSON text of a view. Views hold nothing that JSON cannot (keys are strings, floats that are not numbers become null).
fn text(view: &impl Serialize) -> String {
    sonic_rs::to_string(view).unwrap_or_else(|_| "null".to_owned())
}

/// JSON value of a view.
fn value(view: &impl Serialize) -> crate::manifest::Json {
    serde_json::to_value(view).unwrap_or_default()
}
