//! `Relation`: a table or view by name, as macros see and remake it (dbt's `BaseRelation` and `DuckDBRelation`).

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::super::{
    Args, Cx, Error, ErrorKind, Instance, Value, dict, downcast, function, get, instance, list, none, pairs, text,
};
use super::{include_value, indexes, no_method, optional};
use crate::manifest::{Dialect, Include, Relation, RelationType};

/// What Jinja holds for a relation.
#[derive(Debug, Clone, PartialEq)]
pub struct RelationObject {
    pub relation: Relation,
    information_schema: Information,
}

/// Whether it is a table, or dbt's `InformationSchema`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Information {
    No,
    Schema,
    View(String),
}

/// A relation for Jinja.
pub fn value(relation: Relation) -> Value {
    instance(Arc::new(RelationObject { relation, information_schema: Information::No }))
}

/// The relation, if the value is one.
pub fn of(value: &Value) -> Option<Relation> {
    downcast::<RelationObject>(value).map(|object| object.relation.clone())
}

/// The relation that an argument has to be, as dbt's adapters check it.
pub fn required(method: &str, name: &str, value: Option<&Value>) -> Result<Relation, Error> {
    value.and_then(of).ok_or_else(|| {
        let got = value.map_or_else(|| "nothing".to_string(), super::super::repr);
        Error::compilation(format!("'adapter.{method}' expects a Relation for argument '{name}', got {got}"))
    })
}

impl RelationObject {
    /// The name alone, quoted as its policy says.
    pub fn render(&self) -> String {
        let name = self.relation.name();
        match &self.information_schema {
            Information::View(view) if name.is_empty() => view.clone(),
            Information::View(view) => format!("{name}.{view}"),
            _ => name,
        }
    }

    fn kind_is(&self, kind: RelationType) -> Value {
        Value::from(self.relation.kind == Some(kind))
    }

    fn with(&self, change: impl FnOnce(&mut Relation)) -> Value {
        let mut object = self.clone();
        change(&mut object.relation);
        instance(Arc::new(object))
    }

    /// `information_schema(view)`: the database's own, with the schema left out.
    fn information_schema(&self, view: Option<String>) -> Value {
        let mut relation = Relation {
            database: self.relation.database.clone(),
            schema: None,
            identifier: Some("INFORMATION_SCHEMA".into()),
            kind: Some(RelationType::View),
            quote: self.relation.quote,
            include: self.relation.include,
            dialect: self.relation.dialect,
            ..Relation::default()
        };
        relation.quote.identifier = false;
        relation.include = Include { database: relation.database.is_some(), schema: false, identifier: true };
        let information_schema = view.map_or(Information::Schema, Information::View);
        instance(Arc::new(Self { relation, information_schema }))
    }

    fn part(&self, name: &str) -> Value {
        let part = match name {
            "database" => &self.relation.database,
            "schema" => &self.relation.schema,
            _ => &self.relation.identifier,
        };
        optional(part.as_deref())
    }

    /// `to_dict()`: dbt's serialized form.
    fn to_dict(&self) -> Value {
        let mut out = vec![
            ("path", path_value(&self.relation)),
            ("quote_character", Value::from("\"")),
            ("include_policy", include_value(self.relation.include)),
            ("quote_policy", include_value(self.relation.quote)),
            ("dbt_created", Value::from(false)),
            ("limit", self.attribute("limit").unwrap_or_else(none)),
            ("event_time_filter", none()),
            ("require_alias", Value::from(self.relation.requires_alias())),
            ("catalog", none()),
            ("renameable_relations", renamed_types(self.relation.dialect)),
            ("replaceable_relations", renamed_types(self.relation.dialect)),
            ("external", self.attribute("external").unwrap_or_else(none)),
        ];
        out.insert(1, ("type", self.relation.kind.map_or_else(none, |kind| Value::from(kind.as_str()))));
        dict(out)
    }

    fn matches(&self, args: &Args) -> Result<Value, Error> {
        let wanted = ["database", "schema", "identifier"].map(|name| args.text(position(name), name));
        if wanted.iter().all(Option::is_none) {
            return Err(Error::new(ErrorKind::Runtime, "Tried to match relation, but no search path was passed!"));
        }
        let [database, schema, identifier] = &wanted;
        matches(&self.relation, database.as_deref(), schema.as_deref(), identifier.as_deref()).map(Value::from)
    }

    /// `incorporate(path={…}, type=…, quote_policy={…}, …)`: a copy with those parts replaced.
    fn incorporate(&self, args: &Args) -> Result<Value, Error> {
        let mut object = self.clone();
        for (name, value) in &args.keyword {
            object.relation.set(name, value)?;
        }
        object.relation.check_length()?;
        Ok(instance(Arc::new(object)))
    }
}

fn position(name: &str) -> usize {
    match name {
        "database" => 0,
        "schema" => 1,
        _ => 2,
    }
}

/// A name that is text, or None; anything else is dbt's "invalid path".
fn path_part(name: &str, value: &Value) -> Result<Option<Arc<str>>, Error> {
    if value.is_none() {
        return Ok(None);
    }
    match value.as_str() {
        Some(text) => Ok(Some(text.into())),
        None => Err(Error::compilation(format!("Got an invalid path {name}: {}", text(value)))),
    }
}

impl Relation {
    fn set_path(&mut self, name: &str, value: &Value) -> Result<(), Error> {
        match name {
            "database" => self.database = path_part(name, value)?,
            "schema" => self.schema = path_part(name, value)?,
            "identifier" => {
                self.identifier = path_part(name, value)?;
                if self.kind == Some(RelationType::Cte) {
                    self.rendered = None;
                    self.quote.identifier = false;
                }
            }
            other => return Err(Error::compilation(format!("a relation's path has no part '{other}'"))),
        }
        Ok(())
    }

    /// Names of relations that stand in the warehouse fit into it.
    fn check_length(&self) -> Result<(), Error> {
        let (Some(most), Some(name), Some(_)) = (self.dialect.max_name_length(), &self.identifier, self.kind) else {
            return Ok(());
        };
        if name.chars().count() <= most {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Runtime, format!("Relation name '{name}' is longer than {most} characters")))
    }

    /// One keyword of `incorporate`, `create` and `replace`.
    fn set(&mut self, name: &str, value: &Value) -> Result<(), Error> {
        match name {
            "path" => {
                for (key, value) in path_pairs(value)? {
                    // dbt reads the merged parts into a path, which leaves out what a path has not.
                    if ["database", "schema", "identifier"].contains(&&*key) {
                        self.set_path(&key, &value)?;
                    }
                }
            }
            "type" => self.kind = relation_type(value)?,
            "quote_policy" => set_include(&mut self.quote, value)?,
            "include_policy" => set_include(&mut self.include, value)?,
            "limit" => self.limit = u64::try_from(value.clone()).ok(),
            "require_alias" => self.require_alias = Some(value.is_true()),
            "external" => self.rendered = value.as_str().map(Into::into),
            // Known to dbt, of no consequence here.
            "dbt_created"
            | "catalog"
            | "catalog_name"
            | "quote_character"
            | "event_time_filter"
            | "renameable_relations"
            | "replaceable_relations" => {}
            other => return Err(Error::compilation(format!("{} has no field '{other}'", self.dialect.relation_class()))),
        }
        Ok(())
    }
}

fn path_pairs(value: &Value) -> Result<Vec<(String, Value)>, Error> {
    if let Some(found) = pairs(value) {
        return Ok(found.into_iter().map(|(key, value)| (text(&key), value)).collect());
    }
    if let Some(relation) = of(value) {
        let relation = RelationObject { relation, information_schema: Information::No };
        return Ok(["database", "schema", "identifier"].map(|name| (name.to_string(), relation.part(name))).to_vec());
    }
    Err(Error::compilation(format!("a relation's path has to be a dict, not {}", super::super::repr(value))))
}

fn relation_type(value: &Value) -> Result<Option<RelationType>, Error> {
    if value.is_none() || value.is_undefined() {
        return Ok(None);
    }
    let name = text(value);
    RelationType::parse(&name).map(Some).ok_or_else(|| Error::compilation(format!("'{name}' is not a valid RelationType")))
}

fn set_include(include: &mut Include, value: &Value) -> Result<(), Error> {
    if value.is_none() || value.is_undefined() {
        return Ok(());
    }
    let found = pairs(value).ok_or_else(|| Error::compilation("a policy has to be a dict of database, schema, identifier"))?;
    for (key, value) in found.into_iter().filter(|(_, value)| !value.is_none()) {
        match text(&key).as_str() {
            "database" => include.database = value.is_true(),
            "schema" => include.schema = value.is_true(),
            "identifier" => include.identifier = value.is_true(),
            // `column` stands in projects' `quoting`, and is not a relation's.
            _ => {}
        }
    }
    Ok(())
}

/// Does the relation have these names? Names that are given and differ only by case or quotes are an error, since dbt will
/// not guess.
pub fn matches(
    relation: &Relation,
    database: Option<&str>,
    schema: Option<&str>,
    identifier: Option<&str>,
) -> Result<bool, Error> {
    let parts = [(database, &relation.database), (schema, &relation.schema), (identifier, &relation.identifier)];
    let given = parts.iter().filter_map(|(wanted, found)| wanted.map(|wanted| (wanted, found.as_deref())));
    let plain = |text: &str| text.to_lowercase().trim_matches('"').to_string();
    let (mut exact, mut approximate) = (true, true);
    for (wanted, found) in given {
        exact &= found == Some(wanted);
        approximate &= plain(wanted) == plain(found.unwrap_or("None"));
    }
    if approximate && !exact {
        let searched = Relation {
            database: database.map(Into::into),
            schema: schema.map(Into::into),
            identifier: identifier.map(Into::into),
            ..Relation::default()
        };
        return Err(Error::compilation(format!(
            "When searching for a relation, dbt found an approximate match. Instead of guessing which relation to use, \
             delete {relation}, or rename it to be less ambiguous.\nSearched for: {searched}\nFound: {relation}"
        )));
    }
    Ok(exact)
}

fn path_value(relation: &Relation) -> Value {
    dict([
        ("database", optional(relation.database.as_deref())),
        ("schema", optional(relation.schema.as_deref())),
        ("identifier", optional(relation.identifier.as_deref())),
    ])
}

/// `get_part` and its like for `path`, `quote_policy` and `include_policy`, whose parts are attributes.
#[derive(Debug, Clone)]
struct Parts {
    class: &'static str,
    parts: [(&'static str, Value); 3],
}

impl Parts {
    fn path(relation: &Relation) -> Value {
        let parts = [
            ("database", optional(relation.database.as_deref())),
            ("schema", optional(relation.schema.as_deref())),
            ("identifier", optional(relation.identifier.as_deref())),
        ];
        instance(Arc::new(Self { class: "Path", parts }))
    }

    fn policy(include: Include) -> Value {
        let parts = [
            ("database", Value::from(include.database)),
            ("schema", Value::from(include.schema)),
            ("identifier", Value::from(include.identifier)),
        ];
        instance(Arc::new(Self { class: "Policy", parts }))
    }
}

impl Instance for Parts {
    fn type_name(&self) -> &str {
        self.class
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        self.parts.iter().find(|(part, _)| *part == name).map(|(_, value)| value.clone())
    }

    fn is_mapping(&self) -> bool {
        true
    }

    fn items(&self) -> Option<Vec<Value>> {
        Some(self.parts.iter().map(|(name, _)| Value::from(*name)).collect())
    }

    fn call_method(&self, _: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        let key = args.text(0, "key").unwrap_or_default();
        let part = self.attribute(&key);
        match name {
            "get_part" | "get" => Ok(part.or_else(|| args.get(1, "default").cloned()).unwrap_or_else(none)),
            "get_lowered_part" => {
                Ok(part.map_or_else(none, |part| part.as_str().map_or(part.clone(), |text| Value::from(text.to_lowercase()))))
            }
            "to_dict" => Ok(dict(self.parts.clone())),
            "replace" | "incorporate" | "replace_dict" => {
                let mut parts = self.clone();
                let replaced = args.positional.first().and_then(pairs).unwrap_or_default();
                let replaced = replaced.into_iter().map(|(key, value)| (text(&key), value)).chain(args.keyword);
                for (key, value) in replaced {
                    if let Some(part) = parts.parts.iter_mut().find(|(part, _)| *part == key) {
                        part.1 = value;
                    }
                }
                Ok(instance(Arc::new(parts)))
            }
            _ => Err(no_method(self.class, name)),
        }
    }

    fn text(&self) -> String {
        let parts = self.parts.iter().map(|(name, value)| format!("{name}={}", super::super::repr(value)));
        format!("{}({})", self.class, parts.collect::<Vec<_>>().join(", "))
    }

    fn repr(&self) -> String {
        self.text()
    }
}

const METHODS: &[&str] = &[
    "get",
    "matches",
    "replace_path",
    "replace",
    "quote",
    "include",
    "information_schema",
    "information_schema_only",
    "without_identifier",
    "render",
    "render_limited",
    "render_event_time_filtered",
    "quoted",
    "add_ephemeral_prefix",
    "create",
    "create_from",
    "create_ephemeral_from",
    "scd_args",
    "incorporate",
    "to_dict",
    "get_function_macro_name",
    "get_function_config",
    "relation_max_name_length",
    "get_materialized_view_config_change_collection",
];

impl Instance for RelationObject {
    fn type_name(&self) -> &str {
        if self.information_schema == Information::No { self.relation.dialect.relation_class() } else { "InformationSchema" }
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        let relation = &self.relation;
        Some(match name {
            "database" | "schema" | "identifier" => self.part(name),
            "table" | "name" => self.part("identifier"),
            "type" => relation.kind.map_or_else(none, |kind| Value::from(kind.as_str())),
            "path" => Parts::path(relation),
            "quote_policy" => Parts::policy(relation.quote),
            "include_policy" => Parts::policy(relation.include),
            "quote_character" => "\"".into(),
            "is_table" => self.kind_is(RelationType::Table),
            "is_view" => self.kind_is(RelationType::View),
            "is_cte" => self.kind_is(RelationType::Cte),
            "is_materialized_view" => self.kind_is(RelationType::MaterializedView),
            "is_pointer" => self.kind_is(RelationType::PointerTable),
            "is_function" => self.kind_is(RelationType::Function),
            "can_be_renamed" | "can_be_replaced" => relation.dialect.renames(relation.kind).into(),
            "dbt_created" => false.into(),
            "renameable_relations" | "replaceable_relations" => renamed_types(relation.dialect),
            "limit" => relation.limit.map_or_else(none, Value::from),
            "event_time_filter" => optional(relation.event_time_filter.as_deref()),
            "require_alias" => relation.requires_alias().into(),
            "catalog" => none(),
            "external" => optional(relation.rendered.as_deref().filter(|_| relation.kind != Some(RelationType::Cte))),
            "information_schema_view" => match &self.information_schema {
                Information::No => return None,
                Information::Schema => none(),
                Information::View(view) => view.as_str().into(),
            },
            "get_relation_type" => type_class(),
            _ => return class_constant(name),
        })
    }

    fn methods(&self) -> &'static [&'static str] {
        METHODS
    }

    fn call_method(&self, cx: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        let relation = &self.relation;
        let flags = |mut include: Include| {
            for (part, flag) in
                [("database", &mut include.database), ("schema", &mut include.schema), ("identifier", &mut include.identifier)]
            {
                *flag = args.given(position(part), part).map_or(*flag, Value::is_true);
            }
            include
        };
        Ok(match name {
            "render" => self.render().into(),
            "render_limited" | "render_event_time_filtered" => self.text().into(),
            "include" => self.with(|relation| relation.include = flags(relation.include)),
            "quote" => self.with(|relation| relation.quote = flags(relation.quote)),
            "incorporate" | "replace" => return self.incorporate(&args),
            "replace_path" => {
                let mut object = self.clone();
                for (part, value) in &args.keyword {
                    object.relation.set_path(part, value)?;
                }
                instance(Arc::new(object))
            }
            "without_identifier" => self.with(|relation| {
                relation.include.identifier = false;
                relation.identifier = None;
            }),
            "information_schema" => {
                self.information_schema(args.get(0, "view_name").and_then(|view| view.as_str().map(ToString::to_string)))
            }
            "information_schema_only" => self.information_schema(None),
            "matches" => return self.matches(&args),
            "get" => {
                let key = args.text(0, "key").unwrap_or_default();
                if key == "metadata" {
                    return Ok(dict([("type", Value::from(self.type_name()))]));
                }
                self.attribute(&key).or_else(|| args.get(1, "default").cloned()).unwrap_or_else(none)
            }
            "quoted" => format!("\"{}\"", args.text(0, "identifier").unwrap_or_default()).into(),
            "to_dict" => self.to_dict(),
            "get_function_config" => function_config(&args),
            "get_function_macro_name" => {
                let field = |name: &str| args.get(0, "config").and_then(|config| get(config, name)).map(|value| text(&value));
                format!("{}_function_{}", field("type").unwrap_or_default(), field("language").unwrap_or_default()).into()
            }
            "is_table" | "is_view" | "is_cte" => return cx.call(&self.attribute(name).unwrap_or_else(none), args),
            "relation_max_name_length" if relation.dialect.max_name_length().is_some() => {
                relation.dialect.max_name_length().map_or_else(none, Value::from)
            }
            "get_materialized_view_config_change_collection" if relation.dialect == Dialect::Postgres => {
                return indexes::changes(&args);
            }
            _ => {
                return class_method(relation.quote, relation.dialect, name, &args)
                    .unwrap_or_else(|| Err(no_method(self.type_name(), name)));
            }
        })
    }

    fn text(&self) -> String {
        if self.information_schema != Information::No || self.relation.kind == Some(RelationType::Function) {
            return self.render();
        }
        self.relation.to_string()
    }

    fn repr(&self) -> String {
        format!("<{} {}>", self.type_name(), self.render())
    }

    /// dbt's relations are mappings to `is mapping`, by which packages know them; none can be looped over.
    fn is_mapping(&self) -> bool {
        true
    }

    fn equals(&self, other: &Value) -> bool {
        downcast::<Self>(other).is_some_and(|other| *other == *self)
    }

    fn hash_code(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.render().hash(&mut hasher);
        hasher.finish()
    }
}

fn function_config(args: &Args) -> Value {
    let Some(model) = args.get(0, "model") else { return none() };
    if get(model, "resource_type").is_none_or(|kind| text(&kind) != "function") {
        return none();
    }
    let config = get(model, "config");
    let of_config = |name: &str| config.as_ref().and_then(|config| get(config, name)).unwrap_or_else(none);
    dict([
        ("language", get(model, "language").unwrap_or_else(none)),
        ("type", of_config("type")),
        ("runtime_version", of_config("runtime_version")),
        ("entry_point", of_config("entry_point")),
    ])
}

fn class_constant(name: &str) -> Option<Value> {
    let kind = match name {
        "Table" => RelationType::Table,
        "CTE" => RelationType::Cte,
        "View" => RelationType::View,
        "External" => RelationType::External,
        "MaterializedView" => RelationType::MaterializedView,
        "PointerTable" => RelationType::PointerTable,
        "Function" => RelationType::Function,
        "Ephemeral" => RelationType::Ephemeral,
        _ => return None,
    };
    Some(kind.as_str().into())
}

/// The types that may be renamed, and replaced in one statement.
fn renamed_types(dialect: Dialect) -> Value {
    let types = [RelationType::Table, RelationType::View].into_iter();
    list(types.filter(|kind| dialect.renames(Some(*kind))).map(|kind| Value::from(kind.as_str())).collect())
}

/// `get_relation_type`: the class of types, itself callable with a name.
fn type_class() -> Value {
    function("get_relation_type", |_, args| {
        let kind = args.positional.first().map(relation_type).transpose()?.flatten();
        Ok(kind.map_or_else(type_names, |kind| Value::from(kind.as_str())))
    })
}

fn type_names() -> Value {
    let names = ["Table", "View", "CTE", "MaterializedView", "Ephemeral", "External", "PointerTable", "Function"];
    dict(names.into_iter().filter_map(|name| Some((name, class_constant(name)?))))
}

/// Methods that the class has as well as its objects; None for unknown ones.
fn class_method(quote: Include, dialect: Dialect, name: &str, args: &Args) -> Option<Result<Value, Error>> {
    Some(match name {
        "create" => create(quote, dialect, args),
        "create_from" | "create_from_node" | "create_from_source" => create_from(quote, dialect, args),
        "create_ephemeral_from" | "create_ephemeral_from_node" => Ok(create_ephemeral(dialect, args)),
        "add_ephemeral_prefix" => Ok(format!("__dbt__cte__{}", args.text(0, "name").unwrap_or_default()).into()),
        "scd_args" => Ok(scd_args(args)),
        "get_default_quote_policy" | "get_default_include_policy" => Ok(Parts::policy(Include::default())),
        "get_relation_type" => args.positional.first().map_or_else(
            || Ok(type_names()),
            |value| relation_type(value).map(|kind| kind.map_or_else(none, |kind| Value::from(kind.as_str()))),
        ),
        _ => return None,
    })
}

/// `Relation.create(database, schema, identifier, type, **fields)`.
fn create(quote: Include, dialect: Dialect, args: &Args) -> Result<Value, Error> {
    let mut relation = Relation { quote, dialect, ..Relation::default() };
    for name in ["database", "schema", "identifier"] {
        if let Some(value) = args.get(position(name), name).filter(|value| !value.is_undefined()) {
            relation.set_path(name, value)?;
        }
    }
    if let Some(kind) = args.get(3, "type") {
        relation.kind = relation_type(kind)?;
    }
    for (name, value) in &args.keyword {
        if !matches!(name.as_str(), "database" | "schema" | "identifier" | "type") {
            relation.set(name, value)?;
        }
    }
    relation.check_length()?;
    Ok(value(relation))
}

/// `Relation.create_from(config, node, **fields)`: the relation of a node given as a dict.
fn create_from(quote: Include, dialect: Dialect, args: &Args) -> Result<Value, Error> {
    let node = args.get(1, "relation_config").ok_or_else(|| Error::compilation("create_from() needs a node"))?;
    let field = |name: &str| get(node, name).filter(|value| !value.is_none());
    let mut fields = Args::default().with("database", field("database").unwrap_or_else(none));
    fields = fields.with("schema", field("schema").unwrap_or_else(none));
    let identifier = field("identifier").or_else(|| field("alias")).or_else(|| field("name"));
    fields = fields.with("identifier", identifier.unwrap_or_else(none));
    if let Some(quoting) = field("config").and_then(|config| get(&config, "quoting")).filter(|quoting| pairs(quoting).is_some()) {
        fields = fields.with("quote_policy", quoting);
    }
    for (name, value) in args.keyword.iter().filter(|(name, _)| *name != "relation_config" && *name != "quoting") {
        fields.keyword.insert(name.clone(), value.clone());
    }
    create(quote, dialect, &fields)
}

fn create_ephemeral(dialect: Dialect, args: &Args) -> Value {
    let node = args.get(0, "relation_config");
    let field = |name: &str| node.and_then(|node| get(node, name)).filter(|value| !value.is_none()).map(|value| text(&value));
    let name = field("identifier").or_else(|| field("alias")).or_else(|| field("name")).unwrap_or_default();
    value(Relation {
        identifier: Some(format!("__dbt__cte__{name}").into()),
        kind: Some(RelationType::Cte),
        dialect,
        quote: Include { identifier: false, ..Include::default() },
        ..Relation::default()
    })
}

/// `scd_args(primary_key, updated_at)`: one list of both.
fn scd_args(args: &Args) -> Value {
    let mut out = match args.get(0, "primary_key") {
        Some(keys) if keys.as_str().is_none() => super::super::items(keys).unwrap_or_else(|| vec![keys.clone()]),
        Some(key) => vec![key.clone()],
        None => Vec::new(),
    };
    out.extend(args.get(1, "updated_at").cloned());
    list(out)
}

/// `api.Relation`: the class.
pub fn class(quote: Include, dialect: Dialect) -> Value {
    instance(Arc::new(RelationClass { quote, dialect }))
}

#[derive(Debug)]
struct RelationClass {
    quote: Include,
    dialect: Dialect,
}

impl Instance for RelationClass {
    fn type_name(&self) -> &'static str {
        "RelationProxy"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        class_constant(name)
    }

    fn methods(&self) -> &'static [&'static str] {
        &["create", "create_from", "create_ephemeral_from", "add_ephemeral_prefix", "scd_args", "get_relation_type"]
    }

    fn call_method(&self, _: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        let class = self.dialect.relation_class();
        class_method(self.quote, self.dialect, name, &args).unwrap_or_else(|| Err(no_method(class, name)))
    }

    fn call(&self, _: &mut Cx<'_>, args: Args) -> Result<Value, Error> {
        create(self.quote, self.dialect, &args)
    }

    fn is_callable(&self) -> bool {
        true
    }

    fn text(&self) -> String {
        format!("<class '{}'>", self.dialect.relation_class())
    }
}
