//! Python's modules that dbt hands to Jinja: `modules.datetime`, `.pytz`, `.re`, `.itertools`; and small objects.

pub(super) mod cycle;
pub(super) mod yaml;

use minijinja::Value;

use super::{Error, dict};

/// dbt's `modules`.
pub(super) fn modules() -> Value {
    dict::<&str>([])
}

/// Python's `format(value, "%Y-%m")` of a date or time; None for anything else.
pub(super) fn format_time(_value: &Value, _spec: &str) -> Option<Result<String, Error>> {
    None
}
