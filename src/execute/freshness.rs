//! How old a source's data is: the newest moment its column or query gives, against the source's thresholds.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use indexmap::IndexMap;

use super::node::{Outcome, StepRun};
use crate::agate::{Cell, CellType, Table};
use crate::artifacts;
use crate::compile::{RuntimeHost, Scope};
use crate::diagnostic::{Diagnostic, SourceText};
use crate::event::{Event, Status};
use crate::jinja::{self, Args, Error, ErrorKind, Template, Value, objects};
use crate::manifest::{Json, JsonMap, Resource, Source};

impl StepRun<'_> {
    /// Asks by the macro `collect_freshness`, or with the source's own query by `collect_freshness_custom_sql`.
    pub(super) fn freshness(&self, source: &Arc<Source>) -> Result<Outcome, Error> {
        let relation = self.run.source_relation(source);
        let host = self.source_host(source);
        let shown = relation.name();
        let mut args = Args::default().with("source", objects::relation::value(relation));
        let name = if let Some(query) = &source.loaded_at_query {
            let template = Template::whole(SourceText::new(source.original_file_path.as_str(), query.as_str()));
            let query = self.run.engine.render(&template, host.shared())?;
            args = args.with("loaded_at_query", query.into());
            "collect_freshness_custom_sql"
        } else if let Some(field) = &source.loaded_at_field {
            let filter = source.freshness.get("filter").and_then(Json::as_str);
            args = args.with("loaded_at_field", field.as_str().into());
            args = args.with("filter", filter.map_or_else(jinja::none, Value::from));
            "collect_freshness"
        } else {
            let adapter = &self.run.manifest.adapter_type;
            return Err(Error::new(
                ErrorKind::Runtime,
                format!(
                    "Could not compute freshness for source {}: no 'loaded_at_field' provided and {adapter} adapter does not \
                     support metadata-based freshness checks.",
                    source.name
                ),
            ));
        };
        let root = self.run.project.root_package().name.clone();
        let answer = self.run.engine.call_macro(&root, name, args, host.shared())?;
        let (response, table) = self.told(&answer).ok_or_else(|| unusable(name, "no table"))?;
        let [row] = table.rows.as_slice() else { return Err(unusable(name, &format!("{} rows", table.rows.len()))) };
        let [loaded, now] = row.as_slice() else { return Err(unusable(name, &format!("{} columns", row.len()))) };
        // Nothing was ever loaded: infinitely long ago.
        let loaded = if loaded.is_null() { beginning() } else { moment(loaded, "last_modified", &shown)? };
        let now = moment(now, "snapshotted_at", &shown)?;
        let age = now - loaded;
        let row = JsonMap::from_iter([
            ("max_loaded_at".to_owned(), written(loaded)),
            ("snapshotted_at".to_owned(), written(now)),
            ("max_loaded_at_time_ago_in_s".to_owned(), seconds(age)),
        ]);
        Ok(Outcome { status: Some(status(&source.freshness, age)), response, freshness: Some(row), ..Outcome::default() })
    }

    /// What the source's query sees: `this`, and the source itself as `source_node` and `model`.
    fn source_host(&self, source: &Arc<Source>) -> RuntimeHost {
        let json = Arc::new(artifacts::resource(&Resource::Source(source.clone()), None));
        let extra = IndexMap::from([
            ("this".to_owned(), objects::relation::value(self.run.source_relation(source))),
            ("source_node".to_owned(), jinja::from_shared_json(json.clone())),
            ("model".to_owned(), jinja::from_shared_json(json)),
        ]);
        RuntimeHost::new(self.run, self.session, Scope::Operation, extra).in_package(&source.package_name)
    }

    /// A macro's answer: a statement's result, or (formerly) its table alone, which warns.
    fn told(&self, answer: &Value) -> Option<(JsonMap, Arc<Table>)> {
        if let Some(table) = objects::table::of(answer) {
            let message = "The macro collect_freshness returned the table of its statement alone";
            let warning = Diagnostic::warning("W0604", message)
                .event("CollectFreshnessReturnSignature")
                .help("return load_result('collect_freshness') instead of its .table");
            self.run.events.emit(Event::Diagnostic(Box::new(warning)));
            return Some((JsonMap::new(), table));
        }
        let part = |name: &str| answer.get_attr(name).ok().filter(jinja::is_defined);
        let table = part("table").as_ref().and_then(objects::table::from_value)?;
        let response = part("response").map(|response| objects::response::of(&response).to_json());
        Some((response.unwrap_or_default(), table))
    }
}

fn unusable(name: &str, what: &str) -> Error {
    Error::compilation(format!("Got an invalid result from \"{name}\" macro: expected one row of two columns, found {what}"))
}

fn beginning() -> DateTime<Utc> {
    let first = chrono::NaiveDate::from_ymd_opt(1, 1, 1).unwrap_or_default();
    first.and_time(chrono::NaiveTime::default()).and_utc()
}

/// A timestamp; one without a zone is in UTC.
fn moment(cell: &Cell, field: &str, source: &str) -> Result<DateTime<Utc>, Error> {
    let kind = match cell {
        Cell::DateTime(at, offset) => {
            let offset = TimeDelta::seconds(offset.unwrap_or_default().into());
            return Ok((*at - offset).and_utc());
        }
        Cell::Null => {
            let message = format!(
                "Expected a non-null value when querying field '{field}' of table {source} but received value 'null' instead"
            );
            return Err(Error::new(ErrorKind::Database, message));
        }
        Cell::Bool(_) => "bool",
        Cell::Int(_) | Cell::Decimal(_) | Cell::Float(_) => "Decimal",
        Cell::Date(_) => "date",
        Cell::Time(_) => "time",
        Cell::Interval(_) => "timedelta",
        _ => "str",
    };
    let message = format!(
        "Expected a timestamp value when querying field '{field}' of table {source} but received value of type '{kind}' instead"
    );
    Err(Error::new(ErrorKind::Database, message))
}

/// As Python's `isoformat` writes a time in UTC.
fn written(at: DateTime<Utc>) -> Json {
    Cell::DateTime(at.naive_utc(), Some(0)).to_json(CellType::Object)
}

fn seconds(age: TimeDelta) -> Json {
    age.to_std().map_or_else(|_| Json::from(-(-age).to_std().unwrap_or_default().as_secs_f64()), |age| age.as_secs_f64().into())
}

/// The worst threshold that is passed.
fn status(thresholds: &Json, age: TimeDelta) -> Status {
    let passed = |name: &str| {
        let threshold = thresholds.get(name)?;
        let count = threshold.get("count")?.as_i64()?;
        let limit = match threshold.get("period")?.as_str()? {
            "minute" => TimeDelta::try_minutes(count),
            "hour" => TimeDelta::try_hours(count),
            _ => TimeDelta::try_days(count),
        };
        limit.map(|limit| age > limit)
    };
    if passed("error_after") == Some(true) {
        Status::Error
    } else if passed("warn_after") == Some(true) {
        Status::Warn
    } else {
        Status::Pass
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_age_passes_a_threshold_only_beyond_it() {
        let thresholds = json!({"warn_after": {"count": 1, "period": "hour"}, "error_after": {"count": null, "period": null}});
        assert_eq!(status(&thresholds, TimeDelta::minutes(60)), Status::Pass);
        assert_eq!(status(&thresholds, TimeDelta::minutes(61)), Status::Warn);
        let thresholds = json!({"warn_after": {"count": 1, "period": "day"}, "error_after": {"count": 2, "period": "day"}});
        assert_eq!(status(&thresholds, TimeDelta::days(3)), Status::Error);
        assert_eq!(seconds(TimeDelta::milliseconds(-1500)), json!(-1.5));
    }

    #[test]
    fn moments_are_in_utc() {
        let at = chrono::NaiveDate::from_ymd_opt(2024, 1, 2).and_then(|date| date.and_hms_opt(3, 0, 0)).expect("a time");
        let found = moment(&Cell::DateTime(at, Some(7200)), "x", "t").map(written);
        assert_eq!(found.ok(), Some(json!("2024-01-02T01:00:00+00:00")));
        assert_eq!(written(beginning()), json!("0001-01-01T00:00:00+00:00"));
        assert!(moment(&Cell::text("2024-01-02"), "x", "t").is_err_and(|error| error.message.contains("of type 'str'")));
    }
}
