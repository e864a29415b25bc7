//! `callgate call`: one call from the command line. It walks the same column as any other, and leaves the same record.

use std::{io::IsTerminal as _, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use callgate::{Body, Call, Caller, Configuration, Content, Deadline, Fault, Json, Kind, Members, Origin, Reply, Target, ToolReply};

use super::{log, meant, print};

/// Longer than any tool may take; the tool's own deadline holds.
const LONGEST: Duration = Duration::from_secs(600);

/// Options of `call`.
#[derive(Debug, clap::Args)]
pub(super) struct CallTool {
    /// The tool.
    #[arg(value_name = "TOOL")]
    tool: String,
    /// Its arguments as a JSON object.
    #[arg(value_name = "ARGUMENTS", default_value = "{}")]
    arguments: String,
    /// A YAML file, or a folder whose YAML files are one configuration.
    #[arg(long, short, default_value = ".", value_name = "PATH")]
    config: PathBuf,
}

impl CallTool {
    pub(super) async fn run(self, level: Option<&str>) -> anyhow::Result<ExitCode> {
        let arguments: Members =
            serde_json::from_str(&self.arguments).context("the arguments are no JSON object; write them as '{\"name\": \"value\"}'")?;
        let configuration = Configuration::read(&self.config)?;
        let help = meant(&configuration, &self.tool);
        log::begin(&log::quiet(), level)?;
        let gate = configuration.open().await?;
        let origin = Arc::new(Origin { transport: "cli", ..Origin::default() });
        let call = Call::new(Target::Tool(self.tool), arguments, Caller::local(), origin, Deadline::after(LONGEST));
        let reply = gate.gateway().call(call).await;
        gate.drain().await;
        show(reply, &help)
    }
}

fn show(reply: Result<Reply, Fault>, help: &str) -> anyhow::Result<ExitCode> {
    match reply {
        Ok(Reply::Tool(reply)) if reply.is_error => bail!("{}", texts(&reply)),
        Ok(Reply::Tool(ToolReply { structured: Some(json), .. })) => print(&shown(&json)?),
        Ok(Reply::Tool(reply)) => print(&(texts(&reply) + "\n")),
        Ok(Reply::InputRequired(_)) => bail!("the tool asks for more, which the command line cannot give; call it through an MCP client"),
        Ok(_) => bail!("the reply is not that of a tool"),
        Err(fault) if matches!(fault.kind(), Kind::Unknown { .. }) => bail!("{fault}\n  help: {help}"),
        // Whoever runs this command is the operator, who may know the cause.
        Err(fault) => Err(fault.into()),
    }
}

/// For people with line breaks, for programs as it is.
fn shown(json: &Json) -> anyhow::Result<String> {
    let text = if std::io::stdout().is_terminal() { serde_json::to_string_pretty(&json.to_value())? } else { json.as_str().to_owned() };
    Ok(text + "\n")
}

fn texts(reply: &ToolReply) -> String {
    let text = |content: &Content| match &content.body {
        Body::Text(text) => text.clone(),
        Body::Image { mime, .. } | Body::Audio { mime, .. } => format!("[{mime}]"),
        Body::Link(resource) => resource.uri.clone(),
        Body::Embedded(contents) => contents.uri.clone(),
    };
    reply.content.iter().map(text).collect::<Vec<_>>().join("\n")
}
