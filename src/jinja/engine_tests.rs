//! What the engine promises beyond rendering: traces, macros called, native values, shared JSON, blocks, static calls.

use std::sync::Arc;

use minijinja::Value;

use super::cases::{TestHost, engine, render};
use super::{Args, BlockKind, Error, ErrorKind, Template, Undefined, blocks, from_shared_json, function, macro_calls, repr};
use crate::diagnostic::{SourceText, Span};
use crate::manifest::{Json, JsonMap};

fn lenient() -> Arc<TestHost> {
    Arc::new(TestHost::new(JsonMap::new(), Undefined::Lenient))
}

/// Places of an error, innermost first, as `file:line:column`.
fn places(error: &Error) -> Vec<String> {
    let place = |frame: &super::Frame| {
        let (line, column) = frame.source.position(frame.span.start);
        format!("{}:{line}:{column}", frame.source.name)
    };
    error.trace.iter().map(place).collect()
}

#[test]
fn errors_carry_every_place_they_passed() {
    let macros =
        "\n{% macro inner(x) %}\n  {{ x.y.z }}\n{% endmacro %}\n{% macro outer(a, b=a) -%}\n  {{ inner(b) }}\n{%- endmacro %}";
    let error = render(macros, "select 1\n\n  , {{ outer({}) }}", &Json::Null).expect_err("x.y is missing");
    assert_eq!(error.kind, ErrorKind::Undefined);
    assert_eq!(error.message, "'dict object' has no attribute 'y'");
    assert_eq!(places(&error), ["root/macros/m.sql:3:6", "root/macros/m.sql:6:6", "models/m.sql:3:8"]);
    assert_eq!(error.trace[0].macro_id.as_deref(), Some("macro.root.inner"));
    assert_eq!(error.trace[2].macro_id, None);
}

#[test]
fn faults_of_a_text_have_their_place() {
    let check = |model: &str, message: &str, place: &str| {
        let error = render("", model, &Json::Null).expect_err(model);
        assert_eq!((error.message.as_str(), places(&error)), (message, vec![place.to_owned()]), "{model}");
    };
    check("{{ nope() }}", "'nope' is undefined", "models/m.sql:1:4");
    check("a\n{{ nope.x }}", "'nope' is undefined", "models/m.sql:2:4");
    check("{{ 1 }}\n{{ a b }}", "expected token 'end of print statement', got 'b'", "models/m.sql:2:6");
    check("{{ 'a'|nosuch }}", "No filter named 'nosuch'.", "models/m.sql:1:8");
    check("{{ 1 is nosuch }}", "No test named 'nosuch'.", "models/m.sql:1:9");
    check("{% nosuch %}", "Encountered unknown tag 'nosuch'.", "models/m.sql:1:4");
    check("\n {% if true %}", "Unexpected end of template: 'endif' is missing.", "models/m.sql:2:5");
    check("{{ none.x.y }}", "'None' has no attribute 'x'", "models/m.sql:1:4");
    check("{{ 'a' + 1 }}", "can only concatenate str (not \"int\") to str", "models/m.sql:1:8");
}

#[test]
fn errors_of_functions_keep_their_kind() {
    let engine = engine(&[("root", &[("macros/m.sql", "{% macro m(f) %}{{ f() }}{% endmacro %}")])]);
    let raise = function("f", |_, _| Err(Error::new(ErrorKind::Database, "Catalog Error: no table x")));
    let error = engine.call_macro("root", "m", Args::new(vec![raise]), lenient()).expect_err("raises");
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Database, "Catalog Error: no table x"));
    assert!(error.database);
    assert_eq!(places(&error), ["root/macros/m.sql:1:20"]);
}

#[test]
fn hosts_are_told_of_macro_calls_and_their_depth() {
    let macros = "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{% endmacro %}";
    let engine = engine(&[("root", &[("macros/m.sql", macros)])]);
    let host = lenient();
    let template = Template::whole(SourceText::new("m.sql", "{{ a() }}{{ b() }}"));
    engine.render(&template, host.clone()).expect("renders");
    let called = host.called.lock().expect("no panic").clone();
    let called: Vec<(&str, usize)> = called.iter().map(|(id, depth)| (id.as_str(), *depth)).collect();
    assert_eq!(called, [("macro.root.a", 0), ("macro.root.b", 1), ("macro.root.b", 0)]);
}

#[test]
fn macros_are_called_from_rust() {
    let macros = "{% macro add(a, b=2) %}{{ return({'sum': a + b}) }}{% endmacro %}{% macro say(x) %}<{{ x }}>{% endmacro %}";
    let engine = engine(&[("root", &[("macros/m.sql", macros)])]);
    let sum = engine.call_macro("root", "add", Args::new(vec![Value::from(1)]), lenient()).expect("adds");
    assert_eq!(repr(&sum), "{'sum': 3}");
    let twice = engine.run(lenient(), |cx| {
        let one = cx.call_macro("say", None, Args::new(vec![Value::from(1)]))?;
        cx.call_macro("say", Some("root"), Args::default().with("x", one))
    });
    assert_eq!(repr(&twice.expect("says")), "'<<1>>'");
    let missing = engine.call_macro("root", "nope", Args::default(), lenient()).expect_err("is not there");
    assert_eq!(missing.kind, ErrorKind::Compilation);
}

#[test]
fn dispatch_tells_what_it_looked_for() {
    let error = render("", "{{ adapter.dispatch('f', 'dbt_utils')() }}", &Json::Null).expect_err("nothing there");
    assert!(error.message.contains("No macro named 'f' found within namespace: 'dbt_utils'"), "{}", error.message);
    assert!(error.message.contains("'root.duckdb__f', 'root.default__f', 'dbt_utils.duckdb__f'"), "{}", error.message);
}

#[test]
fn native_renders_keep_types() {
    let engine = engine(&[]);
    let context = serde_json::json!({"x": 5, "s": "5", "t": "True", "l": "[1, 'a']", "d": {"a": 1}});
    let host = Arc::new(TestHost::new(context.as_object().cloned().unwrap_or_default(), Undefined::Strict));
    let source = SourceText::new("models/schema.yml", "name: \"{{ x }}\"");
    let native = |text: &str| match engine.render_native(text, &source, Span::new(6, 15), host.clone()) {
        Ok(value) => repr(&value),
        Err(error) => format!("{} at {}", error.message, places(&error).join(", ")),
    };
    assert_eq!(native("{{ x }}"), "5");
    assert_eq!(native("{{ x }}\n"), "5");
    assert_eq!(native("{{ x }} "), "'5 '");
    assert_eq!(native("{{ 5 }}"), "'5'");
    assert_eq!(native("5"), "'5'");
    assert_eq!(native("{{ s }}"), "'5'");
    assert_eq!(native("{{ s | as_number }}"), "5");
    assert_eq!(native("{{ '5' | as_number }}"), "5");
    assert_eq!(native("{{ t | as_bool }}"), "True");
    assert_eq!(native("{{ l | as_native }}"), "[1, 'a']");
    assert_eq!(native("{{ x | as_text }}"), "'5'");
    assert_eq!(native("{{ s | as_number }}{{ s }}"), "'55'");
    assert_eq!(native("{{ d }}"), "{'a': 1}");
    assert_eq!(native("{% if true %}{{ x }}{% endif %}"), "5");
    assert_eq!(native("{{ [1, s] }}"), "[1, '5']");
    assert_eq!(native("{{ s | as_bool }}"), "Could not convert value '5' into type 'bool' at ");
    assert_eq!(native("{{ nope }}"), "'nope' is undefined at models/schema.yml:1:7");
}

#[test]
fn shared_json_is_never_changed() {
    let shared = Arc::new(serde_json::json!({"nodes": {"a": {"tags": ["x"]}, "b": {}}, "n": 1}));
    let change = "{% do graph.nodes.a.tags.append('y') %}{% do graph.update({'n': 2}) %}{{ graph.nodes['a'].tags }}{{ graph.n }}";
    let render = |text: &str| {
        let graph = from_shared_json(shared.clone());
        let body = format!("{{% macro m(graph) %}}{text}{{% endmacro %}}");
        let engine = engine(&[("root", &[("m.sql", &body)])]);
        let result = engine.call_macro("root", "m", Args::new(vec![graph]), lenient());
        result.map(|value| super::text(&value)).expect("renders")
    };
    assert_eq!(render(change), "['x', 'y']2");
    assert_eq!(render("{{ graph.nodes['a'].tags }}{{ graph.n }}{{ graph.nodes | length }}"), "['x']12");
    assert_eq!(render("{{ graph }}"), "{'nodes': {'a': {'tags': ['x']}, 'b': {}}, 'n': 1}");
    assert_eq!(*shared, serde_json::json!({"nodes": {"a": {"tags": ["x"]}, "b": {}}, "n": 1}));
}

#[test]
fn macros_hide_functions_but_not_builtins() {
    let macros = "{% macro ref(name) %}{{ return(builtins.ref(name) ~ '!') }}{% endmacro %}";
    let rendered = render(macros, "{{ ref('a') }}{{ context['ref']('b') }}{{ context.nope is defined }}", &Json::Null);
    assert_eq!(rendered.expect("renders"), "\"db\".\"main\".\"a\"!\"db\".\"main\".\"b\"!False");
}

#[test]
fn blocks_are_found_with_their_signatures() {
    let text = "{# {% macro no() %} #}\n{% macro m(a, b: Optional[str] = 'x') -%}\n{% if a %}{% endif %}\n{%- endmacro %}\n\
                {% test t(model) %}{% endtest %}{% materialization tbl, adapter='duckdb', supported_languages=['sql','python'] %}\
                {% endmaterialization %}{% snapshot s %}x{% endsnapshot %}{% docs d %}{{ not jinja's }}{% enddocs %}\
                {% data_test dt(model) %}{% enddata_test %}";
    let (found, faults) = blocks(&SourceText::new("f.sql", text));
    assert!(faults.is_empty(), "{faults:?}");
    let names: Vec<&str> = found.iter().map(|block| block.name.as_str()).collect();
    assert_eq!(names, ["m", "t", "tbl", "s", "d", "dt"]);
    let BlockKind::Macro { signature } = &found[0].kind else { panic!("a macro") };
    assert_eq!(signature[1].name, "b");
    assert_eq!(signature[1].kind.as_deref(), Some("Optional[str]"));
    assert_eq!(&text[found[3].body.start..found[3].body.end], "x");
    let languages = vec!["sql".to_owned(), "python".to_owned()];
    assert_eq!(found[2].kind, BlockKind::Materialization { adapter: "duckdb".into(), supported_languages: languages });
}

#[test]
fn misplaced_blocks_are_reported() {
    let faults =
        |text: &str| -> Vec<String> { blocks(&SourceText::new("f.sql", text)).1.iter().map(ToString::to_string).collect() };
    assert!(faults("{% macro a() %}")[0].starts_with("f.sql:1:1: E0301 Reached EOF without finding a close tag for macro"));
    assert!(faults("{% macro a() %}{% macro b() %}{% endmacro %}")[0].contains("inside of a 'macro' block"));
    assert!(faults("{% if x %}{% macro a() %}{% endmacro %}{% endif %}")[0].contains("top level"));
    assert_eq!(faults("{% macro a( %}{% endmacro %}").len(), 1);
    assert_eq!(faults("{{ x").len(), 1);
}

#[test]
fn calls_are_found_without_running() {
    let text = "{% macro m(a=d()) %}{{ f(g(1), h.i()) }}{{ adapter.dispatch('x', 'dbt_utils')(1) }}{{ adapter.get() }}\
                {% call stmt('s') %}{{ k() | l }}{% endcall %}{{ a.b.c() }}{{ f() }}\
                {{ adapter.dispatch(macro_name='y', macro_namespace=ns) }}{% endmacro %}";
    let found: Vec<String> = macro_calls(text)
        .iter()
        .map(|call| {
            let package = call.package.as_ref().map(|package| format!("{package}.")).unwrap_or_default();
            format!("{}{package}{}", if call.dispatch { "@" } else { "" }, call.name)
        })
        .collect();
    assert_eq!(found, ["d", "f", "g", "h.i", "@dbt_utils.x", "stmt", "k", "@y"]);
}

#[test]
fn deep_recursion_is_an_error() {
    let macros = "{% macro down(n) %}{{ down(n + 1) }}{% endmacro %}";
    let error = render(macros, "{{ down(0) }}", &Json::Null).expect_err("never ends");
    assert!(error.message.contains("recursion"), "{}", error.message);
}
