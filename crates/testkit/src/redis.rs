//! A Redis server for one test alone: on a free port of the loopback interface, in a folder of its own, ended by its id.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
};

use anyhow::{Context as _, bail};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    time::timeout,
};

use crate::{Folder, PATIENCE, PAUSE, Process};

/// A server that keeps nothing on disk. It is killed with the value.
#[derive(Debug)]
pub struct Redis {
    program: PathBuf,
    port: u16,
    folder: Folder,
    process: Option<Process>,
}

impl Redis {
    /// The program of the server: what `CALLGATE_TEST_REDIS` names, which `cargo xtask test` sets (`none` for no tests with it), or else `redis-server` where
    /// packages put it.
    #[must_use]
    pub fn program() -> Option<PathBuf> {
        let usual = || ["/usr/bin/redis-server", "/usr/local/bin/redis-server", "/usr/bin/valkey-server"].map(PathBuf::from);
        match std::env::var_os("CALLGATE_TEST_REDIS").filter(|path| !path.is_empty()) {
            Some(none) if none == "none" => None,
            Some(program) => Some(program.into()),
            None => usual().into_iter().find(|path| path.is_file()),
        }
    }

    /// A server that does not run yet, on a port that is free.
    pub fn stopped(program: PathBuf) -> anyhow::Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let nothing: [(&str, &str); 0] = [];
        Ok(Self { program, port, folder: Folder::with(nothing)?, process: None })
    }

    /// A server that answers.
    pub async fn start(program: PathBuf) -> anyhow::Result<Self> {
        let mut redis = Self::stopped(program)?;
        redis.run().await?;
        Ok(redis)
    }

    /// Starts it, on the same port and empty, until it answers.
    pub async fn run(&mut self) -> anyhow::Result<()> {
        let (port, folder) = (self.port.to_string(), self.folder.path().display().to_string());
        let arguments = ["--port", &port, "--bind", "127.0.0.1", "--dir", &folder, "--save", "", "--appendonly", "no"];
        self.process = Some(Process::start(&self.program, &arguments, &[])?);
        timeout(PATIENCE, async {
            while self.ask("PING").await.is_err() {
                tokio::time::sleep(PAUSE).await;
            }
        })
        .await
        .context("the Redis server does not answer")
    }

    /// Kills it and waits until it is gone.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.signal("KILL").await?;
        if let Some(mut process) = self.process.take() {
            process.end().await?;
        }
        Ok(())
    }

    /// Sends it a signal such as `STOP`, by its id.
    pub async fn signal(&self, name: &str) -> anyhow::Result<()> {
        self.process.as_ref().context("the server does not run")?.signal(name).await
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_through(self.address())
    }

    /// Its URL by way of `address`.
    #[must_use]
    pub fn url_through(&self, address: SocketAddr) -> String {
        format!("redis://{address}/0")
    }

    /// The first line of its answer to a command without arguments that need quotes.
    pub async fn ask(&self, command: &str) -> anyhow::Result<String> {
        let mut stream = BufReader::new(TcpStream::connect(self.address()).await?);
        stream.write_all(format!("{command}\r\n").as_bytes()).await?;
        let mut line = String::new();
        timeout(PATIENCE, stream.read_line(&mut line)).await.context("no answer")??;
        if line.starts_with('-') || line.is_empty() {
            bail!("the Redis server says `{}`", line.trim_end());
        }
        Ok(line.trim_end().to_owned())
    }
}
