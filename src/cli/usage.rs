//! Usage errors in the words of click, which dbt's command line is made with: scripts match them.

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::environment::not_one_of;

/// Prints what is wrong with the command line: exit 2.
pub(super) fn complain(program: &str, problem: &str) -> ExitCode {
    eprintln!("Usage: {program} [OPTIONS] COMMAND [ARGS]...\nTry '{program} --help' for help.\n\nError: {problem}");
    ExitCode::from(2)
}

/// clap's error as click would put it; clap's own words for what click does not know.
pub(super) fn in_clicks_words(error: &clap::Error) -> String {
    let text = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        Some(ContextValue::Strings(texts)) => texts.first().map(String::as_str),
        _ => None,
    };
    // `--log-level <LOG_LEVEL>` without the value's name.
    let flag = text(ContextKind::InvalidArg).and_then(|flag| flag.split([' ', '=', '[']).next()).unwrap_or_default();
    let value = text(ContextKind::InvalidValue).unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument if !flag.starts_with('-') => format!("Got unexpected extra argument ({flag})"),
        ErrorKind::UnknownArgument => {
            let near = text(ContextKind::SuggestedArg).and_then(|flag| flag.split([' ', '=']).next());
            let hint = near.map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
            format!("No such option: {flag}{hint}")
        }
        ErrorKind::InvalidSubcommand => {
            let near = text(ContextKind::SuggestedSubcommand);
            let hint = near.map(|near| format!(" Did you mean '{near}'?")).unwrap_or_default();
            format!("No such command '{}'.{hint}", text(ContextKind::InvalidSubcommand).unwrap_or_default())
        }
        ErrorKind::InvalidValue if value.is_empty() => format!("Option '{flag}' requires an argument."),
        ErrorKind::InvalidValue => {
            let choices = match error.get(ContextKind::ValidValue) {
                Some(ContextValue::Strings(choices)) => choices.as_slice(),
                _ => &[],
            };
            format!("Invalid value for '{flag}': {}", not_one_of(value, choices.iter().map(String::as_str)))
        }
        ErrorKind::ValueValidation => format!("Invalid value for '{flag}': '{value}' is not a valid integer."),
        ErrorKind::MissingSubcommand => "Missing command.".to_owned(),
        _ => {
            let shown = error.to_string();
            shown.strip_prefix("error: ").unwrap_or(&shown).lines().next().unwrap_or_default().to_owned()
        }
    }
}
