//! Time zones: fixed offsets and named ones.

use std::sync::Arc;

use chrono::{LocalResult, NaiveDateTime, Offset, TimeZone};
use minijinja::Value;

use super::{Instant, timedelta};
use crate::jinja::value::{Instance, downcast, instance, is_defined, none};
use crate::jinja::{Args, Cx, Error};

/// A zone of an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::jinja::modules) enum Zone {
    Utc,
    /// Seconds east.
    Fixed(i32),
    /// Seconds east, as pytz makes it: without a name.
    Nameless(i32),
    /// A zone of the tz database, with the offset in force.
    Named(chrono_tz::Tz, i32),
}

impl Zone {
    pub fn offset(self) -> i32 {
        match self {
            Self::Utc => 0,
            Self::Fixed(offset) | Self::Nameless(offset) | Self::Named(_, offset) => offset,
        }
    }

    /// The same zone at a local time; of a time that a change of clocks repeats, the first (standard time if asked for).
    pub fn at_local(self, local: NaiveDateTime, daylight: bool) -> Self {
        let Self::Named(zone, _) = self else { return self };
        let offset = match zone.offset_from_local_datetime(&local) {
            LocalResult::Single(offset) => offset.fix().local_minus_utc(),
            LocalResult::Ambiguous(first, second) => if daylight { first } else { second }.fix().local_minus_utc(),
            LocalResult::None => {
                // A time that the clocks skip: the offset before the change, as pytz takes it without daylight saving.
                let before = local - chrono::Duration::hours(3);
                zone.offset_from_local_datetime(&before).earliest().map_or(0, |offset| offset.fix().local_minus_utc())
            }
        };
        Self::Named(zone, offset)
    }

    /// The same zone at a time of UTC.
    pub fn at_utc(self, utc: NaiveDateTime) -> Self {
        match self {
            Self::Named(zone, _) => Self::Named(zone, zone.offset_from_utc_datetime(&utc).fix().local_minus_utc()),
            other => other,
        }
    }

    /// `UTC`, `EST`, `UTC+02:00`.
    pub fn abbreviation(self, local: NaiveDateTime) -> String {
        match self {
            Self::Utc | Self::Fixed(0) => "UTC".to_owned(),
            Self::Fixed(_) => format!("UTC{}", self.colon_offset()),
            Self::Nameless(_) => String::new(),
            Self::Named(zone, offset) => {
                let utc = local - chrono::Duration::seconds(i64::from(offset));
                chrono_tz::OffsetName::abbreviation(&zone.offset_from_utc_datetime(&utc)).unwrap_or("").to_owned()
            }
        }
    }

    pub fn name(self) -> String {
        match self {
            Self::Named(zone, _) => zone.name().to_owned(),
            Self::Utc | Self::Fixed(0) => "UTC".to_owned(),
            Self::Fixed(_) => format!("UTC{}", self.colon_offset()),
            Self::Nameless(offset) => format!("pytz.FixedOffset({})", offset / 60),
        }
    }

    /// `+02:00`, with seconds where there are some.
    pub fn colon_offset(self) -> String {
        let (sign, size) = if self.offset() < 0 { ('-', -self.offset()) } else { ('+', self.offset()) };
        let (hours, minutes, seconds) = (size / 3600, size / 60 % 60, size % 60);
        let seconds = if seconds == 0 { String::new() } else { format!(":{seconds:02}") };
        format!("{sign}{hours:02}:{minutes:02}{seconds}")
    }
}

/// A zone as a value: what `pytz.timezone` gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::jinja::modules) struct ZoneObject(pub Zone);

impl ZoneObject {
    pub fn value(zone: Zone) -> Value {
        instance(Arc::new(Self(zone)))
    }
}

/// The zone that a value stands for; None for Python's `None`.
pub(in crate::jinja::modules) fn zone_of(value: Option<&Value>) -> Result<Option<Zone>, Error> {
    match value {
        Some(value) if !value.is_none() && is_defined(value) => match downcast::<ZoneObject>(value) {
            Some(zone) => Ok(Some(zone.0)),
            None => Err(Error::compilation("tzinfo argument must be None or of a tzinfo subclass")),
        },
        _ => Ok(None),
    }
}

fn instant_argument(args: &Args, method: &str) -> Result<Arc<Instant>, Error> {
    let value = args.required(method, 0, "dt")?;
    downcast::<Instant>(value).ok_or_else(|| Error::compilation(format!("{method}() takes a datetime")))
}

impl Instance for ZoneObject {
    fn type_name(&self) -> &'static str {
        match self.0 {
            Zone::Named(..) => "DstTzInfo",
            Zone::Utc => "UTC",
            Zone::Fixed(_) => "timezone",
            Zone::Nameless(_) => "_FixedOffset",
        }
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        (name == "zone").then(|| Value::from(self.0.name()))
    }

    fn text(&self) -> String {
        self.0.name()
    }

    fn repr(&self) -> String {
        match self.0 {
            Zone::Utc => "<UTC>".to_owned(),
            Zone::Nameless(_) => self.0.name(),
            _ => format!("<{} '{}'>", self.type_name(), self.0.name()),
        }
    }

    fn equals(&self, other: &Value) -> bool {
        downcast::<Self>(other).is_some_and(|other| other.0 == self.0)
    }

    fn call_method(&self, _cx: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        match name {
            "localize" => {
                let instant = instant_argument(&args, name)?;
                if instant.zone.is_some() {
                    return Err(Error::compilation("Not naive datetime (tzinfo is already set)"));
                }
                let daylight = args.truth(1, "is_dst").unwrap_or_default();
                Ok(Instant { zone: Some(self.0.at_local(instant.local, daylight)), ..*instant }.value())
            }
            "normalize" => {
                let instant = instant_argument(&args, name)?;
                let utc = instant.utc().ok_or_else(|| Error::compilation("Naive time - no tzinfo set"))?;
                Ok(Instant::in_zone(utc, Some(self.0.at_utc(utc))).value())
            }
            "utcoffset" | "dst" | "tzname" => {
                let local = args.given(0, "dt").and_then(downcast::<Instant>).map(|instant| instant.local);
                let zone = local.map_or(self.0, |local| self.0.at_local(local, false));
                match name {
                    "utcoffset" => Ok(timedelta(chrono::Duration::seconds(i64::from(zone.offset())))),
                    "tzname" => Ok(local.map_or_else(none, |local| Value::from(zone.abbreviation(local)))),
                    _ => Ok(timedelta(chrono::Duration::zero())),
                }
            }
            _ => Err(Error::missing_method(self.type_name(), name)),
        }
    }
}
