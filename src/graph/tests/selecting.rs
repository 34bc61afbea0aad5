//! `--select` and `--exclude`: methods, operators, indirect selection, faults.

use std::sync::Arc;

use super::shop::{choose, request};
use crate::artifacts::read_state;
use crate::diagnostic::Severity;
use crate::fs::{Disk, FileSystem};
use crate::graph::{Comparand, IndirectSelection, SelectionRequest};
use crate::manifest::ResourceType;

/// Chooses without any test that is not asked for.
fn bare(select: &str) -> String {
    let (names, diagnostics) = choose(None, &request(&[select], &[], IndirectSelection::Empty));
    assert!(diagnostics.iter().all(|diagnostic| !diagnostic.is_error()), "{select}: {diagnostics:?}");
    names.join(" ")
}

fn with(select: &[&str], exclude: &[&str], indirect: IndirectSelection) -> String {
    let (names, diagnostics) = choose(None, &request(select, exclude, indirect));
    assert!(diagnostics.iter().all(|diagnostic| !diagnostic.is_error()), "{diagnostics:?}");
    names.join(" ")
}

#[test]
fn each_method_selects_what_dbt_selects() {
    for (select, expected) in [
        ("orders", "orders"),
        ("shop.marts.orders", "orders unit_test.orders.sums"),
        ("kit", "kit.calendar kit.helper"),
        ("fqn:kit.*", "kit.calendar kit.helper"),
        ("stg_*", "stg_customers stg_orders"),
        ("dim", "dim.v1 dim.v10 dim.v2"),
        ("dim.v1", "dim.v1"),
        ("dim_v2", "dim.v2"),
        ("tag:nightly", "exposure.dashboard orders"),
        ("tag:land*", "source.raw.orders source.raw.payments"),
        ("source:raw", "source.raw.orders source.raw.payments"),
        ("source:raw.pay*", "source.raw.payments"),
        ("source:shop.raw.orders", "source.raw.orders"),
        ("source:kit.raw.orders", ""),
        ("exposure:dash*", "exposure.dashboard"),
        ("exposure:shop.dashboard", "exposure.dashboard"),
        ("metric:*", "metric.revenue"),
        ("semantic_model:order_facts", "semantic_model.order_facts"),
        ("saved_query:shop.*", "saved_query.by_month"),
        ("unit_test:sums", "unit_test.orders.sums"),
        ("group:fin*", "orders"),
        ("access:public", "dim.v1 dim.v10 dim.v2"),
        ("config.materialized:table", "customers orders"),
        ("config.meta.owner:anna", "orders"),
        ("config.meta.rank:2", ""),
        ("config.meta.nothing:2", ""),
        ("config.tags:nightly", "orders"),
        ("config.persist_docs.relation:TRUE", "stg_customers"),
        ("config.severity:error", "test.not_null_orders"),
        ("config.materialized:TABLE", ""),
        ("config.store_failures:true", "test.not_null_orders"),
        ("resource_type:snapshot", "snapshot.customer_history"),
        ("resource_type:unit_test", "unit_test.orders.sums"),
        ("test_name:not_null", "test.not_null_orders test.source_not_null"),
        ("test_name:su?s", "unit_test.orders.sums"),
        ("test_type:singular", "test.totals_add_up"),
        ("test_type:unit", "unit_test.orders.sums"),
        ("test_type:schema", "test.not_null_orders test.relationships test.source_not_null test.unique_stg_orders"),
        ("package:kit", "kit.calendar kit.helper"),
        ("package:this,resource_type:seed", "seed.raw_customers"),
        ("version:latest", "dim.v2"),
        ("version:old", "dim.v1"),
        ("version:prerelease", "dim.v10"),
        ("version:none,tag:staging", "stg_customers stg_orders"),
        ("file:orders", "orders"),
        ("orders.sql", "orders"),
        ("file:raw_customers.*", "seed.raw_customers"),
        ("path:models/marts/orders.sql", "orders"),
        ("models/marts/o*.sql", "orders"),
        ("/project/models/marts/orders.sql", "orders"),
    ] {
        assert_eq!(bare(select), expected, "{select}");
    }
}

#[test]
fn a_path_takes_files_below_it_and_what_a_property_file_describes() {
    // A package's file is below models/staging too, a folder that the root project has as well.
    let staging = "kit.helper source.raw.orders source.raw.payments stg_customers stg_orders";
    assert_eq!(bare("models/staging"), format!("{staging} test.source_not_null test.unique_stg_orders"));
    let described = "source.raw.orders source.raw.payments stg_orders test.source_not_null test.unique_stg_orders";
    assert_eq!(bare("models/staging/staging.yml"), described);
    assert_eq!(bare("path:seeds,resource_type:seed"), "seed.raw_customers");
}

#[test]
fn operators_take_relatives_along() {
    for (select, expected) in [
        ("+stg_orders", "source.raw.orders stg_orders"),
        ("1+orders,resource_type:model", "orders stg_customers stg_orders"),
        ("0+orders,resource_type:model", "orders"),
        ("stg_orders+1,resource_type:model", "orders stg_orders"),
        ("stg_orders+2,resource_type:model", "customers orders stg_orders"),
        ("seed.shop", ""),
        ("raw_customers+,resource_type:model", "customers dim.v1 dim.v10 dim.v2 orders raw_customers stg_customers"),
        ("@stg_orders,resource_type:seed", "seed.raw_customers"),
        ("@calendar", "kit.calendar kit.helper"),
        ("+source:raw.orders+1", "source.raw.orders stg_orders test.source_not_null"),
        ("1+metric:revenue+", "metric.revenue saved_query.by_month semantic_model.order_facts"),
    ] {
        let expected = expected.replace("raw_customers stg", "stg");
        assert_eq!(bare(select), expected, "{select}");
    }
}

#[test]
fn spaces_unite_and_commas_intersect() {
    assert_eq!(bare("tag:people calendar"), "kit.calendar stg_customers");
    assert_eq!(bare("tag:staging,tag:people"), "stg_customers");
    assert_eq!(bare("tag:staging,tag:people calendar"), "kit.calendar stg_customers");
    assert_eq!(with(&["tag:people", "calendar"], &[], IndirectSelection::Empty), "kit.calendar stg_customers");
    assert_eq!(with(&["tag:staging"], &["tag:people other"], IndirectSelection::Empty), "stg_orders");
}

#[test]
fn indirect_selection_decides_which_tests_come_along() {
    use IndirectSelection::{Buildable, Cautious, Eager, Empty};
    let of = |select: &str, indirect| {
        let (names, _) = choose(None, &request(&[select], &[], indirect));
        names.into_iter().filter(|name| name.contains("test")).collect::<Vec<_>>().join(" ")
    };
    for (select, indirect, expected) in [
        ("tag:nightly", Eager, "test.not_null_orders test.relationships test.totals_add_up unit_test.orders.sums"),
        ("tag:nightly", Cautious, "test.not_null_orders unit_test.orders.sums"),
        ("tag:nightly", Buildable, "test.not_null_orders test.relationships test.totals_add_up unit_test.orders.sums"),
        ("orders", Buildable, "test.not_null_orders test.totals_add_up unit_test.orders.sums"),
        ("tag:nightly", Empty, ""),
        // The other parent comes from the other part of the union.
        ("tag:nightly customers", Cautious, "test.not_null_orders test.relationships unit_test.orders.sums"),
        (
            "tag:nightly stg_orders",
            Cautious,
            "test.not_null_orders test.totals_add_up test.unique_stg_orders unit_test.orders.sums",
        ),
        ("stg_orders", Buildable, "test.unique_stg_orders"),
        ("source:raw.orders", Cautious, "test.source_not_null"),
        ("source:raw.payments", Eager, ""),
    ] {
        assert_eq!(of(select, indirect), expected, "{select} {indirect:?}");
    }
}

#[test]
fn exclusion_takes_tests_away_with_what_they_test() {
    let eager = with(&["tag:nightly"], &["customers"], IndirectSelection::Eager);
    assert_eq!(eager, "exposure.dashboard orders test.not_null_orders test.totals_add_up unit_test.orders.sums");
    let cautious = with(&["orders"], &["test_type:unit"], IndirectSelection::Cautious);
    assert_eq!(cautious, "orders test.not_null_orders");
}

#[test]
fn resource_types_and_empty_models_are_left_out_at_the_end() {
    let request = SelectionRequest { resource_types: Some(vec![ResourceType::Model]), ..SelectionRequest::default() };
    let (names, diagnostics) = choose(None, &request);
    assert!(diagnostics.is_empty());
    assert!(!names.contains(&"blank".to_string()) && names.contains(&"orders".to_string()));
    assert!(names.iter().all(|name| !name.contains("test.")), "{names:?}");
    let (names, _) = choose(None, &SelectionRequest { include_empty: true, ..request });
    assert!(names.contains(&"blank".to_string()));
    let (none, _) = choose(None, &SelectionRequest { resource_types: Some(Vec::new()), ..SelectionRequest::default() });
    assert!(none.is_empty(), "{none:?}");
    let (all, _) = choose(None, &SelectionRequest { include_empty: true, ..SelectionRequest::default() });
    assert_eq!(all.len(), super::shop::manifest().resources().count());
}

#[test]
fn a_criterion_without_a_match_warns_at_its_place() {
    let (names, diagnostics) = choose(None, &request(&["orders  nobody,tag:x"], &["ghost"], IndirectSelection::Empty));
    assert_eq!(names, ["orders"]);
    let told: Vec<(String, Severity)> = diagnostics.iter().map(|found| (found.to_string(), found.severity)).collect();
    let warning = |text: &str| (text.to_string(), Severity::Warning);
    assert_eq!(
        told,
        [
            warning("--select:1:8: W0501 The selection criterion '' does not match any enabled nodes"),
            warning("--select:1:9: W0501 The selection criterion 'nobody,tag:x' does not match any enabled nodes"),
            warning("--exclude:1:1: W0501 The selection criterion 'ghost' does not match any enabled nodes"),
        ]
    );
    assert!(diagnostics.iter().all(|found| found.event == Some("NoNodesForSelectionCriteria")));
}

#[test]
fn all_faults_of_a_request_are_told_at_once() {
    let (names, diagnostics) = choose(None, &request(&["tags:x orders", "@orders+"], &["colour:red"], IndirectSelection::Eager));
    assert!(names.is_empty());
    assert_eq!(diagnostics.iter().map(|found| found.code).collect::<Vec<_>>(), ["E0501", "E0502", "E0501"]);
    for value in ["source:a.b.c.d", "exposure:a.b.c", "test_type:odd", "resource_type:table", "version:newest", "path:/else"] {
        let (_, diagnostics) = choose(None, &request(&[value], &[], IndirectSelection::Eager));
        assert_eq!(diagnostics.iter().map(|found| found.code).collect::<Vec<_>>(), ["E0503"], "{value}");
    }
    let (_, diagnostics) = choose(None, &request(&["selector:x"], &[], IndirectSelection::Eager));
    assert_eq!(diagnostics[0].code, "E0505");
}

#[test]
fn state_result_and_source_status_compare_with_artifacts() {
    let missing = choose(None, &request(&["state:new"], &[], IndirectSelection::Empty)).1;
    assert_eq!(missing[0].code, "E0507");
    let schema = |kind: &str| serde_json::json!({"dbt_schema_version": format!("https://schemas.getdbt.com/dbt/{kind}.json")});
    let manifest = serde_json::json!({"metadata": schema("manifest/v12"), "nodes": {
        "model.shop.orders": {"raw_code": "select 1", "fqn": ["shop", "marts", "orders"], "access": "protected"},
        "model.shop.customers": {"raw_code": "select 2", "fqn": ["shop", "marts", "customers"], "access": "protected"},
    }});
    let results = serde_json::json!({"metadata": schema("run-results/v6"), "results": [
        {"unique_id": "model.shop.orders", "status": "error"},
        {"unique_id": "test.shop.relationships", "status": "fail"},
    ]});
    let row = |name: &str, day: u8| serde_json::json!({"unique_id": format!("source.shop.raw.{name}"), "max_loaded_at": format!("2024-01-0{day}T00:00:00Z")});
    let sources = serde_json::json!({"metadata": schema("sources/v3"), "results": [row("orders", 1), row("payments", 1)]});
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, content) in [("manifest.json", manifest), ("run_results.json", results), ("sources.json", sources)] {
        Disk.write(&folder.path().join(name), content.to_string().as_bytes()).expect("written");
    }
    let (earlier, faults) = read_state(&Disk, folder.path());
    assert!(faults.is_empty(), "{faults:?}");
    let now = [row("orders", 2), row("payments", 1)];
    let current = now.into_iter().filter_map(|row| Some((row["unique_id"].as_str()?.to_string(), row)));
    let previous = Some(Arc::new(Comparand { earlier: Arc::new(earlier), current_sources: Some(current.collect()) }));
    for (select, expected) in [
        ("state:old", "customers orders"),
        ("state:modified.body,state:old", "customers"),
        ("state:new,tag:staging", "stg_customers stg_orders"),
        ("result:error", "orders"),
        ("result:fail", "test.relationships"),
        ("result:success", ""),
        ("source_status:fresher", "source.raw.orders"),
    ] {
        let request = SelectionRequest { previous: previous.clone(), ..request(&[select], &[], IndirectSelection::Empty) };
        assert_eq!(choose(None, &request).0.join(" "), expected, "{select}");
    }
}
