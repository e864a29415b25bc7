//! `callgate check`: every mistake at once.

use std::process::ExitCode;

use super::{At, log, print};

/// Options of `check`.
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    #[command(flatten)]
    at: At,
    /// Connect to the backends as well, and check every statement against the real databases. Nothing there is changed, so
    /// migrations have to run first.
    #[arg(long)]
    connect: bool,
}

impl Check {
    pub(super) async fn run(self, level: Option<&str>) -> anyhow::Result<ExitCode> {
        let configuration = self.at.read()?;
        let (name, counts) = (configuration.name().to_owned(), configuration.counts());
        let mut reach = "";
        if self.connect {
            log::begin(&log::quiet(), level)?;
            configuration.connect().await?;
            reach = "; every backend agrees";
        }
        let callgate::Counts { tools, resources, prompts } = counts;
        print(&format!("ok: `{name}` with {tools} tools, {resources} resources, {prompts} prompts{reach}\n"))
    }
}
