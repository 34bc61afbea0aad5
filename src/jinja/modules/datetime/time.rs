//! `datetime.time`.

use std::cmp::Ordering;
use std::sync::Arc;

use chrono::{NaiveDate, NaiveTime, Timelike};
use minijinja::Value;

use super::format::{Parts, strftime};
use super::whole;
use super::zone::{Zone, ZoneObject, zone_of};
use crate::jinja::value::{Instance, downcast, instance, none};
use crate::jinja::{Args, Cx, Error};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time {
    pub clock: NaiveTime,
    pub zone: Option<Zone>,
}

/// A `time` for Jinja.
pub fn time(clock: NaiveTime) -> Value {
    instance(Arc::new(Time { clock, zone: None }))
}

/// A time of Python's clock.
pub(super) fn time_of(hour: i64, minute: i64, second: i64, micro: i64) -> Result<NaiveTime, Error> {
    let check = |number: i64, limit: i64, what: &str| {
        if (0..limit).contains(&number) {
            return Ok(super::small(number));
        }
        Err(Error::compilation(format!("{what} must be in 0..{}", limit - 1)))
    };
    let (hour, minute) = (check(hour, 24, "hour")?, check(minute, 60, "minute")?);
    let (second, micro) = (check(second, 60, "second")?, check(micro, 1_000_000, "microsecond")?);
    NaiveTime::from_hms_micro_opt(hour, minute, second, micro).ok_or_else(|| super::out_of_range("time"))
}

pub(super) fn micros(clock: NaiveTime) -> u32 {
    clock.nanosecond() / 1000 % 1_000_000
}

/// `12:30:00`, with microseconds where there are some, or as `timespec` says.
pub(super) fn iso_time(clock: NaiveTime, timespec: &str) -> String {
    let format = match timespec {
        "hours" => "%H",
        "minutes" => "%H:%M",
        "seconds" => "%H:%M:%S",
        "milliseconds" => "%H:%M:%S%.3f",
        "microseconds" => "%H:%M:%S%.6f",
        _ if micros(clock) == 0 => "%H:%M:%S",
        _ => "%H:%M:%S%.6f",
    };
    clock.format(format).to_string()
}

impl Time {
    pub fn parts(&self) -> Parts {
        let day = NaiveDate::from_ymd_opt(1900, 1, 1).unwrap_or_default();
        Parts { local: day.and_time(self.clock), zone: self.zone }
    }

    pub fn from_args(args: &Args) -> Result<Self, Error> {
        let field = |position: usize, name: &str| whole(args, position, name, Some(0));
        let clock = time_of(field(0, "hour")?, field(1, "minute")?, field(2, "second")?, field(3, "microsecond")?)?;
        Ok(Self { clock, zone: zone_of(args.get(4, "tzinfo"))? })
    }
}

impl Instance for Time {
    fn type_name(&self) -> &'static str {
        "datetime.time"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        match name {
            "hour" => Some(Value::from(self.clock.hour())),
            "minute" => Some(Value::from(self.clock.minute())),
            "second" => Some(Value::from(self.clock.second())),
            "microsecond" => Some(Value::from(micros(self.clock))),
            "tzinfo" => Some(self.zone.map_or_else(none, ZoneObject::value)),
            _ => None,
        }
    }

    fn call_method(&self, _cx: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        match name {
            "strftime" => Ok(Value::from(strftime(&args.text(0, "format").unwrap_or_default(), &self.parts()))),
            "isoformat" => Ok(Value::from(iso_time(self.clock, &args.text(0, "timespec").unwrap_or_default()))),
            "replace" => {
                let field = |position: usize, name: &str, now: u32| whole(&args, position, name, Some(now.into()));
                let clock = time_of(
                    field(0, "hour", self.clock.hour())?,
                    field(1, "minute", self.clock.minute())?,
                    field(2, "second", self.clock.second())?,
                    field(3, "microsecond", micros(self.clock))?,
                )?;
                Ok(instance(Arc::new(Self { clock, zone: self.zone })))
            }
            _ => Err(Error::missing_method(self.type_name(), name)),
        }
    }

    fn text(&self) -> String {
        format!("{}{}", iso_time(self.clock, ""), self.zone.map(Zone::colon_offset).unwrap_or_default())
    }

    fn repr(&self) -> String {
        let mut parts = vec![self.clock.hour(), self.clock.minute()];
        if self.clock.second() > 0 || micros(self.clock) > 0 {
            parts.push(self.clock.second());
        }
        if micros(self.clock) > 0 {
            parts.push(micros(self.clock));
        }
        let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
        format!("datetime.time({})", parts.join(", "))
    }

    fn equals(&self, other: &Value) -> bool {
        downcast::<Self>(other).is_some_and(|other| *other == *self)
    }

    fn compare(&self, other: &Value) -> Option<Ordering> {
        Some(self.clock.cmp(&downcast::<Self>(other)?.clock))
    }

    fn hash_code(&self) -> u64 {
        self.clock.num_seconds_from_midnight().into()
    }
}
