//! Durations, numbers and moments as people read them.

/// `0.42 s`, `12.3 s`, `3 min 12 s`, `2 h 5 min`, `3 days 4 h`, `318 days`.
pub fn duration(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "durations are small and not negative")]
    let whole = seconds.round().max(0.0) as u64;
    match whole {
        _ if seconds < 10.0 => format!("{seconds:.2} s"),
        _ if seconds < 60.0 => format!("{seconds:.1} s"),
        0..3600 => format!("{} min {} s", whole / 60, whole % 60),
        3600..172_800 => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
        172_800..864_000 => format!("{} days {} h", whole / 86_400, whole % 86_400 / 3600),
        _ => format!("{} days", number(i64::try_from(whole / 86_400).unwrap_or(i64::MAX))),
    }
}

/// `4,014,594`.
pub fn number(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3 + 1);
    if number < 0 {
        out.push('-');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

pub fn count(of: usize) -> String {
    number(i64::try_from(of).unwrap_or(i64::MAX))
}

/// `1 model`, `1,200 models`, `2 analyses`.
pub fn counted(of: usize, noun: &str) -> String {
    if of == 1 {
        return format!("1 {noun}");
    }
    format!("{} {}", count(of), plural(noun))
}

pub fn plural(noun: &str) -> String {
    match noun {
        _ if noun.ends_with("sis") => format!("{}es", &noun[..noun.len() - 2]),
        _ if noun.ends_with("ry") => format!("{}ies", &noun[..noun.len() - 1]),
        _ => format!("{noun}s"),
    }
}

/// `2026-01-31 08:00:12` of `2026-01-31T08:00:12.123456Z`; other texts as they are.
pub fn moment(text: &str) -> String {
    match (text.get(..10), text.get(10..11), text.get(11..19)) {
        (Some(day), Some("T" | " "), Some(time)) => format!("{day} {time}"),
        _ => text.to_owned(),
    }
}

/// Seconds since 1970 of such a text.
pub fn seconds_of(text: &str) -> Option<f64> {
    let moment = chrono::DateTime::parse_from_rfc3339(text).ok()?;
    #[expect(clippy::cast_precision_loss, reason = "microseconds of our times fit")]
    Some(moment.timestamp_micros() as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_can_read_them() {
        assert_eq!([0.418, 12.34, 192.0, 7505.0].map(duration), ["0.42 s", "12.3 s", "3 min 12 s", "2 h 5 min"]);
        assert_eq!([273_600.0, 27_475_200.0].map(duration), ["3 days 4 h", "318 days"]);
        assert_eq!([0, 999, 1000, -4_014_594].map(number), ["0", "999", "1,000", "-4,014,594"]);
        assert_eq!(
            [counted(1, "model"), counted(2, "analysis"), counted(0, "saved query")],
            ["1 model", "2 analyses", "0 saved queries"]
        );
        assert_eq!((moment("2026-01-31T08:00:12.1Z"), moment("soon")), ("2026-01-31 08:00:12".into(), "soon".into()));
    }
}
