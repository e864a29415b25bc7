//! `cargo xtask bench`: what a call costs, compared with a bare handler that does the same lookup.

use anyhow::Result;

use crate::workspace::Workspace;

/// How to measure.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many turns each server gets.
    #[arg(long, default_value_t = 5)]
    turns: usize,
}

pub(crate) fn run(_workspace: &Workspace, options: &Options) -> Result<bool> {
    anyhow::bail!("{} turns", options.turns)
}
