//! Python's `decimal.Decimal` as Jinja sees it: what agate makes of every number of a warehouse that is not a whole one.

mod number;

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::ValueKind;

pub use number::Decimal;
use number::Signal;

use super::{Instance, Operator, downcast, instance};
use crate::jinja::{Args, Cx, Error};

/// What Jinja holds for a decimal number.
#[derive(Debug)]
pub struct DecimalObject(pub Decimal);

/// A decimal number for Jinja.
pub fn decimal(number: Decimal) -> Value {
    instance(Arc::new(DecimalObject(number)))
}

/// The decimal number, if the value is one.
pub fn as_decimal(value: &Value) -> Option<Arc<DecimalObject>> {
    if value.kind() == ValueKind::Plain { downcast::<DecimalObject>(value) } else { None }
}

/// A number that Python takes beside a decimal one: a whole number or another decimal.
fn exact(value: &Value) -> Option<Decimal> {
    if let Some(decimal) = as_decimal(value) {
        return Some(decimal.0.clone());
    }
    let is_whole = value.is_integer() || value.kind() == ValueKind::Bool;
    is_whole.then(|| i128::try_from(value.clone()).ok()).flatten().map(Decimal::whole)
}

/// A number to compare with: floats as well.
fn comparable(value: &Value) -> Option<Decimal> {
    let float = || f64::try_from(value.clone()).ok().filter(|_| value.is_number());
    exact(value).or_else(|| float().map(Decimal::exactly))
}

fn result(of: Result<Decimal, Signal>) -> Result<Value, Error> {
    of.map(decimal).map_err(|signal| Error::compilation(signal.text()))
}

/// `base ** exponent`, if one of them is a decimal number and Python knows the other beside it.
pub(in crate::jinja) fn decimal_power(base: &Value, exponent: &Value) -> Option<Result<Value, Error>> {
    as_decimal(base).or_else(|| as_decimal(exponent))?;
    Some(result(exact(base)?.power(&exact(exponent)?)))
}

impl DecimalObject {
    /// As a key of a dict: equal numbers of all kinds hash alike.
    pub(super) fn hash_number<H: Hasher>(&self, hasher: &mut H) {
        match self.0.as_whole() {
            Some(whole) => whole.hash(hasher),
            None => self.0.float().to_bits().hash(hasher),
        }
    }

    fn places(&self, places: i64) -> Result<Value, Error> {
        result(self.0.with_places(places).ok_or(Signal::InvalidOperation))
    }
}

impl Instance for DecimalObject {
    fn type_name(&self) -> &'static str {
        "decimal.Decimal"
    }

    fn call_method(&self, _cx: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        match name {
            "is_nan" => Ok(matches!(self.0, Decimal::NaN).into()),
            "is_infinite" => Ok(matches!(self.0, Decimal::Infinity { .. }).into()),
            "is_finite" => Ok(self.0.finite().is_some().into()),
            "is_zero" => Ok(self.0.is_zero().into()),
            "is_signed" => Ok(self.text().starts_with('-').into()),
            "to_integral_value" | "to_integral" => match self.0.finite() {
                Some(number) if number.exponent < 0 => self.places(0),
                _ => Ok(decimal(self.0.clone())),
            },
            "normalize" => Ok(decimal(match self.0.finite() {
                Some(number) => Decimal::Finite(number.normalized()),
                None => self.0.clone(),
            })),
            "copy_abs" => Ok(decimal(self.0.absolute())),
            "quantize" => {
                let other = exact(args.required("quantize", 0, "exp")?);
                let exponent = other.as_ref().and_then(Decimal::finite).map(|number| number.exponent);
                let exponent = exponent.ok_or_else(|| Error::compilation(Signal::InvalidOperation.text()))?;
                self.places(-exponent)
            }
            _ => Err(Error::missing_method(self.type_name(), name)),
        }
    }

    fn text(&self) -> String {
        self.0.to_string()
    }

    fn repr(&self) -> String {
        format!("Decimal('{}')", self.0)
    }

    fn truthy(&self) -> bool {
        !self.0.is_zero()
    }

    fn equals(&self, other: &Value) -> bool {
        comparable(other).is_some_and(|other| self.0.order(&other) == Some(Ordering::Equal))
    }

    fn compare(&self, other: &Value) -> Option<Ordering> {
        self.0.order(&comparable(other)?)
    }

    fn operate(&self, operator: Operator, other: &Value, reversed: bool) -> Option<Result<Value, Error>> {
        let other = exact(other)?;
        let (left, right) = if reversed { (&other, &self.0) } else { (&self.0, &other) };
        Some(result(match operator {
            Operator::Add => left.plus(right),
            Operator::Subtract => left.minus(right),
            Operator::Multiply => left.times(right),
            Operator::Divide => left.divided(right),
            Operator::FloorDivide => left.floor_divided(right),
            Operator::Modulo => left.remainder(right),
        }))
    }
}
