//! The files of a package: which ones count, by folder and ending, and their texts and checksums.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::{FileKind, ProjectConfig, SourceFile};
use crate::diagnostic::{Diagnostic, SourceText, Span};
use crate::fs::FileSystem;
use crate::manifest::{Checksum, Json, JsonMap};

/// gitignore-like patterns of files that are no part of the project.
const IGNORE_FILE: &str = ".dbtignore";

/// A package's folder as its files are found and named.
pub(super) struct Folder<'a> {
    pub fs: &'a dyn FileSystem,
    pub root: &'a Path,
    /// Before paths shown to people: empty for the root project.
    pub prefix: &'a str,
    pub config: &'a ProjectConfig,
    pub flags: &'a JsonMap,
}

/// One folder searched for one kind of files.
struct Search {
    folder: String,
    kind: FileKind,
    endings: &'static [&'static str],
}

/// Fewer files than this are read before other threads would have begun.
pub const FEW: usize = 64;

struct Found {
    kind: FileKind,
    path: PathBuf,
    search_path: String,
    inner: String,
    original: String,
}

/// Reads all files, in dbt's order of kinds, sorted by path within each. A file that cannot be read is reported and left out.
pub(super) fn read(folder: &Folder<'_>) -> (Vec<Arc<SourceFile>>, Vec<Diagnostic>) {
    let (found, mut diagnostics) = find(folder);
    let read: Vec<Result<SourceFile, Diagnostic>> = if found.len() < FEW {
        found.into_iter().map(|found| read_one(folder, found)).collect()
    } else {
        found.into_par_iter().map(|found| read_one(folder, found)).collect()
    };
    let mut files = Vec::with_capacity(read.len());
    for result in read {
        match result {
            Ok(file) => files.push(Arc::new(file)),
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }
    (files, diagnostics)
}

fn searches(config: &ProjectConfig, flags: &JsonMap) -> Vec<Search> {
    let jinja = flags.get("allow_jinja_file_extensions").and_then(Json::as_bool).unwrap_or_default();
    let pick = |plain: &'static [&'static str], all: &'static [&'static str]| if jinja { all } else { plain };
    let sql = pick(&[".sql"], &[".sql", ".sql.j2", ".sql.jinja2", ".sql.jinja"]);
    let md = pick(&[".md"], &[".md", ".md.j2", ".md.jinja2", ".md.jinja"]);
    let model = pick(&[".py", ".sql"], &[".py", ".sql", ".sql.j2", ".sql.jinja2", ".sql.jinja"]);
    let fixture = pick(&[".csv", ".sql"], &[".csv", ".sql", ".sql.j2", ".sql.jinja2", ".sql.jinja"]);
    let function = pick(&[".py", ".js", ".sql"], &[".py", ".js", ".sql", ".sql.j2", ".sql.jinja2", ".sql.jinja"]);
    let everywhere = config.all_source_paths();
    let below = |name: &str| config.test_paths.iter().map(|path| format!("{}/{name}", path.trim_end_matches('/'))).collect();
    let kinds: [(FileKind, Vec<String>, &'static [&'static str]); 12] = [
        (FileKind::Macro, config.macro_paths.clone(), sql),
        (FileKind::Model, config.model_paths.clone(), model),
        (FileKind::Snapshot, config.snapshot_paths.clone(), sql),
        (FileKind::Analysis, config.analysis_paths.clone(), sql),
        (FileKind::SingularTest, config.test_paths.clone(), sql),
        (FileKind::GenericTest, below("generic"), sql),
        (FileKind::Seed, config.seed_paths.clone(), &[".csv"]),
        (FileKind::Docs, config.docs_paths.clone().unwrap_or_else(|| everywhere.clone()), md),
        (FileKind::Properties, everywhere, &[".yml", ".yaml"]),
        (FileKind::Fixture, below("fixtures"), fixture),
        (FileKind::Function, config.function_paths.clone(), function),
        (FileKind::Osi, config.osi_paths.clone(), &[".json"]),
    ];
    let search = |(kind, folders, endings): (FileKind, Vec<String>, &'static [&'static str])| {
        folders.into_iter().map(move |folder| Search { folder: folder.trim_end_matches('/').to_owned(), kind, endings })
    };
    kinds.into_iter().flat_map(search).collect()
}

fn find(folder: &Folder<'_>) -> (Vec<Found>, Vec<Diagnostic>) {
    let (ignored, mut diagnostics) = ignored(folder);
    let mut walked: HashMap<String, Vec<PathBuf>> = HashMap::new();
    let mut seen: HashSet<(FileKind, String)> = HashSet::new();
    let mut found = Vec::new();
    for search in searches(folder.config, folder.flags) {
        let start = folder.root.join(&search.folder);
        let paths = walked.entry(search.folder.clone()).or_insert_with(|| {
            folder.fs.walk(&start).unwrap_or_else(|_| {
                let mut paths = Vec::new();
                walk_what_can_be_read(folder.fs, &start, 0, &mut paths, &mut diagnostics);
                paths
            })
        });
        for path in paths.iter().filter(|path| fits(path, search.endings)) {
            let Some(inner) = path.strip_prefix(&start).ok().and_then(slashes) else {
                diagnostics.push(Diagnostic::error("E0121", format!("the path {} is not UTF-8 text", path.display())));
                continue;
            };
            let is_inner = |name: &str| inner.starts_with(name);
            if search.kind == FileKind::SingularTest && (is_inner("generic/") || is_inner("fixtures/")) {
                continue;
            }
            let original = if search.folder.is_empty() { inner.clone() } else { format!("{}/{inner}", search.folder) };
            if is_ignored(&ignored, original.trim_start_matches("./")) || !seen.insert((search.kind, original.clone())) {
                continue;
            }
            let (kind, path, search_path) = (search.kind, path.clone(), search.folder.clone());
            found.push(Found { kind, path, search_path, inner, original });
        }
    }
    (found, diagnostics)
}

/// Folder by folder, so that one that cannot be read hides only itself.
fn walk_what_can_be_read(
    fs: &dyn FileSystem,
    folder: &Path,
    depth: usize,
    paths: &mut Vec<PathBuf>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    /// Links may lead back to themselves.
    const DEEPEST: usize = 40;
    match fs.entries(folder) {
        Ok(_) if depth > DEEPEST => {}
        Ok(entries) => {
            for path in entries {
                if fs.is_dir(&path) {
                    walk_what_can_be_read(fs, &path, depth + 1, paths, diagnostics);
                } else {
                    paths.push(path);
                }
            }
        }
        Err(error) => {
            let message = format!("the folder {} cannot be read: {error}", folder.display());
            diagnostics.push(Diagnostic::error("E0120", message).help("change its permissions"));
        }
    }
}

/// By ending, in any case; names that editors and systems make (`.x`, `#x`, `~x`) are none.
fn fits(path: &Path, endings: &[&str]) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    let ends = |ending: &str| {
        let at = name.len().checked_sub(ending.len()).filter(|at| *at > 0);
        at.and_then(|at| name.get(at..)).is_some_and(|tail| tail.eq_ignore_ascii_case(ending))
    };
    !name.starts_with(['.', '#', '~']) && endings.iter().any(|ending| ends(ending))
}

fn slashes(path: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = path.iter().map(|part| part.to_str()).collect();
    parts.map(|parts| parts.join("/"))
}

fn ignored(folder: &Folder<'_>) -> (Vec<Gitignore>, Vec<Diagnostic>) {
    let path = folder.root.join(IGNORE_FILE);
    if !folder.fs.exists(&path) {
        return (Vec::new(), Vec::new());
    }
    let name = format!("{}{IGNORE_FILE}", folder.prefix);
    let text = match folder.fs.read(&path).map(String::from_utf8) {
        Ok(Ok(text)) => text,
        Ok(Err(_)) => return (Vec::new(), vec![Diagnostic::error("E0121", format!("{name} is not UTF-8 text"))]),
        Err(error) => return (Vec::new(), vec![Diagnostic::error("E0120", format!("{name} cannot be read: {error}"))]),
    };
    let source = SourceText::new(name, text);
    let mut diagnostics = Vec::new();
    let mut patterns = Vec::new();
    let mut at = 0;
    for line in source.text.split('\n') {
        let mut builder = GitignoreBuilder::new("");
        match builder.add_line(None, line.trim_end_matches('\r')).and_then(|builder| builder.build()) {
            Ok(pattern) => patterns.push(pattern),
            Err(error) => {
                let place = Span::new(at, at + line.len());
                let message = format!("this pattern is not understood: {error}");
                diagnostics.push(Diagnostic::warning("W0120", message).at(&source, place));
            }
        }
        at += line.len() + 1;
    }
    (patterns, diagnostics)
}

/// The last pattern that fits a file or a folder above it decides, as in dbt: `!macros/` after `*` keeps all that is below.
fn is_ignored(patterns: &[Gitignore], relative: &str) -> bool {
    if relative.starts_with('/') {
        return false;
    }
    let mut fitting = patterns.iter().rev().map(|pattern| pattern.matched_path_or_any_parents(relative, false));
    fitting.find(|fits| !fits.is_none()).is_some_and(|fits| fits.is_ignore())
}

fn read_one(folder: &Folder<'_>, found: Found) -> Result<SourceFile, Diagnostic> {
    let name = format!("{}{}", folder.prefix, found.original);
    let unreadable = |error: std::io::Error| Diagnostic::error("E0120", format!("{name} cannot be read: {error}"));
    let (size, modified) = folder.fs.stat(&found.path).map_err(unreadable)?;
    let largest = folder.flags.get("maximum_seed_size_mib").and_then(Json::as_u64).unwrap_or(1) * 1024 * 1024;
    let (text, checksum) = if found.kind == FileKind::Seed && largest != 0 && size > largest {
        (String::new(), Checksum { name: "path", checksum: found.original.clone() })
    } else {
        let text =
            String::from_utf8(folder.fs.read(&found.path).map_err(unreadable)?).map_err(|error| not_utf8(&name, &error))?;
        if found.kind == FileKind::Seed {
            (String::new(), sha256(&seed_content(&text)))
        } else {
            let checksum = sha256(&normalized(&text));
            (text, checksum)
        }
    };
    Ok(SourceFile {
        kind: found.kind,
        original_path: found.original.into(),
        path: found.inner.into(),
        search_path: found.search_path.into(),
        source: SourceText::new(name, text),
        checksum,
        modified,
        library: None,
    })
}

/// Points at the first byte that is no UTF-8, in the text as far as it is one.
fn not_utf8(name: &str, error: &std::string::FromUtf8Error) -> Diagnostic {
    let valid = error.utf8_error().valid_up_to();
    let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
    let source = SourceText::new(name, text);
    Diagnostic::error("E0121", format!("{name} is not UTF-8 text"))
        .at_with(&source, Span::new(valid, valid), "this byte")
        .help("save the file as UTF-8")
}

/// White space as Python's `str.split` sees it.
fn is_space(letter: char) -> bool {
    letter.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&letter)
}

/// A text with each run of white space as one blank: what dbt's checksums are of.
fn normalized(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split(is_space).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// A seed as Python reads it in text mode, stripped.
fn seed_content(text: &str) -> std::borrow::Cow<'_, str> {
    let text = text.trim_matches(is_space);
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n").into() } else { text.into() }
}

/// dbt's checksum of a file's content (`FileHash.from_contents`): of the text with white space normalized.
pub fn checksum(text: &str) -> Checksum {
    sha256(&normalized(text))
}

pub fn sha256(text: &str) -> Checksum {
    let digest = Sha256::digest(text.as_bytes());
    let checksum = digest.iter().fold(String::with_capacity(64), |mut hex, byte| {
        for half in [byte >> 4, byte & 15] {
            hex.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
        }
        hex
    });
    Checksum { name: "sha256", checksum }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::Memory;

    fn files(fs: &Memory, flags: &str) -> (Vec<String>, Vec<String>) {
        let config = ProjectConfig {
            model_paths: vec!["models".into()],
            seed_paths: vec!["seeds/".into()],
            macro_paths: vec!["macros".into()],
            test_paths: vec!["tests".into()],
            ..ProjectConfig::default()
        };
        let flags: JsonMap = serde_json::from_str(flags).unwrap();
        let (files, diagnostics) = read(&Folder { fs, root: Path::new("/p"), prefix: "", config: &config, flags: &flags });
        let shown = files.iter().map(|file| format!("{:?} {} {}", file.kind, file.original_path, file.path));
        (shown.collect(), diagnostics.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn files_are_sorted_into_kinds() {
        let fs = Memory::new([
            ("/p/models/b.sql", ""),
            ("/p/models/a/x.SQL", ""),
            ("/p/models/a/p.py", ""),
            ("/p/models/.hidden.sql", ""),
            ("/p/models/~x.sql", ""),
            ("/p/models/s.yml", ""),
            ("/p/models/d.md", ""),
            ("/p/models/j.sql.jinja", ""),
            ("/p/models/old/gone.sql", ""),
            ("/p/models/old/kept.sql", ""),
            ("/p/seeds/s.csv", "a\n1\n"),
            ("/p/tests/t.sql", ""),
            ("/p/tests/generic/g.sql", ""),
            ("/p/tests/fixtures/f.csv", ""),
            ("/p/elsewhere/x.sql", ""),
            ("/p/.dbtignore", "# no\nmodels/old/*\n!models/old/kept.sql\n"),
        ]);
        let (shown, said) = files(&fs, "{}");
        assert_eq!(said, [""; 0]);
        let expected = [
            "Model models/a/p.py a/p.py",
            "Model models/a/x.SQL a/x.SQL",
            "Model models/b.sql b.sql",
            "Model models/old/kept.sql old/kept.sql",
            "SingularTest tests/t.sql t.sql",
            "GenericTest tests/generic/g.sql g.sql",
            "Seed seeds/s.csv s.csv",
            "Docs models/d.md d.md",
            "Properties models/s.yml s.yml",
            "Fixture tests/fixtures/f.csv f.csv",
        ];
        assert_eq!(shown, expected);
        let (shown, _) = files(&fs, r#"{"allow_jinja_file_extensions": true}"#);
        assert!(shown.contains(&"Model models/j.sql.jinja j.sql.jinja".to_owned()));
    }

    #[test]
    fn a_folder_can_be_kept_from_being_ignored() {
        let fs = Memory::new([
            ("/p/.dbtignore", "*\n!macros/\n"),
            ("/p/macros/a/m.sql", "{% macro m() %}{% endmacro %}"),
            ("/p/models/b.sql", ""),
        ]);
        assert_eq!(files(&fs, "{}").0, ["Macro macros/a/m.sql a/m.sql"]);
    }

    #[test]
    fn one_bad_file_does_not_hide_the_others() {
        let fs = Memory::new([("/p/models/a.sql", "select 1")]);
        fs.write(Path::new("/p/models/b.sql"), b"select '\xff'").unwrap();
        let (shown, said) = files(&fs, "{}");
        assert_eq!(shown, ["Model models/a.sql a.sql"]);
        assert_eq!(said, ["models/b.sql:1:9: E0121 models/b.sql is not UTF-8 text"]);
    }

    #[test]
    fn checksums_are_dbts() {
        // sha256 of "select 1 from x"
        let expected = sha256("select 1 from x").checksum;
        assert_eq!(checksum("\n select  1\r\n\tfrom x \n").checksum, expected);
        assert_eq!(seed_content(" a,b\r\n1,2\r\n"), "a,b\n1,2");
        assert_eq!(sha256("").checksum, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
