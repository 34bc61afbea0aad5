//! Each kind of resource has the keys, in the order, that dbt 1.12 writes (taken down from artifacts it wrote).

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::samples::{self, object};
use super::*;
use crate::event::{RunResult, Status};
use crate::manifest::{
    ColumnInfo, Config, DependsOn, Detail, DocBlock, Docs, Exposure, Group, Json, Macro, MacroKind, MacroRegistry, Manifest,
    Node, Resource, ResourceType, Semantic, Source, TestDetail, TestMetadata, UnitTest,
};

const TOP: &str = "metadata nodes sources macros docs exposures metrics groups selectors disabled parent_map child_map group_map \
    saved_queries semantic_models unit_tests functions";
const METADATA: &str = "dbt_schema_version dbt_version generated_at invocation_id invocation_started_at env project_name project_id \
    user_id send_anonymous_usage_stats adapter_type quoting run_started_at";
const MODEL: &str = "database schema name resource_type package_name path original_file_path unique_id fqn alias checksum config \
    tags description columns meta group docs patch_path build_path unrendered_config created_at relation_name \
    raw_code doc_blocks language refs sources metrics functions depends_on compiled_path compiled compiled_code \
    extra_ctes_injected extra_ctes contract access constraints version latest_version deprecation_date primary_key \
    time_spine";
const SEED: &str = "database schema name resource_type package_name path original_file_path unique_id fqn alias checksum config \
    tags description columns meta group docs patch_path build_path unrendered_config created_at relation_name \
    raw_code doc_blocks root_path depends_on";
const SNAPSHOT: &str = "database schema name resource_type package_name path original_file_path unique_id fqn alias checksum config \
    tags description columns meta group docs patch_path build_path unrendered_config created_at relation_name \
    raw_code doc_blocks language refs sources metrics functions depends_on compiled_path compiled compiled_code \
    extra_ctes_injected extra_ctes contract";
const ANALYSIS: &str = "database schema name resource_type package_name path original_file_path unique_id fqn alias checksum config \
    tags description columns meta group docs patch_path build_path unrendered_config created_at relation_name \
    raw_code doc_blocks language refs sources metrics functions depends_on compiled_path contract";
const OPERATION: &str = "database schema name resource_type package_name path original_file_path unique_id fqn alias checksum config \
    tags description columns meta group docs patch_path build_path unrendered_config created_at relation_name \
    raw_code doc_blocks language refs sources metrics functions depends_on compiled_path compiled compiled_code \
    extra_ctes_injected extra_ctes contract index";
const GENERIC_TEST: &str = "database schema name resource_type package_name path original_file_path unique_id fqn alias checksum config \
    tags description columns meta group docs patch_path build_path unrendered_config created_at relation_name \
    raw_code doc_blocks language refs sources metrics functions depends_on compiled_path compiled compiled_code \
    extra_ctes_injected extra_ctes contract column_name file_key_name attached_node test_metadata";
const FUNCTION: &str = "returns database schema name resource_type package_name path original_file_path unique_id fqn alias checksum \
    config tags description columns meta group docs patch_path build_path unrendered_config created_at \
    relation_name raw_code doc_blocks language refs sources metrics functions depends_on compiled_path compiled \
    compiled_code extra_ctes_injected extra_ctes contract arguments overloads";
const COLUMN: &str = "name description meta data_type constraints quote config tags granularity dimension entity doc_blocks";
const SOURCE: &str = "database schema name resource_type package_name path original_file_path unique_id fqn source_name \
    source_description loader identifier quoting loaded_at_field loaded_at_query freshness external description \
    columns meta source_meta tags config patch_path unrendered_config relation_name created_at unrendered_database \
    unrendered_schema doc_blocks";
const EXPOSURE: &str = "name resource_type package_name path original_file_path unique_id fqn type owner description label maturity \
    meta tags config unrendered_config url depends_on refs sources metrics created_at";
const METRIC: &str = "name resource_type package_name path original_file_path unique_id fqn description label type type_params \
    filter metadata time_granularity config unrendered_config sources depends_on refs metrics created_at group \
    meta tags";
const SEMANTIC_MODEL: &str = "name resource_type package_name path original_file_path unique_id fqn model node_relation description label \
    defaults entities measures dimensions metadata depends_on refs created_at config unrendered_config \
    primary_entity group";
const SAVED_QUERY: &str = "name resource_type package_name path original_file_path unique_id fqn query_params exports description label \
    metadata config unrendered_config group depends_on created_at refs tags";
const UNIT_TEST: &str = "model given expect name resource_type package_name path original_file_path unique_id fqn description overrides \
    depends_on config checksum schema created_at versions version";
const GROUP: &str = "name resource_type package_name path original_file_path unique_id owner description config";
const MACRO: &str = "name resource_type package_name path original_file_path unique_id macro_sql depends_on description meta docs \
    config patch_path arguments created_at supported_languages";
const DOC: &str = "name resource_type package_name path original_file_path unique_id block_contents";
const RUN_RESULT: &str = "status timing thread_id execution_time adapter_response message failures unique_id compiled \
    compiled_code relation_name batch_results overload_results";

fn keys(value: &Json) -> String {
    value.as_object().map(|map| map.keys().cloned().collect::<Vec<_>>().join(" ")).unwrap_or_default()
}

fn of_kind(name: &str, kind: ResourceType, detail: Detail) -> Arc<Node> {
    let unique_id = UniqueId::from(format!("{kind}.shop.{name}"));
    Arc::new(Node { unique_id, resource_type: kind, detail, ..samples::model(name) })
}

fn semantic(kind: &str) -> Arc<Semantic> {
    Arc::new(Semantic {
        unique_id: UniqueId::from(format!("{kind}.shop.s")),
        name: "s".to_owned(),
        package_name: "shop".into(),
        path: "s.yml".to_owned(),
        original_file_path: "models/s.yml".to_owned(),
        fqn: Vec::new(),
        description: String::new(),
        label: None,
        group: Some("g".to_owned()),
        tags: Vec::new(),
        meta: JsonMap::new(),
        config: Config::default(),
        unrendered_config: JsonMap::new(),
        depends_on: DependsOn::default(),
        refs: Vec::new(),
        body: object(json!({"type": "simple", "exports": [{"name": "e"}]})),
        created_at: 1.5,
    })
}

fn source() -> Source {
    Source {
        unique_id: "source.shop.raw.t".into(),
        name: "t".to_owned(),
        source_name: "raw".to_owned(),
        source_description: String::new(),
        package_name: "shop".into(),
        path: "models/s.yml".to_owned(),
        original_file_path: "models/s.yml".to_owned(),
        fqn: Vec::new(),
        database: Some("db".to_owned()),
        schema: "raw".to_owned(),
        identifier: "t".to_owned(),
        relation_name: "\"db\".\"raw\".\"t\"".to_owned(),
        loader: String::new(),
        quoting: JsonMap::new(),
        loaded_at_field: None,
        loaded_at_query: None,
        freshness: Json::Null,
        external: Json::Null,
        description: String::new(),
        columns: indexmap::IndexMap::new(),
        meta: JsonMap::new(),
        source_meta: JsonMap::new(),
        tags: Vec::new(),
        config: Config::default(),
        unrendered_config: JsonMap::new(),
        unrendered_database: None,
        unrendered_schema: None,
        patch_path: None,
        doc_blocks: Vec::new(),
        docs: Docs::default(),
        created_at: 1.0,
    }
}

fn exposure() -> Exposure {
    Exposure {
        unique_id: "exposure.shop.e".into(),
        name: "e".to_owned(),
        package_name: "shop".into(),
        path: "s.yml".to_owned(),
        original_file_path: "models/s.yml".to_owned(),
        fqn: Vec::new(),
        kind: "dashboard".to_owned(),
        owner: object(json!({"name": "n"})),
        description: String::new(),
        label: None,
        maturity: None,
        url: None,
        meta: JsonMap::new(),
        tags: Vec::new(),
        config: Config::default(),
        unrendered_config: JsonMap::new(),
        depends_on: DependsOn { macros: Vec::new(), nodes: vec!["model.shop.orders".into()] },
        refs: Vec::new(),
        sources: vec![("raw".to_owned(), "t".to_owned())],
        metrics: Vec::new(),
        created_at: 1.0,
    }
}

fn unit_test() -> UnitTest {
    UnitTest {
        unique_id: "unit_test.shop.orders.u".into(),
        name: "u".to_owned(),
        model: "orders".to_owned(),
        tested_node: None,
        package_name: "shop".into(),
        path: "s.yml".to_owned(),
        original_file_path: "models/s.yml".to_owned(),
        fqn: Vec::new(),
        description: String::new(),
        given: Vec::new(),
        expect: JsonMap::new(),
        overrides: Json::Null,
        version: None,
        versions: Json::Null,
        schema: "main".to_owned(),
        checksum: None,
        tags: Vec::new(),
        meta: JsonMap::new(),
        config: Config::default(),
        depends_on: DependsOn::default(),
        created_at: 1.0,
    }
}

fn group() -> Group {
    Group {
        unique_id: "group.shop.g".into(),
        name: "g".to_owned(),
        package_name: "shop".into(),
        path: "s.yml".to_owned(),
        original_file_path: "models/s.yml".to_owned(),
        owner: JsonMap::new(),
        description: None,
        config: JsonMap::new(),
    }
}

fn a_macro() -> Macro {
    let source = crate::diagnostic::SourceText::new("macros/m.sql", "{% macro m() %}{% endmacro %}");
    Macro {
        unique_id: "macro.shop.m".into(),
        package_name: "shop".into(),
        name: "m".to_owned(),
        kind: MacroKind::Macro,
        original_file_path: "macros/m.sql".into(),
        span: crate::diagnostic::Span::new(0, source.text.len()),
        source,
        signature: Vec::new(),
        depends_on: Vec::new(),
        description: String::new(),
        meta: JsonMap::new(),
        docs: Docs::default(),
        config: Config::default(),
        patch_path: None,
        arguments: Vec::new(),
        created_at: 1.0,
    }
}

fn by_id<T>(items: Vec<(UniqueId, T)>) -> indexmap::IndexMap<UniqueId, T> {
    items.into_iter().collect()
}

/// One resource of each kind.
fn one_of_each() -> Manifest {
    let generic = Detail::Test(TestDetail { metadata: Some(TestMetadata::default()), ..TestDetail::default() });
    let mut model = samples::model("orders");
    model.group = Some("g".to_owned());
    model.columns.insert("id".to_owned(), ColumnInfo { name: "id".to_owned(), ..ColumnInfo::default() });
    let nodes = [
        Arc::new(model),
        of_kind("seeded", ResourceType::Seed, Detail::Seed { root_path: "/p".to_owned(), delimiter: None }),
        of_kind("snapped", ResourceType::Snapshot, Detail::Snapshot),
        of_kind("analysed", ResourceType::Analysis, Detail::Analysis),
        of_kind("hooked", ResourceType::Operation, Detail::Operation { index: 0 }),
        of_kind("tested", ResourceType::Test, generic),
    ];
    let function = of_kind("f", ResourceType::Function, Detail::Function(object(json!({"returns": {"data_type": "int"}}))));
    let macros = MacroRegistry {
        packages: indexmap::IndexMap::from([("shop".into(), indexmap::IndexMap::from([("m".to_owned(), Arc::new(a_macro()))]))]),
        ..MacroRegistry::default()
    };
    let doc = DocBlock {
        unique_id: "doc.shop.d".into(),
        name: "d".to_owned(),
        package_name: "shop".into(),
        path: "d.md".to_owned(),
        original_file_path: "models/d.md".into(),
        block_contents: String::new(),
    };
    Manifest {
        nodes: nodes.into_iter().map(|node| (node.unique_id.clone(), node)).collect(),
        sources: by_id(vec![("source.shop.raw.t".into(), Arc::new(source()))]),
        exposures: by_id(vec![("exposure.shop.e".into(), Arc::new(exposure()))]),
        metrics: by_id(vec![("metric.shop.s".into(), semantic("metric"))]),
        semantic_models: by_id(vec![("semantic_model.shop.s".into(), semantic("semantic_model"))]),
        saved_queries: by_id(vec![("saved_query.shop.s".into(), semantic("saved_query"))]),
        unit_tests: by_id(vec![("unit_test.shop.orders.u".into(), Arc::new(unit_test()))]),
        groups: by_id(vec![("group.shop.g".into(), Arc::new(group()))]),
        functions: by_id(vec![("function.shop.f".into(), function)]),
        docs: by_id(vec![("doc.shop.d".into(), Arc::new(doc))]),
        macros: Arc::new(macros),
        ..Manifest::default()
    }
}

fn compiled(manifest: &Manifest) -> CompiledNodes {
    let all = manifest.nodes.keys().chain(manifest.functions.keys());
    all.filter(|id| !id.as_str().contains("analysed")).map(|id| (id.clone(), Arc::new(Compiled::default()))).collect()
}

#[test]
fn every_kind_has_dbts_keys() {
    let of = one_of_each();
    let text = manifest(&of, &compiled(&of), &Metadata::default());
    let whole: Json = serde_json::from_slice(&text).expect("JSON");
    assert_eq!(keys(&whole), TOP);
    assert_eq!(keys(&whole["metadata"]), METADATA);
    let check = |section: &str, id: &str, expected: &str| assert_eq!(keys(&whole[section][id]), expected, "{id}");
    check("nodes", "model.shop.orders", MODEL);
    check("nodes", "seed.shop.seeded", SEED);
    check("nodes", "snapshot.shop.snapped", SNAPSHOT);
    check("nodes", "analysis.shop.analysed", ANALYSIS);
    check("nodes", "operation.shop.hooked", OPERATION);
    check("nodes", "test.shop.tested", GENERIC_TEST);
    check("functions", "function.shop.f", FUNCTION);
    check("sources", "source.shop.raw.t", SOURCE);
    check("exposures", "exposure.shop.e", EXPOSURE);
    check("metrics", "metric.shop.s", METRIC);
    check("semantic_models", "semantic_model.shop.s", SEMANTIC_MODEL);
    check("saved_queries", "saved_query.shop.s", SAVED_QUERY);
    check("unit_tests", "unit_test.shop.orders.u", UNIT_TEST);
    check("groups", "group.shop.g", GROUP);
    check("macros", "macro.shop.m", MACRO);
    check("docs", "doc.shop.d", DOC);
    let column = &whole["nodes"]["model.shop.orders"]["columns"]["id"];
    assert_eq!(keys(column), COLUMN);
    assert_eq!(column["config"], json!({"meta": {}, "tags": []}));
    assert_eq!(whole["nodes"]["operation.shop.hooked"]["index"], 0);
    assert_eq!(whole["parent_map"]["exposure.shop.e"], json!(["model.shop.orders"]));
    assert_eq!(whole["child_map"]["model.shop.orders"], json!(["exposure.shop.e"]));
    assert_eq!(whole["group_map"]["g"][0], "model.shop.orders");
    assert_eq!(whole["exposures"]["exposure.shop.e"]["sources"], json!([["raw", "t"]]));
}

#[test]
fn what_was_not_compiled_says_nothing_of_it() {
    let of = one_of_each();
    let text = manifest(&of, &CompiledNodes::default(), &Metadata::default());
    let whole: Json = serde_json::from_slice(&text).expect("JSON");
    let model = &whole["nodes"]["model.shop.orders"];
    assert!(model.get("compiled").is_none() && model.get("compiled_code").is_none() && model.get("extra_ctes").is_none());
    assert_eq!(model["compiled_path"], Json::Null);
    assert!(model.get("config_call_dict").is_none());
}

#[test]
fn macros_called_while_running_are_added() {
    let node = Resource::Node(Arc::new(samples::model("orders")));
    let compiled = Compiled { macros: vec!["macro.dbt.statement".into()], ..Compiled::default() };
    let shown = resource(&node, Some(&compiled));
    assert_eq!(shown["depends_on"]["macros"], json!(["macro.dbt.statement"]));
    assert!(shown.get("config_call_dict").is_some(), "Jinja sees the calls of config too");
}

#[test]
fn jinjas_model_leaves_out_what_has_no_value() {
    let mut node = samples::model("orders");
    node.meta = object(json!({"kept": null}));
    let shown = model(&Resource::Node(Arc::new(node)), None);
    assert!(shown.get("group").is_none() && shown["docs"].get("node_color").is_none());
    assert_eq!(shown["meta"], json!({"kept": null}));
}

#[test]
fn run_results_say_null_where_there_is_no_sql() {
    let of = one_of_each();
    let row = |id: &str, change: &dyn Fn(&mut RunResult)| -> Json {
        let mut result = samples::result(&UniqueId::from(id), Status::Success, None);
        change(&mut result);
        let text = run_results(&of, &[Arc::new(result)], Duration::from_secs(1), &JsonMap::new(), &Metadata::default());
        let whole: Json = serde_json::from_str(&text).expect("JSON");
        assert_eq!(keys(&whole), "metadata results elapsed_time args");
        assert_eq!(keys(&whole["results"][0]), RUN_RESULT);
        whole["results"][0].clone()
    };
    let code = |result: &mut RunResult| result.compiled = Some(Compiled { code: "select 1".into(), ..Compiled::default() });
    let made = row("model.shop.orders", &code);
    assert_eq!((&made["compiled"], &made["compiled_code"]), (&json!(true), &json!("select 1")));
    assert_eq!(made["relation_name"], "\"warehouse\".\"main\".\"orders\"");
    let skipped = row("model.shop.orders", &|result| {
        result.status = Status::Skipped;
        result.execution_time = Duration::ZERO;
    });
    assert_eq!((&skipped["compiled"], skipped["execution_time"].to_string().as_str()), (&json!(false), "0"));
    assert_eq!(row("seed.shop.seeded", &code)["compiled"], Json::Null);
    assert_eq!(row("exposure.shop.e", &|_| {})["compiled"], Json::Null);
    assert_eq!(row("unit_test.shop.orders.u", &code)["compiled"], true);
    assert_eq!(row("macro.shop.m", &|_| {})["compiled"], false);
}

#[test]
fn ls_shows_the_asked_keys_that_are_there() {
    let node = Resource::Node(Arc::new(samples::model("orders")));
    let names = ["unique_id", "no_such", "config.materialized", "freshness"].map(str::to_owned);
    assert_eq!(listed(&node, &names), json!({"unique_id": "model.shop.orders", "config.materialized": "table"}));
    assert_eq!(
        keys(&listed(&node, &[])),
        "name resource_type package_name original_file_path unique_id alias config tags depends_on direct_parents"
    );
}

#[test]
fn where_sql_is_written() {
    let path = |change: &dyn Fn(&mut Node)| {
        let mut node = samples::model("orders");
        change(&mut node);
        output_path(&node)
    };
    assert_eq!(path(&|_| {}), "shop/models/orders.sql");
    assert_eq!(path(&|node| "models/schema.yml".clone_into(&mut node.original_file_path)), "shop/models/schema.yml/orders.sql");
    assert_eq!(path(&|node| node.resource_type = ResourceType::Snapshot), "shop/models/orders.sql/orders.sql");
}

#[test]
fn a_graph_summary_numbers_its_nodes() {
    let of = one_of_each();
    let metadata = Metadata { invocation_id: "id-1".to_owned(), ..Metadata::default() };
    let whole: Json = serde_json::from_str(&graph_summary(&of, &metadata, true)).expect("JSON");
    assert_eq!(keys(&whole), "_invocation_id linked with_test_edges");
    assert_eq!(whole["linked"]["0"], json!({"name": "source.shop.raw.t", "type": "source"}));
    assert_eq!(whole["linked"]["1"]["name"], "model.shop.orders");
    assert_eq!(whole["linked"]["1"]["succ"].as_array().map(Vec::len), Some(1));
}
