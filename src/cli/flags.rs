//! Every flag of dbt 1.12 as one table: the command line, the environment and `--help` are made from it.

use super::Command;

/// What a flag takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `--x` / `--no-x`.
    Toggle,
    /// `--x` alone.
    Switch,
    Text,
    Number,
    /// One or more words, and the flag may be given again.
    Words,
    Choice(&'static [&'static str]),
    /// Several of the choices.
    Choices(&'static [&'static str]),
}

/// One flag: its dbt name (as `flags` and artifacts spell it, in lower case), spelling, environment variable and default.
#[derive(Debug, Clone, Copy)]
pub struct Flag {
    pub name: &'static str,
    pub long: &'static str,
    pub short: Option<char>,
    pub aliases: &'static [&'static str],
    pub kind: Kind,
    /// Without its `DBT_` / `DBT_ENGINE_` prefix; the newest variables have only the second, and it is written here.
    pub env: Option<&'static str>,
    pub hidden: bool,
    pub help: &'static str,
}

impl Flag {
    const fn new(name: &'static str, long: &'static str, kind: Kind, help: &'static str) -> Self {
        Self { name, long, short: None, aliases: &[], kind, env: None, hidden: false, help }
    }

    const fn short(mut self, short: char) -> Self {
        self.short = Some(short);
        self
    }

    const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    const fn env(mut self, env: &'static str) -> Self {
        self.env = Some(env);
        self
    }

    const fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }
}

const LEVELS: Kind = Kind::Choice(&["debug", "info", "warn", "error", "none"]);
const FORMATS: Kind = Kind::Choice(&["text", "debug", "json", "default"]);
const TYPES: &[&str] = &[
    "metric",
    "semantic_model",
    "saved_query",
    "source",
    "analysis",
    "function",
    "model",
    "test",
    "unit_test",
    "exposure",
    "snapshot",
    "seed",
    "default",
    "all",
];

/// Accepted before and after the verb.
pub const GLOBAL: &[Flag] = &[
    Flag::new("cache_selected_only", "cache-selected-only", Kind::Toggle, "Cache only the schemas of the selected nodes")
        .env("CACHE_SELECTED_ONLY"),
    Flag::new("debug", "debug", Kind::Toggle, "Show debug lines on the console").short('d').env("DEBUG"),
    Flag::new("defer", "defer", Kind::Toggle, "Read what is not selected from the state's relations").env("DEFER"),
    Flag::new("defer_state", "defer-state", Kind::Text, "Folder of the manifest to defer to, where it isn't --state")
        .env("DEFER_STATE"),
    Flag::new("fail_fast", "fail-fast", Kind::Toggle, "Stop at the first failure").short('x').env("FAIL_FAST"),
    Flag::new("favor_state", "favor-state", Kind::Toggle, "With --defer: prefer the state's relations even where ours exist")
        .env("FAVOR_STATE"),
    Flag::new("hints_enabled", "hints-enabled", Kind::Toggle, "Show hints").env("ENGINE_HINTS_ENABLED"),
    Flag::new(
        "indirect_selection",
        "indirect-selection",
        Kind::Choice(&["eager", "cautious", "buildable", "empty"]),
        "Which tests come along with selected nodes",
    )
    .env("INDIRECT_SELECTION"),
    Flag::new("log_cache_events", "log-cache-events", Kind::Toggle, "Log what enters and leaves the relation cache")
        .env("LOG_CACHE_EVENTS"),
    Flag::new("log_file_max_bytes", "log-file-max-bytes", Kind::Number, "Size at which the log file is rotated; 0: never")
        .env("LOG_FILE_MAX_BYTES"),
    Flag::new("log_format", "log-format", FORMATS, "Form of the console's lines").env("LOG_FORMAT"),
    Flag::new("log_format_file", "log-format-file", FORMATS, "Form of the log file's lines").env("LOG_FORMAT_FILE"),
    Flag::new("log_level", "log-level", LEVELS, "Least severe lines on the console").env("LOG_LEVEL"),
    Flag::new("log_level_file", "log-level-file", LEVELS, "Least severe lines in the log file").env("LOG_LEVEL_FILE"),
    Flag::new("log_path", "log-path", Kind::Text, "Folder of the log file").env("LOG_PATH"),
    Flag::new("macro_debugging", "macro-debugging", Kind::Toggle, "Show what the command used of time, memory and disk")
        .env("MACRO_DEBUGGING")
        .hidden(),
    Flag::new(
        "maximum_seed_size_mib",
        "maximum-seed-size-mib",
        Kind::Number,
        "Seeds above this size are compared by path, not content",
    )
    .env("ENGINE_MAXIMUM_SEED_SIZE_MIB"),
    Flag::new("partial_parse", "partial-parse", Kind::Toggle, "Reuse what an earlier parse found").env("PARTIAL_PARSE"),
    Flag::new("partial_parse_file_path", "partial-parse-file-path", Kind::Text, "Accepted; has no effect")
        .env("PARTIAL_PARSE_FILE_PATH")
        .hidden(),
    Flag::new("partial_parse_file_diff", "partial-parse-file-diff", Kind::Toggle, "Accepted; has no effect")
        .env("PARTIAL_PARSE_FILE_DIFF")
        .hidden(),
    Flag::new("populate_cache", "populate-cache", Kind::Toggle, "List the warehouse's relations before the run")
        .env("POPULATE_CACHE"),
    Flag::new("print", "print", Kind::Toggle, "Show what print() in Jinja says").env("PRINT"),
    Flag::new("printer_width", "printer-width", Kind::Number, "Width of the console's lines").env("PRINTER_WIDTH"),
    Flag::new("profile", "profile", Kind::Text, "Profile to use instead of dbt_project.yml's").env("PROFILE"),
    Flag::new("profiles_dir", "profiles-dir", Kind::Text, "Folder of profiles.yml").env("PROFILES_DIR"),
    Flag::new("project_dir", "project-dir", Kind::Text, "Folder of dbt_project.yml; else the nearest one upward")
        .env("PROJECT_DIR"),
    Flag::new("quiet", "quiet", Kind::Toggle, "Show errors and the command's own output only").short('q').env("QUIET"),
    Flag::new("record_timing_info", "record-timing-info", Kind::Text, "Accepted; has no effect").short('r').hidden(),
    Flag::new("send_anonymous_usage_stats", "send-anonymous-usage-stats", Kind::Toggle, "Accepted; lineal never sends any")
        .env("SEND_ANONYMOUS_USAGE_STATS"),
    Flag::new("single_threaded", "single-threaded", Kind::Toggle, "Use one thread").env("SINGLE_THREADED").hidden(),
    Flag::new("show_all_deprecations", "show-all-deprecations", Kind::Toggle, "Show each deprecation, not a summary"),
    Flag::new("show_resource_report", "show-resource-report", Kind::Toggle, "Accepted; has no effect")
        .env("SHOW_RESOURCE_REPORT")
        .hidden(),
    Flag::new("sqlparse", "sqlparse", Kind::Text, "Accepted; has no effect").env("ENGINE_SQLPARSE").hidden(),
    Flag::new("state", "state", Kind::Text, "Folder with an earlier run's artifacts").env("STATE"),
    Flag::new("static_parser", "static-parser", Kind::Toggle, "Accepted; has no effect").env("STATIC_PARSER"),
    Flag::new("strict", "strict", Kind::Switch, "Unknown keys and deprecated spellings are errors (lineal's own flag)"),
    Flag::new("target", "target", Kind::Text, "Target of the profile").short('t').env("TARGET"),
    Flag::new("target_path", "target-path", Kind::Text, "Folder of artifacts").env("TARGET_PATH"),
    Flag::new("threads", "threads", Kind::Number, "Number of worker threads"),
    Flag::new("use_colors", "use-colors", Kind::Toggle, "Colours on the console").env("USE_COLORS"),
    Flag::new("use_colors_file", "use-colors-file", Kind::Toggle, "Colours in the log file").env("USE_COLORS_FILE"),
    Flag::new("use_experimental_parser", "use-experimental-parser", Kind::Toggle, "Accepted; has no effect")
        .env("USE_EXPERIMENTAL_PARSER"),
    Flag::new("use_fast_test_edges", "use-fast-test-edges", Kind::Toggle, "Accepted; has no effect")
        .env("USE_FAST_TEST_EDGES")
        .hidden(),
    Flag::new("use_v2_parser", "use-v2-parser", Kind::Toggle, "Accepted; has no effect").env("ENGINE_USE_V2_PARSER").hidden(),
    Flag::new("v2_parser", "v2-parser", Kind::Text, "Accepted; has no effect").env("ENGINE_V2_PARSER").hidden(),
    Flag::new("snowflake_projects_otel", "snowflake-projects-otel", Kind::Toggle, "Accepted; has no effect")
        .env("ENGINE_SNOWFLAKE_PROJECTS_OTEL")
        .hidden(),
    Flag::new("upload_artifacts", "upload-to-artifacts-ingest-api", Kind::Toggle, "Accepted; has no effect")
        .env("UPLOAD_TO_ARTIFACTS_INGEST_API")
        .hidden(),
    Flag::new("vars", "vars", Kind::Text, "Variables, as YAML: '{start: 2024-01-01}'"),
    Flag::new("version_check", "version-check", Kind::Toggle, "Fail where require-dbt-version does not hold")
        .env("VERSION_CHECK"),
    Flag::new("warn_error", "warn-error", Kind::Switch, "Warnings are errors").env("WARN_ERROR"),
    Flag::new(
        "warn_error_options",
        "warn-error-options",
        Kind::Text,
        "Which warnings are errors, as YAML: '{error: all, warn: [X]}'",
    )
    .env("WARN_ERROR_OPTIONS"),
    Flag::new("write_json", "write-json", Kind::Toggle, "Write artifacts").env("WRITE_JSON"),
];

/// Flags of single verbs.
pub const OWN: &[Flag] = &[
    Flag::new("select", "select", Kind::Words, "Nodes to include: name, +name+, tag:x, path, … (space: or, comma: and)")
        .short('s')
        .aliases(&["models", "model"]),
    Flag::new("models", "models", Kind::Words, "Models to include; other resources are left out").short('m').aliases(&["model"]),
    Flag::new("exclude", "exclude", Kind::Words, "Nodes to leave out, in the same language"),
    Flag::new("selector", "selector", Kind::Text, "A selector of selectors.yml"),
    Flag::new("resource_types", "resource-type", Kind::Choices(TYPES), "Only resources of these types")
        .aliases(&["resource-types"])
        .env("RESOURCE_TYPES"),
    Flag::new("exclude_resource_types", "exclude-resource-type", Kind::Choices(TYPES), "No resources of these types")
        .aliases(&["exclude-resource-types"])
        .env("EXCLUDE_RESOURCE_TYPES"),
    Flag::new("full_refresh", "full-refresh", Kind::Switch, "Rebuild incremental models and seeds from nothing")
        .short('f')
        .env("FULL_REFRESH"),
    Flag::new("store_failures", "store-failures", Kind::Switch, "Keep the failing rows of tests in the warehouse")
        .env("STORE_FAILURES"),
    Flag::new("empty", "empty", Kind::Toggle, "Read no rows: build the tables' shapes only").env("EMPTY"),
    Flag::new("sample", "sample", Kind::Text, "Read only rows of that span of event time: '3 days', \"{'start': …, 'end': …}\"")
        .env("SAMPLE"),
    Flag::new("event_time_start", "event-time-start", Kind::Text, "Microbatch: from then on (UTC)").env("EVENT_TIME_START"),
    Flag::new("event_time_end", "event-time-end", Kind::Text, "Microbatch: until then, exclusive (UTC)").env("EVENT_TIME_END"),
    Flag::new("show", "show", Kind::Switch, "Show a sample of the data"),
    Flag::new("export_saved_queries", "export-saved-queries", Kind::Toggle, "Accepted; has no effect")
        .env("EXPORT_SAVED_QUERIES")
        .hidden(),
    Flag::new("include_saved_query", "include-saved-query", Kind::Toggle, "Accepted; has no effect")
        .env("INCLUDE_SAVED_QUERY")
        .hidden(),
    Flag::new("inline", "inline", Kind::Text, "SQL with Jinja to use instead of a node"),
    Flag::new("inline_direct", "inline-direct", Kind::Text, "SQL without Jinja, run as it is").hidden(),
    Flag::new("output_format", "output", Kind::Choice(&["json", "text"]), "Form of the output"),
    Flag::new("limit", "limit", Kind::Number, "Rows to show; -1: all"),
    Flag::new("introspect", "introspect", Kind::Toggle, "Let macros query the warehouse").env("INTROSPECT"),
    Flag::new("inject_ephemeral_ctes", "inject-ephemeral-ctes", Kind::Toggle, "Put ephemeral models in as CTEs").hidden(),
    Flag::new("output", "output", Kind::Choice(&["json", "name", "path", "selector"]), "Form of each line"),
    Flag::new("output_keys", "output-keys", Kind::Words, "Keys of --output json"),
    Flag::new("args", "args", Kind::Text, "Arguments of the macro, as YAML"),
    Flag::new("sql", "sql", Kind::Text, "A SQL template to run instead of a macro"),
    Flag::new("compile", "compile", Kind::Toggle, "Compile before the documentation is made"),
    Flag::new("empty_catalog", "empty-catalog", Kind::Switch, "Do not ask the warehouse for columns and statistics"),
    Flag::new("static", "static", Kind::Switch, "Write one self-contained static_index.html as well"),
    Flag::new("browser", "browser", Kind::Toggle, "Open a browser"),
    Flag::new("host", "host", Kind::Text, "Address to serve at").env("HOST"),
    Flag::new("port", "port", Kind::Number, "Port to serve at"),
    Flag::new("output_path", "output", Kind::Text, "File of the results").short('o'),
    Flag::new("clean_project_files_only", "clean-project-files-only", Kind::Toggle, "Delete nothing outside the project")
        .env("CLEAN_PROJECT_FILES_ONLY"),
    Flag::new("config_dir", "config-dir", Kind::Switch, "Show the folder of profiles.yml"),
    Flag::new("connection", "connection", Kind::Switch, "Check the connection only"),
    Flag::new("skip_profile_setup", "skip-profile-setup", Kind::Switch, "Ask nothing about a profile").short('s'),
    Flag::new("skip_debug", "skip-debug", Kind::Switch, "Do not check the connection afterwards").hidden(),
    Flag::new("source", "source", Kind::Choice(&["hub", "git", "local"]), "Where an added package comes from"),
    Flag::new("lock", "lock", Kind::Switch, "Write package-lock.yml only"),
    Flag::new("upgrade", "upgrade", Kind::Switch, "Take the newest versions that packages.yml allows"),
    Flag::new("dry_run", "dry-run", Kind::Switch, "Say what would be done, write nothing"),
    Flag::new("add_package", "add-package", Kind::Text, "Package to add: name@version"),
];

/// The flags that one verb has beside the global ones.
pub fn of(command: Command) -> &'static [&'static str] {
    match command {
        Command::Build => &[
            "select",
            "exclude",
            "selector",
            "resource_types",
            "exclude_resource_types",
            "full_refresh",
            "store_failures",
            "empty",
            "sample",
            "event_time_start",
            "event_time_end",
            "show",
            "export_saved_queries",
            "include_saved_query",
        ],
        Command::Run => {
            &["select", "exclude", "selector", "full_refresh", "empty", "sample", "event_time_start", "event_time_end"]
        }
        Command::Test => &["select", "exclude", "selector", "resource_types", "exclude_resource_types", "store_failures"],
        Command::Seed => &["select", "exclude", "selector", "full_refresh", "show", "empty"],
        Command::Snapshot => &["select", "exclude", "selector", "empty"],
        Command::Compile => &[
            "select",
            "exclude",
            "selector",
            "full_refresh",
            "empty",
            "inline",
            "output_format",
            "introspect",
            "inject_ephemeral_ctes",
        ],
        Command::Show => {
            &["select", "exclude", "selector", "full_refresh", "inline", "inline_direct", "output_format", "limit", "introspect"]
        }
        Command::List => {
            &["models", "select", "exclude", "selector", "resource_types", "exclude_resource_types", "output", "output_keys"]
        }
        Command::Clone => &["select", "exclude", "selector", "resource_types", "exclude_resource_types", "full_refresh"],
        Command::DocsGenerate => &["select", "exclude", "selector", "compile", "empty_catalog", "static"],
        Command::DocsServe => &["browser", "host", "port"],
        Command::SourceFreshness => &["select", "exclude", "selector", "output_path"],
        Command::RunOperation => &["args", "sql"],
        Command::Retry => &["full_refresh"],
        Command::Clean => &["clean_project_files_only"],
        Command::Debug => &["config_dir", "connection"],
        Command::Deps => &["source", "lock", "upgrade", "dry_run", "add_package"],
        Command::Init => &["skip_profile_setup", "skip_debug"],
        Command::Parse => &[],
    }
}

pub fn all() -> impl Iterator<Item = &'static Flag> {
    GLOBAL.iter().chain(OWN)
}

/// The flag of that name.
pub fn named(name: &str) -> Option<&'static Flag> {
    all().find(|flag| flag.name == name)
}
