//! How much a manifest holds: the line `Found 5 models, …`.

use indexmap::IndexMap;

use crate::manifest::{Manifest, ResourceType};

/// Each type of resource that is there at all, as (singular name, number), in dbt's order: node types as they first come in
/// the manifest, then the other kinds; functions are not counted.
pub fn counts(manifest: &Manifest) -> Vec<(String, usize)> {
    let mut nodes: IndexMap<ResourceType, usize> = IndexMap::new();
    for node in manifest.nodes.values() {
        *nodes.entry(node.resource_type).or_default() += 1;
    }
    let others = [
        (ResourceType::Source, manifest.sources.len()),
        (ResourceType::Exposure, manifest.exposures.len()),
        (ResourceType::Metric, manifest.metrics.len()),
        (ResourceType::Macro, manifest.macros.all().count()),
        (ResourceType::Group, manifest.groups.len()),
        (ResourceType::SemanticModel, manifest.semantic_models.len()),
        (ResourceType::SavedQuery, manifest.saved_queries.len()),
        (ResourceType::UnitTest, manifest.unit_tests.len()),
    ];
    let all = nodes.into_iter().chain(others).filter(|(_, number)| *number > 0);
    all.map(|(kind, number)| (kind.singular().to_owned(), number)).collect()
}
