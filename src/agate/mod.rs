//! Tables of results as dbt's macros see them (agate), and the column types that a CSV file gets.
//!
//! Knows nothing of warehouses or Jinja: `adapter/` makes tables, `jinja/objects/table.rs` shows them to macros.

mod cell;
mod csv_text;
mod infer;
mod number;
mod print;
mod rows;
mod table;

use std::path::PathBuf;
use std::sync::Arc;

pub use csv_text::{CsvOptions, CsvRows, Row, RowReader, decode_utf8, read_csv};
pub use infer::{Written, convert_type};
pub use number::{Number, max_precision};
pub use print::{Indent, PrintOptions};
pub use rows::Rows;
pub use table::{JoinOptions, Key};

/// One value of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Null,
    Bool(bool),
    Int(i128),
    /// With places after the point, which may be zeros.
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

impl CellType {
    /// The class name that agate prints for it (`print_structure`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Integer => "Integer",
            Self::Number => "Number",
            Self::Boolean => "Boolean",
            Self::Date => "Date",
            Self::DateTime => "DateTime",
            Self::Time => "TimeDelta",
            Self::Text | Self::Object => "Text",
        }
    }
}

/// Columns and rows, immutable.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    pub column_names: Vec<Arc<str>>,
    pub column_types: Vec<CellType>,
    pub rows: Rows,
    /// The file it was read from, for a seed: agate's `original_abspath`.
    pub path: Option<PathBuf>,
}
