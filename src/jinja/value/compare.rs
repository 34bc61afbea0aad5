//! Python's `==`, `<` and hashing.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use indexmap::Equivalent;
use minijinja::Value;
use minijinja::value::ValueKind;

use super::{Dict, InstanceObject, List, Set, as_decimal, is_defined, pairs, type_name};

/// Nesting beyond this is taken for a container that holds itself.
const DEEPEST: usize = 200;

/// Python's `a == b`.
pub fn equal(a: &Value, b: &Value) -> bool {
    equal_at(a, b, 0)
}

fn equal_at(a: &Value, b: &Value, depth: usize) -> bool {
    if depth > DEEPEST {
        return false;
    }
    match (a.as_object(), b.as_object()) {
        (None, None) => match (a.kind(), b.kind()) {
            (ValueKind::Bool | ValueKind::Number, ValueKind::Bool | ValueKind::Number) => {
                number_order(a, b) == Some(Ordering::Equal)
            }
            (left, right) => left == right && a == b,
        },
        (Some(_), Some(_)) => {
            if !is_defined(a) || !is_defined(b) {
                return is_defined(a) == is_defined(b);
            }
            if let Some(instance) = a.downcast_object_ref::<InstanceObject>() {
                return instance.0.equals(b);
            }
            if let (Some(left), Some(right)) = (set_items(a), set_items(b)) {
                return left.len() == right.len() && left.iter().all(|item| contains_item(&right, item));
            }
            if let (Some(left), Some(right)) = (sequence(a), sequence(b)) {
                let same = a.is_tuple() == b.is_tuple() && left.len() == right.len();
                return same && left.iter().zip(&right).all(|(left, right)| equal_at(left, right, depth + 1));
            }
            if let (Some(left), Some(right)) = (a.downcast_object_ref::<Dict>(), b.downcast_object_ref::<Dict>()) {
                let pairs = left.pairs();
                return pairs.len() == right.len()
                    && pairs.iter().all(|(key, value)| right.get(key).is_some_and(|other| equal_at(value, &other, depth + 1)));
            }
            if let (Some(left), Some(right)) = (pairs(a), pairs(b)) {
                let get = |key: &Value| right.iter().find(|(other, _)| equal_at(key, other, depth + 1)).map(|(_, value)| value);
                return left.len() == right.len()
                    && left.iter().all(|(key, value)| get(key).is_some_and(|other| equal_at(value, other, depth + 1)));
            }
            a == b
        }
        (Some(_), None) => match a.downcast_object_ref::<InstanceObject>() {
            Some(instance) => instance.0.equals(b),
            None => !is_defined(a) && b.is_undefined(),
        },
        (None, Some(_)) => equal_at(b, a, depth + 1),
    }
}

fn contains_item(items: &[Value], wanted: &Value) -> bool {
    items.iter().any(|item| equal(item, wanted))
}

fn set_items(value: &Value) -> Option<Vec<Value>> {
    value.downcast_object_ref::<Set>().map(Set::snapshot)
}

/// The items of a list or tuple.
fn sequence(value: &Value) -> Option<Vec<Value>> {
    if let Some(list) = value.downcast_object_ref::<List>() {
        return Some(list.snapshot());
    }
    if value.kind() == ValueKind::Seq { value.try_iter().ok().map(Iterator::collect) } else { None }
}

fn float(value: &Value) -> Option<f64> {
    f64::try_from(value.clone()).ok()
}

fn number_order(a: &Value, b: &Value) -> Option<Ordering> {
    match (i128::try_from(a.clone()), i128::try_from(b.clone())) {
        (Ok(left), Ok(right)) if is_whole(a) && is_whole(b) => Some(left.cmp(&right)),
        _ => float(a)?.partial_cmp(&float(b)?),
    }
}

fn is_whole(value: &Value) -> bool {
    value.is_integer() || value.kind() == ValueKind::Bool
}

/// How Python orders two values; Err names the types it cannot order.
pub fn order(a: &Value, b: &Value) -> Result<Option<Ordering>, (String, String)> {
    let unordered = || Err((type_name(a), type_name(b)));
    match (a.kind(), b.kind()) {
        (ValueKind::Bool | ValueKind::Number, ValueKind::Bool | ValueKind::Number) => Ok(number_order(a, b)),
        (ValueKind::String, ValueKind::String) => Ok(a.as_str().partial_cmp(&b.as_str())),
        _ => {
            if let Some(instance) = a.downcast_object_ref::<InstanceObject>() {
                return instance.0.compare(b).map_or_else(unordered, |order| Ok(Some(order)));
            }
            if let (Some(left), Some(right)) = (set_items(a), set_items(b)) {
                return Ok(subset_order(&left, &right));
            }
            if let Some(instance) = b.downcast_object_ref::<InstanceObject>() {
                return instance.0.compare(a).map_or_else(unordered, |order| Ok(Some(order.reverse())));
            }
            let (Some(left), Some(right)) = (sequence(a), sequence(b)) else { return unordered() };
            if a.is_tuple() != b.is_tuple() {
                return unordered();
            }
            for (left, right) in left.iter().zip(&right) {
                if !equal(left, right) {
                    return order(left, right);
                }
            }
            Ok(Some(left.len().cmp(&right.len())))
        }
    }
}

fn subset_order(left: &[Value], right: &[Value]) -> Option<Ordering> {
    let within = |small: &[Value], large: &[Value]| small.iter().all(|item| contains_item(large, item));
    match (within(left, right), within(right, left)) {
        (true, true) => Some(Ordering::Equal),
        (true, false) => Some(Ordering::Less),
        (false, true) => Some(Ordering::Greater),
        (false, false) => None,
    }
}

/// A value as a dict's key: equal and hashed as in Python, where `1`, `1.0` and `True` are one key.
#[derive(Debug, Clone)]
pub(crate) struct Key(pub Value);

/// A text to look a [`Key`] up by.
pub(super) struct TextKey<'a>(pub &'a str);

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        match (self.0.as_str(), other.0.as_str()) {
            (Some(left), Some(right)) => left == right,
            _ => equal(&self.0, &other.0),
        }
    }
}

impl Eq for Key {}

impl Equivalent<Key> for TextKey<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        key.0.as_str() == Some(self.0)
    }
}

impl Hash for TextKey<'_> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hash_text(self.0, hasher);
    }
}

fn hash_text<H: Hasher>(text: &str, hasher: &mut H) {
    hasher.write_u8(1);
    text.hash(hasher);
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let value = &self.0;
        if let Some(text) = value.as_str() {
            return hash_text(text, hasher);
        }
        match value.kind() {
            ValueKind::Bool | ValueKind::Number => {
                hasher.write_u8(2);
                match i128::try_from(value.clone()) {
                    Ok(whole) => whole.hash(hasher),
                    Err(_) => float(value).unwrap_or_default().to_bits().hash(hasher),
                }
            }
            _ => {
                if let Some(decimal) = as_decimal(value) {
                    hasher.write_u8(2);
                    return decimal.hash_number(hasher);
                }
                hasher.write_u8(3);
                if let Some(instance) = value.downcast_object_ref::<InstanceObject>() {
                    instance.0.hash_code().hash(hasher);
                } else if value.is_tuple() {
                    for item in sequence(value).unwrap_or_default() {
                        Key(item).hash(hasher);
                    }
                }
            }
        }
    }
}
