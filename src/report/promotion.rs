//! `--warn-error` and `--warn-error-options`: warnings that become errors, and warnings that are not wanted.

use super::event_names;
use crate::diagnostic::{Diagnostic, Severity};
use crate::manifest::Json;

/// What the flags ask for.
#[derive(Debug, Clone, Default)]
pub struct Promotion {
    /// `--warn-error`: all of them.
    pub warn_error: bool,
    /// `{error, warn, silence}`, or by their older names `{include, exclude}`; null where not given. Each is a list of event
    /// names (`Deprecations` stands for all of those); `error` may be `all` or `*`.
    pub options: Json,
    /// `require_all_warnings_handled_by_warn_error` is off: some warnings stay what they are.
    pub spares_some: bool,
}

/// Warnings that are never promoted where `require_all_warnings_handled_by_warn_error` is off.
const SPARED: [&str; 7] = [
    "FreshnessConfigProblem",
    "MFConverterIssue",
    "MicrobatchModelNoEventTimeInputs",
    "RunResultWarning",
    "SelectExcludeIgnoredWithSelectorWarning",
    "SemanticValidationFailure",
    "WarnStateTargetEqual",
];

/// What is to become of a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Error,
    Warn,
    Silence,
}

impl Promotion {
    /// dbt's order: a name counts more than the group it is in, a group more than all; then silence, warn, error.
    fn fate(&self, name: Option<&str>) -> Fate {
        // Warnings that dbt has not are lineal's own: `--strict` is for them.
        if name.is_none_or(|name| self.spares_some && SPARED.contains(&name)) {
            return Fate::Warn;
        }
        let named = |wanted: &str| {
            let lists =
                [("silence", "silence", Fate::Silence), ("warn", "exclude", Fate::Warn), ("error", "include", Fate::Error)];
            lists.into_iter().find(|(key, old, _)| self.lists(key, wanted) || self.lists(old, wanted)).map(|(.., fate)| fate)
        };
        if let Some(fate) = name.and_then(named) {
            return fate;
        }
        if let Some(fate) = name.filter(|name| event_names::in_deprecations(name)).and_then(|_| named("Deprecations")) {
            return fate;
        }
        let all = ["error", "include"].iter().any(|key| self.lists(key, "all") || self.lists(key, "*"));
        if self.warn_error || all { Fate::Error } else { Fate::Warn }
    }

    /// Is it the value of that key, or in its list?
    fn lists(&self, key: &str, wanted: &str) -> bool {
        match self.options.get(key) {
            Some(Json::String(one)) => one == wanted,
            Some(Json::Array(items)) => items.iter().any(|item| item.as_str() == Some(wanted)),
            _ => false,
        }
    }

    /// What dbt refuses in the options: names that no event has, `warn` where nothing would be an error without it; and notes
    /// on names that only dbt's v2 engine knows.
    pub fn faults(&self) -> Vec<Diagnostic> {
        const CODE: &str = "E0810";
        let Json::Object(options) = &self.options else { return Vec::new() };
        let mut faults = Vec::new();
        let all = |value: &&Json| matches!(value.as_str(), Some("all" | "*"));
        let errors = options.get("error").or_else(|| options.get("include"));
        if let Some(text) = errors.filter(|value| !all(value)).and_then(Json::as_str) {
            let message = format!("error must be one of ('all', '*') or a list of strings, not '{text}'");
            faults.push(Diagnostic::error(CODE, message).help(format!("write it like: {{\"error\": [\"{text}\"]}}")));
        }
        let warns = ["warn", "exclude"]
            .iter()
            .any(|key| options.get(*key).and_then(Json::as_array).is_some_and(|names| !names.is_empty()));
        let counts = errors.is_some_and(|value| all(&value))
            || ["error", "include", "silence"].iter().any(|key| self.lists(key, "Deprecations"));
        if warns && !counts {
            let message =
                "`warn` can only be specified if `error` is one of ('all', '*') or Deprecations is in `error` or silence.";
            faults.push(
                Diagnostic::error(CODE, message).help("without these everything in `warn` is a warning already: leave it out"),
            );
        }
        let names = options.values().filter_map(Json::as_array).flatten().filter_map(Json::as_str);
        faults.extend(names.filter(|name| *name != "Deprecations" && event_names::code(name).is_none()).map(unknown));
        faults
    }
}

fn unknown(name: &str) -> Diagnostic {
    if event_names::is_of_v2(name) {
        return Diagnostic::warning("W0810", format!("{name} is not being used because it's specific to the dbt v2 engine."));
    }
    let help = match crate::diagnostic::nearest(name, event_names::all()) {
        Some(near) => format!("did you mean {near}?"),
        None => "warn_error_options takes dbt's event names, such as NoNodesForSelectionCriteria, or Deprecations".to_owned(),
    };
    Diagnostic::error("E0810", format!("{name} is not a valid dbt error name.")).help(help)
}

/// The diagnostics with promoted warnings as errors and silenced ones left out; errors stay as they are.
pub fn promote(diagnostics: Vec<Diagnostic>, options: &Promotion) -> Vec<Diagnostic> {
    let mut kept = diagnostics;
    kept.retain_mut(|diagnostic| {
        if diagnostic.is_error() {
            return true;
        }
        match options.fate(diagnostic.event) {
            Fate::Error => diagnostic.severity = Severity::Error,
            Fate::Warn => {}
            Fate::Silence => return false,
        }
        true
    });
    kept
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NAMES: [&str; 3] = ["NoNodesForSelectionCriteria", "ConfigDataPathDeprecation", "UnusedTables"];

    /// What becomes of [`NAMES`] and of a warning without a name: e(rror), w(arning), - (gone).
    fn check(warn_error: bool, options: &Json, expected: &str) {
        let warnings = NAMES.iter().map(|name| Diagnostic::warning("W0001", *name).event(name));
        let warnings = warnings.chain([Diagnostic::warning("W0001", "unnamed")]).collect();
        let kept = promote(warnings, &Promotion { warn_error, options: options.clone(), spares_some: false });
        let fates: String = NAMES
            .iter()
            .chain(&["unnamed"])
            .map(|name| match kept.iter().find(|diagnostic| diagnostic.message == **name) {
                Some(diagnostic) if diagnostic.is_error() => 'e',
                Some(_) => 'w',
                None => '-',
            })
            .collect();
        assert_eq!(fates, expected, "{warn_error} {options}");
    }

    #[test]
    fn names_beat_groups_and_groups_beat_all() {
        check(false, &Json::Null, "wwww");
        check(true, &Json::Null, "eeew");
        check(false, &json!({"error": "all", "warn": ["UnusedTables"]}), "eeww");
        check(false, &json!({"include": "all", "exclude": ["Deprecations"]}), "ewew");
        check(false, &json!({"error": ["Deprecations"]}), "weww");
        check(false, &json!({"error": ["Deprecations"], "silence": ["ConfigDataPathDeprecation"]}), "w-ww");
        check(true, &json!({"silence": ["NoNodesForSelectionCriteria"]}), "-eew");
    }

    #[test]
    fn what_dbt_refuses_is_refused() {
        let said = |options: Json| -> Vec<String> {
            let faults = Promotion { warn_error: false, options, spares_some: false }.faults();
            faults.iter().map(|fault| format!("{} {}", fault.code, fault.message)).collect()
        };
        assert_eq!(
            said(json!({"error": ["NoSuch", "Deprecations", "YamlInvalid"], "warn": []})),
            [
                "E0810 NoSuch is not a valid dbt error name.",
                "W0810 YamlInvalid is not being used because it's specific to the dbt v2 engine.",
            ]
        );
        assert_eq!(said(json!({"error": "some"})).len(), 1);
        assert_eq!(said(json!({"error": [], "warn": ["UnusedTables"]})).len(), 1);
        for fine in [
            json!({"error": "all", "warn": ["UnusedTables"]}),
            json!({"silence": ["Deprecations"], "warn": ["ConfigDataPathDeprecation"]}),
            Json::Null,
        ] {
            assert_eq!(said(fine), [""; 0]);
        }
    }
}
