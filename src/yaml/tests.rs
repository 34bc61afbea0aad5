use super::*;

fn yaml(text: &str) -> Yaml {
    let (value, diagnostics) = read(&SourceText::new("x.yml", text));
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    value.expect("a value")
}

fn json(text: &str) -> serde_json::Value {
    yaml(text).to_json()
}

/// The only diagnostic, as `line:column: CODE message`.
fn fault(text: &str) -> String {
    let (_, diagnostics) = read(&SourceText::new("x.yml", text));
    assert_eq!(diagnostics.len(), 1, "{diagnostics:?}");
    diagnostics[0].to_string().trim_start_matches("x.yml:").to_owned()
}

#[test]
fn structures() {
    let text = "version: 2\nmodels:\n  - name: a\n    columns: [{name: id, tests: [unique]}]\n  - name: b # two\n    description: |\n      one\n      two\n";
    assert_eq!(
        json(text),
        serde_json::json!({"version": 2, "models": [
            {"name": "a", "columns": [{"name": "id", "tests": ["unique"]}]},
            {"name": "b", "description": "one\ntwo"}]})
    );
    assert_eq!(json(""), serde_json::Value::Null);
    assert_eq!(json("# only a comment\n"), serde_json::Value::Null);
    assert_eq!(json("'yes'"), serde_json::json!("yes"));
    assert_eq!(json("a: !!str 010\nb: !!int '7'\nc: ! yes"), serde_json::json!({"a": "010", "b": 7, "c": "yes"}));
    assert_eq!(json("{on: 1, 2: x, ~: y, 1.0: z}"), serde_json::json!({"true": 1, "2": "x", "null": "y", "1.0": "z"}));
    assert_eq!(json("a: |\n  b\n  c"), serde_json::json!({"a": "b\nc"}));
    assert_eq!(json("a: |\n  b\nc: d"), serde_json::json!({"a": "b\n", "c": "d"}));
    assert_eq!(json("\u{feff}a: >-\n  b\n  c\n"), serde_json::json!({"a": "b c"}));
}

#[test]
fn anchors_and_merges() {
    let text =
        "base: &b {x: 1, y: 2}\nother: &o {y: 3, z: 4}\none: {<<: *b, y: 9}\ntwo: {a: 0, <<: [*b, *o]}\nthree: *b\n'<<': text\n";
    let value = json(text);
    assert_eq!(value["one"].to_string(), r#"{"x":1,"y":9}"#);
    assert_eq!(value["two"].to_string(), r#"{"y":2,"z":4,"x":1,"a":0}"#);
    assert_eq!(value["three"], serde_json::json!({"x": 1, "y": 2}));
    assert_eq!(value["<<"], "text");
}

#[test]
fn spans_are_bytes_and_exact() {
    let text = "ä: ö\nlist:\n  - ü: {k: v}\n    z: last\n\nend: 1\n";
    let value = yaml(text);
    let at = |span: Span| &text[span.start..span.end];
    let entries = value.entries();
    assert_eq!(at(entries[0].key_span), "ä");
    assert_eq!(at(entries[0].value.span), "ö");
    let item = &entries[1].value.items()[0];
    assert_eq!(at(item.span), "ü: {k: v}\n    z: last");
    assert_eq!(at(item.entries()[0].value.span), "{k: v}");
    assert_eq!(at(entries[2].value.span), "1");
    let long = format!("{}\nkey: välue\n", "# é".repeat(100));
    let value = yaml(&long);
    let span = value.entries()[0].value.span;
    assert_eq!(&long[span.start..span.end], "välue");
}

#[test]
fn brackets_and_quotes_need_no_indentation() {
    let text = "paths: [\n  'a', # ]\n'b',\n]\nmap: {\nx: 1, ü: \"]\"\n}\ndeep:\n  list:\n  - text: \"one\ntwo, it's\"\n    rest: 'three\nit''s'\n    keys: [\n  {k: v},\n]\n  last: 1\n";
    let value = yaml(text);
    assert_eq!(
        value.to_json(),
        serde_json::json!({"paths": ["a", "b"], "map": {"x": 1, "ü": "]"}, "deep": {
            "list": [{"text": "one two, it's", "rest": "three it's", "keys": [{"k": "v"}]}], "last": 1}})
    );
    let at = |span: Span| &text[span.start..span.end];
    assert_eq!(at(value.get("paths").unwrap().items()[1].span), "'b'");
    assert_eq!(at(value.get("paths").unwrap().span), "[\n  'a', # ]\n'b',\n]");
    let deep = value.get("deep").unwrap();
    assert_eq!(at(deep.get("list").unwrap().items()[0].get("keys").unwrap().items()[0].span), "{k: v}");
    assert_eq!(at(deep.entry("last").unwrap().key_span), "last");
    assert!(fault("a: [\nb\nc: 1\n").contains("E0101"));
}

#[test]
fn a_block_at_the_end_has_no_newline() {
    assert_eq!(json("a: |\n  x\n  y\n\n"), serde_json::json!({"a": "x\ny"}));
    assert_eq!(json("a: >\n  x\n# end\n"), serde_json::json!({"a": "x\n"}));
    assert_eq!(json("a: |\n  x\nb: ü\n"), serde_json::json!({"a": "x\n", "b": "ü"}));
}

#[test]
fn duplicate_keys_warn_with_both_places_and_the_last_counts() {
    let (value, diagnostics) = read(&SourceText::new("x.yml", "a: 1\nb: 2\na: 3\n"));
    assert_eq!(value.unwrap().to_json().to_string(), r#"{"a":3,"b":2}"#);
    assert_eq!(diagnostics[0].to_string(), "x.yml:3:1: W0203 the key 'a' is given twice; the last one counts");
    assert_eq!(diagnostics[0].labels[1].span, Span::new(0, 1));
    let many: String = (0..40).map(|number| format!("k{}: {number}\n", number % 30)).collect();
    let (value, diagnostics) = read(&SourceText::new("x.yml", many));
    assert_eq!((value.unwrap().entries().len(), diagnostics.len()), (30, 10));
}

#[test]
fn faults_have_a_place_and_a_hint() {
    assert!(fault("a: 1\n---\nb: 2\n").starts_with("2:1: E0102"), "{}", fault("a: 1\n---\nb: 2\n"));
    assert!(fault("a: {{ var('x') }}\n").contains("'{{' starts a YAML map"));
    assert!(fault("a: [1, 2\nb: 3\n").contains("E0101"));
    assert!(fault("a: *nowhere\n").contains("E0101"));
    assert!(fault("a: b: c\n").starts_with("1:"));
    assert!(fault("a: !odd 1\n").contains("tag"));
    assert!(fault("<<: 3\n").contains("merges a map"));
    let (_, diagnostics) = read(&SourceText::new("x.yml", "models:\n\t- name: a\n"));
    assert_eq!(diagnostics[0].help.as_deref(), Some("indent with spaces: YAML does not allow tabs there"), "{diagnostics:?}");
    let deep: String = (0..300).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
    assert!(fault(&deep).contains("nested too deeply"), "{}", fault(&deep));
    assert!(fault(&"[".repeat(5000)).contains("E010"));
    let bomb = "a: &a [1,1,1,1,1,1,1,1,1,1]\n".to_owned()
        + &('b'..='h')
            .map(|name| {
                let before = char::from(name as u8 - 1);
                format!("{name}: &{name} [{}]\n", format!("*{before},").repeat(10))
            })
            .collect::<String>();
    assert!(fault(&bomb).contains("too large"));
}

#[test]
fn a_reader_collects_what_is_wrong() {
    let source = SourceText::new("x.yml", "name: 3\npaths: models\nnmae: x\n");
    let value = read(&source).0.unwrap();
    let mut diagnostics = Vec::new();
    let mut reader = Reader { source: &source, code: "E0103", diagnostics: &mut diagnostics };
    assert_eq!(reader.expect_str(value.get("name").unwrap(), "'name'"), None);
    assert_eq!(reader.expect_texts(value.get("paths").unwrap(), "'paths'", true), Some(vec!["models".to_owned()]));
    reader.unknown_keys(value.entries(), &["name", "paths"], "dbt_project.yml", None);
    let said: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "x.yml:1:7: E0103 'name' must be a text, not a number",
            "x.yml:3:1: W0102 dbt_project.yml has no key 'nmae'; it is ignored"
        ]
    );
    assert_eq!(diagnostics[1].help.as_deref(), Some("did you mean 'name'?"));
}
