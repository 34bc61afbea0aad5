//! Whole reports: what a run of two nodes looks like in each format.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use super::*;
use crate::agate::{Cell, CellType, Table};
use crate::artifacts::samples;
use crate::diagnostic::{SourceText, Span};
use crate::event::{Compiled, RunResult, Status};
use crate::manifest::{Json, JsonMap, Resource};

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a lock").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What the console shows of these events; clock times as `00:00:00`.
fn shown(options: ReportOptions, events: Vec<Event>) -> String {
    let sink = Sink::default();
    let reporter = Reporter::to(ReportOptions { print: true, ..options }, Box::new(sink.clone()));
    let out = reporter.events();
    for event in events {
        out.emit(event);
    }
    reporter.finish();
    let text = String::from_utf8(sink.0.lock().expect("a lock").clone()).expect("text");
    let clock = regex::Regex::new(r"(?m)^(\u{1b}\[0m)?\d\d:\d\d:\d\d").expect("a pattern");
    clock.replace_all(&text, "00:00:00").into_owned()
}

fn start(node: &Resource, index: usize) -> Event {
    let thread = "Thread-1 (worker)".to_owned();
    Event::NodeStart { node: node.clone(), index, total: 2, thread, at: SystemTime::UNIX_EPOCH }
}

fn finish(node: &Resource, index: usize, result: &Arc<RunResult>) -> Event {
    let started_at = SystemTime::UNIX_EPOCH;
    Event::NodeFinished { node: node.clone(), index, total: 2, started_at, result: result.clone(), group: None }
}

/// A model that is made and a test of it that fails.
fn a_run() -> Vec<Event> {
    let model = Resource::Node(Arc::new(samples::model("orders")));
    let test = Resource::Node(Arc::new(samples::test("no_refunds")));
    let made = Arc::new(samples::result(model.unique_id(), Status::Success, Some("OK")));
    let mut failed = samples::result(test.unique_id(), Status::Fail, Some("Got 2 results, configured to fail if != 0"));
    failed.failures = Some(2);
    failed.sample = Some(Arc::new(Table {
        column_names: vec!["id".into(), "note".into()],
        column_types: vec![CellType::Integer, CellType::Text],
        rows: vec![vec![Cell::Int(7), Cell::Text("late".into())], vec![Cell::Int(12), Cell::Null]].into(),
        ..Table::default()
    }));
    failed.compiled = Some(Compiled {
        code: "select 1".into(),
        compiled_path: Some("target/compiled/shop/tests/no_refunds.sql".into()),
        ..Compiled::default()
    });
    let failed = Arc::new(failed);
    vec![
        Event::Started { command: "build", args: Arc::new(JsonMap::new()) },
        Event::Found { counts: vec![("model".to_owned(), 1), ("data test".to_owned(), 1)] },
        Event::Concurrency { threads: 4, target: "dev".into(), nodes: 2 },
        start(&model, 1),
        finish(&model, 1, &made),
        start(&test, 2),
        finish(&test, 2, &failed),
        Event::RunFinished { results: Arc::new(vec![made, failed]), took: Duration::from_millis(1250), interrupted: false },
        Event::Completed { command: "build", success: false, took: Duration::from_secs(2) },
    ]
}

#[test]
fn people_see_a_line_a_node_and_why_a_test_failed() {
    insta::assert_snapshot!(shown(ReportOptions::default(), a_run()), @r"
    00:00:00  Running with dbt=1.12.6 (lineal 0.1.0)
    00:00:00  Found 1 model, 1 data test

    00:00:00  Concurrency: 4 threads (target='dev')

    00:00:00  1 of 2 OK created sql table model main.orders .................................. [OK in 0.05s]
    00:00:00  2 of 2 FAIL 2 no_refunds ....................................................... [FAIL 2 in 0.05s]

    00:00:00  Finished running 1 table model, 1 data test in 0 hours 0 minutes and 1.25 seconds (1.25s).

    00:00:00  Completed with 1 error, 0 partial successes, and 0 warnings:

    00:00:00  [ERROR]: in test no_refunds (tests/no_refunds.sql)
    00:00:00    Got 2 results, configured to fail if != 0

      | id | note |
      | -- | ---- |
      |  7 | late |
      | 12 |      |
      more rows: lineal show --select no_refunds --limit 100

    00:00:00    compiled code at target/compiled/shop/tests/no_refunds.sql

    00:00:00  Done. PASS=1 WARN=0 ERROR=1 SKIP=0 NO-OP=0 REUSED=0 TOTAL=2
    ");
}

#[test]
fn quiet_shows_errors_and_output_only() {
    let output = Event::Output { name: "ShowNode", code: "Q041", text: "| a |".to_owned(), data: JsonMap::new() };
    let printed = Event::Print { text: "from a macro".to_owned() };
    let events = a_run().into_iter().chain([output, printed]).collect();
    insta::assert_snapshot!(shown(ReportOptions { quiet: true, ..ReportOptions::default() }, events), @r"
    00:00:00  2 of 2 FAIL 2 no_refunds ....................................................... [FAIL 2 in 0.05s]
    00:00:00  [ERROR]: in test no_refunds (tests/no_refunds.sql)
    00:00:00    Got 2 results, configured to fail if != 0

      | id | note |
      | -- | ---- |
      |  7 | late |
      | 12 |      |
      more rows: lineal show --select no_refunds --limit 100
    | a |
    from a macro
    ");
}

#[test]
fn colours_mark_the_status_alone() {
    let text = shown(ReportOptions { use_colors: true, ..ReportOptions::default() }, a_run());
    assert!(text.contains("[\u{1b}[32mOK\u{1b}[0m in 0.05s]"), "{text}");
    assert!(text.contains("[\u{1b}[31mFAIL 2\u{1b}[0m in 0.05s]"), "{text}");
    assert!(!shown(ReportOptions::default(), a_run()).contains('\u{1b}'));
}

/// The JSON log of these events, times and ids made equal.
fn logged(events: Vec<Event>) -> Vec<Json> {
    let options = ReportOptions {
        format: LogFormat::Json,
        level: "debug".to_owned(),
        invocation_id: "id-1".to_owned(),
        secrets: vec!["hush\"hush".to_owned()],
        ..ReportOptions::default()
    };
    let text = shown(options, events);
    text.lines().map(|line| serde_json::from_str(line).expect("a JSON object")).collect()
}

#[test]
fn the_json_log_has_dbts_events_and_fields() {
    let lines = logged(a_run());
    let names: Vec<&str> = lines.iter().filter_map(|line| line["info"]["name"].as_str()).collect();
    assert_eq!(
        names,
        [
            "MainReportVersion",
            "MainReportArgs",
            "FoundStats",
            "Formatting",
            "ConcurrencyLine",
            "Formatting",
            "NodeStart",
            "LogStartLine",
            "LogModelResult",
            "NodeFinished",
            "NodeStart",
            "LogStartLine",
            "LogTestResult",
            "NodeFinished",
            "MarkSkippedChildren",
            "Formatting",
            "FinishedRunningStats",
            "EndRunResult",
            "Formatting",
            "EndOfRunSummary",
            "Formatting",
            "RunResultFailure",
            "RunResultError",
            "Formatting",
            "SQLCompiledPath",
            "Formatting",
            "StatsLine",
            "CommandCompleted",
        ]
    );
    let keys = |value: &Json| value.as_object().map(|map| map.keys().cloned().collect::<Vec<_>>().join(" ")).unwrap_or_default();
    assert_eq!(keys(&lines[0]["info"]), "category code extra invocation_id level msg name pid thread ts");
    let model = &lines[8]["data"];
    assert_eq!(keys(model), "description execution_time index node_info status total");
    assert_eq!(
        keys(&model["node_info"]),
        "materialized meta node_checksum node_finished_at node_name node_path node_relation node_started_at node_status \
         resource_type unique_id"
    );
    assert_eq!(keys(&model["node_info"]["node_relation"]), "alias database relation_name schema");
    assert_eq!(model["node_info"]["node_status"], "success");
    assert_eq!(model["node_info"]["node_started_at"], "1970-01-01T00:00:00.000000");
    assert_eq!(model["execution_time"].to_string(), "0.05");
    assert_eq!(lines[8]["info"]["thread"], "Thread-1 (worker)");
    let test = &lines[12];
    assert_eq!(keys(&test["data"]), "attached_node execution_time index name node_info num_failures num_models status");
    assert_eq!((&test["info"]["level"], &test["info"]["code"]), (&Json::from("error"), &Json::from("Q007")));
    assert_eq!(
        keys(&lines[13]["data"]["run_result"]),
        "adapter_response execution_time message num_failures status thread timing_info"
    );
    assert_eq!(lines[13]["data"]["run_result"]["adapter_response"].to_string(), r#"{"_message":"OK","rows_affected":3.0}"#);
    assert_eq!(lines[26]["data"]["stats"]["error"], 1);
}

#[test]
fn secrets_are_blotted_out_of_data_and_message() {
    let lines = logged(vec![Event::Log { text: "it is hush\"hush!".to_owned(), info: true, node: None }]);
    assert_eq!(lines[0]["info"]["msg"], "it is *****!");
    assert_eq!(lines[0]["data"]["msg"], "it is *****!");
}

#[test]
fn a_diagnostic_is_told_once_and_deprecations_are_summed_up() {
    let source = SourceText::new("models/schema.yml", "models:\n  - name: a\n    tests: [x]\n");
    let old = |at: usize| {
        let warning = Diagnostic::warning("W0210", "`tests` is now `data_tests`").event("TestsConfigDeprecation");
        Event::Diagnostic(Box::new(warning.at(&source, Span::new(at, at + 5))))
    };
    let fault = || Event::Diagnostic(Box::new(Diagnostic::error("E0201", "unknown key").at(&source, Span::new(12, 16))));
    let events =
        || vec![old(24), old(8), fault(), fault(), Event::Completed { command: "parse", success: true, took: Duration::ZERO }];
    insta::assert_snapshot!(shown(ReportOptions::default(), events()), @r"
    warning[W0210]: `tests` is now `data_tests`
     --> models/schema.yml:3:5
      |
    3 |     tests: [x]
      |     ^^^^^
    00:00:00  [ERROR]: Encountered an error:
    Parsing Error
      error[E0201]: unknown key
       --> models/schema.yml:2:5
        |
      2 |   - name: a
        |     ^^^^
    00:00:00  [WARNING][DeprecationsSummary]: Deprecated functionality
    Summary of encountered deprecations:
    - TestsConfigDeprecation: 2 occurrences
    Each is shown where it came first; --show-all-deprecations shows every place.
    ");
    let watched = shown(ReportOptions { is_terminal: true, ..ReportOptions::default() }, events());
    assert!(watched.contains("\nerror[E0201]: unknown key\n") && !watched.contains("Encountered"), "{watched}");
    let all = shown(ReportOptions { show_all_deprecations: true, ..ReportOptions::default() }, events());
    assert_eq!(all.matches("warning[W0210]").count(), 2);
    let lines = logged(events());
    assert_eq!(lines[0]["info"]["name"], "TestsConfigDeprecation");
    assert_eq!(lines[0]["info"]["code"], "D012");
    assert_eq!((&lines[0]["data"]["line"], &lines[0]["data"]["column"]), (&Json::from(3), &Json::from(5)));
    assert_eq!(lines[1]["info"]["name"], "MainEncounteredError");
    assert_eq!(lines[2]["data"]["summaries"][0]["occurrences"], 2);
}

#[test]
fn the_log_file_keeps_what_the_console_does_not_show() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let options = ReportOptions {
        log_path: Some(folder.path().to_owned()),
        file_format: LogFormat::Debug,
        invocation_id: "id-1".to_owned(),
        ..ReportOptions::default()
    };
    let console = shown(options, a_run());
    assert!(!console.contains("Began running node"));
    let bytes = crate::fs::FileSystem::read(&crate::fs::Disk, &folder.path().join("dbt.log")).expect("a log");
    let log = String::from_utf8(bytes).expect("text");
    assert!(log.starts_with("\n\n=============================="), "{log}");
    let line = log.lines().find(|line| line.contains("Began running node model.shop.orders")).expect("the line");
    assert!(line[15..].starts_with(" [debug] [Thread-1 (]: Began"), "{line}");
}
