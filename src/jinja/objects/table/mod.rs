//! agate's `Table` as macros see it, with its rows and columns.

mod sequence;
mod table_set;

use std::sync::Arc;

use super::super::{
    Args, Cx, Decimal, Error, ErrorKind, Instance, Value, as_decimal, decimal, downcast, instance, is_defined, items, list, none,
    pairs, text, tuple,
};
use super::no_method;
use crate::agate::{Cell, CellType, Indent, JoinOptions, Key, PrintOptions, Table};
use crate::fs::{Disk, FileSystem};
use sequence::{Rows, columns, row};

/// What Jinja holds for a table.
#[derive(Debug, Clone)]
pub struct TableObject(pub Arc<Table>);

/// A table for Jinja.
pub fn value(table: impl Into<Arc<Table>>) -> Value {
    instance(Arc::new(TableObject(table.into())))
}

/// The table, if the value is one.
pub fn of(value: &Value) -> Option<Arc<Table>> {
    downcast::<TableObject>(value).map(|object| object.0.clone())
}

/// A cell as Python's value.
pub fn cell_value(cell: &Cell) -> Value {
    match cell {
        Cell::Null => none(),
        Cell::Bool(value) => Value::from(*value),
        Cell::Int(value) => crate::jinja::operators::integer(*value),
        // As agate has it: a float is the decimal number of its shortest digits.
        Cell::Decimal(_) | Cell::Float(_) => {
            let text = cell.to_string();
            Decimal::parse(&text).map_or_else(|| Value::from(text), decimal)
        }
        Cell::Text(text) => Value::from(&**text),
        Cell::List(items) => list(items.iter().map(cell_value).collect()),
        Cell::Struct(fields) => super::dict(fields.iter().map(|(name, value)| (&**name, cell_value(value)))),
        Cell::Date(day) => super::super::date(*day),
        Cell::DateTime(local, offset) => super::super::datetime(*local, *offset),
        Cell::Time(clock) => super::super::time(*clock),
        Cell::Interval(duration) => super::super::timedelta(*duration),
        Cell::Bytes(_) => Value::from(cell.to_string()),
    }
}

/// A value of Jinja as a cell: what `bindings` and tables made by macros hold.
pub fn cell_of(value: &Value) -> Cell {
    use super::super::ValueKind;
    if let Some(decimal) = as_decimal(value) {
        let text = decimal.0.to_string();
        return text.parse().map_or_else(|_| Cell::Float(decimal.0.float()), Cell::Decimal);
    }
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => Cell::Null,
        ValueKind::Bool => Cell::Bool(value.is_true()),
        ValueKind::Number => match i128::try_from(value.clone()) {
            Ok(whole) if value.is_integer() => Cell::Int(whole),
            _ => f64::try_from(value.clone()).map_or_else(|_| Cell::text(text(value)), Cell::Float),
        },
        _ => Cell::text(text(value)),
    }
}

/// A row or column's number out of an index that may count from the end.
pub(super) fn place(index: i64, length: usize) -> Option<usize> {
    if index >= 0 {
        usize::try_from(index).ok().filter(|index| *index < length)
    } else {
        length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?)
    }
}

/// A whole number that is no bool: Python's index.
pub(super) fn index_of(key: &Value) -> Option<i64> {
    i64::try_from(key.clone()).ok().filter(|_| key.is_number())
}

fn missing_column(table: &Table, key: &Value) -> Error {
    let known: Vec<&str> = table.column_names.iter().map(|name| &**name).collect();
    Error::new(ErrorKind::Runtime, format!("the table has no column {}; it has {}", super::super::repr(key), known.join(", ")))
}

fn position(table: &Table, key: &Value) -> Result<usize, Error> {
    let found = match (key.as_str(), index_of(key)) {
        (Some(name), _) => table.position(Key::Name(name)),
        (None, Some(index)) => table.position(Key::Index(index)),
        _ => None,
    };
    found.ok_or_else(|| missing_column(table, key))
}

/// One column, or a list of them.
fn positions(table: &Table, key: &Value) -> Result<Vec<usize>, Error> {
    if key.as_str().is_some() || index_of(key).is_some() {
        return Ok(vec![position(table, key)?]);
    }
    items(key).unwrap_or_default().iter().map(|key| position(table, key)).collect()
}

/// A callable argument: a macro or function, not a name.
fn is_test(value: &Value) -> bool {
    value.as_str().is_none() && items(value).is_none() && !value.is_none() && !value.is_number()
}

impl TableObject {
    /// The numbers of the rows for which a macro is true.
    fn matching(&self, cx: &mut Cx<'_>, test: &Value) -> Result<Vec<usize>, Error> {
        let mut found = Vec::new();
        for index in 0..self.0.len() {
            if cx.call(test, Args::new(vec![row(&self.0, index)]))?.is_true() {
                found.push(index);
            }
        }
        Ok(found)
    }

    fn order_by(&self, cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
        let key = args.required("order_by", 0, "key")?;
        let reverse = args.truth(1, "reverse").unwrap_or(false);
        if !is_test(key) {
            return Ok(value(self.0.order_by(&positions(&self.0, key)?, reverse)));
        }
        let mut keys = Vec::with_capacity(self.0.len());
        for index in 0..self.0.len() {
            keys.push((cell_of(&cx.call(key, Args::new(vec![row(&self.0, index)]))?), index));
        }
        keys.sort_by(|(left, _), (right, _)| if reverse { right.order(left) } else { left.order(right) });
        Ok(value(self.0.take(&keys.into_iter().map(|(_, index)| index).collect::<Vec<_>>())))
    }

    fn rename(&self, args: &Args) -> Value {
        let Some(names) = args.given(0, "column_names") else { return value(self.0.clone()) };
        let renamed: Vec<String> = match pairs(names) {
            Some(pairs) => {
                let new = |old: &str| pairs.iter().find(|(key, _)| key.as_str() == Some(old)).map(|(_, new)| text(new));
                self.0.column_names.iter().map(|old| new(old).unwrap_or_else(|| old.to_string())).collect()
            }
            None => items(names).unwrap_or_default().iter().map(text).collect(),
        };
        value(self.0.rename(&renamed))
    }

    fn limit(&self, args: &Args) -> Value {
        let number =
            |position: usize, name: &str| args.given(position, name).and_then(index_of).and_then(|n| usize::try_from(n).ok());
        let (first, stop, step) = (number(0, "start_or_stop"), number(1, "stop"), number(2, "step"));
        let (start, stop) = match (first, stop) {
            (start, Some(stop)) if stop > 0 => (start.unwrap_or(0), stop),
            (start, _) if step.is_some() => (start.unwrap_or(0), usize::MAX),
            (stop, _) => (0, stop.unwrap_or(usize::MAX)),
        };
        value(self.0.limit(start, stop, step.unwrap_or(1)))
    }

    fn join(&self, args: &Args) -> Result<Value, Error> {
        let right = args.required("join", 0, "right_table")?;
        let right = of(right).ok_or_else(|| Error::compilation("join() needs a table as its first argument"))?;
        let left_key = args.required("join", 1, "left_key")?;
        let right_key = args.given(2, "right_key").unwrap_or(left_key);
        let options = JoinOptions {
            inner: args.truth(3, "inner").unwrap_or(false),
            full_outer: args.truth(4, "full_outer").unwrap_or(false),
            columns: args.given(6, "columns").and_then(items).map(|names| names.iter().map(text).collect()),
        };
        Ok(value(self.0.join(&right, position(&self.0, left_key)?, position(&right, right_key)?, &options)))
    }

    fn print_options(args: &Args) -> PrintOptions {
        let limit = |position: usize, name: &str, default: Option<usize>| match args.get(position, name) {
            None => default,
            Some(value) => index_of(value).and_then(|number| usize::try_from(number).ok()),
        };
        let default = PrintOptions::default();
        PrintOptions {
            max_rows: limit(0, "max_rows", default.max_rows),
            max_columns: limit(1, "max_columns", default.max_columns),
            max_column_width: limit(3, "max_column_width", default.max_column_width),
            max_precision: limit(5, "max_precision", Some(3)).and_then(|number| u32::try_from(number).ok()),
        }
    }

    fn json(args: &Args) -> Indent {
        match (args.truth(2, "newline"), args.given(3, "indent").and_then(index_of)) {
            (Some(true), _) => Indent::Lines,
            (_, Some(width)) => Indent::Spaces(usize::try_from(width).unwrap_or(0)),
            _ => Indent::None,
        }
    }

    fn operate(&self, cx: &mut Cx<'_>, name: &str, args: &Args) -> Result<Value, Error> {
        let table = &self.0;
        Ok(match name {
            "select" => value(table.select(&positions(table, args.required(name, 0, "key")?)?)),
            "exclude" => value(table.exclude(&positions(table, args.required(name, 0, "key")?)?)),
            "where" => value(table.take(&self.matching(cx, args.required(name, 0, "test")?)?)),
            "find" => {
                let found = self.matching(cx, args.required(name, 0, "test")?)?;
                found.first().map_or_else(none, |index| row(table, *index))
            }
            "order_by" => return self.order_by(cx, args),
            "limit" => self.limit(args),
            "distinct" => {
                let key = args.given(0, "key").map(|key| positions(table, key)).transpose()?;
                value(table.distinct(&key.unwrap_or_default()))
            }
            "group_by" => table_set::value(table, position(table, args.required(name, 0, "key")?)?, args.text(1, "key_name")),
            "rename" => self.rename(args),
            "join" => return self.join(args),
            "merge" => {
                let others = args.given(0, "tables").and_then(items).unwrap_or_default();
                let tables: Vec<Arc<Table>> = others.iter().filter_map(of).collect();
                let merged = Table::merge(&tables.iter().map(|table| &**table).collect::<Vec<_>>());
                value(merged.map_err(|message| Error::new(ErrorKind::Runtime, message))?)
            }
            _ => return Err(no_method("Table", name)),
        })
    }
}

/// Prints by the host, as `print()` does.
fn print(cx: &Cx<'_>, text: &str) -> Result<Value, Error> {
    if let Some(host) = cx.host() {
        host.message(super::super::Message::Print(text.trim_end_matches('\n').to_string()))?;
    }
    Ok(none())
}

fn write(args: &Args, content: &str) -> Result<Value, Error> {
    let path = text(args.required("to_csv", 0, "path")?);
    Disk.write(std::path::Path::new(&path), content.as_bytes())
        .map_err(|error| Error::new(ErrorKind::Runtime, format!("cannot write '{path}': {error}")))?;
    Ok(none())
}

impl Instance for TableObject {
    fn type_name(&self) -> &'static str {
        "Table"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        let table = &self.0;
        Some(match name {
            "columns" => columns(table),
            "rows" => instance(Arc::new(Rows::new(table))),
            "column_names" => tuple(table.column_names.iter().map(|name| Value::from(&**name)).collect()),
            "column_types" => tuple(table.column_types.iter().map(|kind| data_type(*kind)).collect()),
            "row_names" => none(),
            "original_abspath" => table.path.as_ref().map(|path| Value::from(path.to_string_lossy().into_owned()))?,
            _ => return None,
        })
    }

    fn item(&self, key: &Value) -> Option<Value> {
        match index_of(key) {
            Some(index) => place(index, self.0.len()).map(|index| row(&self.0, index)),
            None => self.attribute(key.as_str()?),
        }
    }

    fn methods(&self) -> &'static [&'static str] {
        &[
            "select",
            "exclude",
            "where",
            "find",
            "order_by",
            "limit",
            "distinct",
            "group_by",
            "rename",
            "join",
            "merge",
            "print_table",
            "print_structure",
            "print_csv",
            "print_json",
            "to_csv",
            "to_json",
        ]
    }

    fn call_method(&self, cx: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        let table = &self.0;
        match name {
            "print_table" => print(cx, &table.print_table(Self::print_options(&args))),
            "print_structure" => print(cx, &table.structure()),
            "print_csv" => print(cx, &table.csv_text()),
            "print_json" => print(cx, &table.json_text(Self::json(&args))),
            "to_csv" => write(&args, &table.csv_text()),
            "to_json" => write(&args, &table.json_text(Self::json(&args))),
            _ => self.operate(cx, name, &args),
        }
    }

    fn text(&self) -> String {
        self.0.structure()
    }

    fn repr(&self) -> String {
        "<agate.Table>".to_string()
    }

    fn truthy(&self) -> bool {
        !self.0.is_empty()
    }

    fn is_iterable(&self) -> bool {
        true
    }

    fn items(&self) -> Option<Vec<Value>> {
        Some((0..self.0.len()).map(|index| row(&self.0, index)).collect())
    }

    fn equals(&self, other: &Value) -> bool {
        of(other).is_some_and(|other| Arc::ptr_eq(&other, &self.0))
    }
}

/// A column's type, as an object that prints its class.
fn data_type(kind: CellType) -> Value {
    instance(Arc::new(DataType(kind)))
}

#[derive(Debug)]
struct DataType(CellType);

impl Instance for DataType {
    fn type_name(&self) -> &'static str {
        self.0.as_str()
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        match name {
            "__class__" => Some(super::dict([("__name__", Value::from(self.0.as_str()))])),
            "null_values" => Some(list(vec!["null".into(), "".into()])),
            _ => None,
        }
    }

    fn methods(&self) -> &'static [&'static str] {
        &["cast", "csvify", "jsonify"]
    }

    fn call_method(&self, _: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        let cell = cell_of(args.required(name, 0, "d")?);
        match name {
            "cast" => Ok(cell_value(&cell)),
            "csvify" => Ok(if cell.is_null() { none() } else { cell.to_string().into() }),
            "jsonify" => Ok(super::super::from_json(&cell.to_json(self.0))),
            _ => Err(no_method(self.type_name(), name)),
        }
    }

    fn text(&self) -> String {
        let class = self.0.as_str();
        format!("<agate.data_types.{}.{class} object>", class.to_lowercase())
    }

    fn repr(&self) -> String {
        self.text()
    }

    fn equals(&self, other: &Value) -> bool {
        downcast::<Self>(other).is_some_and(|other| other.0 == self.0)
    }
}

/// `agate_helper`-like: a table out of dicts, for macros that hand one to `store_result`.
pub fn from_value(given: &Value) -> Option<Arc<Table>> {
    if let Some(table) = of(given) {
        return Some(table);
    }
    if !is_defined(given) || given.is_none() {
        return None;
    }
    let rows = items(given)?;
    let names: Vec<String> = rows.first().and_then(pairs)?.iter().map(|(name, _)| text(name)).collect();
    let cells = rows.iter().map(|row| {
        let found = pairs(row).unwrap_or_default();
        let cell = |name: &String| {
            found.iter().find(|(key, _)| key.as_str() == Some(name)).map_or(Cell::Null, |(_, value)| cell_of(value))
        };
        names.iter().map(cell).collect()
    });
    Some(Arc::new(Table::from_result(names.iter().map(String::as_str), cells.collect())))
}

/// A table's rows as lists: `load_result('x').data`.
pub fn matrix(table: &Arc<Table>) -> Value {
    list(table.rows.iter().map(|row| tuple(row.iter().map(cell_value).collect())).collect())
}
