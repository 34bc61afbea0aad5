//! Column types from texts, by the order and rules that dbt gives agate: see `dbt_common.clients.agate_helper`.
//!
//! Tried in this order, the first that fits all rows wins: number, date, date with time, ISO date with time, boolean, text.
//! (dbt's `Integer` never fits a text, so whole numbers of a CSV file are numbers without decimals.)

use std::borrow::Cow;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use rayon::prelude::*;

use super::number::{Number, max_precision};
use super::{Cell, CellType, Table};

/// Reads a text as one type; None where it is not of that type.
type Reader = fn(&str) -> Option<Cell>;

/// The type that a column of texts gets, and how its texts are read.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    pub kind: CellType,
    read: Reader,
}

impl Reading {
    /// How a column is read. `None` among the values stands for one that a short row lacks.
    pub fn of<'a>(values: impl Iterator<Item = Option<&'a str>> + Clone, force_text: bool) -> Self {
        const READINGS: [Reading; 5] = [
            Reading { kind: CellType::Number, read: number },
            Reading { kind: CellType::Date, read: date },
            Reading { kind: CellType::DateTime, read: datetime },
            Reading { kind: CellType::DateTime, read: iso_datetime },
            Reading { kind: CellType::Boolean, read: boolean },
        ];
        let text = Self { kind: CellType::Text, read: |text| Some(Cell::text(text)) };
        if force_text {
            return text;
        }
        if values.clone().all(|value| value.is_none()) {
            return Self { kind: CellType::Integer, ..text };
        }
        let fits =
            |reading: &Reading| values.clone().flatten().all(|value| is_null(value) || (reading.read)(value.trim()).is_some());
        READINGS.into_iter().find(fits).unwrap_or(text)
    }

    /// A value in the column's type.
    pub fn cell(self, value: Option<&str>) -> Cell {
        match value {
            Some(value) if !is_null(value) => {
                let value = if self.kind == CellType::Text { value } else { value.trim() };
                (self.read)(value).unwrap_or(Cell::Null)
            }
            _ => Cell::Null,
        }
    }
}

/// Types a table's values, which lie row by row; large tables on all processors. `is_text` says which columns stay texts.
pub(super) fn rows(
    values: &[Option<Cow<'_, str>>],
    width: usize,
    is_text: impl Fn(usize) -> bool + Sync,
) -> (Vec<CellType>, Vec<Vec<Cell>>) {
    let reading =
        |index: usize| Reading::of(values.iter().skip(index).step_by(width.max(1)).map(|value| value.as_deref()), is_text(index));
    let row = |readings: &[Reading], row: &[Option<Cow<'_, str>>]| {
        row.iter().zip(readings).map(|(value, reading)| reading.cell(value.as_deref())).collect::<Vec<Cell>>()
    };
    let alone = || {
        let readings: Vec<Reading> = (0..width).map(reading).collect();
        let rows = values.chunks_exact(width.max(1)).map(|values| row(&readings, values)).collect();
        (readings, rows)
    };
    let in_parallel = || {
        let readings: Vec<Reading> = (0..width).into_par_iter().map(reading).collect();
        let rows = values.par_chunks_exact(width.max(1)).map(|values| row(&readings, values)).collect();
        (readings, rows)
    };
    // A pool of its own: a small project's has but one thread.
    let pool = (values.len() > 20_000).then(|| rayon::ThreadPoolBuilder::new().build());
    let (readings, rows): (Vec<Reading>, Vec<Vec<Cell>>) = match pool {
        Some(Ok(pool)) => pool.install(in_parallel),
        _ => alone(),
    };
    (readings.iter().map(|reading| reading.kind).collect(), rows)
}

/// `null` in any case, or nothing but blanks.
fn is_null(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || text.eq_ignore_ascii_case("null")
}

fn number(text: &str) -> Option<Cell> {
    Number::parse(text).map(Cell::from)
}

fn boolean(text: &str) -> Option<Cell> {
    let plain = text.replace(',', "");
    let plain = plain.trim();
    if is_null(plain) {
        Some(Cell::Null)
    } else if plain.eq_ignore_ascii_case("true") {
        Some(Cell::Bool(true))
    } else if plain.eq_ignore_ascii_case("false") {
        Some(Cell::Bool(false))
    } else {
        None
    }
}

/// `%Y-%m-%d` as Python's strptime reads it: four digits, then one or two each.
fn date(text: &str) -> Option<Cell> {
    read_date(text).map(Cell::Date)
}

fn read_date(text: &str) -> Option<NaiveDate> {
    let mut parts = text.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    NaiveDate::from_ymd_opt(digits(year, 4, 4)?, digits(month, 1, 2)?, digits(day, 1, 2)?)
}

fn digits<T: std::str::FromStr>(text: &str, least: usize, most: usize) -> Option<T> {
    let fits = (least..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

/// `%Y-%m-%d %H:%M:%S`.
fn datetime(text: &str) -> Option<Cell> {
    let (day, time) = text.split_once(char::is_whitespace)?;
    let mut parts = time.trim_start().splitn(3, ':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    let time = NaiveTime::from_hms_opt(digits(hour, 1, 2)?, digits(minute, 1, 2)?, digits(second, 1, 2)?)?;
    Some(Cell::DateTime(read_date(day)?.and_time(time), None))
}

/// ISO 8601 with a `T`: calendar, week and ordinal dates, basic and extended; fractions; a zone.
fn iso_datetime(text: &str) -> Option<Cell> {
    let (day, time) = text.split_once('T')?;
    let (time, offset) = iso_offset(time)?;
    let date = iso_date(day)?;
    Some(Cell::DateTime(NaiveDateTime::new(date, iso_time(time)?), offset))
}

fn iso_date(text: &str) -> Option<NaiveDate> {
    if let Some((year, week)) = text.split_once("-W").or_else(|| text.split_once('W')) {
        let (week, day) = match week.split_once('-') {
            Some((week, day)) => (week, day),
            None if week.len() == 3 => week.split_at_checked(2)?,
            None => (week, "1"),
        };
        let weekday = chrono::Weekday::try_from(digits::<u8>(day, 1, 1)?.checked_sub(1)?).ok()?;
        return NaiveDate::from_isoywd_opt(digits(year, 4, 4)?, digits(week, 2, 2)?, weekday);
    }
    if text.contains('-') {
        let parts: Vec<&str> = text.split('-').collect();
        return match parts.as_slice() {
            [year, month, day] => NaiveDate::from_ymd_opt(digits(year, 4, 4)?, digits(month, 2, 2)?, digits(day, 2, 2)?),
            [year, ordinal] if ordinal.len() == 3 => NaiveDate::from_yo_opt(digits(year, 4, 4)?, digits(ordinal, 3, 3)?),
            [year, month] => NaiveDate::from_ymd_opt(digits(year, 4, 4)?, digits(month, 2, 2)?, 1),
            _ => None,
        };
    }
    let (year, rest) = text.split_at_checked(4)?;
    let year = digits(year, 4, 4)?;
    match rest.len() {
        0 => NaiveDate::from_ymd_opt(year, 1, 1),
        3 => NaiveDate::from_yo_opt(year, digits(rest, 3, 3)?),
        4 => {
            let (month, day) = rest.split_at_checked(2)?;
            NaiveDate::from_ymd_opt(year, digits(month, 2, 2)?, digits(day, 2, 2)?)
        }
        _ => None,
    }
}

/// Splits a zone off the time: `Z`, `+hh`, `+hhmm`, `+hh:mm`.
fn iso_offset(text: &str) -> Option<(&str, Option<i32>)> {
    if let Some(time) = text.strip_suffix('Z') {
        return Some((time, Some(0)));
    }
    let Some(at) = text.rfind(['+', '-']) else {
        return Some((text, None));
    };
    let (time, zone) = text.split_at(at);
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let zone = zone[1..].replace(':', "");
    let (hours, minutes) = match zone.len() {
        2 => (digits::<i32>(&zone, 2, 2)?, 0),
        4 => (digits::<i32>(&zone[..2], 2, 2)?, digits::<i32>(&zone[2..], 2, 2)?),
        _ => return None,
    };
    Some((time, Some(sign * (hours * 3600 + minutes * 60))))
}

fn iso_time(text: &str) -> Option<NaiveTime> {
    let (whole, fraction) = match text.find(['.', ',']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let plain = whole.replace(':', "");
    let (hour, minute, second) = match plain.len() {
        2 => (digits::<u32>(&plain, 2, 2)?, 0, 0),
        4 => (digits(&plain[..2], 2, 2)?, digits(&plain[2..], 2, 2)?, 0),
        6 => (digits(&plain[..2], 2, 2)?, digits(&plain[2..4], 2, 2)?, digits(&plain[4..], 2, 2)?),
        _ => return None,
    };
    let time = NaiveTime::from_hms_opt(hour, minute, second)?;
    let Some(fraction) = fraction else { return Some(time) };
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // A fraction belongs to the smallest unit given.
    let unit = match plain.len() {
        2 => 3_600_000_000.0,
        4 => 60_000_000.0,
        _ => 1_000_000.0,
    };
    let micros: f64 = format!("0.{fraction}").parse::<f64>().ok()? * unit;
    #[expect(clippy::cast_possible_truncation, reason = "below an hour of microseconds")]
    let micros = micros.round() as i64;
    Some(time + chrono::Duration::microseconds(micros))
}

/// dbt's SQL type for a column of a seed: `adapter.convert_type`. None where dbt has none.
pub fn convert_type(table: &Table, index: usize) -> Option<&'static str> {
    match table.column_types.get(index)? {
        CellType::Integer => Some("integer"),
        CellType::Text => Some("text"),
        CellType::Number => {
            let places = max_precision(table.rows.iter().filter_map(|row| row.get(index)));
            Some(if places > 0 { "float8" } else { "integer" })
        }
        CellType::Boolean => Some("boolean"),
        CellType::DateTime => Some("timestamp without time zone"),
        CellType::Date => Some("date"),
        CellType::Time => Some("time"),
        CellType::Object => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(values: &[&str]) -> CellType {
        Reading::of(values.iter().copied().map(Some), false).kind
    }

    #[test]
    fn types_follow_agate() {
        let cases: [(&[&str], CellType); 16] = [
            (&["1", "2", ""], CellType::Number),
            (&["", "NULL"], CellType::Number),
            (&["1.5", "$2"], CellType::Number),
            (&["2020-01-01", "2020-1-5"], CellType::Date),
            (&["20-01-01"], CellType::Text),
            (&["2020-01-01 10:00:00"], CellType::DateTime),
            (&["2020-01-01T10:00:00Z", "2020-01-01T10:00"], CellType::DateTime),
            (&["2020-01-01", "2020-01-01 10:00:00"], CellType::Text),
            (&["2020-W01-3T10:00:00+01:00"], CellType::DateTime),
            (&["true", "False", ""], CellType::Boolean),
            (&["t", "f"], CellType::Text),
            (&["1", "true"], CellType::Text),
            (&["005"], CellType::Number),
            (&["2020-02-30"], CellType::Text),
            (&["2020-01-01 25:00:00"], CellType::Text),
            (&["10:00:00"], CellType::Text),
        ];
        for (values, expected) in cases {
            assert_eq!(kind(values), expected, "{values:?}");
        }
        assert_eq!(kind(&[]), CellType::Integer);
    }

    #[test]
    fn forced_text_keeps_leading_zeros_but_not_nulls() {
        let values = [Some("005"), Some("null"), Some(" a "), None];
        let reading = Reading::of(values.into_iter(), true);
        assert_eq!(reading.kind, CellType::Text);
        assert_eq!(values.map(|value| reading.cell(value)), [Cell::text("005"), Cell::Null, Cell::text(" a "), Cell::Null]);
    }

    #[test]
    fn iso_times_keep_their_zone() {
        let text = |source: &str| iso_datetime(source).map(|cell| cell.to_string());
        assert_eq!(text("2020-01-01T10:00:00.5+01:30").as_deref(), Some("2020-01-01 10:00:00.500000+01:30"));
        assert_eq!(text("20200101T1000Z").as_deref(), Some("2020-01-01 10:00:00+00:00"));
        assert_eq!(text("2020-01-01T10.5").as_deref(), Some("2020-01-01 10:30:00"));
        assert_eq!(text("2020-01-01T1"), None);
    }
}
