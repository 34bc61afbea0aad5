//! `modules.pytz`.

use minijinja::Value;

use super::datetime::{Zone, ZoneObject};
use crate::jinja::value::{function, list};
use crate::jinja::{Args, Cx, Error};

pub(super) fn module() -> Value {
    let names = || list(chrono_tz::TZ_VARIANTS.iter().map(|zone| Value::from(zone.name())).collect());
    super::module(
        "pytz",
        [
            ("timezone", function("timezone", |cx, args| timezone(cx, &args))),
            ("utc", ZoneObject::value(Zone::Utc)),
            ("UTC", ZoneObject::value(Zone::Utc)),
            ("FixedOffset", function("FixedOffset", |cx, args| fixed_offset(cx, &args))),
            ("all_timezones", names()),
            ("common_timezones", names()),
            ("all_timezones_set", names()),
            ("common_timezones_set", names()),
        ],
    )
}

fn timezone(_cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
    let name = args.text(0, "zone").unwrap_or_default();
    if name.eq_ignore_ascii_case("utc") {
        return Ok(ZoneObject::value(Zone::Utc));
    }
    let found = chrono_tz::TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(&name)).copied();
    match found {
        Some(zone) => Ok(ZoneObject::value(Zone::Named(zone, local_mean_time(zone)))),
        None => Err(Error::compilation(format!("unknown time zone '{name}'"))),
    }
}

/// The offset that pytz gives a zone nobody has localized: its first one, local mean time, to the minute.
fn local_mean_time(zone: chrono_tz::Tz) -> i32 {
    let long_ago = chrono::NaiveDate::from_ymd_opt(1800, 1, 1).unwrap_or_default().and_time(chrono::NaiveTime::MIN);
    let seconds = match Zone::Named(zone, 0).at_utc(long_ago) {
        Zone::Named(_, seconds) => seconds,
        other => other.offset(),
    };
    (seconds + 30).div_euclid(60) * 60
}

fn fixed_offset(_cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
    let minutes = args.whole(0, "offset")?.unwrap_or_default();
    match i32::try_from(minutes * 60) {
        Ok(0) => Ok(ZoneObject::value(Zone::Utc)),
        Ok(offset) if offset.abs() < 86_400 => Ok(ZoneObject::value(Zone::Nameless(offset))),
        _ => Err(Error::compilation(format!("absolute offset is too large: {minutes}"))),
    }
}
