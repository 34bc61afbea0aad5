//! DuckDB's values as cells, as dbt's Python layer would hold them.

use std::sync::Arc;

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Offset, TimeZone};
use duckdb::core::LogicalTypeId;
use duckdb::types::{TimeUnit, ToSqlOutput, Value};
use rust_decimal::Decimal;

use crate::agate::{Cell, CellType};

/// What a cell needs to know of its column and session.
#[derive(Clone, Copy)]
pub(super) struct Context {
    pub kind: LogicalTypeId,
    /// The session's time zone, for values that are points in time.
    pub zone: chrono_tz::Tz,
}

/// Types that the client library cannot hand over: the query is asked again with them as text.
pub(super) fn needs_text(kind: LogicalTypeId) -> bool {
    use LogicalTypeId as Id;
    !matches!(
        kind,
        Id::Boolean
            | Id::Tinyint
            | Id::Smallint
            | Id::Integer
            | Id::Bigint
            | Id::UTinyint
            | Id::USmallint
            | Id::UInteger
            | Id::UBigint
            | Id::Float
            | Id::Double
            | Id::Timestamp
            | Id::Date
            | Id::Time
            | Id::Interval
            | Id::Hugeint
            | Id::UHugeint
            | Id::Varchar
            | Id::Blob
            | Id::Decimal
            | Id::TimestampS
            | Id::TimestampMs
            | Id::TimestampNs
            | Id::TimestampTZ
            | Id::Enum
            | Id::List
            | Id::Array
            | Id::Struct
            | Id::Map
            | Id::Union
            | Id::SqlNull
            | Id::Uuid
    )
}

pub(super) fn cell(value: Value, context: Context) -> Cell {
    match value {
        Value::Null => Cell::Null,
        Value::Boolean(value) => Cell::Bool(value),
        Value::TinyInt(value) => Cell::Int(value.into()),
        Value::SmallInt(value) => Cell::Int(value.into()),
        Value::Int(value) => Cell::Int(value.into()),
        Value::BigInt(value) => Cell::Int(value.into()),
        Value::UTinyInt(value) => Cell::Int(value.into()),
        Value::USmallInt(value) => Cell::Int(value.into()),
        Value::UInt(value) => Cell::Int(value.into()),
        Value::UBigInt(value) => Cell::Int(value.into()),
        Value::HugeInt(value) => Cell::Int(value),
        Value::UHugeInt(value) => i128::try_from(value).map_or_else(|_| Cell::text(value.to_string()), Cell::Int),
        Value::Float(value) => Cell::Float(widened(value)),
        Value::Double(value) => Cell::Float(value),
        Value::Decimal(value) => decimal(&value.to_string()),
        Value::Timestamp(unit, value) => timestamp(unit, value, context),
        Value::Text(text) | Value::Enum(text) => Cell::Text(text.into()),
        Value::Blob(bytes) | Value::Geometry(bytes) => Cell::Bytes(bytes.into()),
        Value::Date32(days) => date(days),
        Value::Time64(unit, value) => time(unit, value),
        Value::Interval { months, days, nanos } => {
            let days = i64::from(months) * 30 + i64::from(days);
            Duration::try_days(days)
                .and_then(|days| days.checked_add(&Duration::nanoseconds(nanos)))
                .map_or(Cell::Null, Cell::Interval)
        }
        Value::List(items) | Value::Array(items) => Cell::List(items.into_iter().map(|item| cell(item, context)).collect()),
        Value::Struct(fields) => {
            let field = |(name, value): &(String, Value)| (Arc::from(name.as_str()), cell(value.clone(), context));
            Cell::Struct(fields.iter().map(field).collect())
        }
        Value::Map(fields) => {
            let field =
                |(key, value): &(Value, Value)| (Arc::from(cell(key.clone(), context).to_string()), cell(value.clone(), context));
            Cell::Struct(fields.iter().map(field).collect())
        }
        Value::Union(value) => cell(*value, context),
        other => Cell::text(format!("{other:?}")),
    }
}

/// A single-precision number as Python widens it: exactly.
fn widened(value: f32) -> f64 {
    f64::from(value)
}

fn decimal(text: &str) -> Cell {
    text.parse::<Decimal>().map_or_else(|_| text.parse().map_or(Cell::Null, Cell::Float), Cell::Decimal)
}

fn date(days: i32) -> Cell {
    match days {
        i32::MAX => Cell::text("infinity"),
        i32::MIN => Cell::text("-infinity"),
        _ if days == -i32::MAX => Cell::text("-infinity"),
        days => NaiveDate::from_ymd_opt(1970, 1, 1)
            .and_then(|epoch| epoch.checked_add_signed(Duration::days(days.into())))
            .map_or(Cell::Null, Cell::Date),
    }
}

fn time(unit: TimeUnit, value: i64) -> Cell {
    let micros = unit.to_micros(value);
    let seconds = u32::try_from(micros / 1_000_000).unwrap_or(0);
    let nanos = u32::try_from(micros % 1_000_000 * 1000).unwrap_or(0);
    // 24:00:00 is a time to DuckDB; Python shows it as midnight.
    NaiveTime::from_num_seconds_from_midnight_opt(seconds % 86_400, nanos).map_or(Cell::Null, Cell::Time)
}

fn timestamp(unit: TimeUnit, value: i64, context: Context) -> Cell {
    if value == i64::MAX {
        return Cell::text("infinity");
    }
    if value == -i64::MAX {
        return Cell::text("-infinity");
    }
    let utc = match unit {
        TimeUnit::Second => DateTime::from_timestamp(value, 0),
        TimeUnit::Millisecond => DateTime::from_timestamp_millis(value),
        TimeUnit::Microsecond => DateTime::from_timestamp_micros(value),
        TimeUnit::Nanosecond => Some(DateTime::from_timestamp_nanos(value)),
    };
    let Some(utc) = utc else { return Cell::Null };
    if context.kind != LogicalTypeId::TimestampTZ {
        return Cell::DateTime(utc.naive_utc(), None);
    }
    let offset = context.zone.offset_from_utc_datetime(&utc.naive_utc()).fix().local_minus_utc();
    Cell::DateTime(utc.naive_utc() + Duration::seconds(offset.into()), Some(offset))
}

/// A cell as a value bound to a statement.
pub(super) struct Bound<'a>(pub &'a Cell);

impl duckdb::ToSql for Bound<'_> {
    fn to_sql(&self) -> duckdb::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(match self.0 {
            Cell::Null => Value::Null,
            Cell::Bool(value) => Value::Boolean(*value),
            Cell::Int(value) => i64::try_from(*value).map_or(Value::HugeInt(*value), Value::BigInt),
            Cell::Float(value) => Value::Double(*value),
            Cell::Date(_) | Cell::DateTime(..) | Cell::Decimal(_) | Cell::Time(_) | Cell::Interval(_) => {
                Value::Text(self.0.to_string())
            }
            Cell::Text(text) => Value::Text(text.to_string()),
            Cell::Bytes(bytes) => Value::Blob(bytes.to_vec()),
            Cell::List(_) | Cell::Struct(_) => Value::Text(self.0.to_json(CellType::Object).to_string()),
        }))
    }
}
