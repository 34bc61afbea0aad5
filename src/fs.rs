//! The file system as the phases see it: the disk, or memory for tests.

use std::io;
use std::path::{Path, PathBuf};

/// All reading and writing of project files and artifacts goes through here.
pub trait FileSystem: Send + Sync {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// Replaces the file in one step: written beside it, then renamed. Makes missing folders.
    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()>;
    /// Writes a file that is not there yet, and that may be torn where the machine stops: one of many that are made anew then.
    fn create(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        self.write(path, content)
    }
    fn exists(&self, path: &Path) -> bool;
    fn is_dir(&self, path: &Path) -> bool;
    /// All files below a folder, depth first, sorted, links followed; absolute paths. A missing folder has none; links that lead
    /// nowhere or back to themselves are left out. An error where a folder cannot be read.
    fn walk(&self, folder: &Path) -> io::Result<Vec<PathBuf>>;
    /// Deletes a file, a link or a whole folder; a missing one is no error.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// What lies directly in a folder, files and folders, sorted; absolute paths. A missing folder has nothing.
    fn entries(&self, folder: &Path) -> io::Result<Vec<PathBuf>>;
    /// Size in bytes, and when it was last written, in seconds since 1970 where the system knows.
    fn stat(&self, file: &Path) -> io::Result<(u64, Option<f64>)>;
    /// Gives a file or a folder another name, also on another disk; nothing may be there yet.
    fn relocate(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Makes `at` a link to the folder `target`, or a copy of it where links are not to be had. Replaces what is there.
    fn link(&self, target: &Path, at: &Path) -> io::Result<()> {
        self.remove(at)?;
        for file in self.walk(target)? {
            let inner = file.strip_prefix(target).unwrap_or(&file);
            self.write(&at.join(inner), &self.read(&file)?)?;
        }
        Ok(())
    }
}

/// The machine's own disk.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

#[expect(clippy::disallowed_methods, reason = "the one place that touches the disk")]
impl FileSystem for Disk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let parent = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(parent)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // Two threads may write the same file.
        let beside = parent.join(format!(".{name}.{}.{:?}.part", std::process::id(), std::thread::current().id()));
        std::fs::write(&beside, content)?;
        std::fs::rename(&beside, path).inspect_err(|_| {
            let _ = std::fs::remove_file(&beside);
        })
    }

    fn create(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        match std::fs::write(path, content) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
                std::fs::write(path, content)
            }
            other => other,
        }
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    fn is_dir(&self, path: &Path) -> bool {
        path.is_dir()
    }

    fn walk(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        if !folder.exists() {
            return Ok(Vec::new());
        }
        let entries = walkdir::WalkDir::new(folder).follow_links(true).sort_by_file_name();
        let mut files = Vec::new();
        for entry in entries {
            match entry {
                Ok(entry) if entry.file_type().is_file() => files.push(entry.into_path()),
                Ok(_) => {}
                Err(error) => {
                    let is_gone = error.io_error().is_some_and(|error| error.kind() == io::ErrorKind::NotFound);
                    if !is_gone && error.loop_ancestor().is_none() {
                        return Err(error.into());
                    }
                }
            }
        }
        Ok(files)
    }

    fn entries(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let mut paths = match std::fs::read_dir(folder) {
            Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        paths.sort();
        Ok(paths)
    }

    fn stat(&self, file: &Path) -> io::Result<(u64, Option<f64>)> {
        let known = std::fs::metadata(file)?;
        let since = known.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        Ok((known.len(), since.map(|since| since.as_secs_f64())))
    }

    fn relocate(&self, from: &Path, to: &Path) -> io::Result<()> {
        if let Some(parent) = to.parent() {
            std::fs::create_dir_all(parent)?;
        }
        match std::fs::rename(from, to) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                copy_whole(from, to)?;
                self.remove(from)
            }
            other => other,
        }
    }

    #[cfg(unix)]
    fn link(&self, target: &Path, at: &Path) -> io::Result<()> {
        self.remove(at)?;
        if let Some(parent) = at.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::os::unix::fs::symlink(target, at)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let is_link = path.is_symlink();
        let done = if path.is_dir() && !is_link { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
        match done {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }
}

/// Copies a file or a folder as it is: links stay links.
#[expect(clippy::disallowed_methods, reason = "the one place that touches the disk")]
fn copy_whole(from: &Path, to: &Path) -> io::Result<()> {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry?;
        let target = to.join(entry.path().strip_prefix(from).unwrap_or(entry.path()));
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(&target)?;
        } else if entry.file_type().is_symlink() {
            #[cfg(unix)]
            std::os::unix::fs::symlink(std::fs::read_link(entry.path())?, &target)?;
        } else {
            std::fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

/// Files in memory: for tests, and for projects that lie in the binary.
#[derive(Debug, Default)]
pub struct Memory(std::sync::RwLock<std::collections::BTreeMap<PathBuf, Vec<u8>>>);

impl Memory {
    /// From (path, text) pairs.
    pub fn new<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let files = files.into_iter().map(|(path, text)| (PathBuf::from(path), text.as_bytes().to_vec()));
        Self(std::sync::RwLock::new(files.collect()))
    }

    fn files(&self) -> std::sync::RwLockReadGuard<'_, std::collections::BTreeMap<PathBuf, Vec<u8>>> {
        self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn change(&self) -> std::sync::RwLockWriteGuard<'_, std::collections::BTreeMap<PathBuf, Vec<u8>>> {
        self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl FileSystem for Memory {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.files().get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        self.change().insert(path.to_owned(), content.to_vec());
        Ok(())
    }

    fn exists(&self, path: &Path) -> bool {
        self.files().keys().any(|file| file.starts_with(path))
    }

    fn is_dir(&self, path: &Path) -> bool {
        self.files().keys().any(|file| file != path && file.starts_with(path))
    }

    fn walk(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        Ok(self.files().keys().filter(|file| file.starts_with(folder)).cloned().collect())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.change().retain(|file, _| !file.starts_with(path));
        Ok(())
    }

    fn relocate(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut files = self.change();
        let moved: Vec<PathBuf> = files.keys().filter(|file| file.starts_with(from)).cloned().collect();
        for file in moved {
            let content = files.remove(&file).unwrap_or_default();
            let inner = file.strip_prefix(from).unwrap_or(&file).to_owned();
            files.insert(if inner.as_os_str().is_empty() { to.to_owned() } else { to.join(inner) }, content);
        }
        Ok(())
    }

    fn entries(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let names: std::collections::BTreeSet<PathBuf> = self
            .files()
            .keys()
            .filter_map(|file| file.strip_prefix(folder).ok())
            .filter_map(|inner| inner.iter().next().map(|name| folder.join(name)))
            .collect();
        Ok(names.into_iter().collect())
    }

    fn stat(&self, file: &Path) -> io::Result<(u64, Option<f64>)> {
        Ok((self.read(file)?.len() as u64, None))
    }
}

/// Log files and the like, which grow while they are open.
#[expect(clippy::disallowed_methods, reason = "the one place that touches the disk")]
impl Disk {
    /// Opens a file to write at its end, and says how long it is already. Makes missing folders.
    pub fn append(self, path: &Path) -> io::Result<(std::fs::File, u64)> {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
        let length = file.metadata()?.len();
        Ok((file, length))
    }

    /// Gives a file another name, replacing what had it; a missing one is no error.
    pub fn rename(self, from: &Path, to: &Path) -> io::Result<()> {
        match std::fs::rename(from, to) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }
}
