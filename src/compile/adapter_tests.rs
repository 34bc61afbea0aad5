//! The adapter object with the real Jinja engine, the built-in macros, and DuckDB in memory.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::adapter_object;
use super::session::Session;
use super::warehouse::{Signature, Warehouse, WarehouseParts};
use crate::adapter::duckdb::DuckDb;
use crate::adapter::{Adapter, Response};
use crate::diagnostic::SourceText;
use crate::event::Events;
use crate::fs::{Disk, FileSystem};
use crate::jinja::objects::adapter_methods::{AVAILABLE, AdapterFacts, names};
use crate::jinja::objects::response as responses;
use crate::jinja::{self, BlockKind, Engine, Error, Host, Message, Template, Undefined, Value, objects};
use crate::manifest::{Config, Docs, JsonMap, Macro, MacroKind, MacroRegistry};

/// A context with the warehouse and little else.
struct TestHost {
    session: Arc<Session>,
    printed: Arc<Mutex<Vec<String>>>,
}

impl Host for TestHost {
    fn package(&self) -> &'static str {
        "shop"
    }

    fn undefined(&self) -> Undefined {
        Undefined::Lenient
    }

    fn message(&self, message: Message) -> Result<(), Error> {
        if let Message::Print(text) = message {
            self.printed.lock().unwrap_or_else(PoisonError::into_inner).push(text);
        }
        Ok(())
    }

    fn global(&self, name: &str) -> Option<Value> {
        let session = self.session.clone();
        Some(match name {
            "execute" => true.into(),
            "adapter" => adapter_object::value(&session),
            "api" => objects::api(),
            "model" => jinja::dict([("unique_id", Value::from("model.shop.m"))]),
            "load_result" => {
                jinja::function("load_result", move |_, args| session.load_result(&args.text(0, "name").unwrap_or_default()))
            }
            "store_result" => jinja::function("store_result", move |_, args| {
                let response = args.get(1, "response").cloned().unwrap_or_else(jinja::none);
                session.store_result(&args.text(0, "name").unwrap_or_default(), response, args.get(2, "agate_table"));
                Ok("".into())
            }),
            "store_raw_result" => jinja::function("store_raw_result", move |_, args| {
                let response = Response { message: args.text(1, "message").unwrap_or_default(), ..Response::default() };
                session.store_result(&args.text(0, "name").unwrap_or_default(), responses::value(response), None);
                Ok("".into())
            }),
            _ => return None,
        })
    }
}

/// The built-in macros, and the project's own in `text`.
fn registry(text: &str) -> MacroRegistry {
    let mut registry =
        MacroRegistry { root: "shop".into(), internal: vec!["dbt_duckdb".into(), "dbt".into()], ..MacroRegistry::default() };
    add(&mut registry, "shop", &SourceText::new("macros/own.sql", text));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("macros");
    for package in ["dbt", "dbt_duckdb"] {
        for file in Disk.walk(&folder.join(package)).expect("the macros are there") {
            let text = String::from_utf8(Disk.read(&file).expect("a file")).expect("UTF-8");
            add(&mut registry, package, &SourceText::new(file.to_string_lossy().into_owned(), text));
        }
    }
    registry
}

fn add(registry: &mut MacroRegistry, package: &str, source: &SourceText) {
    let (blocks, faults) = jinja::blocks(source);
    assert!(faults.is_empty(), "{faults:?}");
    for block in blocks {
        let BlockKind::Macro { signature } = block.kind else { continue };
        let definition = Macro {
            unique_id: format!("macro.{package}.{}", block.name).into(),
            package_name: package.into(),
            name: block.name.clone(),
            kind: MacroKind::Macro,
            original_file_path: source.name.clone(),
            source: source.clone(),
            span: block.span,
            signature,
            depends_on: Vec::new(),
            description: String::new(),
            meta: JsonMap::new(),
            docs: Docs::default(),
            config: Config::default(),
            patch_path: None,
            arguments: Vec::new(),
            created_at: 0.0,
        };
        registry.packages.entry(package.into()).or_default().insert(block.name, Arc::new(definition));
    }
}

struct Shop {
    engine: Engine,
    session: Arc<Session>,
    printed: Arc<Mutex<Vec<String>>>,
}

impl Shop {
    fn new(macros: &str) -> Self {
        let keys = serde_json::json!({"path": ":memory:"});
        let adapter: Arc<dyn Adapter> = Arc::new(DuckDb::new(keys.as_object().expect("a mapping")).expect("a good target"));
        let macros = Arc::new(registry(macros));
        let warehouse = Warehouse::new(WarehouseParts {
            adapter,
            cache: Arc::default(),
            events: Events::none(),
            facts: AdapterFacts { project_name: "shop".into(), ..AdapterFacts::default() },
            comment: super::query_comment::CommentSettings::read(None),
            signature: Signature::default(),
            renderer: None,
            database: Some("memory".to_string()),
            dispatch: Vec::new(),
            packages: ["shop", "dbt_duckdb", "dbt"].map(Into::into).to_vec(),
            macros: macros.clone(),
            introspect: true,
        });
        Self { engine: Engine::new(macros), session: Session::with(&Arc::new(warehouse), "master"), printed: Arc::default() }
    }

    fn try_render(&self, text: &str) -> Result<String, Error> {
        let host = TestHost { session: self.session.clone(), printed: self.printed.clone() };
        self.engine.render(&Template::whole(SourceText::new("models/m.sql", text)), Arc::new(host))
    }

    fn render(&self, text: &str) -> String {
        self.try_render(text).unwrap_or_else(|error| panic!("{text}\n{error}\n{:?}", error.trace)).trim().to_string()
    }

    fn check(&self, cases: &[(&str, &str)]) {
        for (text, expected) in cases {
            assert_eq!(self.render(text), *expected, "{text}");
        }
    }
}

const T: &str = "{% set t = api.Relation.create(database='memory', schema='main', identifier='t', type='table') %}";

#[test]
fn every_method_of_the_checklist_is_answered() {
    let shop = Shop::new("");
    for name in names() {
        let text = format!("{{{{ adapter.{name}() }}}}");
        if let Err(error) = shop.try_render(&text) {
            assert!(!error.message.contains("has no attribute"), "{name}: {error}");
        }
    }
    assert!(shop.try_render("{{ adapter.no_such_method() }}").is_err());
    assert_eq!(names().len(), AVAILABLE.len());
}

#[test]
fn relations_are_made_listed_renamed_and_dropped_by_macros() {
    let shop = Shop::new("");
    shop.check(&[(&format!("{T}{{{{ adapter.get_columns_in_relation(t) }}}}"), "[]")]);
    shop.session.execute("create table t (a integer, b varchar)").expect("a table");
    shop.check(&[
        ("{{ adapter.get_relation('memory', 'main', 't') }}", "\"memory\".\"main\".\"t\""),
        ("{{ adapter.get_relation('memory', 'main', 't').type }}", "table"),
        ("{{ adapter.get_relation('memory', 'main', 'none') is none }}", "True"),
        (&format!("{T}{{% do adapter.rename_relation(t, t.incorporate(path={{'identifier': 'u'}})) %}}{{{{ adapter.get_relation('memory', 'main', 'u') }}}}"), "\"memory\".\"main\".\"u\""),
        ("{{ adapter.get_relation('memory', 'main', 't') is none }}", "True"),
        ("{{ adapter.get_columns_in_relation(adapter.get_relation('memory', 'main', 'u')) | map(attribute='dtype') | join(',') }}", "INTEGER,VARCHAR"),
        ("{% do adapter.drop_relation(adapter.get_relation('memory', 'main', 'u')) %}{{ adapter.get_relation('memory', 'main', 'u') is none }}", "True"),
        ("{% do adapter.create_schema(api.Relation.create(database='memory', schema='other')) %}{{ adapter.check_schema_exists('memory', 'other') }}", "True"),
        ("{% do adapter.drop_schema(api.Relation.create(database='memory', schema='other')) %}{{ adapter.check_schema_exists('memory', 'other') }}", "False"),
    ]);
    assert_eq!(shop.session.query("select count(*) from duckdb_tables()").expect("rows").rows[0][0].to_string(), "0");
}

#[test]
fn names_that_differ_by_case_are_not_guessed_at() {
    let shop = Shop::new("");
    shop.session.execute("create table \"T\" (a integer)").expect("a table");
    let error = shop.try_render("{{ adapter.get_relation('memory', 'main', 't') }}").expect_err("no guess");
    assert!(error.message.contains("approximate match"), "{error}");
}

#[test]
fn a_projects_own_macros_replace_the_built_in_ones() {
    let shop = Shop::new(
        "{% macro get_columns_in_relation(relation) %}{{ return([api.Column('x', 'odd')]) }}{% endmacro %}\
         {% macro duckdb__hello(name) %}hello {{ name }}{% endmacro %}\
         {% macro hello(name) %}{{ return(adapter.dispatch('hello', 'shop')(name)) }}{% endmacro %}",
    );
    shop.check(&[
        (&format!("{T}{{{{ adapter.get_columns_in_relation(t)[0].name }}}}"), "x"),
        ("{{ hello('you') }}", "hello you"),
    ]);
}

#[test]
fn statements_give_results_with_python_values() {
    let shop = Shop::new("");
    shop.check(&[
        ("{% set r = run_query('select 1 as a, null as b, 2.50::decimal(9,2) as c, true as d') %}{{ r.columns[0].values() }} {{ r.rows[0]['b'] }} {{ r[0][2] }} {{ r.rows[0].d }}", "(1,) None 2.50 True"),
        ("{{ run_query('select * from range(3) t(n)').columns['n'].values() | sum }}", "3"),
        (
            "{% set d = run_query(\"select date '2020-01-02' as d\").rows[0].d %}{{ d }} {{ d.strftime('%Y/%m') }}",
            "2020-01-02 2020/01",
        ),
        ("{{ run_query('select 1 as a, 2 as b').column_names }}", "('a', 'b')"),
        ("{% for row in run_query('select 1 as a union all select 2 order by 1') %}{{ row.a }};{{ row['a'] }} {% endfor %}", "1;1 2;2"),
        ("{{ run_query('select 1 as a where false') | length }}", "0"),
        ("{% if run_query('select 1 as a where false') %}some{% else %}none{% endif %}", "none"),
        ("{% call statement('x', fetch_result=true) %}select 7 as n{% endcall %}{% set x = load_result('x') %}{{ x['data'][0][0] }} {{ x.table.columns[0].name }} {{ x.response }}", "7 n OK"),
        ("{% set a, t = adapter.execute('select 5', fetch=true) %}{{ a._message }} {{ t.rows[0][0] }}", "OK 5"),
        ("{{ adapter.get_column_schema_from_query('select 1 as a, {x: 1, y: 2} as s') | map(attribute='name') | join(' ') }}", "a s.x s.y"),
        ("{% set t = run_query(\"select x from (values ('b'), ('a'), ('b')) v(x)\") %}{{ t.order_by('x').columns[0].values() }} {{ t.distinct('x').rows | length }} {{ t.group_by('x').keys() }}", "('a', 'b', 'b') 2 ('b', 'a')"),
        ("{% set t = run_query('select 1 as a, 2 as b') %}{{ t.select(['b']).column_names }} {{ t.exclude('b').column_names }} {{ t.rename({'a': 'z'}).column_names }}", "('b',) ('a',) ('z', 'b')"),
        ("{% set r = run_query('select 1 as a, 2 as b').rows[0] %}{{ r }} {{ r.values() }} {{ r.dict() }} {{ r.get('c', 9) }} {{ r[-1] }} {{ (r | list)[1:] }}", "<agate.Row: (1, 2)> (1, 2) {'a': 1, 'b': 2} 9 2 [2]"),
    ]);
    assert!(shop.try_render("{{ run_query('select * from nowhere') }}").is_err_and(|error| error.database));
}

#[test]
fn a_query_comment_of_the_projects_own_is_rendered() {
    let shop = Shop::new("{% macro who() %}{{ return('run by ' ~ adapter.type()) }}{% endmacro %}");
    let render = |template: &str| {
        let host = TestHost { session: shop.session.clone(), printed: shop.printed.clone() };
        super::query_comment::render(&shop.engine, template, Arc::new(host)).expect("a good comment")
    };
    assert_eq!(render("{{ return(who()) }}"), "run by duckdb");
    assert_eq!(render("plain {{ who() }}"), "plain run by duckdb");
}

#[test]
fn tables_print_where_print_goes() {
    let shop = Shop::new("");
    shop.render("{% do run_query('select 1 as a').print_table() %}");
    assert_eq!(shop.printed.lock().expect("unlocked").as_slice(), ["| a |\n| - |\n| 1 |"]);
}

#[test]
fn relation_objects_behave_as_dbts() {
    Shop::new("").check(&[
        (&format!("{T}{{{{ t }}}} {{{{ t.include(database=false) }}}} {{{{ t.quote(identifier=false) }}}}"), "\"memory\".\"main\".\"t\" \"main\".\"t\" \"memory\".\"main\".t"),
        (&format!("{T}{{{{ t.is_table }}}} {{{{ t.is_view }}}} {{{{ t.name }}}} {{{{ t.table }}}} {{{{ t.type }}}} {{{{ t['schema'] }}}}"), "True False t t table main"),
        (&format!("{T}{{{{ t.without_identifier() }}}} {{{{ t.information_schema('tables') }}}}"), "\"memory\".\"main\" \"memory\".INFORMATION_SCHEMA.tables"),
        (&format!("{T}{{{{ t.incorporate(type='view', path={{'identifier': 'v', 'schema': none}}) }}}} {{{{ t == api.Relation.create(database='memory', schema='main', identifier='t', type='table') }}}}"), "\"memory\".\"v\" True"),
        (&format!("{T}{{{{ t.replace_path(identifier='u').render() }}}} {{{{ [t] }}}}"), "\"memory\".\"main\".\"u\" [<DuckDBRelation \"memory\".\"main\".\"t\">]"),
        (&format!("{T}{{{{ t.get('metadata').type }}}} {{{{ t.path.database }}}} {{{{ t.quote_policy.schema }}}} {{{{ t.matches(schema='main', identifier='t') }}}}"), "DuckDBRelation memory True True"),
        ("{{ api.Relation.create(identifier='x', type='cte').is_cte }} {{ api.Relation.add_ephemeral_prefix('m') }} {{ api.Relation.scd_args(['a', 'b'], 'c') }}", "True __dbt__cte__m ['a', 'b', 'c']"),
        (&format!("{T}{{{{ t is mapping and t.get('metadata', {{}}).get('type', '').endswith('Relation') }}}}"), "True"),
        (&format!("{T}{{{{ t.is_dynamic_table is defined }}}} {{{{ (t, t) | unique | list | length }}}} {{{{ t in [t] }}}}"), "False 1 True"),
        (&format!("{T}{{{{ t.include(identifier=false, schema=false) ~ '.x' }}}} {{{{ t | upper }}}}"), "\"memory\".x \"MEMORY\".\"MAIN\".\"T\""),
    ]);
}

#[test]
fn column_objects_behave_as_dbts() {
    Shop::new("").check(&[
        ("{% set c = api.Column('id', 'VARCHAR') %}{{ c.name }} {{ c.quoted }} {{ c.dtype }} {{ c.data_type }} {{ c.is_string() }} {{ c.string_size() }}", "id \"id\" VARCHAR character varying(256) True 256"),
        ("{% set c = api.Column.from_description('n', 'decimal(10, 2)') %}{{ c.data_type }} {{ c.is_numeric() }} {{ c.is_number() }} {{ c.literal(5) }}", "decimal(10,2) True True 5::decimal(10,2)"),
        ("{{ api.Column.translate_type('string') }} {{ api.Column.string_type(9) }} {{ api.Column.numeric_type('numeric', 3, 1) }} {{ api.Column.create('a', 'integer').is_integer() }}", "TEXT character varying(9) numeric(3,1) True"),
        ("{{ api.Column('a', 'STRUCT(x INTEGER, y STRUCT(z DECIMAL(9,2)))').flatten() | map(attribute='name') | join(',') }}", "a.x,a.y.z"),
        ("{{ api.Column('a', 'text') == api.Column('a', 'text') }} {{ api.Column('a', 'text') in [api.Column('b', 'text')] }}", "True False"),
        ("{{ api.Column('a', 'varchar', 10).can_expand_to(api.Column('a', 'varchar', 20)) }}", "True"),
    ]);
}
