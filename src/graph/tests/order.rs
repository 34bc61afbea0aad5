//! The graph itself, its cycles, and the order of building.

use indexmap::IndexSet;

use super::shop::{manifest, manifest_of, node, short};
use crate::graph::{BuildOrder, Gates, Graph};
use crate::manifest::{Detail, Manifest, Node, UniqueId};

fn graph_of(nodes: Vec<Node>) -> Graph {
    let (graph, diagnostics) = Graph::new(&manifest_of(nodes));
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    graph
}

fn model(name: &str, parents: &[&str]) -> Node {
    let parents: Vec<String> = parents.iter().map(|name| format!("model.shop.{name}")).collect();
    let parents: Vec<&str> = parents.iter().map(String::as_str).collect();
    node(&format!("model.shop.{name}"), &format!("models/{name}.sql"), &parents)
}

fn test(name: &str, tested: &[&str]) -> Node {
    Node {
        detail: Detail::Test(crate::manifest::TestDetail::default()),
        unique_id: format!("test.shop.{name}").into(),
        resource_type: crate::manifest::ResourceType::Test,
        ..model(name, tested)
    }
}

fn names(ids: &[&UniqueId]) -> String {
    ids.iter().map(|id| short(id.as_str())).collect::<Vec<_>>().join(" ")
}

/// `child<parent,parent` for each, in order.
fn told(order: &BuildOrder) -> String {
    let name = |place: usize| short(order.ids[place].as_str());
    let lines = order.waits_for.iter().enumerate().map(|(place, waits)| {
        let waits: Vec<String> = waits.iter().map(|parent| name(*parent)).collect();
        if waits.is_empty() { name(place) } else { format!("{}<{}", name(place), waits.join(",")) }
    });
    lines.collect::<Vec<_>>().join(" ")
}

fn all(graph: &Graph) -> IndexSet<UniqueId> {
    (0..graph.len()).filter_map(|position| graph.id(position).cloned()).collect()
}

#[test]
fn relatives_are_found_by_depth() {
    let (graph, _) = Graph::new(&manifest());
    assert_eq!(names(&graph.parents("model.shop.orders")), "stg_orders stg_customers");
    assert_eq!(
        names(&graph.ancestors("model.shop.orders", None)),
        "stg_orders stg_customers seed.raw_customers source.raw.orders"
    );
    assert_eq!(names(&graph.ancestors("model.shop.orders", Some(1))), "stg_orders stg_customers");
    assert_eq!(names(&graph.children("metric.shop.revenue")), "saved_query.by_month");
    assert_eq!(graph.descendants("seed.shop.raw_customers", None).len(), 16);
    assert!(graph.parents("model.shop.nobody").is_empty());
}

#[test]
fn a_circle_is_told_as_the_path_that_closes_it() {
    let mut first = model("a", &["c"]);
    first.raw_code = "select *\nfrom {{ ref('c') }}".into();
    let manifest = manifest_of(vec![
        first,
        model("b", &["a"]),
        model("c", &["b", "a"]),
        model("behind", &["c"]),
        model("own", &["own"]),
        model("fine", &[]),
    ]);
    let (_, diagnostics) = Graph::new(&manifest);
    let told: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "models/c.sql:1:1: E0420 Found a cycle: model.shop.a --> model.shop.c --> model.shop.a",
            "models/own.sql:1:1: E0420 Found a cycle: model.shop.own --> model.shop.own",
        ]
    );
    let back = &diagnostics[0].labels[1];
    assert_eq!((back.source.position(back.span.start), back.note.as_str()), ((2, 9), "`a` reads `c`"));
}

#[test]
fn a_long_chain_needs_no_deep_stack() {
    let name = |number: usize| format!("m{number}");
    let chain: Vec<Node> = (0..20_000)
        .map(|number| if number == 0 { model("m0", &["m19999"]) } else { model(&name(number), &[&name(number - 1)]) })
        .collect();
    let (_, diagnostics) = Graph::new(&manifest_of(chain));
    assert_eq!(diagnostics.len(), 1);
}

#[test]
fn order_is_by_depth_then_id_and_sees_through_what_is_not_chosen() {
    let graph =
        graph_of(vec![model("z", &[]), model("a", &[]), model("mid", &["z"]), model("end", &["mid", "a"]), test("t", &["mid"])]);
    assert_eq!(told(&graph.build_order(&all(&graph), Gates::None)), "a z mid<z end<a,mid test.t<mid");
    let some: IndexSet<UniqueId> =
        ["model.shop.end", "model.shop.z", "model.shop.nobody"].map(UniqueId::from).into_iter().collect();
    assert_eq!(told(&graph.build_order(&some, Gates::None)), "z end<z");
}

#[test]
fn tests_hold_back_what_reads_all_they_test() {
    let graph = graph_of(vec![
        model("a", &[]),
        model("b", &[]),
        model("on_a", &["a"]),
        model("on_both", &["on_a", "b"]),
        model("last", &["on_both"]),
        test("of_a", &["a"]),
        test("of_a_and_b", &["a", "b"]),
        test("of_last", &["last"]),
    ]);
    assert_eq!(
        told(&graph.build_order(&all(&graph), Gates::Tests)),
        "a b test.of_a<a test.of_a_and_b<a,b on_a<a,test.of_a on_both<b,test.of_a_and_b,on_a last<on_both test.of_last<last"
    );
    // A test that is not chosen holds nothing back.
    let mut chosen = all(&graph);
    chosen.shift_remove("test.shop.of_a");
    assert!(told(&graph.build_order(&chosen, Gates::Tests)).contains("on_a<a "));
}

#[test]
fn a_unit_test_runs_before_its_model_and_after_what_that_reads() {
    let manifest: Manifest = manifest();
    let (graph, _) = Graph::new(&manifest);
    let order = graph.build_order(&all(&graph), Gates::Tests);
    let told = told(&order);
    assert!(told.contains(" orders<stg_customers,stg_orders,test.unique_stg_orders,unit_test.orders.sums"), "{told}");
    assert!(told.contains(" unit_test.orders.sums<stg_customers,stg_orders,test.unique_stg_orders"), "{told}");
    assert!(graph.build_order(&all(&graph), Gates::None).ids.len() == graph.len());
}
