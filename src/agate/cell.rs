//! A cell as text (Python's `str`), as JSON (agate's `jsonify`), and in order.

use std::cmp::Ordering;
use std::fmt;
use std::fmt::Write as _;

use chrono::{Datelike, Timelike};
use rust_decimal::prelude::ToPrimitive;

use super::number::{decimal_text, float_text};
use super::{Cell, CellType};

impl Cell {
    pub fn text(text: impl AsRef<str>) -> Self {
        Self::Text(text.as_ref().into())
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    pub fn as_str(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// A whole number, also one that came as a decimal or float without a fraction.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(value) => i64::try_from(*value).ok(),
            Self::Bool(value) => Some(i64::from(*value)),
            Self::Decimal(value) if value.fract().is_zero() => value.to_i64(),
            Self::Float(value) if value.fract() == 0.0 => value.to_i64(),
            _ => None,
        }
    }

    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(value) => value.to_f64(),
            Self::Decimal(value) => value.to_f64(),
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// As `to_json` of agate writes it in a column of that type: numbers as floats (but dbt's integers), dates in ISO form.
    pub fn to_json(&self, kind: CellType) -> serde_json::Value {
        use serde_json::Value;
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) if kind != CellType::Number => match (i64::try_from(*value), u64::try_from(*value)) {
                (Ok(value), _) => value.into(),
                (_, Ok(value)) => value.into(),
                _ => self.as_f64().map_or(Value::Null, Value::from),
            },
            Self::Int(_) | Self::Decimal(_) | Self::Float(_) => self.as_f64().map_or(Value::Null, Value::from),
            Self::DateTime(value, offset) => Value::String(datetime_text(value, *offset, 'T')),
            Self::List(items) => items.iter().map(|item| item.to_json(CellType::Object)).collect(),
            Self::Struct(fields) => {
                Value::Object(fields.iter().map(|(name, value)| (name.to_string(), value.to_json(CellType::Object))).collect())
            }
            other => Value::String(other.to_string()),
        }
    }

    /// Order for sorting: nulls last, as in agate; values of different kinds by kind.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Null, Self::Null) => Ordering::Equal,
            (Self::Null, _) => Ordering::Greater,
            (_, Self::Null) => Ordering::Less,
            (Self::Decimal(left), Self::Decimal(right)) => left.cmp(right),
            (Self::Int(left), Self::Int(right)) => left.cmp(right),
            (Self::Bool(left), Self::Bool(right)) => left.cmp(right),
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            (Self::Date(left), Self::Date(right)) => left.cmp(right),
            (Self::DateTime(left, a), Self::DateTime(right, b)) => {
                let utc = |value: &chrono::NaiveDateTime, offset: Option<i32>| {
                    value.and_utc().timestamp_micros() - i64::from(offset.unwrap_or(0)) * 1_000_000
                };
                utc(left, *a).cmp(&utc(right, *b))
            }
            (Self::Time(left), Self::Time(right)) => left.cmp(right),
            (Self::Interval(left), Self::Interval(right)) => left.cmp(right),
            _ => match (self.as_f64(), other.as_f64()) {
                (Some(left), Some(right)) => left.total_cmp(&right),
                _ => (self.rank(), self.to_string()).cmp(&(other.rank(), other.to_string())),
            },
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Null => 9,
            Self::Bool(_) => 0,
            Self::Int(_) | Self::Decimal(_) | Self::Float(_) => 1,
            Self::Date(_) | Self::DateTime(..) => 2,
            Self::Time(_) | Self::Interval(_) => 3,
            Self::Text(_) => 4,
            Self::Bytes(_) => 5,
            Self::List(_) | Self::Struct(_) => 6,
        }
    }

    /// Python's `repr`: texts quoted, the rest as dbt's users see it in lists.
    pub fn repr(&self) -> String {
        match self {
            Self::Text(text) => text_repr(text),
            Self::Decimal(_) | Self::Float(_) => format!("Decimal('{self}')"),
            Self::Date(date) => format!("datetime.date({}, {}, {})", date.year(), date.month(), date.day()),
            other => other.to_string(),
        }
    }
}

/// Python's `repr(str)`.
fn text_repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for char in text.chars() {
        match char {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            char if char == quote => {
                out.push('\\');
                out.push(char);
            }
            char => out.push(char),
        }
    }
    out.push(quote);
    out
}

/// Python's `repr(bytes)`: `b'ab\x00'`.
fn bytes_repr(bytes: &[u8]) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { '"' } else { '\'' };
    let mut out = format!("b{quote}");
    for byte in bytes {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x20..=0x7e if char::from(*byte) == quote => {
                out.push('\\');
                out.push(quote);
            }
            0x20..=0x7e => out.push(char::from(*byte)),
            other => {
                let _ = write!(out, "\\x{other:02x}");
            }
        }
    }
    out.push(quote);
    out
}

fn micros(nanosecond: u32) -> String {
    let micros = nanosecond / 1000 % 1_000_000;
    if micros == 0 { String::new() } else { format!(".{micros:06}") }
}

fn time_text(time: &impl Timelike) -> String {
    format!("{:02}:{:02}:{:02}{}", time.hour(), time.minute(), time.second(), micros(time.nanosecond()))
}

fn datetime_text(value: &chrono::NaiveDateTime, offset: Option<i32>, separator: char) -> String {
    let mut out = format!("{:04}-{:02}-{:02}", value.year(), value.month(), value.day());
    out.push(separator);
    out.push_str(&time_text(value));
    if let Some(offset) = offset {
        let sign = if offset < 0 { '-' } else { '+' };
        let offset = offset.unsigned_abs();
        let _ = write!(out, "{sign}{:02}:{:02}", offset / 3600, offset / 60 % 60);
    }
    out
}

/// Python's `str(timedelta)`: `1 day, 2:03:04.000005`; days carry the sign.
fn interval_text(interval: &chrono::Duration) -> String {
    const DAY: i64 = 86_400_000_000;
    let total = interval.num_microseconds().unwrap_or(i64::MAX);
    let (days, rest) = (total.div_euclid(DAY), total.rem_euclid(DAY));
    let (seconds, fraction) = (rest / 1_000_000, rest % 1_000_000);
    let mut out = match days {
        0 => String::new(),
        1 | -1 => format!("{days} day, "),
        _ => format!("{days} days, "),
    };
    let _ = write!(out, "{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if fraction != 0 {
        let _ = write!(out, ".{fraction:06}");
    }
    out
}

/// Python's `str` of the value.
impl fmt::Display for Cell {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => out.write_str("None"),
            Self::Bool(true) => out.write_str("True"),
            Self::Bool(false) => out.write_str("False"),
            Self::Int(value) => write!(out, "{value}"),
            Self::Decimal(value) => out.write_str(&decimal_text(*value)),
            Self::Float(value) => out.write_str(&float_text(*value)),
            Self::Text(text) => out.write_str(text),
            Self::Date(date) => write!(out, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day()),
            Self::DateTime(value, offset) => out.write_str(&datetime_text(value, *offset, ' ')),
            Self::Time(time) => out.write_str(&time_text(time)),
            Self::Interval(interval) => out.write_str(&interval_text(interval)),
            Self::Bytes(bytes) => out.write_str(&bytes_repr(bytes)),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(Self::repr).collect();
                write!(out, "[{}]", items.join(", "))
            }
            Self::Struct(fields) => {
                let fields: Vec<String> =
                    fields.iter().map(|(name, value)| format!("{}: {}", text_repr(name), value.repr())).collect();
                write!(out, "{{{}}}", fields.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{Duration, NaiveDate, NaiveTime};

    use super::*;

    #[test]
    fn cells_print_as_python_does() {
        let day = NaiveDate::from_ymd_opt(2020, 1, 2).expect("a date");
        let noon = day.and_hms_micro_opt(12, 0, 0, 5).expect("a time");
        let cases = [
            (Cell::Null, "None"),
            (Cell::Bool(true), "True"),
            (Cell::Date(day), "2020-01-02"),
            (Cell::DateTime(noon, Some(-5400)), "2020-01-02 12:00:00.000005-01:30"),
            (Cell::Time(NaiveTime::from_hms_opt(1, 2, 3).expect("a time")), "01:02:03"),
            (Cell::Interval(Duration::seconds(-3600)), "-1 day, 23:00:00"),
            (Cell::Interval(Duration::hours(49)), "2 days, 1:00:00"),
            (Cell::Bytes(b"a'\x00".as_slice().into()), "b\"a'\\x00\""),
            (Cell::List(vec![Cell::Int(1), Cell::text("it's"), Cell::Null]), "[1, \"it's\", None]"),
            (Cell::Struct(vec![("a".into(), Cell::Bool(false))]), "{'a': False}"),
        ];
        for (cell, expected) in cases {
            assert_eq!(cell.to_string(), expected);
        }
    }

    #[test]
    fn json_follows_the_columns_type() {
        assert_eq!(Cell::Int(5).to_json(CellType::Integer), serde_json::json!(5));
        assert_eq!(Cell::Int(5).to_json(CellType::Number), serde_json::json!(5.0));
        let day = NaiveDate::from_ymd_opt(2020, 1, 2).expect("a date");
        let midnight = day.and_hms_opt(0, 0, 0).expect("a time");
        assert_eq!(Cell::DateTime(midnight, None).to_json(CellType::DateTime), serde_json::json!("2020-01-02T00:00:00"));
    }
}
