//! `callgate serve`: open, run until the process is asked to end, drain.

use std::{future::Future, net::SocketAddr, process::ExitCode};

use callgate::{Drained, Error, Gate, Listening, Log, signals};
use serde_json::json;

use super::{At, log};

/// What a process that was asked twice to end exits with: that of one ended by SIGINT.
const AT_ONCE: i32 = 130;

/// Options of `serve`.
#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    #[command(flatten)]
    at: At,
    /// Where to serve HTTP, instead of the configuration's `listen`; port 0 takes a free one. Loopback only,
    /// unless the configuration has `auth`.
    #[arg(long, value_name = "ADDR", conflicts_with = "stdio")]
    listen: Option<SocketAddr>,
    /// Serve one client over standard input and output instead of HTTP.
    #[arg(long)]
    stdio: bool,
    /// Serve HTTP on an address that other machines reach. Whoever reaches it may call everything: put something in front that
    /// says who may.
    #[arg(long, value_name = "ADDR", conflicts_with_all = ["listen", "stdio"])]
    insecure_listen: Option<SocketAddr>,
}

impl Serve {
    pub(super) async fn run(self, level: Option<&str>) -> anyhow::Result<ExitCode> {
        let configuration = self.at.read()?;
        let log = configuration.log().clone();
        log::begin(&log, level)?;
        // Refused before anything is opened.
        if let Some(address) = self.listen.filter(|address| !address.ip().is_loopback() && !configuration.authenticates()) {
            return Err(Error::Exposed(address).into());
        }
        tracing::info!(gate = configuration.name(), "opening; where migrations run at start, they may take a while");
        let gate = configuration.open().await?;
        // Before anybody is told that the gate is there: whoever reads it may ask it to stop.
        let stop = stop();
        let drained = if self.stdio {
            tracing::info!(gate = gate.gateway().identity().name, "serving standard input and output");
            gate.stdio_until(stop).await?
        } else {
            let listening = self.bind(gate).await?;
            announce(&listening, &log);
            listening.until(stop).await?
        };
        match drained {
            Drained::Clean => tracing::info!("stopped"),
            Drained::Cut(count) => tracing::warn!(count, "stopped; some calls did not end in time and were cut off"),
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn bind(&self, gate: Gate) -> Result<Listening, Error> {
        if let Some(address) = self.insecure_listen {
            return gate.listen_insecurely(address).await;
        }
        let address = self.listen.unwrap_or_else(|| gate.address());
        gate.listen(address).await
    }
}

/// Says where the gate is and what to paste into a client.
fn announce(listening: &Listening, log: &Log) {
    let (gateway, catalog) = (listening.gate().gateway(), listening.gate().catalog());
    let identity = gateway.identity();
    let name = &identity.name;
    let url = listening.url();
    let client = json!({ "mcpServers": { name: { "type": "http", "url": url } } });
    let (tools, resources, prompts) =
        (catalog.tools().len(), catalog.resources().len() + catalog.templates().len(), catalog.prompts().len());
    if log::is_json(log) {
        tracing::info!(gate = name, url, tools, resources, prompts, client = %client, "serving");
        return;
    }
    eprintln!("callgate serves `{name}`: {tools} tools, {resources} resources, {prompts} prompts\n");
    eprintln!("  {url}\n");
    eprintln!("For an MCP client:\n\n  {client}\n");
    eprintln!("Ctrl-C stops it; running calls may finish.");
}

/// Done when the process is asked to end. Asked once more, it ends at once.
fn stop() -> impl Future<Output = ()> + Send {
    let first = signals();
    async {
        first.await;
        tracing::info!("stopping; running calls may finish");
        let second = signals();
        tokio::spawn(async {
            second.await;
            std::process::exit(AT_ONCE);
        });
    }
}
