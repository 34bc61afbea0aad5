//! Event time: the spans of it that microbatch models and samples read, all in UTC.

use chrono::{DateTime, Datelike, Duration, Months, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, Timelike, Utc};

/// A span of event time: from `start` on, until before `end`. A microbatch model's batch is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeSpan {
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
}

impl TimeSpan {
    /// The part of it that lies within another span.
    #[must_use]
    pub fn within(self, other: Self) -> Self {
        Self { start: self.start.max(other.start), end: self.end.min(other.end) }
    }

    /// The condition that a column's value lies in it.
    pub fn condition(self, column: &str) -> String {
        format!("{column} >= '{}' and {column} < '{}'", spaced(self.start), spaced(self.end))
    }
}

/// `2020-01-01 00:00:00+00:00`: Python's text of a datetime.
fn spaced(at: DateTime<Utc>) -> String {
    iso(at).replacen('T', " ", 1)
}

/// `2020-01-01T00:00:00+00:00`, with microseconds where there are some: Python's `isoformat()`.
pub fn iso(at: DateTime<Utc>) -> String {
    let precision = if at.timestamp_subsec_micros() == 0 { SecondsFormat::Secs } else { SecondsFormat::Micros };
    at.to_rfc3339_opts(precision, false)
}

/// A date or a time in ISO form, midnight where no time is given. As in dbt an offset is dropped: what the clock shows counts.
pub fn moment(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").map(|date| date.and_time(NaiveTime::MIN));
    let spaced = text.replacen(' ', "T", 1);
    let naive = day
        .or_else(|_| NaiveDateTime::parse_from_str(&spaced, "%Y-%m-%dT%H:%M:%S%.f"))
        .or_else(|_| NaiveDateTime::parse_from_str(&spaced, "%Y-%m-%dT%H:%M"))
        .or_else(|_| DateTime::parse_from_rfc3339(&spaced).map(|zoned| zoned.naive_local()));
    naive.ok().map(|naive| naive.and_utc())
}

/// `batch_size`, and the grains of `--sample`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BatchSize {
    Hour,
    Day,
    Month,
    Year,
}

impl BatchSize {
    pub const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Month, Self::Year];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|size| size.as_str() == text)
    }

    /// The beginning of the hour, day, month or year that holds the moment.
    pub fn floor(self, at: DateTime<Utc>) -> DateTime<Utc> {
        let day = at.date_naive();
        let day = match self {
            Self::Hour | Self::Day => Some(day),
            Self::Month => day.with_day(1),
            Self::Year => day.with_ordinal(1),
        };
        let hour = if self == Self::Hour { at.hour() } else { 0 };
        day.and_then(|day| day.and_hms_opt(hour, 0, 0)).map_or(at, |naive| naive.and_utc())
    }

    /// The first beginning that is not before the moment.
    pub fn ceiling(self, at: DateTime<Utc>) -> DateTime<Utc> {
        let floor = self.floor(at);
        if floor == at { at } else { self.step(at, 1) }
    }

    /// The beginning so many steps after (before, where negative) the one that holds the moment.
    pub fn step(self, at: DateTime<Utc>, by: i64) -> DateTime<Utc> {
        self.shifted(self.floor(at), by)
    }

    /// The moment moved by so many hours, days, months or years; a day that the month lacks becomes its last.
    pub fn shifted(self, at: DateTime<Utc>, by: i64) -> DateTime<Utc> {
        let months = |by: i64| {
            let count = Months::new(u32::try_from(by.unsigned_abs()).unwrap_or(u32::MAX));
            if by < 0 { at.checked_sub_months(count) } else { at.checked_add_months(count) }
        };
        let moved = match self {
            Self::Hour => Duration::try_hours(by).and_then(|by| at.checked_add_signed(by)),
            Self::Day => Duration::try_days(by).and_then(|by| at.checked_add_signed(by)),
            Self::Month => months(by),
            Self::Year => months(by.saturating_mul(12)),
        };
        moved.unwrap_or(at)
    }

    /// How a batch of that size is called: `2020-01-01`, `2020-01-01T05`, `2020-01`, `2020`.
    pub fn label(self, start: DateTime<Utc>) -> String {
        let format = match self {
            Self::Hour => "%Y-%m-%dT%H",
            Self::Day => "%Y-%m-%d",
            Self::Month => "%Y-%m",
            Self::Year => "%Y",
        };
        start.format(format).to_string()
    }
}

/// What came of the batches of one microbatch model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchResults {
    pub successful: Vec<TimeSpan>,
    pub failed: Vec<TimeSpan>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        moment(text).expect("a moment")
    }

    #[test]
    fn moments_drop_their_offset() {
        for text in ["2024-09-17T16:06:00", "2024-09-17 16:06:00+02:00", "2024-09-17T16:06", "2024-09-17 16:06:00Z"] {
            assert_eq!(iso(at(text)), "2024-09-17T16:06:00+00:00", "{text}");
        }
        assert_eq!(iso(at("2024-09-17")), "2024-09-17T00:00:00+00:00");
        assert_eq!(iso(at("2024-09-17 00:00:00.5")), "2024-09-17T00:00:00.500000+00:00");
        assert!(moment("soon").is_none());
    }

    #[test]
    fn sizes_step_from_their_beginnings() {
        let now = at("2024-09-17 16:06:00");
        let steps = |by| BatchSize::ALL.map(|size| size.step(now, by).format("%Y-%m-%d %H").to_string());
        assert_eq!(steps(-1), ["2024-09-17 15", "2024-09-16 00", "2024-08-01 00", "2023-01-01 00"]);
        assert_eq!(steps(0), ["2024-09-17 16", "2024-09-17 00", "2024-09-01 00", "2024-01-01 00"]);
        assert_eq!(steps(1), ["2024-09-17 17", "2024-09-18 00", "2024-10-01 00", "2025-01-01 00"]);
        let ceilings = BatchSize::ALL.map(|size| size.ceiling(now));
        assert_eq!(ceilings, BatchSize::ALL.map(|size| size.step(now, 1)));
        assert_eq!(BatchSize::Day.ceiling(at("2024-09-17")), at("2024-09-17"));
        assert_eq!(BatchSize::Month.shifted(at("2024-01-31"), 1), at("2024-02-29"));
        assert_eq!(BatchSize::ALL.map(|size| size.label(now)), ["2024-09-17T16", "2024-09-17", "2024-09", "2024"]);
    }
}
