//! Plain scalars as YAML 1.1 resolves them, the way PyYAML's safe loader does: `yes` is a boolean, `010` is eight,
//! `1e3` is text, `1:30` is ninety, `2020-01-01` is a date (kept as the text that dbt's JSON shows).

use std::borrow::Cow;
use std::fmt::Write;

use super::Kind;

/// The value of a plain (unquoted) scalar.
pub fn resolve(text: &str) -> Kind {
    let Some(first) = text.as_bytes().first() else { return Kind::Null };
    match first {
        b'~' if text == "~" => Kind::Null,
        b'n' | b'N' if matches!(text, "null" | "Null" | "NULL") => Kind::Null,
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' => {
            boolean(text).map_or_else(|| Kind::Str(text.into()), Kind::Bool)
        }
        b'-' | b'+' | b'.' | b'0'..=b'9' => number_or_time(text),
        _ => Kind::Str(text.into()),
    }
}

/// YAML 1.1's booleans, in the three capitalisations it knows.
pub fn boolean(text: &str) -> Option<bool> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

fn number_or_time(text: &str) -> Kind {
    if let Some(value) = float(text) {
        return Kind::Float(value);
    }
    if let Some(value) = integer(text) {
        // Too large for i64: the digits stay as they are.
        return value.map_or_else(|| Kind::Str(text.into()), Kind::Int);
    }
    Kind::Str(timestamp(text).map_or_else(|| text.into(), Into::into))
}

fn without_underscores(text: &str) -> Cow<'_, str> {
    if text.contains('_') { text.replace('_', "").into() } else { text.into() }
}

fn split_sign(text: &str) -> (bool, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    }
}

fn all(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    text.bytes().all(allowed)
}

/// `Some(None)` is an integer that does not fit into i64.
#[expect(clippy::option_option, reason = "no integer, and one too large, are different answers")]
pub fn integer(text: &str) -> Option<Option<i64>> {
    let (negative, body) = split_sign(text);
    let first = *body.as_bytes().first()?;
    let signed = |value: Option<i64>| Some(value.and_then(|value| if negative { value.checked_neg() } else { Some(value) }));
    let radix = |digits: &str, radix: u32| {
        let digits = without_underscores(digits);
        (!digits.is_empty()).then(|| i64::from_str_radix(&digits, radix).ok())
    };
    if let Some(digits) = body.strip_prefix("0b") {
        return all(digits, |byte| matches!(byte, b'0' | b'1' | b'_')).then(|| radix(digits, 2)).flatten().and_then(signed);
    }
    if let Some(digits) = body.strip_prefix("0x") {
        return all(digits, |byte| byte.is_ascii_hexdigit() || byte == b'_')
            .then(|| radix(digits, 16))
            .flatten()
            .and_then(signed);
    }
    if body == "0" {
        return Some(Some(0));
    }
    if first == b'0' {
        return all(body, |byte| matches!(byte, b'0'..=b'7' | b'_')).then(|| radix(body, 8)).flatten().and_then(signed);
    }
    if !first.is_ascii_digit() {
        return None;
    }
    if body.contains(':') {
        let (head, tail) = body.split_once(':')?;
        let head_is_number = all(head, |byte| byte.is_ascii_digit() || byte == b'_');
        return (head_is_number && tail.split(':').all(is_sixtieth)).then(|| sexagesimal(head, tail)).and_then(signed);
    }
    if !all(body, |byte| byte.is_ascii_digit() || byte == b'_') {
        return None;
    }
    // Parsed with its sign, since i64::MIN has no positive twin.
    let digits = without_underscores(body);
    Some(if negative { format!("-{digits}").parse().ok() } else { digits.parse().ok() })
}

/// One place of a sexagesimal number: `0` to `59`, one or two digits.
fn is_sixtieth(part: &str) -> bool {
    match part.as_bytes() {
        [only] => only.is_ascii_digit(),
        [tens, ones] => (b'0'..=b'5').contains(tens) && ones.is_ascii_digit(),
        _ => false,
    }
}

fn sexagesimal(head: &str, tail: &str) -> Option<i64> {
    let mut value: i64 = without_underscores(head).parse().ok()?;
    for part in tail.split(':') {
        value = value.checked_mul(60)?.checked_add(part.parse().ok()?)?;
    }
    Some(value)
}

/// A float has a point, and its exponent has a sign: `1.0e+3`, not `1e3`.
pub fn float(text: &str) -> Option<f64> {
    let (negative, body) = split_sign(text);
    let signed = |value: f64| if negative { -value } else { value };
    if matches!(body, ".inf" | ".Inf" | ".INF") {
        return Some(signed(f64::INFINITY));
    }
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(f64::NAN);
    }
    let (whole, rest) = body.split_once('.')?;
    if whole.contains(':') {
        return sexagesimal_float(whole, rest).map(signed);
    }
    let (fraction, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    };
    let exponent_fits = exponent.is_none_or(|exponent| {
        exponent.len() > 1 && exponent.starts_with(['-', '+']) && all(&exponent[1..], |byte| byte.is_ascii_digit())
    });
    let digits = |part: &str| all(part, |byte| byte.is_ascii_digit() || byte == b'_');
    let starts_with_digit = |part: &str| part.as_bytes().first().is_some_and(u8::is_ascii_digit);
    // `.5` is a float, `-.5` is text.
    let whole_fits =
        if whole.is_empty() { starts_with_digit(fraction) && body.len() == text.len() } else { starts_with_digit(whole) };
    if !exponent_fits || !whole_fits || !digits(whole) || !digits(fraction) {
        return None;
    }
    without_underscores(body).parse().ok().map(signed)
}

fn sexagesimal_float(whole: &str, fraction: &str) -> Option<f64> {
    let (head, tail) = whole.split_once(':')?;
    let number = |part: &str| all(part, |byte| byte.is_ascii_digit() || byte == b'_');
    if !head.as_bytes().first().is_some_and(u8::is_ascii_digit) || !number(head) || !number(fraction) {
        return None;
    }
    let mut value: f64 = without_underscores(head).parse().ok()?;
    for part in tail.split(':') {
        if !is_sixtieth(part) {
            return None;
        }
        value = value.mul_add(60.0, part.parse().ok()?);
    }
    let fraction: f64 = format!("0.{}", without_underscores(fraction)).parse().ok()?;
    Some(value + fraction)
}

/// A date or a time as Python's `isoformat` writes it; None where the text is neither, or no such day exists.
fn timestamp(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| bytes.get(range).is_some_and(|part| part.iter().all(u8::is_ascii_digit));
    if bytes.len() < 8 || !digits(0..4) || bytes.get(4) != Some(&b'-') {
        return None;
    }
    let rest = &text[5..];
    let (month, rest) = rest.split_once('-')?;
    let day_length = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (day, clock) = rest.split_at(day_length);
    let short = |part: &str| matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit());
    if !short(month) || !short(day) {
        return None;
    }
    let date = chrono::NaiveDate::from_ymd_opt(text[..4].parse().ok()?, month.parse().ok()?, day.parse().ok()?)?;
    if clock.is_empty() {
        return (month.len() == 2 && day.len() == 2).then(|| date.format("%Y-%m-%d").to_string());
    }
    let clock = match clock.strip_prefix(['T', 't']) {
        Some(clock) => clock,
        None => Some(clock.trim_start_matches([' ', '\t'])).filter(|trimmed| trimmed.len() < clock.len())?,
    };
    Some(format!("{}T{}", date.format("%Y-%m-%d"), clock_text(clock)?))
}

/// `h:mm:ss[.fraction][zone]` → `hh:mm:ss[.micros][+hh:mm]`.
fn clock_text(clock: &str) -> Option<String> {
    let (hour, rest) = clock.split_once(':')?;
    let (minute, rest) = rest.split_once(':')?;
    let two = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    let one_or_two = |part: &str| matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit());
    let second = rest.get(..2)?;
    if !one_or_two(hour) || !two(minute) || !two(second) {
        return None;
    }
    let mut rest = &rest[2..];
    let (hour, minute, second): (u32, u32, u32) = (hour.parse().ok()?, minute.parse().ok()?, second.parse().ok()?);
    chrono::NaiveTime::from_hms_opt(hour, minute, second)?;
    let mut out = format!("{hour:02}:{minute:02}:{second:02}");
    if let Some(fraction) = rest.strip_prefix('.') {
        let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
        let micros: u32 = format!("{:0<6}", &fraction[..length.min(6)]).parse().ok()?;
        if micros > 0 {
            let _ = write!(out, ".{micros:06}");
        }
        rest = &fraction[length..];
    }
    let zone = rest.trim_start_matches([' ', '\t']);
    match zone {
        "" if rest.is_empty() => {}
        "Z" => out.push_str("+00:00"),
        _ => {
            let sign = zone.chars().next().filter(|sign| matches!(sign, '+' | '-'))?;
            let (hours, minutes) = zone[1..].split_once(':').unwrap_or((&zone[1..], "00"));
            if !one_or_two(hours) || !two(minutes) {
                return None;
            }
            let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
            let _ = write!(out, "{sign}{hours:02}:{minutes:02}");
        }
    }
    Some(out)
}

/// A key that is no text, as JSON objects spell it: `true`, `null`, `1`, `1.5`.
pub fn key_text(kind: &Kind, written: &str) -> Option<std::sync::Arc<str>> {
    Some(match kind {
        Kind::Null => "null".into(),
        Kind::Bool(value) => if *value { "true" } else { "false" }.into(),
        Kind::Int(value) => value.to_string().into(),
        Kind::Float(value) if value.is_finite() => format!("{value:?}").into(),
        Kind::Float(_) => written.into(),
        Kind::Str(text) => text.clone(),
        Kind::Seq(_) | Kind::Map(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Kind {
        Kind::Str(value.into())
    }

    #[test]
    fn words() {
        for (given, expected) in [
            ("yes", Kind::Bool(true)),
            ("Yes", Kind::Bool(true)),
            ("ON", Kind::Bool(true)),
            ("off", Kind::Bool(false)),
            ("No", Kind::Bool(false)),
            ("y", text("y")),
            ("yEs", text("yEs")),
            ("~", Kind::Null),
            ("", Kind::Null),
            ("Null", Kind::Null),
            ("none", text("none")),
            ("None", text("None")),
        ] {
            assert_eq!(resolve(given), expected, "{given}");
        }
    }

    #[test]
    fn numbers() {
        for (given, expected) in [
            ("0", Kind::Int(0)),
            ("010", Kind::Int(8)),
            ("08", text("08")),
            ("0o10", text("0o10")),
            ("0x1F", Kind::Int(31)),
            ("-0x1f", Kind::Int(-31)),
            ("0b101", Kind::Int(5)),
            ("1_000", Kind::Int(1000)),
            ("+12", Kind::Int(12)),
            ("-9223372036854775808", Kind::Int(i64::MIN)),
            ("9223372036854775808", text("9223372036854775808")),
            ("1:30", Kind::Int(90)),
            ("190:20:30", Kind::Int(685_230)),
            ("1:60", text("1:60")),
            ("12:30:45.5", Kind::Float(45045.5)),
            ("1e3", text("1e3")),
            ("1.0e3", text("1.0e3")),
            ("1.0e+3", Kind::Float(1000.0)),
            ("1.", Kind::Float(1.0)),
            (".5", Kind::Float(0.5)),
            ("-.5", text("-.5")),
            ("-1.5", Kind::Float(-1.5)),
            ("1_0.5", Kind::Float(10.5)),
            (".inf", Kind::Float(f64::INFINITY)),
            ("-.INF", Kind::Float(f64::NEG_INFINITY)),
            ("1.2.3", text("1.2.3")),
            ("-", text("-")),
            (".", text(".")),
            ("+", text("+")),
            ("1-2", text("1-2")),
        ] {
            assert_eq!(resolve(given), expected, "{given}");
        }
        assert!(matches!(resolve(".nan"), Kind::Float(value) if value.is_nan()));
    }

    #[test]
    fn times() {
        for (given, expected) in [
            ("2020-01-01", "2020-01-01"),
            ("2020-1-1", "2020-1-1"),
            ("2020-13-01", "2020-13-01"),
            ("2001-12-14t21:59:43.10-05:00", "2001-12-14T21:59:43.100000-05:00"),
            ("2001-12-14 21:59:43.10 -5", "2001-12-14T21:59:43.100000-05:00"),
            ("2001-12-15 2:59:43.10", "2001-12-15T02:59:43.100000"),
            ("2001-12-14T21:59:43Z", "2001-12-14T21:59:43+00:00"),
            ("2020-01-01 00:00:00", "2020-01-01T00:00:00"),
            ("2020-01-01 00:00", "2020-01-01 00:00"),
            ("2020-01-01x", "2020-01-01x"),
        ] {
            assert_eq!(resolve(given), text(expected), "{given}");
        }
    }
}
