//! Runs the program as a user would, in a folder of its own.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::LazyLock;

use regex::Regex;

/// Runs `lineal <words>` in a folder, away from the machine's own profiles and environment.
pub fn lineal(folder: &Path, words: &[&str]) -> Output {
    lineal_with(folder, words, &[])
}

/// The same with variables of the environment.
pub fn lineal_with(folder: &Path, words: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lineal"));
    command.args(words).current_dir(folder).env_clear();
    for kept in ["PATH", "TMPDIR", "LD_LIBRARY_PATH", "TZ"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    command.env("HOME", folder).env("NO_COLOR", "1").env("CI", "true");
    command.envs(variables.iter().copied());
    command.output().expect("the program starts")
}

/// Copies a folder, whole.
pub fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.expect("the folder can be read");
        let target = to.join(entry.path().strip_prefix(from).expect("below the folder"));
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(&target).expect("a folder can be made");
        } else {
            std::fs::copy(entry.path(), &target).expect("a file can be copied");
        }
    }
}

/// Output without what differs from run to run: times, durations, ids, the folder, the process.
pub fn steady(text: &str, folder: &Path) -> String {
    static CHANGING: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        [
            (r"\d{2}:\d{2}:\d{2}(\.\d+)?", "[time]"),
            (r"\b\d+(\.\d+)?\s?(ms|s)\b", "[took]"),
            (r"\d+ hours? \d+ minutes? and [\d.]+ seconds?", "[took]"),
            (r"[\d.]+ seconds?", "[took]"),
            (r"\b\d+ macros?\b", "[n] macros"),
            (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "[id]"),
            (r"\(PID \d+\)|PID \d+", "PID [pid]"),
            (r"lineal \d+\.\d+\.\d+", "lineal [version]"),
        ]
        .into_iter()
        .map(|(pattern, with)| (Regex::new(pattern).expect("a pattern"), with))
        .collect()
    });
    let mut text = text.replace(&*folder.to_string_lossy(), "[folder]").replace('\r', "");
    for (pattern, with) in CHANGING.iter() {
        text = pattern.replace_all(&text, *with).into_owned();
    }
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n")
}
