//! Python's `%` and `str.format`.

use minijinja::Value;
use minijinja::value::ValueKind;

use super::value::{Decimal, Dict, InstanceObject, as_decimal, attribute, item, items, repr, text, type_name};
use super::{Args, Error, modules};

/// `"…" % values`.
pub(super) fn percent(template: &str, values: &Value) -> Result<String, Error> {
    let mut arguments = if values.is_tuple() { items(values).unwrap_or_default() } else { vec![values.clone()] }.into_iter();
    let mut used_names = false;
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let mut named = None;
        if rest.starts_with('(') {
            let end = rest.find(')').ok_or_else(|| Error::compilation("incomplete format key"))?;
            named = Some(&rest[1..end]);
            rest = &rest[end + 1..];
        }
        let mut next = || arguments.next().ok_or_else(|| Error::compilation("not enough arguments for format string"));
        let (mut spec, after) = Spec::percent(rest, &mut next)?;
        let Some(conversion) = after.chars().next() else { return Err(Error::compilation("incomplete format")) };
        rest = &after[conversion.len_utf8()..];
        let value = match named {
            Some(name) => {
                used_names = true;
                super::value::get(values, name).ok_or_else(|| Error::compilation(format!("'{name}'")))?
            }
            None => next()?,
        };
        spec.kind = conversion;
        out.push_str(&convert(&value, &mut spec)?);
    }
    out.push_str(rest);
    let single = values.downcast_object_ref::<Dict>().is_some() || values.kind() == ValueKind::Seq && !values.is_tuple();
    if !used_names && !single && arguments.next().is_some() {
        return Err(Error::compilation("not all arguments converted during string formatting"));
    }
    Ok(out)
}

/// One conversion of `%`.
fn convert(value: &Value, spec: &mut Spec) -> Result<String, Error> {
    match spec.kind {
        's' => Ok(spec.pad(&spec.cut(text(value)), false)),
        'r' | 'a' => Ok(spec.pad(&spec.cut(repr(value)), false)),
        'c' => match u32::try_from(value.clone()).ok().and_then(char::from_u32) {
            Some(character) => Ok(spec.pad(&character.to_string(), false)),
            None => Ok(spec.pad(&text(value), false)),
        },
        'd' | 'i' | 'u' => {
            if let Some(whole) = as_decimal(value).and_then(|number| number.0.truncated()) {
                spec.kind = 'd';
                return Ok(spec.number(&whole.to_string()));
            }
            let number = f64::try_from(value.clone()).ok().filter(|_| is_number(value));
            let Some(number) = number else {
                let name = type_name(value);
                return Err(Error::compilation(format!("%{} format: a real number is required, not {name}", spec.kind)));
            };
            let digits = match i128::try_from(value.clone()) {
                Ok(whole) => whole.to_string(),
                Err(_) => format!("{:.0}", number.trunc()),
            };
            spec.kind = 'd';
            Ok(spec.number(&digits))
        }
        'f' | 'F' | 'e' | 'E' | 'g' | 'G' | 'x' | 'X' | 'o' => {
            if let Some(number) = as_decimal(value) {
                return spec.apply(&Value::from(number.0.float()));
            }
            if !is_number(value) {
                return Err(Error::compilation(format!("must be real number, not {}", type_name(value))));
            }
            spec.apply(value)
        }
        other => Err(Error::compilation(format!("unsupported format character '{other}' ({:#x})", other as u32))),
    }
}

fn is_number(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Number | ValueKind::Bool)
}

/// `"…".format(…)`.
pub(super) fn braces(template: &str, args: &Args) -> Result<String, Error> {
    let mut automatic = 0;
    fill(template, args, &mut automatic, 0)
}

fn fill(template: &str, args: &Args, automatic: &mut usize, depth: usize) -> Result<String, Error> {
    if depth > 2 {
        return Err(Error::compilation("Max string recursion exceeded"));
    }
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            out.push_str(brace);
            rest = after;
            continue;
        }
        if brace == "}" {
            return Err(Error::compilation("Single '}' encountered in format string"));
        }
        let end = field_end(rest).ok_or_else(|| Error::compilation("expected '}' before end of string"))?;
        let (field, spec) = rest[..end].split_once(':').unwrap_or((&rest[..end], ""));
        rest = &rest[end + 1..];
        let (name, conversion) = field.split_once('!').map_or((field, None), |(name, conversion)| (name, Some(conversion)));
        let value = lookup(name, args, automatic)?;
        let spec = if spec.contains('{') { fill(spec, args, automatic, depth + 1)? } else { spec.to_owned() };
        let value = match conversion {
            None => value,
            Some("r" | "a") => Value::from(repr(&value)),
            Some("s") => Value::from(text(&value)),
            Some(other) => return Err(Error::compilation(format!("Unknown conversion specifier '{other}'"))),
        };
        out.push_str(&formatted(&value, &spec)?);
    }
    out.push_str(rest);
    Ok(out)
}

/// Where the brace closes that opened before `rest`.
fn field_end(rest: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// `name`, `0`, `0.attribute`, `name[key]`, or nothing for the next one.
fn lookup(name: &str, args: &Args, automatic: &mut usize) -> Result<Value, Error> {
    let end = name.find(['.', '[']).unwrap_or(name.len());
    let (first, mut path) = name.split_at(end);
    let missing = |at: usize| Error::compilation(format!("Replacement index {at} out of range for positional args tuple"));
    let mut value = if first.is_empty() {
        *automatic += 1;
        args.positional.get(*automatic - 1).cloned().ok_or_else(|| missing(*automatic - 1))?
    } else if let Ok(at) = first.parse::<usize>() {
        args.positional.get(at).cloned().ok_or_else(|| missing(at))?
    } else {
        args.keyword.get(first).cloned().ok_or_else(|| Error::compilation(format!("'{first}'")))?
    };
    while !path.is_empty() {
        let next = if let Some(rest) = path.strip_prefix('.') {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            path = &rest[end..];
            attribute(&value, &rest[..end])
        } else {
            let rest = path.strip_prefix('[').unwrap_or(path);
            let (key, after) = rest.split_once(']').ok_or_else(|| Error::compilation("Missing ']' in format string"))?;
            path = after;
            item(&value, &key.parse::<i64>().map_or_else(|_| Value::from(key), Value::from))
        };
        value = next?;
    }
    Ok(value)
}

/// Python's `format(value, spec)`.
pub(super) fn formatted(value: &Value, spec: &str) -> Result<String, Error> {
    if spec.is_empty() {
        return Ok(text(value));
    }
    if let Some(number) = as_decimal(value) {
        return Spec::braces(spec)?.apply_decimal(&number.0);
    }
    if value.downcast_object_ref::<InstanceObject>().is_some() {
        return modules::format_time(value, spec)
            .ok_or_else(|| Error::compilation(format!("unsupported format string passed to {}.__format__", type_name(value))));
    }
    let spec = Spec::braces(spec)?;
    match value.kind() {
        ValueKind::Number | ValueKind::Bool if spec.kind != 's' => spec.apply(value),
        ValueKind::String => {
            if spec.kind != '\0' && spec.kind != 's' {
                let message = format!("Unknown format code '{}' for object of type 'str'", spec.kind);
                return Err(Error::compilation(message));
            }
            Ok(spec.pad(&spec.cut(text(value)), false))
        }
        _ => Err(Error::compilation(format!("unsupported format string passed to {}.__format__", type_name(value)))),
    }
}

/// `[[fill]align][sign][#][0][width][grouping][.precision][type]`.
#[derive(Debug, Default)]
struct Spec {
    fill: Option<char>,
    align: Option<char>,
    sign: Option<char>,
    alternate: bool,
    zero: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    kind: char,
}

const WIDEST: usize = 100_000;

impl Spec {
    fn braces(spec: &str) -> Result<Self, Error> {
        let mut found = Self::default();
        let mut characters: Vec<char> = spec.chars().collect();
        let is_align = |character: Option<&char>| matches!(character, Some('<' | '>' | '^' | '='));
        if is_align(characters.get(1)) {
            found.fill = Some(characters.remove(0));
        }
        if is_align(characters.first()) {
            found.align = Some(characters.remove(0));
        }
        let rest: String = characters.into_iter().collect();
        let mut rest = rest.as_str();
        let eat = |rest: &mut &str, set: &[char]| -> Option<char> {
            let first = rest.chars().next().filter(|first| set.contains(first))?;
            *rest = &rest[first.len_utf8()..];
            Some(first)
        };
        found.sign = eat(&mut rest, &['+', '-', ' ']);
        found.alternate = eat(&mut rest, &['#']).is_some();
        found.zero = eat(&mut rest, &['0']).is_some();
        found.width = digits(&mut rest).unwrap_or_default();
        found.grouping = eat(&mut rest, &[',', '_']);
        if eat(&mut rest, &['.']).is_some() {
            found.precision = Some(digits(&mut rest).ok_or_else(|| Error::compilation("Format specifier missing precision"))?);
        }
        let mut left = rest.chars();
        found.kind = left.next().unwrap_or('\0');
        if left.next().is_some() {
            return Err(Error::compilation(format!("Invalid format specifier '{spec}'")));
        }
        Ok(found)
    }

    /// Flags, width and precision of `%`, up to the conversion.
    fn percent<'t>(spec: &'t str, next: &mut impl FnMut() -> Result<Value, Error>) -> Result<(Self, &'t str), Error> {
        let mut found = Self { align: Some('>'), ..Self::default() };
        let mut rest = spec;
        while let Some(flag @ ('-' | '+' | ' ' | '#' | '0')) = rest.chars().next() {
            match flag {
                '-' => found.align = Some('<'),
                '0' => found.zero = true,
                '#' => found.alternate = true,
                '+' => found.sign = Some('+'),
                _ => found.sign = found.sign.or(Some(' ')),
            }
            rest = &rest[1..];
        }
        let mut measure = |rest: &mut &'t str| -> Result<Option<usize>, Error> {
            if let Some(after) = rest.strip_prefix('*') {
                *rest = after;
                return Ok(usize::try_from(next()?).ok().map(|width: usize| width.min(WIDEST)));
            }
            Ok(digits(rest))
        };
        found.width = measure(&mut rest)?.unwrap_or_default();
        if let Some(after) = rest.strip_prefix('.') {
            rest = after;
            found.precision = Some(measure(&mut rest)?.unwrap_or_default());
        }
        let rest = rest.trim_start_matches(['l', 'h', 'L']);
        if found.align == Some('<') {
            found.zero = false;
        } else if found.zero {
            found.align = None;
        }
        Ok((found, rest))
    }

    fn cut(&self, text: String) -> String {
        match self.precision {
            Some(most) => text.chars().take(most).collect(),
            None => text,
        }
    }

    fn pad(&self, text: &str, number: bool) -> String {
        let missing = self.width.saturating_sub(text.chars().count());
        if missing == 0 {
            return text.to_owned();
        }
        let fill = self.fill.unwrap_or(if number && self.zero { '0' } else { ' ' });
        let align = self.align.unwrap_or(match (number, self.zero) {
            (true, true) => '=',
            (true, false) => '>',
            _ => '<',
        });
        let filled = |count: usize| fill.to_string().repeat(count);
        match align {
            '<' => format!("{text}{}", filled(missing)),
            '^' => format!("{}{text}{}", filled(missing / 2), filled(missing - missing / 2)),
            '=' => {
                let sign = text.len() - text.trim_start_matches(['-', '+', ' ']).len();
                format!("{}{}{}", &text[..sign], filled(missing), &text[sign..])
            }
            _ => format!("{}{text}", filled(missing)),
        }
    }

    /// Sign, grouping and padding of digits that may begin with `-`.
    fn number(&self, digits: &str) -> String {
        let (negative, digits) = digits.strip_prefix('-').map_or((false, digits), |rest| (true, rest));
        let grouped = match self.grouping {
            Some(separator) => group(digits, separator),
            None => digits.to_owned(),
        };
        let sign = match (negative, self.sign) {
            (true, _) => "-",
            (false, Some('+')) => "+",
            (false, Some(' ')) => " ",
            _ => "",
        };
        self.pad(&format!("{sign}{grouped}"), true)
    }

    /// A decimal number: its own digits, where the format asks for no exponent.
    fn apply_decimal(&self, number: &Decimal) -> Result<String, Error> {
        let fixed = |number: &Decimal| {
            let places = self.precision.and_then(|places| i64::try_from(places).ok());
            let rounded = places.and_then(|places| number.with_places(places));
            rounded.unwrap_or_else(|| number.clone()).to_string()
        };
        match self.kind {
            'f' | 'F' => Ok(self.number(&fixed(number))),
            '%' => {
                let hundredfold = number.times(&Decimal::whole(100)).unwrap_or(Decimal::NaN);
                Ok(self.number(&format!("{}%", fixed(&hundredfold))))
            }
            '\0' if self.precision.is_none() => Ok(self.number(&number.to_string())),
            _ => self.apply(&Value::from(number.float())),
        }
    }

    fn apply(&self, value: &Value) -> Result<String, Error> {
        let whole = i128::try_from(value.clone()).ok().filter(|_| value.is_integer() || value.kind() == ValueKind::Bool);
        let float = f64::try_from(value.clone()).unwrap_or_default();
        let precision = self.precision.unwrap_or(6);
        let based = |prefix: &str, digits: String, negative: bool| {
            let prefix = if self.alternate { prefix } else { "" };
            self.number(&format!("{}{prefix}{digits}", if negative { "-" } else { "" }))
        };
        match (self.kind, whole) {
            ('\0' | 'd' | 'n', Some(whole)) if self.precision.is_none() => {
                if self.kind == '\0' && value.kind() == ValueKind::Bool && self.width == 0 {
                    return Ok(text(value));
                }
                Ok(self.number(&whole.to_string()))
            }
            ('x', Some(whole)) => Ok(based("0x", format!("{:x}", whole.unsigned_abs()), whole < 0)),
            ('X', Some(whole)) => Ok(based("0X", format!("{:X}", whole.unsigned_abs()), whole < 0)),
            ('o', Some(whole)) => Ok(based("0o", format!("{:o}", whole.unsigned_abs()), whole < 0)),
            ('b', Some(whole)) => Ok(based("0b", format!("{:b}", whole.unsigned_abs()), whole < 0)),
            ('c', Some(whole)) => {
                let character = u32::try_from(whole).ok().and_then(char::from_u32);
                Ok(self.pad(&character.map(String::from).unwrap_or_default(), false))
            }
            ('f' | 'F', _) => Ok(self.number(&format!("{float:.precision$}"))),
            ('%', _) => Ok(self.number(&format!("{:.precision$}%", float * 100.0))),
            ('e' | 'E', _) => Ok(self.number(&exponent(float, precision, self.kind))),
            ('g' | 'G' | 'n', _) => Ok(self.number(&general(float, precision.max(1), self.kind))),
            ('\0', _) => match self.precision {
                Some(precision) => Ok(self.number(&general(float, precision.max(1), 'g'))),
                None => Ok(self.number(&text(value))),
            },
            (kind, _) => {
                let message = format!("Unknown format code '{kind}' for object of type '{}'", type_name(value));
                Err(Error::compilation(message))
            }
        }
    }
}

fn digits(rest: &mut &str) -> Option<usize> {
    let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
    let number = rest[..end].parse().ok().map(|number: usize| number.min(WIDEST));
    *rest = &rest[end..];
    number
}

/// Thousands apart, in the part before the point.
fn group(digits: &str, separator: char) -> String {
    let end = digits.find(|character: char| !character.is_ascii_digit()).unwrap_or(digits.len());
    let mut out = String::new();
    for (at, digit) in digits[..end].chars().enumerate() {
        if at > 0 && (end - at).is_multiple_of(3) {
            out.push(separator);
        }
        out.push(digit);
    }
    out.push_str(&digits[end..]);
    out
}

fn exponent(number: f64, precision: usize, kind: char) -> String {
    let text = format!("{number:.precision$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
    format!("{digits}{kind}{sign}{exponent:0>2}")
}

/// Significant digits, with an exponent where that is shorter.
fn general(number: f64, precision: usize, kind: char) -> String {
    let text = format!("{number:.*e}", precision - 1);
    let power: i32 = text.split_once('e').and_then(|(_, power)| power.parse().ok()).unwrap_or_default();
    let significant = i32::try_from(precision).unwrap_or(i32::MAX);
    let trim = |text: &str| {
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
    };
    if power < -4 || power >= significant {
        let kind = if kind == 'G' { 'E' } else { 'e' };
        let text = exponent(number, precision - 1, kind);
        let (digits, exponent) = text.split_once(kind).unwrap_or((&text, "+00"));
        return format!("{}{kind}{exponent}", trim(digits));
    }
    let decimals = usize::try_from(significant - 1 - power).unwrap_or_default();
    trim(&format!("{number:.decimals$}"))
}
