//! Whether the files that are open are still the ones that bear their names.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The file of a store and its log, as they were when it was opened.
#[derive(Debug)]
pub(super) struct Place {
    files: [(PathBuf, Mark); 2],
}

/// What tells a file from another one of its name.
type Mark = (u64, u64);

impl Place {
    /// The place of an open store.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let marked = |path: PathBuf| mark(&path).map(|mark| (path, mark));
        Ok(Self { files: [marked(path.to_owned())?, marked(log.into())?] })
    }

    /// Says which file is not there any more, or not the same.
    pub(super) fn check(&self) -> Result<(), String> {
        let is_gone = |(path, known): &&(PathBuf, Mark)| mark(path).ok().as_ref() != Some(known);
        self.files.iter().find(is_gone).map_or(Ok(()), |(path, _)| {
            Err(format!("`{}` was removed or replaced under the gate; put it back, or start the gate anew", path.display()))
        })
    }
}

#[cfg(unix)]
fn mark(path: &Path) -> io::Result<Mark> {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(path).map(|file| (file.dev(), file.ino()))
}

/// Elsewhere a file that is open cannot be removed.
#[cfg(not(unix))]
fn mark(path: &Path) -> io::Result<Mark> {
    fs::metadata(path).map(|_| (0, 0))
}
