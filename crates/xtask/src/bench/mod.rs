//! `cargo xtask bench`: what a call costs, compared with a bare handler that does the same lookup.
//!
//! Servers run on one core, the load generator on another, in alternating turns. What is compared is the processor time that
//! a server used per call, which says more on a shared machine than the time a call took. Both must first give the same answer.

mod crossing;
mod governed;
mod measure;
mod scale;
mod table;

use std::{path::PathBuf, process::Command, time::Duration};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use self::{
    measure::{Memory, Process},
    table::Table,
};
use crate::{
    http::{answers, free_port},
    running::{Groups, Running, now, until},
    shop::{FILLING, Shop},
    workspace::Workspace,
};

const MINUTE: Duration = Duration::from_secs(60);
/// The core of the server and the core of the load.
const CORES: [&str; 2] = ["0", "1"];
/// Calls that warm a server up before its turns.
const WARM_UP: usize = 2_000;
/// How often the start is measured.
const STARTS: usize = 5;

/// How to measure.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many turns each server gets.
    #[arg(long, default_value_t = 7)]
    turns: usize,
    /// How many calls make a turn.
    #[arg(long, default_value_t = 40_000)]
    calls: usize,
    /// Over how many connections.
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// The cargo profile to build with.
    #[arg(long, default_value = "dist")]
    profile: String,
    /// Measure what was built before.
    #[arg(long)]
    no_build: bool,
    /// Leave out the catalogs of 10, 1,000 and 10,000 tools.
    #[arg(long)]
    no_scale: bool,
    /// Measure nothing: make so many calls of 50 callers with equal arguments over shared connections, and count replies for another caller.
    #[arg(long, value_name = "CALLS", num_args = 0..=1, default_missing_value = "1000000")]
    crossing: Option<usize>,
}

/// What the measurements work with.
struct Context<'w> {
    workspace: &'w Workspace,
    options: &'w Options,
    groups: Groups,
    shop: Shop,
    log: PathBuf,
}

/// A server that runs on its core.
struct Server {
    running: Running,
    port: u16,
}

impl Server {
    fn process(&self) -> Process {
        Process(self.running.id())
    }
}

/// One turn of one server.
struct Turn {
    /// Microseconds of processor time per call.
    cost: f64,
    /// What the load generator saw.
    load: Value,
}

/// Measures and prints; fails only if something could not be measured.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool> {
    if let Some(calls) = options.crossing {
        return crossing::run(workspace, &options.profile, calls);
    }
    let scratch = tempfile::tempdir()?;
    let shop = Shop::copy(workspace, &scratch.path().join("shop"))?;
    let log = workspace.target.join("bench.log");
    let context = Context { workspace, options, groups: Groups::new()?, shop, log };
    if !options.no_build {
        println!("building with the profile `{}`", options.profile);
        context.build()?;
    }
    println!("filling the shop");
    context.gate(&context.shop)?.running.stop()?;

    let mut table = Table::default();
    context.compare(&mut table)?;
    context.rest(&mut table)?;
    governed::measure(&context, scratch.path(), &mut table)?;
    if !options.no_scale {
        scale::measure(&context, scratch.path(), &mut table)?;
    }
    println!("\n{table}");
    Ok(true)
}

impl Context<'_> {
    fn build(&self) -> Result<()> {
        let mut command = Command::new("cargo");
        command
            .args(["build", "--quiet", "--profile", &self.options.profile, "-p", "callgate", "-p", "bench"])
            .current_dir(&self.workspace.root);
        let status = self.groups.run(command, &self.log, 30 * MINUTE)?;
        ensure!(status.success(), "the build failed; see {}", self.log.display());
        Ok(())
    }

    fn built(&self, name: &str) -> PathBuf {
        let folder = if self.options.profile == "dev" { "debug" } else { &self.options.profile };
        self.workspace.built(&format!("{folder}/{name}"))
    }

    /// Starts a server on its core and waits until `path` answers.
    fn server(&self, command: &Command, port: u16, ready: impl FnMut() -> bool) -> Result<Server> {
        let mut running = self.groups.start(pinned(command, CORES[0]), &self.log)?;
        until("the server", &mut running, FILLING, ready)?;
        Ok(Server { running, port })
    }

    fn gate(&self, shop: &Shop) -> Result<Server> {
        let port = free_port()?;
        self.server(&shop.serve(&self.built("callgate"), port), port, || answers(port, "/health/ready"))
    }

    fn bare(&self) -> Result<Server> {
        let port = free_port()?;
        let mut command = Command::new(self.built("bench-bare"));
        command.args(["--listen", &format!("127.0.0.1:{port}"), "--database"]).arg(self.shop.database());
        self.server(&command, port, || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok())
    }

    /// Runs the load generator to its end; what it printed.
    fn load(&self, server: &Server, tool: &str, arguments: &[&str]) -> Result<Value> {
        let mut command = Command::new(self.built("bench-load"));
        command.args(["--server", &format!("127.0.0.1:{}", server.port), "--tool", tool, "--database"]).arg(self.shop.database());
        command.args(["--connections", &self.options.connections.to_string()]).args(arguments);
        let output = pinned(&command, CORES[1]).output()?;
        ensure!(output.status.success(), "the load generator: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).context("what the load generator printed")
    }

    fn turn(&self, server: &Server, tool: &str, calls: usize, more: &[&str]) -> Result<Turn> {
        let before = server.process().processor_time()?;
        let calls = calls.to_string();
        let load = self.load(server, tool, &[&["--calls", &calls], more].concat())?;
        let used = server.process().processor_time()?.saturating_sub(before);
        let made = load["calls"].as_f64().context("no calls were made")?;
        Ok(Turn { cost: used.as_secs_f64() * 1e6 / made, load })
    }

    /// The gate beside the bare handler.
    fn compare(&self, table: &mut Table) -> Result<()> {
        let (bare, gate) = (self.bare()?, self.gate(&self.shop)?);
        let answer = |server: &Server| Ok::<_, anyhow::Error>(self.load(server, "get_customer", &["--once"])?["result"].clone());
        let (plain, guarded) = (answer(&bare)?, answer(&gate)?);
        for member in ["content", "structuredContent"] {
            ensure!(plain[member] == guarded[member], "the answers differ: bare {plain}, gate {guarded}");
        }
        let mut turns = [Vec::new(), Vec::new()];
        for server in [&bare, &gate] {
            self.turn(server, "get_customer", WARM_UP, &[])?;
        }
        for number in 1..=self.options.turns {
            for (server, turns) in [&bare, &gate].into_iter().zip(&mut turns) {
                turns.push(self.turn(server, "get_customer", self.options.calls, &[])?);
            }
            let [bare, gate] = turns.each_ref().map(|turns| turns.last().map_or(0.0, |turn| turn.cost));
            println!("turn {number}: bare {bare:.1} µs, gate {gate:.1} µs");
        }
        table.compare(&turns[0], &turns[1]);
        table.row("memory after the load", gate.process().memory()?.to_string());
        Ok(())
    }

    /// Memory at rest, and how soon the first answer comes.
    fn rest(&self, table: &mut Table) -> Result<()> {
        let mut firsts = Vec::new();
        let mut memory = Memory::default();
        for _ in 0..STARTS {
            let port = free_port()?;
            let start = now();
            let running = self.groups.start(self.shop.serve(&self.built("callgate"), port), &self.log)?;
            let server = Server { running, port };
            while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
                ensure!(start.elapsed() < MINUTE, "the gate did not start");
                std::thread::sleep(Duration::from_millis(1));
            }
            self.load(&server, "get_customer", &["--once"])?;
            firsts.push(start.elapsed().as_secs_f64() * 1e3);
            memory = server.process().memory()?;
            server.running.stop()?;
        }
        table.row("memory after one call", memory.to_string());
        table.row(
            "from start to first answer",
            format!("{:.0} ms (median of {STARTS}, with the start of the client)", table::median(&firsts)),
        );
        Ok(())
    }
}

/// The same command on one core.
fn pinned(command: &Command, core: &str) -> Command {
    let mut pinned = Command::new("taskset");
    pinned.args(["-c", core]).arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        pinned.current_dir(folder);
    }
    pinned
}

#[cfg(test)]
mod tests;
