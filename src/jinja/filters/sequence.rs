//! Filters of lists and mappings.

use std::cmp::Ordering;

use minijinja::Value;

use super::{Filter, Path, after, folded};
use crate::jinja::operators::binary;
use crate::jinja::tests_of_values::apply;
use crate::jinja::value::{
    Bound, Generator, Operator, Undefined, attribute, equal, is_defined, items, list, order, pairs, text, tuple, type_name,
    undefined_message,
};
use crate::jinja::{Args, Cx, Error, ErrorKind, fault, methods};

pub(super) const FILTERS: &[(&str, Filter)] = &[
    ("length", length),
    ("count", length),
    ("list", |_, args| Ok(list(all(args.subject())?))),
    ("first", |_, args| Ok(all(args.subject())?.into_iter().next().unwrap_or_else(|| nothing("first")))),
    ("last", |_, args| Ok(all(args.subject())?.pop().unwrap_or_else(|| nothing("last")))),
    ("random", random),
    ("reverse", |_, args| {
        let subject = args.subject();
        if let Some(text) = subject.as_str() {
            return Ok(Value::from(text.chars().rev().collect::<String>()));
        }
        let mut reversed = all(subject)?;
        reversed.reverse();
        Ok(Generator::value("reversed", reversed))
    }),
    ("sort", sort),
    ("unique", unique),
    ("min", |_, args| extreme(args, Ordering::Less)),
    ("max", |_, args| extreme(args, Ordering::Greater)),
    ("sum", sum),
    ("map", map),
    ("select", |cx, args| select(cx, args, false, true)),
    ("reject", |cx, args| select(cx, args, false, false)),
    ("selectattr", |cx, args| select(cx, args, true, true)),
    ("rejectattr", |cx, args| select(cx, args, true, false)),
    ("groupby", group_by),
    ("batch", batch),
    ("slice", slice),
    ("dictsort", dict_sort),
    ("items", |_, args| {
        if !is_defined(args.subject()) {
            return Ok(Generator::value("do_items", Vec::new()));
        }
        let pairs = pairs(args.subject()).ok_or_else(|| Error::compilation("Can only get item pairs from a mapping."))?;
        Ok(Generator::value("do_items", pairs.into_iter().map(|(key, value)| tuple(vec![key, value])).collect()))
    }),
    ("attr", |_, args| {
        let name = text(args.required("attr", 1, "name")?);
        only_attribute(args.subject(), &name)
    }),
    ("default", |_, args| Ok(default(args))),
    ("d", |_, args| Ok(default(args))),
    ("is_list", |_, args| Ok(Value::from(type_name(args.subject()) == "list"))),
];

pub(super) fn not_iterable(value: &Value) -> Error {
    Error::compilation(format!("'{}' object is not iterable", type_name(value)))
}

/// The items of a filter's subject.
fn all(value: &Value) -> Result<Vec<Value>, Error> {
    items(value).ok_or_else(|| not_iterable(value))
}

/// The items of a filter's subject; none where there is no subject, be it undefined or None.
fn some(value: &Value) -> Result<Vec<Value>, Error> {
    if is_defined(value) && !value.is_none() { all(value) } else { Ok(Vec::new()) }
}

fn nothing(filter: &str) -> Value {
    Undefined::saying(&format!("No {filter} item, sequence was empty."))
}

/// An attribute, never an item.
fn only_attribute(value: &Value, name: &str) -> Result<Value, Error> {
    let missing = || Undefined::missing(&format!("{} object", type_name(value)), &Value::from(name));
    if value.as_str().is_some() && methods::is_of_text(name) {
        return Ok(Bound::value(value.clone(), name));
    }
    if pairs(value).is_some() && value.downcast_object_ref::<crate::jinja::value::InstanceObject>().is_none() {
        return Ok(missing());
    }
    let found = attribute(value, name)?;
    Ok(if found.is_undefined() { missing() } else { found })
}

fn length(_cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
    let subject = args.subject();
    if !is_defined(subject) {
        return Ok(Value::from(0));
    }
    match subject.len() {
        Some(length) => Ok(Value::from(length)),
        None => Err(Error::compilation(format!("object of type '{}' has no len()", type_name(subject)))),
    }
}

fn random(_cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
    let all = all(args.subject())?;
    let seed = std::hash::BuildHasher::hash_one(&std::collections::hash_map::RandomState::new(), all.len());
    let at = usize::try_from(seed).unwrap_or_default().checked_rem(all.len());
    Ok(at.and_then(|at| all.get(at).cloned()).unwrap_or_else(|| nothing("random")))
}

fn default(args: &Args) -> Value {
    let subject = args.subject();
    let falsy = args.truth(2, "boolean").unwrap_or_default();
    if !is_defined(subject) || (falsy && !subject.is_true()) {
        return args.get(1, "default_value").cloned().unwrap_or_else(|| Value::from(""));
    }
    subject.clone()
}

/// Sorts as Python does: stable, and an error where two items have no order.
pub(in crate::jinja) fn sort_by_key(mut keyed: Vec<(Value, Value)>, reverse: bool) -> Result<Vec<Value>, Error> {
    let mut fault = None;
    keyed.sort_by(|(a, _), (b, _)| {
        let ordering = match order(a, b) {
            Ok(ordering) => ordering.unwrap_or(Ordering::Equal),
            Err((left, right)) => {
                fault.get_or_insert_with(|| unordered(a, b, &left, &right));
                Ordering::Equal
            }
        };
        if reverse { ordering.reverse() } else { ordering }
    });
    match fault {
        Some(fault) => Err(fault),
        None => Ok(keyed.into_iter().map(|(_, item)| item).collect()),
    }
}

fn unordered(a: &Value, b: &Value, left: &str, right: &str) -> Error {
    match undefined_message(a).or_else(|| undefined_message(b)) {
        Some(message) => Error::new(ErrorKind::Undefined, message),
        None => Error::compilation(format!("'<' not supported between instances of '{left}' and '{right}'")),
    }
}

/// What `attribute` of an item is compared by, without regard to case unless it is asked for.
fn sort_key(item: &Value, paths: &[Path], case: bool) -> Result<Value, Error> {
    let fold = |value: Value| if case { value } else { folded(value) };
    match paths {
        [] => Ok(fold(item.clone())),
        [path] => Ok(fold(path.of(item, None)?)),
        paths => paths.iter().map(|path| path.of(item, None).map(fold)).collect::<Result<_, _>>().map(tuple),
    }
}

/// The `attribute` argument: names apart by commas for `sort`.
fn paths(attribute: Option<&Value>) -> Vec<Path> {
    match attribute {
        Some(attribute) => match attribute.as_str() {
            Some(names) => names.split(',').map(|name| Path::new(&Value::from(name))).collect(),
            None => vec![Path::new(attribute)],
        },
        None => Vec::new(),
    }
}

fn keyed(all: Vec<Value>, paths: &[Path], case: bool) -> Result<Vec<(Value, Value)>, Error> {
    all.into_iter().map(|item| Ok((sort_key(&item, paths, case)?, item))).collect()
}

fn sort(_cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
    let reverse = args.truth(1, "reverse").unwrap_or_default();
    let case = args.truth(2, "case_sensitive").unwrap_or_default();
    let keyed = keyed(all(args.subject())?, &paths(args.given(3, "attribute")), case)?;
    Ok(list(sort_by_key(keyed, reverse)?))
}

fn unique(_cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
    let case = args.truth(1, "case_sensitive").unwrap_or_default();
    let path = args.given(2, "attribute").map(Path::new);
    let mut seen = indexmap::IndexSet::new();
    let mut kept = Vec::new();
    for item in all(args.subject())? {
        let key = sort_key(&item, path.as_slice(), case)?;
        if seen.insert(crate::jinja::value::Key(key)) {
            kept.push(item);
        }
    }
    Ok(Generator::value("do_unique", kept))
}

fn extreme(args: &Args, wanted: Ordering) -> Result<Value, Error> {
    let case = args.truth(1, "case_sensitive").unwrap_or_default();
    let path = args.given(2, "attribute").map(Path::new);
    let mut best: Option<(Value, Value)> = None;
    for (key, item) in keyed(all(args.subject())?, path.as_slice(), case)? {
        let better = match &best {
            None => true,
            Some((other, _)) => match order(&key, other) {
                Ok(ordering) => ordering == Some(wanted),
                Err((left, right)) => return Err(unordered(&key, other, &left, &right)),
            },
        };
        if better {
            best = Some((key, item));
        }
    }
    Ok(best.map_or_else(|| Undefined::saying("No aggregated item, sequence was empty."), |(_, item)| item))
}

fn sum(_cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
    let path = args.given(1, "attribute").map(Path::new);
    let mut total = args.get(2, "start").cloned().unwrap_or_else(|| Value::from(0));
    for item in all(args.subject())? {
        let item = match &path {
            Some(path) => path.of(&item, None)?,
            None => item,
        };
        total = binary(Operator::Add, &total, &item).map_err(|error| fault::from_native(&error, None))?;
    }
    Ok(total)
}

fn map(cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
    let all = some(args.subject())?;
    let mut mapped = Vec::with_capacity(all.len());
    if let Some(attribute) = args.keyword.get("attribute").filter(|_| args.positional.len() == 1) {
        let path = Path::new(attribute);
        for item in &all {
            mapped.push(path.of(item, args.keyword.get("default"))?);
        }
        return Ok(Generator::value("sync_do_map", mapped));
    }
    let name = text(args.positional.get(1).ok_or_else(|| Error::compilation("map requires a filter argument"))?);
    let rest = after(args, 2).into_values();
    for item in all {
        let mut values = vec![item];
        values.extend(rest.iter().cloned());
        mapped.push(cx.filter(&name, &values)?);
    }
    Ok(Generator::value("sync_do_map", mapped))
}

/// `select`, `reject`, `selectattr`, `rejectattr`: keeps what passes a test, or what does not.
fn select(cx: &mut Cx<'_>, args: &Args, by_attribute: bool, keep: bool) -> Result<Value, Error> {
    let all = some(args.subject())?;
    let first = if by_attribute { 2 } else { 1 };
    let path = if by_attribute {
        Some(Path::new(args.positional.get(1).ok_or_else(|| Error::compilation("Missing parameter for attribute name"))?))
    } else {
        None
    };
    let test = args.positional.get(first).map(text);
    let rest = after(args, first + 1);
    let mut kept = Vec::new();
    for item in all {
        let subject = match &path {
            Some(path) => path.of(&item, None)?,
            None => item.clone(),
        };
        let passes = match &test {
            Some(test) => apply(cx, test, &subject, &rest)?,
            None => subject.is_true(),
        };
        if passes == keep {
            kept.push(item);
        }
    }
    Ok(Generator::value("select_or_reject", kept))
}

fn group_by(_cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
    let path = Path::new(args.required("groupby", 1, "attribute")?);
    let default = args.given(2, "default");
    let case = args.truth(3, "case_sensitive").unwrap_or_default();
    let mut keyed = Vec::new();
    for item in all(args.subject())? {
        let key = path.of(&item, default)?;
        let fold = if case { key.clone() } else { folded(key.clone()) };
        keyed.push((fold.clone(), tuple(vec![fold, key, item])));
    }
    let mut groups: Vec<(Value, Value, Vec<Value>)> = Vec::new();
    for entry in sort_by_key(keyed, false)? {
        let Some([fold, key, item]) = items(&entry).and_then(|parts| <[Value; 3]>::try_from(parts).ok()) else { continue };
        match groups.last_mut() {
            Some((last, _, members)) if equal(last, &fold) => members.push(item),
            _ => groups.push((fold, key, vec![item])),
        }
    }
    Ok(list(groups.into_iter().map(|(_, key, members)| super::convert::group(key, list(members))).collect()))
}

fn count(args: &Args, filter: &str, name: &str) -> Result<usize, Error> {
    args.required(filter, 1, name)?;
    let count = args.whole(1, name)?.unwrap_or_default();
    usize::try_from(count)
        .ok()
        .filter(|count| *count > 0)
        .ok_or_else(|| Error::compilation(format!("{filter} needs a positive {name}")))
}

fn batch(_cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
    let (size, fill) = (count(args, "batch", "linecount")?, args.given(2, "fill_with"));
    let all = all(args.subject())?;
    let mut rows: Vec<Value> = Vec::new();
    for chunk in all.chunks(size) {
        let mut row = chunk.to_vec();
        if let Some(fill) = fill {
            row.resize(size, fill.clone());
        }
        rows.push(list(row));
    }
    Ok(Generator::value("do_batch", rows))
}

fn slice(_cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
    let (slices, fill) = (count(args, "slice", "slices")?, args.given(2, "fill_with"));
    let all = all(args.subject())?;
    let (size, extra) = (all.len() / slices, all.len() % slices);
    let mut rest = all.as_slice();
    let mut columns = Vec::new();
    for number in 0..slices {
        let (column, after) = rest.split_at((size + usize::from(number < extra)).min(rest.len()));
        rest = after;
        let mut column = column.to_vec();
        if let Some(fill) = fill.filter(|_| number >= extra && extra > 0) {
            column.push(fill.clone());
        }
        columns.push(list(column));
    }
    Ok(Generator::value("sync_do_slice", columns))
}

fn dict_sort(_cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
    let case = args.truth(1, "case_sensitive").unwrap_or_default();
    let by = args.text(2, "by").unwrap_or_else(|| "key".to_owned());
    let reverse = args.truth(3, "reverse").unwrap_or_default();
    let pairs = pairs(args.subject()).ok_or_else(|| not_iterable(args.subject()))?;
    let keyed = pairs
        .into_iter()
        .map(|(key, value)| {
            let sort = if by == "value" { value.clone() } else { key.clone() };
            (if case { sort } else { folded(sort) }, tuple(vec![key, value]))
        })
        .collect();
    Ok(list(sort_by_key(keyed, reverse)?))
}
