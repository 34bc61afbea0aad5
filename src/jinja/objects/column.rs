//! `Column`: a column as the warehouse describes it (dbt's `Column` and `DuckDBColumn`).

use std::sync::Arc;

use super::super::{Args, Cx, Error, ErrorKind, Instance, Value, downcast, instance, list, none, repr, text};
use super::no_method;
use crate::manifest::{ColumnType, Dialect};

/// Methods that need no object.
const CLASS_METHODS: &[&str] = &["create", "translate_type", "string_type", "numeric_type", "from_description"];
const METHODS: &[&str] = &[
    "is_string",
    "is_number",
    "is_float",
    "is_integer",
    "is_numeric",
    "is_struct",
    "string_size",
    "can_expand_to",
    "literal",
    "flatten",
    "create",
    "translate_type",
    "string_type",
    "numeric_type",
    "from_description",
];

/// What Jinja holds for a column.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnObject(pub ColumnType);

/// A column for Jinja.
pub fn value(column: ColumnType) -> Value {
    instance(Arc::new(ColumnObject(column)))
}

/// The column, if the value is one.
pub fn of(value: &Value) -> Option<ColumnType> {
    downcast::<ColumnObject>(value).map(|object| object.0.clone())
}

/// A column of that name and type.
pub fn typed(dialect: Dialect, name: &str, dtype: &str) -> ColumnType {
    let dtype = dtype.to_string();
    ColumnType { name: name.into(), dtype, char_size: None, dialect, numeric_precision: None, numeric_scale: None }
}

fn one_of(dtype: &str, known: &[&str]) -> bool {
    known.iter().any(|name| dtype.eq_ignore_ascii_case(name))
}

fn is_string(column: &ColumnType) -> bool {
    one_of(&column.dtype, &["text", "character varying", "character", "varchar"])
}

fn is_float(column: &ColumnType) -> bool {
    one_of(&column.dtype, &["real", "float", "float4", "float8", "double"])
        || (column.dialect == Dialect::Postgres && one_of(&column.dtype, &["double precision"]))
}

fn is_integer(column: &ColumnType) -> bool {
    const SIGNED: &[&str] = &["tinyint", "smallint", "integer", "bigint", "hugeint", "int", "signed", "short", "long"];
    const UNSIGNED: &[&str] = &["utinyint", "usmallint", "uinteger", "ubigint"];
    const POSTGRES: &[&str] = &[
        "smallint",
        "integer",
        "bigint",
        "smallserial",
        "serial",
        "bigserial",
        "int2",
        "int4",
        "int8",
        "serial2",
        "serial4",
        "serial8",
    ];
    if column.dialect == Dialect::Postgres {
        return one_of(&column.dtype, POSTGRES);
    }
    one_of(&column.dtype, SIGNED) || one_of(&column.dtype, UNSIGNED) || one_of(&column.dtype, &["int1", "int2", "int4", "int8"])
}

fn is_numeric(column: &ColumnType) -> bool {
    one_of(&column.dtype, &["numeric", "decimal"])
}

fn is_struct(column: &ColumnType) -> bool {
    column.dtype.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("struct"))
}

/// The length of a text column: 256 where none is known.
fn string_size(column: &ColumnType) -> Result<u64, Error> {
    if !is_string(column) {
        return Err(Error::new(ErrorKind::Runtime, "Called string_size() on non-string field!"));
    }
    Ok(column.char_size.filter(|_| column.dtype != "text").unwrap_or(256))
}

fn numeric_type(dtype: &str, precision: Option<String>, scale: Option<String>) -> String {
    match (precision, scale) {
        (Some(precision), Some(scale)) => format!("{dtype}({precision},{scale})"),
        _ => dtype.to_string(),
    }
}

/// The type as it is declared: with its size, where dbt knows one.
pub fn data_type(column: &ColumnType) -> String {
    let unsized_text = one_of(&column.dtype, &["character varying"]) && column.char_size.is_none();
    if column.dialect == Dialect::Postgres && (unsized_text || one_of(&column.dtype, &["text"])) {
        column.dtype.clone()
    } else if is_string(column) {
        format!("character varying({})", string_size(column).unwrap_or(256))
    } else if is_numeric(column) {
        let text = |number: Option<u64>| number.map(|number| number.to_string());
        numeric_type(&column.dtype, text(column.numeric_precision), text(column.numeric_scale))
    } else {
        column.dtype.clone()
    }
}

/// The type that lets a text column hold the other's texts; None where it can.
pub fn expanded(narrow: &ColumnType, wide: &ColumnType) -> Option<String> {
    let (narrow, wide) = (string_size(narrow).ok()?, string_size(wide).ok()?);
    (wide > narrow).then(|| format!("character varying({wide})"))
}

/// `STRING` is `TEXT`; other names stay as they are.
pub fn translate_type(dtype: &str) -> String {
    if dtype.eq_ignore_ascii_case("string") { "TEXT".to_string() } else { dtype.to_string() }
}

/// The fields of `STRUCT(a INTEGER, b STRUCT(…))`; commas within parentheses or quotes do not part fields.
fn fields(column: &ColumnType) -> Vec<ColumnType> {
    if !is_struct(column) {
        return Vec::new();
    }
    let (Some(open), Some(close)) = (column.dtype.find('('), column.dtype.rfind(')')) else { return Vec::new() };
    let Some(inner) = column.dtype.get(open + 1..close) else { return Vec::new() };
    let (mut depth, mut quoted, mut start) = (0_usize, false, 0);
    let mut parts = Vec::new();
    for (at, char) in inner.char_indices() {
        match char {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            ',' if !quoted && depth == 0 => {
                parts.push(&inner[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inner[start..]);
    parts
        .into_iter()
        .filter_map(|part| part.trim().split_once(' '))
        .map(|(name, dtype)| typed(column.dialect, name, dtype))
        .collect()
}

/// The column itself, or one column for every leaf of a struct, named `outer.inner`.
pub fn flatten(column: &ColumnType) -> Vec<ColumnType> {
    if !is_struct(column) {
        return vec![column.clone()];
    }
    let nested = fields(column).into_iter().flat_map(|field| flatten(&field));
    nested.map(|field| typed(column.dialect, &format!("{}.{}", column.name, field.name), &field.dtype)).collect()
}

/// `decimal(10, 2)` → decimal, 10, 2; `varchar(20)` → varchar of 20.
fn from_description(dialect: Dialect, name: &str, raw: &str) -> Result<ColumnType, Error> {
    let wrong = |what: &str| Error::new(ErrorKind::Runtime, format!("Could not interpret data_type \"{raw}\"{what}"));
    let Some(open) = raw.find('(') else {
        return if raw.is_empty() { Err(wrong("")) } else { Ok(typed(dialect, name, raw)) };
    };
    let mut column = typed(dialect, name, &raw[..open]);
    let sizes = raw[open + 1..].split(')').next().unwrap_or_default();
    let number =
        |text: &str| text.trim().parse::<u64>().map_err(|_| wrong(&format!(": could not convert \"{text}\" to an integer")));
    match sizes.split(',').collect::<Vec<_>>().as_slice() {
        [size] => column.char_size = Some(number(size)?),
        [precision, scale] => {
            column.numeric_precision = Some(number(precision)?);
            column.numeric_scale = Some(number(scale)?);
        }
        _ => {}
    }
    Ok(column)
}

/// Methods of the class and of its objects; None for others.
fn class_method(dialect: Dialect, name: &str, args: &Args) -> Option<Result<Value, Error>> {
    let argument = |position: usize, name: &str| args.text(position, name).unwrap_or_default();
    Some(match name {
        "create" => Ok(value(typed(dialect, &argument(0, "name"), &translate_type(&argument(1, "label_or_dtype"))))),
        "translate_type" => Ok(translate_type(&argument(0, "dtype")).into()),
        "string_type" => Ok(format!("character varying({})", argument(0, "size")).into()),
        "numeric_type" => Ok(numeric_type(&argument(0, "dtype"), args.text(1, "precision"), args.text(2, "scale")).into()),
        "from_description" => from_description(dialect, &argument(0, "name"), &argument(1, "raw_data_type")).map(value),
        _ => return None,
    })
}

impl Instance for ColumnObject {
    fn type_name(&self) -> &'static str {
        self.0.dialect.column_class()
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        let column = &self.0;
        let number = |number: Option<u64>| number.map_or_else(none, Value::from);
        Some(match name {
            "name" | "column" => Value::from(&*column.name),
            "dtype" => Value::from(column.dtype.as_str()),
            "quoted" => format!("\"{}\"", column.name).into(),
            "data_type" | "expanded_data_type" => data_type(column).into(),
            "char_size" => number(column.char_size),
            "numeric_precision" => number(column.numeric_precision),
            "numeric_scale" => number(column.numeric_scale),
            "fields" => list(fields(column).into_iter().map(value).collect()),
            "TYPE_LABELS" => super::dict([("STRING", Value::from("TEXT"))]),
            _ => return None,
        })
    }

    fn methods(&self) -> &'static [&'static str] {
        METHODS
    }

    fn call_method(&self, _: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        let column = &self.0;
        Ok(match name {
            "is_string" => is_string(column).into(),
            "is_float" => is_float(column).into(),
            "is_integer" => is_integer(column).into(),
            "is_numeric" => is_numeric(column).into(),
            "is_number" => (is_integer(column) || is_numeric(column) || is_float(column)).into(),
            "is_struct" => is_struct(column).into(),
            "string_size" => string_size(column)?.into(),
            "can_expand_to" => {
                let other = args
                    .get(0, "other_column")
                    .and_then(of)
                    .ok_or_else(|| Error::compilation("can_expand_to() needs a Column"))?;
                let both = is_string(column) && is_string(&other);
                (both && string_size(&other)? > string_size(column)?).into()
            }
            "literal" => format!("{}::{}", args.text(0, "value").unwrap_or_default(), data_type(column)).into(),
            "flatten" => list(flatten(column).into_iter().map(value).collect()),
            _ => return class_method(column.dialect, name, &args).unwrap_or_else(|| Err(no_method(self.type_name(), name))),
        })
    }

    fn text(&self) -> String {
        let column = &self.0;
        let number = |number: Option<u64>| number.map_or_else(|| "None".to_string(), |number| number.to_string());
        let fields: Vec<String> = fields(column).into_iter().map(|field| Self(field).text()).collect();
        format!(
            "{}(column={}, dtype={}, char_size={}, numeric_precision={}, numeric_scale={}, fields=[{}])",
            self.type_name(),
            repr(&Value::from(&*column.name)),
            repr(&Value::from(column.dtype.as_str())),
            number(column.char_size),
            number(column.numeric_precision),
            number(column.numeric_scale),
            fields.join(", ")
        )
    }

    fn repr(&self) -> String {
        self.text()
    }

    fn equals(&self, other: &Value) -> bool {
        of(other).is_some_and(|other| other == self.0)
    }
}

/// `api.Column`: the class; calling it makes a column.
pub fn class(dialect: Dialect) -> Value {
    instance(Arc::new(ColumnClass(dialect)))
}

#[derive(Debug)]
struct ColumnClass(Dialect);

impl Instance for ColumnClass {
    fn type_name(&self) -> &'static str {
        "type"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        (name == "TYPE_LABELS").then(|| super::dict([("STRING", Value::from("TEXT"))]))
    }

    fn methods(&self) -> &'static [&'static str] {
        CLASS_METHODS
    }

    fn call_method(&self, _: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        class_method(self.0, name, &args).unwrap_or_else(|| Err(no_method(self.0.column_class(), name)))
    }

    fn call(&self, _: &mut Cx<'_>, args: Args) -> Result<Value, Error> {
        let number = |position: usize, name: &str| args.given(position, name).and_then(whole);
        let name = text(args.required(self.0.column_class(), 0, "column")?);
        let dtype = text(args.required(self.0.column_class(), 1, "dtype")?);
        Ok(value(ColumnType {
            name: name.into(),
            dtype,
            char_size: number(2, "char_size"),
            dialect: self.0,
            numeric_precision: number(3, "numeric_precision"),
            numeric_scale: number(4, "numeric_scale"),
        }))
    }

    fn is_callable(&self) -> bool {
        true
    }

    fn text(&self) -> String {
        format!("<class '{}'>", self.0.column_class())
    }
}

fn whole(value: &Value) -> Option<u64> {
    u64::try_from(value.clone()).ok().or_else(|| text(value).parse().ok())
}
