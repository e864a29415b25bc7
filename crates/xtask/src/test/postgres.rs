//! A PostgreSQL for the tests alone: a fresh cluster in a temporary folder, on a free port of the loopback interface.

use std::{
    fs,
    net::TcpStream,
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};

use crate::{
    http::free_port,
    running::{Groups, Running, until},
};

const PROGRAMS: &str = "/usr/lib/postgresql";
const MINUTE: Duration = Duration::from_secs(60);

/// A cluster that runs until it is stopped or dropped.
pub(super) struct Postgres {
    server: Running,
    port: u16,
}

/// The unprivileged account under which the cluster runs when we are root: PostgreSQL refuses to run as root.
#[derive(Clone, Copy)]
struct Account {
    user: u32,
    group: u32,
}

impl Postgres {
    /// Starts one, installing Debian's package where no PostgreSQL is found.
    pub(super) fn start(groups: &Groups, log: &Path, scratch: &Path) -> Result<Self> {
        let programs = match newest() {
            Some(programs) => programs,
            None => install(groups, log)?,
        };
        let account = unprivileged(scratch)?;
        let folder = scratch.join("postgres");
        fs::create_dir(&folder)?;
        if let Some(Account { user, group }) = account {
            // The scratch folder is ours alone; the server must be able to pass through it.
            chown(scratch, Some(user), Some(group))?;
            chown(&folder, Some(user), Some(group))?;
        }
        let data = folder.join("data");
        let mut initdb = run_as(account, &programs.join("initdb"), &folder);
        initdb.args(["--auth=trust", "--username=callgate", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"]).arg(&data);
        let status = groups.run(initdb, log, MINUTE)?;
        ensure!(status.success(), "initdb failed: {status}");

        let port = free_port()?;
        let mut command = run_as(account, &programs.join("postgres"), &folder);
        command.arg("-D").arg(&data).args(["-p", &port.to_string()]).arg("-k").arg(&folder);
        for setting in ["listen_addresses=127.0.0.1", "fsync=off", "synchronous_commit=off", "max_connections=200"] {
            command.args(["-c", setting]);
        }
        let mut server = groups.start(command, log)?;
        until("PostgreSQL", &mut server, MINUTE, || accepts(&programs, port))?;
        println!("   PostgreSQL from {} on port {port}", programs.display());
        Ok(Self { server, port })
    }

    /// Where it is.
    pub(super) fn url(&self) -> String {
        format!("postgres://callgate@127.0.0.1:{}/postgres", self.port)
    }

    /// Ends it without waiting for its clients.
    pub(super) fn stop(self) -> Result<()> {
        self.server.ask("INT");
        self.server.wait(MINUTE).map(drop)
    }
}

/// The folder with the newest PostgreSQL that is installed, from 15 on.
fn newest() -> Option<PathBuf> {
    let versions = fs::read_dir(PROGRAMS).ok()?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let newest = versions.filter(|version| *version >= 15).max()?;
    let programs = Path::new(PROGRAMS).join(newest.to_string()).join("bin");
    programs.join("initdb").is_file().then_some(programs)
}

fn install(groups: &Groups, log: &Path) -> Result<PathBuf> {
    println!("   no PostgreSQL is installed: installing Debian's package postgresql-15 with apt-get");
    for arguments in [&["update"][..], &["install", "--yes", "--no-install-recommends", "postgresql-15"]] {
        let mut command = Command::new("apt-get");
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        let status = groups.run(command, log, 10 * MINUTE)?;
        ensure!(status.success(), "apt-get {} failed: {status}; install PostgreSQL 15 by hand, or use --without-postgres", arguments[0]);
    }
    newest().context("apt-get installed PostgreSQL, but not where Debian puts it")
}

/// The account to use, if we are root.
fn unprivileged(scratch: &Path) -> Result<Option<Account>> {
    if fs::metadata(scratch)?.uid() != 0 {
        return Ok(None);
    }
    let accounts = fs::read_to_string("/etc/passwd")?;
    for name in ["postgres", "nobody"] {
        let mut fields = accounts.lines().map(|line| line.split(':').collect::<Vec<_>>()).filter(|fields| fields[0] == name);
        if let Some([_, _, user, group, ..]) = fields.next().as_deref() {
            return Ok(Some(Account { user: user.parse()?, group: group.parse()? }));
        }
    }
    bail!("PostgreSQL does not run as root, and there is neither an account `postgres` nor `nobody`")
}

/// The account may not be allowed into the repository, so its programs start in a folder of their own.
fn run_as(account: Option<Account>, program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    if let Some(Account { user, group }) = account {
        command.uid(user).gid(group);
    }
    command
}

/// A ready server answers `pg_isready`; an open port alone says little.
fn accepts(programs: &Path, port: u16) -> bool {
    let reachable = TcpStream::connect(("127.0.0.1", port)).is_ok();
    let mut command = Command::new(programs.join("pg_isready"));
    reachable && command.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]).status().is_ok_and(|status| status.success())
}
