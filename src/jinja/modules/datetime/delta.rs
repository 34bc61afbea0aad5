//! `datetime.timedelta`.

use std::cmp::Ordering;
use std::sync::Arc;

use chrono::Duration;
use minijinja::Value;
use minijinja::value::ValueKind;

use super::out_of_range;
use crate::jinja::value::{Instance, Operator, downcast, instance};
use crate::jinja::{Args, Cx, Error};

const DAY: i64 = 86_400_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Delta(pub Duration);

/// A `timedelta` for Jinja.
pub fn timedelta(duration: Duration) -> Value {
    instance(Arc::new(Delta(duration)))
}

impl Delta {
    pub fn from_args(args: &Args) -> Result<Self, Error> {
        const UNITS: [(&str, f64); 7] = [
            ("days", 86_400e6),
            ("seconds", 1e6),
            ("microseconds", 1.0),
            ("milliseconds", 1e3),
            ("minutes", 60e6),
            ("hours", 3600e6),
            ("weeks", 604_800e6),
        ];
        args.only("timedelta", &UNITS.map(|(name, _)| name))?;
        let mut total = 0_i128;
        for (position, (name, unit)) in UNITS.into_iter().enumerate() {
            let Some(value) = args.get(position, name) else { continue };
            total += match i64::try_from(value.clone()) {
                Ok(whole) => i128::from(whole) * as_micros(unit),
                Err(_) => match f64::try_from(value.clone()) {
                    Ok(number) => as_micros((number * unit).round_ties_even()),
                    Err(_) => return Err(Error::compilation(format!("unsupported type for timedelta {name} component"))),
                },
            };
        }
        Self::of(total)
    }

    fn of(micros: i128) -> Result<Self, Error> {
        i64::try_from(micros).map(|micros| Self(Duration::microseconds(micros))).map_err(|_| out_of_range("timedelta"))
    }

    fn micros(self) -> i64 {
        self.0.num_microseconds().unwrap_or(i64::MAX)
    }

    fn days(self) -> i64 {
        self.micros().div_euclid(DAY)
    }

    /// Seconds and microseconds of the day.
    fn rest(self) -> (i64, i64) {
        let rest = self.micros().rem_euclid(DAY);
        (rest / 1_000_000, rest % 1_000_000)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a rounded number of microseconds")]
fn as_micros(number: f64) -> i128 {
    number as i128
}

#[expect(clippy::cast_precision_loss, reason = "Python divides as floats too")]
fn as_float(number: i64) -> f64 {
    number as f64
}

impl Instance for Delta {
    fn type_name(&self) -> &'static str {
        "datetime.timedelta"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        match name {
            "days" => Some(Value::from(self.days())),
            "seconds" => Some(Value::from(self.rest().0)),
            "microseconds" => Some(Value::from(self.rest().1)),
            _ => None,
        }
    }

    fn call_method(&self, _cx: &mut Cx<'_>, name: &str, _args: Args) -> Result<Value, Error> {
        match name {
            "total_seconds" => Ok(Value::from(as_float(self.micros()) / 1e6)),
            _ => Err(Error::missing_method(self.type_name(), name)),
        }
    }

    fn text(&self) -> String {
        let (seconds, micros) = self.rest();
        let days = match self.days() {
            0 => String::new(),
            days if days.abs() == 1 => format!("{days} day, "),
            days => format!("{days} days, "),
        };
        let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
        format!("{days}{}:{:02}:{:02}{fraction}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    }

    fn repr(&self) -> String {
        let (seconds, micros) = self.rest();
        let parts = [("days", self.days()), ("seconds", seconds), ("microseconds", micros)];
        let parts: Vec<String> =
            parts.iter().filter(|(_, number)| *number != 0).map(|(name, number)| format!("{name}={number}")).collect();
        format!("datetime.timedelta({})", if parts.is_empty() { "0".to_owned() } else { parts.join(", ") })
    }

    fn truthy(&self) -> bool {
        !self.0.is_zero()
    }

    fn equals(&self, other: &Value) -> bool {
        downcast::<Self>(other).is_some_and(|other| other.0 == self.0)
    }

    fn compare(&self, other: &Value) -> Option<Ordering> {
        Some(self.0.cmp(&downcast::<Self>(other)?.0))
    }

    fn hash_code(&self) -> u64 {
        self.micros().unsigned_abs()
    }

    fn operate(&self, operator: Operator, other: &Value, reversed: bool) -> Option<Result<Value, Error>> {
        let value = |micros: i128| Some(Self::of(micros).map(|delta| instance(Arc::new(delta))));
        let mine = i128::from(self.micros());
        if let Some(other) = downcast::<Self>(other) {
            let theirs = i128::from(other.micros());
            return match operator {
                Operator::Add => value(mine + theirs),
                Operator::Subtract if reversed => value(theirs - mine),
                Operator::Subtract => value(mine - theirs),
                _ if theirs == 0 => Some(Err(Error::compilation("division by zero"))),
                Operator::Divide => Some(Ok(Value::from(as_float(self.micros()) / as_float(other.micros())))),
                Operator::FloorDivide => Some(Ok(crate::jinja::operators::integer(mine.div_euclid(theirs)))),
                Operator::Modulo => value(mine.rem_euclid(theirs)),
                Operator::Multiply => None,
            };
        }
        if other.kind() != ValueKind::Number {
            return None;
        }
        let number = f64::try_from(other.clone()).ok()?;
        match operator {
            Operator::Multiply => match i64::try_from(other.clone()) {
                Ok(whole) => value(mine * i128::from(whole)),
                Err(_) => value(as_micros((as_float(self.micros()) * number).round_ties_even())),
            },
            Operator::Divide | Operator::FloorDivide if !reversed && number == 0.0 => {
                Some(Err(Error::compilation("division by zero")))
            }
            Operator::Divide if !reversed => value(as_micros((as_float(self.micros()) / number).round_ties_even())),
            Operator::FloorDivide if !reversed => value(as_micros((as_float(self.micros()) / number).floor())),
            _ => None,
        }
    }
}
