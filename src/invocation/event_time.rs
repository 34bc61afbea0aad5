//! `--event-time-start`, `--event-time-end` and `--sample`: words of the command line become spans of event time.

use chrono::{DateTime, Utc};

use crate::diagnostic::{Diagnostic, SourceText};
use crate::manifest::{BatchSize, Json, JsonMap, TimeSpan, iso, moment};
use crate::yaml;

/// Puts the flags into the form in which artifacts show them (and `retry` finds them): moments, and a sample as
/// `{start, end}`. A sample that cannot be read is told; the moments were checked with the command line.
pub fn normalize(flags: &mut JsonMap, now: DateTime<Utc>) -> Option<Diagnostic> {
    for name in ["event_time_start", "event_time_end"] {
        if let Some(at) = flags.get(name).and_then(Json::as_str).and_then(moment) {
            flags.insert(name.to_owned(), at.format("%Y-%m-%dT%H:%M:%S").to_string().into());
        }
    }
    match sample(flags.get("sample")?.as_str()?, now) {
        Ok(span) => {
            flags.insert("sample".to_owned(), serde_json::json!({"start": iso(span.start), "end": iso(span.end)}));
            None
        }
        Err(problem) => Some(
            Diagnostic::error("E0142", format!("Invalid value for '--sample': {problem}"))
                .help("write it like '3 days' or \"{'start': '2024-09-17', 'end': '2024-09-20'}\""),
        ),
    }
}

/// The spans that flags in that form give: of `--sample`, and of `--event-time-start` and `--event-time-end`.
pub fn spans(flags: &JsonMap) -> (Option<TimeSpan>, Option<TimeSpan>) {
    let span = |start: Option<&Json>, end: Option<&Json>| {
        Some(TimeSpan { start: moment(start?.as_str()?)?, end: moment(end?.as_str()?)? })
    };
    let sample = flags.get("sample").and_then(|sample| span(sample.get("start"), sample.get("end")));
    (sample, span(flags.get("event_time_start"), flags.get("event_time_end")))
}

/// `3 days` (until now), or `{'start': …, 'end': …}`.
fn sample(text: &str, now: DateTime<Utc>) -> Result<TimeSpan, String> {
    if text.trim_start().starts_with('{') {
        let (value, _) = yaml::read(&SourceText::new("--sample", text));
        let value = value.ok_or_else(|| format!("String '{text}' is not valid YAML"))?;
        let end = |name: &str| {
            let at = value.get(name).and_then(|end| end.as_str()).and_then(moment);
            at.ok_or_else(|| format!("Field \"{name}\" of type datetime in SampleWindow is missing or has an invalid value"))
        };
        return Ok(TimeSpan { start: end("start")?, end: end("end")? });
    }
    let words: Vec<&str> = text.split(' ').collect();
    let [count, grain] = words[..] else {
        return Err(format!("Cannot load SAMPLE_WINDOW from '{text}'. Must be of form 'DAYS_INT GRAIN_SIZE'."));
    };
    let count: i64 = count.trim().parse().map_err(|_| format!("Unable to convert '{count}' to an integer."))?;
    let size = BatchSize::parse(grain.to_lowercase().trim_end_matches('s')).ok_or_else(|| {
        let names = BatchSize::ALL.map(|size| format!("'{}'", size.as_str())).join(", ");
        let plurals = BatchSize::ALL.map(|size| format!("'{}s'", size.as_str())).join(", ");
        format!("Invalid grain size '{grain}'. Must be one of [{names}, {plurals}].")
    })?;
    Ok(TimeSpan { start: size.shifted(now, -count), end: now })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: &[(&str, &str)]) -> Result<JsonMap, String> {
        let mut flags = given.iter().map(|(key, value)| ((*key).to_owned(), Json::from(*value))).collect();
        let now = moment("2024-03-31 12:00:00").expect("a moment");
        match normalize(&mut flags, now) {
            Some(diagnostic) => Err(diagnostic.message),
            None => Ok(flags),
        }
    }

    #[test]
    fn samples_are_spans() {
        let span = |text: &str| {
            let flags = read(&[("sample", text)]).expect("a sample");
            let (sample, _) = spans(&flags);
            sample.map(|span| format!("{} {}", iso(span.start), iso(span.end))).unwrap_or_default()
        };
        assert_eq!(span("1 month"), "2024-02-29T12:00:00+00:00 2024-03-31T12:00:00+00:00");
        assert_eq!(span("2 Hours"), "2024-03-31T10:00:00+00:00 2024-03-31T12:00:00+00:00");
        assert_eq!(
            span("{'start': '2024-01-01', 'end': '2024-01-02T03:00:00'}"),
            "2024-01-01T00:00:00+00:00 2024-01-02T03:00:00+00:00"
        );
    }

    #[test]
    fn faults_are_told_in_dbts_words() {
        let problem = |given: &[(&str, &str)]| read(given).expect_err("a fault");
        assert!(problem(&[("sample", "3")]).contains("Must be of form 'DAYS_INT GRAIN_SIZE'"));
        assert!(problem(&[("sample", "x days")]).contains("Unable to convert 'x' to an integer"));
        assert!(problem(&[("sample", "2 weeks")]).contains("Invalid grain size 'weeks'"));
        assert!(problem(&[("sample", "{'start': 'now'}")]).contains("Field \"start\""));
    }
}
