//! What a data test's one row means: dbt's severity rules.

use crate::event::Status;
use crate::manifest::Config;

/// The row that the test materialization selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TestRow {
    pub failures: i64,
    pub should_warn: bool,
    pub should_error: bool,
}

/// Status, message and the `failures` of the result (0 where the test passed).
pub fn judge(row: TestRow, config: &Config, warnings_are_errors: bool) -> (Status, Option<String>, i64) {
    let severity = config.text("severity").unwrap_or("ERROR");
    let got = format!("Got {} {}", row.failures, if row.failures == 1 { "result" } else { "results" });
    let warn_if = config.text("warn_if").unwrap_or("!= 0");
    if severity.eq_ignore_ascii_case("error") && row.should_error {
        let error_if = config.text("error_if").unwrap_or("!= 0");
        return (Status::Fail, Some(format!("{got}, configured to fail if {error_if}")), row.failures);
    }
    match (row.should_warn, warnings_are_errors) {
        (true, true) => (Status::Fail, Some(format!("{got}, configured to fail if {warn_if}")), row.failures),
        (true, false) => (Status::Warn, Some(format!("{got}, configured to warn if {warn_if}")), row.failures),
        (false, _) => (Status::Pass, None, 0),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status(severity: &str, should_warn: bool, should_error: bool, strict: bool) -> Status {
        let config = Config(json!({"severity": severity}).as_object().cloned().unwrap());
        judge(TestRow { failures: 2, should_warn, should_error }, &config, strict).0
    }

    #[test]
    fn severity_decides_between_warning_and_failure() {
        assert_eq!(status("ERROR", true, true, false), Status::Fail);
        assert_eq!(status("error", true, false, false), Status::Warn);
        assert_eq!(status("warn", true, true, false), Status::Warn);
        assert_eq!(status("warn", true, true, true), Status::Fail);
        assert_eq!(status("warn", false, true, false), Status::Pass);
    }
}
