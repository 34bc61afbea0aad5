//! Gathers a [`Site`] from the manifest and what is known beside it.

use std::collections::HashMap;

use super::columns;
use super::links;
use super::relationships;
use super::scrub::Scrub;
use super::site::{Group, LastRun, MacroEntry, Node, Package, Site, State, Test};
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
    let results = results(&sources);
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
        node.last = node.past.first().cloned();
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
    let urls = urls_of_tests(&of_tests);
    for (resource, url) in of_tests.into_iter().zip(urls) {
        let mut test = test(&site, resource, url);
        test.compiled = compiled(&test.id).map(|compiled| sources.scrub.code(&compiled.code));
        test.past = results.get(test.id.as_str()).cloned().unwrap_or_default();
        test.state = test.past.first().map_or(State::NotRun, |last| State::of(&last.status));
        site.tests.push(test);
    }
    for at in 0..site.tests.len() {
        for node in site.tests[at].nodes.clone() {
            site.nodes[node].tests.push(at);
        }
    }
    columns::fill(&mut site);
    site.relationships = relationships::find(&site);
    set_states(&mut site);
    site.runs = sources.runs.into_iter().map(|run| sources.scrub.run(run)).collect();
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
fn results(sources: &Sources) -> HashMap<String, Vec<LastRun>> {
    let mut found: HashMap<String, Vec<LastRun>> = HashMap::new();
    for (run, past) in sources.runs.iter().enumerate() {
        for result in &past.results {
            let known = found.entry(result.unique_id.clone()).or_default();
            if known.len() < KEPT_RESULTS {
                known.push(LastRun {
                    status: result.status.clone(),
                    started_at: result.started_at.clone(),
                    seconds: result.execution_time,
                    rows: result.rows_affected,
                    failures: result.failures,
                    message: result.message.as_deref().map(|message| sources.scrub.text(message)),
                    run,
                });
            }
        }
    }
    found
}

fn urls(resources: &[Resource]) -> Vec<String> {
    let names: Vec<String> = resources.iter().map(shown_name).collect();
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

fn urls_of_tests(tests: &[Resource]) -> Vec<String> {
    links::urls(tests.iter().map(|test| {
        let package = links::slug(test.package_name(), test.package_name());
        (format!("test/{package}"), test.name(), test.unique_id().as_str())
    }))
}

/// `orders`, `orders.v2`, `raw.orders`.
fn shown_name(resource: &Resource) -> String {
    match resource {
        Resource::Source(source) => format!("{}.{}", source.source_name, source.name),
        Resource::Node(node) => match node.model().and_then(|model| model.version.as_ref()) {
            Some(version) => format!("{}.v{}", node.name, version.text),
            None => node.name.clone(),
        },
        other => other.name().to_owned(),
    }
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
        name: shown_name(&resource),
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
        last: None,
        past: Vec::new(),
        parents: Vec::new(),
        children: Vec::new(),
        macros: Vec::new(),
        relation,
        database,
        schema,
        catalog: None,
        freshness: None,
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

fn add_macros(site: &mut Site, manifest: &Manifest) {
    let internal = |package: &str| manifest.macros.internal.iter().any(|name| &**name == package);
    let mut macros: Vec<_> = manifest.macros.all().filter(|of| !internal(&of.package_name) && of.docs.show).cloned().collect();
    macros.sort_by(|a, b| a.unique_id.cmp(&b.unique_id));
    let urls = links::urls(macros.iter().map(|of| {
        let package = links::slug(&of.package_name, &of.package_name);
        (format!("macro/{package}"), of.name.as_str(), of.unique_id.as_str())
    }));
    let places: HashMap<UniqueId, usize> = macros.iter().enumerate().map(|(at, of)| (of.unique_id.clone(), at)).collect();
    let entry = |(of, url)| MacroEntry { url, of, used_by: Vec::new(), callers: Vec::new(), calls: Vec::new() };
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

fn test(site: &Site, resource: Resource, url: String) -> Test {
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
        url,
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
        let own = node.last.as_ref().map_or(State::NotRun, |last| State::of(&last.status));
        let attached = node.tests.iter().map(|test| &site.tests[*test]).filter(|test| test.nodes.first() == Some(&at));
        let fresh = node.freshness.as_ref().and_then(|row| row.get("status")).and_then(Json::as_str).map(State::of);
        let worst = attached.map(|test| test.state).chain([own]).chain(fresh).max();
        site.nodes[at].state = worst.unwrap_or_default();
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
    let internal = |package: &str| manifest.macros.internal.iter().any(|name| &**name == package);
    let mut found: Vec<_> = manifest.docs.values().filter(|block| block.name == name && !internal(&block.package_name)).collect();
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
