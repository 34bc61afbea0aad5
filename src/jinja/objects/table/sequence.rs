//! agate's `MappedSequence`: rows, columns, and the values of one of them, by number and by name.

use std::sync::Arc;

use super::super::super::{Args, Cx, Error, Instance, Value, dict, downcast, instance, items, none, tuple};
use super::super::no_method;
use super::{cell_value, data_type, index_of, place};
use crate::agate::{Cell, Key, Table};

/// One row.
#[derive(Debug, Clone)]
pub(super) struct Row {
    table: Arc<Table>,
    index: usize,
}

pub(super) fn row(table: &Arc<Table>, index: usize) -> Value {
    instance(Arc::new(Row { table: table.clone(), index }))
}

impl Row {
    fn cells(&self) -> &[Cell] {
        self.table.rows.get(self.index).map_or(&[], Vec::as_slice)
    }

    fn values(&self) -> Vec<Value> {
        self.cells().iter().map(cell_value).collect()
    }

    fn named(&self, name: &str) -> Option<Value> {
        self.cells().get(self.table.position(Key::Name(name))?).map(cell_value)
    }

    fn dict(&self) -> Value {
        dict(self.table.column_names.iter().zip(self.cells()).map(|(name, cell)| (&**name, cell_value(cell))))
    }

    fn pairs(&self) -> Value {
        let names = self.table.column_names.iter().map(|name| Value::from(&**name));
        tuple(names.zip(self.values()).map(|(name, value)| tuple(vec![name, value])).collect())
    }
}

fn sample(class: &str, cells: &[&Cell]) -> String {
    let shown: Vec<String> = cells.iter().take(5).map(|cell| cell.repr()).collect();
    let more = if cells.len() > 5 { ", ..." } else { "" };
    format!("<agate.{class}: ({}{more})>", shown.join(", "))
}

fn names(table: &Table) -> Value {
    tuple(table.column_names.iter().map(|name| Value::from(&**name)).collect())
}

/// Equal to another sequence of the same values.
fn same(values: &[Value], other: &Value) -> bool {
    items(other).is_some_and(|other| {
        other.len() == values.len() && values.iter().zip(&other).all(|(left, right)| super::super::super::equal(left, right))
    })
}

const SEQUENCE_METHODS: &[&str] = &["keys", "values", "items", "get", "dict"];

impl Instance for Row {
    fn type_name(&self) -> &'static str {
        "Row"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        if SEQUENCE_METHODS.contains(&name) { None } else { self.named(name) }
    }

    fn item(&self, key: &Value) -> Option<Value> {
        match index_of(key) {
            Some(index) => self.cells().get(place(index, self.cells().len())?).map(cell_value),
            None => self.named(key.as_str()?),
        }
    }

    fn methods(&self) -> &'static [&'static str] {
        SEQUENCE_METHODS
    }

    fn call_method(&self, _: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        Ok(match name {
            "keys" => names(&self.table),
            "values" => tuple(self.values()),
            "items" => self.pairs(),
            "dict" => self.dict(),
            "get" => {
                let found = args.text(0, "key").and_then(|key| self.named(&key));
                found.or_else(|| args.get(1, "default").cloned()).unwrap_or_else(none)
            }
            _ => return Err(no_method("Row", name)),
        })
    }

    fn text(&self) -> String {
        sample("Row", &self.cells().iter().collect::<Vec<_>>())
    }

    fn repr(&self) -> String {
        self.text()
    }

    fn truthy(&self) -> bool {
        !self.cells().is_empty()
    }

    fn is_iterable(&self) -> bool {
        true
    }

    fn items(&self) -> Option<Vec<Value>> {
        Some(self.values())
    }

    fn equals(&self, other: &Value) -> bool {
        same(&self.values(), other)
    }

    fn to_json(&self) -> Option<serde_json::Value> {
        let cells = self.cells().iter().zip(&self.table.column_types);
        Some(cells.map(|(cell, kind)| cell.to_json(*kind)).collect())
    }
}

/// `table.rows`.
#[derive(Debug)]
pub(super) struct Rows {
    table: Arc<Table>,
}

impl Rows {
    pub fn new(table: &Arc<Table>) -> Self {
        Self { table: table.clone() }
    }
}

impl Instance for Rows {
    fn type_name(&self) -> &'static str {
        "MappedSequence"
    }

    fn item(&self, key: &Value) -> Option<Value> {
        place(index_of(key)?, self.table.len()).map(|index| row(&self.table, index))
    }

    fn methods(&self) -> &'static [&'static str] {
        SEQUENCE_METHODS
    }

    fn call_method(&self, _: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        Ok(match name {
            "keys" => none(),
            "values" => tuple(self.items().unwrap_or_default()),
            "get" => args.get(1, "default").cloned().unwrap_or_else(none),
            _ => return Err(no_method("MappedSequence", name)),
        })
    }

    fn text(&self) -> String {
        let rows = (0..self.table.len().min(5)).map(|index| Row { table: self.table.clone(), index }.text());
        let more = if self.table.len() > 5 { ", ..." } else { "" };
        format!("<agate.MappedSequence: ({}{more})>", rows.collect::<Vec<_>>().join(", "))
    }

    fn repr(&self) -> String {
        self.text()
    }

    fn truthy(&self) -> bool {
        !self.table.is_empty()
    }

    fn is_iterable(&self) -> bool {
        true
    }

    fn items(&self) -> Option<Vec<Value>> {
        Some((0..self.table.len()).map(|index| row(&self.table, index)).collect())
    }

    fn count(&self) -> Option<usize> {
        Some(self.table.len())
    }
}

/// `table.columns`.
pub(super) fn columns(table: &Arc<Table>) -> Value {
    instance(Arc::new(Columns { table: table.clone() }))
}

#[derive(Debug)]
struct Columns {
    table: Arc<Table>,
}

impl Columns {
    fn column(&self, index: usize) -> Value {
        instance(Arc::new(Column { table: self.table.clone(), index }))
    }

    fn named(&self, name: &str) -> Option<Value> {
        self.table.position(Key::Name(name)).map(|index| self.column(index))
    }

    fn all(&self) -> Vec<Value> {
        (0..self.table.column_names.len()).map(|index| self.column(index)).collect()
    }
}

impl Instance for Columns {
    fn type_name(&self) -> &'static str {
        "MappedSequence"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        if SEQUENCE_METHODS.contains(&name) { None } else { self.named(name) }
    }

    fn item(&self, key: &Value) -> Option<Value> {
        match index_of(key) {
            Some(index) => self.table.position(Key::Index(index)).map(|index| self.column(index)),
            None => self.named(key.as_str()?),
        }
    }

    fn methods(&self) -> &'static [&'static str] {
        SEQUENCE_METHODS
    }

    fn call_method(&self, _: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        let names_and_columns = || self.table.column_names.iter().map(|name| Value::from(&**name)).zip(self.all());
        Ok(match name {
            "keys" => names(&self.table),
            "values" => tuple(self.all()),
            "items" => tuple(names_and_columns().map(|(name, column)| tuple(vec![name, column])).collect()),
            "dict" => dict(names_and_columns()),
            "get" => {
                let found = args.text(0, "key").and_then(|key| self.named(&key));
                found.or_else(|| args.get(1, "default").cloned()).unwrap_or_else(none)
            }
            _ => return Err(no_method("MappedSequence", name)),
        })
    }

    fn text(&self) -> String {
        let columns = (0..self.table.column_names.len().min(5)).map(|index| Column { table: self.table.clone(), index }.text());
        format!("<agate.MappedSequence: ({})>", columns.collect::<Vec<_>>().join(", "))
    }

    fn repr(&self) -> String {
        self.text()
    }

    fn truthy(&self) -> bool {
        !self.table.column_names.is_empty()
    }

    fn is_iterable(&self) -> bool {
        true
    }

    fn items(&self) -> Option<Vec<Value>> {
        Some(self.all())
    }
}

/// One column.
#[derive(Debug, Clone)]
struct Column {
    table: Arc<Table>,
    index: usize,
}

impl Column {
    fn cells(&self) -> Vec<&Cell> {
        self.table.column(self.index).collect()
    }

    fn values(&self) -> Vec<Value> {
        self.table.column(self.index).map(cell_value).collect()
    }

    fn view(&self, name: &str) -> Option<Value> {
        let mut cells = self.cells();
        if name.contains("without_nulls") {
            cells.retain(|cell| !cell.is_null());
        }
        if name == "values_distinct" {
            let distinct = self.table.select(&[self.index]).distinct(&[]);
            return Some(tuple(distinct.column(0).map(cell_value).collect()));
        }
        if name.ends_with("sorted") {
            cells.sort_by(|left, right| left.order(right));
            return Some(super::super::super::list(cells.into_iter().map(cell_value).collect()));
        }
        name.starts_with("values").then(|| tuple(cells.into_iter().map(cell_value).collect()))
    }
}

const COLUMN_METHODS: &[&str] = &[
    "keys",
    "values",
    "items",
    "get",
    "dict",
    "values_distinct",
    "values_without_nulls",
    "values_sorted",
    "values_without_nulls_sorted",
];

impl Instance for Column {
    fn type_name(&self) -> &'static str {
        "Column"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        match name {
            "name" => self.table.column_names.get(self.index).map(|name| Value::from(&**name)),
            "index" => Some(self.index.into()),
            "data_type" => self.table.column_types.get(self.index).map(|kind| data_type(*kind)),
            _ => None,
        }
    }

    fn item(&self, key: &Value) -> Option<Value> {
        match index_of(key) {
            Some(index) => {
                let row = self.table.rows.get(place(index, self.table.len())?)?;
                row.get(self.index).map(cell_value)
            }
            None => self.attribute(key.as_str()?),
        }
    }

    fn methods(&self) -> &'static [&'static str] {
        COLUMN_METHODS
    }

    fn call_method(&self, _: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        match name {
            "keys" => Ok(none()),
            "get" => Ok(args.get(1, "default").cloned().unwrap_or_else(none)),
            _ => self.view(name).ok_or_else(|| no_method("Column", name)),
        }
    }

    fn text(&self) -> String {
        sample("Column", &self.cells())
    }

    fn repr(&self) -> String {
        self.text()
    }

    fn truthy(&self) -> bool {
        !self.table.is_empty()
    }

    fn is_iterable(&self) -> bool {
        true
    }

    fn items(&self) -> Option<Vec<Value>> {
        Some(self.values())
    }

    fn equals(&self, other: &Value) -> bool {
        match downcast::<Self>(other) {
            Some(other) if Arc::ptr_eq(&other.table, &self.table) => other.index == self.index,
            _ => same(&self.values(), other),
        }
    }
}
