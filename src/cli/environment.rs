//! Flags in the environment: `DBT_ENGINE_X`, its older spelling `DBT_X`, and the few that once had another name.

use std::collections::HashMap;

use super::flags::{self, Flag, Kind};
use crate::diagnostic::Diagnostic;
use crate::manifest::Json;

const PREFIX: &str = "DBT_ENGINE_";

/// Variables of dbt's engine that no flag stands for.
const WITHOUT_FLAG: &[&str] = &[
    "INVOCATION_ENV",
    "RECORDED_FILE_PATH",
    "RECORDER_FILE_PATH",
    "RECORDER_MODE",
    "RECORDER_TYPES",
    "TEST_STATE_MODIFIED",
    "PACKAGE_HUB_URL",
    "DOWNLOAD_DIR",
    "PP_FILE_DIFF_TEST",
    "PP_TEST",
];

/// Former names: (variable without prefix, the flag, is its meaning the opposite?).
const FORMER: &[(&str, &str, bool)] = &[
    ("DEFER_TO_STATE", "defer", false),
    ("FAVOR_STATE_MODE", "favor_state", false),
    ("NO_PRINT", "print", true),
    ("ARTIFACT_STATE_PATH", "state", false),
];

/// Both spellings of every variable, where one is set: what Jinja's `env_var` then sees. The newer one wins.
pub(super) fn spell_both_ways(env: &mut HashMap<String, String>) {
    let of_flags = flags::all().filter_map(|flag| flag.env).filter(|name| !name.starts_with("ENGINE_"));
    for name in of_flags.chain(WITHOUT_FLAG.iter().copied()).chain(FORMER.iter().map(|(name, ..)| *name)) {
        let (new, old) = (format!("{PREFIX}{name}"), format!("DBT_{name}"));
        if let Some(value) = env.get(&new).cloned() {
            env.insert(old, value);
        } else if let Some(value) = env.get(&old).cloned() {
            env.insert(new, value);
        }
    }
}

/// The flag's value, where a variable that is not empty gives one. `Err` is what click says of a wrong one.
pub(super) fn value(flag: &Flag, env: &HashMap<String, String>) -> Result<Option<Json>, String> {
    let Some(name) = flag.env else { return Ok(None) };
    let set = |name: String| env.get_key_value(name.as_str()).filter(|(_, text)| !text.is_empty());
    let found = match name.strip_prefix("ENGINE_") {
        Some(name) => set(format!("{PREFIX}{name}")),
        None => set(format!("{PREFIX}{name}")).or_else(|| set(format!("DBT_{name}"))),
    };
    let Some((variable, text)) = found else { return Ok(None) };
    read(flag, text).map(Some).map_err(|problem| {
        let short = flag.short.map(|short| format!(" / '-{short}'")).unwrap_or_default();
        format!("Invalid value for '--{}'{short}: {problem} It comes from the environment: {variable}.", flag.long)
    })
}

fn read(flag: &Flag, text: &str) -> Result<Json, String> {
    match flag.kind {
        Kind::Toggle | Kind::Switch => truth(text).map(Json::from).ok_or_else(|| format!("'{text}' is not a valid boolean.")),
        Kind::Number => text.trim().parse::<i64>().map(Json::from).map_err(|_| format!("'{text}' is not a valid integer.")),
        Kind::Words => Ok(text.split_whitespace().map(Json::from).collect()),
        Kind::Choices(choices) => text.split_whitespace().map(|word| chosen(choices, word)).collect(),
        Kind::Choice(choices) => chosen(choices, text),
        Kind::Text => Ok(text.into()),
    }
}

fn truth(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "1" | "true" | "t" | "yes" | "y" | "on" => Some(true),
        "0" | "false" | "f" | "no" | "n" | "off" => Some(false),
        _ => None,
    }
}

fn chosen(choices: &[&str], word: &str) -> Result<Json, String> {
    let lower = word.to_lowercase();
    if choices.contains(&lower.as_str()) {
        return Ok(lower.into());
    }
    Err(not_one_of(word, choices.iter().copied()))
}

/// click's words for a wrong choice.
pub(super) fn not_one_of<'a>(word: &str, choices: impl Iterator<Item = &'a str>) -> String {
    let choices: Vec<String> = choices.map(|choice| format!("'{choice}'")).collect();
    format!("'{word}' is not one of {}.", choices.join(", "))
}

/// What a variable of a former name says: it beats even the command line, as in dbt; with a warning.
pub(super) fn former(env: &HashMap<String, String>) -> Vec<(&'static str, Json, Diagnostic)> {
    let mut found = Vec::new();
    for (name, flag, opposite) in FORMER {
        let variables = [format!("{PREFIX}{name}"), format!("DBT_{name}")];
        let Some(text) = variables.iter().find_map(|variable| env.get(variable)).filter(|text| !text.is_empty()) else {
            continue;
        };
        let Some(current) = flags::named(flag) else { continue };
        let value = match current.kind {
            Kind::Toggle => Json::from(truth(text).unwrap_or(true) != *opposite),
            _ => text.as_str().into(),
        };
        let new = format!("{PREFIX}{}", current.env.unwrap_or_default());
        let old = &variables[1];
        let message = format!("The environment variable `{old}` has been renamed as `{new}`");
        let warning = Diagnostic::warning("W0811", message)
            .help(format!("set `{new}` and unset `{old}`, whose value is used as long as it is set"))
            .event("EnvironmentVariableRenamed");
        found.push((*flag, value, warning));
    }
    found
}

/// The engine's prefix is for the engine's variables.
pub(super) fn unknown(env: &HashMap<String, String>) -> Vec<Diagnostic> {
    let known: Vec<String> = flags::all()
        .filter_map(|flag| flag.env)
        .map(|name| name.strip_prefix("ENGINE_").unwrap_or(name))
        .chain(WITHOUT_FLAG.iter().copied())
        .chain(FORMER.iter().map(|(name, ..)| *name))
        .map(|name| format!("{PREFIX}{name}"))
        .collect();
    let mut names: Vec<&String> = env.keys().filter(|name| name.starts_with(PREFIX) && !known.contains(name)).collect();
    names.sort();
    let warn = |name: &String| {
        let message = format!("Found custom environment variable `{name}` in the environment: the prefix `{PREFIX}` is reserved");
        let help = match crate::diagnostic::nearest(name, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`? Variables of your own need another prefix"),
            None => "give it another prefix: the engine may use the name one day".to_owned(),
        };
        Diagnostic::warning("W0812", message).help(help).event("EnvironmentVariableNamespaceDeprecation")
    };
    names.into_iter().map(warn).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn wrong_values_are_told_in_clicks_words() {
        let said = |flag: &str, pairs: &[(&str, &str)]| value(flags::named(flag).unwrap(), &env(pairs));
        assert_eq!(
            said("fail_fast", &[("DBT_FAIL_FAST", "maybe")]).unwrap_err(),
            "Invalid value for '--fail-fast' / '-x': 'maybe' is not a valid boolean. It comes from the environment: DBT_FAIL_FAST."
        );
        assert_eq!(said("fail_fast", &[("DBT_ENGINE_FAIL_FAST", "0"), ("DBT_FAIL_FAST", "1")]), Ok(Some(false.into())));
        assert_eq!(said("printer_width", &[("DBT_PRINTER_WIDTH", "")]), Ok(None));
        assert!(said("log_level", &[("DBT_LOG_LEVEL", "loud")]).unwrap_err().contains("'loud' is not one of 'debug', 'info'"));
        assert_eq!(said("hints_enabled", &[("DBT_HINTS_ENABLED", "0")]), Ok(None));
    }

    #[test]
    fn former_and_unknown_variables_warn() {
        let found = former(&env(&[("DBT_NO_PRINT", "1"), ("DBT_ARTIFACT_STATE_PATH", "old")]));
        let flags: Vec<_> = found.iter().map(|(flag, value, _)| (*flag, value.clone())).collect();
        assert_eq!(flags, [("print", false.into()), ("state", "old".into())]);
        let said = unknown(&env(&[("DBT_ENGINE_TARGETS", "x"), ("DBT_ENGINE_TARGET", "x"), ("DBT_MINE", "x")]));
        assert_eq!(said.len(), 1);
        assert_eq!(said[0].help.as_deref(), Some("did you mean `DBT_ENGINE_TARGET`? Variables of your own need another prefix"));
    }

    #[test]
    fn both_spellings_are_set() {
        let mut both = env(&[("DBT_TARGET", "a"), ("DBT_ENGINE_PROFILE", "b"), ("DBT_PROFILE", "c")]);
        spell_both_ways(&mut both);
        assert_eq!((both["DBT_ENGINE_TARGET"].as_str(), both["DBT_PROFILE"].as_str()), ("a", "b"));
    }
}
