//! PostgreSQL's values as dbt's Python layer holds them, and cells as SQL literals and `COPY` fields.

use std::fmt::Write as _;

use chrono::{Duration, NaiveDate, NaiveDateTime, NaiveTime};
use rust_decimal::Decimal;

use crate::agate::{Cell, CellType, Row, Rows, Written};

/// The name that dbt's client has for a type: what contracts compare.
pub(super) fn type_name(oid: u32) -> String {
    let known = match oid {
        20 => "LONGINTEGER",
        21 | 23 => "INTEGER",
        700 | 701 => "FLOAT",
        1700 => "DECIMAL",
        18 | 19 | 25 | 1042 | 1043 => "STRING",
        16 => "BOOLEAN",
        1114 => "DATETIME",
        1184 => "DATETIMETZ",
        1083 | 1266 => "TIME",
        1082 => "DATE",
        704 | 1186 => "INTERVAL",
        17 => "BINARY",
        26 => "ROWID",
        1016 => "LONGINTEGERARRAY",
        1005..=1007 => "INTEGERARRAY",
        1021 | 1022 => "FLOATARRAY",
        1231 => "DECIMALARRAY",
        1002 | 1003 | 1009 | 1014 | 1015 => "STRINGARRAY",
        1000 => "BOOLEANARRAY",
        1115 => "DATETIMEARRAY",
        1185 => "DATETIMETZARRAY",
        1183 | 1270 => "TIMEARRAY",
        1182 => "DATEARRAY",
        1187 => "INTERVALARRAY",
        1001 => "BINARYARRAY",
        1013 | 1028 => "ROWIDARRAY",
        705 => "UNKNOWN",
        1041 => "INETARRAY",
        651 => "CIDRARRAY",
        1040 => "MACADDRARRAY",
        114 => "JSON",
        199 => "JSONARRAY",
        3802 => "JSONB",
        3807 => "JSONBARRAY",
        3908 => "tsrange",
        3910 => "tstzrange",
        3912 => "daterange",
        other => return format!("unknown type_code {other}"),
    };
    known.to_owned()
}

/// The type of an array's elements, where the client takes arrays apart.
fn element(oid: u32) -> Option<u32> {
    Some(match oid {
        1016 => 20,
        1005..=1007 => 23,
        1021 | 1022 => 701,
        1231 => 1700,
        1002 | 1003 | 1009 | 1014 | 1015 | 651 | 1040 | 1041 => 25,
        1000 => 16,
        1115 => 1114,
        1185 => 1184,
        1183 => 1083,
        1270 => 1266,
        1182 => 1082,
        1187 => 1186,
        1001 => 17,
        1013 | 1028 => 26,
        199 => 114,
        3807 => 3802,
        _ => return None,
    })
}

/// A value in the server's text form.
pub(super) fn cell(oid: u32, text: &str) -> Cell {
    let parsed = match oid {
        16 => Some(Cell::Bool(text == "t")),
        20 | 21 | 23 | 26 => text.parse().ok().map(Cell::Int),
        700 | 701 => text.parse().ok().map(Cell::Float),
        1700 => decimal(text),
        1082 => date(text),
        1083 => time(text).map(Cell::Time),
        1114 | 1184 => timestamp(text),
        1186 => interval(text).map(Cell::Interval),
        17 => bytes(text).map(|bytes| Cell::Bytes(bytes.into())),
        114 | 3802 => serde_json::from_str(text).ok().map(|value| json(&value)),
        _ => element(oid).and_then(|element| array(element, text)),
    };
    parsed.unwrap_or_else(|| Cell::text(text))
}

fn decimal(text: &str) -> Option<Cell> {
    text.parse::<Decimal>().map(Cell::Decimal).ok().or_else(|| text.parse().ok().map(Cell::Float))
}

/// Infinite dates are Python's last and first.
fn date(text: &str) -> Option<Cell> {
    match text {
        "infinity" => NaiveDate::from_ymd_opt(9999, 12, 31),
        "-infinity" => NaiveDate::from_ymd_opt(1, 1, 1),
        _ => NaiveDate::parse_from_str(text, "%Y-%m-%d").ok(),
    }
    .map(Cell::Date)
}

fn time(text: &str) -> Option<NaiveTime> {
    // 24:00:00 is a time to PostgreSQL; Python shows it as midnight.
    NaiveTime::parse_from_str(text, "%H:%M:%S%.f").ok().or_else(|| text.starts_with("24:00:00").then_some(NaiveTime::MIN))
}

/// `2020-01-02 03:04:05.6`, with an offset for points in time.
fn timestamp(text: &str) -> Option<Cell> {
    match text {
        "infinity" => return NaiveDate::from_ymd_opt(9999, 12, 31)?.and_hms_micro_opt(23, 59, 59, 999_999).map(without_zone),
        "-infinity" => return NaiveDate::from_ymd_opt(1, 1, 1)?.and_hms_opt(0, 0, 0).map(without_zone),
        _ => {}
    }
    let clock = text.find(' ')? + 1;
    let (plain, offset) = match text.get(clock..)?.find(['+', '-']) {
        Some(at) => (text.get(..clock + at)?, Some(offset(text.get(clock + at..)?)?)),
        None => (text, None),
    };
    Some(Cell::DateTime(NaiveDateTime::parse_from_str(plain, "%Y-%m-%d %H:%M:%S%.f").ok()?, offset))
}

fn without_zone(value: NaiveDateTime) -> Cell {
    Cell::DateTime(value, None)
}

/// `+02`, `-03:30`, `+00:19:32` in seconds.
fn offset(text: &str) -> Option<i32> {
    let (sign, rest) = text.split_at_checked(1)?;
    let mut seconds = 0;
    for (part, unit) in rest.split(':').zip([3600, 60, 1]) {
        seconds += part.parse::<i32>().ok()? * unit;
    }
    Some(if sign == "-" { -seconds } else { seconds })
}

/// `1 year 2 mons -3 days 04:05:06.7`; a month is 30 days and a year 365, as in dbt's client.
fn interval(text: &str) -> Option<Duration> {
    let mut total = Duration::zero();
    let mut words = text.split(' ').peekable();
    while let Some(word) = words.next() {
        if word.contains(':') {
            let (negative, clock) = match word.strip_prefix('-') {
                Some(clock) => (true, clock),
                None => (false, word.trim_start_matches('+')),
            };
            let mut parts = clock.split(':');
            let (hours, minutes) = (parts.next()?.parse::<i64>().ok()?, parts.next()?.parse::<i64>().ok()?);
            let (seconds, fraction) = parts.next()?.split_once('.').unwrap_or((clock.rsplit(':').next()?, "0"));
            let micros = format!("{fraction:0<6}").parse::<i64>().ok()?;
            let clock =
                Duration::seconds(hours * 3600 + minutes * 60 + seconds.parse::<i64>().ok()?) + Duration::microseconds(micros);
            total += if negative { -clock } else { clock };
            continue;
        }
        let count: i64 = word.trim_start_matches('+').parse().ok()?;
        let days = match words.next()?.trim_end_matches('s') {
            "year" => 365,
            "mon" => 30,
            "day" => 1,
            _ => return None,
        };
        total += Duration::try_days(count.checked_mul(days)?)?;
    }
    Some(total)
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("\\x")?.as_bytes();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

fn json(value: &serde_json::Value) -> Cell {
    use serde_json::Value;
    match value {
        Value::Null => Cell::Null,
        Value::Bool(value) => Cell::Bool(*value),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Cell::Int(whole.into()),
            (None, Some(float)) => Cell::Float(float),
            _ => Cell::text(number.to_string()),
        },
        Value::String(text) => Cell::text(text),
        Value::Array(items) => Cell::List(items.iter().map(json).collect()),
        Value::Object(fields) => Cell::Struct(fields.iter().map(|(key, value)| (key.as_str().into(), json(value))).collect()),
    }
}

/// `{1,NULL,{2}}`, elements quoted where they have to be.
fn array(oid: u32, text: &str) -> Option<Cell> {
    // Bounds that do not begin at 1 stand before: `[0:1]={1,2}`.
    let text = if text.starts_with('[') { text.split_once('=')?.1 } else { text };
    let mut chars = text.chars().peekable();
    (chars.next() == Some('{')).then_some(())?;
    elements(oid, &mut chars)
}

fn elements(oid: u32, chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Cell> {
    let mut items = Vec::new();
    loop {
        match chars.peek()? {
            '}' => {
                chars.next();
                return Some(Cell::List(items));
            }
            ',' => {
                chars.next();
            }
            '{' => {
                chars.next();
                items.push(elements(oid, chars)?);
            }
            '"' => {
                chars.next();
                items.push(cell(oid, &quoted(chars)?));
            }
            _ => {
                let mut plain = String::new();
                while let Some(char) = chars.next_if(|char| !matches!(char, ',' | '}')) {
                    plain.push(char);
                }
                items.push(if plain == "NULL" { Cell::Null } else { cell(oid, &plain) });
            }
        }
    }
}

fn quoted(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    let mut text = String::new();
    loop {
        match chars.next()? {
            '"' => return Some(text),
            '\\' => text.push(chars.next()?),
            char => text.push(char),
        }
    }
}

/// The statement with its `%s` replaced by the values, as dbt's client does it before sending; `%%` is a percent sign.
pub(super) fn bound(sql: &str, values: &[Cell]) -> Result<String, String> {
    let mut values = values.iter();
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = rest.get(at + 1..).unwrap_or_default();
        match rest.as_bytes().first() {
            Some(b's') => out.push_str(&literal(values.next().ok_or("not enough values for the statement's placeholders")?)),
            Some(b'%') => out.push('%'),
            _ => return Err("unsupported format character after '%' in a statement with bound values".to_owned()),
        }
        rest = &rest[1..];
    }
    out.push_str(rest);
    match values.next() {
        Some(_) => Err("not all values were used by the statement's placeholders".to_owned()),
        None => Ok(out),
    }
}

fn literal(cell: &Cell) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    match cell {
        Cell::Null => "NULL".to_owned(),
        Cell::Bool(value) => value.to_string(),
        Cell::Int(_) | Cell::Decimal(_) => cell.to_string(),
        Cell::Float(value) if value.is_finite() => value.to_string(),
        Cell::Float(_) => format!("'{cell}'::float"),
        Cell::Text(text) => quoted(text),
        Cell::Date(_) => format!("'{cell}'::date"),
        Cell::DateTime(_, None) => format!("'{cell}'::timestamp"),
        Cell::DateTime(_, Some(_)) => format!("'{cell}'::timestamptz"),
        Cell::Time(_) => format!("'{cell}'::time"),
        Cell::Interval(_) => format!("'{}'::interval", plain(cell)),
        Cell::Bytes(_) => format!("'{}'::bytea", plain(cell)),
        Cell::List(items) if items.is_empty() => "'{}'".to_owned(),
        Cell::List(items) => format!("ARRAY[{}]", items.iter().map(literal).collect::<Vec<_>>().join(",")),
        Cell::Struct(_) => quoted(&plain(cell)),
    }
}

/// A value as the server reads it in text form.
fn plain(cell: &Cell) -> String {
    match cell {
        Cell::Interval(interval) => format!("{} microseconds", interval.num_microseconds().unwrap_or(i64::MAX)),
        Cell::Bytes(bytes) => bytes.iter().fold("\\x".to_owned(), |out, byte| out + &format!("{byte:02x}")),
        Cell::List(_) | Cell::Struct(_) => cell.to_json(CellType::Object).to_string(),
        other => other.to_string(),
    }
}

fn escaped(text: &str, out: &mut String) {
    if !text.bytes().fold(false, |found, byte| found | matches!(byte, b'\\' | b'\t' | b'\n' | b'\r')) {
        out.push_str(text);
        return;
    }
    for char in text.chars() {
        match char {
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            char => out.push(char),
        }
    }
}

/// Rows in the text format of `COPY`, in pieces, each when it is asked for.
/// `whole` tells which columns take whole numbers only: there, numbers are rounded as an insert rounds them.
pub(super) fn copy_pieces<'a>(rows: &'a Rows, whole: &'a [bool], length: usize) -> Box<dyn FnMut(&mut String) + 'a> {
    if let Some(file) = rows.file() {
        let mut reader = file.reader();
        return Box::new(move |out| {
            while out.len() < length
                && let Some(row) = reader.next_row()
            {
                file_line(row, whole, out);
            }
        });
    }
    let mut rows = rows.iter();
    Box::new(move |out| {
        while out.len() < length
            && let Some(row) = rows.next()
        {
            copy_line(row, whole, out);
        }
    })
}

fn copy_line(row: &[Cell], whole: &[bool], out: &mut String) {
    for (index, cell) in row.iter().enumerate() {
        if index > 0 {
            out.push('\t');
        }
        copy_cell(cell, is_set(whole, index), out);
    }
    out.push('\n');
}

fn file_line(row: Row<'_>, whole: &[bool], out: &mut String) {
    for index in 0..row.len() {
        if index > 0 {
            out.push('\t');
        }
        if is_set(whole, index) {
            copy_cell(&row.cell(index), true, out);
            continue;
        }
        match row.written(index) {
            Written::Null => out.push_str("\\N"),
            Written::Text(text) => escaped(text, out),
            Written::Cell(cell) => copy_cell(&cell, false, out),
        }
    }
    out.push('\n');
}

fn is_set(flags: &[bool], index: usize) -> bool {
    flags.get(index).copied().unwrap_or(false)
}

fn copy_cell(cell: &Cell, whole: bool, out: &mut String) {
    match cell {
        Cell::Null => out.push_str("\\N"),
        Cell::Text(text) => escaped(text, out),
        Cell::Bool(value) => out.push_str(if *value { "True" } else { "False" }),
        Cell::Decimal(number) if whole => {
            let rule = rust_decimal::RoundingStrategy::MidpointAwayFromZero;
            let _ = write!(out, "{}", number.round_dp_with_strategy(0, rule));
        }
        // Nothing in them needs an escape.
        Cell::Int(_) | Cell::Decimal(_) | Cell::Float(_) | Cell::Date(_) => {
            let _ = write!(out, "{cell}");
        }
        other => escaped(&plain(other), out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agate::{CsvOptions, read_csv};

    #[test]
    fn every_type_prints_as_dbts_python_layer_shows_it() {
        let cases = [
            (16, "t", "True"),
            (20, "9223372036854775807", "9223372036854775807"),
            (701, "0.1", "0.1"),
            (701, "NaN", "NaN"),
            (1700, "1.50", "1.50"),
            (1082, "2020-01-02", "2020-01-02"),
            (1082, "infinity", "9999-12-31"),
            (1083, "01:02:03.5", "01:02:03.500000"),
            (1114, "2020-01-02 03:04:05.6", "2020-01-02 03:04:05.600000"),
            (1184, "2020-01-02 03:04:05-03:30", "2020-01-02 03:04:05-03:30"),
            (1186, "1 year 2 mons -3 days -04:05:06.7", "421 days, 19:54:53.300000"),
            (1186, "00:00:01", "0:00:01"),
            (17, "\\xaa62", "b'\\xaab'"),
            (3802, "{\"a\": [1, null]}", "{'a': [1, None]}"),
            (1007, "{1,NULL,{2}}", "[1, None, [2]]"),
            (1009, "[0:1]={\"a \\\"b\\\"\",c}", "['a \"b\"', 'c']"),
            (2950, "f47ac10b-58cc-4372-a567-0e02b2c3d479", "f47ac10b-58cc-4372-a567-0e02b2c3d479"),
        ];
        for (oid, text, expected) in cases {
            assert_eq!(cell(oid, text).to_string(), expected, "{oid} {text}");
        }
    }

    #[test]
    fn values_are_bound_as_literals() {
        let values = [Cell::text("it's"), Cell::Null, Cell::Int(-5), Cell::List(vec![Cell::Bool(true)])];
        assert_eq!(bound("%s, %s, %s, %s, 5%%", &values).as_deref(), Ok("'it''s', NULL, -5, ARRAY[true], 5%"));
        assert!(bound("%s %s", &values[..1]).is_err());
        assert!(bound("%s", &values).is_err());
        assert!(bound("%d", &values).is_err());
    }

    #[test]
    fn copied_rows_are_escaped() {
        let mut line = String::new();
        copy_line(&[Cell::text("a\tb\\\n"), Cell::Null, Cell::text("")], &[], &mut line);
        assert_eq!(line, "a\\tb\\\\\\n\t\\N\t\n");
    }

    #[test]
    fn a_file_is_copied_as_its_cells_are() {
        let text = "n,whole,day,at,iso,flag,note,empty\n\
            1,76.0,2024-01-05,2024-01-05 10:00:00,2024-01-05T10:00:00Z,true,a\tb,\n\
            \"1,000.50\",76.5,2024-1-5,2024-01-05  1:00:00,2024-W01-5T1000,FALSE,\"say \"\"x\"\"\n\\\",null\n\
            007,-3,null,,,, null\n\n\
            $-.5, 12 ,2024-12-31,2024-12-31 23:59:59,20240105T10:00:00.25+01:30,,NULL ,\n";
        let table = read_csv("seeds/a.csv", text.to_owned(), &CsvOptions::default()).expect("a good file");
        let copied = |rows: &Rows, whole: &[bool]| {
            let (mut all, mut piece) = (String::new(), String::new());
            let mut pieces = copy_pieces(rows, whole, 10);
            loop {
                pieces(&mut piece);
                if piece.is_empty() {
                    return all;
                }
                all += &std::mem::take(&mut piece);
            }
        };
        assert!(table.rows.file().is_some(), "nobody looked at the rows");
        let cells = Rows::from(table.rows.to_vec());
        for whole in [&[][..], &[false, true]] {
            assert_eq!(copied(&table.rows, whole), copied(&cells, whole));
        }
        let lines = copied(&table.rows, &[false, true]);
        assert!(
            lines.starts_with("1\t76\t2024-01-05\t2024-01-05 10:00:00\t2024-01-05 10:00:00+00:00\tTrue\ta\\tb\t\\N\n"),
            "{lines}"
        );
        assert!(lines.contains("1000.50\t77\t2024-01-05\t"), "{lines}");
    }
}
