//! Circles in the graph, told as the path that closes them.

use std::collections::{HashMap, VecDeque};

use petgraph::Direction;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::NodeIndex;

use super::dag::Graph;
use super::node_set::NodeSet;
use crate::diagnostic::{Diagnostic, SourceText, Span};
use crate::manifest::{Node, Resource};

/// One error for each group of resources that depend on each other, in manifest order.
pub(super) fn report(graph: &Graph) -> Vec<Diagnostic> {
    let mut circles: Vec<Vec<usize>> = kosaraju_scc(&graph.edges)
        .into_iter()
        .map(|members| members.into_iter().map(NodeIndex::index).collect::<Vec<_>>())
        .filter_map(|members| shortest_circle(graph, &members))
        .collect();
    circles.sort_unstable();
    circles.iter().map(|circle| diagnostic(graph, circle)).collect()
}

/// The shortest way from the first member back to itself, inside the group; None where there is no circle.
fn shortest_circle(graph: &Graph, members: &[usize]) -> Option<Vec<usize>> {
    let start = *members.iter().min()?;
    let inside: NodeSet = members.iter().copied().collect();
    let mut came_from: HashMap<usize, usize> = HashMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(position) = queue.pop_front() {
        let mut children: Vec<usize> =
            graph.neighbors(position, Direction::Outgoing).filter(|child| inside.contains(*child)).collect();
        children.sort_unstable();
        for child in children {
            if child == start {
                let mut path = vec![position];
                while let Some(before) = path.last().and_then(|last| came_from.get(last)) {
                    path.push(*before);
                }
                path.reverse();
                return Some(path);
            }
            if let std::collections::hash_map::Entry::Vacant(entry) = came_from.entry(child) {
                entry.insert(position);
                queue.push_back(child);
            }
        }
    }
    None
}

fn diagnostic(graph: &Graph, circle: &[usize]) -> Diagnostic {
    let resources: Vec<&Resource> = circle.iter().filter_map(|position| graph.resource(*position)).collect();
    let closed = resources.iter().chain(resources.first());
    let path: Vec<&str> = closed.map(|resource| resource.unique_id().as_str()).collect();
    let mut diagnostic = Diagnostic::error("E0420", format!("Found a cycle: {}", path.join(" --> ")));
    for (index, parent) in resources.iter().enumerate() {
        let child = resources[(index + 1) % resources.len()];
        let (source, span) = place(child, parent);
        diagnostic = diagnostic.at_with(&source, span, format!("`{}` reads `{}`", child.name(), parent.name()));
    }
    diagnostic.help("an arrow points from what is read to what reads it; take one of these references out")
}

/// Where `child` names `parent`, as far as its own text shows it; else the beginning of its file.
fn place(child: &Resource, parent: &Resource) -> (SourceText, Span) {
    let path = child.original_file_path();
    let Resource::Node(node) = child else { return (SourceText::new(path, ""), Span::default()) };
    if node.source_offset > 0 {
        return (SourceText::new(path, ""), Span::default());
    }
    let source = SourceText::new(path, node.raw_code.clone());
    (source, reference(node, parent.name()).unwrap_or_default())
}

/// The first `ref(…)` whose last text is the name.
fn reference(node: &Node, name: &str) -> Option<Span> {
    let text: &str = &node.raw_code;
    text.match_indices("ref").find_map(|(start, _)| {
        let arguments = text[start + 3..].trim_start().strip_prefix('(')?;
        let end = arguments.find(')')?;
        let named = arguments[..end].split(',').any(|argument| argument.trim().trim_matches(['\'', '"']) == name);
        let close = text.len() - arguments.len() + end + 1;
        named.then(|| Span::new(start, close))
    })
}
