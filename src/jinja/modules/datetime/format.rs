//! `strftime` and `strptime`.

use std::fmt::Write;

use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike};

use super::time::micros;
use super::zone::Zone;
use crate::jinja::Error;

/// What a format can show.
pub(super) struct Parts {
    pub local: NaiveDateTime,
    pub zone: Option<Zone>,
}

/// Python's `strftime`.
pub(super) fn strftime(format: &str, parts: &Parts) -> String {
    let mut out = String::new();
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            out.push(character);
            continue;
        }
        match characters.next() {
            Some('-') => match characters.next() {
                // glibc's: without leading zeros.
                Some(directive) => {
                    let mut one = String::new();
                    directive_text(&mut one, directive, parts);
                    let trimmed = one.trim_start_matches(['0', ' ']);
                    out.push_str(if trimmed.is_empty() { "0" } else { trimmed });
                }
                None => out.push_str("%-"),
            },
            Some(directive) => directive_text(&mut out, directive, parts),
            None => out.push('%'),
        }
    }
    out
}

fn directive_text(out: &mut String, directive: char, parts: &Parts) {
    let local = &parts.local;
    // Writing to a String does not fail.
    let _ = match directive {
        'Y' => write!(out, "{:04}", local.year()),
        'f' => write!(out, "{:06}", micros(local.time())),
        'z' => {
            let offset = parts.zone.map(Zone::colon_offset).unwrap_or_default();
            write!(out, "{}", offset.replace(':', ""))
        }
        'Z' => write!(out, "{}", parts.zone.map(|zone| zone.abbreviation(*local)).unwrap_or_default()),
        'c' => write!(out, "{}", local.format("%a %b %e %H:%M:%S %Y")),
        'x' | 'D' => write!(out, "{}", local.format("%m/%d/%y")),
        'X' => write!(out, "{}", local.format("%H:%M:%S")),
        's' => write!(out, "{}", local.and_utc().timestamp()),
        'n' => writeln!(out),
        't' => write!(out, "\t"),
        '%' => write!(out, "%"),
        'a' | 'A' | 'w' | 'd' | 'b' | 'B' | 'm' | 'y' | 'H' | 'I' | 'p' | 'M' | 'S' | 'j' | 'U' | 'W' | 'G' | 'u' | 'V' | 'F'
        | 'T' | 'R' | 'e' | 'h' | 'k' | 'l' | 'C' | 'g' | 'r' | 'P' => {
            let format = ['%', directive].iter().collect::<String>();
            write!(out, "{}", local.format(&format))
        }
        other => write!(out, "%{other}"),
    };
}

/// Python's `strptime`: an instant, with an offset if the format reads one.
pub(super) fn strptime(text: &str, format: &str) -> Result<(NaiveDateTime, Option<Zone>), Error> {
    let mut reader = Reader { rest: text, found: Found::default() };
    let unmatched = || Error::compilation(format!("time data '{text}' does not match format '{format}'"));
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        let read = match character {
            '%' => characters.next().and_then(|directive| reader.directive(directive)),
            space if space.is_whitespace() => {
                reader.rest = reader.rest.trim_start();
                Some(())
            }
            other => reader.literal(other),
        };
        read.ok_or_else(unmatched)?;
    }
    if !reader.rest.is_empty() {
        return Err(Error::compilation(format!("unconverted data remains: {}", reader.rest)));
    }
    let zone = reader.found.zone;
    reader.found.instant().map(|local| (local, zone)).ok_or_else(unmatched)
}

#[derive(Default)]
struct Found {
    year: Option<i32>,
    month: Option<u32>,
    day: Option<u32>,
    ordinal: Option<u32>,
    hour: Option<u32>,
    afternoon: Option<bool>,
    minute: u32,
    second: u32,
    micro: u32,
    epoch: Option<i64>,
    zone: Option<Zone>,
}

impl Found {
    fn instant(&self) -> Option<NaiveDateTime> {
        if let Some(epoch) = self.epoch {
            return chrono::DateTime::from_timestamp(epoch, 0).map(|instant| instant.naive_utc());
        }
        let year = self.year.unwrap_or(1900);
        let day = match self.ordinal {
            Some(ordinal) => NaiveDate::from_yo_opt(year, ordinal)?,
            None => NaiveDate::from_ymd_opt(year, self.month.unwrap_or(1), self.day.unwrap_or(1))?,
        };
        let hour = match (self.hour.unwrap_or(0), self.afternoon) {
            (hour, None) => hour,
            (12, Some(false)) => 0,
            (12, Some(true)) => 12,
            (hour, Some(afternoon)) => hour + if afternoon { 12 } else { 0 },
        };
        let instant = day.and_hms_micro_opt(hour, self.minute, self.second, self.micro)?;
        (instant.hour() < 24).then_some(instant)
    }
}

struct Reader<'t> {
    rest: &'t str,
    found: Found,
}

const MONTHS: [&str; 12] =
    ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

impl Reader<'_> {
    fn literal(&mut self, wanted: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(wanted)?;
        Some(())
    }

    fn number(&mut self, most: usize) -> Option<u32> {
        let digits = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let number = self.rest[..digits].parse().ok()?;
        self.rest = &self.rest[digits..];
        Some(number)
    }

    /// One of these names, whole or its first three letters.
    fn name(&mut self, names: &[&str]) -> Option<u32> {
        let lower = self.rest.to_lowercase();
        for full in [true, false] {
            for (at, name) in names.iter().enumerate() {
                let wanted = if full { name } else { &name[..3] };
                if lower.starts_with(wanted) {
                    self.rest = &self.rest[wanted.len()..];
                    return u32::try_from(at).ok();
                }
            }
        }
        None
    }

    fn directive(&mut self, directive: char) -> Option<()> {
        match directive {
            'Y' => self.found.year = Some(i32::try_from(self.number(4)?).ok()?),
            'y' => {
                let year = i32::try_from(self.number(2)?).ok()?;
                self.found.year = Some(if year < 69 { 2000 + year } else { 1900 + year });
            }
            'm' => self.found.month = Some(self.number(2)?),
            'd' | 'e' => {
                self.rest = self.rest.trim_start();
                self.found.day = Some(self.number(2)?);
            }
            'b' | 'B' | 'h' => self.found.month = Some(self.name(&MONTHS)? + 1),
            'a' | 'A' => {
                self.name(&DAYS)?;
            }
            'j' => self.found.ordinal = Some(self.number(3)?),
            'H' | 'I' => self.found.hour = Some(self.number(2)?),
            'p' => {
                let half = self.rest.get(..2)?.to_lowercase();
                self.found.afternoon = Some(match half.as_str() {
                    "am" => false,
                    "pm" => true,
                    _ => return None,
                });
                self.rest = &self.rest[2..];
            }
            'M' => self.found.minute = self.number(2)?,
            'S' => self.found.second = self.number(2)?.min(59),
            'f' => {
                let before = self.rest.len();
                let number = self.number(6)?;
                let digits = u32::try_from(before - self.rest.len()).ok()?;
                self.found.micro = number * 10_u32.pow(6 - digits);
            }
            's' => self.found.epoch = Some(i64::from(self.number(10)?)),
            'z' => self.offset()?,
            'Z' => {
                let name = ["UTC", "GMT"].into_iter().find(|name| self.rest.starts_with(name))?;
                self.rest = &self.rest[name.len()..];
            }
            'F' => "%Y-%m-%d".split('%').skip(1).try_for_each(|part| self.composed(part))?,
            'T' | 'X' => "%H:%M:%S".split('%').skip(1).try_for_each(|part| self.composed(part))?,
            'D' | 'x' => "%m/%d/%y".split('%').skip(1).try_for_each(|part| self.composed(part))?,
            '%' => self.literal('%')?,
            _ => return None,
        }
        Some(())
    }

    /// A directive's letter and the text that follows it.
    fn composed(&mut self, part: &str) -> Option<()> {
        let mut characters = part.chars();
        self.directive(characters.next()?)?;
        characters.try_for_each(|character| self.literal(character))
    }

    /// `Z`, `+0200`, `+02:00`.
    fn offset(&mut self) -> Option<()> {
        if let Some(rest) = self.rest.strip_prefix('Z') {
            self.rest = rest;
            self.found.zone = Some(Zone::Utc);
            return Some(());
        }
        let sign = if self.rest.starts_with('-') { -1 } else { 1 };
        self.rest = self.rest.strip_prefix(['+', '-'])?;
        let hours = i32::try_from(self.number(2)?).ok()?;
        self.rest = self.rest.strip_prefix(':').unwrap_or(self.rest);
        let minutes = i32::try_from(self.number(2)?).ok()?;
        let offset = sign * (hours * 3600 + minutes * 60);
        self.found.zone = Some(if offset == 0 { Zone::Utc } else { Zone::Fixed(offset) });
        Some(())
    }
}

/// Python's `fromisoformat`.
pub(super) fn from_iso(text: &str) -> Result<(NaiveDateTime, Option<Zone>), Error> {
    let unread = || Error::compilation(format!("Invalid isoformat string: '{text}'"));
    let day = text.get(..10).ok_or_else(unread)?;
    let (mut format, rest) = ("%Y-%m-%d".to_owned(), &text[10..]);
    let (day, _) = strptime(day, &format).map_err(|_| unread())?;
    let Some(separator) = rest.chars().next() else { return Ok((day, None)) };
    let clock = &rest[separator.len_utf8()..];
    let zone_at = clock.find(['+', '-', 'Z']);
    let (bare, zone) = zone_at.map_or((clock, ""), |at| clock.split_at(at));
    format.clear();
    format.push_str(match bare.matches(':').count() {
        0 => "%H",
        1 => "%H:%M",
        _ if bare.contains('.') => "%H:%M:%S.%f",
        _ => "%H:%M:%S",
    });
    if !zone.is_empty() {
        format.push_str("%z");
    }
    let (time, zone) = strptime(clock, &format).map_err(|_| unread())?;
    Ok((day.date().and_time(time.time()), zone))
}
