//! Evaluates criteria over the graph: relatives, set operations, and the tests that come along.

use indexmap::IndexSet;
use petgraph::Direction;

use super::criteria::{self, Criterion, Group, Method, Operation, Spec};
use super::dag::Graph;
use super::node_set::NodeSet;
use super::selectors::Selectors;
use super::{IndirectSelection, Selection, SelectionRequest, methods, state, wildcard};
use crate::diagnostic::{Diagnostic, SourceText, Span, any_error};
use crate::manifest::{Manifest, Resource, ResourceType};
use crate::project::Project;

/// What everything is chosen by where nothing is asked for.
const EVERYTHING: [&str; 5] = ["fqn:*", "source:*", "exposure:*", "metric:*", "semantic_model:*"];

/// Chooses. Unknown methods and selectors are errors; a criterion that matches nothing warns.
pub fn select(project: &Project, manifest: &Manifest, graph: &Graph, request: &SelectionRequest) -> (Selection, Vec<Diagnostic>) {
    let indirect = request.indirect.unwrap_or_default();
    let (selectors, mut diagnostics) = Selectors::read(project, indirect);
    let (spec, default_selector) = spec(&selectors, request, indirect, &mut diagnostics);
    let Some(spec) = spec.filter(|_| !any_error(&diagnostics)) else { return (Selection::default(), diagnostics) };
    let open = request.selector.iter().chain(&default_selector).cloned().collect();
    let mut chooser = Chooser { project, manifest, graph, request, selectors: &selectors, open, diagnostics };
    let chosen = chooser.selected(&spec);
    if any_error(&chooser.diagnostics) {
        return (Selection::default(), chooser.diagnostics);
    }
    let ids = chosen.iter().filter_map(|position| graph.id(position).cloned()).collect::<IndexSet<_>>();
    (Selection { ids, default_selector }, chooser.diagnostics)
}

/// What the request means: a named selector, the default one, or `--select` without `--exclude`.
fn spec(
    selectors: &Selectors,
    request: &SelectionRequest,
    indirect: IndirectSelection,
    diagnostics: &mut Vec<Diagnostic>,
) -> (Option<Spec>, Option<String>) {
    if let Some(name) = &request.selector {
        let found = selectors.get(name);
        // Where selectors.yml is broken, the name may stand in the broken part.
        if found.is_none() && !any_error(diagnostics) {
            let source = SourceText::new("--selector", name.as_str());
            let message = format!("Could not find selector named {name}, expected one of [{}]", selectors.names().join(", "));
            let place = Span::new(0, name.len());
            let help = match crate::diagnostic::nearest(name, selectors.names()) {
                Some(near) => format!("did you mean {near}?"),
                None if selectors.names().is_empty() => "the project has none: selectors.yml defines them".to_owned(),
                None => "selectors.yml defines them".to_owned(),
            };
            diagnostics.push(Diagnostic::error("E0505", message).at(&source, place).help(help));
        }
        return (found.map(|definition| definition.spec.clone()), None);
    }
    if request.select.is_empty()
        && request.exclude.is_empty()
        && let Some(definition) = selectors.default_one()
    {
        return (Some(definition.spec.clone()), Some(definition.name.clone()));
    }
    let everything = EVERYTHING.map(ToString::to_string);
    let included = if request.select.is_empty() {
        criteria::union("default", &everything, indirect, false, diagnostics)
    } else {
        criteria::union("--select", &request.select, indirect, true, diagnostics)
    };
    let excluded = criteria::union("--exclude", &request.exclude, indirect, true, diagnostics);
    (Some(Spec::group(Operation::Difference, vec![included, excluded])), None)
}

struct Chooser<'a> {
    project: &'a Project,
    manifest: &'a Manifest,
    graph: &'a Graph,
    request: &'a SelectionRequest,
    selectors: &'a Selectors,
    /// Selectors being resolved, outermost first.
    open: Vec<String>,
    diagnostics: Vec<Diagnostic>,
}

/// What is chosen, and tests that would be if all they read were chosen as well.
struct Found {
    direct: NodeSet,
    waiting: NodeSet,
}

impl Chooser<'_> {
    /// The final choice of a whole definition: what the command takes of it.
    fn selected(&mut self, spec: &Spec) -> NodeSet {
        let Found { mut direct, .. } = self.find(spec);
        let kept: NodeSet = direct.iter().filter(|position| self.is_taken(*position)).collect();
        direct.intersect_with(&kept);
        direct
    }

    fn is_taken(&self, position: usize) -> bool {
        let Some(resource) = self.graph.resource(position) else { return false };
        let types = &self.request.resource_types;
        let empty = || match resource {
            Resource::Node(node) => {
                !matches!(node.resource_type, ResourceType::Seed | ResourceType::Function) && node.raw_code.trim().is_empty()
            }
            _ => false,
        };
        // A test of what is not there stays in the manifest, disabled.
        let enabled = !matches!(resource, Resource::Node(node) if !node.config.enabled());
        let of_type = types.as_ref().is_none_or(|types| types.contains(&resource.resource_type()));
        enabled && of_type && (self.request.include_empty || !empty())
    }

    fn find(&mut self, spec: &Spec) -> Found {
        match spec {
            Spec::One(criterion) => self.criterion(criterion),
            Spec::Group(group) => self.group(group),
        }
    }

    fn group(&mut self, group: &Group) -> Found {
        let found: Vec<Found> = group.parts.iter().map(|part| self.find(part)).collect();
        let with_waiting = found.iter().map(|part| {
            let mut set = part.direct.clone();
            set.union_with(&part.waiting);
            set
        });
        let waiting = combine(group.operation, with_waiting);
        let direct = combine(group.operation, found.iter().map(|part| part.direct.clone()));
        let direct = self.take_waiting(direct, &waiting, group.indirect);
        if let Some((written, place)) = &group.expected
            && direct.is_empty()
            && !any_error(&self.diagnostics)
        {
            let message = format!("The selection criterion '{written}' does not match any enabled nodes");
            let warning = Diagnostic::warning("W0501", message).at(&place.source, place.span);
            self.diagnostics.push(warning.event("NoNodesForSelectionCriteria"));
        }
        Found { direct, waiting }
    }

    /// Tests that waited for the rest of what they read, once a set operation has brought it.
    fn take_waiting(&self, direct: NodeSet, waiting: &NodeSet, mode: IndirectSelection) -> NodeSet {
        let mut reached = direct.clone();
        match mode {
            IndirectSelection::Eager | IndirectSelection::Empty => return direct,
            IndirectSelection::Cautious => {}
            IndirectSelection::Buildable => {
                reached.union_with(&self.graph.reach(&direct, Direction::Incoming, None));
            }
        }
        let mut taken = direct;
        for position in waiting.iter() {
            if matches!(self.graph.resource(position), Some(Resource::Node(_))) && self.reads_only(position, &reached) {
                taken.insert(position);
                reached.insert(position);
            }
        }
        taken
    }

    fn reads_only(&self, position: usize, set: &NodeSet) -> bool {
        self.graph.neighbors(position, Direction::Incoming).all(|parent| set.contains(parent))
    }

    fn criterion(&mut self, criterion: &Criterion) -> Found {
        let mut direct = self.search(criterion);
        let relatives = criterion.relatives;
        let mut family = direct.clone();
        if relatives.childrens_parents {
            family.union_with(&self.graph.with_childrens_parents(&direct));
        }
        if let Some(depth) = relatives.parents {
            family.union_with(&self.graph.reach(&direct, Direction::Incoming, depth.limit()));
        }
        if let Some(depth) = relatives.children {
            family.union_with(&self.graph.reach(&direct, Direction::Outgoing, depth.limit()));
        }
        direct.union_with(&family);
        // A selector has brought its tests already, and may have excluded some.
        if criterion.indirect == IndirectSelection::Empty || criterion.method == Method::Selector {
            return Found { direct, waiting: NodeSet::empty(self.graph.len()) };
        }
        self.with_tests(&direct, criterion.indirect)
    }

    /// Adds the tests of what is chosen, as the mode says.
    fn with_tests(&self, chosen: &NodeSet, mode: IndirectSelection) -> Found {
        let mut reached = chosen.clone();
        if mode == IndirectSelection::Buildable {
            reached.union_with(&self.graph.reach(chosen, Direction::Incoming, None));
            let sources = self.graph.resources().filter(|(_, resource)| matches!(resource, Resource::Source(_)));
            sources.for_each(|(position, _)| {
                reached.insert(position);
            });
        }
        let mut found = Found { direct: chosen.clone(), waiting: NodeSet::empty(self.graph.len()) };
        for position in chosen.iter() {
            for child in self.graph.neighbors(position, Direction::Outgoing) {
                let kind = self.graph.resource(child).map(Resource::resource_type);
                if !matches!(kind, Some(ResourceType::Test | ResourceType::UnitTest)) {
                    continue;
                }
                if mode == IndirectSelection::Eager || self.reads_only(child, &reached) {
                    found.direct.insert(child);
                } else {
                    found.waiting.insert(child);
                }
            }
        }
        found
    }

    fn search(&mut self, criterion: &Criterion) -> NodeSet {
        let found = match criterion.method {
            Method::Selector => self.selector(criterion),
            Method::State | Method::Result | Method::SourceStatus => {
                let place = state::Places { project: self.project, manifest: self.manifest, graph: self.graph };
                let found = state::search(place, self.request.previous.as_deref(), criterion);
                found.map(|(set, said)| {
                    self.diagnostics.extend(said);
                    set
                })
            }
            _ => methods::matcher(self.project, criterion).map(|matches| {
                let matched = self.graph.resources().filter(|(_, resource)| matches(resource));
                matched.map(|(position, _)| position).collect()
            }),
        };
        found.unwrap_or_else(|diagnostic| {
            self.diagnostics.push(*diagnostic);
            NodeSet::default()
        })
    }

    /// `selector:name`: what the definitions of that name, or matching that pattern, choose.
    fn selector(&mut self, criterion: &Criterion) -> Result<NodeSet, Box<Diagnostic>> {
        let wanted = methods::text_of(criterion)?;
        let place = &criterion.place;
        if !self.selectors.present {
            let message = "Cannot use selector: method if selectors.yml is not provided";
            return Err(Box::new(place.error("E0505", message)));
        }
        let selectors = self.selectors;
        let matched: Vec<_> =
            selectors.sorted().into_iter().filter(|definition| wildcard::matches(&definition.name, &wanted)).collect();
        if matched.is_empty() {
            let message = format!("Selector '{wanted}' did not match any selector in selectors.yml");
            let help = format!("selectors.yml defines {}", selectors.names().join(", "));
            return Err(Box::new(place.error("E0505", message).help(help)));
        }
        let mut all = NodeSet::empty(self.graph.len());
        for definition in matched {
            if self.open.contains(&definition.name) {
                let path = format!("{} -> {}", self.open.join(" -> "), definition.name);
                let message = format!("Circular dependency detected in selector: {path}");
                return Err(Box::new(place.error("E0506", message).help("a selector must not lead back to itself")));
            }
            self.open.push(definition.name.clone());
            let chosen = self.selected(&definition.spec);
            self.open.pop();
            all.union_with(&chosen);
        }
        Ok(all)
    }
}

fn combine(operation: Operation, mut sets: impl Iterator<Item = NodeSet>) -> NodeSet {
    let mut result = sets.next().unwrap_or_default();
    for set in sets {
        match operation {
            Operation::Union => result.union_with(&set),
            Operation::Intersection => result.intersect_with(&set),
            Operation::Difference => result.subtract(&set),
        }
    }
    result
}
