//! The text files of the repository, read once.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use super::Complaint;

/// Folders that hold nothing we wrote.
const SKIPPED: [&str; 5] = ["target", ".git", "node_modules", "__pycache__", "data"];

/// One text file: its path from the root, with `/`, and its text.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// The lines with their numbers, counted from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// The path's last part.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// The folder it lies in; empty for the root.
    pub(crate) fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// Rust that is not there to test.
    pub(crate) fn is_product(&self) -> bool {
        self.is_rust() && !self.is_test()
    }

    /// Rust.
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// A file of tests: `tests.rs`, or anything below a folder `tests`.
    pub(crate) fn is_test(&self) -> bool {
        self.name() == "tests.rs" || self.path.split('/').any(|part| part == "tests")
    }
}

/// All text files, ordered by path.
#[derive(Debug)]
pub(crate) struct Tree(Vec<File>);

impl Tree {
    /// Reads what lies below `root`. Files that are not UTF-8 are nobody's prose and are left out.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let mut files = Vec::new();
        walk(root, "", &mut files)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self(files))
    }

    /// A tree of these files, for tests.
    #[cfg(test)]
    pub(crate) fn of<const N: usize>(files: [(&str, &str); N]) -> Self {
        Self(files.map(|(path, text)| File { path: path.into(), text: text.into() }).into())
    }

    /// All files.
    pub(crate) fn files(&self) -> &[File] {
        &self.0
    }

    /// The file at this path.
    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.0.iter().find(|file| file.path == path)
    }

    /// There is a file at this path, or a folder with files.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.0.iter().any(|file| file.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    }
}

/// `name.rs` beside `name/` makes a component that cannot be moved in one gesture.
pub(super) fn no_twins(tree: &Tree) -> Vec<Complaint> {
    let twin = |file: &&File| file.path.strip_suffix(".rs").is_some_and(|stem| tree.has(&format!("{stem}/mod.rs")) || has_rust(tree, stem));
    tree.files().iter().filter(twin).map(|file| Complaint::new(file, 1, "move it to `mod.rs` in the folder beside it")).collect()
}

fn has_rust(tree: &Tree, folder: &str) -> bool {
    tree.files().iter().any(|file| file.folder() == folder && file.is_rust())
}

fn walk(root: &Path, folder: &str, files: &mut Vec<File>) -> Result<()> {
    let entries = fs::read_dir(root.join(folder)).with_context(|| format!("cannot list {folder}"))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() && !SKIPPED.contains(&name.as_str()) {
            walk(root, &path, files)?;
        } else if kind.is_file() {
            let bytes = fs::read(entry.path()).with_context(|| format!("cannot read {path}"))?;
            files.extend(String::from_utf8(bytes).ok().map(|text| File { path, text }));
        }
    }
    Ok(())
}
