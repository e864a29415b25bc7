//! The chores of this repository: `cargo xtask test`, `cargo xtask tidy`, `cargo xtask bench`.
//!
//! Everything that CI does stands here, so that it runs the same on every machine. It leaves the judging to the programs it
//! starts: cargo, the official conformance suite, published clients.

mod bench;
mod http;
mod running;
mod shop;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// The chores of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Everything that is a test: style, unit and integration tests, the official suite, published clients.
    Test(test::Options),
    /// Counts what the house style promises.
    Tidy,
    /// Measures the gate against a bare handler and prints the table.
    Bench(bench::Options),
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let workspace = Workspace::find()?;
    let good = match arguments.chore {
        Chore::Test(options) => test::run(&workspace, &options)?,
        Chore::Tidy => tidy::run(&workspace)?,
        Chore::Bench(options) => bench::run(&workspace, &options)?,
    };
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
