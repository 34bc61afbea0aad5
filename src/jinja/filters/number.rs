//! Filters of numbers.

use minijinja::Value;
use minijinja::value::ValueKind;

use super::Filter;
use crate::jinja::operators::integer;
use crate::jinja::value::{Decimal, as_decimal, decimal, is_defined, text, type_name, undefined_message};
use crate::jinja::{Args, Cx, Error, ErrorKind};

pub(super) const FILTERS: &[(&str, Filter)] = &[
    ("abs", abs),
    ("int", int),
    ("float", float),
    ("round", round),
    ("filesizeformat", |_, args| Ok(Value::from(file_size(args)))),
];

fn not_a_number(what: &str, value: &Value) -> Error {
    match undefined_message(value) {
        Some(message) => Error::new(ErrorKind::Undefined, message),
        None => Error::compilation(format!("bad operand type for {what}: '{}'", type_name(value))),
    }
}

fn is_number(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Number | ValueKind::Bool)
}

fn is_whole(value: &Value) -> bool {
    value.is_integer() || value.kind() == ValueKind::Bool
}

fn as_float(value: &Value) -> f64 {
    as_decimal(value).map_or_else(|| f64::try_from(value.clone()).unwrap_or_default(), |number| number.0.float())
}

fn abs(_cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
    let subject = args.subject();
    if let Some(number) = as_decimal(subject) {
        return Ok(decimal(number.0.absolute()));
    }
    if !is_number(subject) {
        return Err(not_a_number("abs()", subject));
    }
    match i128::try_from(subject.clone()) {
        Ok(number) if is_whole(subject) => Ok(integer(number.saturating_abs())),
        _ => Ok(Value::from(as_float(subject).abs())),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a float's whole part, as Python's int() gives it")]
fn truncated(number: f64) -> Option<i128> {
    number.is_finite().then(|| number.trunc() as i128)
}

fn int(_cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
    let subject = args.subject();
    let default = || args.get(1, "default").cloned().unwrap_or_else(|| Value::from(0));
    let base = u32::try_from(args.whole(2, "base")?.unwrap_or(10)).unwrap_or(10);
    if let Some(number) = as_decimal(subject) {
        let whole = number.0.truncated();
        return whole.map(integer).ok_or_else(|| Error::compilation(format!("cannot convert {} to integer", number.0)));
    }
    if is_number(subject) {
        let whole = if is_whole(subject) { i128::try_from(subject.clone()).ok() } else { truncated(as_float(subject)) };
        return Ok(whole.map_or_else(default, integer));
    }
    if !is_defined(subject) {
        return Err(not_a_number("int()", subject));
    }
    if subject.as_str().is_none() {
        return Ok(default());
    }
    let digits = text(subject).trim().replace('_', "");
    Ok(parse_int(&digits, base).or_else(|| digits.parse::<f64>().ok().and_then(truncated)).map_or_else(default, integer))
}

/// Digits in a base, with a sign and the base's prefix if there is one.
fn parse_int(text: &str, base: u32) -> Option<i128> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let digits = if negative { digits } else { digits.strip_prefix('+').unwrap_or(digits) };
    let lower = digits.to_lowercase();
    let digits = match base {
        16 => lower.strip_prefix("0x").unwrap_or(&lower),
        8 => lower.strip_prefix("0o").unwrap_or(&lower),
        2 => lower.strip_prefix("0b").unwrap_or(&lower),
        3..=36 => &lower,
        _ => return None,
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let number = i128::from_str_radix(digits, base).ok()?;
    Some(if negative { -number } else { number })
}

fn float(_cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
    let subject = args.subject();
    let default = || args.get(1, "default").cloned().unwrap_or_else(|| Value::from(0.0));
    if is_number(subject) || as_decimal(subject).is_some() {
        return Ok(Value::from(as_float(subject)));
    }
    if !is_defined(subject) {
        return Err(not_a_number("float()", subject));
    }
    let parsed = subject.as_str().and_then(|text| text.trim().replace('_', "").parse::<f64>().ok());
    Ok(parsed.map_or_else(default, Value::from))
}

fn round(_cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
    let subject = args.subject();
    let precision = i32::try_from(args.whole(1, "precision")?.unwrap_or_default()).unwrap_or_default();
    let exact = as_decimal(subject);
    if exact.is_none() && !is_number(subject) {
        return Err(not_a_number("round()", subject));
    }
    let number = as_float(subject);
    let method = args.text(2, "method").unwrap_or_else(|| "common".to_owned());
    if let Some(exact) = exact.filter(|_| method == "common") {
        let rounded = exact.0.with_places(precision.into()).filter(|_| exact.0.finite().is_some());
        return Ok(decimal(rounded.unwrap_or(Decimal::NaN)));
    }
    let scale = 10_f64.powi(precision);
    let rounded = match method.as_str() {
        "common" if is_whole(subject) && precision >= 0 => return Ok(subject.clone()),
        "common" => half_even(number, precision),
        "ceil" => (number * scale).ceil() / scale,
        "floor" => (number * scale).floor() / scale,
        _ => return Err(Error::compilation("method must be common, ceil or floor")),
    };
    Ok(Value::from(rounded))
}

/// Python's `round`: by the number's exact decimal value, ties to even.
fn half_even(number: f64, precision: i32) -> f64 {
    if let Ok(digits) = usize::try_from(precision) {
        return format!("{number:.digits$}").parse().unwrap_or(number);
    }
    let scale = 10_f64.powi(-precision);
    (number / scale).round_ties_even() * scale
}

fn file_size(args: &Args) -> String {
    let bytes = as_float(args.subject());
    let binary = args.truth(1, "binary").unwrap_or_default();
    let base: f64 = if binary { 1024.0 } else { 1000.0 };
    let units = if binary { ["KiB", "MiB", "GiB", "TiB", "PiB"] } else { ["kB", "MB", "GB", "TB", "PB"] };
    if (bytes - 1.0).abs() < f64::EPSILON {
        return "1 Byte".to_owned();
    }
    if bytes < base {
        return format!("{bytes:.0} Bytes");
    }
    let mut size = bytes / base;
    for unit in &units[..units.len() - 1] {
        if size < base {
            return format!("{size:.1} {unit}");
        }
        size /= base;
    }
    format!("{size:.1} {}", units[units.len() - 1])
}
