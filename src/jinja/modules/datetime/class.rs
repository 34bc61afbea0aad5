//! The classes of `datetime`: constructors and what hangs on them.

use std::sync::Arc;

use chrono::{Local, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use minijinja::Value;

use super::date::Date;
use super::delta::Delta;
use super::format::{from_iso, strptime};
use super::instant::Instant;
use super::time::{Time, time_of};
use super::zone::{Zone, zone_of};
use super::{date, out_of_range, timedelta, whole};
use crate::jinja::value::{Instance, downcast, instance, text};
use crate::jinja::{Args, Cx, Error};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Date,
    DateTime,
    Time,
    Delta,
    ZoneInfo,
}

/// The members of `modules.datetime`.
pub(super) fn classes() -> [(&'static str, Value); 5] {
    [
        ("date", instance(Arc::new(Class::Date))),
        ("datetime", instance(Arc::new(Class::DateTime))),
        ("time", instance(Arc::new(Class::Time))),
        ("timedelta", instance(Arc::new(Class::Delta))),
        ("tzinfo", instance(Arc::new(Class::ZoneInfo))),
    ]
}

impl Class {
    fn name(self) -> &'static str {
        match self {
            Self::Date => "datetime.date",
            Self::DateTime => "datetime.datetime",
            Self::Time => "datetime.time",
            Self::Delta => "datetime.timedelta",
            Self::ZoneInfo => "datetime.tzinfo",
        }
    }

    fn construct(self, args: &Args) -> Result<Value, Error> {
        match self {
            Self::Delta => Ok(instance(Arc::new(Delta::from_args(args)?))),
            Self::Time => Ok(instance(Arc::new(Time::from_args(args)?))),
            Self::ZoneInfo => Err(Error::compilation("tzinfo has no instances: take a zone of modules.pytz")),
            Self::Date | Self::DateTime => {
                let day =
                    Date::checked(whole(args, 0, "year", None)?, whole(args, 1, "month", None)?, whole(args, 2, "day", None)?)?;
                if self == Self::Date {
                    return Ok(date(day));
                }
                let field = |position: usize, name: &str| whole(args, position, name, Some(0));
                let clock = time_of(field(3, "hour")?, field(4, "minute")?, field(5, "second")?, field(6, "microsecond")?)?;
                let local = day.and_time(clock);
                let zone = zone_of(args.get(7, "tzinfo"))?;
                Ok(Instant { local, zone }.value())
            }
        }
    }

    /// The day alone, or the instant, as this class has it.
    fn give(self, instant: Instant) -> Value {
        if self == Self::Date { date(instant.local.date()) } else { instant.value() }
    }

    fn of_timestamp(self, args: &Args) -> Result<Value, Error> {
        let seconds = args.required("fromtimestamp", 0, "timestamp")?;
        let seconds = f64::try_from(seconds.clone()).map_err(|_| Error::compilation("a timestamp must be a number"))?;
        #[expect(clippy::cast_possible_truncation, reason = "Python rounds to microseconds too")]
        let micros = (seconds * 1e6).round_ties_even() as i64;
        let utc = chrono::DateTime::from_timestamp_micros(micros).ok_or_else(|| out_of_range("timestamp"))?.naive_utc();
        let zone = zone_of(args.get(1, "tz"))?.map(|zone| zone.at_utc(utc));
        Ok(self.give(Instant::in_zone(utc, zone)))
    }

    fn combined(args: &Args) -> Result<Value, Error> {
        let (day, clock) = (args.required("combine", 0, "date")?, args.required("combine", 1, "time")?);
        let day = downcast::<Date>(day)
            .map(|day| day.0)
            .or_else(|| downcast::<Instant>(day).map(|instant| instant.local.date()))
            .ok_or_else(|| Error::compilation("combine() argument 1 must be datetime.date"))?;
        let clock = downcast::<Time>(clock).ok_or_else(|| Error::compilation("combine() argument 2 must be datetime.time"))?;
        let zone = zone_of(args.get(2, "tzinfo"))?.or(clock.zone);
        Ok(Instant { local: day.and_time(clock.clock), zone }.value())
    }

    fn bound(self, highest: bool) -> Option<Value> {
        let (year, month, day) = if highest { (9999, 12, 31) } else { (1, 1, 1) };
        let day = NaiveDate::from_ymd_opt(year, month, day)?;
        let clock = if highest { NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999)? } else { NaiveTime::MIN };
        match self {
            Self::Date => Some(date(day)),
            Self::DateTime => Some(Instant { local: day.and_time(clock), zone: None }.value()),
            Self::Time => Some(super::time(clock)),
            Self::Delta => {
                let days = chrono::Duration::days(999_999_999);
                Some(timedelta(if highest { days } else { -days }))
            }
            Self::ZoneInfo => None,
        }
    }
}

fn now(zone: Option<Zone>) -> Instant {
    let utc = truncated(Utc::now().naive_utc());
    match zone {
        Some(zone) => Instant::in_zone(utc, Some(zone.at_utc(utc))),
        None => Instant { local: truncated(Local::now().naive_local()), zone: None },
    }
}

/// To microseconds, as Python's clock counts.
fn truncated(instant: NaiveDateTime) -> NaiveDateTime {
    let nanos = chrono::Timelike::nanosecond(&instant) / 1000 * 1000;
    chrono::Timelike::with_nanosecond(&instant, nanos).unwrap_or(instant)
}

impl Instance for Class {
    fn type_name(&self) -> &'static str {
        "type"
    }

    fn text(&self) -> String {
        format!("<class '{}'>", self.name())
    }

    fn repr(&self) -> String {
        self.text()
    }

    fn is_callable(&self) -> bool {
        true
    }

    fn equals(&self, other: &Value) -> bool {
        downcast::<Self>(other).is_some_and(|other| *other == *self)
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        match name {
            "min" => self.bound(false),
            "max" => self.bound(true),
            _ => None,
        }
    }

    fn call(&self, _cx: &mut Cx<'_>, args: Args) -> Result<Value, Error> {
        self.construct(&args)
    }

    fn call_method(&self, _cx: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        let first = || args.required(name, 0, "value").map(text);
        match (self, name) {
            (Self::Date | Self::DateTime, "today") => Ok(self.give(now(None))),
            (Self::DateTime, "now") => Ok(now(zone_of(args.get(0, "tz"))?).value()),
            (Self::DateTime, "utcnow") => Ok(Instant { local: truncated(Utc::now().naive_utc()), zone: None }.value()),
            (Self::DateTime, "strptime") => {
                let (local, zone) = strptime(&first()?, &args.text(1, "format").unwrap_or_default())?;
                Ok(Instant { local, zone }.value())
            }
            (Self::Date | Self::DateTime, "fromisoformat") => {
                let (local, zone) = from_iso(&first()?)?;
                Ok(self.give(Instant { local, zone }))
            }
            (Self::Date | Self::DateTime, "fromtimestamp" | "utcfromtimestamp") => self.of_timestamp(&args),
            (Self::Date | Self::DateTime, "fromordinal") => {
                let days = i32::try_from(whole(&args, 0, "ordinal", None)?).unwrap_or(i32::MAX);
                let day = NaiveDate::from_num_days_from_ce_opt(days).ok_or_else(|| out_of_range("ordinal"))?;
                Ok(self.give(Instant { local: day.and_time(NaiveTime::MIN), zone: None }))
            }
            (Self::DateTime, "combine") => Self::combined(&args),
            (Self::Time, "fromisoformat") => {
                let (local, zone) = from_iso(&format!("1900-01-01T{}", first()?))?;
                Ok(instance(Arc::new(Time { clock: local.time(), zone })))
            }
            _ => Err(Error::missing_method(self.name(), name)),
        }
    }
}
