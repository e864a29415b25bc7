//! The programs that judge us, installed once below the target directory.
//!
//! A folder is named for what it was made from, and counts only once its installation has finished, so a changed version or
//! an interrupted download installs anew.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use crate::{running::Groups, workspace::Workspace};

const LIMIT: Duration = Duration::from_secs(600);
/// The file that says that an installation has finished.
const DONE: &str = ".done";

/// The cache of installed programs.
pub(super) struct Tools<'w> {
    workspace: &'w Workspace,
    groups: Groups,
    log: PathBuf,
}

impl<'w> Tools<'w> {
    pub(super) fn new(workspace: &'w Workspace, groups: Groups, log: PathBuf) -> Self {
        Self { workspace, groups, log }
    }

    /// The npm packages of `clients/NAME`; the folder that holds `node_modules`, with the programs of `clients/NAME` beside it.
    pub(super) fn npm(&self, name: &str) -> Result<PathBuf> {
        let source = self.workspace.root.join("clients").join(name);
        let lists = [source.join("package.json"), source.join("package-lock.json")];
        let folder = self.folder(name, &lists, |folder| {
            for list in &lists {
                fs::copy(list, folder.join(list.file_name().context("a list has a name")?))?;
            }
            let mut npm = Command::new("npm");
            npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit-lockfile-registry-resolved"]).current_dir(folder);
            self.must(npm)
        })?;
        for entry in fs::read_dir(&source)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "mjs") {
                fs::copy(&path, folder.join(path.file_name().context("a program has a name")?))?;
            }
        }
        Ok(folder)
    }

    /// A virtual environment with what `clients/python/LIST` asks for; its Python.
    pub(super) fn python(&self, list: &str) -> Result<PathBuf> {
        let list = self.workspace.root.join("clients/python").join(list);
        let name = list.file_stem().context("a list has a name")?.to_string_lossy().into_owned();
        let folder = self.folder(&name, std::slice::from_ref(&list), |folder| {
            let mut venv = Command::new("python3");
            venv.args(["-m", "venv"]).arg(folder);
            self.must(venv)?;
            let mut pip = Command::new(folder.join("bin/python"));
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&list);
            self.must(pip)
        })?;
        Ok(folder.join("bin/python"))
    }

    /// A package of Debian, unpacked: nothing is started and root is not needed.
    pub(super) fn debian(&self, name: &str) -> Result<PathBuf> {
        self.folder(name, &[], |folder| {
            let apt = |arguments: &[&str]| {
                let mut apt = Command::new("apt-get");
                apt.args(arguments).current_dir(folder);
                self.must(apt)
            };
            // The lists of packages may be missing or old; only root can fetch them.
            apt(&["download", name]).or_else(|_| apt(&["update"]).and_then(|()| apt(&["download", name])))?;
            for entry in fs::read_dir(folder)? {
                let mut unpack = Command::new("dpkg-deb");
                unpack.arg("-x").arg(entry?.path()).arg(folder);
                self.must(unpack)?;
            }
            Ok(())
        })
    }

    fn folder(&self, name: &str, made_from: &[PathBuf], install: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
        let mut hasher = DefaultHasher::new();
        for path in made_from {
            fs::read(path).with_context(|| path.display().to_string())?.hash(&mut hasher);
        }
        let folder = self.workspace.target.join("tools").join(format!("{name}-{:016x}", hasher.finish()));
        if !folder.join(DONE).is_file() {
            println!("   installing {name}");
            if folder.exists() {
                fs::remove_dir_all(&folder)?;
            }
            fs::create_dir_all(&folder)?;
            install(&folder).with_context(|| format!("cannot install {name}"))?;
            fs::write(folder.join(DONE), "")?;
        }
        Ok(folder)
    }

    fn must(&self, command: Command) -> Result<()> {
        let name = command.get_program().to_string_lossy().into_owned();
        let status = self.groups.run(command, &self.log, LIMIT)?;
        ensure!(status.success(), "{name}: {status}");
        Ok(())
    }
}
