//! dbt.log: grows to a limit, then is put aside as dbt.log.1, .2 …

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::fs::{Disk, FileSystem};

/// How many old files are kept.
const KEPT: usize = 5;

/// The open log file. What it cannot write it drops: a full disk must not stop a run.
pub(super) struct LogFile {
    path: PathBuf,
    file: io::BufWriter<std::fs::File>,
    length: u64,
    /// 0: no limit.
    limit: u64,
}

impl LogFile {
    pub(super) fn open(folder: &Path, limit: u64) -> io::Result<Self> {
        let path = folder.join("dbt.log");
        let (file, length) = Disk.append(&path)?;
        Ok(Self { path, file: io::BufWriter::new(file), length, limit })
    }

    pub(super) fn write(&mut self, line: &str) {
        let more = line.len() as u64 + 1;
        if self.limit > 0 && self.length > 0 && self.length + more > self.limit {
            // Where another process holds the file it goes on growing instead.
            let _ = self.rotate();
        }
        if self.file.write_all(line.as_bytes()).and_then(|()| self.file.write_all(b"\n")).is_ok() {
            self.length += more;
        }
    }

    pub(super) fn flush(&mut self) {
        let _ = self.file.flush();
    }

    fn rotate(&mut self) -> io::Result<()> {
        self.file.flush()?;
        let aside = |number: usize| self.path.with_file_name(format!("dbt.log.{number}"));
        Disk.remove(&aside(KEPT))?;
        for number in (1..KEPT).rev() {
            Disk.rename(&aside(number), &aside(number + 1))?;
        }
        Disk.rename(&self.path, &aside(1))?;
        let (file, length) = Disk.append(&self.path)?;
        self.file = io::BufWriter::new(file);
        self.length = length;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_file_is_put_aside_and_the_oldest_goes() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut log = LogFile::open(folder.path(), 20).expect("opens");
        for number in 0..9 {
            log.write(&format!("a line, number {number}"));
        }
        log.flush();
        let read = |name: &str| String::from_utf8(Disk.read(&folder.path().join(name)).expect(name)).expect("text");
        assert_eq!(read("dbt.log"), "a line, number 8\n");
        assert_eq!(read("dbt.log.1"), "a line, number 7\n");
        assert_eq!(read("dbt.log.5"), "a line, number 3\n");
        assert!(!Disk.exists(&folder.path().join("dbt.log.6")));
        // A second run goes on where the first left off.
        let mut log = LogFile::open(folder.path(), 200).expect("opens");
        log.write("more");
        log.flush();
        assert_eq!(read("dbt.log"), "a line, number 8\nmore\n");
    }
}
