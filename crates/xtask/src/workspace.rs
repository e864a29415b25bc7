//! Where things are: the repository, the target directory, the cache of installed tools.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

/// The places that chores work with.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    /// The repository.
    pub(crate) root: PathBuf,
    /// Cargo's target directory.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn find() -> Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
        let mut command = Command::new("cargo");
        command.args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"]).arg(manifest);
        let output = command.output().context("cannot start cargo")?;
        ensure!(output.status.success(), "cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
        let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        let place = |name: &str| metadata[name].as_str().map(PathBuf::from).with_context(|| format!("cargo metadata without {name}"));
        Ok(Self { root: place("workspace_root")?, target: place("target_directory")? })
    }

    /// The path of a program that cargo built, such as `debug/callgate`.
    pub(crate) fn built(&self, path: &str) -> PathBuf {
        self.target.join(path)
    }
}
