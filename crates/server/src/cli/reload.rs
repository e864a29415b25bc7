//! `callgate reload`: the running gate reads its configuration again.

use std::process::ExitCode;

use super::{At, print};

/// Options of `reload`.
#[derive(Debug, clap::Args)]
pub(super) struct Reload {
    #[command(flatten)]
    at: At,
}

impl Reload {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        // Mistakes are told here, with excerpts; what only the systems behind know, the gate tells.
        let said = self.at.read()?.reload_running().await?;
        print(&format!("{said}\n"))
    }
}
