//! Following `ref`, `source` and `function`: names become ids, or are reported, all of them at once.

use std::collections::HashMap;
use std::sync::Arc;

use rayon::prelude::*;

use crate::diagnostic::{Diagnostic, SourceText, Span};
use crate::manifest::{Exposure, Json, Node, RefCall, ResourceType, Source, UniqueId};
use crate::project::Project;

use super::nearest;
use crate::manifest::static_call::{self, Named};

/// What a name leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    Enabled(UniqueId),
    Disabled,
    Missing,
    /// In several packages, none of which comes first.
    Ambiguous(Vec<UniqueId>),
}

type Names = HashMap<String, Vec<(Arc<str>, UniqueId)>>;

/// Names of enabled and disabled resources of one kind.
#[derive(Debug, Default)]
struct Registry {
    enabled: Names,
    disabled: Names,
}

impl Registry {
    fn add(&mut self, enabled: bool, name: String, package: &Arc<str>, id: &UniqueId) {
        let names = if enabled { &mut self.enabled } else { &mut self.disabled };
        names.entry(name).or_default().push((package.clone(), id.clone()));
    }

    fn search(&self, name: &str, packages: &[Option<&str>]) -> Found {
        let mut disabled = false;
        for package in packages {
            let fits = |(of, _): &&(Arc<str>, UniqueId)| package.is_none_or(|package| **of == *package);
            let all = |names: &Names| -> Vec<UniqueId> {
                names.get(name).into_iter().flatten().filter(fits).map(|(_, id)| id.clone()).collect()
            };
            let mut found = all(&self.enabled);
            found.dedup();
            match found.len() {
                0 => {}
                1 => return Found::Enabled(found.remove(0)),
                _ => return Found::Ambiguous(found),
            }
            disabled = disabled || !all(&self.disabled).is_empty();
        }
        if disabled { Found::Disabled } else { Found::Missing }
    }
}

/// What access rules need of a model.
struct Model {
    access: String,
    group: Option<String>,
    package: Arc<str>,
}

/// Everything that can be named, by name.
pub struct Index {
    root: Arc<str>,
    own_package_first: bool,
    nodes: Registry,
    sources: Registry,
    functions: Registry,
    models: HashMap<UniqueId, Model>,
    /// Packages whose models' access is restricted to them.
    restricted: Vec<Arc<str>>,
}

/// Where a node was written, for diagnostics.
#[derive(Debug, Clone)]
pub struct Origin {
    pub source: SourceText,
    pub span: Span,
    /// Written in a property file: the place itself, not to be searched.
    pub exact: bool,
    /// The property-file entry that describes it.
    pub described: Option<(SourceText, Span)>,
}

impl Origin {
    /// The place of what a property file defines.
    pub fn of_property(source: &SourceText, span: Span) -> Self {
        Self { source: source.clone(), span, exact: true, described: Some((source.clone(), span)) }
    }

    /// Where the description names a docs block: the name's place in the entry, as far as it is written there.
    pub fn doc_place(&self, name: &str) -> Option<(SourceText, Span)> {
        let (source, span) = self.described.as_ref()?;
        let found = source.text.get(span.start..span.end).and_then(|entry| entry.find(name));
        let span = found.map_or(*span, |at| Span::new(span.start + at, span.start + at + name.len()));
        Some((source.clone(), span))
    }
}

impl Index {
    pub fn new<'a>(project: &Project, nodes: impl Iterator<Item = &'a Node>, sources: impl Iterator<Item = &'a Source>) -> Self {
        let flag = |name: &str| project.flags.get(name).and_then(Json::as_bool).unwrap_or(false);
        let mut index = Self {
            root: project.root_package().name.clone(),
            own_package_first: flag("require_ref_searches_node_package_before_root"),
            nodes: Registry::default(),
            sources: Registry::default(),
            functions: Registry::default(),
            models: HashMap::new(),
            restricted: project
                .packages
                .iter()
                .skip(1)
                .filter(|package| package.config.restrict_access)
                .map(|package| package.name.clone())
                .collect(),
        };
        for node in nodes {
            index.add(node);
        }
        for source in sources {
            let name = format!("{}.{}", source.source_name, source.name);
            index.sources.add(source.config.enabled(), name, &source.package_name, &source.unique_id);
        }
        index
    }

    fn add(&mut self, node: &Node) {
        let enabled = node.config.enabled();
        let package = &node.package_name;
        match node.resource_type {
            ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot => {
                let model = node.model();
                let version = model.and_then(|model| model.version.as_ref());
                if let Some(version) = version {
                    self.nodes.add(enabled, format!("{}.v{}", node.name, version.text), package, &node.unique_id);
                }
                let latest = model.and_then(|model| model.latest_version.as_ref());
                if version.map(|version| &version.text) == latest.map(|latest| &latest.text) {
                    self.nodes.add(enabled, node.name.clone(), package, &node.unique_id);
                }
                if let Some(model) = model {
                    let known =
                        Model { access: model.access.clone(), group: node.group.clone(), package: node.package_name.clone() };
                    self.models.insert(node.unique_id.clone(), known);
                }
            }
            ResourceType::Function => self.functions.add(enabled, node.name.clone(), package, &node.unique_id),
            _ => {}
        }
    }

    /// In which packages a name is looked for, in order; None is any package.
    fn packages<'a>(&'a self, from: &'a str, named: Option<&'a str>) -> Vec<Option<&'a str>> {
        let root = &*self.root;
        match named {
            Some(package) => vec![Some(package)],
            None if from == root => vec![Some(root), None],
            None if self.own_package_first => vec![Some(from), Some(root), None],
            None => vec![Some(root), Some(from), None],
        }
    }

    /// What `ref` with these arguments means in code of a package.
    pub fn node(&self, from: &str, call: &RefCall) -> Found {
        let packages = self.packages(from, call.package.as_deref());
        match &call.version {
            Some(version) => self.nodes.search(&format!("{}.v{}", call.name, version.text), &packages),
            None => self.nodes.search(&call.name, &packages),
        }
    }

    pub fn source(&self, from: &str, source: &str, table: &str) -> Found {
        self.sources.search(&format!("{source}.{table}"), &self.packages(from, None))
    }

    fn function(&self, from: &str, words: &[String]) -> Found {
        match words {
            [package, name] => self.functions.search(name, &self.packages(from, Some(package))),
            [name] => self.functions.search(name, &self.packages(from, None)),
            _ => Found::Missing,
        }
    }

    /// Follows all references of nodes, in parallel.
    pub fn follow(&self, nodes: &mut [Node], origins: &[Origin]) -> Vec<Diagnostic> {
        let each = nodes.par_iter_mut().zip(origins).map(|(node, origin)| self.follow_node(node, origin));
        each.flatten().collect()
    }

    fn follow_node(&self, node: &mut Node, origin: &Origin) -> Vec<Diagnostic> {
        if node.resource_type == ResourceType::Seed || !node.config.enabled() {
            return Vec::new();
        }
        let mut follow = Follow { node: Whose::from(&*node), origin, parents: Vec::new(), diagnostics: Vec::new(), lost: false };
        follow.all(self, &node.refs, &node.sources, &node.functions);
        let Follow { parents, diagnostics, lost, .. } = follow;
        node.depends_on.nodes = parents;
        if lost && node.resource_type == ResourceType::Test {
            node.config.0.insert("enabled".to_owned(), Json::Bool(false));
        }
        diagnostics
    }

    /// Follows the references of an exposure.
    pub fn follow_exposure(&self, exposure: &mut Exposure, origin: &Origin) -> Vec<Diagnostic> {
        let whose = Whose {
            id: exposure.unique_id.clone(),
            kind: ResourceType::Exposure,
            package: exposure.package_name.clone(),
            group: None,
            path: exposure.original_file_path.clone(),
        };
        let mut follow = Follow { node: whose, origin, parents: Vec::new(), diagnostics: Vec::new(), lost: false };
        follow.all(self, &exposure.refs, &exposure.sources, &[]);
        exposure.depends_on.nodes = follow.parents;
        follow.diagnostics
    }

    /// Follows a single reference of a semantic model; the id it leads to.
    pub fn follow_ref(
        &self,
        whose: (&UniqueId, ResourceType, &Arc<str>, &str, Option<&str>),
        call: &RefCall,
        origin: &Origin,
    ) -> (Option<UniqueId>, Vec<Diagnostic>) {
        let (id, kind, package, path, group) = whose;
        let whose =
            Whose { id: id.clone(), kind, package: package.clone(), group: group.map(str::to_owned), path: path.to_owned() };
        let mut follow = Follow { node: whose, origin, parents: Vec::new(), diagnostics: Vec::new(), lost: false };
        follow.reference(self, call);
        (follow.parents.pop(), follow.diagnostics)
    }
}

/// Who refers.
struct Whose {
    id: UniqueId,
    kind: ResourceType,
    package: Arc<str>,
    group: Option<String>,
    path: String,
}

impl From<&Node> for Whose {
    fn from(node: &Node) -> Self {
        Self {
            id: node.unique_id.clone(),
            kind: node.resource_type,
            package: node.package_name.clone(),
            group: node.group.clone(),
            path: node.original_file_path.clone(),
        }
    }
}

struct Follow<'a> {
    node: Whose,
    origin: &'a Origin,
    parents: Vec<UniqueId>,
    diagnostics: Vec<Diagnostic>,
    /// A target is missing or disabled.
    lost: bool,
}

impl Follow<'_> {
    /// Sources before refs before functions: dbt's order.
    fn all(&mut self, index: &Index, refs: &[RefCall], sources: &[(String, String)], functions: &[Vec<String>]) {
        for (source, table) in sources {
            let found = index.source(&self.node.package, source, table);
            let wanted = Named::Source(source.clone(), table.clone());
            self.take(
                index,
                found,
                &Target { kind: "source", name: format!("{source}.{table}"), package: None, version: None, wanted },
            );
        }
        for call in refs {
            self.reference(index, call);
        }
        for words in functions {
            let found = index.function(&self.node.package, words);
            let name = words.last().cloned().unwrap_or_default();
            let wanted = Named::Ref(RefCall { name: name.clone(), ..RefCall::default() });
            self.take(index, found, &Target { kind: "function", name, package: None, version: None, wanted });
        }
    }

    fn reference(&mut self, index: &Index, call: &RefCall) {
        let found = index.node(&self.node.package, call);
        if let Found::Enabled(id) = &found
            && let Some(diagnostic) = self.forbidden(index, id, call)
        {
            self.diagnostics.push(diagnostic);
            return;
        }
        let target = Target {
            kind: "node",
            name: call.name.clone(),
            package: call.package.clone(),
            version: call.version.as_ref().map(|version| version.text.clone()),
            wanted: Named::Ref(call.clone()),
        };
        self.take(index, found, &target);
    }

    fn take(&mut self, index: &Index, found: Found, target: &Target) {
        match found {
            Found::Enabled(id) => {
                if !self.parents.contains(&id) {
                    self.parents.push(id);
                }
            }
            Found::Ambiguous(ids) => {
                let ids: Vec<&str> = ids.iter().map(UniqueId::as_str).collect();
                let message = format!(
                    "When referencing '{}', dbt found nodes in multiple packages: {}. To fix this, use two-argument 'ref', \
                     with the package name first",
                    target.name,
                    ids.join(", ")
                );
                let diagnostic = Diagnostic::error("E0407", message);
                self.push(diagnostic, target);
            }
            Found::Disabled => {
                self.lost = true;
                let diagnostic =
                    self.not_there(target, "is disabled", true).help("enable it (`enabled: true`), or take this call out");
                self.push(diagnostic, target);
            }
            Found::Missing => {
                self.lost = true;
                let mut diagnostic = self.not_there(target, "was not found", false);
                diagnostic.help = target.hint(index);
                self.push(diagnostic, target);
            }
        }
    }

    /// Tests of what is disabled or missing only warn.
    fn not_there(&self, target: &Target, reason: &str, disabled: bool) -> Diagnostic {
        let message = target.message(&self.node, reason);
        let event = if disabled { "InvalidDisabledTargetInTestNode" } else { "NodeNotFoundOrDisabled" };
        match (self.node.kind, disabled) {
            (ResourceType::Test, true) => Diagnostic::warning("W0403", message).event(event),
            (ResourceType::Test, false) => Diagnostic::warning("W0402", message).event(event),
            (_, true) => Diagnostic::error("E0403", message),
            (_, false) => Diagnostic::error("E0402", message),
        }
    }

    fn push(&mut self, diagnostic: Diagnostic, target: &Target) {
        let span = if self.origin.exact { self.origin.span } else { call_place(self.origin, &target.wanted) };
        self.diagnostics.push(diagnostic.at(&self.origin.source, span).node(self.node.id.shared()));
    }

    /// Private models are for their group, protected ones for their package where it restricts access.
    fn forbidden(&self, index: &Index, id: &UniqueId, call: &RefCall) -> Option<Diagnostic> {
        let target = index.models.get(id)?;
        let elsewhere = self.node.package != target.package && index.restricted.contains(&target.package);
        let (scope, scope_kind) = match target.access.as_str() {
            "private" => {
                let group = self.node.group.as_ref().filter(|group| !group.is_empty());
                let member = group.is_some() && group == target.group.as_ref();
                (!member || elsewhere).then(|| (target.group.clone().unwrap_or_default(), "group"))?
            }
            "protected" => elsewhere.then(|| (target.package.to_string(), "package"))?,
            _ => return None,
        };
        let message = format!(
            "Node {} attempted to reference node {id}, which is not allowed because the referenced node is {} to the '{scope}' \
             {scope_kind}.",
            self.node.id, target.access
        );
        let span = if self.origin.exact { self.origin.span } else { call_place(self.origin, &Named::Ref(call.clone())) };
        let help = format!("give the node the same {scope_kind}, or the referenced one a wider `access`");
        Some(Diagnostic::error("E0298", message).at(&self.origin.source, span).help(help).node(self.node.id.shared()))
    }
}

/// What was asked for.
struct Target {
    kind: &'static str,
    name: String,
    package: Option<String>,
    version: Option<String>,
    wanted: Named,
}

impl Target {
    fn message(&self, whose: &Whose, reason: &str) -> String {
        let mut title = whose.kind.to_string();
        if let Some(first) = title.get_mut(0..1) {
            first.make_ascii_uppercase();
        }
        let version = self.version.as_ref().map(|version| format!("with version '{version}' ")).unwrap_or_default();
        let package = self.package.as_ref().map(|package| format!("in package or project '{package}' ")).unwrap_or_default();
        format!(
            "{title} '{}' ({}) depends on a {} named '{}' {version}{package}which {reason}",
            whose.id, whose.path, self.kind, self.name
        )
    }

    fn hint(&self, index: &Index) -> Option<String> {
        let names = match self.kind {
            "source" => &index.sources,
            "function" => &index.functions,
            _ => &index.nodes,
        };
        if self.package.is_some() || self.version.is_some() {
            let known = names.enabled.get(&self.name).into_iter().flatten();
            let mut ids: Vec<&str> = known.map(|(_, id)| id.as_str()).collect();
            ids.dedup();
            if !ids.is_empty() {
                return Some(format!("there is {}", ids.join(", ")));
            }
        }
        nearest::hint(&self.name, names.enabled.keys().map(String::as_str))
    }
}

/// Where in its text a node calls `ref` or `source` with these arguments; its beginning where that is not written so.
fn call_place(origin: &Origin, wanted: &Named) -> Span {
    let text = &origin.source.text;
    let body = text.get(origin.span.start..origin.span.end).unwrap_or_default();
    let word = if matches!(wanted, Named::Ref(_)) { "ref" } else { "source" };
    let mut from = 0;
    while let Some(found) = body[from..].find(word) {
        let start = from + found;
        from = start + word.len();
        let Some(open) = body[from..].find('(').filter(|at| body[from..from + at].trim().is_empty()) else { continue };
        let Some(close) = body[from + open..].find(')') else { break };
        let end = from + open + close + 1;
        if static_call::read(&body[start..end]).as_ref() == Some(wanted) {
            return Span::new(origin.span.start + start, origin.span.start + end);
        }
    }
    Span::new(origin.span.start, origin.span.start)
}
