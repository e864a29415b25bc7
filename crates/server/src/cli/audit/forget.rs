//! `callgate audit forget`: a caller's records stay, and name nobody.

use std::{
    io::{BufRead as _, Write as _},
    process::ExitCode,
};

use anyhow::bail;
use callgate::{Configuration, Records, visible};

use crate::cli::print;

/// Whom to forget.
#[derive(Debug, clap::Args)]
pub(super) struct Forget {
    /// The caller, as the records show it.
    #[arg(value_name = "CALLER")]
    caller: String,
    /// The caller's tenant.
    #[arg(long, default_value = "default")]
    tenant: String,
    /// Do not ask first.
    #[arg(long)]
    yes: bool,
}

impl Forget {
    pub(super) async fn run(self, configuration: &Configuration, records: &Records) -> anyhow::Result<ExitCode> {
        let who: String = format!("{}/{}", self.tenant, self.caller).chars().map(visible).collect();
        if !self.yes && !is_meant(&who)? {
            bail!("nothing was forgotten");
        }
        let erased = configuration.erase(records, &self.tenant, &self.caller).await?;
        if erased.bare > 0 {
            eprintln!("records from before `audit.pseudonyms` that name {who} and stay until `audit.keep` removes them: {}", erased.bare);
        }
        match erased.records {
            Some(records) => print(&format!("forgotten: {who}; records that name nobody now: {records}\n")),
            None => bail!("{who} has no pseudonym, so nothing was forgotten\n  help: `callgate audit search --caller NAME` shows tenants"),
        }
    }
}

/// Asks whoever sits there.
fn is_meant(who: &str) -> anyhow::Result<bool> {
    let mut screen = std::io::stderr();
    write!(screen, "Forget {who}? Its records will name nobody, and nobody can bring the name back. [y/N] ")?;
    screen.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
