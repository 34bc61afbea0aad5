//! A record as a line of text or JSON.

use chrono::{DateTime, Utc};

use super::record::{Failure, People, Record};
use super::style::{Painter, Style};
use super::{LogFormat, diagnostic};
use crate::agate::PrintOptions;
use crate::manifest::{Json, JsonMap};
use crate::text::without_secrets;

/// What lines need to know of the invocation.
#[derive(Debug, Clone, Default)]
pub(super) struct Invocation {
    pub id: String,
    /// `info.extra`: `DBT_ENV_CUSTOM_ENV_*`.
    pub extra: JsonMap,
    pub secrets: Vec<String>,
}

/// How lines look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub format: LogFormat,
    pub painter: Painter,
    /// Somebody watches: what only programs look for is left out.
    pub terminal: bool,
    /// Errors are being told: dbt's heading stands above the first of them.
    pub among_errors: bool,
}

/// The line, without its final newline; secrets are blotted out.
pub(super) fn line(record: &Record, look: Look, invocation: &Invocation) -> String {
    let text = match look.format {
        LogFormat::Json => return json_line(record, invocation),
        LogFormat::Debug => debug_line(record, look.painter, &invocation.id),
        LogFormat::Text => text_line(record, &painted(record, look.painter)),
        LogFormat::Default => people_line(record, look),
    };
    without_secrets(text, &invocation.secrets)
}

/// Secrets in every text of a value as `*****`.
pub fn scrub_json(value: &mut Json, secrets: &[String]) {
    match value {
        Json::String(text) => *text = without_secrets(std::mem::take(text), secrets),
        Json::Array(items) => items.iter_mut().for_each(|item| scrub_json(item, secrets)),
        Json::Object(map) => map.values_mut().for_each(|value| scrub_json(value, secrets)),
        _ => {}
    }
}

fn at(record: &Record) -> DateTime<Utc> {
    record.at.into()
}

fn painted(record: &Record, painter: Painter) -> String {
    let Some((part, style)) = &record.accent else { return record.msg.clone() };
    // Tags stand at the beginning of their line, a status in brackets at its end.
    let found = if record.msg.starts_with('[') { record.msg.find(part.as_str()) } else { record.msg.rfind(part.as_str()) };
    match found {
        Some(from) if painter.colors => {
            let (before, rest) = record.msg.split_at(from);
            format!("{before}{}{}", painter.paint(*style, part), &rest[part.len()..])
        }
        _ => record.msg.clone(),
    }
}

fn text_line(record: &Record, msg: &str) -> String {
    if record.print { msg.to_owned() } else { format!("{}  {msg}", at(record).format("%H:%M:%S")) }
}

fn debug_line(record: &Record, painter: Painter, invocation_id: &str) -> String {
    let time = at(record).format("%H:%M:%S%.6f");
    let rule = "=".repeat(30);
    let head =
        if record.name == "MainReportVersion" { format!("\n\n{rule} {time} | {invocation_id} {rule}\n") } else { String::new() };
    let thread: String = record.thread.chars().take(10).collect();
    format!("{head}{time} [{:<5}] [{thread:<10}]: {}", record.level.as_str(), painted(record, painter))
}

/// dbt's envelope, keys sorted as dbt sorts them.
fn json_line(record: &Record, invocation: &Invocation) -> String {
    let mut data = record.data.clone();
    data.sort_keys();
    let mut line = serde_json::json!({
        "data": data,
        "info": {
            "category": "",
            "code": record.code,
            "extra": invocation.extra,
            "invocation_id": invocation.id,
            "level": record.level.as_str(),
            "msg": record.msg,
            "name": record.name,
            "pid": std::process::id(),
            "thread": record.thread,
            "ts": at(record).format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
        },
    });
    if !invocation.secrets.is_empty() {
        scrub_json(&mut line, &invocation.secrets);
    }
    line.to_string()
}

/// For people: empty lines are empty, and a problem with its places stands for itself, without a time.
/// Where nobody watches, an error also gets dbt's heading, which programs look for.
fn people_line(record: &Record, look: Look) -> String {
    let painter = look.painter;
    match &record.people {
        People::Diagnostic(problem) if problem.is_error() && !look.terminal => {
            let mut heading = record.msg.lines();
            let (announced, kind) = (heading.next().unwrap_or_default(), heading.next().unwrap_or_default());
            let problem = indented(&diagnostic::render(problem, painter));
            if look.among_errors {
                return format!("{kind}\n{problem}");
            }
            let heading = Record { msg: format!("{announced}\n{kind}"), ..record.clone() };
            let heading = text_line(&heading, &painted(&heading, painter));
            format!("{heading}\n{problem}")
        }
        People::Diagnostic(problem) => diagnostic::render(problem, painter),
        People::Failure(failure) => text_line(record, &explained(record, failure, painter)),
        People::Same | People::Start if record.msg.is_empty() => String::new(),
        People::Same | People::Start => text_line(record, &painted(record, painter)),
    }
}

/// The message of a failed node, with what helps to mend it.
fn explained(record: &Record, failure: &Failure, painter: Painter) -> String {
    let message = painted(record, painter);
    let mut parts = Vec::new();
    match &failure.diagnostic {
        Some(problem) if says_the_same(&record.msg, &problem.message) => {
            // The first line says which node and what kind of error; the rest is in the diagnostic.
            parts.extend(message.lines().next().filter(|_| message.lines().count() > 1).map(str::to_owned));
            parts.push(indented(&diagnostic::render(problem, painter)));
        }
        Some(problem) => {
            parts.push(message);
            parts.push(indented(&diagnostic::render(problem, painter)));
        }
        None => parts.push(message),
    }
    if let Some(sample) = &failure.sample {
        let options =
            PrintOptions { max_rows: Some(5), max_columns: Some(8), max_column_width: Some(32), ..PrintOptions::default() };
        parts.push(String::new());
        parts.push(indented(sample.print_table(options).trim_end()));
    }
    if let Some(more) = &failure.more {
        parts.push(format!("  {} {more}", painter.paint(Style::Quiet, "more rows:")));
    }
    parts.join("\n")
}

fn says_the_same(message: &str, problem: &str) -> bool {
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    flat(message).contains(&flat(problem))
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}").trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}
