//! selectors.yml.

use super::shop::choose;
use crate::graph::{IndirectSelection, SelectionRequest};

const SELECTORS: &str = "
selectors:
  - name: plain
    definition: '+stg_orders'
  - name: short
    definition: {tag: people}
  - name: long
    definition:
      method: fqn
      value: stg_orders
      parents: true
      children: true
      children_depth: 1
      indirect_selection: empty
      exclude: [{method: source, value: '*'}]
  - name: both
    definition:
      intersection:
        - tag: staging
        - union: [stg_orders, {tag: people}]
        - exclude: [tag:people]
  - name: typed
    definition: {method: config.meta.rank, value: 2, indirect_selection: empty}
  - name: inherits
    definition:
      union:
        - {method: selector, value: long, children: false}
        - calendar
  - name: wide
    definition: {method: fqn, value: customers, childrens_parents: true}
  - name: zero
    definition: {method: fqn, value: stg_orders, parents: 1, parents_depth: 0}
";

fn named(selectors: &str, name: &str) -> (String, Vec<String>) {
    let request =
        SelectionRequest { selector: Some(name.into()), indirect: Some(IndirectSelection::Empty), ..SelectionRequest::default() };
    let (names, diagnostics) = choose(Some(selectors), &request);
    (names.join(" "), diagnostics.iter().map(ToString::to_string).collect())
}

#[test]
fn definitions_in_every_form_select() {
    for (name, expected) in [
        ("plain", "source.raw.orders stg_orders"),
        ("short", "stg_customers"),
        ("long", "orders stg_orders test.totals_add_up test.unique_stg_orders"),
        ("both", "stg_orders"),
        ("typed", "orders"),
        ("inherits", "kit.calendar orders stg_orders test.totals_add_up test.unique_stg_orders"),
        ("zero", "source.raw.orders stg_orders"),
    ] {
        assert_eq!(named(SELECTORS, name), (expected.to_string(), Vec::new()), "{name}");
    }
    let (wide, _) = named(SELECTORS, "wide");
    assert!(wide.contains("exposure.dashboard") && wide.contains("source.raw.orders") && !wide.contains("kit"), "{wide}");
}

#[test]
fn the_default_selector_is_used_where_nothing_is_asked_for() {
    let text = "selectors: [{name: daily, default: true, definition: calendar}]";
    assert_eq!(choose(Some(text), &SelectionRequest::default()).0, ["kit.calendar"]);
    let asked = SelectionRequest { exclude: vec!["tag:x".into()], ..SelectionRequest::default() };
    assert!(choose(Some(text), &asked).0.len() > 10);
}

#[test]
fn the_selector_method_works_on_the_command_line_with_operators_and_patterns() {
    let request = |select: &str| SelectionRequest {
        select: vec![select.into()],
        indirect: Some(IndirectSelection::Empty),
        ..SelectionRequest::default()
    };
    assert_eq!(
        choose(Some(SELECTORS), &request("selector:short+1,resource_type:model")).0,
        ["customers", "orders", "stg_customers"]
    );
    assert_eq!(choose(Some(SELECTORS), &request("selector:[ps]*or*")).0, ["stg_customers"]);
    assert_eq!(choose(Some(SELECTORS), &request("selector:nobody")).1[0].code, "E0505");
}

#[test]
fn faults_are_told_with_their_places() {
    let cases = [
        ("selectors: {}", "selectors.yml:1:1: E0504 selectors.yml has no list `selectors`"),
        ("selectors: [{definition: x}]", "selectors.yml:1:13: E0504 a selector has no name"),
        ("selectors: [{name: x}]", "selectors.yml:1:13: E0504 the selector `x` has no definition"),
        ("selectors: [{name: x, definition: [a]}]", "selectors.yml:1:35: E0504 this is no selector definition"),
        ("selectors: [{name: x, definition: {tags: a}}]", "selectors.yml:1:35: E0501 'tags' is not a valid method name"),
        ("selectors: [{name: x, definition: {union: a}}]", "selectors.yml:1:43: E0504 a union or intersection needs a list"),
        (
            "selectors: [{name: x, definition: {union: [a], intersection: [b]}}]",
            "selectors.yml:1:35: E0504 Only a single 'union' or 'intersection' key is allowed in a root level selector \
             definition; found union,intersection",
        ),
        (
            "selectors: [{name: x, definition: {method: tag, children: true}}]",
            "selectors.yml:1:35: E0504 Expected either 1 key or else \"method\" and \"value\" keys, but got ['method', 'children']",
        ),
        (
            "selectors: [{name: x, definition: {method: tag, value: a, indirect_selection: some}}]",
            "selectors.yml:1:79: E0504 this is no mode of indirect selection",
        ),
        (
            "selectors: [{name: a, default: true, definition: x}, {name: x, default: true, definition: y}]",
            "selectors.yml:1:61: E0504 Found multiple selectors with `default: true`: a and x",
        ),
        (
            "selectors: [{name: x, definition: {union: [{exclude: [a]}, {exclude: [b]}]}}]",
            "selectors.yml:1:60: E0504 You cannot provide multiple exclude arguments to the same selector set operator",
        ),
    ];
    for (text, expected) in cases {
        let (names, told) = named(text, "x");
        assert_eq!((names.as_str(), told.as_slice()), ("", &[expected.to_string()][..]), "{text}");
    }
    let (_, told) = named("selectors: [{name: y, definition: orders}]", "x");
    assert_eq!(told, ["--selector:1:1: E0505 Could not find selector named x, expected one of [y]"]);
    let ring = "selectors: [{name: x, definition: 'selector:y'}, {name: y, definition: {selector: 'x'}}]";
    let (_, told) = named(ring, "x");
    assert_eq!(told, ["selectors.yml:1:72: E0506 Circular dependency detected in selector: x -> y -> x"]);
}

#[test]
fn what_has_no_effect_is_warned_of() {
    let text = "
version: 2
selectors:
  - name: x
    colour: red
    definition:
      union:
        - method: tag
          value: staging
          exclude: ['tag:people']
        - orders
  - name: x
    definition: {method: fqn, value: orders, depth: 1}
";
    let (names, told) = named(text, "x");
    assert_eq!(names, "orders");
    let codes: Vec<&str> = told.iter().filter_map(|text| text.split(' ').nth(1)).collect();
    assert_eq!(codes, ["W0512", "W0514", "W0514", "W0512", "W0513"]);
}
