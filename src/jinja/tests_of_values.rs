//! Jinja2's tests: `value is name(arguments)`.

use minijinja::value::ValueKind;
use minijinja::{Environment, Value};

use super::operators::{compare, contains};
use super::value::{Bound, Dict, Function, InstanceObject, Set, as_decimal, equal, is_defined, pairs};
use super::{Args, Cx, Error, filters};

pub(super) fn register(environment: &mut Environment<'static>) {
    let mut add = |name: &'static str, test: fn(&Value) -> bool| environment.add_test(name, test);
    add("defined", is_defined);
    add("undefined", |value| !is_defined(value));
    add("_missing", Value::is_undefined);
    add("none", Value::is_none);
    add("boolean", |value| value.kind() == ValueKind::Bool);
    add("true", |value| value.kind() == ValueKind::Bool && value.is_true());
    add("false", |value| value.kind() == ValueKind::Bool && !value.is_true());
    add("integer", Value::is_integer);
    add("float", |value| value.is_number() && !value.is_integer());
    add("number", |value| value.is_number() || value.kind() == ValueKind::Bool || as_decimal(value).is_some());
    add("string", |value| value.kind() == ValueKind::String);
    add("mapping", is_mapping);
    add("sequence", is_sequence);
    add("iterable", is_iterable);
    add("callable", is_callable);
    add("lower", |value| value.as_str().is_some_and(|text| text == text.to_lowercase() && has_case(text)));
    add("upper", |value| value.as_str().is_some_and(|text| text == text.to_uppercase() && has_case(text)));
    add("escaped", |_| false);
    add("filter", |value| value.as_str().is_some_and(filters::is_known));
    add("test", |value| value.as_str().is_some_and(|name| NAMES.contains(&name)));
    environment.add_test("odd", |value: &Value| remainder(value, 2).map(|left| left == 1));
    environment.add_test("even", |value: &Value| remainder(value, 2).map(|left| left == 0));
    environment.add_test("divisibleby", |value: &Value, by: i64| remainder(value, by).map(|left| left == 0));
    environment.add_test("sameas", |value: &Value, other: &Value| same(value, other));
    environment
        .add_test("in", |value: &Value, container: &Value| -> Result<bool, minijinja::Error> { Ok(contains(container, value)?) });
    for (names, operator) in COMPARISONS {
        for name in *names {
            environment.add_test(*name, move |a: &Value, b: &Value| compare(operator, a, b));
        }
    }
}

const COMPARISONS: &[(&[&str], &str)] = &[
    (&["eq", "equalto", "=="], "=="),
    (&["ne", "!="], "!="),
    (&["lt", "lessthan", "<"], "<"),
    (&["le", "<="], "<="),
    (&["gt", "greaterthan", ">"], ">"),
    (&["ge", ">="], ">="),
];

const NAMES: [&str; 24] = [
    "defined",
    "undefined",
    "none",
    "boolean",
    "true",
    "false",
    "integer",
    "float",
    "number",
    "string",
    "mapping",
    "sequence",
    "iterable",
    "callable",
    "lower",
    "upper",
    "escaped",
    "filter",
    "test",
    "odd",
    "even",
    "divisibleby",
    "sameas",
    "in",
];

/// Applies a test by name: what `select` and its like do.
pub(super) fn apply(cx: &mut Cx<'_>, name: &str, value: &Value, args: &Args) -> Result<bool, Error> {
    let mut all = vec![value.clone()];
    all.extend(args.clone().into_values());
    cx.test(name, &all)
}

fn has_case(text: &str) -> bool {
    text.chars().any(|character| character.is_lowercase() || character.is_uppercase())
}

fn remainder(value: &Value, by: i64) -> Result<i128, minijinja::Error> {
    let decimal = as_decimal(value).and_then(|decimal| decimal.0.as_whole());
    match decimal.map_or_else(|| i128::try_from(value.clone()), Ok) {
        Ok(number) if by != 0 => Ok(number.rem_euclid(i128::from(by))),
        _ => Err(Error::compilation("not all arguments converted during string formatting").into()),
    }
}

fn same(a: &Value, b: &Value) -> bool {
    match (a.as_object(), b.as_object()) {
        // Two handles on one object print one address.
        (Some(_), Some(_)) => address(a) == address(b) && address(a).is_some(),
        (None, None) => a.kind() == b.kind() && a.is_integer() == b.is_integer() && equal(a, b),
        _ => false,
    }
}

fn address(value: &Value) -> Option<usize> {
    let address = |object: Option<*const ()>| object.map(<*const ()>::addr);
    address(value.downcast_object_ref::<super::List>().map(|found| std::ptr::from_ref(found).cast()))
        .or_else(|| address(value.downcast_object_ref::<Dict>().map(|found| std::ptr::from_ref(found).cast())))
        .or_else(|| address(value.downcast_object_ref::<Set>().map(|found| std::ptr::from_ref(found).cast())))
        .or_else(|| address(value.downcast_object_ref::<InstanceObject>().map(|found| std::ptr::from_ref(found).cast())))
}

pub(super) fn is_mapping(value: &Value) -> bool {
    match value.downcast_object_ref::<InstanceObject>() {
        Some(instance) => instance.0.is_mapping(),
        None => pairs(value).is_some(),
    }
}

fn is_sequence(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::String | ValueKind::Seq | ValueKind::Map) || !is_defined(value)
}

fn is_iterable(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::String | ValueKind::Seq | ValueKind::Map | ValueKind::Iterable) || !is_defined(value)
}

pub(super) fn is_callable(value: &Value) -> bool {
    if let Some(instance) = value.downcast_object_ref::<InstanceObject>() {
        return instance.0.is_callable();
    }
    if value.downcast_object_ref::<Function>().is_some()
        || value.downcast_object_ref::<Bound>().is_some()
        || value.downcast_object_ref::<super::macros::MacroObject>().is_some()
    {
        return true;
    }
    if value.downcast_object_ref::<Dict>().is_some() {
        return false;
    }
    // What is left are minijinja's own: its macros show their name.
    let is_macro = |value: &Value| value.as_object().is_some_and(|object| object.to_string().starts_with("<macro "));
    !is_defined(value) || value.kind() == ValueKind::Plain || (pairs(value).is_some() && is_macro(value))
}
