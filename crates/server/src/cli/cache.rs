//! `callgate cache drop`: what is kept is not served any more, in all replicas.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use callgate::{Configuration, Forget};

use super::{log, print, undeclared};

/// Options of `cache`.
#[derive(Debug, clap::Args)]
pub(super) struct Cache {
    #[command(subcommand)]
    action: Action,
    /// A YAML file, or a folder whose YAML files are one configuration.
    #[arg(long, short, global = true, default_value = ".", value_name = "PATH")]
    config: PathBuf,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Drop kept replies in every replica that shares `shared.url`, at once.
    Drop(Drop),
}

#[derive(Debug, clap::Args)]
struct Drop {
    #[command(flatten)]
    which: Which,
    /// Only those of this tenant.
    #[arg(long)]
    tenant: Option<String>,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// Those with this tag, such as `customer:cust_123`.
    #[arg(long)]
    tag: Option<String>,
    /// Those of this tool.
    #[arg(long)]
    tool: Option<String>,
    /// All of them.
    #[arg(long)]
    all: bool,
}

impl Cache {
    pub(super) async fn run(self, level: Option<&str>) -> anyhow::Result<ExitCode> {
        let configuration = Configuration::read(&self.config)?;
        log::begin(&log::quiet(), level)?;
        let Action::Drop(Drop { which: Which { tag, tool, .. }, tenant }) = self.action;
        if let Some(code) = tool.as_ref().and_then(|tool| undeclared(&configuration, tool)) {
            return Ok(code);
        }
        let what = tag.map(Forget::Tag).or(tool.map(Forget::Tool)).unwrap_or(Forget::Everything);
        let said = configuration.forget(what, tenant).await.context("nothing was dropped")?;
        print(&format!("{said}\n"))
    }
}
