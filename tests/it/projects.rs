//! Every folder of `tests/projects` is a case: a project, the commands to run in it, and what they say.
//!
//! `commands` holds one command line each line (blank lines and `#` comments aside); `expected.txt` holds what came: the
//! command, its exit code, its output with times and paths taken out. A line `! <shell command>` in `commands` runs that
//! first (to break a file in a way that git does not keep). `UPDATE_EXPECTED=1` writes `expected.txt` anew: read the diff.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::{copy, lineal, steady};

#[test]
fn every_project_says_what_is_expected() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(&cases)
        .expect("tests/projects is there")
        .map(|entry| entry.expect("a folder").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    assert!(!folders.is_empty(), "no cases in tests/projects");
    let wanted = std::env::var("CASE").unwrap_or_default();
    let folders: Vec<PathBuf> = folders.into_iter().filter(|path| path.to_string_lossy().contains(&wanted)).collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let failures = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(case) = folders.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    if let Err(failure) = check(case) {
                        failures.lock().expect("no panic").push(failure);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect("no panic");
    assert!(failures.is_empty(), "{} of {} cases differ:\n{}", failures.len(), folders.len(), failures.join("\n"));
}

fn check(case: &Path) -> Result<(), String> {
    let name = case.file_name().expect("a name").to_string_lossy();
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let folder = scratch.path().canonicalize().expect("it is there").join("project");
    copy(case, &folder);
    let commands =
        std::fs::read_to_string(case.join("commands")).map_err(|error| format!("{name}: no file `commands`: {error}"))?;
    let mut said = String::new();
    for line in commands.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(shell) = line.strip_prefix('!') {
            let done = Command::new("sh").arg("-c").arg(shell.trim()).current_dir(&folder).status().expect("a shell");
            assert!(done.success(), "{name}: `{shell}` failed");
            continue;
        }
        let words = words(line);
        let output = lineal(&folder, &words.iter().map(String::as_str).collect::<Vec<_>>());
        let text = [output.stdout, output.stderr].concat();
        let text = steady(&String::from_utf8_lossy(&text), &folder);
        let code = output.status.code().map_or_else(|| "killed by a signal".to_owned(), |code| code.to_string());
        assert!(!text.contains("panicked at"), "{name}: `{line}` panicked:\n{text}");
        writeln!(said, "$ lineal {line}\n{text}\nexit {code}\n").expect("text");
    }
    let kept = case.join("expected.txt");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&kept, &said).expect("expected.txt can be written");
        return Ok(());
    }
    let expected = std::fs::read_to_string(&kept).map_err(|_| format!("{name}: no expected.txt; it said:\n{said}"))?;
    if expected == said { Ok(()) } else { Err(format!("--- {name}: expected\n{expected}\n--- {name}: said\n{said}")) }
}

/// A command line's words: quotes keep blanks together.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut open) = (Vec::new(), String::new(), None, false);
    for symbol in line.chars() {
        match (symbol, quote) {
            ('\'' | '"', None) => (quote, open) = (Some(symbol), true),
            (_, Some(end)) if symbol == end => quote = None,
            (' ', None) => {
                if open || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                open = false;
            }
            _ => word.push(symbol),
        }
    }
    if open || !word.is_empty() {
        words.push(word);
    }
    words
}
