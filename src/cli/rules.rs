//! What dbt asks of flags beyond their single values: which exclude each other, which go together, which spellings are old.

use chrono::NaiveDateTime;

use std::path::Path;

use super::Request;
use super::flags::{GLOBAL, Kind};
use crate::diagnostic::Diagnostic;
use crate::fs::{Disk, FileSystem};
use crate::manifest::{Json, JsonMap};

/// Checks the request, and settles what one flag says of another. `Err` is the usage error to show.
pub(super) fn settle(request: &mut Request, words: &[String]) -> Result<(), String> {
    for (one, other) in [("select", "inline"), ("selector", "inline"), ("warn_error", "warn_error_options")] {
        if is_given(&request.given, one) && is_given(&request.given, other) {
            return Err(format!("{other}: not allowed with argument {one}"));
        }
    }
    event_times(&request.given)?;
    given_twice(words)?;
    if let Some(path) = request.text("partial_parse_file_path").filter(|path| !Disk.exists(Path::new(path))) {
        return Err(format!("Invalid value for '--partial-parse-file-path': File '{path}' does not exist."));
    }
    if let Some(text) = request.text("sqlparse") {
        let options = sqlparse(text)?;
        request.given.insert("sqlparse".to_owned(), options);
    }
    if words.iter().any(|word| matches!(word.as_str(), "--models" | "--model" | "-m")) {
        let message = "Usage of `--models`, `--model`, and `-m` is deprecated in favor of `--select` or `-s`.";
        request.warnings.push(Diagnostic::warning("W0813", message).event("ModelParamUsageDeprecation"));
    }
    if is_given(&request.given, "selector") && (is_given(&request.given, "select") || is_given(&request.given, "exclude")) {
        let message = "The --select and --exclude arguments are being ignored for node selection because --selector is provided";
        request.warnings.push(Diagnostic::warning("W0814", message).event("SelectExcludeIgnoredWithSelectorWarning"));
    }
    if let Some(path) = request.text("output_path") {
        let message = format!("Custom output path usage `--output {path}` usage detected in `dbt source freshness` command.");
        let warning = Diagnostic::warning("W0815", message).event("CustomOutputPathInSourceFreshnessDeprecation");
        request.warnings.push(warning.help("readers look for target/sources.json; --target-path moves all artifacts"));
    }
    Ok(())
}

/// A flag of all commands may stand before or after the command, not on both sides of it.
fn given_twice(words: &[String]) -> Result<(), String> {
    let flag = |word: &str| {
        let long = word.strip_prefix("--").map(|long| long.split_once('=').map_or(long, |(long, _)| long));
        GLOBAL.iter().find(|flag| match long {
            Some(long) => flag.long == long || long.strip_prefix("no-") == Some(flag.long),
            None => flag.short.is_some_and(|short| word.strip_prefix('-').is_some_and(|rest| rest.starts_with(short))),
        })
    };
    let mut before = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let Some(found) = flag(word) else {
            if word.starts_with('-') {
                continue;
            }
            break;
        };
        before.push(found.name);
        let takes_value = !matches!(found.kind, Kind::Toggle | Kind::Switch);
        if takes_value && !word.contains('=') {
            rest.next();
        }
    }
    match rest.filter_map(|word| flag(word)).find(|found| before.contains(&found.name)) {
        Some(twice) => Err(format!(
            "{} was provided both before and after the subcommand, it can only be set either before or after.",
            twice.name
        )),
        None => Ok(()),
    }
}

fn is_given(given: &JsonMap, name: &str) -> bool {
    given.get(name).is_some_and(|value| value.as_array().is_none_or(|items| !items.is_empty()))
}

const TIMES: [&str; 3] = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"];

fn event_times(given: &JsonMap) -> Result<(), String> {
    let time = |name: &str| -> Result<Option<NaiveDateTime>, String> {
        let Some(text) = given.get(name).and_then(Json::as_str) else { return Ok(None) };
        let day = chrono::NaiveDate::parse_from_str(text, TIMES[0]).ok().and_then(|day| day.and_hms_opt(0, 0, 0));
        let at = day.or_else(|| TIMES[1..].iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok()));
        let flag = name.replace('_', "-");
        let formats = TIMES.map(|format| format!("'{format}'")).join(", ");
        at.map(Some).ok_or_else(|| format!("Invalid value for '--{flag}': '{text}' does not match the formats {formats}."))
    };
    let missing = |given: &str, other: &str| {
        format!(
            "The flag `--{given}` was specified, but `--{other}` was not. When specifying `--{given}`, `--{other}` must also be present."
        )
    };
    match (time("event_time_start")?, time("event_time_end")?) {
        (None, Some(_)) => Err(missing("event-time-end", "event-time-start")),
        (Some(_), None) => Err(missing("event-time-start", "event-time-end")),
        (Some(start), Some(end)) if start >= end => {
            Err("Value for `--event-time-start` must be less than `--event-time-end`".to_owned())
        }
        _ => Ok(()),
    }
}

/// `--sqlparse`: limits of the Python library that dbt formats SQL with. There is none here, but artifacts show them.
fn sqlparse(text: &str) -> Result<Json, String> {
    const KEYS: [&str; 2] = ["MAX_GROUPING_DEPTH", "MAX_GROUPING_TOKENS"];
    let source = crate::diagnostic::SourceText::new("--sqlparse", text);
    let Some(Json::Object(options)) = crate::yaml::read(&source).0.map(|yaml| yaml.to_json()) else {
        return Err(format!("Invalid value for '--sqlparse': String '{text}' is not valid YAML"));
    };
    for (key, value) in &options {
        if !KEYS.contains(&key.as_str()) {
            return Err(format!(
                "Invalid value for '--sqlparse': Unknown sqlparse option: {key}. Valid options: {}",
                KEYS.join(", ")
            ));
        }
        if !value.is_null() && value.as_i64().is_none() {
            return Err(format!("Invalid value for '--sqlparse': Value for {key} must be an integer, got: {value}"));
        }
    }
    Ok(Json::Object(options))
}
