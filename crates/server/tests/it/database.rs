//! A database for one scenario alone.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context as _;
use tokio_postgres::NoTls;

use crate::scenario::Engine;

/// The URL of a PostgreSQL on which databases may be made, if the test command gave one.
#[expect(clippy::disallowed_methods, reason = "the test command says it in the environment, as `cargo xtask test` documents")]
pub(crate) fn postgres() -> Option<String> {
    std::env::var("CALLGATE_TEST_POSTGRES").ok().filter(|url| !url.is_empty())
}

/// A database that exists for as long as it is needed.
pub(crate) struct Database {
    pub(crate) url: String,
    made: Option<(String, String)>,
}

impl Database {
    /// An empty one. `server` is a URL on which databases may be made.
    pub(crate) async fn fresh(engine: Engine, server: Option<&str>) -> anyhow::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let Some(server) = server.filter(|_| engine == Engine::Postgres) else {
            return Ok(Self { url: "sqlite:data/test.db".to_owned(), made: None });
        };
        let name = format!("callgate_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        run(server, &format!("CREATE DATABASE {name}")).await?;
        let (base, options) = server.split_once('?').map_or((server, String::new()), |(base, options)| (base, format!("?{options}")));
        let (base, _) = base.rsplit_once('/').context("the URL has no database")?;
        Ok(Self { url: format!("{base}/{name}{options}"), made: Some((server.to_owned(), name)) })
    }

    /// Removes it.
    pub(crate) async fn remove(self) -> anyhow::Result<()> {
        match self.made {
            Some((server, name)) => run(&server, &format!("DROP DATABASE {name} WITH (FORCE)")).await,
            None => Ok(()),
        }
    }
}

async fn run(server: &str, sql: &str) -> anyhow::Result<()> {
    let (client, connection) = tokio_postgres::connect(server, NoTls).await.context("cannot reach CALLGATE_TEST_POSTGRES")?;
    let connection = tokio::spawn(connection);
    client.batch_execute(sql).await?;
    drop(client);
    connection.await?.context("the connection broke off")
}
