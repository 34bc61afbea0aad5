//! Flags in force: dbt's defaults, under the project's `flags:`, under the command line and the environment.

use super::PROJECT_FILE;
use crate::diagnostic::{Diagnostic, Severity, SourceText};
use crate::manifest::{Json, JsonMap};
use crate::yaml::{Kind, Reader, Yaml};

/// What a flag holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Bool,
    Number,
    Text,
    Choice(&'static [&'static str]),
    Map,
}

/// A flag's name and default; null where dbt has none.
struct Flag {
    name: &'static str,
    holds: Holds,
    default: Default,
    /// May stand under `flags:`.
    in_project: bool,
}

#[derive(Debug, Clone, Copy)]
enum Default {
    None,
    Bool(bool),
    Number(i64),
    Text(&'static str),
}

impl Flag {
    /// Those are the project's alone.
    fn is_behaviour_change(&self) -> bool {
        [
            "require_",
            "state_modified_",
            "validate_",
            "source_freshness_",
            "skip_nodes_",
            "allow_",
            "support_",
            "enable_",
            "latest_",
        ]
        .iter()
        .any(|start| self.name.starts_with(start))
    }
}

impl Default {
    fn json(self) -> Json {
        match self {
            Self::None => Json::Null,
            Self::Bool(value) => value.into(),
            Self::Number(value) => value.into(),
            Self::Text(text) => text.into(),
        }
    }
}

const fn project(name: &'static str, default: bool) -> Flag {
    Flag { name, holds: Holds::Bool, default: Default::Bool(default), in_project: true }
}

const fn command(name: &'static str, default: bool) -> Flag {
    Flag { name, holds: Holds::Bool, default: Default::Bool(default), in_project: false }
}

const fn typed(name: &'static str, holds: Holds, default: Default) -> Flag {
    Flag { name, holds, default, in_project: true }
}

const LEVELS: Holds = Holds::Choice(&["debug", "info", "warn", "error", "none"]);
const FORMATS: Holds = Holds::Choice(&["text", "debug", "json", "default"]);
const SELECTIONS: Holds = Holds::Choice(&["eager", "cautious", "buildable", "empty"]);

/// dbt 1.12's flags; the behaviour-change flags with their defaults there.
const FLAGS: &[Flag] = &[
    project("cache_selected_only", false),
    project("debug", false),
    project("fail_fast", false),
    project("hints_enabled", true),
    typed("indirect_selection", SELECTIONS, Default::Text("eager")),
    typed("log_format", FORMATS, Default::Text("default")),
    typed("log_format_file", FORMATS, Default::Text("debug")),
    typed("log_level", LEVELS, Default::Text("info")),
    typed("log_level_file", LEVELS, Default::Text("debug")),
    typed("maximum_seed_size_mib", Holds::Number, Default::Number(1)),
    project("partial_parse", true),
    project("populate_cache", true),
    typed("printer_width", Holds::Number, Default::Number(80)),
    project("send_anonymous_usage_stats", true),
    project("snowflake_projects_otel", false),
    project("static_parser", true),
    project("use_colors", true),
    project("use_colors_file", true),
    project("use_experimental_parser", false),
    project("use_v2_parser", false),
    typed("v2_parser", Holds::Text, Default::Text("dbt-core-experimental-parser parse")),
    project("version_check", true),
    typed("warn_error", Holds::Bool, Default::None),
    typed("warn_error_options", Holds::Map, Default::None),
    project("write_json", true),
    // Behaviour changes.
    project("require_batched_execution_for_custom_microbatch_strategy", true),
    project("require_event_names_in_deprecations", false),
    project("require_explicit_package_overrides_for_builtin_materializations", true),
    project("require_resource_names_without_spaces", true),
    project("source_freshness_run_project_hooks", true),
    project("skip_nodes_if_on_run_start_fails", true),
    project("state_modified_compare_more_unrendered_values", true),
    project("state_modified_compare_vars", false),
    project("require_yaml_configuration_for_mf_time_spines", true),
    project("require_nested_cumulative_type_params", true),
    project("validate_macro_args", true),
    project("require_all_warnings_handled_by_warn_error", true),
    project("require_generic_test_arguments_property", true),
    project("require_unique_project_resource_names", false),
    project("require_ref_searches_node_package_before_root", false),
    project("require_valid_schema_from_generate_schema_name", false),
    project("allow_jinja_file_extensions", false),
    project("require_sql_header_in_test_configs", false),
    project("support_custom_ref_kwargs", false),
    project("require_corrected_analysis_fqns", false),
    project("require_source_and_semantic_model_names_without_spaces", false),
    project("enable_grouped_warn_error_parser_logs", false),
    project("use_catalogs_v2", false),
    project("latest_version_pointer_enabled_by_default", false),
    // The command line's alone.
    command("full_refresh", false),
    command("store_failures", false),
    command("strict_mode", false),
    command("introspect", true),
    command("log_cache_events", false),
    command("quiet", false),
    command("print", true),
    command("single_threaded", false),
    command("show_all_deprecations", false),
    command("empty", false),
    command("defer", false),
    command("favor_state", false),
    command("macro_debugging", false),
    command("partial_parse_file_diff", true),
    command("show_resource_report", false),
    command("use_fast_test_edges", false),
    command("upload_to_artifacts_ingest_api", false),
    // lineal's own: is a history of the runs kept, and of how many?
    typed("history", Holds::Bool, Default::None),
    typed("history_keep", Holds::Number, Default::None),
    Flag { name: "log_file_max_bytes", holds: Holds::Number, default: Default::Number(10 * 1024 * 1024), in_project: false },
];

/// dbt's adapters take behaviour flags of their own under `flags:`.
const ADAPTER_FLAGS: &[&str] = &[
    "require_certificate_validation",
    "use_info_schema_for_columns",
    "use_user_folder_for_python",
    "use_materialization_v2",
    "use_managed_iceberg",
    "use_replace_on_for_insert_overwrite",
    "enable_iceberg_materializations",
    "enable_truthy_nulls_equals_macro",
    "restrict_direct_pg_catalog_access",
    "redshift_skip_autocommit_transaction_statements",
    "postgres_skip_autocommit_transaction_statements",
    "bigquery_use_batch_source_freshness",
    "bigquery_use_standard_sql_for_partitions",
    "bigquery_noop_alter_relation_comment",
    "snowflake_default_transient_dynamic_tables",
];

/// The project's `flags:`, checked: unknown ones are left out and reported; one value of a wrong kind makes dbt take none of them.
pub(super) fn of_project(yaml: Option<&Yaml>, source: &SourceText) -> (JsonMap, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let mut reader = Reader { source, code: "E0104", diagnostics: &mut diagnostics };
    let mut flags = JsonMap::new();
    let entries = yaml.and_then(|yaml| reader.expect_map(yaml, "'flags'")).unwrap_or_default();
    let known: Vec<&str> =
        FLAGS.iter().filter(|flag| flag.in_project).map(|flag| flag.name).chain(ADAPTER_FLAGS.iter().copied()).collect();
    reader.unknown_keys(entries, &known, &format!("'flags' of {PROJECT_FILE}"), None);
    let mut ignores_all = false;
    for entry in entries.iter().filter(|entry| !entry.value.is_null()) {
        let what = format!("the flag '{}'", entry.key);
        let flag = FLAGS.iter().find(|flag| flag.in_project && flag.name == &*entry.key);
        let holds = match flag {
            Some(flag) => flag.holds,
            None if ADAPTER_FLAGS.contains(&&*entry.key) => Holds::Bool,
            None => continue,
        };
        let before = reader.diagnostics.len();
        match checked(&mut reader, &entry.value, holds, &what) {
            Some(value) => _ = flags.insert(entry.key.to_string(), value),
            None => ignores_all |= !matches!(holds, Holds::Choice(_)),
        }
        for diagnostic in reader.diagnostics[before..].iter_mut().filter(|_| !matches!(holds, Holds::Choice(_))) {
            diagnostic.code = "W0104";
            diagnostic.severity = Severity::Warning;
            diagnostic.help = Some("as long as it is wrong none of the flags counts, as in dbt".to_owned());
        }
    }
    if ignores_all {
        return (JsonMap::new(), diagnostics);
    }
    if let Some(options) = yaml.and_then(|yaml| yaml.get("warn_error_options")) {
        let normal = warn_error_options(options, &mut reader);
        flags.insert("warn_error_options".to_owned(), normal);
    }
    (flags, diagnostics)
}

fn checked(reader: &mut Reader<'_>, value: &Yaml, holds: Holds, what: &str) -> Option<Json> {
    match holds {
        Holds::Bool => reader.expect_bool(value, what).map(Json::from),
        Holds::Number => reader.expect_int(value, what).map(Json::from),
        Holds::Text => reader.expect_str(value, what).map(|text| (&*text).into()),
        Holds::Map => reader.expect_map(value, what).map(|_| value.to_json()),
        Holds::Choice(words) => {
            let text = reader.expect_str(value, what)?.to_lowercase();
            if words.contains(&text.as_str()) {
                return Some(text.into());
            }
            let message = format!("{what} cannot be '{text}'");
            let diagnostic = Diagnostic::error("E0104", message).at(reader.source, value.span);
            reader.diagnostics.push(diagnostic.help(format!("one of: {}", words.join(", "))));
            None
        }
    }
}

/// `warn_error_options` in full: `{error, warn, silence}`. `include` is the former name of `error`, `exclude` of `warn`;
/// both at once is an error.
pub(super) fn warn_error_options(options: &Yaml, reader: &mut Reader<'_>) -> Json {
    let mut normal = JsonMap::new();
    let mut both = false;
    for (key, former) in [("error", "include"), ("warn", "exclude"), ("silence", "silence")] {
        let given =
            |key: &str| options.entry(key).filter(|entry| !entry.value.items().is_empty() || entry.value.as_str().is_some());
        if let (Some(_), Some(old)) = (given(key), given(former))
            && key != former
        {
            let message = format!("Only `{former}` or `{key}` can be specified in `warn_error_options`, not both");
            let help = format!("keep '{key}': '{former}' is its former name");
            reader.diagnostics.push(Diagnostic::error("E0104", message).at(reader.source, old.key_span).help(help));
            both = true;
        }
        let value = options.get(key).or_else(|| options.get(former)).filter(|value| value.kind != Kind::Null);
        normal.insert(key.to_owned(), value.map_or_else(|| Json::Array(Vec::new()), Yaml::to_json));
    }
    if !both {
        reader.diagnostics.extend(former_keys(options, reader.source));
    }
    Json::Object(normal)
}

fn former_keys(options: &Yaml, source: &SourceText) -> Option<Diagnostic> {
    let found: Vec<_> = [("include", "error"), ("exclude", "warn")]
        .into_iter()
        .filter_map(|(old, new)| Some((options.entry(old)?, new)))
        .collect();
    let (first, _) = found.first()?;
    let said: Vec<String> = found.iter().map(|(old, new)| format!("'{}' is the former name of '{new}'", old.key)).collect();
    let warning = Diagnostic::warning("W0103", format!("in warn_error_options {}", said.join(", ")));
    Some(warning.at(source, first.key_span).help("rename it").event("WEOIncludeExcludeDeprecation"))
}

/// All flags: what was given wins over the project's, that over the user's own settings, and those over the defaults.
pub(super) fn in_force(of_user: &JsonMap, of_project: &JsonMap, given: &JsonMap) -> JsonMap {
    let mut flags: JsonMap = FLAGS.iter().map(|flag| (flag.name.to_owned(), flag.default.json())).collect();
    flags.insert("warn_error_options".to_owned(), serde_json::json!({"error": [], "warn": [], "silence": []}));
    let is_known = |name: &str| FLAGS.iter().any(|flag| flag.name == name && !flag.is_behaviour_change());
    flags.extend(of_user.iter().filter(|(name, _)| is_known(name)).map(|(name, value)| (name.clone(), value.clone())));
    flags.extend(of_project.iter().map(|(name, value)| (name.clone(), value.clone())));
    flags.extend(given.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), value.clone())));
    // The log file follows the console, unless it was set itself.
    for (lead, follow) in [("use_colors", "use_colors_file"), ("log_level", "log_level_file"), ("log_format", "log_format_file")]
    {
        let is_set = |name: &str| [of_user, of_project, given].iter().any(|map| map.contains_key(name));
        if is_set(lead) && !is_set(follow) {
            let value = flags.get(lead).cloned().unwrap_or_default();
            flags.insert(follow.to_owned(), value);
        }
    }
    flags
}

/// Names under which Jinja's `flags` shows a flag.
const SHOWN: &[&str] = &[
    "use_experimental_parser",
    "static_parser",
    "warn_error",
    "warn_error_options",
    "write_json",
    "partial_parse",
    "use_colors",
    "profiles_dir",
    "debug",
    "log_format",
    "version_check",
    "fail_fast",
    "send_anonymous_usage_stats",
    "printer_width",
    "indirect_selection",
    "log_cache_events",
    "quiet",
    "no_print",
    "cache_selected_only",
    "introspect",
    "target_path",
    "log_path",
    "invocation_command",
    "empty",
    "maximum_seed_size_mib",
    "hints_enabled",
    "full_refresh",
    "store_failures",
    "which",
    "require_sql_header_in_test_configs",
];

/// Jinja's `flags`: names in upper case, null where there is no value.
pub(super) fn shown(flags: &JsonMap) -> JsonMap {
    SHOWN.iter().map(|name| (name.to_uppercase(), flags.get(*name).cloned().unwrap_or_default())).collect()
}

/// dbt's `invocation_args_dict`: every flag with a value; those that are off by default only when they are on.
pub(super) fn arguments(flags: &JsonMap) -> JsonMap {
    const SILENT_WHEN_OFF: &[&str] = &[
        "debug",
        "full_refresh",
        "fail_fast",
        "warn_error",
        "single_threaded",
        "log_cache_events",
        "store_failures",
        "use_experimental_parser",
    ];
    // A flag that only some verbs have is an argument of those alone.
    let which = flags.get("which").and_then(Json::as_str).unwrap_or_default();
    let takes_empty = matches!(which, "build" | "run" | "seed" | "snapshot" | "compile");
    let told = |(name, value): &(&String, &Json)| {
        *name != "require_event_names_in_deprecations"
            && (takes_empty || *name != "empty")
            && !value.is_null()
            && (**value != Json::Bool(false) || !SILENT_WHEN_OFF.contains(&name.as_str()))
    };
    flags.iter().filter(told).map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml;

    fn read(text: &str) -> (JsonMap, Vec<String>) {
        let source = SourceText::new("dbt_project.yml", text);
        let (flags, diagnostics) = of_project(yaml::read(&source).0.as_ref(), &source);
        (flags, diagnostics.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn every_behaviour_flag_can_be_turned_both_ways() {
        for flag in FLAGS.iter().filter(|flag| flag.in_project && flag.holds == Holds::Bool) {
            for value in [true, false] {
                let (flags, said) = read(&format!("{}: {value}", flag.name));
                assert_eq!(said, [""; 0], "{}", flag.name);
                assert_eq!(in_force(&JsonMap::new(), &flags, &JsonMap::new())[flag.name], value, "{}", flag.name);
            }
        }
        let defaults = in_force(&JsonMap::new(), &JsonMap::new(), &JsonMap::new());
        assert_eq!(defaults["require_generic_test_arguments_property"], true);
        assert_eq!(defaults["state_modified_compare_vars"], false);
    }

    #[test]
    fn the_command_line_beats_the_project_and_the_log_file_follows() {
        let (project, _) = read("log_level: warn\nprinter_width: 100\nfail_fast: true\n");
        let given = serde_json::json!({"fail_fast": false}).as_object().cloned().unwrap();
        let user = serde_json::json!({"printer_width": 60, "quiet": true, "validate_macro_args": false});
        let user = user.as_object().cloned().unwrap();
        let flags = in_force(&user, &project, &given);
        assert_eq!((&flags["fail_fast"], &flags["printer_width"]), (&false.into(), &100.into()));
        assert_eq!((&flags["quiet"], &flags["validate_macro_args"]), (&true.into(), &true.into()));
        assert_eq!((&flags["log_level"], &flags["log_level_file"]), (&"warn".into(), &"warn".into()));
        assert_eq!(shown(&flags)["FAIL_FAST"], false);
        assert_eq!(shown(&flags)["NO_PRINT"], Json::Null);
        assert!(!arguments(&flags).contains_key("fail_fast"));
    }

    #[test]
    fn wrong_flags_are_reported() {
        let (flags, said) =
            read("log_level: loud\nvalidate_macro_arg: true\nwarn_error_options:\n  include: all\n  exclude: [X]\n");
        assert_eq!(
            said,
            [
                "dbt_project.yml:2:1: W0102 'flags' of dbt_project.yml has no key 'validate_macro_arg'; it is ignored",
                "dbt_project.yml:1:12: E0104 the flag 'log_level' cannot be 'loud'",
                "dbt_project.yml:4:3: W0103 in warn_error_options 'include' is the former name of 'error', 'exclude' is the former name of 'warn'",
            ]
        );
        assert_eq!(serde_json::to_string(&flags).unwrap(), r#"{"warn_error_options":{"error":"all","warn":["X"],"silence":[]}}"#);
        let (flags, said) = read("fail_fast: maybe\nprinter_width: 100\n");
        assert_eq!(said, ["dbt_project.yml:1:12: W0104 the flag 'fail_fast' must be true or false, not a text"]);
        assert!(flags.is_empty());
    }
}
