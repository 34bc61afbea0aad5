//! Puts the site's files where they belong, and leaves alone what is there already.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::scrub::Scrub;
use super::templates::File;
use crate::diagnostic::Diagnostic;
use crate::fs::FileSystem;

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Written {
    pub folder: PathBuf,
    pub pages: usize,
    pub changed: usize,
    pub removed: usize,
}

/// Writes the files below `folder` whose bytes are not there yet, and deletes all others there.
pub fn write(fs: &dyn FileSystem, folder: &Path, files: Vec<File>, scrub: &Scrub) -> Result<Written, Diagnostic> {
    let there: HashSet<PathBuf> = fs.walk(folder).map_err(|error| fault(folder, &error))?.into_iter().collect();
    let put = |file: File| -> Result<(PathBuf, bool), Diagnostic> {
        let path = folder.join(&file.path);
        let content = scrubbed(file, scrub);
        let is_there = there.contains(&path);
        let same = is_there
            && fs.stat(&path).is_ok_and(|(size, _)| size == content.len() as u64)
            && fs.read(&path).is_ok_and(|known| known == content);
        if same {
            return Ok((path, false));
        }
        // What a reader may be looking at is replaced in one step.
        let done = if is_there { fs.write(&path, &content) } else { fs.create(&path, &content) };
        done.map_err(|error| fault(&path, &error))?;
        Ok((path, true))
    };
    let stamp = stamp(&files);
    let pages = files.iter().filter(|file| is_page(&file.path)).count();
    let mut changed = files.into_par_iter().map(put).collect::<Result<HashMap<PathBuf, bool>, _>>()?;
    let mut removed = 0;
    for path in there.iter().filter(|path| !changed.contains_key(*path) && **path != folder.join(&stamp.path)) {
        fs.remove(path).map_err(|error| fault(path, &error))?;
        removed += 1;
    }
    // Last: it says that all else is there.
    changed.extend([put(stamp)?]);
    Ok(Written { folder: folder.to_owned(), pages, changed: changed.values().filter(|changed| **changed).count(), removed })
}

/// Writes a file unless it is as it should be.
pub fn replace(fs: &dyn FileSystem, path: &Path, content: &[u8]) -> Result<(), Diagnostic> {
    if fs.read(path).is_ok_and(|known| known == content) {
        return Ok(());
    }
    fs.write(path, content).map_err(|error| fault(path, &error))
}

/// A mark of all files, whatever their order.
fn stamp(files: &[File]) -> File {
    let mut marks: Vec<(&str, blake3::Hash)> =
        files.par_iter().map(|file| (file.path.as_str(), blake3::hash(&file.content))).collect();
    marks.sort_unstable_by_key(|(path, _)| *path);
    let mut hasher = blake3::Hasher::new();
    for (path, mark) in marks {
        hasher.update(path.as_bytes()).update(mark.as_bytes());
    }
    File::new(super::STAMP, hasher.finalize().to_hex().as_str())
}

fn is_page(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "html")
}

/// A file's bytes without secrets.
pub fn scrubbed(file: File, scrub: &Scrub) -> Vec<u8> {
    match String::from_utf8(file.content) {
        Ok(text) => scrub.secrets(text).into_bytes(),
        Err(other) => other.into_bytes(),
    }
}

pub fn fault(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::error("E0821", format!("{} cannot be written: {error}", path.display()))
        .help("check the folder's permissions, or give another with --target-path")
}
