//! Which property-file entry speaks of which draft.

use std::collections::{HashMap, HashSet};

use crate::diagnostic::Diagnostic;
use crate::manifest::ResourceType;
use crate::parse::{Draft, Parsed};

use super::nodes::{Shared, unknown_patch};
use super::patch::{self, Patch};
use super::{config, functions};

/// For each draft the entry that speaks of it, and the order in which the nodes enter the manifest.
pub struct Attached {
    pub patches: Vec<Option<Patch>>,
    /// Drafts that are not generic tests: files' order, versioned models last.
    pub order: Vec<usize>,
    /// Functions' files that another function takes in as its overloads, by that function.
    pub overloads: HashMap<usize, Vec<usize>>,
}

/// Drafts by section-like kind and name.
struct Index<'a> {
    drafts: &'a [Draft],
    enabled: Vec<bool>,
    refable: HashMap<&'a str, Vec<usize>>,
    analyses: HashMap<&'a str, Vec<usize>>,
    functions: HashMap<&'a str, Vec<usize>>,
    tests: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Index<'a> {
    fn new(shared: &Shared<'_>, drafts: &'a [Draft]) -> Self {
        let enabled = drafts.iter().map(|draft| draft.test.is_some() || enabled(shared, draft)).collect();
        let mut index = Self {
            drafts,
            enabled,
            refable: HashMap::new(),
            analyses: HashMap::new(),
            functions: HashMap::new(),
            tests: HashMap::new(),
        };
        for (at, draft) in drafts.iter().enumerate() {
            let names = match draft.resource_type {
                ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot => &mut index.refable,
                ResourceType::Analysis => &mut index.analyses,
                ResourceType::Function => &mut index.functions,
                ResourceType::Test if draft.test.is_none() => &mut index.tests,
                _ => continue,
            };
            names.entry(draft.name.as_str()).or_default().push(at);
        }
        index
    }

    fn of_section(&self, section: &str) -> &HashMap<&'a str, Vec<usize>> {
        match section {
            "analyses" => &self.analyses,
            "functions" => &self.functions,
            "data_tests" => &self.tests,
            _ => &self.refable,
        }
    }

    /// Enabled drafts of that name: the patch's own package's, else any's.
    fn enabled_named(&self, patch: &Patch, name: &str, any_package: bool) -> Vec<usize> {
        let named = self.of_section(patch.section).get(name).map(Vec::as_slice).unwrap_or_default();
        let enabled = || named.iter().copied().filter(|at| self.enabled[*at]);
        let own: Vec<usize> = enabled().filter(|at| self.drafts[*at].package.name == patch.package.name).collect();
        if own.is_empty() && any_package { enabled().collect() } else { own }
    }

    fn disabled_named(&self, patch: &Patch, name: &str, any_package: bool) -> Vec<usize> {
        let named = self.of_section(patch.section).get(name).map(Vec::as_slice).unwrap_or_default();
        let fits = |at: &usize| {
            let draft = &self.drafts[*at];
            !self.enabled[*at]
                && section_of(draft.resource_type) == patch.section
                && (any_package || draft.package.name == patch.package.name)
        };
        named.iter().copied().filter(fits).collect()
    }
}

fn enabled(shared: &Shared<'_>, draft: &Draft) -> bool {
    let levels = shared.trees.rendered(&draft.package.name, draft.resource_type, &draft.fqn);
    let (calls, _) = config::merge_calls(&draft.capture.config_calls);
    config::enabled_before_patch(&levels, &calls)
}

fn section_of(kind: ResourceType) -> &'static str {
    match kind {
        ResourceType::Model => "models",
        ResourceType::Seed => "seeds",
        ResourceType::Snapshot => "snapshots",
        ResourceType::Analysis => "analyses",
        ResourceType::Function => "functions",
        ResourceType::Test => "data_tests",
        _ => "",
    }
}

const SECTIONS: [&str; 6] = ["models", "seeds", "snapshots", "analyses", "functions", "data_tests"];

/// Finds the draft of every entry. Entries without one warn, with the nearest name; two entries for one node are an error.
pub fn attach(shared: &Shared<'_>, parsed: &Parsed, diagnostics: &mut Vec<Diagnostic>) -> Attached {
    let index = Index::new(shared, &parsed.drafts);
    let mut patches: Vec<Option<Patch>> = vec![None; parsed.drafts.len()];
    let mut versioned = Vec::new();
    for property in parsed.properties.iter().filter(|property| SECTIONS.contains(&property.section)) {
        for patch in patch::patches(property, diagnostics) {
            let found = find(&index, &patch, diagnostics);
            for at in found {
                if let Some(first) = &patches[at] {
                    diagnostics.push(twice(first, &patch));
                    continue;
                }
                if patch.version.is_some() {
                    versioned.push(at);
                }
                patches[at] = Some(patch.clone());
            }
        }
    }
    let overloads = functions::overloads(&parsed.drafts, &index.enabled, &patches, diagnostics);
    let taken: HashSet<usize> = overloads.values().flatten().copied().collect();
    let plain = (0..parsed.drafts.len())
        .filter(|at| !taken.contains(at))
        .filter(|at| parsed.drafts[*at].test.is_none() && patches[*at].as_ref().is_none_or(|patch| patch.version.is_none()));
    let order = plain.chain(versioned).collect();
    Attached { patches, order, overloads }
}

fn find(index: &Index<'_>, patch: &Patch, diagnostics: &mut Vec<Diagnostic>) -> Vec<usize> {
    let (mut enabled, disabled) = match &patch.version {
        None => (index.enabled_named(patch, &patch.name, true), index.disabled_named(patch, &patch.name, false)),
        Some(version) => {
            let file = super::columns::text(version.entry.get("defined_in"));
            let file = file.unwrap_or_else(|| format!("{}_v{}", patch.name, version.version.text));
            let mut found = index.enabled_named(patch, &file, false);
            if found.is_empty() && version.version.text == version.latest.text {
                found = index.enabled_named(patch, &patch.name, false);
            }
            (found, index.disabled_named(patch, &file, true))
        }
    };
    if enabled.len() > 1 {
        let first = &index.drafts[enabled[0]].unique_id;
        if enabled.iter().any(|at| index.drafts[*at].unique_id != *first) {
            let ids: Vec<&str> = enabled.iter().map(|at| index.drafts[*at].unique_id.as_str()).collect();
            let message = format!(
                "'{}' in the '{}' section of file '{}' could be any of {}",
                patch.name,
                patch.section,
                patch.file.original_path,
                ids.join(", ")
            );
            diagnostics.push(Diagnostic::error("E0263", message).at(&patch.file.source, patch.place()));
        }
        enabled.truncate(1);
    }
    if let Some(at) = enabled.first() {
        let kind = index.drafts[*at].resource_type;
        if section_of(kind) == patch.section {
            return enabled;
        }
        diagnostics.push(wrong_section(patch, kind));
        return Vec::new();
    }
    if disabled.is_empty() {
        let known = index.of_section(patch.section).keys().copied();
        diagnostics.push(unknown_patch(patch, known));
    } else if disabled.len() > 1 && patch.config.get("enabled").and_then(serde_json::Value::as_bool) == Some(true) {
        let message = format!(
            "Found {} matching disabled nodes for {} '{}'. Multiple nodes for the same unique id cannot be enabled in the schema \
             file. They must be enabled in `dbt_project.yml` or in the sql files.",
            disabled.len(),
            disabled.first().map_or(ResourceType::Model, |at| index.drafts[*at].resource_type),
            patch.name
        );
        diagnostics.push(Diagnostic::error("E0264", message).at(&patch.file.source, patch.place()));
    }
    disabled
}

fn wrong_section(patch: &Patch, kind: ResourceType) -> Diagnostic {
    let right = section_of(kind);
    let message = format!(
        "'{}' is a {kind} node, but it is specified in the '{}' section of {}",
        patch.name, patch.section, patch.file.original_path
    );
    Diagnostic::warning("W0265", message)
        .event("WrongResourceSchemaFile")
        .at(&patch.file.source, patch.place())
        .help(format!("move it to a '{right}' section"))
}

fn twice(first: &Patch, second: &Patch) -> Diagnostic {
    let message = format!(
        "dbt found two schema.yml entries for the same resource named {}. Resources and their associated columns may only be \
         described a single time.",
        second.name
    );
    Diagnostic::error("E0266", message)
        .at(&second.file.source, second.place())
        .at_with(&first.file.source, first.place(), "described here before")
        .help("remove one of the two entries")
}
