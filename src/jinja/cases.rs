//! Runs the snippets of `tests/jinja/cases.json`: texts, macros and contexts with what dbt 1.12 answers to them.

use std::sync::{Arc, Mutex};

use indexmap::IndexMap;
use minijinja::Value;

use super::value::{Instance, function, instance};
use super::{Args, BlockKind, Cx, Engine, Error, Host, Message, Template, Undefined, blocks, from_json, none, text};
use crate::diagnostic::SourceText;
use crate::manifest::{Json, JsonMap, Macro, MacroKind, MacroRegistry};

/// Where we differ on purpose, and why.
const DIFFERENT: &[(&str, &str)] =
    &[("q_test_name_conflict", "prints the address of a Python object; we print the macro's name")];

/// Macros of one package, from its files.
pub(super) fn package(name: &str, files: &[(&str, &str)]) -> IndexMap<String, Arc<Macro>> {
    let mut found = IndexMap::new();
    for (path, contents) in files {
        let source = SourceText::new(format!("{name}/{path}"), *contents);
        let (all, faults) = blocks(&source);
        assert!(
            !crate::diagnostic::any_error(&faults),
            "{}",
            faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        );
        for block in all {
            let (kind, signature, prefix, suffix) = match block.kind {
                BlockKind::Macro { signature } => (MacroKind::Macro, signature, "", String::new()),
                BlockKind::Test { signature } => (MacroKind::Test, signature, "test_", String::new()),
                BlockKind::Materialization { adapter, supported_languages } => {
                    let suffix = format!("_{adapter}");
                    (MacroKind::Materialization { adapter, supported_languages }, Vec::new(), "materialization_", suffix)
                }
                BlockKind::Snapshot | BlockKind::Docs => continue,
            };
            let macro_name = format!("{prefix}{}{suffix}", block.name);
            let definition = Macro {
                unique_id: format!("macro.{name}.{macro_name}").into(),
                package_name: name.into(),
                name: macro_name.clone(),
                kind,
                original_file_path: (*path).into(),
                source: source.clone(),
                span: block.span,
                signature,
                depends_on: Vec::new(),
                description: String::new(),
                meta: JsonMap::new(),
                docs: crate::manifest::Docs::default(),
                config: crate::manifest::Config::default(),
                patch_path: None,
                arguments: Vec::new(),
                created_at: 0.0,
            };
            found.insert(macro_name, Arc::new(definition));
        }
    }
    found
}

/// A project `root` with built-in macros in `dbt`.
pub(super) fn engine(packages: &[(&str, &[(&str, &str)])]) -> Engine {
    let packages = packages.iter().map(|(name, files)| (Arc::from(*name), package(name, files))).collect();
    Engine::new(Arc::new(MacroRegistry { root: "root".into(), internal: vec!["dbt".into()], packages }))
}

/// A relation as the snippets use it.
#[derive(Debug)]
struct Relation(String);

impl Instance for Relation {
    fn type_name(&self) -> &'static str {
        "DuckDBRelation"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        (name == "identifier").then(|| Value::from(self.0.as_str()))
    }

    fn text(&self) -> String {
        format!("\"db\".\"main\".\"{}\"", self.0)
    }

    fn equals(&self, other: &Value) -> bool {
        super::downcast::<Self>(other).is_some_and(|other| other.0 == self.0)
    }
}

#[derive(Debug)]
struct Adapter;

impl Instance for Adapter {
    fn type_name(&self) -> &'static str {
        "Adapter"
    }

    fn text(&self) -> String {
        "adapter".into()
    }

    fn call_method(&self, cx: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        if name != "dispatch" {
            return Err(Error::missing_method(self.type_name(), name));
        }
        let wanted = args.text(0, "macro_name").unwrap_or_default();
        match args.text(1, "macro_namespace") {
            Some(namespace) => cx.dispatch(&wanted, Some(&namespace), &[Some("root"), Some(&namespace)], &["duckdb", "default"]),
            None => cx.dispatch(&wanted, None, &[None], &["duckdb", "default"]),
        }
    }
}

/// `config(…)` and `config.get(…)`.
#[derive(Debug, Default)]
struct Config(Mutex<IndexMap<String, Value>>);

impl Instance for Config {
    fn type_name(&self) -> &'static str {
        "Config"
    }

    fn text(&self) -> String {
        "config".into()
    }

    fn call(&self, _cx: &mut Cx<'_>, args: Args) -> Result<Value, Error> {
        self.0.lock().expect("no panic").extend(args.keyword);
        Ok(Value::from(""))
    }

    fn call_method(&self, _cx: &mut Cx<'_>, _name: &str, args: Args) -> Result<Value, Error> {
        let found = args.text(0, "name").and_then(|name| self.0.lock().expect("no panic").get(&name).cloned());
        Ok(found.or_else(|| args.get(1, "default").cloned()).unwrap_or_else(none))
    }
}

/// A host with a context as given; it notes the macros that were called.
pub(super) struct TestHost {
    pub context: JsonMap,
    pub undefined: Undefined,
    config: Arc<Config>,
    pub called: Mutex<Vec<(String, usize)>>,
    pub said: Mutex<Vec<Message>>,
}

impl TestHost {
    pub fn new(context: JsonMap, undefined: Undefined) -> Self {
        Self { context, undefined, config: Arc::default(), called: Mutex::default(), said: Mutex::default() }
    }
}

impl Host for TestHost {
    fn package(&self) -> &'static str {
        "root"
    }

    fn global(&self, name: &str) -> Option<Value> {
        if let Some(value) = self.context.get(name) {
            return Some(from_json(value));
        }
        match name {
            "execute" => Some(Value::from(self.undefined != Undefined::Capture)),
            "adapter" => Some(instance(Arc::new(Adapter))),
            "config" => Some(instance(self.config.clone())),
            "ref" => Some(function("ref", |_, args| Ok(instance(Arc::new(Relation(args.text(0, "name").unwrap_or_default())))))),
            "var" => {
                let vars = self.context.get("__vars").cloned().unwrap_or_default();
                Some(function("var", move |_, args| {
                    let found = args.text(0, "name").and_then(|name| vars.get(name).map(from_json));
                    Ok(found.unwrap_or_else(none))
                }))
            }
            _ => None,
        }
    }

    fn undefined(&self) -> Undefined {
        self.undefined
    }

    fn macro_called(&self, unique_id: &str, depth: usize) {
        self.called.lock().expect("no panic").push((unique_id.to_owned(), depth));
    }

    fn message(&self, message: Message) -> Result<(), Error> {
        self.said.lock().expect("no panic").push(message);
        Ok(())
    }
}

/// Renders a text with macros of the root project.
pub(super) fn render(macros: &str, model: &str, context: &Json) -> Result<String, Error> {
    let engine = engine(&[("root", &[("macros/m.sql", macros)])]);
    let context = context.as_object().cloned().unwrap_or_default();
    let host = TestHost::new(context, Undefined::Lenient);
    engine.render(&Template::whole(SourceText::new("models/m.sql", model)), Arc::new(host))
}

fn run(case: &Json) -> Result<String, Error> {
    let field = |name: &str| case[name].as_str().unwrap_or_default();
    let files = |package: &Json| -> Vec<(String, String)> {
        let files = package.as_object().into_iter().flatten();
        files.map(|(path, contents)| (path.clone(), contents.as_str().unwrap_or_default().to_owned())).collect()
    };
    let owned: Vec<(String, Vec<(String, String)>)> =
        case["packages"].as_object().into_iter().flatten().map(|(name, package)| (name.clone(), files(package))).collect();
    let packages = owned
        .iter()
        .map(|(name, files)| {
            let files: Vec<(&str, &str)> = files.iter().map(|(path, contents)| (&**path, &**contents)).collect();
            (Arc::from(name.as_str()), package(name, &files))
        })
        .collect();
    let registry = MacroRegistry { root: "root".into(), internal: vec!["dbt".into()], packages };
    let undefined = if field("phase") == "parse" { Undefined::Capture } else { Undefined::Lenient };
    let host = TestHost::new(case["ctx"].as_object().cloned().unwrap_or_default(), undefined);
    let template = Template::whole(SourceText::new("models/m.sql", field("model")));
    Engine::new(Arc::new(registry)).render(&template, Arc::new(host))
}

#[test]
fn snippets_render_as_in_dbt() {
    let cases: Vec<Json> = serde_json::from_str(include_str!("../../tests/jinja/cases.json")).expect("cases are JSON");
    let mut wrong = Vec::new();
    for case in &cases {
        let (name, expected) = (case["name"].as_str().unwrap_or_default(), case["expected"].as_str().unwrap_or_default());
        let result = run(case);
        let same = match (&result, expected.strip_prefix("ERR ")) {
            (Ok(text), None) => text == expected,
            (Err(_), Some(_)) => true,
            _ => false,
        };
        let excused = DIFFERENT.iter().any(|(other, _)| *other == name);
        if same == excused {
            let got = result.unwrap_or_else(|error| format!("ERR {:?} {}", error.kind, error.diagnostic()));
            wrong.push(format!("{name}\n  expected {expected:?}\n  got      {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// Texts that need nothing but Jinja and dbt's base context, with what Python makes of them.
#[test]
fn base_context_renders_as_in_dbt() {
    let cases: Vec<Json> = serde_json::from_str(include_str!("../../tests/jinja/base_cases.json")).expect("cases are JSON");
    let mut wrong = Vec::new();
    for case in &cases {
        let (model, expected) = (case["text"].as_str().unwrap_or_default(), case["expected"].as_str().unwrap_or_default());
        let result = render("", model, &Json::Null);
        let same = match (&result, expected.strip_prefix("ERR ")) {
            (Ok(text), None) => text == expected,
            (Err(_), Some(_)) => true,
            _ => false,
        };
        if !same {
            let got = result.unwrap_or_else(|error| format!("ERR {:?} {}", error.kind, error.diagnostic()));
            wrong.push(format!("{model}\n  expected {expected:?}\n  got      {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn what_is_printed_is_text() {
    assert_eq!(render("", "{{ [1] }}", &Json::Null).expect("renders"), "[1]");
    assert_eq!(text(&Value::from(1.0)), "1.0");
}

/// All `.sql` files below a folder, as (path, contents).
fn sql_files(folder: &std::path::Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sql_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "sql") {
            #[expect(clippy::disallowed_methods, reason = "a test reads the library's files as they are")]
            let contents = std::fs::read_to_string(&path).unwrap_or_default();
            found.push((path.display().to_string(), contents));
        }
    }
}

/// Compiles every macro below a folder; gives how many, and what is wrong with them.
fn compile_all(folder: &std::path::Path) -> (usize, Vec<String>) {
    let (mut files, mut faults, mut count) = (Vec::new(), Vec::new(), 0);
    sql_files(folder, &mut files);
    for (path, contents) in files {
        let source = SourceText::new(path.as_str(), contents.as_str());
        let (found, errors) = blocks(&source);
        faults.extend(errors.iter().map(ToString::to_string));
        let engine = engine(&[]);
        if found.is_empty() {
            count += 1;
            faults.extend(engine.check(&Template::whole(source)).err().map(|error| error.diagnostic().to_string()));
            continue;
        }
        if !errors.is_empty() {
            continue;
        }
        let macros = package("root", &[(&path, &contents)]);
        count += macros.len();
        let ids: Vec<String> = macros.values().map(|definition| definition.unique_id.to_string()).collect();
        let packages = [(Arc::from("root"), macros)].into_iter().collect();
        let engine = Engine::new(Arc::new(MacroRegistry { root: "root".into(), internal: Vec::new(), packages }));
        for id in ids {
            faults.extend(engine.check_macro(&id).err().map(|error| error.diagnostic().to_string()));
        }
    }
    (count, faults)
}

#[test]
fn the_built_in_library_compiles() {
    let (count, faults) = compile_all(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("macros"));
    assert!(count > 100, "only {count} macros found");
    assert!(faults.is_empty(), "{} of {count}:\n{}", faults.len(), faults.join("\n"));
}
