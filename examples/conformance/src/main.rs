//! A gate made of code: the fixtures of the official MCP conformance suite, served at `/mcp`.
//!
//! It shows the library side of Callgate. Implement `Backend` (`fixtures.rs`), hand it to the builder, serve. What the tools
//! do stands in `tools/`, one file per family; prompts and resources have a file each. Protocol, eras, sessions, validation,
//! audit and limits are the gate's business, and none of it appears here.

mod fixtures;
mod prompts;
mod questions;
mod resources;
mod samples;
#[cfg(test)]
mod tests;
mod tools;

use std::net::SocketAddr;

use callgate::Gate;
use clap::Parser;

use crate::fixtures::Fixtures;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Serves the fixtures of the official MCP conformance suite at `/mcp`.
#[derive(Parser)]
struct Arguments {
    /// Where to listen; a loopback address.
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { listen } = Arguments::parse();
    let gate = Gate::builder().name("conformance").backend("fixtures", Fixtures).open().await?;
    let listening = gate.listen(listen).await?;
    println!("{}", listening.url());
    listening.until(callgate::signals()).await?;
    Ok(())
}
