//! Which chain a process writes: the first whose lock it gets. The system gives a lock back when its process ends, however it ends.

use std::{
    ffi::OsString,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use crate::CHAINS;

/// A chain that is this process's alone until the value is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) chain: u32,
    _lock: File,
}

impl Slot {
    /// The first chain that nobody writes.
    pub(super) fn first(store: &Path) -> io::Result<Self> {
        let free = (0..CHAINS).find_map(|chain| Self::of(store, chain).transpose());
        free.unwrap_or_else(|| Err(io::Error::other("every chain of the audit log is being written by some process")))
    }

    /// This chain; `None` if somebody writes it.
    pub(super) fn of(store: &Path, chain: u32) -> io::Result<Option<Self>> {
        let mut options = fs::OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let lock = options.open(path(store, chain))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { chain, _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(cause)) => Err(cause),
        }
    }
}

fn path(store: &Path, chain: u32) -> PathBuf {
    let mut name: OsString = store.as_os_str().to_owned();
    name.push(format!("-chain{chain}"));
    name.into()
}
