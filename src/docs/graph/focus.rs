//! The picture on a node's page: the node, what it reads and what reads it. SVG with links, readable without scripts.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::layout::{self, Layout};
use super::{Graph, layers};
use crate::docs::html::escape;
use crate::docs::site::{Node, Site, State};

/// So many nodes are shown with the neighbours' neighbours; where there are more, the neighbours alone.
const WITH_SECOND: usize = 22;
/// So many neighbours on each side.
const NEIGHBOURS: usize = 12;
/// Letters of a name that are shown.
const LETTERS: usize = 22;

/// Sizes, in the picture's units: letters are as wide as those of the fixed-width type the style sheet gives them.
const LETTER: f32 = 7.25;
const ROW: f32 = 38.0;
const BOX: f32 = 28.0;
const GAP: f32 = 52.0;
const PAD: f32 = 3.0;

/// A part of the graph: its nodes, the middle one first, and the edges between them.
struct Part {
    nodes: Vec<usize>,
    edges: Vec<(u32, u32)>,
    /// Whether the node lies upstream of the middle.
    up: Vec<bool>,
    /// Neighbours that are left out, before and behind.
    more: (usize, usize),
}

/// The picture of the node's neighbourhood; empty where it has none.
pub(super) fn picture(graph: &Graph, site: &Site, node: usize) -> String {
    if site.nodes[node].parents.is_empty() && site.nodes[node].children.is_empty() {
        return String::new();
    }
    let part = neighbourhood(site, node);
    let heights = vec![1.0; part.nodes.len()];
    let layout = layout::small(&heights, &part.edges);
    let frame = Frame::new(site, &part, &layout);
    let mut out = frame.open(&site.nodes[node]);
    for (edge, bends) in part.edges.iter().zip(&layout.bends) {
        let way = if part.up[edge.0 as usize] { "up" } else { "down" };
        let _ = write!(out, "<path class=\"{way}\" d=\"{}\"/>", frame.route(*edge, bends));
    }
    for at in 0..part.nodes.len() {
        frame.node(&mut out, site, &part, at);
    }
    out.push_str("</svg>");
    let (before, behind) = part.more;
    if before + behind > 0 {
        let address = graph.address(site, node);
        let of = |count: usize, way: &str| if count == 0 { String::new() } else { format!("{count} more {way}") };
        let both = [of(before, "upstream"), of(behind, "downstream")];
        let told = both.iter().filter(|text| !text.is_empty()).cloned().collect::<Vec<_>>().join(", ");
        let _ = write!(out, "<p class=\"more-nodes\"><a href=\"../../lineage.html#{address}\">{told}</a></p>");
    }
    out
}

/// Two steps in each direction where that is little enough to be read, else one, else the first neighbours.
fn neighbourhood(site: &Site, node: usize) -> Part {
    let (up, down) = (near(site, node, true, 2), near(site, node, false, 2));
    if up.len() + down.len() < WITH_SECOND {
        return part(site, node, &up, &down, (0, 0));
    }
    let (mut up, mut down) = (near(site, node, true, 1), near(site, node, false, 1));
    let more = (up.len().saturating_sub(NEIGHBOURS), down.len().saturating_sub(NEIGHBOURS));
    up.truncate(NEIGHBOURS);
    down.truncate(NEIGHBOURS);
    part(site, node, &up, &down, more)
}

fn near(site: &Site, node: usize, up: bool, depth: usize) -> Vec<usize> {
    let mut found: Vec<usize> = Vec::new();
    let mut edge = vec![node];
    for _ in 0..depth {
        let mut next = Vec::new();
        for at in edge {
            let around = if up { &site.nodes[at].parents } else { &site.nodes[at].children };
            for &other in around {
                if other != node && !found.contains(&other) {
                    found.push(other);
                    next.push(other);
                }
            }
            // Nobody reads further: such a neighbourhood is not shown in full anyway.
            if found.len() > 4 * WITH_SECOND && depth > 1 {
                return found;
            }
        }
        edge = next;
    }
    found.sort_unstable();
    found
}

fn part(site: &Site, node: usize, up: &[usize], down: &[usize], more: (usize, usize)) -> Part {
    let nodes: Vec<usize> = std::iter::once(node).chain(up.iter().copied()).chain(down.iter().copied()).collect();
    let position: BTreeMap<usize, u32> = nodes.iter().enumerate().map(|(at, node)| (*node, layers::index(at))).collect();
    let mut edges = Vec::new();
    for (at, &node) in nodes.iter().enumerate() {
        let parents = site.nodes[node].parents.iter().filter_map(|parent| position.get(parent));
        edges.extend(parents.map(|&parent| (parent, layers::index(at))));
    }
    let is_up = |at: usize| (1..=up.len()).contains(&at);
    let up = (0..nodes.len()).map(is_up).collect();
    Part { nodes, edges, up, more }
}

/// Where the boxes of a layout stand in the picture.
struct Frame {
    left: Vec<f32>,
    width: Vec<f32>,
    middle: Vec<f32>,
    layer: Vec<u32>,
    /// Start and end of each layer.
    span: BTreeMap<u32, (f32, f32)>,
    top: f32,
    size: (f32, f32),
}

impl Frame {
    fn new(site: &Site, part: &Part, layout: &Layout) -> Self {
        let width: Vec<f32> = part.nodes.iter().map(|&node| box_width(&site.nodes[node])).collect();
        let mut widest: BTreeMap<u32, f32> = BTreeMap::new();
        for (layer, width) in layout.layer.iter().zip(&width) {
            let known = widest.entry(*layer).or_default();
            *known = known.max(*width);
        }
        let mut span = BTreeMap::new();
        let mut x = PAD;
        for (layer, width) in widest {
            span.insert(layer, (x, x + width));
            x += width + GAP;
        }
        let heights = layout.y.iter().chain(layout.bends.iter().flatten()).copied();
        let (least, most) = heights.fold((f32::MAX, f32::MIN), |(least, most), y| (least.min(y), most.max(y)));
        let top = least * ROW - BOX / 2.0 - PAD;
        let left = layout.layer.iter().map(|layer| span[layer].0).collect();
        let middle = layout.y.iter().map(|y| y * ROW - top).collect();
        let size = (x - GAP + PAD, most * ROW + BOX / 2.0 + PAD - top);
        Self { left, width, middle, layer: layout.layer.clone(), span, top, size }
    }

    fn open(&self, node: &Node) -> String {
        let (width, height) = (whole(self.size.0), whole(self.size.1));
        format!(
            "<svg class=\"focus\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"group\" aria-label=\"{} in the graph\">",
            escape(&node.name)
        )
    }

    /// The way of an edge: from the right side of its parent, level through the layers it passes, to the left side of its child.
    fn route(&self, (from, to): (u32, u32), bends: &[f32]) -> String {
        let (from, to) = (from as usize, to as usize);
        let (mut x, mut y) = (self.left[from] + self.width[from], self.middle[from]);
        let mut path = format!("M{} {}", whole(x), Tenths(y));
        let mut curve = |path: &mut String, to_x: f32, to_y: f32, end: f32| {
            let (half, before, after) = (whole(f32::midpoint(x, to_x)), Tenths(y), Tenths(to_y));
            let _ = write!(path, "C{half} {before} {half} {after} {} {after}", whole(to_x));
            if end > to_x {
                let _ = write!(path, "H{}", whole(end));
            }
            (x, y) = (end, to_y);
        };
        for (layer, bend) in (self.layer[from] + 1..).zip(bends) {
            let Some((start, end)) = self.span.get(&layer) else { continue };
            curve(&mut path, *start, bend * ROW - self.top, *end);
        }
        curve(&mut path, self.left[to], self.middle[to], self.left[to]);
        path
    }

    fn node(&self, out: &mut String, site: &Site, part: &Part, at: usize) {
        let node = &site.nodes[part.nodes[at]];
        let (x, y) = (self.left[at], self.middle[at]);
        let here = at == 0;
        let (open, close) =
            if here { ("<g".to_owned(), "</g>") } else { (format!("<a href=\"../../{}\"", escape(&node.url)), "</a>") };
        let _ = write!(
            out,
            "{open} class=\"k-{}{}{}\"><title>{}, {}{}</title><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{BOX}\" rx=\"6\"/><text x=\"{}\" y=\"{}\">{}</text>",
            node.kind,
            body(node),
            if here { " here" } else { "" },
            escape(&node.name),
            escape(&node.kind.as_str().replace('_', " ")),
            said(node),
            whole(x),
            Tenths(y - BOX / 2.0),
            whole(self.width[at]),
            whole(x + 10.0),
            Tenths(y + 4.2),
            escape(&shortened(&node.name)),
        );
        if node.state.is_bad() {
            let _ = write!(
                out,
                "<circle class=\"s-{}\" cx=\"{}\" cy=\"{}\" r=\"4\"/>",
                node.state.as_str(),
                whole(x + self.width[at] - 11.0),
                Tenths(y)
            );
        }
        out.push_str(close);
    }
}

/// A length without its fraction.
#[expect(clippy::cast_possible_truncation, reason = "a picture has some thousand units")]
fn whole(length: f32) -> i32 {
    length.round() as i32
}

/// A length with one digit behind the point, none where that is 0. Numbers are a third of a picture's making: the general way
/// of writing them takes several times as long.
struct Tenths(f32);

impl std::fmt::Display for Tenths {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tenths = whole(self.0 * 10.0);
        let (sign, digits) = (if tenths < 0 { "-" } else { "" }, tenths.unsigned_abs());
        match digits % 10 {
            0 => write!(out, "{sign}{}", digits / 10),
            rest => write!(out, "{sign}{}.{rest}", digits / 10),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a name has few letters")]
fn box_width(node: &Node) -> f32 {
    let mark = if node.state.is_bad() { 12.0 } else { 0.0 };
    (node.name.chars().count().min(LETTERS) as f32 * LETTER + 20.0 + mark).ceil()
}

/// How a box is filled: what is stored is, what is only computed is not.
fn body(node: &Node) -> &'static str {
    match node.materialization.as_str() {
        "view" => " view",
        "ephemeral" => " ephemeral",
        _ => "",
    }
}

fn said(node: &Node) -> String {
    let mut said = String::new();
    if !node.materialization.is_empty() && node.materialization != node.kind.as_str() {
        let _ = write!(said, ", {}", escape(&node.materialization));
    }
    match node.state {
        State::Warn => said.push_str(", with warnings"),
        State::Fail => said.push_str(", a test failed"),
        State::Error => said.push_str(", failed"),
        _ => {}
    }
    said
}

/// Names end in what tells them apart: the middle is left out.
fn shortened(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    if letters.len() <= LETTERS {
        return name.to_owned();
    }
    let head = LETTERS * 2 / 5;
    let tail = LETTERS - head - 1;
    letters[..head].iter().chain(&['…']).chain(&letters[letters.len() - tail..]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_short() {
        let shown = [0.0, 12.04, 12.06, -0.54, -3.0, 99.96].map(|length| Tenths(length).to_string());
        assert_eq!(shown, ["0", "12", "12.1", "-0.5", "-3", "100"]);
    }

    #[test]
    fn long_names_keep_both_ends() {
        assert_eq!(shortened("orders"), "orders");
        assert_eq!(shortened("int_orders_joined_with_payments"), "int_orde…with_payments");
        assert_eq!(shortened(&"é".repeat(40)).chars().count(), LETTERS);
    }
}
