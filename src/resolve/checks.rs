//! What must hold between resources: unique names, groups, access, snapshot configs, deprecations.

use std::collections::HashMap;

use crate::diagnostic::{Diagnostic, Severity};
use crate::manifest::{Detail, Group, Json, Language, Node, ResourceType, Source, UniqueId};

use super::nodes::Shared;
use super::refs::Origin;
use super::semantic::Semantics;
use super::{functions, nearest};

/// All checks on nodes; `origins` are their places.
pub fn check(shared: &Shared<'_>, nodes: &[Node], origins: &[Origin], groups: &[Group]) -> Vec<Diagnostic> {
    let mut checks = Checks { shared, diagnostics: Vec::new() };
    let enabled = || nodes.iter().zip(origins).filter(|(node, _)| node.config.enabled());
    checks.names(enabled());
    checks.aliases(enabled());
    let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
    let spaced_error = shared.project.flags.get("require_resource_names_without_spaces").and_then(Json::as_bool).unwrap_or(true);
    for (node, origin) in enabled() {
        checks.group(node, origin, &names);
        checks.access(node, origin);
        checks.snapshot(node, origin);
        checks.spaces(node, origin, spaced_error);
        checks.function(node, origin);
    }
    checks.deprecations(nodes, origins);
    checks.diagnostics
}

/// Sources and semantic models with spaces in their names: each source once, whatever its tables.
pub fn spaced_names(shared: &Shared<'_>, sources: &[Source], semantics: &Semantics) -> Vec<Diagnostic> {
    let required = shared.flag("require_source_and_semantic_model_names_without_spaces");
    let mut names: Vec<String> = Vec::new();
    for source in sources.iter().filter(|source| source.config.enabled() && source.source_name.contains(' ')) {
        let id = format!("source.{}.{}", source.package_name, source.source_name);
        if !names.contains(&id) {
            names.push(id);
        }
    }
    let models = semantics.models.iter().filter(|model| model.of.config.enabled() && model.of.name.contains(' '));
    names.extend(models.map(|model| model.of.unique_id.as_str().to_owned()));
    let told = names.into_iter().map(|id| {
        let message = format!("Found spaces in the name of '{id}'");
        let diagnostic = if required {
            Diagnostic::error("E0415", message)
        } else {
            Diagnostic::warning("W0415", message).event("SpacesInResourceNameDeprecation")
        };
        diagnostic.help("resource names cannot contain spaces: rename it")
    });
    told.collect()
}

struct Checks<'a> {
    shared: &'a Shared<'a>,
    diagnostics: Vec<Diagnostic>,
}

fn relational(node: &Node) -> bool {
    match node.resource_type {
        ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot => true,
        ResourceType::Test => node.relation_name.is_some(),
        _ => false,
    }
}

impl Checks<'_> {
    fn push(&mut self, diagnostic: Diagnostic, node: &Node, origin: &Origin) {
        let place =
            crate::diagnostic::Span::new(origin.span.start, if origin.exact { origin.span.end } else { origin.span.start });
        self.diagnostics.push(diagnostic.at(&origin.source, place).node(node.unique_id.shared()));
    }

    /// Two nodes of one id; a model and a seed of one name, which `ref` could not tell apart.
    fn names<'a>(&mut self, nodes: impl Iterator<Item = (&'a Node, &'a Origin)>) {
        let mut ids: HashMap<&UniqueId, (&Node, &Origin)> = HashMap::new();
        let mut names: HashMap<(&str, &str), (&Node, &Origin)> = HashMap::new();
        for (node, origin) in nodes {
            if let Some((first, first_origin)) = ids.insert(&node.unique_id, (node, origin)) {
                let plural = match node.resource_type {
                    ResourceType::Analysis => "analyses".to_owned(),
                    ResourceType::Test => "data_tests".to_owned(),
                    kind => format!("{kind}s"),
                };
                self.twice(node, origin, first, first_origin, &plural, "E0410", Severity::Error);
                continue;
            }
            if !relational(node) || node.resource_type == ResourceType::Test {
                continue;
            }
            let versioned = node.model().is_some_and(|model| model.version.is_some());
            let key = (&*node.package_name, node.name.as_str());
            let Some((first, first_origin)) = names.get(&key).copied() else {
                names.insert(key, (node, origin));
                continue;
            };
            match (versioned, first.model().is_some_and(|model| model.version.is_some())) {
                (true, true) => {}
                (false, false) => {
                    let strict = self.shared.flag("require_unique_project_resource_names");
                    let severity = if strict { Severity::Error } else { Severity::Warning };
                    let code = if strict { "E0410" } else { "W0410" };
                    self.twice(node, origin, first, first_origin, "resources", code, severity);
                }
                _ => {
                    let message = format!(
                        "Found versioned and unversioned models with the same name: {} ({}), {} ({})",
                        first.unique_id, first.original_file_path, node.unique_id, node.original_file_path
                    );
                    self.push(Diagnostic::error("E0411", message), node, origin);
                }
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "two nodes with their places, and how it is told")]
    fn twice(
        &mut self,
        node: &Node,
        origin: &Origin,
        first: &Node,
        first_origin: &Origin,
        plural: &str,
        code: &'static str,
        severity: Severity,
    ) {
        let message = format!(
            "dbt found two {plural} with the name \"{}\": {} ({}), {} ({})",
            node.name, first.unique_id, first.original_file_path, node.unique_id, node.original_file_path
        );
        let diagnostic = match severity {
            Severity::Error => Diagnostic::error(code, message),
            Severity::Warning => Diagnostic::warning(code, message).event("DuplicateNameDistinctNodeTypesDeprecation"),
        };
        let place = crate::diagnostic::Span::new(origin.span.start, origin.span.start);
        let before = crate::diagnostic::Span::new(first_origin.span.start, first_origin.span.start);
        let diagnostic = diagnostic
            .at(&origin.source, place)
            .at_with(&first_origin.source, before, "the other one")
            .help("rename one of them, or disable it with `enabled: false`")
            .node(node.unique_id.shared());
        self.diagnostics.push(diagnostic);
    }

    /// Two nodes that would become one table.
    fn aliases<'a>(&mut self, nodes: impl Iterator<Item = (&'a Node, &'a Origin)>) {
        let mut seen: HashMap<String, (&Node, &Origin)> = HashMap::new();
        for (node, origin) in nodes.filter(|(node, _)| relational(node)) {
            let name = self.shared.names.relation(node).name();
            let Some((first, first_origin)) = seen.get(&name).copied() else {
                seen.insert(name, (node, origin));
                continue;
            };
            if first.unique_id == node.unique_id {
                continue;
            }
            let message = format!(
                "dbt found two resources with the database representation \"{name}\". dbt cannot create two resources with \
                 identical database representations: {} ({}), {} ({})",
                first.unique_id, first.original_file_path, node.unique_id, node.original_file_path
            );
            let place = crate::diagnostic::Span::new(origin.span.start, origin.span.start);
            let before = crate::diagnostic::Span::new(first_origin.span.start, first_origin.span.start);
            let diagnostic = Diagnostic::error("E0412", message)
                .at(&origin.source, place)
                .at_with(&first_origin.source, before, "the other one")
                .help("give one of them another `alias` or `schema`")
                .node(node.unique_id.shared());
            self.diagnostics.push(diagnostic);
        }
    }

    fn group(&mut self, node: &Node, origin: &Origin, known: &[&str]) {
        let Some(group) = node.group.as_deref().filter(|group| !group.is_empty() && !known.contains(group)) else { return };
        let mut sorted = known.to_vec();
        sorted.sort_unstable();
        let expected = sorted.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
        let message = format!("Invalid group '{group}', expected one of [{expected}]");
        let mut diagnostic = Diagnostic::error("E0293", message);
        diagnostic.help = nearest::hint(group, known.iter().copied()).or_else(|| Some("define it under `groups:`".to_owned()));
        self.push(diagnostic, node, origin);
    }

    fn access(&mut self, node: &Node, origin: &Origin) {
        let public = node.model().is_some_and(|model| model.access == "public");
        if public && node.config.materialized() == "ephemeral" {
            let message = format!(
                "Node {} with 'ephemeral' materialization has an invalid value (public) for the access field",
                node.unique_id
            );
            self.push(Diagnostic::error("E0292", message).help("materialize it, or give it another access"), node, origin);
        }
    }

    fn snapshot(&mut self, node: &Node, origin: &Origin) {
        if node.resource_type != ResourceType::Snapshot {
            return;
        }
        let given = |key: &str| node.config.given(key).filter(|value| value.as_str() != Some(""));
        let strategy = node.config.text("strategy").filter(|text| !text.is_empty());
        let problem = match strategy {
            None => Some("Snapshots must be configured with a 'strategy' and 'unique_key'.".to_owned()),
            Some(_) if given("unique_key").is_none() => {
                Some("Snapshots must be configured with a 'strategy' and 'unique_key'.".to_owned())
            }
            Some("check") => match given("check_cols") {
                None => Some("A snapshot configured with the check strategy must specify a check_cols configuration.".to_owned()),
                Some(Json::String(text)) if text != "all" => {
                    Some(format!("Invalid value for 'check_cols': {text}. Expected 'all' or a list of strings."))
                }
                Some(_) => None,
            },
            Some("timestamp") if given("updated_at").is_none() => {
                Some("A snapshot configured with the timestamp strategy must specify an updated_at configuration.".to_owned())
            }
            Some("timestamp") if given("check_cols").is_some() => {
                Some("A 'timestamp' snapshot should not have 'check_cols'".to_owned())
            }
            Some(_) => None,
        };
        if let Some(problem) = problem {
            self.push(Diagnostic::error("E0290", format!("{}: {problem}", node.unique_id)), node, origin);
        }
    }

    fn spaces(&mut self, node: &Node, origin: &Origin, error: bool) {
        if !node.name.contains(' ') || node.resource_type == ResourceType::Operation {
            return;
        }
        let message = format!("Found spaces in the name of '{}'", node.unique_id);
        let diagnostic = if error {
            Diagnostic::error("E0415", message)
        } else {
            Diagnostic::warning("W0415", message).event("SpacesInResourceNameDeprecation")
        };
        self.push(diagnostic.help("resource names cannot contain spaces: rename it"), node, origin);
    }

    /// Arguments with a default come last; JavaScript runs on no warehouse that there is.
    fn function(&mut self, node: &Node, origin: &Origin) {
        let Detail::Function(body) = &node.detail else { return };
        if let Some(name) = functions::misplaced_argument(body) {
            let message = format!(
                "Non-defaulted argument '{name}' of function '{}' comes after a defaulted argument. Non-defaulted arguments \
                 cannot come after defaulted arguments. ",
                node.name
            );
            self.push(Diagnostic::error("E0223", message).help("give it a default_value, or move it to the front"), node, origin);
        }
        if node.language == Language::Javascript {
            let adapter = &self.shared.project.profile.adapter;
            let message = format!("Function '{}' uses JavaScript, which is not supported on '{adapter}'. ", node.name);
            self.push(Diagnostic::error("E0224", message).help("write it in SQL or Python"), node, origin);
        }
    }

    /// Models past their deprecation date, and models that read one with a date.
    fn deprecations(&mut self, nodes: &[Node], origins: &[Origin]) {
        let dated = |node: &Node| node.model().and_then(|model| model.deprecation_date.clone());
        let known: HashMap<&UniqueId, (&Node, String)> =
            nodes.iter().filter_map(|node| Some((&node.unique_id, (node, dated(node)?)))).collect();
        if known.is_empty() {
            return;
        }
        let now = chrono::Utc::now();
        let is_past = |date: &str| super::dates::instant(date).is_some_and(|date| date < now);
        let version = |node: &Node| {
            let version = node.model().and_then(|model| model.version.as_ref());
            version.map(|version| format!(" (version {})", version.text)).unwrap_or_default()
        };
        for (node, origin) in nodes.iter().zip(origins).filter(|(node, _)| node.model().is_some() && node.config.enabled()) {
            if let Some((_, date)) = known.get(&node.unique_id).filter(|(_, date)| is_past(date)) {
                let message = format!("Model {}{} has passed its deprecation date of {date}", node.name, version(node));
                let help = "it can be removed, or kept with another deprecation_date";
                self.push(Diagnostic::warning("W0416", message).event("DeprecatedModel").help(help), node, origin);
            }
            for (parent, date) in node.depends_on.nodes.iter().filter_map(|id| known.get(id)) {
                let (code, event, how) = if is_past(date) {
                    ("W0417", "DeprecatedReference", "was deprecated on")
                } else {
                    ("W0418", "UpcomingReferenceDeprecation", "is slated for deprecation on")
                };
                let message = format!(
                    "While compiling '{}': Found a reference to {}{}, which {how} '{date}'",
                    node.name,
                    parent.name,
                    version(parent)
                );
                self.push(Diagnostic::warning(code, message).event(event), node, origin);
            }
        }
    }
}
