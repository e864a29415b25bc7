//! Drives the shop with `rmcp`, the official Rust client, in either era. Called like the programs beside it; see `../README.md`.

use anyhow::{Context, Result, bail};
use rmcp::{
    RoleClient,
    model::{CallToolRequestParams, CallToolResult, ClientConfig, ProtocolVersion},
    service::{ClientLifecycleMode, ClientServiceExt, RunningService},
    transport::{StreamableHttpClientTransport, TokioChildProcess},
};
use serde_json::{Map, Value};

/// A client that is connected.
type Client = RunningService<RoleClient, ClientConfig>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    // Built in one workspace with the gate, reqwest has no cryptography of its own choosing.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        bail!("another provider of cryptography was installed before");
    }
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().context("usage: client-rmcp EXPECTED ERA http URL | stdio COMMAND [ARGUMENT…]");
    let (path, era, transport, place) = (next()?, next()?, next()?, next()?);
    let expected: Value = serde_json::from_slice(&std::fs::read(&path).with_context(|| path.clone())?)?;
    let client = connect(&era, &transport, place, arguments).await?;
    check(&client, &expected, &era).await?;
    client.cancel().await?;
    Ok(())
}

async fn connect(era: &str, transport: &str, place: String, rest: impl Iterator<Item = String>) -> Result<Client> {
    let lifecycle = match era {
        "modern" => ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] },
        "legacy" => ClientLifecycleMode::Initialize,
        _ => bail!("the era is `modern` or `legacy`, not `{era}`"),
    };
    let mut info = ClientConfig::default();
    if era == "legacy" {
        info.protocol_version = ProtocolVersion::V_2025_11_25;
    }
    match transport {
        "http" => Ok(info.serve_with_lifecycle(StreamableHttpClientTransport::from_uri(place), lifecycle).await?),
        "stdio" => {
            let mut command = tokio::process::Command::new(place);
            command.args(rest);
            Ok(info.serve_with_lifecycle(TokioChildProcess::new(command)?, lifecycle).await?)
        }
        _ => bail!("the transport is `http` or `stdio`, not `{transport}`"),
    }
}

async fn check(client: &Client, expected: &Value, era: &str) -> Result<()> {
    let wanted = if era == "modern" { "2026-07-28" } else { "2025-11-25" };
    let negotiated = client.peer_info().map(|info| info.protocol_version.to_string()).unwrap_or_default();
    report("revision", (negotiated != wanted).then(|| format!("negotiated {negotiated}, not {wanted}")));

    let listed = client.list_all_tools().await?;
    let is_listed = |name: &&str| listed.iter().any(|tool| tool.name == *name);
    let names = expected["tools"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let missing: Vec<_> = names.filter(|name| !is_listed(name)).collect();
    report("lists", (!missing.is_empty()).then(|| format!("not listed: {}", missing.join(", "))));

    let good = get_customer(client, &expected["customer"]["id"]).await?;
    report("row", row(&good, &expected["customer"]));

    let bad = get_customer(client, &expected["bad_id"]).await?;
    report("fault", fault(&bad));
    Ok(())
}

async fn get_customer(client: &Client, id: &Value) -> Result<CallToolResult> {
    let arguments = Map::from_iter([("customer_id".to_owned(), id.clone())]);
    Ok(client.call_tool(CallToolRequestParams::new("get_customer").with_arguments(arguments)).await?)
}

fn row(result: &CallToolResult, customer: &Value) -> Option<String> {
    if result.is_error == Some(true) {
        return Some(format!("answered with a fault: {}", text(result)));
    }
    let shown: Value = serde_json::from_str(&text(result)).unwrap_or_default();
    let structured = result.structured_content.clone().unwrap_or_default();
    for (place, found) in [("structuredContent", structured), ("content", shown)] {
        for (key, value) in customer.as_object().into_iter().flatten() {
            if found.get(key) != Some(value) {
                return Some(format!("{place} has {key} = {:?}, the database {value}", found.get(key)));
            }
        }
    }
    None
}

fn fault(result: &CallToolResult) -> Option<String> {
    if result.is_error != Some(true) {
        return Some(format!("no fault but {}", text(result)));
    }
    (!text(result).contains("customer_id")).then(|| format!("does not name the argument: {}", text(result)))
}

fn text(result: &CallToolResult) -> String {
    result.content.first().and_then(|block| block.as_text()).map(|block| block.text.clone()).unwrap_or_default()
}

fn report(name: &str, problem: Option<String>) {
    match problem {
        None => println!("pass {name}"),
        Some(problem) => println!("fail {name}: {problem}"),
    }
}
