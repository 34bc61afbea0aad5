//! Packages in `.tar.gz` archives.

use std::path::{Path, PathBuf};

use super::download::Fault;
use crate::fs::FileSystem;

/// Unpacks an archive into a folder, emptied before, and gives the one folder that it must hold. Nothing is ever written outside.
pub fn unpack(fs: &dyn FileSystem, content: &[u8], into: &Path) -> Result<PathBuf, Fault> {
    let damaged = |error: std::io::Error| Fault::Damaged(format!("the archive cannot be unpacked: {error}"));
    fs.remove(into).map_err(damaged)?;
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(content));
    archive.set_preserve_mtime(false);
    archive.unpack(into).map_err(damaged)?;
    match fs.entries(into).map_err(damaged)?.as_slice() {
        [one] if fs.is_dir(one) => Ok(one.clone()),
        _ => Err(Fault::Unusable("the archive must hold one folder, with the package in it, and nothing beside it".to_owned())),
    }
}
