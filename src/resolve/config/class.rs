//! The config classes: which keys a resource's config has, their order, defaults, and how levels merge.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::json;

use crate::manifest::{Json, JsonMap, ResourceType};

/// How a later level changes an earlier one's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// The later value replaces the earlier one.
    Clobber,
    /// Both become lists and are joined.
    Append,
    /// Two maps: the later one's keys win.
    Update,
    /// Two maps of lists (grants): a key replaces, `+key` extends.
    DictKeyAppend,
}

/// What a value must look like, and how it is brought into the artifact's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Any,
    Bool,
    OptBool,
    Text,
    OptText,
    OptInt,
    Map,
    TextList,
    TextOrList,
    OptTextOrList,
    /// `pre-hook`, `post-hook`: each entry `{sql, transaction, index}`.
    Hooks,
    Docs,
    Contract,
    /// `on` / `off` may have been read as booleans.
    OnOff,
    OneOf(&'static [&'static str]),
    OptOneOf(&'static [&'static str]),
    /// A map with exactly these keys (each absent one null).
    Object(&'static [&'static str]),
    VersionPointer,
    ModelFreshness,
    SourceFreshness,
    Severity,
}

/// One key of a class.
#[derive(Debug, Clone)]
pub struct Field {
    pub key: &'static str,
    pub default: Json,
    pub merge: Merge,
    pub shape: Shape,
}

/// A config class: its fields in the artifact's order.
#[derive(Debug)]
pub struct Class {
    pub fields: Vec<Field>,
    index: HashMap<&'static str, usize>,
    defaults: JsonMap,
}

impl Class {
    fn new(fields: Vec<Field>) -> Self {
        let index = fields.iter().enumerate().map(|(at, field)| (field.key, at)).collect();
        let defaults = fields.iter().map(|field| (field.key.to_owned(), field.default.clone())).collect();
        Self { fields, index, defaults }
    }

    pub fn field(&self, key: &str) -> Option<&Field> {
        self.index.get(key).map(|at| &self.fields[*at])
    }

    /// A config of nothing but defaults.
    pub fn defaults(&self) -> JsonMap {
        self.defaults.clone()
    }
}

fn field(key: &'static str, default: Json, shape: Shape) -> Field {
    merged(key, default, shape, Merge::Clobber)
}

fn merged(key: &'static str, default: Json, shape: Shape, merge: Merge) -> Field {
    Field { key, default, merge, shape }
}

/// Replaces fields that `changed` redefines in place, and adds its others at the end.
fn extended(mut base: Vec<Field>, changed: Vec<Field>) -> Vec<Field> {
    for field in changed {
        match base.iter_mut().find(|known| known.key == field.key) {
            Some(known) => *known = field,
            None => base.push(field),
        }
    }
    base
}

fn node_and_test() -> Vec<Field> {
    vec![
        field("enabled", json!(true), Shape::Bool),
        field("alias", Json::Null, Shape::OptText),
        field("schema", Json::Null, Shape::OptText),
        field("database", Json::Null, Shape::OptText),
        merged("tags", json!([]), Shape::TextOrList, Merge::Append),
        merged("meta", json!({}), Shape::Map, Merge::Update),
        field("group", Json::Null, Shape::OptText),
        field("static_analysis", Json::Null, Shape::OnOff),
    ]
}

fn node() -> Vec<Field> {
    let fields = vec![
        field("materialized", json!("view"), Shape::Text),
        field("incremental_strategy", Json::Null, Shape::OptText),
        field("batch_size", Json::Null, Shape::Any),
        field("lookback", json!(1), Shape::Any),
        field("begin", Json::Null, Shape::Any),
        field("persist_docs", json!({}), Shape::Map),
        merged("post-hook", json!([]), Shape::Hooks, Merge::Append),
        merged("pre-hook", json!([]), Shape::Hooks, Merge::Append),
        merged("quoting", json!({}), Shape::Map, Merge::Update),
        merged("column_types", json!({}), Shape::Map, Merge::Update),
        field("full_refresh", Json::Null, Shape::OptBool),
        field("unique_key", Json::Null, Shape::OptTextOrList),
        field("on_schema_change", json!("ignore"), Shape::OptText),
        field("on_configuration_change", json!("apply"), Shape::OneOf(&["apply", "continue", "fail"])),
        merged("grants", json!({}), Shape::Map, Merge::DictKeyAppend),
        merged("packages", json!([]), Shape::TextList, Merge::Append),
        merged("docs", json!({"show": true, "node_color": null}), Shape::Docs, Merge::Update),
        merged("contract", json!({"enforced": false, "alias_types": true}), Shape::Contract, Merge::Update),
        field("event_time", Json::Null, Shape::Any),
        field("concurrent_batches", Json::Null, Shape::Any),
    ];
    extended(node_and_test(), fields)
}

fn model() -> Vec<Field> {
    let fields = vec![
        field("access", json!("protected"), Shape::OneOf(&["private", "protected", "public"])),
        field("freshness", Json::Null, Shape::ModelFreshness),
        field("on_error", Json::Null, Shape::OptOneOf(&["skip_children", "continue"])),
        merged("latest_version_pointer", json!({"enabled": null, "alias": null}), Shape::VersionPointer, Merge::Update),
    ];
    extended(node(), fields)
}

fn seed() -> Vec<Field> {
    let fields = vec![
        field("materialized", json!("seed"), Shape::OneOf(&["seed"])),
        field("delimiter", json!(","), Shape::Text),
        field("quote_columns", Json::Null, Shape::OptBool),
    ];
    extended(node(), fields)
}

const SNAPSHOT_COLUMNS: &[&str] = &["dbt_valid_to", "dbt_valid_from", "dbt_scd_id", "dbt_updated_at", "dbt_is_deleted"];

fn snapshot() -> Vec<Field> {
    let columns: JsonMap = SNAPSHOT_COLUMNS.iter().map(|key| ((*key).to_owned(), Json::Null)).collect();
    let fields = vec![
        field("materialized", json!("snapshot"), Shape::OneOf(&["snapshot"])),
        field("strategy", Json::Null, Shape::OptText),
        field("target_schema", Json::Null, Shape::OptText),
        field("target_database", Json::Null, Shape::OptText),
        field("updated_at", Json::Null, Shape::OptText),
        field("check_cols", Json::Null, Shape::OptTextOrList),
        field("snapshot_meta_column_names", Json::Object(columns), Shape::Object(SNAPSHOT_COLUMNS)),
        field("dbt_valid_to_current", Json::Null, Shape::OptText),
    ];
    extended(node(), fields)
}

fn test() -> Vec<Field> {
    let fields = vec![
        field("schema", json!("dbt_test__audit"), Shape::OptText),
        field("materialized", json!("test"), Shape::OneOf(&["test"])),
        field("severity", json!("ERROR"), Shape::Severity),
        field("store_failures", Json::Null, Shape::OptBool),
        field("store_failures_as", Json::Null, Shape::OptText),
        field("sql_header", Json::Null, Shape::Any),
        field("where", Json::Null, Shape::OptText),
        field("limit", Json::Null, Shape::OptInt),
        field("fail_calc", json!("count(*)"), Shape::Text),
        field("warn_if", json!("!= 0"), Shape::Text),
        field("error_if", json!("!= 0"), Shape::Text),
    ];
    extended(node_and_test(), fields)
}

fn source() -> Vec<Field> {
    let time = json!({"count": null, "period": null});
    let freshness = json!({"warn_after": time, "error_after": time, "filter": null});
    vec![
        field("enabled", json!(true), Shape::Bool),
        field("event_time", Json::Null, Shape::Any),
        field("freshness", freshness, Shape::SourceFreshness),
        field("loaded_at_field", Json::Null, Shape::OptText),
        field("loaded_at_query", Json::Null, Shape::OptText),
        merged("meta", json!({}), Shape::Map, Merge::Update),
        field("tags", json!([]), Shape::TextList),
        field("static_analysis", Json::Null, Shape::OnOff),
    ]
}

fn exposure() -> Vec<Field> {
    vec![
        field("enabled", json!(true), Shape::Bool),
        field("tags", json!([]), Shape::TextList),
        field("meta", json!({}), Shape::Map),
    ]
}

fn semantic() -> Vec<Field> {
    vec![
        field("enabled", json!(true), Shape::Bool),
        field("group", Json::Null, Shape::OptText),
        merged("meta", json!({}), Shape::Map, Merge::Update),
    ]
}

fn saved_query() -> Vec<Field> {
    let fields = vec![
        field("export_as", Json::Null, Shape::OptText),
        field("schema", Json::Null, Shape::OptText),
        field("cache", json!({"enabled": false}), Shape::Object(&["enabled"])),
    ];
    extended(semantic(), fields)
}

fn unit_test() -> Vec<Field> {
    vec![
        merged("tags", json!([]), Shape::TextOrList, Merge::Append),
        merged("meta", json!({}), Shape::Map, Merge::Update),
        field("enabled", json!(true), Shape::Bool),
        field("static_analysis", Json::Null, Shape::OnOff),
    ]
}

fn function() -> Vec<Field> {
    let fields = vec![
        field("materialized", json!("function"), Shape::Text),
        field("type", json!("scalar"), Shape::OneOf(&["scalar", "aggregate", "table"])),
        field("volatility", Json::Null, Shape::OptOneOf(&["deterministic", "stable", "non-deterministic"])),
        field("runtime_version", Json::Null, Shape::OptText),
        field("entry_point", Json::Null, Shape::OptText),
        field("snowflake", json!({"quote_args": true}), Shape::Object(&["quote_args"])),
    ];
    extended(node(), fields)
}

struct Classes {
    model: Class,
    seed: Class,
    snapshot: Class,
    test: Class,
    source: Class,
    exposure: Class,
    semantic: Class,
    saved_query: Class,
    unit_test: Class,
    group: Class,
    function: Class,
    node: Class,
}

static CLASSES: LazyLock<Classes> = LazyLock::new(|| Classes {
    model: Class::new(model()),
    seed: Class::new(seed()),
    snapshot: Class::new(snapshot()),
    test: Class::new(test()),
    source: Class::new(source()),
    exposure: Class::new(exposure()),
    semantic: Class::new(semantic()),
    saved_query: Class::new(saved_query()),
    unit_test: Class::new(unit_test()),
    group: Class::new(vec![merged("meta", json!({}), Shape::Map, Merge::Update)]),
    function: Class::new(function()),
    node: Class::new(node()),
});

/// The class of a resource type's config.
pub fn of(kind: ResourceType) -> &'static Class {
    match kind {
        ResourceType::Model => &CLASSES.model,
        ResourceType::Seed => &CLASSES.seed,
        ResourceType::Snapshot => &CLASSES.snapshot,
        ResourceType::Test => &CLASSES.test,
        ResourceType::Source => &CLASSES.source,
        ResourceType::Exposure => &CLASSES.exposure,
        ResourceType::Metric | ResourceType::SemanticModel => &CLASSES.semantic,
        ResourceType::SavedQuery => &CLASSES.saved_query,
        ResourceType::UnitTest => &CLASSES.unit_test,
        ResourceType::Group => &CLASSES.group,
        ResourceType::Function => &CLASSES.function,
        ResourceType::Analysis
        | ResourceType::Operation
        | ResourceType::SqlOperation
        | ResourceType::Macro
        | ResourceType::Doc => &CLASSES.node,
    }
}
