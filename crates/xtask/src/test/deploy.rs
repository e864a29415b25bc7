//! What stands in `deploy/`: alerts that Prometheus accepts and whose tests pass, and dashboards whose every query finds something
//! in a real Prometheus that scrapes a real gate.

use std::{collections::BTreeSet, fs, path::Path, process::Command, time::Duration};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{
    Context, Tally,
    prometheus::{self, Prometheus},
    redis,
};
use crate::{
    http::{self, answers, free_port},
    running::{Running, until},
    shop::{FILLING, Shop},
};

const MINUTE: Duration = Duration::from_secs(60);
const ALERTS: &str = "deploy/prometheus/alerts.yaml";
const ALERT_TESTS: &str = "deploy/prometheus/alerts_test.yaml";
const DASHBOARDS: &str = "deploy/grafana";

/// What the names of figures begin with. The last are of the node exporter, which is no part of a gate.
const FAMILIES: [&str; 6] = ["mcp_", "http_", "tls_", "process_", "callgate_", "node_"];
const ELSEWHERE: &str = "node_";

/// Runs the stage.
pub(super) fn run(context: &Context<'_>, tally: &mut Tally) -> Result<()> {
    if context.options.without_prometheus {
        tally.skip("deploy", "alerts and dashboards, left out by --without-prometheus");
        return Ok(());
    }
    let programs = prometheus::programs(context)?;
    for (verb, file) in [("check", ALERTS), ("test", ALERT_TESTS)] {
        let done = context.must(programs.join("promtool"), &[verb, "rules", file], MINUTE).map_err(|error| format!("{error:#}"));
        tally.note("deploy", &format!("promtool {verb} rules {file}"), done);
    }
    let alerts = fs::read_to_string(context.workspace.root.join(ALERTS))?;
    let tests = fs::read_to_string(context.workspace.root.join(ALERT_TESTS))?;
    for alert in values(&alerts, "alert") {
        let tested = values(&tests, "alertname").contains(&alert);
        tally.note("deploy", &format!("a test of {alert}"), if tested { Ok(()) } else { Err("there is none".into()) });
    }
    live(context, tally, &programs, &alerts)
}

/// The values of a key of YAML, wherever it stands.
pub(super) fn values<'t>(text: &'t str, key: &str) -> Vec<&'t str> {
    let of = |line: &'t str| {
        let line = line.trim_start().trim_start_matches(['-', ' ', '{']);
        Some(line.strip_prefix(key)?.strip_prefix(": ")?.split([',', ' ']).next().unwrap_or_default())
    };
    text.lines().filter_map(of).collect()
}

/// Names and queries against what gates really say.
fn live(context: &Context<'_>, tally: &mut Tally, programs: &Path, alerts: &str) -> Result<()> {
    let redis = if context.options.without_redis { None } else { Some(Redis::start(context)?) };
    let (shop, port) = shop(context, redis.as_ref())?;
    let (sealed, sealed_port) = sealed(context)?;
    let targets = [format!("http://127.0.0.1:{port}"), format!("https://127.0.0.1:{sealed_port}")];
    let mut server = Prometheus::start(context, programs, &context.workspace.root.join(ALERTS), &targets)?;
    for tool in ["list_products", "list_products", "no_such_tool"] {
        call(port, tool)?;
    }
    server.settle(targets.len())?;

    let known = server.get("/api/v1/label/__name__/values")?;
    let known: BTreeSet<&str> = known.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let queries = dashboards(&context.workspace.root.join(DASHBOARDS))?;
    let mut left_out = 0;
    for name in names(&[alerts.to_owned()]).into_iter().chain(names(&queries)).collect::<BTreeSet<_>>() {
        if name.starts_with("mcp_redis_") && redis.is_none() {
            left_out += 1;
        } else if !name.starts_with(ELSEWHERE) && !known.contains(name.as_str()) {
            tally.fail("deploy", format!("no gate has a figure `{name}`"));
        }
    }
    let mut good = 0;
    for query in &queries {
        if query.contains("mcp_redis_") && redis.is_none() {
            left_out += 1;
            continue;
        }
        let found = server.query(&plain(query)).with_context(|| query.clone())?;
        match found.as_array() {
            Some(found) if !found.is_empty() => good += 1,
            _ => tally.fail("deploy", format!("a dashboard asks `{query}` and finds nothing")),
        }
    }
    tally.pass_many("deploy", good, "queries of dashboards");
    if left_out > 0 {
        tally.skip("deploy", &format!("{left_out} names and queries about Redis, left out by --without-redis"));
    }
    judged(&server, tally)?;
    server.stop()?;
    sealed.stop()?;
    shop.stop()?;
    Ok(())
}

/// Every alert was judged by a real Prometheus without an error.
fn judged(server: &Prometheus, tally: &mut Tally) -> Result<()> {
    let rules = server.get("/api/v1/rules")?;
    let rules = rules["groups"][0]["rules"].as_array().context("the rules")?;
    let (good, bad): (Vec<_>, Vec<_>) = rules.iter().partition(|rule| rule["health"] == "ok");
    for rule in bad {
        tally.fail("deploy", format!("{}: {}", rule["name"], rule["lastError"]));
    }
    tally.pass_many("deploy", good.len(), "alerts judged by a real Prometheus");
    Ok(())
}

/// Every query of every dashboard.
fn dashboards(folder: &Path) -> Result<Vec<String>> {
    let mut queries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let dashboard: Value = serde_json::from_slice(&fs::read(entry?.path())?)?;
        let panels = dashboard["panels"].as_array().context("a dashboard has panels")?;
        let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
        queries.extend(targets.filter_map(|target| target["expr"].as_str().map(str::to_owned)));
    }
    ensure!(!queries.is_empty(), "no dashboard asks anything");
    Ok(queries)
}

/// A query as Grafana sends it when everything is chosen.
fn plain(query: &str) -> String {
    query.replace("$__rate_interval", "1m").replace("$job", ".*").replace("$instance", ".*")
}

/// The figures that stand in expressions.
pub(super) fn names(expressions: &[String]) -> BTreeSet<String> {
    let words = expressions.iter().flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
    words.filter(|word| FAMILIES.iter().any(|family| word.starts_with(family))).map(str::to_owned).collect()
}

/// The shop with a quota, with traces for a collector that is away, and with a Redis if there is one.
fn shop(context: &Context<'_>, redis: Option<&Redis>) -> Result<(Running, u16)> {
    let shop = Shop::copy(context.workspace, &context.scratch.join("shop-deploy"))?;
    let mut more = "quotas:\n  rules:\n    - { name: each, per: [caller], limit: 1000/1m }\n".to_owned();
    more += &format!(
        "egress: {{ allow: [127.0.0.1] }}\ntelemetry: {{ traces: {{ endpoint: \"http://127.0.0.1:{}\", attempts: 1 }} }}\n",
        free_port()?
    );
    if let Some(redis) = redis {
        more += &format!("shared: {{ url: \"redis://127.0.0.1:{}\" }}\n", redis.port);
    }
    fs::write(shop.folder.join("deploy.yaml"), more)?;
    let port = free_port()?;
    let command = shop.serve(&context.workspace.built("debug/callgate"), port);
    let mut gate = context.groups.start(command, &context.log)?;
    until("the shop", &mut gate, FILLING, || answers(port, "/health/ready"))?;
    Ok((gate, port))
}

/// A gate with TLS, for the figures that only such a one has.
fn sealed(context: &Context<'_>) -> Result<(Running, u16)> {
    let folder = context.scratch.join("sealed");
    fs::create_dir(&folder)?;
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=localhost"]);
    openssl.args(["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "gate.key", "-out", "gate.pem"]).current_dir(&folder);
    let status = context.groups.run(openssl, &context.log, MINUTE)?;
    ensure!(status.success(), "openssl: {status}");
    let config = "version: 1\nname: sealed\nresources:\n  \"docs://one\": { description: One text., text: one, allow: anyone }\n\
                  wire: { http: { tls: { certificate: gate.pem, key: gate.key } } }\n";
    fs::write(folder.join("callgate.yaml"), config)?;
    let port = free_port()?;
    let mut command = Command::new(context.workspace.built("debug/callgate"));
    command.args(["serve", ".", "--listen", &format!("127.0.0.1:{port}")]).current_dir(&folder);
    Ok((context.groups.start(command, &context.log)?, port))
}

/// A Redis for this stage alone.
struct Redis {
    port: u16,
    /// Dropping it ends the server.
    _server: Running,
}

impl Redis {
    fn start(context: &Context<'_>) -> Result<Self> {
        let port = free_port()?;
        let mut command = Command::new(redis::program(context)?);
        command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no"]);
        command.current_dir(&context.scratch);
        let mut server = context.groups.start(command, &context.log)?;
        until("Redis", &mut server, MINUTE, || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok())?;
        Ok(Self { port, _server: server })
    }
}

/// Calls a tool, whatever comes of it.
fn call(port: u16, tool: &str) -> Result<()> {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "xtask", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let params = json!({ "name": tool, "arguments": {}, "_meta": meta });
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string();
    let head = format!(
        "POST /mcp\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n\
         MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: {tool}"
    );
    let reply = http::body(port, &head, &message)?;
    ensure!(reply.contains("jsonrpc"), "the gate answered `{reply}`");
    Ok(())
}
