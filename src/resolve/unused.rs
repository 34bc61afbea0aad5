//! Paths of the root project's config trees that apply to nothing.

use std::collections::{HashMap, HashSet};

use crate::diagnostic::{Diagnostic, Span};
use crate::manifest::{Manifest, ResourceType};
use crate::project::Project;
use crate::yaml::{Kind, Yaml};

/// The tree that configures a resource type.
fn tree_of(kind: ResourceType) -> Option<&'static str> {
    Some(match kind {
        ResourceType::Model => "models",
        ResourceType::Seed => "seeds",
        ResourceType::Snapshot => "snapshots",
        ResourceType::Source => "sources",
        ResourceType::Test => "data_tests",
        ResourceType::UnitTest => "unit_tests",
        ResourceType::Metric => "metrics",
        ResourceType::SemanticModel => "semantic-models",
        ResourceType::SavedQuery => "saved-queries",
        ResourceType::Exposure => "exposures",
        ResourceType::Function => "functions",
        _ => return None,
    })
}

const TREES: [&str; 11] = [
    "models",
    "seeds",
    "snapshots",
    "sources",
    "data_tests",
    "unit_tests",
    "metrics",
    "semantic-models",
    "saved-queries",
    "exposures",
    "functions",
];

/// One warning that lists every unused path, at their places.
pub fn check(project: &Project, manifest: &Manifest) -> Option<Diagnostic> {
    let mut used: HashMap<&str, HashSet<&[String]>> = HashMap::new();
    let mut disabled: HashSet<&[String]> = HashSet::new();
    let prefixes = |fqn: &'_ [String]| -> Vec<usize> { (0..=fqn.len()).collect() };
    let nodes = manifest.nodes.values().chain(manifest.functions.values()).map(|node| (node.resource_type, &node.fqn));
    let others = (manifest.sources.values().map(|own| (ResourceType::Source, &own.fqn)))
        .chain(manifest.exposures.values().map(|own| (ResourceType::Exposure, &own.fqn)))
        .chain(manifest.metrics.values().map(|own| (ResourceType::Metric, &own.fqn)))
        .chain(manifest.semantic_models.values().map(|own| (ResourceType::SemanticModel, &own.fqn)))
        .chain(manifest.saved_queries.values().map(|own| (ResourceType::SavedQuery, &own.fqn)))
        .chain(manifest.unit_tests.values().map(|own| (ResourceType::UnitTest, &own.fqn)));
    for (kind, fqn) in nodes.chain(others) {
        if let Some(tree) = tree_of(kind) {
            let of_tree = used.entry(tree).or_default();
            of_tree.extend(prefixes(fqn).into_iter().map(|end| &fqn[..end]));
        }
    }
    for resource in manifest.disabled.values().flatten() {
        let fqn = resource.fqn();
        disabled.extend(prefixes(fqn).into_iter().map(|end| &fqn[..end]));
    }
    let package = project.root_package();
    let mut unused = Vec::new();
    for tree in TREES {
        let Some(yaml) = package.config.resource_config(tree) else { continue };
        let nothing = HashSet::new();
        let of_tree = used.get(tree).unwrap_or(&nothing);
        walk(yaml, &mut Vec::new(), yaml.span, &mut |path, span| {
            if !of_tree.contains(path) && !disabled.contains(path) {
                let words: Vec<&str> = std::iter::once(tree).chain(path.iter().map(String::as_str)).collect();
                unused.push((words.join("."), span));
            }
        });
    }
    told(project, &unused)
}

fn told(project: &Project, unused: &[(String, Span)]) -> Option<Diagnostic> {
    if unused.is_empty() {
        return None;
    }
    let list: Vec<String> = unused.iter().map(|(path, _)| format!("- {path}")).collect();
    let message = format!(
        "Configuration paths exist in your dbt_project.yml file which do not apply to any resources. There are {} unused \
         configuration paths:\n{}",
        unused.len(),
        list.join("\n")
    );
    let mut diagnostic = Diagnostic::warning("W0292", message).event("UnusedResourceConfigPath");
    if let Some(source) = &project.root_package().config.source {
        for (_, span) in unused {
            diagnostic = diagnostic.at(source, *span);
        }
    }
    Some(diagnostic)
}

/// Every level that configures something, with its path and place.
fn walk(tree: &Yaml, path: &mut Vec<String>, span: Span, found: &mut dyn FnMut(&[String], Span)) {
    let mut told = false;
    for entry in tree.entries() {
        let below = matches!(entry.value.kind, Kind::Map(_)) && !entry.key.starts_with('+');
        if below {
            path.push(entry.key.to_string());
            walk(&entry.value, path, entry.key_span, found);
            path.pop();
        } else if !told {
            told = true;
            found(path, span);
        }
    }
}
