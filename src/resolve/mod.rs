//! Resolve: drafts become the [`Manifest`]: properties applied, configuration merged, names made, references followed.
//! Never touches the warehouse; reads no file but the seeds that unit tests take their rows from.

mod attach;
mod checks;
mod color;
mod columns;
mod config;
mod constraints;
mod dates;
mod docs;
mod exposures;
mod external_location;
mod freshness;
mod functions;
mod host;
mod macros;
mod microbatch;
mod names;
mod nearest;
mod nodes;
mod patch;
mod primary_key;
mod python;
mod refs;
mod semantic;
mod sources;
mod tests_of_nodes;
mod time_spine;
mod unit_tests;
mod unused;

use std::sync::Arc;

use indexmap::IndexMap;
use rayon::prelude::*;

use crate::diagnostic::Diagnostic;
use crate::manifest::{Exposure, Group, JsonMap, Manifest, Node, Resource, ResourceType, Source, UniqueId, UnitTest};
use crate::parse::{Draft, Parsed, Property};
use crate::project::{Package, Project};
use nodes::{Built, Shared};
use refs::Origin;
use semantic::Semantics;

/// `None` only where an error makes the manifest useless; otherwise what could be resolved, with all diagnostics.
pub fn resolve(project: &Arc<Project>, parsed: Parsed) -> (Option<Manifest>, Vec<Diagnostic>) {
    let shared = Shared::new(project, &parsed.engine);
    let mut diagnostics = Vec::new();
    let (mut nodes, origins) = build_nodes(&shared, &parsed, &mut diagnostics);
    let mut sources = sources::build(&shared, &parsed.properties, &mut diagnostics);
    let index = refs::Index::new(project, nodes.iter(), sources.iter());
    let docs = Arc::new(docs::Docs::new(&shared, &parsed.docs));

    let enabled: Vec<bool> = nodes.iter().map(|node| node.config.enabled()).collect();
    diagnostics.extend(index.follow(&mut nodes, &origins));
    let groups: Vec<Group> = of_section(&parsed.properties, "groups")
        .filter_map(|property| exposures::group(&shared, property, &mut diagnostics))
        .collect();
    let mut exposures = build_exposures(&shared, &parsed.properties, &index, &docs, &mut diagnostics);
    let semantics = build_semantics(&shared, &parsed.properties, &nodes, &index, &docs, &mut diagnostics);
    diagnostics.extend(time_spine::require(&semantics, &nodes));
    diagnostics.extend(checks::spaced_names(&shared, &sources, &semantics));
    let root = &project.root_package().name;
    diagnostics.extend(semantic::follow_calls(&semantics, root, (&mut nodes, &origins), &mut exposures));
    let exposures = exposures.into_iter().map(|(exposure, _)| exposure).collect();
    let unit_tests = build_unit_tests(&shared, &parsed, &nodes, &mut diagnostics);
    diagnostics.extend(docs.nodes(&shared, &mut nodes, &origins));
    for source in sources.iter_mut().filter(|source| source.config.enabled()) {
        docs.source(&shared, source, &mut diagnostics);
    }
    let macros = macros::described(&shared, &parsed.macros, &parsed.properties, &docs, &mut diagnostics);
    primary_key::infer(&mut nodes);
    diagnostics.extend(checks::check(&shared, &nodes, &origins, &groups));
    diagnostics.extend(microbatch::check(&shared, &nodes, &origins, &sources, &macros));

    let mut manifest = Manifest {
        project_name: project.root_package().name.clone(),
        project_id: python::md5(&project.root_package().name),
        adapter_type: project.profile.adapter.clone(),
        own_package_first: shared.flag("require_ref_searches_node_package_before_root"),
        macros,
        docs: parsed.docs,
        ..Manifest::default()
    };
    let sources = sources::unique(sources, &parsed.properties, &mut diagnostics);
    fill(&mut manifest, nodes.into_iter().zip(enabled), sources);
    fill_others(&mut manifest, exposures, semantics, unit_tests, groups);
    diagnostics.extend(unused::check(project, &manifest));
    (Some(manifest), diagnostics)
}

/// Seconds since 1970.
fn now() -> f64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map(|since| since.as_secs_f64()).unwrap_or_default()
}

fn of_section<'a>(properties: &'a [Property], section: &'static str) -> impl Iterator<Item = &'a Property> {
    properties.iter().filter(move |property| property.section == section)
}

/// Package and folders of a property file: what its resources' fqn begins with.
fn fqn_prefix(package: &str, path: &str) -> Vec<String> {
    let mut fqn = vec![package.to_owned()];
    let mut folders: Vec<&str> = path.split('/').collect();
    folders.pop();
    fqn.extend(folders.into_iter().filter(|folder| !folder.is_empty()).map(str::to_owned));
    fqn
}

/// The outermost keys of one of a package's config trees, as they stand there.
fn root_values(package: &Package, tree: &str) -> JsonMap {
    columns::map(package.config.resource_config(tree))
}

fn origin(draft: &Draft, patch: Option<&patch::Patch>) -> Origin {
    let described = patch.map(|patch| (patch.file.source.clone(), patch.entry.span));
    match &draft.test {
        Some(test) => Origin::of_property(&test.place.0, test.place.1),
        None => Origin { source: draft.file.source.clone(), span: draft.span, exact: false, described },
    }
}

/// All nodes: those of files first, then generic tests, which inherit the group of what they test.
fn build_nodes(shared: &Shared<'_>, parsed: &Parsed, diagnostics: &mut Vec<Diagnostic>) -> (Vec<Node>, Vec<Origin>) {
    let attached = attach::attach(shared, parsed, diagnostics);
    let of_files = attached.order.len();
    let tests = (0..parsed.drafts.len()).filter(|at| parsed.drafts[*at].test.is_some());
    let order: Vec<usize> = attached.order.iter().copied().chain(tests).collect();
    let built: Vec<Built> = {
        let one = |at: &usize| {
            let (draft, patch) = (&parsed.drafts[*at], attached.patches[*at].as_ref());
            let mut built = nodes::build(shared, draft, patch);
            for overload in attached.overloads.get(at).into_iter().flatten() {
                functions::take_in(&mut built.node, &parsed.drafts[*overload]);
            }
            built
        };
        order.par_iter().map(one).collect()
    };
    let mut nodes = Vec::with_capacity(built.len());
    for one in built {
        diagnostics.extend(one.diagnostics);
        nodes.push(one.node);
    }
    let (files, tests) = nodes.split_at_mut(of_files);
    tests_of_nodes::attach(files, tests, order[of_files..].iter().map(|at| &parsed.drafts[*at]));
    let origins = order.iter().map(|at| origin(&parsed.drafts[*at], attached.patches[*at].as_ref())).collect();
    (nodes, origins)
}

fn build_exposures(
    shared: &Shared<'_>,
    properties: &[Property],
    index: &refs::Index,
    docs: &Arc<docs::Docs>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<(Exposure, Origin)> {
    let mut exposures: Vec<(Exposure, Origin)> = Vec::new();
    for property in of_section(properties, "exposures") {
        let Some(mut exposure) = exposures::exposure(shared, property, diagnostics) else { continue };
        let origin = property_origin(property);
        if exposures.iter().any(|(known, _)| known.unique_id == exposure.unique_id) {
            diagnostics.push(duplicate(property, &exposure.unique_id, &exposure.name, "exposures"));
        }
        if exposure.config.enabled() {
            diagnostics.extend(index.follow_exposure(&mut exposure, &origin));
        }
        let id = exposure.unique_id.clone();
        let package = &property.package.name;
        let whose = docs::Whose { unique_id: &id, package, path: &property.file.original_path, origin: Some(&origin) };
        docs.render(shared, &whose, &mut exposure.description, diagnostics);
        exposures.push((exposure, origin));
    }
    exposures
}

fn property_origin(property: &Property) -> Origin {
    Origin::of_property(&property.file.source, property.entry.span)
}

fn duplicate(property: &Property, id: &UniqueId, name: &str, plural: &str) -> Diagnostic {
    let span = property.entry.get("name").map_or(property.entry.span, |name| name.span);
    Diagnostic::error("E0410", format!("dbt found two {plural} with the name \"{name}\": {id}"))
        .at(&property.file.source, span)
        .help("rename one of them")
        .node(id.shared())
}

fn build_semantics(
    shared: &Shared<'_>,
    properties: &[Property],
    nodes: &[Node],
    index: &refs::Index,
    docs: &Arc<docs::Docs>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Semantics {
    let before = diagnostics.len();
    let mut semantics = Semantics::default();
    for property in semantic::in_order(properties) {
        match property.section {
            "metrics" => semantics.metrics.extend(semantic::metric(shared, property, &semantic::Under::default(), diagnostics)),
            "semantic_models" => {
                if let Some((model, metrics)) = semantic::semantic_model(shared, property, diagnostics) {
                    semantics.models.push(model);
                    semantics.metrics.extend(metrics);
                }
            }
            "saved_queries" => semantics.saved_queries.extend(semantic::saved_query(shared, property, diagnostics)),
            "models" if property.entry.get("semantic_model").is_some() => {
                semantic::of_model(shared, property, nodes, &mut semantics, diagnostics);
            }
            _ => {}
        }
    }
    semantic::documents(shared, nodes, &mut semantics, diagnostics);
    semantic::relations(&mut semantics, nodes, index, diagnostics);
    semantic::unique(&semantics, diagnostics);
    semantic::follow(&mut semantics, &shared.project.root_package().name, diagnostics);
    if !crate::diagnostic::any_error(&diagnostics[before..]) {
        let nested = shared.project.flags.get("require_nested_cumulative_type_params").and_then(crate::manifest::Json::as_bool);
        diagnostics.extend(semantic::validate(&semantics, nodes, nested.unwrap_or(true)));
        if !shared.flag("require_yaml_configuration_for_mf_time_spines") {
            diagnostics.extend(semantic::unconfigured_spine(&semantics, nodes));
        }
    }
    let all = semantics.models.iter_mut().chain(&mut semantics.metrics).chain(&mut semantics.saved_queries);
    for written in all {
        let of = &mut written.of;
        let (id, package, path) = (of.unique_id.clone(), of.package_name.clone(), of.original_file_path.clone());
        let origin = Origin::of_property(&written.file.source, written.span);
        let whose = docs::Whose { unique_id: &id, package: &package, path: &path, origin: Some(&origin) };
        docs.render(shared, &whose, &mut of.description, diagnostics);
        docs.body(shared, &whose, &mut of.body, diagnostics);
    }
    semantics
}

fn build_unit_tests(shared: &Shared<'_>, parsed: &Parsed, nodes: &[Node], diagnostics: &mut Vec<Diagnostic>) -> Vec<UnitTest> {
    diagnostics.extend(unit_tests::fixtures_of_one_name(shared.project));
    let seeds = unit_tests::seeds(&parsed.drafts);
    let models = unit_tests::Models::new(nodes.iter());
    let mut tests: Vec<UnitTest> = Vec::new();
    for property in of_section(&parsed.properties, "unit_tests") {
        let Some(written) = unit_tests::unit_test(shared, property, &seeds, diagnostics) else { continue };
        for test in unit_tests::follow(&written, &models, diagnostics) {
            if tests.iter().any(|known| known.unique_id == test.unique_id) {
                diagnostics.push(duplicate(property, &test.unique_id, &test.name, "unit tests"));
            }
            tests.push(test);
        }
    }
    tests
}

fn disable(manifest: &mut Manifest, id: &UniqueId, resource: Resource) {
    manifest.disabled.entry(id.clone()).or_default().push(resource);
}

/// Nodes and sources go where they belong, by what their configuration said. A test whose target is missing or disabled stays among the nodes, as in dbt, with
/// `enabled` false.
fn fill(manifest: &mut Manifest, nodes: impl ExactSizeIterator<Item = (Node, bool)>, sources: Vec<Arc<Source>>) {
    manifest.nodes = IndexMap::with_capacity(nodes.len());
    for (node, enabled) in nodes {
        let id = node.unique_id.clone();
        let function = node.resource_type == ResourceType::Function;
        let node = Arc::new(node);
        match (enabled, function) {
            (false, _) => disable(manifest, &id, Resource::Node(node)),
            (true, true) => {
                manifest.functions.entry(id).or_insert(node);
            }
            (true, false) => {
                manifest.nodes.entry(id).or_insert(node);
            }
        }
    }
    for source in sources {
        let id = source.unique_id.clone();
        if source.config.enabled() {
            manifest.sources.entry(id).or_insert(source);
        } else {
            disable(manifest, &id, Resource::Source(source));
        }
    }
}

fn fill_others(
    manifest: &mut Manifest,
    exposures: Vec<Exposure>,
    semantics: Semantics,
    unit_tests: Vec<UnitTest>,
    groups: Vec<Group>,
) {
    for exposure in exposures {
        let id = exposure.unique_id.clone();
        let exposure = Arc::new(exposure);
        if exposure.config.enabled() {
            manifest.exposures.insert(id, exposure);
        } else {
            disable(manifest, &id, Resource::Exposure(exposure));
        }
    }
    for written in semantics.metrics {
        let (id, of) = (written.of.unique_id.clone(), Arc::new(written.of));
        if of.config.enabled() {
            manifest.metrics.insert(id, of);
        } else {
            disable(manifest, &id, Resource::Metric(of));
        }
    }
    for written in semantics.models {
        let (id, of) = (written.of.unique_id.clone(), Arc::new(written.of));
        if of.config.enabled() {
            manifest.semantic_models.insert(id, of);
        } else {
            disable(manifest, &id, Resource::SemanticModel(of));
        }
    }
    for written in semantics.saved_queries {
        let (id, of) = (written.of.unique_id.clone(), Arc::new(written.of));
        if of.config.enabled() {
            manifest.saved_queries.insert(id, of);
        } else {
            disable(manifest, &id, Resource::SavedQuery(of));
        }
    }
    for test in unit_tests {
        let id = test.unique_id.clone();
        let test = Arc::new(test);
        if test.config.enabled() {
            manifest.unit_tests.insert(id, test);
        } else {
            disable(manifest, &id, Resource::UnitTest(test));
        }
    }
    for group in groups {
        manifest.groups.insert(group.unique_id.clone(), Arc::new(group));
    }
}
