//! The servers, the two replicas, and whoever has a key.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use callgate_testkit::{Folder, PATIENCE, Postgres, Process, Redis, http::Request};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::{
    sync::{Mutex, MutexGuard},
    time::{sleep, timeout},
};
use tokio_postgres::{Client, NoTls};

use crate::caller::Key;

/// What a test has of its own.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// How many tenants there are, and how many callers each has. Callers of all tenants have the same names.
    pub(crate) tenants: usize,
    pub(crate) callers: usize,
    /// Files beside `gate.yaml`.
    pub(crate) files: Vec<(&'static str, String)>,
    /// What the configuration reads from the environment.
    pub(crate) ways: Vec<(&'static str, String)>,
}

impl Setting {
    /// A few callers, and the shortest way to everything.
    pub(crate) fn plain(postgres: &Postgres, redis: &Redis) -> Self {
        let ways = vec![("STORE", postgres.url()), ("SHOP", postgres.url()), ("REDIS", redis.url())];
        Self { tenants: 3, callers: 2, files: Vec::new(), ways }
    }
}

const CONFIG: &str = include_str!("gate.yaml");
const ORDERS: &str = "CREATE TABLE orders (mark TEXT NOT NULL, tenant TEXT NOT NULL, caller TEXT NOT NULL);
    CREATE TABLE prices (item TEXT PRIMARY KEY, price BIGINT NOT NULL); INSERT INTO prices VALUES ('tea', 0);";
const CALM: &str = "CREATE TABLE facts (id INTEGER PRIMARY KEY, fact TEXT NOT NULL); INSERT INTO facts VALUES (1, 'calm');";

/// One test at a time.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Everything there is.
pub(crate) struct World {
    pub(crate) postgres: Postgres,
    pub(crate) redis: Redis,
    pub(crate) replicas: [Replica; 2],
    pub(crate) keys: Vec<Key>,
    _alone: MutexGuard<'static, ()>,
}

/// One gate.
pub(crate) struct Replica {
    pub(crate) address: SocketAddr,
    folder: Folder,
    variables: Vec<(&'static str, String)>,
    process: Option<Process>,
    /// Odd while it is not there for sure. A call during which this stays the same even number has no excuse.
    pub(crate) epoch: Arc<AtomicU64>,
}

impl World {
    /// Two replicas that answer; none where there is no PostgreSQL or no Redis.
    pub(crate) async fn open() -> anyhow::Result<Option<Self>> {
        let Some((postgres, redis)) = servers().await? else { return Ok(None) };
        let setting = Setting::plain(&postgres, &redis);
        Self::over(postgres, redis, &setting).await.map(Some)
    }

    /// The same over these servers.
    pub(crate) async fn over(postgres: Postgres, redis: Redis, setting: &Setting) -> anyhow::Result<Self> {
        let alone = ALONE.lock().await;
        let mut replicas = [Replica::new(setting)?, Replica::new(setting)?];
        for replica in &mut replicas {
            replica.start().await?;
        }
        let owners = (0..setting.tenants).flat_map(|tenant| (0..setting.callers).map(move |caller| (tenant, caller)));
        let given = stream::iter(owners).map(|(tenant, caller)| replicas[0].give_key(tenant, caller)).buffered(4);
        let keys = given.try_collect().await?;
        Ok(Self { postgres, redis, replicas, keys, _alone: alone })
    }

    /// A connection to the database, past everything.
    pub(crate) async fn client(&self) -> anyhow::Result<Client> {
        let (client, connection) = tokio_postgres::connect(&self.postgres.url(), NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }
}

/// Servers of one's own, where there are any.
pub(crate) async fn servers() -> anyhow::Result<Option<(Postgres, Redis)>> {
    let (Some(programs), Some(program)) = (Postgres::programs(), Redis::program()) else {
        eprintln!("skipped: there is no PostgreSQL or no redis-server; `cargo xtask test` installs them");
        return Ok(None);
    };
    Ok(Some((Postgres::start(programs).await?, Redis::start(program).await?)))
}

impl Replica {
    fn new(setting: &Setting) -> anyhow::Result<Self> {
        let folder = Folder::with([("gate.yaml", CONFIG), ("orders/1.sql", ORDERS), ("calm/1.sql", CALM), ("data/.keep", "")])?;
        for (name, text) in &setting.files {
            folder.write(name, text)?;
        }
        // It keeps its port over all of its lives.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        Ok(Self { address, folder, variables: setting.ways.clone(), process: None, epoch: Arc::new(AtomicU64::new(1)) })
    }

    /// Starts it until it is ready.
    pub(crate) async fn start(&mut self) -> anyhow::Result<()> {
        let folder = self.folder.path().display().to_string();
        let arguments = ["serve", &folder, "--listen", &self.address.to_string()];
        self.process = Some(Process::logging(PROGRAM.as_ref(), &arguments, &self.variables(), &self.log())?);
        let ready = until("ready", PATIENCE, async || Ok(self.is_ready().await)).await;
        ready.with_context(|| self.said())?;
        self.epoch.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    /// Kills it.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        let mut process = self.process.take().context("it does not run")?;
        process.signal("KILL").await?;
        process.end().await?;
        Ok(())
    }

    pub(crate) async fn is_ready(&self) -> bool {
        let answer = Request::new("GET", "/health/ready").send(self.address).await;
        answer.is_ok_and(|answer| answer.status == 200)
    }

    /// Its figures.
    async fn metrics(&self) -> anyhow::Result<String> {
        Request::new("GET", "/metrics").send(self.address).await?.text().await
    }

    /// One of its figures.
    pub(crate) async fn figure(&self, name: &str) -> anyhow::Result<f64> {
        let metrics = self.metrics().await?;
        let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
        value.with_context(|| format!("no `{name}` in\n{metrics}"))
    }

    /// Callers with even numbers are `even`, the others are `odd`.
    async fn give_key(&self, tenant: usize, caller: usize) -> anyhow::Result<Key> {
        let role = if caller.is_multiple_of(2) { "even" } else { "odd" };
        let (tenant, caller) = (format!("tenant{tenant}"), format!("caller{caller}"));
        let text = self.command(&["keys", "add", &caller, "--tenant", &tenant, "--role", role, "-c", "FOLDER"]).await?;
        Ok(Key { tenant, caller, role, text: text.trim().to_owned() })
    }

    /// Runs a command beside it, which must succeed; what it printed. `FOLDER` stands for the configuration.
    pub(crate) async fn command(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let folder = self.folder.path().display().to_string();
        let filled: Vec<String> = arguments.iter().map(|argument| argument.replace("FOLDER", &folder)).collect();
        let filled: Vec<&str> = filled.iter().map(String::as_str).collect();
        let mut process = Process::start(PROGRAM.as_ref(), &filled, &self.variables())?;
        let mut output = String::new();
        while let Some(line) = process.read().await? {
            output += &(line + "\n");
        }
        let errors = process.errors().await?;
        ensure!(process.end().await?.success(), "`{}` failed:\n{output}{errors}", arguments.join(" "));
        Ok(output)
    }

    /// The file to which it writes signed heads.
    pub(crate) fn heads(&self) -> PathBuf {
        self.folder.path().join("heads.jsonl")
    }

    /// The end of what it has said; a breaker that is open says so too often.
    pub(crate) fn said(&self) -> String {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().filter(|line| !line.contains("the circuit breaker is open")).collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn variables(&self) -> Vec<(&str, &str)> {
        self.variables.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_callgate");

/// Waits until `holds`, for at most so long.
pub(crate) async fn until(what: &str, most: Duration, mut holds: impl AsyncFnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let wait = async {
        while !holds().await? {
            sleep(Duration::from_millis(2)).await;
        }
        anyhow::Ok(())
    };
    match timeout(most, wait).await {
        Ok(done) => done,
        Err(_) => bail!("{what}: not within {most:?}"),
    }
}
