//! Python's `datetime`: dates, times, instants, durations, zones.

mod class;
mod date;
mod delta;
mod format;
mod instant;
mod time;
mod zone;

use minijinja::Value;

use super::module as module_of;
use crate::jinja::value::downcast;
use crate::jinja::{Args, Error, ErrorKind};

pub use date::date;
pub use delta::timedelta;
pub use instant::datetime;
pub use time::time;

pub(super) use instant::Instant;
pub(super) use zone::{Zone, ZoneObject};

/// `modules.datetime`.
pub(super) fn module() -> Value {
    module_of("datetime", class::classes())
}

/// Python's `format(value, "%Y-%m")` of a date or time; None for anything else.
pub(in crate::jinja) fn format_time(value: &Value, spec: &str) -> Option<String> {
    if let Some(instant) = downcast::<Instant>(value) {
        return Some(format::strftime(spec, &instant.parts()));
    }
    if let Some(date) = downcast::<date::Date>(value) {
        return Some(format::strftime(spec, &date.parts()));
    }
    downcast::<time::Time>(value).map(|time| format::strftime(spec, &time.parts()))
}

/// Python's `isoformat()` of a date or a datetime; None for anything else.
pub fn iso_text(value: &Value) -> Option<String> {
    let instant = downcast::<Instant>(value).map(|instant| instant.iso("T", ""));
    instant.or_else(|| downcast::<date::Date>(value).map(|date| date.0.format("%Y-%m-%d").to_string()))
}

/// An integer argument of a constructor.
fn whole(args: &Args, position: usize, name: &str, default: Option<i64>) -> Result<i64, Error> {
    match args.whole(position, name)? {
        Some(number) => Ok(number),
        None => default.ok_or_else(|| Error::compilation(format!("function missing required argument '{name}'"))),
    }
}

fn out_of_range(what: &str) -> Error {
    Error::new(ErrorKind::Compilation, format!("{what} is out of range"))
}

/// What does not fit becomes a number that no date has.
fn small(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
