//! `callgate tools`: what a configuration puts on offer.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::{At, log, print};

/// Options of `tools`.
#[derive(Debug, clap::Args)]
pub(super) struct Tools {
    #[command(flatten)]
    at: At,
    /// Print everything about each tool, with its schemas, as JSON.
    #[arg(long)]
    json: bool,
}

impl Tools {
    pub(super) async fn run(self, level: Option<&str>) -> anyhow::Result<ExitCode> {
        let configuration = self.at.read()?;
        log::begin(&log::quiet(), level)?;
        let gate = configuration.open().await?;
        let catalog = gate.catalog();
        let tools: Vec<_> = catalog.tools().iter().map(|item| &item.offer).collect();
        let text = if self.json {
            serde_json::to_string_pretty(&tools.iter().map(|tool| described(tool)).collect::<Vec<_>>())? + "\n"
        } else {
            let width = tools.iter().map(|tool| tool.name.as_str().len()).max().unwrap_or_default();
            let line = |tool: &&callgate::Tool| {
                let first = tool.description.lines().next().unwrap_or_default();
                format!("{:width$}  {:7}  {first}\n", tool.name.as_str(), tool.effect.as_str())
            };
            tools.iter().map(line).collect()
        };
        gate.drain().await;
        print(&text)
    }
}

fn described(tool: &callgate::Tool) -> Value {
    json!({
        "name": tool.name.as_str(),
        "title": tool.title,
        "description": tool.description,
        "effect": tool.effect.as_str(),
        "idempotent": tool.idempotent,
        "input": tool.input,
        "output": tool.output,
    })
}
