//! The load generator: a fixed number of keep-alive connections, each sending its next call when the last is answered.
//!
//! It speaks just enough HTTP/1.1 to measure a server without becoming the thing that is measured. Every reply is looked at:
//! a status other than 200, or a reply about another customer, counts as an error.

mod wire;

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use clap::Parser;
use rusqlite::{Connection, OpenFlags};
use serde_json::json;

use crate::wire::{Ask, Client};

/// Calls `get_customer` again and again; prints what it saw as one line of JSON.
#[derive(Parser)]
struct CommandLine {
    /// The server.
    #[arg(long)]
    server: SocketAddr,
    /// The shop's SQLite file, for ids that exist.
    #[arg(long)]
    database: PathBuf,
    /// Which tool to call.
    #[arg(long, default_value = "get_customer")]
    tool: String,
    /// The API key to call with.
    #[arg(long)]
    key: Option<String>,
    /// How many calls to make.
    #[arg(long, default_value_t = 20_000)]
    calls: usize,
    /// Over how many connections.
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// Make one call and print the reply instead.
    #[arg(long)]
    once: bool,
}

/// How many different customers are asked for.
const CUSTOMERS: usize = 1_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let line = CommandLine::parse();
    let asks: Arc<[Ask]> = ids(&line)?.iter().map(|id| Ask::new(line.server, &line.tool, line.key.as_deref(), id)).collect();
    if line.once {
        let mut client = Client::connect(line.server).await?;
        println!("{}", client.call(&asks[0]).await?);
        return Ok(());
    }
    // A client that sleeps is woken by the server, on the server's time; on a virtual machine that costs as much as the call. This one never sleeps.
    tokio::spawn(async {
        loop {
            tokio::task::yield_now().await;
        }
    });
    let start = now();
    let calls = line.calls / line.connections;
    let workers: Vec<_> = (0..line.connections).map(|first| tokio::spawn(work(line.server, asks.clone(), first * 97, calls))).collect();
    let mut times = Vec::with_capacity(line.calls);
    for worker in workers {
        times.append(&mut worker.await??);
    }
    let took = start.elapsed();
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_micros();
    println!(
        "{}",
        json!({
            "calls": times.len(),
            "seconds": took.as_secs_f64(),
            "p50_us": u64::try_from(at(50))?,
            "p99_us": u64::try_from(at(99))?,
        })
    );
    Ok(())
}

async fn work(server: SocketAddr, asks: Arc<[Ask]>, first: usize, calls: usize) -> Result<Vec<Duration>> {
    let mut client = Client::connect(server).await?;
    let mut times = Vec::with_capacity(calls);
    for ask in asks.iter().cycle().skip(first % asks.len()).take(calls) {
        let start = now();
        let reply = client.call(ask).await?;
        times.push(start.elapsed());
        ensure!(reply.contains(&ask.id), "a reply about another customer than {}: {reply}", ask.id);
    }
    Ok(times)
}

/// Ids spread over the whole table; one is enough for one call.
fn ids(line: &CommandLine) -> Result<Vec<String>> {
    let connection = Connection::open_with_flags(&line.database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut statement = connection.prepare("SELECT id FROM customers ORDER BY id LIMIT ?1")?;
    let most = if line.once { 1 } else { -1 };
    let all = statement.query_map([most], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    ensure!(!all.is_empty(), "the shop has no customers");
    let step = (all.len() / CUSTOMERS).max(1);
    Ok(all.into_iter().step_by(step).take(CUSTOMERS).collect())
}

#[expect(clippy::disallowed_methods, reason = "a load generator measures real time")]
fn now() -> Instant {
    Instant::now()
}
