//! `datetime.date`.

use std::cmp::Ordering;
use std::sync::Arc;

use chrono::{Datelike, NaiveDate, NaiveTime};
use minijinja::Value;

use super::delta::Delta;
use super::format::{Parts, strftime};
use super::{out_of_range, timedelta, whole};
use crate::jinja::value::{Instance, Operator, downcast, instance, items, tuple};
use crate::jinja::{Args, Cx, Error};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Date(pub NaiveDate);

/// A `date` for Jinja.
pub fn date(day: NaiveDate) -> Value {
    instance(Arc::new(Date(day)))
}

impl Date {
    /// A day of Python's calendar.
    pub fn checked(year: i64, month: i64, day: i64) -> Result<NaiveDate, Error> {
        let year = i32::try_from(year).ok().filter(|year| (1..=9999).contains(year));
        let year = year.ok_or_else(|| Error::compilation("year is out of range"))?;
        if !(1..=12).contains(&month) {
            return Err(Error::compilation("month must be in 1..12"));
        }
        NaiveDate::from_ymd_opt(year, super::small(month), super::small(day))
            .ok_or_else(|| Error::compilation("day is out of range for month"))
    }

    pub fn parts(self) -> Parts {
        Parts { local: self.0.and_time(NaiveTime::MIN), zone: None }
    }

    fn shifted(self, by: chrono::Duration) -> Result<Value, Error> {
        let days = chrono::Duration::days(
            by.num_microseconds().map_or_else(|| by.num_days(), |micros| micros.div_euclid(86_400_000_000)),
        );
        self.0.checked_add_signed(days).map(date).ok_or_else(|| out_of_range("date value"))
    }
}

/// What dates and instants share.
pub(super) fn date_attribute(day: NaiveDate, name: &str) -> Option<Value> {
    match name {
        "year" => Some(Value::from(day.year())),
        "month" => Some(Value::from(day.month())),
        "day" => Some(Value::from(day.day())),
        _ => None,
    }
}

/// What dates and instants share.
pub(super) fn date_method(day: NaiveDate, name: &str) -> Option<Value> {
    Some(match name {
        "weekday" => Value::from(day.weekday().num_days_from_monday()),
        "isoweekday" => Value::from(day.weekday().number_from_monday()),
        "toordinal" => Value::from(day.num_days_from_ce()),
        "isocalendar" => {
            let week = day.iso_week();
            instance(Arc::new(IsoCalendar([week.year().into(), week.week().into(), day.weekday().number_from_monday().into()])))
        }
        _ => return None,
    })
}

/// Year, week and weekday of the ISO calendar.
#[derive(Debug)]
struct IsoCalendar([i64; 3]);

impl Instance for IsoCalendar {
    fn type_name(&self) -> &'static str {
        "datetime.IsoCalendarDate"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        let at = ["year", "week", "weekday"].iter().position(|part| *part == name)?;
        self.0.get(at).copied().map(Value::from)
    }

    fn item(&self, key: &Value) -> Option<Value> {
        let at = i64::try_from(key.clone()).ok()?;
        let at = usize::try_from(if at < 0 { at + 3 } else { at }).ok()?;
        self.0.get(at).copied().map(Value::from)
    }

    fn items(&self) -> Option<Vec<Value>> {
        Some(self.0.iter().copied().map(Value::from).collect())
    }

    fn text(&self) -> String {
        let [year, week, weekday] = self.0;
        format!("datetime.IsoCalendarDate(year={year}, week={week}, weekday={weekday})")
    }

    fn repr(&self) -> String {
        self.text()
    }

    fn equals(&self, other: &Value) -> bool {
        items(other).is_some_and(|items| crate::jinja::equal(&tuple(items), &tuple(self.items().unwrap_or_default())))
    }
}

impl Instance for Date {
    fn type_name(&self) -> &'static str {
        "datetime.date"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        date_attribute(self.0, name)
    }

    fn call_method(&self, _cx: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        match name {
            "strftime" => Ok(Value::from(strftime(&args.text(0, "format").unwrap_or_default(), &self.parts()))),
            "isoformat" => Ok(Value::from(self.text())),
            "ctime" => Ok(Value::from(self.0.format("%a %b %e 00:00:00 %Y").to_string())),
            "replace" => {
                let year = whole(&args, 0, "year", Some(self.0.year().into()))?;
                let month = whole(&args, 1, "month", Some(self.0.month().into()))?;
                Self::checked(year, month, whole(&args, 2, "day", Some(self.0.day().into()))?).map(date)
            }
            _ => date_method(self.0, name).ok_or_else(|| Error::missing_method(self.type_name(), name)),
        }
    }

    fn text(&self) -> String {
        self.0.format("%Y-%m-%d").to_string()
    }

    fn repr(&self) -> String {
        format!("datetime.date({}, {}, {})", self.0.year(), self.0.month(), self.0.day())
    }

    fn equals(&self, other: &Value) -> bool {
        downcast::<Self>(other).is_some_and(|other| other.0 == self.0)
    }

    fn compare(&self, other: &Value) -> Option<Ordering> {
        Some(self.0.cmp(&downcast::<Self>(other)?.0))
    }

    fn hash_code(&self) -> u64 {
        u64::from(self.0.num_days_from_ce().unsigned_abs())
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
        (operator == Operator::Subtract && !reversed).then(|| Ok(timedelta(self.0 - other.0)))
    }
}
