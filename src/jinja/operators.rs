//! Python's operators, as the filters that texts are rewritten to.

use std::cmp::Ordering;

use minijinja::value::{Rest, ValueKind};
use minijinja::{Environment, Value};

use super::value::{
    Dict, InstanceObject, Key, List, Operator, Range, Set, as_decimal, decimal, decimal_power, equal, is_defined, items, list,
    order, slice_bounds, tuple, type_name, undefined_message, write_text,
};
use super::{Error, ErrorKind, format};

const LONGEST: usize = 100_000_000;

pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("_add", |a: &Value, b: &Value| binary(Operator::Add, a, b));
    environment.add_filter("_sub", |a: &Value, b: &Value| binary(Operator::Subtract, a, b));
    environment.add_filter("_mul", |a: &Value, b: &Value| binary(Operator::Multiply, a, b));
    environment.add_filter("_div", |a: &Value, b: &Value| binary(Operator::Divide, a, b));
    environment.add_filter("_floordiv", |a: &Value, b: &Value| binary(Operator::FloorDivide, a, b));
    environment.add_filter("_mod", |a: &Value, b: &Value| binary(Operator::Modulo, a, b));
    environment.add_filter("_neg", |value: &Value| negated(value));
    environment.add_filter("_pow", |a: &Value, b: &Value| power(a, b));
    environment.add_filter("_cat", |first: &Value, rest: Rest<Value>| concatenate(first, &rest));
    environment.add_filter("_eq", |a: &Value, b: &Value| equal(a, b));
    environment.add_filter("_ne", |a: &Value, b: &Value| !equal(a, b));
    environment.add_filter("_lt", |a: &Value, b: &Value| compare("<", a, b));
    environment.add_filter("_le", |a: &Value, b: &Value| compare("<=", a, b));
    environment.add_filter("_gt", |a: &Value, b: &Value| compare(">", a, b));
    environment.add_filter("_ge", |a: &Value, b: &Value| compare(">=", a, b));
    environment.add_filter("_in", |a: &Value, b: &Value| compare("in", a, b));
    environment.add_filter("_notin", |a: &Value, b: &Value| compare("not in", a, b));
    environment.add_filter("_chain", |first: &Value, rest: Rest<Value>| chain(first, &rest));
    environment.add_filter("_list", |value: &Value| list(items(value).unwrap_or_default()));
    environment.add_filter("_dict", |value: &Value| pairs_to_dict(&items(value).unwrap_or_default()));
    environment.add_filter("_slice", |value: &Value, rest: Rest<Value>| slice(value, &rest));
}

/// `{k: v, …}` from its flat list.
fn pairs_to_dict(flat: &[Value]) -> Value {
    let pairs = flat.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone()));
    Value::from_object(Dict::new(pairs))
}

type Native = Result<Value, minijinja::Error>;

fn symbol(operator: Operator) -> &'static str {
    match operator {
        Operator::Add => "+",
        Operator::Subtract => "-",
        Operator::Multiply => "*",
        Operator::Divide => "/",
        Operator::FloorDivide => "//",
        Operator::Modulo => "%",
    }
}

/// The error of an operator that does not know its operands; of an undefined operand, that it is undefined.
fn refused(symbol: &str, a: &Value, b: &Value) -> Error {
    if let Some(message) = undefined_message(a).or_else(|| undefined_message(b)) {
        return Error::new(ErrorKind::Undefined, message);
    }
    let (left, right) = (type_name(a), type_name(b));
    let sequence = |name: &str| matches!(name, "str" | "list" | "tuple");
    if symbol == "+" && sequence(&left) {
        return Error::compilation(format!("can only concatenate {left} (not \"{right}\") to {left}"));
    }
    if symbol == "*" && (sequence(&left) || sequence(&right)) {
        let other = if sequence(&left) { right } else { left };
        return Error::compilation(format!("can't multiply sequence by non-int of type '{other}'"));
    }
    Error::compilation(format!("unsupported operand type(s) for {symbol}: '{left}' and '{right}'"))
}

fn is_number(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Number | ValueKind::Bool)
}

pub(super) fn binary(operator: Operator, a: &Value, b: &Value) -> Native {
    if is_number(a) && is_number(b) {
        return Ok(arithmetic(operator, a, b)?);
    }
    if let Some(instance) = a.downcast_object_ref::<InstanceObject>()
        && let Some(result) = instance.0.operate(operator, b, false)
    {
        return Ok(result?);
    }
    if let Some(instance) = b.downcast_object_ref::<InstanceObject>()
        && let Some(result) = instance.0.operate(operator, a, true)
    {
        return Ok(result?);
    }
    let result = match operator {
        Operator::Add => add(a, b),
        Operator::Multiply => repeat(a, b)?.or(repeat(b, a)?),
        Operator::Modulo => match a.as_str() {
            Some(text) => Some(Value::from(format::percent(text, b)?)),
            None => None,
        },
        Operator::Subtract => difference(a, b),
        Operator::Divide | Operator::FloorDivide => None,
    };
    Ok(result.ok_or_else(|| refused(symbol(operator), a, b))?)
}

fn add(a: &Value, b: &Value) -> Option<Value> {
    if let (ValueKind::String, ValueKind::String) = (a.kind(), b.kind()) {
        return Some(Value::from([a.as_str()?, b.as_str()?].concat()));
    }
    let lists = |value: &Value| value.downcast_object_ref::<List>().is_some();
    if (lists(a) && lists(b)) || (a.is_tuple() && b.is_tuple()) {
        let mut all = items(a)?;
        all.extend(items(b)?);
        return Some(if a.is_tuple() { tuple(all) } else { list(all) });
    }
    None
}

fn difference(a: &Value, b: &Value) -> Option<Value> {
    let (left, right) = (a.downcast_object_ref::<Set>()?, b.downcast_object_ref::<Set>()?);
    Some(Value::from_object(Set::new(left.snapshot().into_iter().filter(|item| !right.contains(item)))))
}

fn repeat(value: &Value, times: &Value) -> Result<Option<Value>, Error> {
    if !times.is_integer() && times.kind() != ValueKind::Bool {
        return Ok(None);
    }
    let times = usize::try_from(i64::try_from(times.clone()).unwrap_or_default()).unwrap_or_default();
    let too_long = |length: usize| length.saturating_mul(times) > LONGEST;
    if let (Some(text), ValueKind::String) = (value.as_str(), value.kind()) {
        if too_long(text.len()) {
            return Err(Error::compilation("repeated text is too long"));
        }
        return Ok(Some(Value::from(text.repeat(times))));
    }
    let is_list = value.downcast_object_ref::<List>().is_some();
    if !is_list && !value.is_tuple() {
        return Ok(None);
    }
    let all = items(value).unwrap_or_default();
    if too_long(all.len()) {
        return Err(Error::compilation("repeated list is too long"));
    }
    let repeated = std::iter::repeat_n(&all, times).flatten().cloned().collect();
    Ok(Some(if is_list { list(repeated) } else { tuple(repeated) }))
}

fn whole(value: &Value) -> Option<i128> {
    if value.is_integer() || value.kind() == ValueKind::Bool { i128::try_from(value.clone()).ok() } else { None }
}

fn float(value: &Value) -> f64 {
    f64::try_from(value.clone()).unwrap_or(f64::NAN)
}

/// A whole number in the smallest form.
pub(super) fn integer(number: i128) -> Value {
    i64::try_from(number).map_or_else(|_| Value::from(number), Value::from)
}

fn arithmetic(operator: Operator, a: &Value, b: &Value) -> Result<Value, Error> {
    let zero = |what: &str| Error::compilation(what.to_owned());
    if let (Some(left), Some(right)) = (whole(a), whole(b)) {
        let overflow = || Error::compilation("integer is too large");
        let result = match operator {
            Operator::Add => left.checked_add(right).ok_or_else(overflow)?,
            Operator::Subtract => left.checked_sub(right).ok_or_else(overflow)?,
            Operator::Multiply => left.checked_mul(right).ok_or_else(overflow)?,
            Operator::Divide if right == 0 => return Err(zero("division by zero")),
            Operator::Divide => return Ok(Value::from(float(a) / float(b))),
            Operator::FloorDivide if right == 0 => return Err(zero("integer division or modulo by zero")),
            Operator::Modulo if right == 0 => return Err(zero("integer modulo by zero")),
            Operator::FloorDivide => floor_divide(left, right),
            Operator::Modulo => left - right * floor_divide(left, right),
        };
        return Ok(integer(result));
    }
    let (left, right) = (float(a), float(b));
    let result = match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide if right == 0.0 => return Err(zero("float division by zero")),
        Operator::Divide => left / right,
        Operator::FloorDivide if right == 0.0 => return Err(zero("float floor division by zero")),
        Operator::FloorDivide => (left / right).floor(),
        Operator::Modulo if right == 0.0 => return Err(zero("float modulo by zero")),
        Operator::Modulo => left - right * (left / right).floor(),
    };
    Ok(Value::from(result))
}

fn floor_divide(left: i128, right: i128) -> i128 {
    let quotient = left / right;
    if left % right != 0 && (left < 0) != (right < 0) { quotient - 1 } else { quotient }
}

/// `-value`.
fn negated(value: &Value) -> Native {
    if is_number(value) {
        return Ok(match whole(value) {
            Some(whole) => integer(-whole),
            None => Value::from(-float(value)),
        });
    }
    if let Some(number) = as_decimal(value) {
        return Ok(decimal(number.0.opposite()));
    }
    let Some(instance) = value.downcast_object_ref::<InstanceObject>() else {
        return Err(match undefined_message(value) {
            Some(message) => Error::new(ErrorKind::Undefined, message).into(),
            None => Error::compilation(format!("bad operand type for unary -: '{}'", type_name(value))).into(),
        });
    };
    let result = instance.0.operate(Operator::Multiply, &Value::from(-1), false);
    Ok(result.ok_or_else(|| Error::compilation(format!("bad operand type for unary -: '{}'", type_name(value))))??)
}

fn power(a: &Value, b: &Value) -> Native {
    if let Some(result) = decimal_power(a, b) {
        return Ok(result?);
    }
    if !is_number(a) || !is_number(b) {
        return Err(refused("** or pow()", a, b).into());
    }
    if let (Some(base), Some(exponent)) = (whole(a), whole(b))
        && let Ok(exponent) = u32::try_from(exponent)
    {
        let result = base.checked_pow(exponent).ok_or_else(|| Error::compilation("integer is too large"))?;
        return Ok(integer(result));
    }
    if float(a) == 0.0 && float(b) < 0.0 {
        return Err(Error::compilation("0.0 cannot be raised to a negative power").into());
    }
    Ok(Value::from(float(a).powf(float(b))))
}

fn concatenate(first: &Value, rest: &[Value]) -> Value {
    let mut out = String::new();
    write_text(&mut out, first);
    for value in rest {
        write_text(&mut out, value);
    }
    Value::from(out)
}

/// `a <operator> b` for comparisons and membership.
pub(super) fn compare(operator: &str, a: &Value, b: &Value) -> Result<bool, minijinja::Error> {
    let test: fn(Ordering) -> bool = match operator {
        "==" => return Ok(equal(a, b)),
        "!=" => return Ok(!equal(a, b)),
        "in" => return Ok(contains(b, a)?),
        "not in" => return Ok(!contains(b, a)?),
        "<" => Ordering::is_lt,
        "<=" => Ordering::is_le,
        ">" => Ordering::is_gt,
        _ => Ordering::is_ge,
    };
    match order(a, b) {
        Ok(order) => Ok(order.is_some_and(test)),
        Err((left, right)) => {
            if let Some(message) = undefined_message(a).or_else(|| undefined_message(b)) {
                return Err(Error::new(ErrorKind::Undefined, message).into());
            }
            let message = format!("'{operator}' not supported between instances of '{left}' and '{right}'");
            Err(Error::compilation(message).into())
        }
    }
}

fn chain(first: &Value, rest: &[Value]) -> Result<bool, minijinja::Error> {
    let mut left = first;
    for link in rest.chunks_exact(2) {
        if !compare(link[0].as_str().unwrap_or_default(), left, &link[1])? {
            return Ok(false);
        }
        left = &link[1];
    }
    Ok(true)
}

/// Python's `item in container`.
pub(super) fn contains(container: &Value, item: &Value) -> Result<bool, Error> {
    if let Some(dict) = container.downcast_object_ref::<Dict>() {
        return Ok(dict.get(item).is_some());
    }
    if let Some(found) = container.downcast_object_ref::<List>() {
        return Ok(found.snapshot().iter().any(|other| equal(other, item)));
    }
    if let Some(set) = container.downcast_object_ref::<Set>() {
        return Ok(set.lock().contains(&Key(item.clone())));
    }
    if container.kind() == ValueKind::String {
        let text = container.as_str().unwrap_or_default();
        return match item.as_str() {
            Some(part) => Ok(text.contains(part)),
            None if !is_defined(item) => Err(Error::new(ErrorKind::Undefined, undefined_message(item).unwrap_or_default())),
            None => {
                let name = type_name(item);
                Err(Error::compilation(format!("'in <string>' requires string as left operand, not {name}")))
            }
        };
    }
    if container.downcast_object_ref::<InstanceObject>().is_none() && container.kind() == ValueKind::Map {
        // `context` and packages know more names than they list.
        return Ok(container.get_item(item).is_ok_and(|found| is_defined(&found)));
    }
    match items(container) {
        Some(items) => Ok(items.iter().any(|other| equal(other, item))),
        None => Err(Error::compilation(format!("argument of type '{}' is not iterable", type_name(container)))),
    }
}

/// `value[start:stop:step]`.
fn slice(value: &Value, bounds: &[Value]) -> Native {
    let bound = |at: usize| -> Result<Option<i64>, Error> {
        match bounds.get(at).filter(|bound| !bound.is_none()) {
            None => Ok(None),
            Some(bound) => i64::try_from(bound.clone())
                .map(Some)
                .map_err(|_| Error::compilation("slice indices must be integers or None or have an __index__ method")),
        }
    };
    let (start, stop, step) = (bound(0)?, bound(1)?, bound(2)?.unwrap_or(1));
    if step == 0 {
        return Err(Error::compilation("slice step cannot be zero").into());
    }
    if value.kind() == ValueKind::String {
        let characters: Vec<char> = value.as_str().unwrap_or_default().chars().collect();
        let picked = picked(characters.len(), start, stop, step);
        return Ok(Value::from(picked.filter_map(|at| characters.get(at)).collect::<String>()));
    }
    if !is_defined(value) {
        if super::render::captures() {
            return Ok(value.clone());
        }
        return Err(Error::new(ErrorKind::Undefined, undefined_message(value).unwrap_or_default()).into());
    }
    let all = match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => items(value),
        _ => None,
    };
    if let Some(range) = value.downcast_object_ref::<Range>() {
        return Ok(Value::from_object(range.slice(start, stop, step)));
    }
    let Some(all) = all else {
        return Err(Error::compilation(format!("'{}' object is not subscriptable", type_name(value))).into());
    };
    let picked = picked(all.len(), start, stop, step).filter_map(|at| all.get(at).cloned()).collect();
    Ok(if value.is_tuple() { tuple(picked) } else { list(picked) })
}

/// The places that a slice picks.
fn picked(length: usize, start: Option<i64>, stop: Option<i64>, step: i64) -> impl Iterator<Item = usize> {
    let (start, stop) = slice_bounds(length, start, stop, step);
    std::iter::successors(Some(start), move |at| at.checked_add(step))
        .take_while(move |at| if step > 0 { *at < stop } else { *at > stop })
        .filter_map(|at| usize::try_from(at).ok())
}
