//! Methods of text.

use minijinja::{State, Value};

use super::Native;
use super::list::not_iterable;
use crate::jinja::format;
use crate::jinja::value::{items, list, repr, tuple, type_name};
use crate::jinja::{Args, Error};

/// `"text".method(…)`.
pub(in crate::jinja) fn text(_state: &mut State<'_, '_>, target: &str, method: &str, args: &[Value]) -> Native {
    let args = Args::from_values(args);
    if let Some(value) = changed_case(target, method).or_else(|| tested(target, method)) {
        return Ok(value);
    }
    Ok(match method {
        "strip" | "lstrip" | "rstrip" => Value::from(strip(target, method, &args)?),
        "replace" => Value::from(replace(target, &args)?),
        "split" | "rsplit" => split(target, method == "rsplit", &args)?,
        "splitlines" => lines(target, args.truth(0, "keepends").unwrap_or_default()),
        "join" => Value::from(join(target, args.required(method, 0, "iterable")?)?),
        "startswith" | "endswith" => Value::from(affix(target, method, &args)?),
        "removeprefix" => Value::from(target.strip_prefix(&*part(&args, method, 0)?).unwrap_or(target)),
        "removesuffix" => Value::from(target.strip_suffix(&*part(&args, method, 0)?).unwrap_or(target)),
        "find" | "rfind" | "index" | "rindex" => find(target, method, &args)?,
        "count" => Value::from(count(target, &args)?),
        "partition" | "rpartition" => partition(target, method, &part(&args, method, 0)?),
        "format" => Value::from(format::braces(target, &args)?),
        "format_map" => {
            let mapping = super::mapping_pairs(args.required(method, 0, "mapping")?)?;
            let keyword = mapping.into_iter().map(|(key, value)| (crate::jinja::text(&key), value)).collect();
            Value::from(format::braces(target, &Args { positional: Vec::new(), keyword })?)
        }
        "zfill" => Value::from(zfill(target, width(&args)?)),
        "rjust" | "ljust" | "center" => Value::from(justify(target, method, width(&args)?, &fill(&args)?)),
        "expandtabs" => Value::from(expand_tabs(target, args.whole(0, "tabsize")?.unwrap_or(8))),
        "encode" => Value::from_bytes(target.as_bytes().to_vec()),
        "translate" => Value::from(translate(target, &args)?),
        _ => return super::missing(&Value::from(target), "str", method),
    })
}

fn changed_case(target: &str, method: &str) -> Option<Value> {
    Some(Value::from(match method {
        "upper" => target.to_uppercase(),
        "lower" => target.to_lowercase(),
        "casefold" => target.to_lowercase().replace('ß', "ss"),
        "capitalize" => capitalize(target),
        "title" => title(target),
        "swapcase" => target
            .chars()
            .flat_map(|character| {
                let swapped = if character.is_uppercase() {
                    character.to_lowercase().collect::<Vec<_>>()
                } else {
                    character.to_uppercase().collect()
                };
                swapped.into_iter()
            })
            .collect(),
        _ => return None,
    }))
}

pub(in crate::jinja) fn capitalize(target: &str) -> String {
    let mut characters = target.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters.as_str().to_lowercase().chars()).collect(),
        None => String::new(),
    }
}

fn title(target: &str) -> String {
    let mut within = false;
    let mut out = String::with_capacity(target.len());
    for character in target.chars() {
        if within {
            out.extend(character.to_lowercase());
        } else {
            out.extend(character.to_uppercase());
        }
        within = character.is_alphabetic();
    }
    out
}

fn tested(target: &str, method: &str) -> Option<Value> {
    let all = |test: fn(char) -> bool| !target.is_empty() && target.chars().all(test);
    let cased = |wanted: fn(&char) -> bool, other: fn(&char) -> bool| {
        target.chars().any(|character| wanted(&character)) && !target.chars().any(|character| other(&character))
    };
    Some(Value::from(match method {
        "isalpha" => all(char::is_alphabetic),
        "isalnum" => all(char::is_alphanumeric),
        "isnumeric" => all(char::is_numeric),
        "isdigit" | "isdecimal" => all(is_digit),
        "isspace" => all(char::is_whitespace),
        "isascii" => target.is_ascii(),
        "isupper" => cased(|character| character.is_uppercase(), |character| character.is_lowercase()),
        "islower" => cased(|character| character.is_lowercase(), |character| character.is_uppercase()),
        "istitle" => target.chars().any(char::is_alphabetic) && title(target) == target,
        "isidentifier" => {
            all(|character| character == '_' || character.is_alphanumeric())
                && !target.starts_with(|character: char| character.is_numeric())
        }
        "isprintable" => target.chars().all(|character| !character.is_control()),
        _ => return None,
    }))
}

/// Numeric, but no fraction and no letter-like number.
fn is_digit(character: char) -> bool {
    character.is_numeric() && !matches!(character, '\u{bc}'..='\u{be}' | '\u{2150}'..='\u{218f}')
}

/// The methods that text has.
pub(in crate::jinja) fn is_of_text(method: &str) -> bool {
    const NAMES: [&str; 24] = [
        "strip",
        "lstrip",
        "rstrip",
        "replace",
        "split",
        "rsplit",
        "splitlines",
        "join",
        "startswith",
        "endswith",
        "removeprefix",
        "removesuffix",
        "find",
        "rfind",
        "index",
        "rindex",
        "count",
        "partition",
        "rpartition",
        "format",
        "format_map",
        "zfill",
        "rjust",
        "ljust",
    ];
    const MORE: [&str; 4] = ["center", "expandtabs", "encode", "translate"];
    changed_case("", method).is_some() || tested("", method).is_some() || NAMES.contains(&method) || MORE.contains(&method)
}

/// A text argument.
fn part(args: &Args, method: &str, position: usize) -> Result<String, Error> {
    let value = args.required(method, position, "")?;
    match value.as_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(Error::compilation(format!("{method}() argument must be str, not {}", type_name(value)))),
    }
}

fn strip<'t>(target: &'t str, method: &str, args: &Args) -> Result<&'t str, Error> {
    let given = match args.given(0, "chars") {
        Some(_) => Some(part(args, method, 0)?),
        None => None,
    };
    let matches = |character: char| match &given {
        Some(characters) => characters.contains(character),
        None => character.is_whitespace(),
    };
    Ok(match method {
        "lstrip" => target.trim_start_matches(matches),
        "rstrip" => target.trim_end_matches(matches),
        _ => target.trim_matches(matches),
    })
}

fn replace(target: &str, args: &Args) -> Result<String, Error> {
    let (old, new) = (part(args, "replace", 0)?, part(args, "replace", 1)?);
    match args.whole(2, "count")?.map(usize::try_from) {
        Some(Ok(count)) => Ok(target.replacen(&old, &new, count)),
        _ => Ok(target.replace(&old, &new)),
    }
}

fn split(target: &str, from_right: bool, args: &Args) -> Native {
    let most = args.whole(1, "maxsplit")?.and_then(|most| usize::try_from(most).ok());
    let separator = args.given(0, "sep").map(|value| value.as_str().map(str::to_owned));
    let parts: Vec<&str> = match &separator {
        None => split_space(target, from_right, most),
        Some(Some(separator)) if separator.is_empty() => return Err(Error::compilation("empty separator").into()),
        Some(Some(separator)) => match (most, from_right) {
            (None, _) => target.split(separator.as_str()).collect(),
            (Some(most), false) => target.splitn(most + 1, separator.as_str()).collect(),
            (Some(most), true) => {
                let mut parts: Vec<&str> = target.rsplitn(most + 1, separator.as_str()).collect();
                parts.reverse();
                parts
            }
        },
        Some(None) => return Err(Error::compilation("must be str or None").into()),
    };
    Ok(list(parts.into_iter().map(Value::from).collect()))
}

fn split_space(target: &str, from_right: bool, most: Option<usize>) -> Vec<&str> {
    let Some(most) = most else { return target.split_whitespace().collect() };
    let mut parts = Vec::new();
    let mut rest = if from_right { target.trim_end() } else { target.trim_start() };
    while parts.len() < most {
        let cut = if from_right { rest.rfind(char::is_whitespace) } else { rest.find(char::is_whitespace) };
        let Some(at) = cut else { break };
        if from_right {
            let width = rest[at..].chars().next().map_or(1, char::len_utf8);
            parts.push(&rest[at + width..]);
            rest = rest[..at].trim_end();
        } else {
            parts.push(&rest[..at]);
            rest = rest[at..].trim_start();
        }
    }
    if parts.len() < most {
        rest = rest.trim();
    }
    if !rest.is_empty() {
        parts.push(rest);
    }
    if from_right {
        parts.reverse();
    }
    parts
}

fn lines(target: &str, keep: bool) -> Value {
    let mut found = Vec::new();
    let mut rest = target;
    while !rest.is_empty() {
        let end = rest.find(['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}']);
        let Some(end) = end else {
            found.push(Value::from(rest));
            break;
        };
        let width = if rest[end..].starts_with("\r\n") { 2 } else { rest[end..].chars().next().map_or(1, char::len_utf8) };
        found.push(Value::from(if keep { &rest[..end + width] } else { &rest[..end] }));
        rest = &rest[end + width..];
    }
    list(found)
}

fn join(target: &str, iterable: &Value) -> Result<String, Error> {
    let all = items(iterable).ok_or_else(|| not_iterable(iterable))?;
    let mut out = String::new();
    for (at, item) in all.iter().enumerate() {
        if at > 0 {
            out.push_str(target);
        }
        let Some(text) = item.as_str() else {
            let name = type_name(item);
            return Err(Error::compilation(format!("sequence item {at}: expected str instance, {name} found")));
        };
        out.push_str(text);
    }
    Ok(out)
}

fn affix(target: &str, method: &str, args: &Args) -> Result<bool, Error> {
    let target = window(target, args, 1)?.map_or("", |(_, part)| part);
    let test = |part: &str| if method == "startswith" { target.starts_with(part) } else { target.ends_with(part) };
    let wanted = args.required(method, 0, "prefix")?;
    if let Some(part) = wanted.as_str() {
        return Ok(test(part));
    }
    if !wanted.is_tuple() {
        let name = type_name(wanted);
        return Err(Error::compilation(format!("{method} first arg must be str or a tuple of str, not {name}")));
    }
    Ok(items(wanted).unwrap_or_default().iter().filter_map(Value::as_str).any(test))
}

/// The part of a text between the arguments `start` and `end` (characters), and where it starts in bytes.
fn window<'t>(target: &'t str, args: &Args, position: usize) -> Result<Option<(usize, &'t str)>, Error> {
    let (start, end) = (args.whole(position, "start")?, args.whole(position + 1, "end")?);
    if start.is_none() && end.is_none() {
        return Ok(Some((0, target)));
    }
    let length = i64::try_from(target.chars().count()).unwrap_or(i64::MAX);
    let place = |at: i64| usize::try_from(if at < 0 { (at + length).max(0) } else { at.min(length) }).unwrap_or_default();
    let byte = |at: usize| target.char_indices().nth(at).map_or(target.len(), |(byte, _)| byte);
    let (from, to) = (byte(place(start.unwrap_or(0))), byte(place(end.unwrap_or(length))));
    Ok(target.get(from..to).map(|part| (from, part)))
}

fn find(target: &str, method: &str, args: &Args) -> Native {
    let wanted = part(args, method, 0)?;
    let found = window(target, args, 1)?.and_then(|(from, part)| {
        let at = if method.starts_with('r') { part.rfind(&wanted) } else { part.find(&wanted) };
        at.map(|at| target[..from + at].chars().count())
    });
    match found {
        Some(at) => Ok(Value::from(at)),
        None if method.ends_with("index") => Err(Error::compilation("substring not found").into()),
        None => Ok(Value::from(-1)),
    }
}

fn count(target: &str, args: &Args) -> Result<usize, Error> {
    let wanted = part(args, "count", 0)?;
    let Some((_, within)) = window(target, args, 1)? else { return Ok(0) };
    Ok(if wanted.is_empty() { within.chars().count() + 1 } else { within.matches(&wanted).count() })
}

fn partition(target: &str, method: &str, separator: &str) -> Value {
    let found = if method == "partition" { target.split_once(separator) } else { target.rsplit_once(separator) };
    let parts = match (found, method) {
        (Some((before, after)), _) => [before, separator, after],
        (None, "partition") => [target, "", ""],
        (None, _) => ["", "", target],
    };
    tuple(parts.into_iter().map(Value::from).collect())
}

fn width(args: &Args) -> Result<usize, Error> {
    let width = args.whole(0, "width")?.unwrap_or_default();
    Ok(usize::try_from(width).unwrap_or_default().min(1_000_000))
}

fn fill(args: &Args) -> Result<String, Error> {
    match args.get(1, "fillchar") {
        Some(value) => match value.as_str() {
            Some(text) if text.chars().count() == 1 => Ok(text.to_owned()),
            _ => Err(Error::compilation("The fill character must be exactly one character long")),
        },
        None => Ok(" ".to_owned()),
    }
}

fn zfill(target: &str, width: usize) -> String {
    let missing = width.saturating_sub(target.chars().count());
    let (sign, digits) = match target.strip_prefix(['-', '+']) {
        Some(rest) => (&target[..1], rest),
        None => ("", target),
    };
    format!("{sign}{}{digits}", "0".repeat(missing))
}

fn justify(target: &str, method: &str, width: usize, fill: &str) -> String {
    let missing = width.saturating_sub(target.chars().count());
    let left = match method {
        "rjust" => missing,
        "ljust" => 0,
        // Python puts the odd one to the left only if the width is odd too.
        _ => missing / 2 + (missing & width & 1),
    };
    [&fill.repeat(left), target, &fill.repeat(missing - left)].concat()
}

fn expand_tabs(target: &str, size: i64) -> String {
    let size = usize::try_from(size).unwrap_or_default();
    let (mut out, mut column) = (String::new(), 0);
    for character in target.chars() {
        match character {
            '\t' => {
                let spaces = if size == 0 { 0 } else { size - column % size };
                out.push_str(&" ".repeat(spaces));
                column += spaces;
            }
            '\n' | '\r' => {
                out.push(character);
                column = 0;
            }
            _ => {
                out.push(character);
                column += 1;
            }
        }
    }
    out
}

fn translate(target: &str, args: &Args) -> Result<String, Error> {
    let table = super::mapping_pairs(args.required("translate", 0, "table")?)?;
    let mut out = String::new();
    for character in target.chars() {
        let code = Value::from(u32::from(character));
        match table.iter().find(|(key, _)| crate::jinja::equal(key, &code)) {
            Some((_, value)) if value.is_none() => {}
            Some((_, value)) => match u32::try_from(value.clone()).ok().and_then(char::from_u32) {
                Some(replaced) => out.push(replaced),
                None => out.push_str(value.as_str().ok_or_else(|| Error::compilation(repr(value)))?),
            },
            None => out.push(character),
        }
    }
    Ok(out)
}
