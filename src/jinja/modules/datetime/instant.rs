//! `datetime.datetime`.

use std::cmp::Ordering;
use std::sync::Arc;

use chrono::{Datelike, NaiveDateTime, Timelike};
use minijinja::Value;

use super::date::{Date, date_attribute, date_method};
use super::delta::Delta;
use super::format::{Parts, strftime};
use super::time::{Time, iso_time, micros, time_of};
use super::zone::{Zone, ZoneObject, zone_of};
use super::{date, small, timedelta, whole};
use crate::jinja::value::{Instance, Operator, downcast, instance, none};
use crate::jinja::{Args, Cx, Error};

/// A point in time as a calendar and clock show it, with a zone or without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::jinja::modules) struct Instant {
    pub local: NaiveDateTime,
    pub zone: Option<Zone>,
}

/// A `datetime` for Jinja; the offset in seconds east, if it has a zone.
pub fn datetime(local: NaiveDateTime, offset: Option<i32>) -> Value {
    let zone = offset.map(|offset| if offset == 0 { Zone::Utc } else { Zone::Fixed(offset) });
    Instant { local, zone }.value()
}

impl Instant {
    pub fn value(self) -> Value {
        instance(Arc::new(self))
    }

    /// A time of UTC as a zone shows it.
    pub fn in_zone(utc: NaiveDateTime, zone: Option<Zone>) -> Self {
        let offset = zone.map_or(0, Zone::offset);
        Self { local: utc + chrono::Duration::seconds(i64::from(offset)), zone }
    }

    /// None without a zone.
    pub fn utc(&self) -> Option<NaiveDateTime> {
        let zone = self.zone?;
        Some(self.local - chrono::Duration::seconds(i64::from(zone.offset())))
    }

    pub(super) fn parts(&self) -> Parts {
        Parts { local: self.local, zone: self.zone }
    }

    pub(super) fn iso(&self, separator: &str, precision: &str) -> String {
        let offset = self.zone.map(Zone::colon_offset).unwrap_or_default();
        format!("{}{separator}{}{offset}", self.local.date().format("%Y-%m-%d"), iso_time(self.local.time(), precision))
    }

    fn replaced(&self, args: &Args) -> Result<Self, Error> {
        let local = self.local;
        let field = |position: usize, name: &str, now: i64| whole(args, position, name, Some(now)).map(small);
        let year = whole(args, 0, "year", Some(i64::from(local.year())))?;
        let day =
            Date::checked(year, field(1, "month", local.month().into())?.into(), field(2, "day", local.day().into())?.into())?;
        let clock = time_of(
            field(3, "hour", local.hour().into())?.into(),
            field(4, "minute", local.minute().into())?.into(),
            field(5, "second", local.second().into())?.into(),
            field(6, "microsecond", micros(local.time()).into())?.into(),
        )?;
        let zone = match args.get(7, "tzinfo") {
            Some(value) => zone_of(Some(value))?,
            None => self.zone,
        };
        Ok(Self { local: day.and_time(clock), zone })
    }

    fn shifted(&self, by: chrono::Duration) -> Result<Value, Error> {
        let local = self.local.checked_add_signed(by).ok_or_else(|| Error::compilation("date value out of range"))?;
        Ok(Self { local, zone: self.zone }.value())
    }

    /// Python refuses to mix instants with and without a zone.
    fn since(&self, other: &Self) -> Result<chrono::Duration, Error> {
        match (self.utc(), other.utc()) {
            (Some(left), Some(right)) => Ok(left - right),
            (None, None) => Ok(self.local - other.local),
            _ => Err(Error::compilation("can't subtract offset-naive and offset-aware datetimes")),
        }
    }

    fn timestamp(&self) -> f64 {
        let micros = self.utc().unwrap_or(self.local).and_utc().timestamp_micros();
        #[expect(clippy::cast_precision_loss, reason = "Python gives a float too")]
        let micros = micros as f64;
        micros / 1e6
    }
}

impl Instance for Instant {
    fn type_name(&self) -> &'static str {
        "datetime.datetime"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        let local = &self.local;
        match name {
            "hour" => Some(Value::from(local.hour())),
            "minute" => Some(Value::from(local.minute())),
            "second" => Some(Value::from(local.second())),
            "microsecond" => Some(Value::from(micros(local.time()))),
            "tzinfo" => Some(self.zone.map_or_else(none, ZoneObject::value)),
            "fold" => Some(Value::from(0)),
            _ => date_attribute(local.date(), name),
        }
    }

    fn call_method(&self, _cx: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        match name {
            "strftime" => Ok(Value::from(strftime(&args.text(0, "format").unwrap_or_default(), &self.parts()))),
            "isoformat" => {
                let separator = args.text(0, "sep").unwrap_or_else(|| "T".to_owned());
                Ok(Value::from(self.iso(&separator, &args.text(1, "timespec").unwrap_or_default())))
            }
            "date" => Ok(date(self.local.date())),
            "time" => Ok(instance(Arc::new(Time { clock: self.local.time(), zone: None }))),
            "timetz" => Ok(instance(Arc::new(Time { clock: self.local.time(), zone: self.zone }))),
            "replace" => Ok(self.replaced(&args)?.value()),
            "timestamp" => Ok(Value::from(self.timestamp())),
            "astimezone" => {
                let zone = zone_of(args.get(0, "tz"))?.unwrap_or(Zone::Utc);
                let utc = self.utc().unwrap_or(self.local);
                Ok(Self::in_zone(utc, Some(zone.at_utc(utc))).value())
            }
            "utcoffset" => Ok(self.zone.map_or_else(none, |zone| timedelta(chrono::Duration::seconds(i64::from(zone.offset()))))),
            "tzname" => Ok(self.zone.map_or_else(none, |zone| Value::from(zone.abbreviation(self.local)))),
            "ctime" => Ok(Value::from(self.local.format("%a %b %e %H:%M:%S %Y").to_string())),
            _ => date_method(self.local.date(), name).ok_or_else(|| Error::missing_method(self.type_name(), name)),
        }
    }

    fn text(&self) -> String {
        self.iso(" ", "")
    }

    fn repr(&self) -> String {
        let local = &self.local;
        let mut parts = vec![local.year().to_string(), local.month().to_string(), local.day().to_string()];
        parts.extend([local.hour().to_string(), local.minute().to_string()]);
        if local.second() > 0 || micros(local.time()) > 0 {
            parts.push(local.second().to_string());
        }
        if micros(local.time()) > 0 {
            parts.push(micros(local.time()).to_string());
        }
        if let Some(zone) = self.zone {
            parts.push(format!("tzinfo={}", ZoneObject(zone).repr()));
        }
        format!("datetime.datetime({})", parts.join(", "))
    }

    fn equals(&self, other: &Value) -> bool {
        downcast::<Self>(other).is_some_and(|other| self.since(&other).is_ok_and(|since| since.is_zero()))
    }

    fn compare(&self, other: &Value) -> Option<Ordering> {
        let since = self.since(&*downcast::<Self>(other)?).ok()?;
        Some(since.cmp(&chrono::Duration::zero()))
    }

    fn hash_code(&self) -> u64 {
        self.utc().unwrap_or(self.local).and_utc().timestamp_micros().unsigned_abs()
    }

    fn operate(&self, operator: Operator, other: &Value, reversed: bool) -> Option<Result<Value, Error>> {
        if let Some(delta) = downcast::<Delta>(other) {
            return match (operator, reversed) {
                (Operator::Add, _) => Some(self.shifted(delta.0)),
                (Operator::Subtract, false) => Some(self.shifted(-delta.0)),
                _ => None,
            };
        }
        let other = downcast::<Self>(other)?;
        (operator == Operator::Subtract && !reversed).then(|| self.since(&other).map(timedelta))
    }
}
