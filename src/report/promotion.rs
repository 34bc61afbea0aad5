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
}

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
        let named = |wanted: &str| {
            let lists =
                [("silence", "silence", Fate::Silence), ("warn", "exclude", Fate::Warn), ("error", "include", Fate::Error)];
            lists.into_iter().find(|(key, old, _)| self.lists(key, wanted) || self.lists(old, wanted)).map(|(.., fate)| fate)
        };
        if let Some(fate) = name.and_then(named) {
            return fate;
        }
        if let Some(fate) = name.filter(|name| event_names::is_deprecation(name)).and_then(|_| named("Deprecations")) {
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

    /// Names in the options that no event has: dbt refuses them.
    pub fn faults(&self) -> Vec<Diagnostic> {
        let Json::Object(options) = &self.options else { return Vec::new() };
        let names = options.values().filter_map(Json::as_array).flatten().filter_map(Json::as_str);
        let unknown =
            names.filter(|name| !matches!(*name, "all" | "*" | "Deprecations" | "Hints") && event_names::code(name).is_none());
        unknown
            .map(|name| {
                Diagnostic::error("E0810", format!("{name} is not a valid dbt error name."))
                    .help("warn_error_options takes dbt's event names, such as NoNodesForSelectionCriteria, or Deprecations")
            })
            .collect()
    }
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
        let kept = promote(warnings, &Promotion { warn_error, options: options.clone() });
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
        check(true, &Json::Null, "eeee");
        check(false, &json!({"error": "all", "warn": ["UnusedTables"]}), "eewe");
        check(false, &json!({"include": "all", "exclude": ["Deprecations"]}), "ewee");
        check(false, &json!({"error": ["Deprecations"]}), "weww");
        check(false, &json!({"error": ["Deprecations"], "silence": ["ConfigDataPathDeprecation"]}), "w-ww");
        check(true, &json!({"silence": ["NoNodesForSelectionCriteria"]}), "-eee");
    }

    #[test]
    fn unknown_names_are_refused() {
        let promotion = Promotion { warn_error: false, options: json!({"error": ["NoSuch", "Deprecations"], "warn": []}) };
        let messages: Vec<String> = promotion.faults().into_iter().map(|fault| fault.message).collect();
        assert_eq!(messages, ["NoSuch is not a valid dbt error name."]);
    }
}
