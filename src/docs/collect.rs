//! Gathers a [`Site`] from the manifest and what is known beside it.

use std::collections::HashMap;

use super::columns;
use super::links;
use super::relationships;
use super::scrub::Scrub;
use super::site::{Group, MacroEntry, Node, Package, Ran, Site, State, Test};
use crate::artifacts::{CatalogTable, CompiledNodes, PastRun};
use crate::manifest::{DocBlock, Json, JsonMap, MacroKind, Manifest, Resource, ResourceType, UniqueId};
use crate::project::Project;

/// Results kept of each node.
const KEPT_RESULTS: usize = 30;

/// What a site is gathered from.
pub struct Sources<'a> {
    pub project: &'a Project,
    pub manifest: &'a Manifest,
    pub compiled: &'a CompiledNodes,
    pub catalog: Vec<CatalogTable>,
    /// Past invocations, the newest first.
    pub runs: Vec<PastRun>,
    /// Rows of sources.json by unique id.
    pub freshness: HashMap<String, Json>,
    /// The project's README, where it has one.
    pub readme: Option<String>,
    pub scrub: &'a Scrub,
}

/// All of it. Nodes, tests, macros and groups are sorted, so that equal sources give equal sites.
pub fn collect(sources: Sources) -> Site {
    let Sources { project, manifest, .. } = sources;
    let runs: Vec<PastRun> = sources.runs.into_iter().map(|run| sources.scrub.run(run)).collect();
    let results = results(&runs);
    let mut catalog: HashMap<String, CatalogTable> =
        sources.catalog.into_iter().map(|table| (table.unique_id.clone(), table)).collect();
    let owners: HashMap<&str, Option<String>> =
        manifest.groups.values().map(|group| (group.name.as_str(), owner_name(&group.owner))).collect();
    let mut resources: Vec<Resource> = manifest.resources().filter(is_shown).collect();
    resources.sort_by(|a, b| a.unique_id().cmp(b.unique_id()));
    let (of_tests, of_nodes): (Vec<Resource>, Vec<Resource>) = resources
        .into_iter()
        .partition(|resource| matches!(resource.resource_type(), ResourceType::Test | ResourceType::UnitTest));
    let compiled = |id: &UniqueId| sources.compiled.get(id).filter(|compiled| !compiled.code.is_empty());
    let urls = urls(&of_nodes);
    let nodes = of_nodes.into_iter().zip(urls).map(|(resource, url)| {
        let mut node = node(resource, url);
        if node.owner.is_none() {
            node.owner = node.group.as_deref().and_then(|group| owners.get(group).cloned().flatten());
        }
        node.catalog = catalog.remove(node.id.as_str());
        node.compiled = compiled(&node.id).map(|compiled| sources.scrub.code(&compiled.code));
        node.past = results.get(node.id.as_str()).cloned().unwrap_or_default();
        node.freshness = sources.freshness.get(node.id.as_str()).and_then(Json::as_object).cloned();
        node
    });
    let mut site = Site {
        project: manifest.project_name.to_string(),
        adapter: manifest.adapter_type.to_string(),
        nodes: nodes.collect(),
        groups: groups(manifest),
        packages: packages(project, manifest),
        ..Site::default()
    };
    site.index();
    site.overview = overview(manifest).or(sources.readme);
    link(&mut site);
    add_macros(&mut site, manifest);
    for resource in of_tests {
        let mut test = test(&site, resource);
        test.compiled = compiled(&test.id).map(|compiled| sources.scrub.code(&compiled.code));
        test.past = results.get(test.id.as_str()).cloned().unwrap_or_default();
        test.state = test.past.first().map_or(State::NotRun, |ran| State::of(&ran.result.status));
        site.tests.push(test);
    }
    place_tests(&mut site);
    for at in 0..site.tests.len() {
        for node in site.tests[at].nodes.clone() {
            site.nodes[node].tests.push(at);
        }
    }
    link_macros_of_tests(&mut site);
    columns::fill(&mut site);
    site.relationships = relationships::find(&site);
    set_states(&mut site);
    find_stalest(&mut site);
    site.runs = runs;
    site
}

/// Hooks and single queries are no documentation; what is not to be shown (`docs: {show: false}`) is not either.
fn is_shown(resource: &Resource) -> bool {
    let hidden = match resource {
        Resource::Node(node) => {
            !node.docs.show
                || matches!(node.resource_type, ResourceType::Operation | ResourceType::SqlOperation)
                || !node.config.enabled()
        }
        Resource::Source(source) => !source.docs.show,
        _ => false,
    };
    !hidden
}

/// Results by unique id, the newest first.
fn results(runs: &[PastRun]) -> HashMap<&str, Vec<Ran>> {
    let mut found: HashMap<&str, Vec<Ran>> = HashMap::new();
    for (run, past) in runs.iter().enumerate() {
        // Nothing was done for those: exposures, saved queries.
        for result in past.results.iter().filter(|result| result.status != "no-op") {
            let known = found.entry(&result.unique_id).or_default();
            if known.len() < KEPT_RESULTS {
                known.push(Ran { run, result: result.clone() });
            }
        }
    }
    found
}

fn urls(resources: &[Resource]) -> Vec<String> {
    let names: Vec<String> = resources.iter().map(Resource::search_name).collect();
    links::urls(resources.iter().zip(&names).map(|(resource, name)| {
        let section = match resource.resource_type() {
            ResourceType::Exposure => "exposure",
            ResourceType::Metric => "metric",
            ResourceType::SemanticModel => "semantic_model",
            ResourceType::SavedQuery => "saved_query",
            ResourceType::Function => "function",
            ResourceType::Analysis => "analysis",
            _ => "node",
        };
        let package = links::slug(resource.package_name(), resource.package_name());
        (format!("{section}/{package}"), name.as_str(), resource.unique_id().as_str())
    }))
}

fn link_macros_of_tests(site: &mut Site) {
    for (at, test) in site.tests.iter().enumerate() {
        let Resource::Node(node) = &test.resource else { continue };
        for id in &node.depends_on.macros {
            if let Ok(place) = site.macros.binary_search_by(|entry| entry.of.unique_id.cmp(id)) {
                site.macros[place].tests.push(at);
            }
        }
    }
}

/// Generic tests stand on one page with the other tests of their node; each of the others has a page of its own.
fn place_tests(site: &mut Site) {
    let shared: Vec<Option<String>> = site.tests.iter().map(|test| place_beside_others(site, test)).collect();
    let alone = site.tests.iter().zip(&shared).filter(|(_, place)| place.is_none()).map(|(test, _)| {
        let package = links::slug(test.resource.package_name(), test.resource.package_name());
        (format!("test/{package}"), test.name.as_str(), test.id.as_str())
    });
    let mut alone = links::urls(alone).into_iter();
    for (test, place) in site.tests.iter_mut().zip(shared) {
        test.url = place.or_else(|| alone.next()).unwrap_or_default();
    }
}

/// `tests/shop/orders.html#t-…`, the mark being the one that ends its id.
fn place_beside_others(site: &Site, test: &Test) -> Option<String> {
    let Resource::Node(node) = &test.resource else { return None };
    node.test()?.metadata.as_ref()?;
    let (section, page) = site.nodes[*test.nodes.first()?].url.split_once('/')?;
    let section = if section == "node" { String::new() } else { format!("{section}/") };
    let mark = test.id.as_str().rsplit('.').next().filter(|mark| mark.bytes().all(|byte| byte.is_ascii_alphanumeric()))?;
    Some(format!("tests/{section}{page}#t-{mark}"))
}

fn node(resource: Resource, url: String) -> Node {
    let path = resource.original_file_path().to_owned();
    let mut folder: Vec<String> = path.split('/').map(str::to_owned).collect();
    folder.pop();
    let (group, relation, database, schema) = match &resource {
        Resource::Node(node) => {
            let placed = node.relation_name.is_some();
            let schema = placed.then(|| node.schema.clone());
            (node.group.clone(), node.relation_name.clone(), node.database.clone().filter(|_| placed), schema)
        }
        Resource::Source(source) => {
            (None, Some(source.relation_name.clone()), source.database.clone(), Some(source.schema.clone()))
        }
        Resource::Metric(semantic) | Resource::SemanticModel(semantic) | Resource::SavedQuery(semantic) => {
            (semantic.group.clone(), None, None, None)
        }
        _ => (None, None, None, None),
    };
    let built = matches!(resource.resource_type(), ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot);
    let mut node = Node {
        id: resource.unique_id().clone(),
        url,
        kind: resource.resource_type(),
        name: resource.search_name(),
        package: resource.package_name().to_owned(),
        folder,
        path,
        fqn: resource.fqn().to_vec(),
        materialization: if built { resource.config().materialized().to_owned() } else { String::new() },
        owner: None,
        group,
        tags: resource.tags().to_vec(),
        columns: Vec::new(),
        tests: Vec::new(),
        state: State::NotRun,
        past: Vec::new(),
        parents: Vec::new(),
        children: Vec::new(),
        macros: Vec::new(),
        relation,
        database,
        schema,
        catalog: None,
        freshness: None,
        stalest: None,
        compiled: None,
        resource,
    };
    node.owner = match &node.resource {
        Resource::Exposure(exposure) => owner_name(&exposure.owner),
        _ => node.meta().get("owner").and_then(owner_text),
    };
    node
}

/// A name, or an address where there is no name.
fn owner_name(owner: &JsonMap) -> Option<String> {
    let key = |key: &str| owner.get(key).and_then(owner_text);
    key("name").or_else(|| key("email"))
}

fn owner_text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Json::Object(map) => owner_name(map),
        Json::Array(items) => items.first().and_then(owner_text),
        _ => None,
    }
}

/// Parents and children.
fn link(site: &mut Site) {
    for at in 0..site.nodes.len() {
        let mut parents: Vec<usize> =
            site.nodes[at].resource.depends_on().iter().filter_map(|id| site.position(id.as_str())).collect();
        parents.sort_unstable();
        parents.dedup();
        for parent in &parents {
            site.nodes[*parent].children.push(at);
        }
        site.nodes[at].parents = parents;
    }
}

/// A package that nobody of the project wrote.
fn is_internal(manifest: &Manifest, package: &str) -> bool {
    manifest.macros.internal.iter().any(|name| &**name == package)
}

fn add_macros(site: &mut Site, manifest: &Manifest) {
    let mut macros: Vec<_> =
        manifest.macros.all().filter(|of| !is_internal(manifest, &of.package_name) && of.docs.show).cloned().collect();
    macros.sort_by(|a, b| a.unique_id.cmp(&b.unique_id));
    let urls = links::urls(macros.iter().map(|of| {
        let package = links::slug(&of.package_name, &of.package_name);
        (format!("macro/{package}"), of.name.as_str(), of.unique_id.as_str())
    }));
    let places: HashMap<UniqueId, usize> = macros.iter().enumerate().map(|(at, of)| (of.unique_id.clone(), at)).collect();
    let entry =
        |(of, url)| MacroEntry { url, of, used_by: Vec::new(), tests: Vec::new(), callers: Vec::new(), calls: Vec::new() };
    site.macros = macros.into_iter().zip(urls).map(entry).collect();
    for at in 0..site.macros.len() {
        let calls: Vec<usize> = site.macros[at].of.depends_on.iter().filter_map(|id| places.get(id).copied()).collect();
        for called in &calls {
            site.macros[*called].callers.push(at);
        }
        site.macros[at].calls = calls;
    }
    for at in 0..site.nodes.len() {
        let Resource::Node(node) = &site.nodes[at].resource else { continue };
        let used: Vec<usize> = node.depends_on.macros.iter().filter_map(|id| places.get(id).copied()).collect();
        for of in &used {
            site.macros[*of].used_by.push(at);
        }
        site.nodes[at].macros = used;
    }
}

fn test(site: &Site, resource: Resource) -> Test {
    let position = |id: &UniqueId| site.position(id.as_str());
    let (short, column, attached) = match &resource {
        Resource::Node(node) => {
            let detail = node.test();
            let metadata = detail.and_then(|detail| detail.metadata.as_ref());
            let short = metadata.map_or_else(
                || node.name.clone(),
                |metadata| match &metadata.namespace {
                    Some(namespace) => format!("{namespace}.{}", metadata.name),
                    None => metadata.name.clone(),
                },
            );
            (short, detail.and_then(|detail| detail.column_name.clone()), detail.and_then(|detail| detail.attached_node.clone()))
        }
        Resource::UnitTest(test) => (test.name.clone(), None, test.tested_node.clone()),
        other => (other.name().to_owned(), None, None),
    };
    let attached = attached.as_ref().and_then(position).or_else(|| tested_source(site, &resource));
    let mut nodes: Vec<usize> = attached.into_iter().collect();
    for read in resource.depends_on().iter().filter_map(position) {
        if !nodes.contains(&read) {
            nodes.push(read);
        }
    }
    // What a unit test is given is not what it tests.
    if resource.resource_type() == ResourceType::UnitTest {
        nodes.truncate(1);
    }
    Test {
        id: resource.unique_id().clone(),
        url: String::new(),
        name: resource.name().to_owned(),
        short,
        column,
        nodes,
        state: State::NotRun,
        past: Vec::new(),
        compiled: None,
        resource,
    }
}

/// The source that a test is written at: such tests are attached to nothing, but their `model` names it.
fn tested_source(site: &Site, resource: &Resource) -> Option<usize> {
    let Resource::Node(node) = resource else { return None };
    let model = node.test()?.metadata.as_ref()?.kwargs.get("model")?.as_str()?;
    let name = model.rsplit(['\'', '"']).nth(1)?;
    let read = node.depends_on.nodes.iter().filter_map(|id| site.position(id.as_str()));
    read.into_iter().find(|at| site.nodes[*at].resource.name() == name)
}

/// A node stands as its last run, the tests attached to it, and its freshness do.
fn set_states(site: &mut Site) {
    for at in 0..site.nodes.len() {
        let node = &site.nodes[at];
        let own = node.last().map_or(State::NotRun, |last| State::of(&last.status));
        let attached = node.tests.iter().map(|test| &site.tests[*test]).filter(|test| test.nodes.first() == Some(&at));
        let fresh = node.freshness.as_ref().and_then(|row| row.get("status")).and_then(Json::as_str).map(State::of);
        let worst = attached.map(|test| test.state).chain([own]).chain(fresh).max();
        site.nodes[at].state = worst.unwrap_or_default();
    }
}

/// Parents come first, so that what is known of them tells about their children.
fn find_stalest(site: &mut Site) {
    let behind = |site: &Site, at: usize| {
        let row = site.nodes[at].freshness.as_ref()?;
        let age = row.get("max_loaded_at_time_ago_in_s").and_then(Json::as_f64).unwrap_or_default();
        Some((State::of(row.get("status")?.as_str()?), age))
    };
    for at in columns::order(site) {
        let own = site.nodes[at].freshness.is_some().then_some(at);
        let of_parents = site.nodes[at].parents.iter().filter_map(|parent| site.nodes[*parent].stalest);
        let known = own.into_iter().chain(of_parents).filter_map(|source| Some((behind(site, source)?, source)));
        let worst = known.max_by(|(a, _), (b, _)| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        site.nodes[at].stalest = worst.map(|(_, source)| source);
    }
}

fn groups(manifest: &Manifest) -> Vec<Group> {
    let mut groups: Vec<_> = manifest.groups.values().collect();
    groups.sort_by(|a, b| a.unique_id.cmp(&b.unique_id));
    let urls = links::urls(groups.iter().map(|group| ("group".to_owned(), group.name.as_str(), group.unique_id.as_str())));
    let made = groups.into_iter().zip(urls).map(|(group, url)| Group {
        name: group.name.clone(),
        url,
        description: group.description.clone().unwrap_or_default(),
        owner: group.owner.clone(),
    });
    made.collect()
}

/// The root first, then the others by name; built-in ones are left out.
fn packages(project: &Project, manifest: &Manifest) -> Vec<Package> {
    let mut shown: Vec<_> = project.packages.iter().filter(|package| !package.builtin).collect();
    if let Some((_, others)) = shown.split_first_mut() {
        others.sort_by(|a, b| a.name.cmp(&b.name));
    }
    let urls = links::urls(shown.iter().map(|package| ("package".to_owned(), &*package.name, &*package.name)));
    let made = shown.into_iter().zip(urls).map(|(package, url)| Package {
        name: package.name.to_string(),
        url,
        version: package.config.version.clone(),
        overview: doc(manifest, &format!("__{}__", package.name)).map(|block| block.block_contents.clone()),
    });
    made.collect()
}

/// A docs block of a package that people wrote.
fn doc<'a>(manifest: &'a Manifest, name: &str) -> Option<&'a DocBlock> {
    let own = |block: &DocBlock| block.name == name && !is_internal(manifest, &block.package_name);
    let mut found: Vec<_> = manifest.docs.values().filter(|block| own(block)).collect();
    found.sort_by_key(|block| (block.package_name != manifest.project_name, block.unique_id.clone()));
    found.first().map(|block| &***block)
}

fn overview(manifest: &Manifest) -> Option<String> {
    doc(manifest, "__overview__").map(|block| block.block_contents.clone())
}

/// What a macro is, in a word.
pub fn macro_kind(kind: &MacroKind) -> &'static str {
    match kind {
        MacroKind::Macro => "macro",
        MacroKind::Test => "generic test",
        MacroKind::Materialization { .. } => "materialization",
    }
}
