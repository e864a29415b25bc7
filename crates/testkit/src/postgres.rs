//! A PostgreSQL for one test alone, which may freeze it, kill it and start it anew: in a folder of its own, on a free port of the loopback
//! interface, ended by its id.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    os::unix::fs::{MetadataExt as _, chown},
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, bail, ensure};
use tokio::{process::Command, time::timeout};

use crate::{Folder, PATIENCE, PAUSE, Process};

const USUAL: &str = "/usr/lib/postgresql";

/// A cluster that outlives the kill of its server, as long as the machine lives: commits are given to the system, which need not bring
/// them to the disk. It ends with the value.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    account: Option<Account>,
    port: u16,
    folder: Folder,
    process: Option<Process>,
}

/// The account under which the server runs where we are root: PostgreSQL refuses to run as root.
#[derive(Clone, Copy, Debug)]
struct Account {
    user: u32,
    group: u32,
}

impl Postgres {
    /// The folder of its programs: what `CALLGATE_TEST_POSTGRES_PROGRAMS` names (`none` for no tests with it), or else the newest where
    /// Debian's packages put it.
    #[must_use]
    pub fn programs() -> Option<PathBuf> {
        match std::env::var_os("CALLGATE_TEST_POSTGRES_PROGRAMS").filter(|path| !path.is_empty()) {
            Some(none) if none == "none" => None,
            Some(programs) => Some(programs.into()),
            None => newest(),
        }
    }

    /// A server that answers, with nothing in it.
    pub async fn start(programs: PathBuf) -> anyhow::Result<Self> {
        let nothing: [(&str, &str); 0] = [];
        let folder = Folder::with(nothing)?;
        let account = unprivileged(folder.path())?;
        if let Some(Account { user, group }) = account {
            chown(folder.path(), Some(user), Some(group))?;
        }
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut postgres = Self { programs, account, port, folder, process: None };
        let data = postgres.data();
        let mut initdb = postgres.command("initdb");
        initdb.args(["--auth=trust", "--username=callgate", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"]).arg(data);
        let made = Process::logged(initdb, &postgres.log())?.end().await?;
        ensure!(made.success(), "initdb failed: {}", postgres.said());
        postgres.run().await?;
        Ok(postgres)
    }

    /// Starts it, on the same port and with what it had, until it answers.
    pub async fn run(&mut self) -> anyhow::Result<()> {
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data()).args(["-p", &self.port.to_string()]).arg("-k").arg(self.folder.path());
        for setting in ["listen_addresses=127.0.0.1", "fsync=off", "max_connections=100"] {
            command.args(["-c", setting]);
        }
        self.process = Some(Process::logged(command, &self.log())?);
        timeout(PATIENCE, async {
            while !self.answers().await? {
                tokio::time::sleep(PAUSE).await;
            }
            anyhow::Ok(())
        })
        .await
        .with_context(|| format!("the PostgreSQL server does not answer: {}", self.said()))?
    }

    /// Ends it at once, as after a crash, without a word to its clients, and waits until it is gone.
    pub async fn abort(&mut self) -> anyhow::Result<()> {
        let mut process = self.process.take().context("the server does not run")?;
        process.signal("QUIT").await?;
        process.end().await?;
        Ok(())
    }

    /// Stops all its processes where they are. Connections stay open and say nothing.
    pub async fn freeze(&self) -> anyhow::Result<()> {
        // The one that starts others goes first.
        self.signal("STOP").await
    }

    /// Lets them go on.
    pub async fn thaw(&self) -> anyhow::Result<()> {
        self.signal("CONT").await
    }

    async fn signal(&self, name: &str) -> anyhow::Result<()> {
        let process = self.process.as_ref().context("the server does not run")?;
        process.signal(name).await?;
        let id = process.id().context("the server has ended")?;
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).context("the server's processes")?;
        let sent = Command::new("/bin/sh").args(["-c", &format!("kill -{name} {children}")]).status().await?;
        // One that has just ended is none of our concern.
        ensure!(sent.success() || !children.is_empty(), "cannot send {name} to {children}");
        Ok(())
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// The URL of its one database, by way of `address`.
    #[must_use]
    pub fn url_through(&self, address: SocketAddr) -> String {
        format!("postgres://callgate@{address}/postgres")
    }

    /// The URL of its one database.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_through(self.address())
    }

    /// Whether it takes connections.
    async fn answers(&self) -> anyhow::Result<bool> {
        let mut ask = self.command("pg_isready");
        ask.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
        Ok(ask.status().await?.success())
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// What it has written into its log so far.
    #[must_use]
    pub fn said(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }

    /// The account may not be allowed where we are, so its programs start in the folder.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(self.folder.path());
        if let Some(Account { user, group }) = self.account {
            command.uid(user).gid(group);
        }
        command
    }
}

impl Drop for Postgres {
    /// Asks it to end at once, which lets it clean up behind itself, and waits a moment for that; frozen processes must go on first.
    fn drop(&mut self) {
        let Some(id) = self.process.as_ref().and_then(Process::id) else { return };
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        let end = format!(
            "kill -QUIT {id}; kill -CONT {id} {children}; n=0; \
             while readlink /proc/{id}/exe && [ $n -lt 100 ]; do sleep 0.02; n=$((n+1)); done"
        );
        let _ = std::process::Command::new("/bin/sh").args(["-c", &end]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

fn newest() -> Option<PathBuf> {
    let versions = fs::read_dir(USUAL).ok()?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let programs = Path::new(USUAL).join(versions.max()?.to_string()).join("bin");
    programs.join("initdb").is_file().then_some(programs)
}

fn unprivileged(folder: &Path) -> anyhow::Result<Option<Account>> {
    if fs::metadata(folder)?.uid() != 0 {
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
