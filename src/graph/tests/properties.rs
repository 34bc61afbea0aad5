//! Laws that hold for any graph and any selection.

use std::collections::HashSet;

use proptest::prelude::*;

use super::shop::{manifest_of, node, project};
use crate::graph::{Gates, Graph, IndirectSelection, SelectionRequest, select};
use crate::manifest::{Manifest, UniqueId};

/// Any acyclic project: each node reads some before it; the last digit of its number is a tag; some are tests.
fn projects() -> impl Strategy<Value = Manifest> {
    let reads = prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..4), 1..40);
    (reads, any::<u64>()).prop_map(|(reads, tests)| {
        let kinds: Vec<&str> = (0..reads.len()).map(|at| if tests >> at & 1 == 1 { "test" } else { "model" }).collect();
        let nodes = reads.iter().enumerate().map(|(at, parents)| {
            let models: Vec<usize> = (0..at).filter(|before| kinds[*before] == "model").collect();
            let parents: Vec<String> = parents
                .iter()
                .filter(|_| !models.is_empty())
                .map(|index| format!("model.shop.m{}", models[index.index(models.len())]))
                .collect();
            let parents: Vec<&str> = parents.iter().map(String::as_str).collect();
            let mut node = node(&format!("{}.shop.m{at}", kinds[at]), &format!("models/m{at}.sql"), &parents);
            node.tags = vec![format!("t{}", at % 5)];
            node
        });
        manifest_of(nodes.collect())
    })
}

fn modes() -> impl Strategy<Value = IndirectSelection> {
    use IndirectSelection::{Buildable, Cautious, Eager, Empty};
    prop::sample::select(vec![Eager, Cautious, Buildable, Empty])
}

fn criteria() -> impl Strategy<Value = String> {
    let parts = (0..3_u8, 0..3_u8, 0..5_u8, 0..40_u8, any::<bool>());
    parts.prop_map(|(before, after, tag, number, named)| {
        let value = if named { format!("m{number}") } else { format!("tag:t{tag}") };
        format!("{}{value}{}", ["", "+", "1+"][before as usize], ["", "+", "+2"][after as usize])
    })
}

fn chosen(manifest: &Manifest, included: &str, excluded: &str, indirect: IndirectSelection) -> HashSet<UniqueId> {
    let list = |text: &str| if text.is_empty() { Vec::new() } else { vec![text.to_string()] };
    let request = SelectionRequest {
        select: list(included),
        exclude: list(excluded),
        indirect: Some(indirect),
        ..SelectionRequest::default()
    };
    let (graph, _) = Graph::new(manifest);
    let (selection, _) = select(&project(None), manifest, &graph, &request);
    selection.ids.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn union_intersection_and_difference_are_those_of_sets(manifest in projects(), one in criteria(), other in criteria()) {
        for mode in [IndirectSelection::Empty, IndirectSelection::Eager] {
            let (a, b) = (chosen(&manifest, &one, "", mode), chosen(&manifest, &other, "", mode));
            prop_assert_eq!(chosen(&manifest, &format!("{one} {other}"), "", mode), a.union(&b).cloned().collect::<HashSet<_>>());
            prop_assert_eq!(chosen(&manifest, &format!("{one},{other}"), "", mode), a.intersection(&b).cloned().collect::<HashSet<_>>());
            prop_assert_eq!(chosen(&manifest, &one, &other, mode), a.difference(&b).cloned().collect::<HashSet<_>>());
        }
    }

    #[test]
    fn order_and_repetition_of_a_union_do_not_matter(manifest in projects(), one in criteria(), other in criteria(), mode in modes()) {
        let there = chosen(&manifest, &format!("{one} {other}"), "", mode);
        prop_assert_eq!(&there, &chosen(&manifest, &format!("{other} {one}"), "", mode));
        prop_assert_eq!(&there, &chosen(&manifest, &format!("{one} {other} {one}"), "", mode));
    }

    #[test]
    fn modes_are_ordered(manifest in projects(), one in criteria(), other in criteria()) {
        let text = format!("{one} {other}");
        let by = |mode| chosen(&manifest, &text, "", mode);
        let (empty, cautious) = (by(IndirectSelection::Empty), by(IndirectSelection::Cautious));
        let (buildable, eager) = (by(IndirectSelection::Buildable), by(IndirectSelection::Eager));
        prop_assert!(empty.is_subset(&cautious) && cautious.is_subset(&buildable) && buildable.is_subset(&eager));
    }

    #[test]
    fn operators_agree_with_the_graph(manifest in projects(), number in 0..40_usize, depth in 0..4_usize) {
        let name = format!("m{}", number % manifest.nodes.len());
        let (graph, _) = Graph::new(&manifest);
        let id = manifest.nodes.keys().find(|id| id.as_str().ends_with(&format!(".{name}"))).cloned().expect("there");
        let set = |ids: Vec<&UniqueId>| ids.into_iter().cloned().chain([id.clone()]).collect::<HashSet<_>>();
        let by = |text: String| chosen(&manifest, &text, "", IndirectSelection::Empty);
        prop_assert_eq!(by(format!("+{name}")), set(graph.ancestors(id.as_str(), None)));
        prop_assert_eq!(by(format!("{name}+")), set(graph.descendants(id.as_str(), None)));
        prop_assert_eq!(by(format!("{depth}+{name}")), set(graph.ancestors(id.as_str(), Some(depth))));
        let closure = by(format!("@{name}"));
        let line = by(format!("+{name}+"));
        prop_assert!(closure.is_superset(&line));
    }

    #[test]
    fn nothing_begins_before_what_it_waits_for(manifest in projects(), text in criteria(), gated in any::<bool>()) {
        let (graph, _) = Graph::new(&manifest);
        let ids = chosen(&manifest, &text, "", IndirectSelection::Eager);
        let gates = if gated { Gates::Tests } else { Gates::None };
        let order = graph.build_order(&ids.iter().cloned().collect(), gates);
        prop_assert_eq!(order.ids.iter().cloned().collect::<HashSet<_>>(), ids.clone());
        for (place, waits) in order.waits_for.iter().enumerate() {
            prop_assert!(waits.iter().all(|parent| *parent < place));
        }
        // Everything chosen that lies above is waited for, directly or through others.
        let mut above: Vec<HashSet<usize>> = Vec::new();
        for waits in &order.waits_for {
            above.push(waits.iter().flat_map(|parent| above[*parent].iter().copied().chain([*parent])).collect());
        }
        for (place, id) in order.ids.iter().enumerate() {
            let waited: HashSet<&UniqueId> = above[place].iter().map(|parent| &order.ids[*parent]).collect();
            let ancestors: HashSet<&UniqueId> = graph.ancestors(id.as_str(), None).into_iter().collect();
            let expected: HashSet<&UniqueId> = ancestors.iter().copied().filter(|ancestor| ids.contains(*ancestor)).collect();
            prop_assert!(expected.is_subset(&waited));
            if gated && !id.as_str().starts_with("test") {
                // Every chosen test of what lies above holds it back, if all it reads lies above.
                for test in ids.iter().filter(|id| id.as_str().starts_with("test")) {
                    let read = graph.parents(test.as_str());
                    let gate = !read.is_empty() && read.iter().all(|id| ancestors.contains(*id));
                    prop_assert_eq!(gate, waited.contains(test), "{} and {}", id, test);
                }
            }
        }
    }
}
