//! Plays the scenarios against a gate of their own, as a client over HTTP would.

use std::{collections::HashMap, net::SocketAddr, path::Path};

use anyhow::{Context as _, bail, ensure};
use callgate::{Configuration, Drained, Environment};
use callgate_testkit::{Folder, http::Request};
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;

use crate::{
    database::{self, Database},
    matching::{fits, mismatch},
    scenario::{Engine, Scenario, Step},
};

const MODERN: &str = "2026-07-28";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenarios_on_sqlite() {
    play_all(Engine::Sqlite, None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenarios_on_postgres() {
    match database::postgres() {
        Some(server) => play_all(Engine::Postgres, Some(&server)).await,
        None => eprintln!("skipped: CALLGATE_TEST_POSTGRES is not set; `cargo xtask test` sets it"),
    }
}

/// Plays every file; says which steps of which failed.
async fn play_all(engine: Engine, server: Option<&str>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let (mut played, mut failed) = (0, Vec::new());
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let scenario = Scenario::read(&file).unwrap();
        if scenario.engines.contains(&engine) {
            played += 1;
            failed.extend(play(&scenario, engine, server).await.err().map(|error| format!("{name}: {error:#}")));
        }
    }
    assert!(failed.is_empty(), "\n{}\n", failed.join("\n"));
    assert!(played > 0, "there are no scenarios");
}

async fn play(scenario: &Scenario, engine: Engine, server: Option<&str>) -> anyhow::Result<()> {
    let database = Database::fresh(engine, server).await?;
    let folder = Folder::with(scenario.files.iter().map(|(name, text)| (name.as_str(), text.as_str())))?;
    let environment = Environment::of([("DATABASE", database.url.as_str())]);
    let gate = Configuration::read_in(folder.path(), &environment)?.open().await?;
    let listening = gate.listen(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let mut client = Client::new(listening.address());
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(listening.until(async {
        let _ = stopped.await;
    }));
    let mut done = Ok(());
    for (number, step) in scenario.steps.iter().enumerate() {
        done = client.take(step).await.with_context(|| format!("step {}", number + 1));
        if done.is_err() {
            break;
        }
    }
    drop(stop);
    let drained = serving.await??;
    database.remove().await?;
    done?;
    ensure!(drained == Drained::Clean, "the gate did not drain: {drained:?}");
    Ok(())
}

/// A client of every era.
struct Client {
    address: SocketAddr,
    sessions: HashMap<String, String>,
    kept: HashMap<String, String>,
    number: u64,
}

impl Client {
    fn new(address: SocketAddr) -> Self {
        Self { address, sessions: HashMap::new(), kept: HashMap::new(), number: 0 }
    }

    async fn take(&mut self, step: &Step) -> anyhow::Result<()> {
        if let Some(path) = &step.get {
            return self.get(path, step).await;
        }
        let (method, params) = match (&step.call, &step.send) {
            (Some(tool), None) => ("tools/call", object(json!({ "name": tool, "arguments": step.arguments }))),
            (None, Some(method)) => (method.as_str(), step.params.clone()),
            _ => bail!("a step has one of `call`, `send` and `get`"),
        };
        let params = self.filled(Value::Object(params));
        let revision = step.revision.as_deref().unwrap_or(MODERN);
        let request = self.request(method, object(params), revision).await?;
        let request = step.headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        let answer = request.send(self.address).await?;
        let status = answer.status;
        let reply = answer.json().await?;
        ensure!(status == step.status.unwrap_or(200), "HTTP {status}: {reply}");
        for (part, expected) in [("result", &step.gives), ("error", &step.fails)] {
            let Some(expected) = expected else { continue };
            let actual = reply.get(part).with_context(|| format!("no `{part}` in {reply}"))?;
            if let Some(why) = mismatch(expected, actual, "") {
                bail!("{why}\nin {actual}");
            }
        }
        for (name, pointer) in &step.keep {
            let value = reply["result"].pointer(pointer).with_context(|| format!("no {pointer} in {reply}"))?;
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            self.kept.insert(name.clone(), text);
        }
        Ok(())
    }

    async fn get(&self, path: &str, step: &Step) -> anyhow::Result<()> {
        let answer = Request::new("GET", path).send(self.address).await?;
        let status = answer.status;
        let body = answer.text().await?;
        ensure!(status == step.status.unwrap_or(200), "HTTP {status}: {body}");
        for line in &step.text {
            ensure!(body.lines().any(|own| fits(line, own)), "no line `{line}` in\n{body}");
        }
        Ok(())
    }

    async fn request(&mut self, method: &str, mut params: Map<String, Value>, revision: &str) -> anyhow::Result<Request> {
        self.number += 1;
        if revision == MODERN {
            let meta = json!({
                "io.modelcontextprotocol/protocolVersion": revision,
                "io.modelcontextprotocol/clientCapabilities": {},
                "io.modelcontextprotocol/clientInfo": { "name": "scenario", "version": "1" },
            });
            let target = params.get("name").or_else(|| params.get("uri")).and_then(Value::as_str).map(str::to_owned);
            params.entry("_meta").or_insert(meta);
            let request = self.post(method, &params).header("MCP-Protocol-Version", revision).header("Mcp-Method", method);
            let named = matches!(method, "tools/call" | "prompts/get" | "resources/read");
            return Ok(target.filter(|_| named).iter().fold(request, |request, name| request.header("Mcp-Name", name)));
        }
        let session = match self.sessions.get(revision) {
            Some(session) => session.clone(),
            None => self.initialize(revision).await?,
        };
        Ok(self.post(method, &params).header("MCP-Protocol-Version", revision).header("Mcp-Session-Id", &session))
    }

    async fn initialize(&mut self, revision: &str) -> anyhow::Result<String> {
        let hello = json!({ "protocolVersion": revision, "capabilities": {}, "clientInfo": { "name": "scenario", "version": "1" } });
        let answer = self.post("initialize", &object(hello)).send(self.address).await?;
        let session = answer.header("mcp-session-id").context("no session")?.to_owned();
        let reply = answer.json().await?;
        ensure!(reply["result"]["protocolVersion"] == revision, "another revision: {reply}");
        let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        let ready = Request::post("/mcp", &ready).header("MCP-Protocol-Version", revision).header("Mcp-Session-Id", &session);
        let status = ready.send(self.address).await?.status;
        ensure!(status == 202, "HTTP {status} to `initialized`");
        self.sessions.insert(revision.to_owned(), session.clone());
        Ok(session)
    }

    fn post(&self, method: &str, params: &Map<String, Value>) -> Request {
        Request::post("/mcp", &json!({ "jsonrpc": "2.0", "id": self.number, "method": method, "params": params }))
    }

    /// `value` with `{name}` replaced by what was kept under the name.
    fn filled(&self, value: Value) -> Value {
        match value {
            Value::String(text) => {
                Value::String(self.kept.iter().fold(text, |text, (name, kept)| text.replace(&format!("{{{name}}}"), kept)))
            }
            Value::Array(items) => items.into_iter().map(|item| self.filled(item)).collect(),
            Value::Object(members) => members.into_iter().map(|(key, value)| (key, self.filled(value))).collect::<Map<_, _>>().into(),
            other => other,
        }
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
