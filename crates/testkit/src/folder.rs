//! A folder that one test owns.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

/// A temporary folder with the files a test needs; it is removed with the value.
#[derive(Debug)]
pub struct Folder(tempfile::TempDir);

impl Folder {
    /// A folder with these files: relative path and text.
    pub fn with<'f>(files: impl IntoIterator<Item = (&'f str, &'f str)>) -> anyhow::Result<Self> {
        let folder = Self(tempfile::tempdir().context("cannot make a temporary folder")?);
        for (name, text) in files {
            folder.write(name, text)?;
        }
        Ok(folder)
    }

    /// Writes a file, and the folders above it.
    pub fn write(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        let path = self.path().join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, text).with_context(|| format!("cannot write `{name}`"))?;
        Ok(path)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}
