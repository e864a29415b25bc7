//! `callgate migrate`: the databases get what the configuration's migrations say.

use std::process::ExitCode;

use super::{At, log, print};

/// Options of `migrate`.
#[derive(Debug, clap::Args)]
pub(super) struct Migrate {
    #[command(flatten)]
    at: At,
}

impl Migrate {
    pub(super) async fn run(self, level: Option<&str>) -> anyhow::Result<ExitCode> {
        let configuration = self.at.read()?;
        log::begin(&log::quiet(), level)?;
        let applied = configuration.migrate().await?;
        let lines: String = applied.iter().map(|step| format!("{}: {}\n", step.backend, step.step)).collect();
        print(if lines.is_empty() { "nothing to do\n" } else { &lines })
    }
}
