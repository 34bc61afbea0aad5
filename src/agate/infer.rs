//! Column types from texts, by the order and rules that dbt gives agate: see `dbt_common.clients.agate_helper`.
//!
//! Tried in this order, the first that fits all rows wins: number, date, date with time, ISO date with time, boolean, text.
//! (dbt's `Integer` never fits a text, so whole numbers of a CSV file are numbers without decimals.)

use std::borrow::Cow;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use super::number::{Number, max_precision, prints_as_is};
use super::{Cell, CellType, Table};

/// Reads a text as one type; None where it is not of that type.
type Reader = fn(&str) -> Option<Cell>;

/// The type that a column of texts gets, and how its texts are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    pub kind: CellType,
    read: Reader,
}

/// In the order in which they are tried.
const READINGS: [Reading; 5] = [
    Reading { kind: CellType::Number, read: number },
    Reading { kind: CellType::Date, read: date },
    Reading { kind: CellType::DateTime, read: datetime },
    Reading { kind: CellType::DateTime, read: iso_datetime },
    Reading { kind: CellType::Boolean, read: boolean },
];

const TEXT: Reading = Reading { kind: CellType::Text, read: |text| Some(Cell::text(text)) };

impl Reading {
    /// A value in the column's type. `None` stands for one that a short row lacks.
    pub fn cell(self, value: Option<&str>) -> Cell {
        match value {
            Some(value) if !is_null(value) => {
                let value = if self.kind == CellType::Text { value } else { value.trim() };
                (self.read)(value).unwrap_or(Cell::Null)
            }
            _ => Cell::Null,
        }
    }

    /// The same without making a cell where the text says all.
    pub fn written(self, value: Option<&str>) -> Written<'_> {
        match value {
            Some(value) if is_null(value) => Written::Null,
            Some(value) if self.kind == CellType::Text => Written::Text(value),
            Some(value) if self.prints_as_is(trimmed(value)) => Written::Text(trimmed(value)),
            _ => match self.cell(value) {
                Cell::Null => Written::Null,
                cell => Written::Cell(cell),
            },
        }
    }

    /// Is this the text that the cell made of it prints? May say no where it is.
    fn prints_as_is(self, value: &str) -> bool {
        let bytes = value.as_bytes();
        let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
        match self.kind {
            CellType::Number => prints_as_is(value),
            // As long as can be: every part has all its digits.
            CellType::Date => bytes.len() == 10,
            CellType::DateTime => bytes.len() == 19 && is_digit(9) && bytes[10] == b' ' && is_digit(11),
            _ => false,
        }
    }
}

/// A value of a file: its text where that is what its cell would print, else the cell.
#[derive(Debug, PartialEq)]
pub enum Written<'a> {
    Null,
    Text(&'a str),
    Cell(Cell),
}

/// What the values seen so far leave of the types that a column may have.
#[derive(Debug)]
pub(super) struct Guess {
    /// Which of [`READINGS`] still fit.
    possible: [bool; READINGS.len()],
    /// No row was too short to have a value, if there was a row; or the project says that it is a text.
    seen: bool,
    pub numbers: Numbers,
}

/// What numbers of a column look like.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Numbers {
    /// One has places after the point: the column's are not whole.
    pub fraction: bool,
    /// One is written with a point, be it `76.0`.
    pub point: bool,
}

impl Guess {
    pub fn new(force_text: bool) -> Self {
        Self { possible: [!force_text; READINGS.len()], seen: force_text, numbers: Numbers::default() }
    }

    pub fn see(&mut self, value: &str) {
        self.seen = true;
        if !self.possible.contains(&true) || is_null(value) {
            return;
        }
        let value = trimmed(value);
        for (fits, reading) in self.possible.iter_mut().zip(&READINGS).filter(|(fits, _)| **fits) {
            match (reading.read)(value) {
                Some(cell) => self.numbers.see(&cell),
                None => *fits = false,
            }
        }
    }

    /// Takes in what was seen elsewhere in the column.
    pub fn join(&mut self, other: Self) {
        self.possible.iter_mut().zip(other.possible).for_each(|(fits, other)| *fits &= other);
        self.seen |= other.seen;
        self.numbers.point |= other.numbers.point;
        self.numbers.fraction |= other.numbers.fraction;
    }

    /// How the column is read, and what its numbers look like, if it is one of numbers.
    pub fn end(self) -> (Reading, Numbers) {
        let fitting = READINGS.iter().zip(self.possible).find(|(_, fits)| *fits);
        let reading = match fitting {
            _ if !self.seen => Reading { kind: CellType::Integer, ..TEXT },
            Some((reading, _)) => *reading,
            None => TEXT,
        };
        (reading, if reading.kind == CellType::Number { self.numbers } else { Numbers::default() })
    }
}

impl Numbers {
    fn see(&mut self, cell: &Cell) {
        match cell {
            Cell::Decimal(number) if number.scale() > 0 => self.point = true,
            Cell::Float(_) => {}
            _ => return,
        }
        self.fraction = self.fraction || max_precision([cell]) > 0;
    }
}

/// Without blanks at both ends, which few values have.
fn trimmed(text: &str) -> &str {
    match text.as_bytes() {
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim(),
    }
}

/// `null` in any case, or nothing but blanks.
fn is_null(text: &str) -> bool {
    // Most values are told apart by how they begin.
    if text.bytes().next().is_some_and(|first| first.is_ascii_graphic() && !first.eq_ignore_ascii_case(&b'n')) {
        return false;
    }
    let text = text.trim();
    text.is_empty() || text.eq_ignore_ascii_case("null")
}

fn number(text: &str) -> Option<Cell> {
    Number::parse(text).map(Cell::from)
}

fn boolean(text: &str) -> Option<Cell> {
    let plain = if text.contains(',') { Cow::Owned(text.replace(',', "")) } else { Cow::Borrowed(text) };
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
            let fraction = match table.rows.file() {
                Some(file) => file.has_fractions(index),
                None => max_precision(table.column(index)) > 0,
            };
            Some(if fraction { "float8" } else { "integer" })
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

    fn reading(values: &[Option<&str>], force_text: bool) -> Reading {
        let mut guess = Guess::new(force_text);
        values.iter().flatten().for_each(|value| guess.see(value));
        guess.end().0
    }

    fn kind(values: &[&str]) -> CellType {
        reading(&values.iter().copied().map(Some).collect::<Vec<_>>(), false).kind
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
        let reading = reading(&values, true);
        assert_eq!(reading.kind, CellType::Text);
        assert_eq!(values.map(|value| reading.cell(value)), [Cell::text("005"), Cell::Null, Cell::text(" a "), Cell::Null]);
    }

    #[test]
    fn texts_stand_for_cells_that_print_the_same() {
        let (number, date, time, text) = (READINGS[0], READINGS[1], READINGS[2], TEXT);
        let cases = [
            (number, "0", true),
            (number, "-12.50", true),
            (number, " 7 ", true),
            (number, "007", false),
            (number, "-0", false),
            (number, "$5", false),
            (number, "0.00000001", false),
            (number, "1_000", false),
            (number, "nan", false),
            (number, "123456789012345678901234567890", false),
            (date, "2024-01-05", true),
            (date, "2024-1-05", false),
            (time, "2024-01-05 10:00:00", true),
            (time, "2024-1-05  10:00:00", false),
            (time, "2024-01-05\t10:00:00", false),
            (text, " a ", true),
        ];
        for (reading, value, as_is) in cases {
            let cell = reading.cell(Some(value));
            match reading.written(Some(value)) {
                Written::Text(text) => assert!(as_is && text == cell.to_string(), "{value}"),
                Written::Cell(made) => assert!(!as_is && format!("{made:?}") == format!("{cell:?}"), "{value}"),
                Written::Null => panic!("{value} is no null"),
            }
        }
        assert_eq!(number.written(Some(" NULL")), Written::Null);
        assert_eq!(text.written(None), Written::Null);
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
