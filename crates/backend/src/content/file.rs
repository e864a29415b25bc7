//! Files of the configuration folder, and only of it.
//!
//! It promises that what is read is a regular file below the folder, even while links and names there are being changed, and that
//! no more is read than the bound. Links that stay within the folder are followed: that is how containers mount configurations.

use std::{
    fs::{File, Metadata},
    io::{self, Read as _},
    path::{Component, Path, PathBuf},
};

/// Why a file is not served.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("`{0}` is not a path below the configuration folder")]
    Path(String),
    #[error("`{0}` leads out of the configuration folder")]
    Outside(String),
    #[error("`{0}` is not a regular file")]
    NotFile(String),
    #[error("`{path}` is larger than its bound of {bound} bytes")]
    TooLarge { path: String, bound: usize },
    #[error("cannot read `{path}`")]
    Read {
        path: String,
        #[source]
        cause: io::Error,
    },
}

impl Error {
    /// The error and its cause in one sentence, for someone who sees only that.
    pub(super) fn sentence(&self) -> String {
        match self {
            Self::Read { cause, .. } => format!("{self}: {cause}"),
            _ => self.to_string(),
        }
    }
}

/// The bytes of the file at `path` below `folder`.
pub(super) fn read(folder: &Path, path: &str, bound: usize) -> Result<Vec<u8>, Error> {
    let plain = Path::new(path).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if path.is_empty() || !plain {
        return Err(Error::Path(path.into()));
    }
    let failed = |cause| Error::Read { path: path.into(), cause };
    let real = inside(folder, path)?;
    // Asked before it is opened: opening a pipe would wait for its other end.
    if !real.metadata().map_err(failed)?.is_file() {
        return Err(Error::NotFile(path.into()));
    }
    let file = File::open(&real).map_err(failed)?;
    let opened = file.metadata().map_err(failed)?;
    // Asked again after it is opened: a name may have been given to another file in between.
    let real = inside(folder, path)?;
    if !opened.is_file() || !same(&opened, &real.metadata().map_err(failed)?) {
        return Err(Error::NotFile(path.into()));
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(bound).unwrap_or(u64::MAX).saturating_add(1);
    file.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > bound { Err(Error::TooLarge { path: path.into(), bound }) } else { Ok(bytes) }
}

/// Where the file really is, all links followed; below the folder.
fn inside(folder: &Path, path: &str) -> Result<PathBuf, Error> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let failed = |cause| Error::Read { path: path.into(), cause };
    let root = folder.canonicalize().map_err(failed)?;
    let real = root.join(path).canonicalize().map_err(failed)?;
    if real.starts_with(&root) { Ok(real) } else { Err(Error::Outside(path.into())) }
}

#[cfg(unix)]
fn same(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
fn same(a: &Metadata, b: &Metadata) -> bool {
    (a.len(), a.modified().ok()) == (b.len(), b.modified().ok())
}
