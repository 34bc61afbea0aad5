//! Tables of results as dbt's macros see them (agate), and the column types that a CSV file gets.

use std::sync::Arc;

/// One value of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Null,
    Bool(bool),
    Int(i64),
    /// Larger than an i64 or with a fraction: exact, as text in plain notation.
    Decimal(rust_decimal::Decimal),
    Float(f64),
    Text(Arc<str>),
    Date(chrono::NaiveDate),
    /// Without a zone, or with the offset in seconds.
    DateTime(chrono::NaiveDateTime, Option<i32>),
    Time(chrono::NaiveTime),
    Interval(chrono::Duration),
    Bytes(Arc<[u8]>),
    List(Vec<Cell>),
    Struct(Vec<(Arc<str>, Cell)>),
}

/// agate's column types, as dbt's seeds know them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellType {
    Integer,
    Number,
    Boolean,
    Date,
    DateTime,
    Time,
    Text,
    /// Anything else that came from the warehouse.
    Object,
}

/// Columns and rows, immutable.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    pub column_names: Vec<Arc<str>>,
    pub column_types: Vec<CellType>,
    pub rows: Vec<Vec<Cell>>,
}
