//! The file system as the phases see it: the disk, or memory for tests.

use std::io;
use std::path::{Path, PathBuf};

/// All reading and writing of project files and artifacts goes through here.
pub trait FileSystem: Send + Sync {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// Replaces the file in one step: written beside it, then renamed. Makes missing folders.
    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()>;
    fn exists(&self, path: &Path) -> bool;
    fn is_dir(&self, path: &Path) -> bool;
    /// All files below a folder, depth first, sorted, links followed; absolute paths. A missing folder has none.
    fn walk(&self, folder: &Path) -> io::Result<Vec<PathBuf>>;
    /// Deletes a file or a whole folder; a missing one is no error.
    fn remove(&self, path: &Path) -> io::Result<()>;
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
        let beside = parent.join(format!(".{name}.{}.part", std::process::id()));
        std::fs::write(&beside, content)?;
        std::fs::rename(&beside, path).inspect_err(|_| {
            let _ = std::fs::remove_file(&beside);
        })
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
            let entry = entry?;
            if entry.file_type().is_file() {
                files.push(entry.into_path());
            }
        }
        Ok(files)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let done = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
        match done {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }
}
