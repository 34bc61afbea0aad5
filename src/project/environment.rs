//! The environment of an invocation: the process's variables over a `.env` file.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::fs::FileSystem;
use crate::manifest::JsonMap;

/// Prefix of variables whose values are shown nowhere, and allowed only in profiles and package files.
pub const SECRET_PREFIX: &str = "DBT_ENV_SECRET_";
/// Prefix of variables that artifacts carry in their metadata.
pub const METADATA_PREFIX: &str = "DBT_ENV_CUSTOM_ENV_";

/// Adds the variables of the nearest `.env` at `cwd` or above to those given; given ones win, as in dbt.
#[expect(clippy::implicit_hasher, reason = "an environment is always one of these")]
pub fn with_dotenv(fs: &dyn FileSystem, cwd: &Path, mut given: HashMap<String, String>) -> HashMap<String, String> {
    let found: Option<PathBuf> =
        cwd.ancestors().map(|folder| folder.join(".env")).find(|file| fs.exists(file) && !fs.is_dir(file));
    let Some(text) = found.and_then(|file| fs.read(&file).ok()).and_then(|bytes| String::from_utf8(bytes).ok()) else {
        return given;
    };
    for (name, value) in dotenv(&text, &given) {
        given.entry(name).or_insert(value);
    }
    given
}

/// `NAME=value` lines: `export` before, quotes around, comments behind, `${NAME}` and `${NAME:-default}` within.
fn dotenv(text: &str, outer: &HashMap<String, String>) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut rest = text;
    while let Some((assignment, tail)) = next_assignment(rest) {
        rest = tail;
        let Some((name, value, expands)) = assignment else { continue };
        let value = if expands { expand(&value, outer, &found) } else { value };
        found.push((name, value));
    }
    found
}

type Assignment = Option<(String, String, bool)>;

/// The next line's assignment (None for comments and what is none), and the text behind it. Quoted values may span lines.
fn next_assignment(text: &str) -> Option<(Assignment, &str)> {
    if text.is_empty() {
        return None;
    }
    let (line, after_line) = text.split_once('\n').unwrap_or((text, ""));
    let trimmed = line.trim_start();
    let Some((name, _)) = trimmed.split_once('=').filter(|_| !trimmed.starts_with('#')) else {
        return Some((None, after_line));
    };
    let clean = name.trim();
    let clean = clean.strip_prefix("export").filter(|rest| rest.starts_with(char::is_whitespace)).unwrap_or(clean).trim();
    let value_at = line.len() - trimmed.len() + name.len() + 1;
    let value = text[value_at..].trim_start_matches([' ', '\t']);
    let quoted = value.chars().next().filter(|quote| matches!(quote, '\'' | '"'));
    if let Some(quote) = quoted
        && let Some((inner, behind)) = closing_quote(&value[1..], quote)
    {
        let behind = behind.split_once('\n').map_or("", |(_, behind)| behind);
        return Some((Some((clean.to_owned(), inner, quote == '"')), behind));
    }
    let value = value.split('\n').next().unwrap_or_default();
    let value = value.find(" #").map_or(value, |at| &value[..at]).trim();
    let value = if value.starts_with('#') { "" } else { value };
    Some((Some((clean.to_owned(), value.to_owned(), true)), after_line))
}

/// The text up to the closing quote, escapes resolved, and what follows the quote.
fn closing_quote(text: &str, quote: char) -> Option<(String, &str)> {
    let mut inner = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            letter if letter == quote => return Some((inner, &text[at + letter.len_utf8()..])),
            '\\' => match letters.next()?.1 {
                'n' if quote == '"' => inner.push('\n'),
                't' if quote == '"' => inner.push('\t'),
                'r' if quote == '"' => inner.push('\r'),
                next if next == quote || next == '\\' => inner.push(next),
                next => inner.extend(['\\', next]),
            },
            letter => inner.push(letter),
        }
    }
    None
}

fn expand(value: &str, outer: &HashMap<String, String>, found: &[(String, String)]) -> String {
    let mut out = String::new();
    let mut rest = value;
    while let Some((before, tail)) = rest.split_once("${") {
        let Some((inner, behind)) = tail.split_once('}') else { break };
        let (name, default) = inner.split_once(":-").unwrap_or((inner, ""));
        let known = outer.get(name).or_else(|| found.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value));
        out.push_str(before);
        out.push_str(known.map_or(default, String::as_str));
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// Values of `DBT_ENV_SECRET_*`, and of vars named so, blank ones left out, longest first: what to scrub.
pub fn secrets(env: &HashMap<String, String>, vars: &JsonMap) -> Vec<String> {
    let vars = vars.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
    let named = env.iter().map(|(name, value)| (name, value.as_str())).chain(vars);
    let secret =
        |(name, value): (&String, &str)| (name.starts_with(SECRET_PREFIX) && !value.trim().is_empty()).then(|| value.to_owned());
    let mut values: Vec<String> = named.filter_map(secret).collect();
    values.sort_by(|left, right| right.len().cmp(&left.len()).then_with(|| left.cmp(right)));
    values.dedup();
    values
}

/// `DBT_ENV_CUSTOM_ENV_*`, prefix stripped, by name.
pub fn metadata(env: &HashMap<String, String>) -> JsonMap {
    let mut found: Vec<(String, String)> = env
        .iter()
        .filter_map(|(name, value)| name.strip_prefix(METADATA_PREFIX).map(|name| (name.to_owned(), value.clone())))
        .collect();
    found.sort();
    found.into_iter().map(|(name, value)| (name, value.into())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::Memory;

    #[test]
    fn dotenv_files_are_read_upward_and_never_override() {
        let text = "# comment\nA=1\nexport B = 'two # not a comment' # comment\nC=\"x\\ny ${A}\"\nD=plain # comment\nE=${NONE:-five}\nbroken\nF='${A}'\nG=\"two\nlines\"\nH=\nA=9\n";
        let fs = Memory::new([("/w/.env", text), ("/w/p/q/x", "")]);
        let env = with_dotenv(&fs, Path::new("/w/p/q"), HashMap::from([("A".to_owned(), "outer".to_owned())]));
        let expected = [
            ("A", "outer"),
            ("B", "two # not a comment"),
            ("C", "x\ny outer"),
            ("D", "plain"),
            ("E", "five"),
            ("F", "${A}"),
            ("G", "two\nlines"),
            ("H", ""),
        ];
        for (name, value) in expected {
            assert_eq!(env.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert_eq!(env.len(), expected.len());
    }

    #[test]
    fn secrets_and_metadata_are_picked_by_prefix() {
        let env: HashMap<String, String> = [
            ("DBT_ENV_SECRET_A", "abc"),
            ("DBT_ENV_SECRET_B", "abcdef"),
            ("DBT_ENV_SECRET_C", " "),
            ("DBT_ENV_CUSTOM_ENV_JOB", "7"),
            ("HOME", "/"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let vars = serde_json::json!({"DBT_ENV_SECRET_V": "of vars", "other": "x"}).as_object().cloned().unwrap_or_default();
        assert_eq!(secrets(&env, &vars), ["of vars", "abcdef", "abc"]);
        assert_eq!(serde_json::to_string(&metadata(&env)).unwrap(), r#"{"JOB":"7"}"#);
    }
}
