//! Puts the site's files where they belong, and leaves alone what is there already.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

use super::scrub::Scrub;
use super::templates::File;
use crate::diagnostic::Diagnostic;
use crate::fs::FileSystem;

/// Changed files that wait to be written.
const WAITING: usize = 64;

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Written {
    pub folder: PathBuf,
    pub pages: usize,
    pub changed: usize,
    pub removed: usize,
}

/// Where the site's files go while they are made.
pub struct Output<'a> {
    fs: &'a dyn FileSystem,
    folder: &'a Path,
    scrub: &'a Scrub,
    /// What was there at the beginning.
    there: HashSet<PathBuf>,
    /// All files, each with a mark of its bytes.
    marks: Mutex<Vec<(String, blake3::Hash)>>,
    queue: SyncSender<Change>,
}

/// Bytes that are not there yet.
struct Change {
    path: PathBuf,
    content: Vec<u8>,
    /// A file stands there, which a reader may be looking at: it is replaced in one step.
    is_there: bool,
}

impl Output<'_> {
    /// Hands a file over, from any thread.
    pub fn put(&self, file: File) -> Result<(), Diagnostic> {
        let path = self.folder.join(&file.path);
        let name = file.path.clone();
        let content = scrubbed(file, self.scrub);
        self.marks.lock().unwrap_or_else(PoisonError::into_inner).push((name, blake3::hash(&content)));
        let is_there = self.there.contains(&path);
        if is_there && is_same(self.fs, &path, &content) {
            return Ok(());
        }
        // Nobody takes it where writing has failed, which is told then.
        self.queue.send(Change { path, content, is_there }).map_err(|_| Diagnostic::error("E0821", "the site cannot be written"))
    }

    pub fn put_all(&self, files: impl IntoIterator<Item = File>) -> Result<(), Diagnostic> {
        files.into_iter().try_for_each(|file| self.put(file))
    }
}

/// Writes the files that `make` hands over below `folder`, unless their bytes are there already, and deletes all others there.
///
/// One thread writes while others make: two that write to one folder wait for each other, and few files are held at a time.
pub fn write(
    fs: &dyn FileSystem,
    folder: &Path,
    scrub: &Scrub,
    make: impl FnOnce(&Output) -> Result<(), Diagnostic>,
) -> Result<Written, Diagnostic> {
    let there = fs.walk(folder).map_err(|error| fault(folder, &error))?.into_iter().collect();
    let (queue, waiting) = sync_channel::<Change>(WAITING);
    let out = Output { fs, folder, scrub, there, marks: Mutex::default(), queue };
    let (out, made, written) = std::thread::scope(|scope| {
        let writer =
            scope.spawn(move || waiting.into_iter().try_fold(0, |written, change| change.write(fs).map(|()| written + 1)));
        let made = make(&out);
        let Output { there, marks, queue, .. } = out;
        // The writer ends where nobody can hand over more.
        drop(queue);
        ((there, marks), made, writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let mut changed = written?;
    made?;
    let (there, marks) = out;
    let marks = marks.into_inner().unwrap_or_else(PoisonError::into_inner);
    let stamped = folder.join(super::STAMP);
    let kept: HashSet<PathBuf> = marks.iter().map(|(path, _)| folder.join(path)).collect();
    let gone = there.iter().filter(|path| !kept.contains(*path) && **path != stamped);
    let removed = gone.map(|path| fs.remove(path).map_err(|error| fault(path, &error))).collect::<Result<Vec<()>, _>>()?.len();
    let pages = marks.iter().filter(|(path, _)| is_page(path)).count();
    // Last: it says that all else is there.
    let stamp = stamp(marks);
    changed += usize::from(replace(fs, &stamped, stamp.as_bytes())?);
    Ok(Written { folder: folder.to_owned(), pages, changed, removed })
}

impl Change {
    fn write(&self, fs: &dyn FileSystem) -> Result<(), Diagnostic> {
        let done = if self.is_there { fs.write(&self.path, &self.content) } else { fs.create(&self.path, &self.content) };
        done.map_err(|error| fault(&self.path, &error))
    }
}

fn is_same(fs: &dyn FileSystem, path: &Path, content: &[u8]) -> bool {
    fs.stat(path).is_ok_and(|(size, _)| size == content.len() as u64) && fs.read(path).is_ok_and(|known| known == content)
}

/// Writes a file unless it is as it should be; whether it was written.
pub fn replace(fs: &dyn FileSystem, path: &Path, content: &[u8]) -> Result<bool, Diagnostic> {
    let differs = !is_same(fs, path, content);
    if differs {
        fs.write(path, content).map_err(|error| fault(path, &error))?;
    }
    Ok(differs)
}

/// A mark of all files, in whatever order they were made.
fn stamp(mut marks: Vec<(String, blake3::Hash)>) -> String {
    marks.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    let mut hasher = blake3::Hasher::new();
    for (path, hash) in marks {
        hasher.update(path.as_bytes()).update(hash.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
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
