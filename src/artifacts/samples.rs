//! Resources and results for tests of artifacts and reports.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::event::{Event, RunResult, Status};
use crate::manifest::{
    Checksum, Config, Contract, DependsOn, Detail, Docs, Json, Language, ModelDetail, Node, Resource, ResourceType, TestDetail,
    UniqueId,
};

pub(crate) fn object(value: Json) -> crate::manifest::JsonMap {
    if let Json::Object(map) = value { map } else { crate::manifest::JsonMap::new() }
}

/// A table model, `model.shop.<name>`.
pub(crate) fn model(name: &str) -> Node {
    Node {
        unique_id: UniqueId::from(format!("model.shop.{name}")),
        resource_type: ResourceType::Model,
        name: name.to_owned(),
        package_name: "shop".into(),
        path: format!("{name}.sql"),
        original_file_path: format!("models/{name}.sql"),
        fqn: vec!["shop".to_owned(), name.to_owned()],
        database: Some("warehouse".to_owned()),
        schema: "main".to_owned(),
        alias: name.to_owned(),
        relation_name: Some(format!("\"warehouse\".\"main\".\"{name}\"")),
        checksum: Checksum { name: "sha256", checksum: "abc".to_owned() },
        config: Config(object(json!({"enabled": true, "materialized": "table"}))),
        unrendered_config: object(json!({})),
        config_call_dict: object(json!({})),
        unrendered_config_call_dict: object(json!({})),
        tags: Vec::new(),
        description: String::new(),
        columns: indexmap::IndexMap::new(),
        meta: object(json!({"k": 1})),
        group: None,
        docs: Docs::default(),
        doc_blocks: Vec::new(),
        patch_path: None,
        created_at: 1_795_253_836.5,
        raw_code: "select 1".into(),
        language: Language::Sql,
        refs: Vec::new(),
        sources: Vec::new(),
        metrics: Vec::new(),
        functions: Vec::new(),
        depends_on: DependsOn::default(),
        contract: Contract::default(),
        detail: Detail::Model(ModelDetail { access: "protected".to_owned(), ..ModelDetail::default() }),
        source_offset: 0,
    }
}

/// A singular test, `test.shop.<name>`.
pub(crate) fn test(name: &str) -> Node {
    let config = Config(object(json!({"materialized": "test", "severity": "ERROR"})));
    Node {
        unique_id: UniqueId::from(format!("test.shop.{name}")),
        resource_type: ResourceType::Test,
        original_file_path: format!("tests/{name}.sql"),
        relation_name: None,
        config,
        detail: Detail::Test(TestDetail { attached_node: Some("model.shop.orders".into()), ..TestDetail::default() }),
        ..model(name)
    }
}

pub(crate) fn result(id: &UniqueId, status: Status, message: Option<&str>) -> RunResult {
    RunResult {
        execution_time: Duration::from_millis(50),
        adapter_response: object(json!({"_message": "OK", "rows_affected": 3})),
        message: message.map(str::to_owned),
        ..RunResult::new(id.clone(), status, "Thread-1 (worker)".to_owned())
    }
}

/// NodeFinished of the table `orders`, its result changed.
pub(crate) fn finished(change: impl FnOnce(&mut RunResult)) -> Event {
    let node = Resource::Node(Arc::new(model("orders")));
    let mut result = result(node.unique_id(), Status::Success, Some("OK"));
    change(&mut result);
    Event::NodeFinished { node, index: 1, total: 2, started_at: SystemTime::now(), result: Arc::new(result), group: None }
}
