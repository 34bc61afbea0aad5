//! The project: a shop with two layers of models, every kind of resource, and one installed package.

use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::diagnostic::{Diagnostic, SourceText};
use crate::graph::{Graph, IndirectSelection, SelectionRequest, select};
use crate::manifest::{
    Checksum, Config, Contract, DependsOn, Detail, Docs, Exposure, Json, JsonMap, Language, Manifest, ModelDetail, Node,
    ResourceType, Semantic, Source, TestDetail, TestMetadata, UniqueId, UnitTest, VersionText,
};
use crate::project::{FileKind, InvocationInfo, Package, Profile, Project, ProjectConfig, SourceFile};
use crate::yaml;

/// A node without properties: `kind.package.name`, its file, what it reads.
pub fn node(id: &str, file: &str, parents: &[&str]) -> Node {
    let mut parts = id.splitn(3, '.');
    let kind: ResourceType = parts.next().and_then(|kind| kind.parse().ok()).expect("a resource type");
    let package = parts.next().expect("a package");
    let name = parts.next().expect("a name");
    let folders: Vec<&str> = file.split('/').collect();
    let mut fqn = vec![package.to_string()];
    fqn.extend(folders[1..folders.len() - 1].iter().map(ToString::to_string));
    fqn.extend(name.split('.').map(ToString::to_string));
    let detail = match kind {
        ResourceType::Model => Detail::Model(ModelDetail { access: "protected".into(), ..ModelDetail::default() }),
        ResourceType::Seed => Detail::Seed { root_path: String::new(), delimiter: None },
        ResourceType::Snapshot => Detail::Snapshot,
        ResourceType::Test => Detail::Test(TestDetail::default()),
        _ => Detail::Analysis,
    };
    Node {
        unique_id: id.into(),
        resource_type: kind,
        name: name.split('.').next().unwrap_or(name).to_string(),
        package_name: package.into(),
        path: folders[1..].join("/"),
        original_file_path: file.into(),
        fqn,
        database: None,
        schema: "main".into(),
        alias: name.into(),
        relation_name: None,
        checksum: Checksum::default(),
        config: Config::default(),
        unrendered_config: JsonMap::new(),
        config_call_dict: JsonMap::new(),
        unrendered_config_call_dict: JsonMap::new(),
        tags: Vec::new(),
        description: String::new(),
        columns: IndexMap::new(),
        meta: JsonMap::new(),
        group: None,
        docs: Docs::default(),
        doc_blocks: Vec::new(),
        patch_path: None,
        created_at: 0.0,
        raw_code: "select 1".into(),
        language: Language::Sql,
        refs: Vec::new(),
        sources: Vec::new(),
        metrics: Vec::new(),
        functions: Vec::new(),
        depends_on: depends_on(parents),
        contract: Contract::default(),
        detail,
        source_offset: 0,
    }
}

fn depends_on(parents: &[&str]) -> DependsOn {
    DependsOn { macros: Vec::new(), nodes: parents.iter().map(|id| UniqueId::from(*id)).collect() }
}

pub fn config(pairs: Json) -> Config {
    match pairs {
        Json::Object(map) => Config(map),
        _ => Config::default(),
    }
}

fn generic(mut test: Node, name: &str) -> Node {
    test.detail = Detail::Test(TestDetail {
        metadata: Some(TestMetadata { name: name.into(), ..TestMetadata::default() }),
        ..TestDetail::default()
    });
    test
}

fn version(number: &str, latest: &str) -> Detail {
    let text = |text: &str| Some(VersionText { text: text.into(), number: true });
    Detail::Model(ModelDetail {
        access: "public".into(),
        version: text(number),
        latest_version: text(latest),
        ..ModelDetail::default()
    })
}

fn nodes() -> Vec<Node> {
    let stg_orders = Node {
        tags: vec!["staging".into()],
        patch_path: Some("shop://models/staging/staging.yml".into()),
        ..node("model.shop.stg_orders", "models/staging/stg_orders.sql", &["source.shop.raw.orders"])
    };
    let stg_customers = Node {
        tags: vec!["staging".into(), "people".into()],
        config: config(serde_json::json!({"materialized": "view", "persist_docs": {"relation": true}})),
        ..node("model.shop.stg_customers", "models/staging/stg_customers.sql", &["seed.shop.raw_customers"])
    };
    let orders = Node {
        tags: vec!["nightly".into()],
        config: config(serde_json::json!({
            "materialized": "table", "group": "finance", "meta": {"owner": "anna", "rank": 2}, "tags": ["nightly"],
        })),
        ..node("model.shop.orders", "models/marts/orders.sql", &["model.shop.stg_orders", "model.shop.stg_customers"])
    };
    let mut customers =
        node("model.shop.customers", "models/marts/customers.sql", &["model.shop.orders", "model.shop.stg_customers"]);
    customers.config = config(serde_json::json!({"materialized": "table", "enabled": true}));
    let mut dim1 = node("model.shop.dim.v1", "models/marts/dim_v1.sql", &["model.shop.customers"]);
    dim1.detail = version("1", "2");
    let mut dim2 = node("model.shop.dim.v2", "models/marts/dim_v2.sql", &["model.shop.customers"]);
    dim2.detail = version("2", "2");
    let mut dim10 = node("model.shop.dim.v10", "models/marts/dim_v10.sql", &["model.shop.customers"]);
    dim10.detail = version("10", "2");
    let mut empty = node("model.shop.blank", "models/marts/blank.sql", &[]);
    empty.raw_code = " \n".into();
    let mut not_null = generic(node("test.shop.not_null_orders", "models/marts/marts.yml", &["model.shop.orders"]), "not_null");
    not_null.config = config(serde_json::json!({"severity": "ERROR", "store_failures": true}));
    vec![
        stg_orders,
        stg_customers,
        orders,
        customers,
        dim1,
        dim2,
        dim10,
        empty,
        node("model.kit.calendar", "models/calendar.sql", &[]),
        node("model.kit.helper", "models/staging/helper.sql", &["model.kit.calendar"]),
        node("seed.shop.raw_customers", "seeds/raw_customers.csv", &[]),
        node("snapshot.shop.customer_history", "snapshots/history.sql", &["model.shop.stg_customers"]),
        node("analysis.shop.look", "analyses/look.sql", &["model.shop.orders"]),
        not_null,
        generic(node("test.shop.unique_stg_orders", "models/staging/staging.yml", &["model.shop.stg_orders"]), "unique"),
        generic(
            node("test.shop.relationships", "models/marts/marts.yml", &["model.shop.customers", "model.shop.orders"]),
            "relationships",
        ),
        generic(node("test.shop.source_not_null", "models/staging/staging.yml", &["source.shop.raw.orders"]), "not_null"),
        node("test.shop.totals_add_up", "tests/totals_add_up.sql", &["model.shop.orders", "model.shop.stg_orders"]),
    ]
}

fn source(name: &str) -> Source {
    Source {
        unique_id: format!("source.shop.raw.{name}").into(),
        name: name.into(),
        source_name: "raw".into(),
        source_description: String::new(),
        package_name: "shop".into(),
        path: "models/staging/staging.yml".into(),
        original_file_path: "models/staging/staging.yml".into(),
        fqn: vec!["shop".into(), "staging".into(), "raw".into(), name.into()],
        database: None,
        schema: "raw".into(),
        identifier: name.into(),
        relation_name: name.into(),
        loader: String::new(),
        quoting: JsonMap::new(),
        loaded_at_field: None,
        loaded_at_query: None,
        freshness: Json::Null,
        external: Json::Null,
        description: String::new(),
        columns: IndexMap::new(),
        meta: JsonMap::new(),
        source_meta: JsonMap::new(),
        tags: vec!["landing".into()],
        config: Config::default(),
        unrendered_config: JsonMap::new(),
        unrendered_database: None,
        unrendered_schema: None,
        patch_path: None,
        doc_blocks: Vec::new(),
        docs: Docs::default(),
        created_at: 0.0,
    }
}

fn semantic(id: &str, parents: &[&str]) -> Arc<Semantic> {
    let name = id.rsplit('.').next().unwrap_or(id);
    Arc::new(Semantic {
        unique_id: id.into(),
        name: name.into(),
        package_name: "shop".into(),
        path: "semantics.yml".into(),
        original_file_path: "models/semantics.yml".into(),
        fqn: vec!["shop".into(), name.into()],
        description: String::new(),
        label: None,
        group: None,
        tags: Vec::new(),
        meta: JsonMap::new(),
        config: Config::default(),
        unrendered_config: JsonMap::new(),
        depends_on: depends_on(parents),
        refs: Vec::new(),
        body: JsonMap::new(),
        created_at: 0.0,
    })
}

fn exposure() -> Exposure {
    Exposure {
        unique_id: "exposure.shop.dashboard".into(),
        name: "dashboard".into(),
        package_name: "shop".into(),
        path: "marts/marts.yml".into(),
        original_file_path: "models/marts/marts.yml".into(),
        fqn: vec!["shop".into(), "marts".into(), "dashboard".into()],
        kind: "dashboard".into(),
        owner: JsonMap::new(),
        description: String::new(),
        label: None,
        maturity: None,
        url: None,
        meta: JsonMap::new(),
        tags: vec!["nightly".into()],
        config: Config::default(),
        unrendered_config: JsonMap::new(),
        depends_on: depends_on(&["model.shop.customers"]),
        refs: Vec::new(),
        sources: Vec::new(),
        metrics: Vec::new(),
        created_at: 0.0,
    }
}

fn unit_test() -> UnitTest {
    UnitTest {
        unique_id: "unit_test.shop.orders.sums".into(),
        name: "sums".into(),
        model: "orders".into(),
        tested_node: Some("model.shop.orders".into()),
        package_name: "shop".into(),
        path: "marts/marts.yml".into(),
        original_file_path: "models/marts/marts.yml".into(),
        fqn: vec!["shop".into(), "marts".into(), "orders".into(), "sums".into()],
        description: String::new(),
        given: Vec::new(),
        expect: JsonMap::new(),
        overrides: Json::Null,
        version: None,
        versions: Json::Null,
        schema: "main".into(),
        checksum: Some("abc".into()),
        tags: Vec::new(),
        meta: JsonMap::new(),
        config: Config::default(),
        depends_on: depends_on(&["model.shop.orders"]),
        created_at: 0.0,
    }
}

pub fn manifest() -> Manifest {
    let mut manifest = manifest_of(nodes());
    for name in ["orders", "payments"] {
        let source = source(name);
        manifest.sources.insert(source.unique_id.clone(), Arc::new(source));
    }
    let exposure = exposure();
    manifest.exposures.insert(exposure.unique_id.clone(), Arc::new(exposure));
    let unit_test = unit_test();
    manifest.unit_tests.insert(unit_test.unique_id.clone(), Arc::new(unit_test));
    let model = semantic("semantic_model.shop.order_facts", &["model.shop.orders"]);
    manifest.semantic_models.insert(model.unique_id.clone(), model);
    let metric = semantic("metric.shop.revenue", &["semantic_model.shop.order_facts"]);
    manifest.metrics.insert(metric.unique_id.clone(), metric);
    let query = semantic("saved_query.shop.by_month", &["metric.shop.revenue"]);
    manifest.saved_queries.insert(query.unique_id.clone(), query);
    manifest
}

pub fn manifest_of(nodes: Vec<Node>) -> Manifest {
    Manifest {
        project_name: "shop".into(),
        nodes: nodes.into_iter().map(|node| (node.unique_id.clone(), Arc::new(node))).collect(),
        ..Manifest::default()
    }
}

fn package(name: &str, files: &[&str]) -> Arc<Package> {
    let file = |path: &&str| {
        Arc::new(SourceFile {
            kind: FileKind::Model,
            original_path: (*path).into(),
            path: (*path).into(),
            search_path: "models".into(),
            source: SourceText::new(*path, ""),
            checksum: Checksum::default(),
            modified: None,
            library: None,
        })
    };
    Arc::new(Package {
        name: name.into(),
        root: PathBuf::from("/project"),
        builtin: false,
        config: ProjectConfig { name: name.into(), ..ProjectConfig::default() },
        files: files.iter().map(file).collect(),
    })
}

/// The project that belongs to it, with the text of a selectors.yml, or none.
pub fn project(selectors: Option<&str>) -> Project {
    let files = ["models/staging/stg_orders.sql", "models/marts/orders.sql", "models/staging/staging.yml"];
    Project {
        root: PathBuf::from("/project"),
        packages: vec![package("shop", &files), package("kit", &["models/calendar.sql"])],
        profile: Profile::default(),
        cli_vars: JsonMap::new(),
        vars_file: JsonMap::new(),
        selectors: selectors.map(|text| {
            let source = SourceText::new("selectors.yml", text);
            let (yaml, _) = yaml::read(&source);
            (source, yaml.expect("valid YAML"))
        }),
        flags: JsonMap::new(),
        target_path: PathBuf::from("/project/target"),
        log_path: PathBuf::from("/project/logs"),
        packages_path: PathBuf::from("/project/dbt_packages"),
        invocation: Arc::new(InvocationInfo::default()),
        ..Project::default()
    }
}

/// Chooses from the shop; ids without their package.
pub fn choose(selectors: Option<&str>, request: &SelectionRequest) -> (Vec<String>, Vec<Diagnostic>) {
    let (project, manifest) = (project(selectors), manifest());
    let (graph, found) = Graph::new(&manifest);
    assert!(found.is_empty(), "{found:?}");
    let (selection, diagnostics) = select(&project, &manifest, &graph, request);
    let mut names: Vec<String> = selection.ids.iter().map(|id| short(id.as_str())).collect();
    names.sort();
    (names, diagnostics)
}

/// `model.shop.orders` is `orders`; other kinds keep theirs: `test.not_null_orders`.
pub fn short(id: &str) -> String {
    let id = id.replacen(".shop.", ".", 1);
    id.strip_prefix("model.").map_or(id.clone(), ToString::to_string)
}

pub fn request(select: &[&str], exclude: &[&str], indirect: IndirectSelection) -> SelectionRequest {
    SelectionRequest {
        select: select.iter().map(ToString::to_string).collect(),
        exclude: exclude.iter().map(ToString::to_string).collect(),
        indirect: Some(indirect),
        ..SelectionRequest::default()
    }
}
