//! Whole projects, parsed from memory.

use std::collections::HashMap;
use std::path::Path;

use serde_json::json;

use super::*;
use crate::fs::Memory;
use crate::manifest::Json;
use crate::project::{LoadOptions, load};

const PROFILES: &str = "shop: {target: dev, outputs: {dev: {type: duckdb, path: shop.duckdb, schema: main}}}\n";

/// Parses a project named `shop` of these files; gives everything told, in one line each.
fn parsed(files: &[(&str, &str)]) -> (Parsed, Vec<String>) {
    let base = [("dbt_project.yml", "name: shop\nprofile: shop\n"), ("profiles.yml", PROFILES)];
    let files: Vec<(String, &str)> = base.iter().chain(files).map(|(path, text)| (format!("/shop/{path}"), *text)).collect();
    let fs = Memory::new(files.iter().map(|(path, text)| (path.as_str(), *text)));
    let options = LoadOptions {
        profile_required: true,
        packages_required: true,
        env: Some(HashMap::from([("SCHEMA".to_owned(), "raw".to_owned())])),
        ..LoadOptions::default()
    };
    let (project, loaded) = load(&fs, Path::new("/shop"), &options);
    assert!(!crate::diagnostic::any_error(&loaded), "{loaded:?}");
    let (parsed, told) = parse(&Arc::new(project.expect("a project")));
    (parsed.expect("a parse"), told.iter().map(ToString::to_string).collect())
}

fn draft<'p>(parsed: &'p Parsed, id: &str) -> &'p Draft {
    parsed.drafts.iter().find(|draft| draft.unique_id.as_str() == id).unwrap_or_else(|| {
        let ids: Vec<&str> = parsed.drafts.iter().map(|draft| draft.unique_id.as_str()).collect();
        panic!("no {id} among {ids:?}")
    })
}

fn ref_names(draft: &Draft) -> Vec<&str> {
    draft.capture.refs.iter().map(|call| call.name.as_str()).collect()
}

#[test]
fn a_model_tells_what_it_asks_for() {
    let sql = "\n{{ config(materialized='table', pre_hook='select 1') }}\n{% set tables = ['a', 'b'] %}\n\
               {% for table in tables %}select * from {{ ref(table) }} {{ helper(source('raw', 'c')) }}\n{% endfor %}\n\
               {% if execute %}{{ ref('never') }}{% endif %} {{ unknown.thing(1)[2] }} {{ this }} {{ config.get('x', 'y') }}|\n\
               {{ var('limit', 3) }} {{ adapter.get_columns_in_relation(this) }} {{ ref('shop', 'd', v=2) }}\n";
    let (parsed, told) =
        parsed(&[("models/staging/m.sql", sql), ("macros/h.sql", "{% macro helper(x) %}{{ log(x) }}{% endmacro %}")]);
    assert_eq!(told, [""; 0]);
    let model = draft(&parsed, "model.shop.m");
    assert_eq!(model.fqn, ["shop", "staging", "m"]);
    assert_eq!((model.path.as_str(), model.original_file_path.as_str()), ("staging/m.sql", "models/staging/m.sql"));
    assert_eq!(&*model.raw_code, sql.trim());
    assert_eq!(ref_names(model), ["a", "b", "d"]);
    assert_eq!(model.capture.refs[2].version.as_ref().map(|version| version.text.as_str()), Some("2"));
    assert_eq!(model.capture.sources, [("raw".to_owned(), "c".to_owned()), ("raw".to_owned(), "c".to_owned())]);
    assert_eq!(
        model.capture.config_calls.iter().cloned().map(Json::Object).collect::<Vec<_>>(),
        [json!({"materialized": "table", "pre-hook": "select 1"})]
    );
    assert_eq!(model.capture.macros.iter().map(UniqueId::as_str).collect::<Vec<_>>(), ["macro.shop.helper"]);
    assert!(model.capture.reads.vars.contains("limit"));
    assert_eq!(parsed.messages.len(), 2);
    assert_eq!(parsed.messages[0].1, Message::Debug("\"shop\".\"main\".\"m\"".to_owned()));
}

#[test]
fn what_dbt_reads_statically_names_a_source_once() {
    let twice = "{{ source('a', 'b') }} {{ source('a', 'b') }}";
    let rendered = format!("{twice}{{% set x = 1 %}}");
    let (parsed, _) = parsed(&[("models/s.sql", twice), ("models/r.sql", &rendered)]);
    assert_eq!(draft(&parsed, "model.shop.s").capture.sources.len(), 1);
    assert_eq!(draft(&parsed, "model.shop.r").capture.sources.len(), 2);
}

#[test]
fn a_var_may_call_macros() {
    let project = "name: shop\nprofile: shop\nvars: {now: '{{ dbt.current_timestamp() }}', again: '{{ var(\"again\") }}'}\n";
    let (parsed, told) =
        parsed(&[("dbt_project.yml", project), ("models/m.sql", "{{ var('now') }}"), ("models/n.sql", "{{ var('again') }}")]);
    let macros = &draft(&parsed, "model.shop.m").capture.macros;
    assert_eq!(macros.iter().map(UniqueId::as_str).collect::<Vec<_>>(), ["macro.dbt.current_timestamp"]);
    assert!(told.len() == 1 && told[0].contains("names itself"), "{told:?}");
}

#[test]
fn one_bad_model_hides_no_other() {
    let (parsed, told) = parsed(&[
        ("models/a.sql", "select 1 {% if %}"),
        ("models/b.sql", "select * from {{ ref('x') }}\n{{ ref() }}"),
        ("models/c.sql", "{{ exceptions.warn('careful') }}{{ source('one') }}"),
        ("models/d.sql", "{{ ref('a') }}"),
    ]);
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(told[0].starts_with("models/a.sql:1:"), "{told:?}");
    assert!(told[1].starts_with("models/b.sql:2:"), "{told:?}");
    assert!(told[2].starts_with("models/c.sql:1:"), "{told:?}");
    assert!(told[3].ends_with("W0304 careful"), "{told:?}");
    assert_eq!(ref_names(draft(&parsed, "model.shop.b")), ["x"]);
    assert_eq!(ref_names(draft(&parsed, "model.shop.d")), ["a"]);
}

#[test]
fn macros_know_what_they_call() {
    let text = "{% macro a() %}{{ b() }}{{ return(adapter.dispatch('c', 'shop')()) }}{{ dbt.type_string() }}{{ ref('x') }}{% endmacro %}\n\
                {% macro b() %}{% endmacro %}\n{% macro default__c() %}{% endmacro %}{% macro duckdb__c(x, y=1) %}{% endmacro %}\n\
                {% test positive(model, column_name) %}select 1{% endtest %}";
    let (parsed, told) = parsed(&[("macros/m.sql", text), ("macros/n.sql", "{% macro b() %}{% endmacro %}")]);
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("multiple macros named \"b\" in the project"), "{told:?}");
    let found = |name: &str| parsed.macros.in_package("shop", name).unwrap();
    let calls: Vec<&str> = found("a").depends_on.iter().map(UniqueId::as_str).collect();
    assert_eq!(calls, ["macro.shop.b", "macro.shop.duckdb__c", "macro.dbt.type_string"]);
    assert_eq!(found("duckdb__c").arguments.iter().map(|argument| argument.name.as_str()).collect::<Vec<_>>(), ["x", "y"]);
    assert_eq!(found("test_positive").unique_id.as_str(), "macro.shop.test_positive");
}

#[test]
fn every_kind_of_file_has_its_path_and_fqn() {
    let (parsed, told) = parsed(&[
        ("dbt_project.yml", "name: shop\nprofile: shop\non-run-start: ['{{ log(1) }}', 'grant {{ ref(\"x\") }}']\n"),
        ("snapshots/deep/s.sql", "{% snapshot snap %}select {{ ref('x') }}{% endsnapshot %}"),
        ("snapshots/y.yml", "snapshots:\n  - name: from_yaml\n    relation: source('raw', 'x')\n"),
        ("tests/deep/t.sql", "select {{ ref('x') }}"),
        ("analyses/an.sql", "select 1"),
        ("seeds/deep/sd.csv", "a\n1\n"),
        ("models/p.py", "def model(dbt, session):\n    return dbt.ref('x')\n"),
    ]);
    assert_eq!(told, [""; 0]);
    let place = |id: &str| {
        let draft = draft(&parsed, id);
        (draft.fqn.join("/"), draft.path.clone(), draft.original_file_path.clone())
    };
    let expect = |fqn: &str, path: &str, file: &str| (fqn.to_owned(), path.to_owned(), file.to_owned());
    assert_eq!(place("snapshot.shop.snap"), expect("shop/deep/s/snap", "deep/s.sql", "snapshots/deep/s.sql"));
    assert_eq!(place("snapshot.shop.from_yaml"), expect("shop/from_yaml", "from_yaml.sql", "snapshots/y.yml"));
    assert_eq!(place("test.shop.t"), expect("shop/deep/t", "deep/t.sql", "tests/deep/t.sql"));
    assert_eq!(place("analysis.shop.an"), expect("shop/analysis/an", "analysis/an.sql", "analyses/an.sql"));
    assert_eq!(place("seed.shop.sd"), expect("shop/deep/sd", "deep/sd.csv", "seeds/deep/sd.csv"));
    let operation = "operation.shop.shop-on-run-start-1";
    assert_eq!(place(operation), expect("shop/hooks/shop-on-run-start-1", "hooks/shop-on-run-start-1.sql", "./dbt_project.yml"));
    assert_eq!(ref_names(draft(&parsed, operation)), ["x"]);
    assert_eq!(&*draft(&parsed, "snapshot.shop.snap").raw_code, "select {{ ref('x') }}");
    assert_eq!(&*draft(&parsed, "snapshot.shop.from_yaml").raw_code, "select * from {{ source('raw', 'x') }}");
    let python = draft(&parsed, "model.shop.p");
    assert_eq!((python.language, ref_names(python)), (Language::Python, vec!["x"]));
}

#[test]
fn packages_can_tell_a_relation_from_a_text() {
    let sql = "{% if ref('x') is mapping and ref('x').get('metadata', {}).get('type', '').endswith('Relation') %}{{ ref('yes') }}{% endif %}\
               {% if 'x' is mapping %}{{ ref('no') }}{% endif %}";
    let (parsed, told) = parsed(&[("models/m.sql", sql)]);
    assert_eq!(told, [""; 0]);
    assert_eq!(ref_names(draft(&parsed, "model.shop.m")), ["x", "x", "yes"]);
}

#[test]
fn docs_blocks_lose_their_jinja() {
    let text = "ignored\n{% docs a %}\n Text {% raw %}{{ x }}{% endraw %} \n{% enddocs %}{% docs b %}{% enddocs %}{% docs a %}{% enddocs %}";
    let (parsed, told) = parsed(&[("models/d.md", text)]);
    assert!(told.len() == 1 && told[0].contains("two docs blocks named `a`"), "{told:?}");
    assert_eq!(parsed.docs["doc.shop.a"].block_contents, "Text {{ x }}");
    assert_eq!(parsed.docs["doc.shop.b"].block_contents, "");
}

#[test]
fn tests_see_their_own_macros_alone() {
    let yaml = "models:\n  - name: m\n    columns:\n      - name: c\n        tags: [b]\n        data_tests:\n          - mine: {arguments: {value: \"{{ other() }}\", near: ref('n')}}\n          - dbt.unique\n          - unknown\n";
    let macros = "{% macro other() %}{{ ref('hidden') }}{% endmacro %}{% macro inner() %}{{ ref('seen') }}{% endmacro %}\n\
                  {% test mine(model, column_name, value, near) %}{{ inner() }}{{ value.x() }}{% endtest %}";
    let (parsed, told) = parsed(&[("models/s.yml", yaml), ("macros/m.sql", macros), ("models/m.sql", "select 1")]);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("models/s.yml:9:13: W0207"), "{told:?}");
    let test = parsed.drafts.iter().find(|draft| draft.test.as_ref().is_some_and(|test| test.test_name == "mine")).unwrap();
    assert_eq!(ref_names(test), ["n", "m", "seen"]);
    let macros: Vec<&str> = test.capture.macros.iter().map(UniqueId::as_str).collect();
    assert_eq!(macros, ["macro.shop.test_mine", "macro.dbt.get_where_subquery"]);
    assert_eq!(test.test.as_ref().unwrap().tags, ["b"]);
    assert_eq!((test.path.as_str(), test.original_file_path.as_str()), ("mine_m_c__ref_n____other_.sql", "models/s.yml"));
}

#[test]
fn versions_and_sources_have_tests_of_their_own() {
    let yaml = "models:\n  - name: m\n    data_tests: [whole]\n    columns:\n      - {name: a, tests: [unique]}\n      - {name: b, tests: [unique]}\n    versions:\n      - v: 1\n      - v: 2\n        data_tests: []\n        columns: [{include: all, exclude: [b]}, {name: c, data_tests: [not_null]}]\n\
                sources:\n  - name: raw\n    schema: \"{{ env_var('SCHEMA') }}\"\n    tags: [s]\n    quoting: {column: true}\n    tables:\n      - name: t\n        columns: [{name: id, data_tests: [not_null]}]\n";
    let (parsed, _) = parsed(&[("models/s.yml", yaml)]);
    let mut names: Vec<&str> = parsed.drafts.iter().map(|draft| draft.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["not_null_m_v2_c", "source_not_null_raw_t__id_", "unique_m_v1_a", "unique_m_v1_b", "unique_m_v2_a", "whole_m_v1_"]
    );
    let source = parsed.drafts.iter().find(|draft| draft.name.starts_with("source")).unwrap();
    let test = source.test.as_ref().unwrap();
    assert_eq!((test.column_name.as_deref(), test.file_key_name.as_str()), (Some("\"id\""), "sources.raw"));
    assert_eq!(
        (test.tags.clone(), source.capture.sources.clone()),
        (vec!["s".to_owned()], vec![("raw".to_owned(), "t".to_owned())])
    );
    let property = parsed.properties.iter().find(|property| property.section == "sources").unwrap();
    assert_eq!(property.entry.get("schema").and_then(Yaml::as_str), Some("raw"));
    assert_eq!(property.unrendered.get("schema").and_then(Yaml::as_str), Some("{{ env_var('SCHEMA') }}"));
}

#[test]
fn property_files_are_read_as_far_as_they_go() {
    let yaml = "version: 2\nmodel: []\nseeds: {}\nmodels:\n  - description: x\n  - just a text\n  - {name: ok, colums: []}\n  - {name: bad, data_tests: unique}\n";
    let (parsed, told) = parsed(&[("models/s.yml", yaml), ("models/t.yml", "- a\n"), ("models/u.yml", "a: [\n")]);
    let codes: Vec<&str> = told.iter().filter_map(|line| line.split(' ').nth(1)).collect();
    assert_eq!(codes[..6], ["W0201", "E0201", "E0203", "E0202", "W0203", "E0210"], "{told:?}");
    assert!(told[6].starts_with("models/t.yml:1:1: E0201"), "{told:?}");
    assert!(told[7].starts_with("models/u.yml:"), "{told:?}");
    assert_eq!(parsed.properties.iter().map(|property| property.section).collect::<Vec<_>>(), ["models", "models"]);
}

#[test]
fn a_project_may_replace_ref() {
    let macros = "{% macro ref(name) %}{% do return(builtins.ref(name ~ '_new')) %}{% endmacro %}";
    let (parsed, told) = parsed(&[("macros/r.sql", macros), ("models/m.sql", "{{ config(a='b') }}select * from {{ ref('x') }}")]);
    assert_eq!(told, [""; 0]);
    let model = draft(&parsed, "model.shop.m");
    assert_eq!(ref_names(model), ["x_new"]);
    assert_eq!(model.capture.macros.iter().map(UniqueId::as_str).collect::<Vec<_>>(), ["macro.shop.ref"]);
    // Where `ref` is replaced, dbt renders, and keeps the configuration as it was written.
    assert_eq!(model.capture.unrendered_config_calls.len(), 1);
}

#[test]
fn tests_of_a_source_can_be_replaced_from_outside() {
    let base = "sources:\n  - name: raw\n    tables:\n      - {name: t, data_tests: [old], columns: [{name: a, data_tests: [unique]}]}\n";
    let over = "sources:\n  - name: raw\n    overrides: pack\n    tables:\n      - {name: t, data_tests: [new]}\n";
    let (parsed, _) = parsed(&[
        ("packages.yml", "packages: [{local: pack}]\n"),
        ("dbt_packages/pack/dbt_project.yml", "name: pack\n"),
        ("dbt_packages/pack/models/s.yml", base),
        ("models/s.yml", over),
    ]);
    let mut ids: Vec<&str> =
        parsed.drafts.iter().filter_map(|draft| draft.unique_id.as_str().rsplit_once('.')).map(|id| id.0).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["test.pack.source_new_raw_t_", "test.pack.source_unique_raw_t_a"]);
}
