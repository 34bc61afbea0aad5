//! The sections of property files and the keys that dbt knows in their items.

const MODELS: [&str; 24] = [
    "name",
    "description",
    "columns",
    "data_tests",
    "tests",
    "config",
    "meta",
    "docs",
    "group",
    "access",
    "contract",
    "constraints",
    "versions",
    "latest_version",
    "deprecation_date",
    "time_spine",
    "quote_columns",
    "semantic_model",
    "primary_entity",
    "agg_time_dimension",
    "metrics",
    "derived_semantics",
    "tags",
    "static_analysis_off_reason",
];
const SEEDS: [&str; 12] = [
    "name",
    "description",
    "columns",
    "data_tests",
    "tests",
    "config",
    "meta",
    "docs",
    "group",
    "access",
    "quote_columns",
    "tags",
];
const SNAPSHOTS: [&str; 13] = [
    "name",
    "description",
    "columns",
    "data_tests",
    "tests",
    "config",
    "meta",
    "docs",
    "group",
    "access",
    "quote_columns",
    "relation",
    "tags",
];
const ANALYSES: [&str; 9] =
    ["name", "description", "columns", "config", "meta", "docs", "group", "access", "static_analysis_off_reason"];
const SOURCES: [&str; 16] = [
    "name",
    "description",
    "meta",
    "database",
    "schema",
    "catalog",
    "loader",
    "quoting",
    "freshness",
    "loaded_at_field",
    "loaded_at_query",
    "tables",
    "tags",
    "config",
    "overrides",
    "project",
];
const MACROS: [&str; 6] = ["name", "description", "arguments", "meta", "docs", "config"];
const EXPOSURES: [&str; 12] =
    ["name", "type", "owner", "description", "label", "maturity", "url", "meta", "tags", "depends_on", "config", "enabled"];
const METRICS: [&str; 33] = [
    "name",
    "label",
    "type",
    "type_params",
    "description",
    "filter",
    "time_granularity",
    "meta",
    "tags",
    "config",
    "expr",
    "agg",
    "agg_time_dimension",
    "join_to_timespine",
    "fill_nulls_with",
    "numerator",
    "denominator",
    "input_metric",
    "input_metrics",
    "metric",
    "measure",
    "window",
    "grain_to_date",
    "period_agg",
    "percentile",
    "percentile_type",
    "non_additive_dimension",
    "entity",
    "base_metric",
    "conversion_metric",
    "calculation",
    "constant_properties",
    "hidden",
];
const SEMANTIC_MODELS: [&str; 11] = [
    "name",
    "model",
    "description",
    "label",
    "defaults",
    "entities",
    "dimensions",
    "measures",
    "primary_entity",
    "config",
    "meta",
];
const SAVED_QUERIES: [&str; 8] = ["name", "description", "label", "query_params", "exports", "config", "tags", "meta"];
const GROUPS: [&str; 4] = ["name", "owner", "description", "config"];
const UNIT_TESTS: [&str; 8] = ["name", "model", "description", "given", "expect", "overrides", "config", "versions"];
const FUNCTIONS: [&str; 13] = [
    "name",
    "description",
    "arguments",
    "returns",
    "overloads",
    "config",
    "meta",
    "docs",
    "access",
    "columns",
    "group",
    "tags",
    "type",
];
const DATA_TESTS: [&str; 5] = ["name", "description", "config", "meta", "docs"];

const SECTIONS: [(&str, &[&str]); 14] = [
    ("models", &MODELS),
    ("seeds", &SEEDS),
    ("snapshots", &SNAPSHOTS),
    ("sources", &SOURCES),
    ("macros", &MACROS),
    ("data_tests", &DATA_TESTS),
    ("analyses", &ANALYSES),
    ("exposures", &EXPOSURES),
    ("functions", &FUNCTIONS),
    ("metrics", &METRICS),
    ("groups", &GROUPS),
    ("semantic_models", &SEMANTIC_MODELS),
    ("unit_tests", &UNIT_TESTS),
    ("saved_queries", &SAVED_QUERIES),
];

/// The section of that name, with the keys of its items.
pub fn section(name: &str) -> Option<(&'static str, &'static [&'static str])> {
    SECTIONS.into_iter().find(|(section, _)| *section == name)
}

/// Are items refused that have other keys? Else these are kept, and mean nothing.
pub fn is_strict(section: &str) -> bool {
    matches!(section, "sources" | "exposures" | "metrics" | "groups" | "semantic_models" | "unit_tests" | "saved_queries")
}

/// The names of all sections.
pub fn sections() -> impl Iterator<Item = &'static str> {
    SECTIONS.into_iter().map(|(section, _)| section)
}
