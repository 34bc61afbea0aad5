//! Dates of property files, as the manifest writes them.

use chrono::{DateTime, Local, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeZone};

/// A date or time with its offset: midnight where no time is given, the machine's own zone where none is given. What is no
/// date stays as it is.
pub fn with_zone(text: &str) -> String {
    let text = text.trim();
    let spaced = text.replacen(' ', "T", 1);
    if let Ok(known) = DateTime::parse_from_rfc3339(&spaced) {
        return known.to_rfc3339_opts(SecondsFormat::AutoSi, false);
    }
    let naive = NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .map(|date| date.and_time(NaiveTime::MIN))
        .or_else(|_| NaiveDateTime::parse_from_str(&spaced, "%Y-%m-%dT%H:%M:%S%.f"))
        .or_else(|_| NaiveDateTime::parse_from_str(&spaced, "%Y-%m-%dT%H:%M"));
    match naive.ok().and_then(|naive| Local.from_local_datetime(&naive).earliest()) {
        Some(local) => local.to_rfc3339_opts(SecondsFormat::AutoSi, false),
        None => text.to_owned(),
    }
}

/// The instant a manifest's date names.
pub fn instant(text: &str) -> Option<DateTime<chrono::FixedOffset>> {
    DateTime::parse_from_rfc3339(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_kept_and_other_words_too() {
        assert_eq!(with_zone("2024-01-02 03:04:05+02:00"), "2024-01-02T03:04:05+02:00");
        assert!(with_zone("2024-01-02").starts_with("2024-01-02T00:00:00"));
        assert_eq!(with_zone("soon"), "soon");
    }
}
