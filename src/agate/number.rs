//! Numbers as Python's `Decimal` and agate's `Number` read and write them.

use std::str::FromStr;

use rust_decimal::Decimal;

use super::Cell;

/// A number read from text: exact where it fits 28 digits, else a float.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    Exact(Decimal),
    Float(f64),
}

impl From<Number> for Cell {
    fn from(number: Number) -> Self {
        match number {
            Number::Exact(value) => Cell::Decimal(value),
            Number::Float(value) => Cell::Float(value),
        }
    }
}

/// Signs of money that agate takes off both ends of a number.
const CURRENCIES: [char; 19] = ['؋', '$', 'ƒ', '៛', '¥', '₡', '₱', '£', '€', '¢', '﷼', '₪', '₩', '₭', '₮', '₦', '฿', '₤', '₫'];

impl Number {
    /// Reads a text by agate's rules: percent and currency signs at the ends and `,` anywhere do not count.
    /// None: not a number.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(plain) = plain_decimal(text) {
            return Some(Self::Exact(plain));
        }
        let text = text.trim().trim_matches('%');
        let (negative, mut text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        for sign in CURRENCIES {
            text = text.trim_matches(sign);
        }
        let number = if text.contains(',') { python_decimal(&text.replace(',', "")) } else { python_decimal(text) }?;
        Some(match number {
            Self::Exact(value) if negative => Self::Exact(-value),
            Self::Float(value) if negative => Self::Float(-value),
            other => other,
        })
    }
}

/// `-12.50` and its like, which most numbers are; None for anything else, be it a number or not.
fn plain_decimal(text: &str) -> Option<Decimal> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    // More might not fit.
    if digits.len() > 18 {
        return None;
    }
    let mut mantissa: i64 = 0;
    let mut point = None;
    for (at, byte) in digits.bytes().enumerate() {
        match byte {
            b'0'..=b'9' => mantissa = mantissa * 10 + i64::from(byte - b'0'),
            b'.' if at > 0 && point.is_none() => point = Some(at + 1),
            _ => return None,
        }
    }
    let places = digits.len() - point.unwrap_or(digits.len());
    if digits.is_empty() || point == Some(digits.len()) || (negative && mantissa == 0) {
        return None;
    }
    Some(Decimal::new(if negative { -mantissa } else { mantissa }, u32::try_from(places).ok()?))
}

/// Is this number written as [`decimal_text`] writes it? May say no where it is.
pub(super) fn prints_as_is(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let whole = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let places = match digits.get(whole..) {
        Some([b'.', places @ ..]) => places,
        Some([]) => b"0",
        _ => return false,
    };
    // More digits might not fit; more places might print as a power of ten; the zero has no sign.
    (1..=12).contains(&whole)
        && (1..=6).contains(&places.len())
        && places.iter().all(u8::is_ascii_digit)
        && (whole == 1 || digits.first() != Some(&b'0'))
        && (digits.len() == text.len() || digits.iter().any(|byte| (b'1'..=b'9').contains(byte)))
}

/// What Python's `Decimal(text)` accepts: digits with `_`, a point, an exponent, `inf`, `nan`.
fn python_decimal(text: &str) -> Option<Number> {
    let text = text.trim();
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let negative = text.starts_with('-');
    let special = unsigned.to_ascii_lowercase();
    if matches!(special.as_str(), "inf" | "infinity") {
        return Some(Number::Float(if negative { f64::NEG_INFINITY } else { f64::INFINITY }));
    }
    let nan = special.strip_prefix('s').unwrap_or(&special).strip_prefix("nan");
    if nan.is_some_and(|payload| payload.bytes().all(|byte| byte.is_ascii_digit())) {
        return Some(Number::Float(f64::NAN));
    }
    let plain = if unsigned.contains('_') { unsigned.replace('_', "") } else { unsigned.to_string() };
    let (mantissa, exponent) = match plain.find(['e', 'E']) {
        Some(at) => (&plain[..at], Some(&plain[at + 1..])),
        None => (plain.as_str(), None),
    };
    let mut digits = 0;
    let mut points = 0;
    for byte in mantissa.bytes() {
        match byte {
            b'0'..=b'9' => digits += 1,
            b'.' => points += 1,
            _ => return None,
        }
    }
    if digits == 0 || points > 1 {
        return None;
    }
    if let Some(exponent) = exponent {
        exponent.parse::<i64>().ok()?;
    }
    let sign = if negative { "-" } else { "" };
    let exact = match exponent {
        None => Decimal::from_str(&format!("{sign}{}", mantissa.trim_end_matches('.'))).ok(),
        Some(_) => Decimal::from_scientific(&format!("{sign}{plain}")).ok(),
    };
    Some(match exact {
        Some(value) => Number::Exact(value),
        None => Number::Float(format!("{sign}{plain}").parse().ok()?),
    })
}

/// The most decimal places any of the numbers has, trailing zeros not counted: agate's `MaxPrecision`.
pub fn max_precision<'a>(cells: impl IntoIterator<Item = &'a Cell>) -> u32 {
    cells.into_iter().map(decimal_places).max().unwrap_or(0)
}

fn decimal_places(cell: &Cell) -> u32 {
    match cell {
        Cell::Decimal(value) => value.normalize().scale(),
        Cell::Float(value) if value.is_finite() => {
            Decimal::from_str(&value.to_string()).map_or(0, |value| value.normalize().scale())
        }
        _ => 0,
    }
}

/// `str(Decimal)` in Python: plain, or scientific where the number is tiny.
pub(super) fn decimal_text(value: Decimal) -> String {
    let plain = value.to_string();
    let scale = i64::from(value.scale());
    if scale <= 6 {
        return plain;
    }
    let digits = value.mantissa().unsigned_abs().to_string();
    let digit_count = i64::try_from(digits.len()).unwrap_or(0);
    let adjusted = digit_count - 1 - scale;
    if scale == 0 || adjusted >= -6 {
        return plain;
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    format!("{sign}{first}{point}{rest}E{adjusted}")
}

/// A float as it shows after `Decimal(repr(value))`: `1.0`, `0.1`, `1E+20`, `NaN`.
pub(super) fn float_text(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_string();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_string();
    }
    let repr = python_repr(value);
    let Some((mantissa, exponent)) = repr.split_once('e') else {
        return repr;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let places = mantissa.split_once('.').map_or(0, |(_, places)| places.len());
    let adjusted_scale = exponent - i32::try_from(places).unwrap_or(0);
    if adjusted_scale <= 0 && exponent >= -6 {
        return format!("{value}");
    }
    format!("{mantissa}E{exponent:+}")
}

/// Python's `repr(float)`: shortest digits, exponent from 1e16 and below 1e-4.
pub(super) fn python_repr(value: f64) -> String {
    let magnitude = value.abs();
    if value == 0.0 || (1e-4..1e16).contains(&magnitude) {
        let text = format!("{value}");
        return if text.contains('.') { text } else { format!("{text}.0") };
    }
    let text = format!("{value:e}");
    let Some((mantissa, exponent)) = text.split_once('e') else {
        return text;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(source: &str) -> Option<String> {
        Number::parse(source).map(|number| Cell::from(number).to_string())
    }

    #[test]
    fn numbers_are_read_as_agate_reads_them() {
        let cases = [
            ("1", Some("1")),
            (" 1,000.50 ", Some("1000.50")),
            ("$5", Some("5")),
            ("-$5", Some("-5")),
            ("12%", Some("12")),
            ("1_000", Some("1000")),
            (".5", Some("0.5")),
            ("5.", Some("5")),
            ("-12.50", Some("-12.50")),
            ("007.0", Some("7.0")),
            ("1234567890123456789012", Some("1234567890123456789012")),
            ("1.-2", None),
            ("0x10", None),
            ("1.2.3", None),
            ("", None),
            ("-", None),
            ("abc", None),
            ("1e", None),
            ("nan", Some("NaN")),
            ("-inf", Some("-Infinity")),
        ];
        for (source, expected) in cases {
            assert_eq!(text(source).as_deref(), expected, "{source}");
        }
    }

    #[test]
    fn floats_print_as_decimals_of_their_repr() {
        let cases = [(1.0, "1.0"), (0.1, "0.1"), (1e20, "1E+20"), (1.5e-7, "1.5E-7"), (123.25, "123.25")];
        for (value, expected) in cases {
            assert_eq!(float_text(value), expected);
        }
    }

    #[test]
    fn tiny_decimals_turn_scientific() {
        assert_eq!(decimal_text(Decimal::new(1, 7)), "1E-7");
        assert_eq!(decimal_text(Decimal::new(15, 8)), "1.5E-7");
        assert_eq!(decimal_text(Decimal::new(150, 2)), "1.50");
    }

    #[test]
    fn precision_ignores_trailing_zeros() {
        let cells = [Cell::Decimal(Decimal::new(500, 2)), Cell::Null, Cell::Decimal(Decimal::new(125, 2))];
        assert_eq!(max_precision(&cells[..1]), 0);
        assert_eq!(max_precision(&cells), 2);
    }
}
