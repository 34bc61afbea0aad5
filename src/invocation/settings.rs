//! Flags of the request as each phase wants them.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use crate::adapter::AdapterError;
use crate::cli::{Command, Request};
use crate::diagnostic::Diagnostic;
use crate::graph::IndirectSelection;
use crate::manifest::{Json, JsonMap};
use crate::project::{FEW, LoadOptions, Project};
use crate::report::{LogFormat, Promotion, ReportOptions};

/// What loading needs of the request.
pub fn load_options(request: &Request, env: HashMap<String, String>) -> LoadOptions {
    let path = |name: &str| request.text(name).map(PathBuf::from);
    let mut flags = request.given.clone();
    for (name, value) in selection_defaults(request.command) {
        flags.entry(name).or_insert(value);
    }
    if let (Command::RunOperation, Some(name)) = (request.command, request.words.first()) {
        flags.insert("macro".to_owned(), name.as_str().into());
    }
    flags.insert("which".to_owned(), request.command.which().into());
    flags.insert("invocation_command".to_owned(), request.line.as_str().into());
    LoadOptions {
        project_dir: path("project_dir"),
        profiles_dir: path("profiles_dir"),
        profile: request.text("profile").map(str::to_owned),
        target: request.text("target").map(str::to_owned),
        vars: request.text("vars").map(str::to_owned),
        threads: if request.is("single_threaded") {
            Some(1)
        } else {
            request.number("threads").and_then(|number| usize::try_from(number).ok())
        },
        target_path: path("target_path"),
        log_path: path("log_path"),
        profile_required: !matches!(request.command, Command::Deps | Command::Clean),
        packages_required: !matches!(request.command, Command::Deps | Command::Clean | Command::Debug),
        flags,
        env: Some(env),
        invocation_id: None,
        started_at: None,
    }
}

/// What dbt's `args` say of selection where nothing was asked for: `retry` and readers of run_results.json look for them.
fn selection_defaults(command: Command) -> Vec<(String, Json)> {
    let (lists, switches): (&[&str], &[&str]) = match command {
        Command::Build => (
            &["select", "exclude", "resource_types", "exclude_resource_types"],
            &["export_saved_queries", "include_saved_query", "show"],
        ),
        Command::Test => (&["select", "exclude", "resource_types", "exclude_resource_types"], &[]),
        Command::Seed => (&["select", "exclude"], &["show"]),
        Command::Run
        | Command::Snapshot
        | Command::Compile
        | Command::DocsGenerate
        | Command::SourceFreshness
        | Command::Clone => (&["select", "exclude"], &[]),
        _ => (&[], &[]),
    };
    let formats_sql = !lists.is_empty() && command != Command::Clone;
    let sqlparse = serde_json::json!({"MAX_GROUPING_DEPTH": null, "MAX_GROUPING_TOKENS": null});
    let sqlparse = formats_sql.then(|| ("sqlparse".to_owned(), sqlparse));
    let lists = lists.iter().map(|name| ((*name).to_owned(), Json::Array(Vec::new())));
    lists.chain(switches.iter().map(|name| ((*name).to_owned(), Json::Bool(false)))).chain(sqlparse).collect()
}

/// What reporting needs: flags in force once the project is loaded, else the request's own.
pub fn report_options(project: Option<&Project>, options: &LoadOptions, cwd: &Path) -> ReportOptions {
    let flags = project.map_or(&options.flags, |project| &project.flags);
    let text = |name: &str| flags.get(name).and_then(Json::as_str);
    let truth = |name: &str, default: bool| flags.get(name).and_then(Json::as_bool).unwrap_or(default);
    let none = HashMap::new();
    let env = project.map_or(options.env.as_ref().unwrap_or(&none), |project| &project.invocation.env);
    let is_terminal = std::io::stdout().is_terminal() && !env.contains_key("CI");
    let given = options.flags.get("use_colors").and_then(Json::as_bool);
    let plain = env.get("NO_COLOR").is_some_and(|value| !value.is_empty()) || !is_terminal;
    let level = if truth("debug", false) { "debug" } else { text("log_level").unwrap_or("info") };
    let log_path = project.map_or_else(|| cwd.join("logs"), |project| project.log_path.clone());
    ReportOptions {
        format: format(text("log_format")),
        level: level.to_owned(),
        file_format: format(text("log_format_file").or(Some("debug"))),
        file_level: text("log_level_file").unwrap_or("debug").to_owned(),
        log_path: project.map(|_| log_path.clone()),
        log_file_max_bytes: flags.get("log_file_max_bytes").and_then(Json::as_u64).unwrap_or(10 << 20),
        use_colors: given.unwrap_or_else(|| truth("use_colors", true) && !plain),
        is_terminal,
        quiet: truth("quiet", false),
        print: truth("print", true),
        printer_width: flags
            .get("printer_width")
            .and_then(Json::as_u64)
            .and_then(|width| usize::try_from(width).ok())
            .unwrap_or(80),
        show_all_deprecations: truth("show_all_deprecations", false),
        invocation_id: project.map(|project| project.invocation.invocation_id.clone()).unwrap_or_default(),
        secrets: project.map(|project| project.invocation.secrets.clone()).unwrap_or_default(),
        warn_error: truth("warn_error", false),
        warn_error_options: flags.get("warn_error_options").cloned().unwrap_or(Json::Null),
        history_path: project.filter(|_| truth("history", true)).map(|_| log_path.join("history")),
        project_name: project.map(|project| project.root_package().name.to_string()).unwrap_or_default(),
        history_keep: flags.get("history_keep").and_then(Json::as_u64).and_then(|files| usize::try_from(files).ok()),
        metadata_env: project.map(|project| project.invocation.metadata_env.clone()).unwrap_or_default(),
    }
}

/// Which warnings are errors.
pub fn promotion(project: Option<&Project>, options: &LoadOptions) -> Promotion {
    let flags: &JsonMap = project.map_or(&options.flags, |project| &project.flags);
    Promotion {
        warn_error: flags.get("warn_error").and_then(Json::as_bool).unwrap_or(false),
        options: flags.get("warn_error_options").cloned().unwrap_or(Json::Null),
        spares_some: flags.get("require_all_warnings_handled_by_warn_error") == Some(&Json::Bool(false)),
    }
}

fn format(name: Option<&str>) -> LogFormat {
    match name {
        Some("json") => LogFormat::Json,
        Some("text") => LogFormat::Text,
        Some("debug") => LogFormat::Debug,
        _ => LogFormat::Default,
    }
}

/// `--indirect-selection`, where it was given or set in the project.
pub fn indirect_selection(project: &Project) -> Option<IndirectSelection> {
    match project.flags.get("indirect_selection").and_then(Json::as_str)? {
        "cautious" => Some(IndirectSelection::Cautious),
        "buildable" => Some(IndirectSelection::Buildable),
        "empty" => Some(IndirectSelection::Empty),
        _ => Some(IndirectSelection::Eager),
    }
}

/// A warehouse that does not open, for people.
pub fn adapter_fault(error: &AdapterError) -> Diagnostic {
    let (code, help) = match error {
        AdapterError::Connect { help, .. } => ("E0702", help.clone()),
        AdapterError::Profile { help, .. } => ("E0103", help.clone()),
        AdapterError::Statement { .. } => ("E0601", None),
        AdapterError::Cancelled => ("E0701", None),
    };
    let mut diagnostic = Diagnostic::error(code, error.to_string());
    diagnostic.help = help;
    diagnostic
}

/// `quoting` as manifest.json's metadata shows it: the adapter's policy (all quoted), changed by the project's.
pub fn quoting(project: &Project) -> JsonMap {
    let mut shown: JsonMap = ["database", "schema", "identifier"].into_iter().map(|key| (key.to_owned(), true.into())).collect();
    shown.insert("column".to_owned(), Json::Null);
    for (key, value) in &project.root_package().config.quoting {
        shown.insert(key.clone(), value.clone());
    }
    shown
}

/// The calling thread is enough for a small project: others that look for work take longer than the work, and each has memory of
/// its own. (The threads that run nodes are others; their number is the profile's.)
pub(super) fn share_work(project: &Project) {
    let files = project.packages.iter().map(|package| package.files.iter().filter(|file| file.library.is_none()).count());
    if files.sum::<usize>() < FEW {
        // A pool of this thread alone, not the global one, which would make other threads wait for this one. Where this thread has a
        // pool already (tests), it stays as it is.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build();
    }
}
