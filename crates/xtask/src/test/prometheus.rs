//! The programs of Prometheus, and a server of it that scrapes gates of ours.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::Context;
use crate::{
    http::{self, answers, free_port},
    running::{Running, until},
};

const MINUTE: Duration = Duration::from_secs(60);

/// Where `promtool` and `prometheus` are: installed, or unpacked from Debian's package.
pub(super) fn programs(context: &Context<'_>) -> Result<PathBuf> {
    let usual = ["/usr/bin", "/usr/local/bin"].map(PathBuf::from);
    let there = |folder: &PathBuf| ["promtool", "prometheus"].iter().all(|name| folder.join(name).is_file());
    match usual.into_iter().find(there) {
        Some(folder) => Ok(folder),
        None => Ok(context.tools.debian("prometheus").context("install Prometheus, or use --without-prometheus")?.join("usr/bin")),
    }
}

/// A server with its own storage, which is asked and stopped by us alone.
pub(super) struct Prometheus {
    server: Running,
    port: u16,
}

impl Prometheus {
    /// Starts one that scrapes each target, such as `http://127.0.0.1:4711`, every second and judges our alerts.
    pub(super) fn start(context: &Context<'_>, programs: &Path, rules: &Path, targets: &[String]) -> Result<Self> {
        let folder = context.scratch.join("prometheus");
        fs::create_dir(&folder)?;
        // JSON is YAML too.
        let job = |(number, target): (usize, &String)| {
            let (scheme, address) = target.split_once("://").unwrap_or(("http", target));
            json!({
                "job_name": format!("gate{number}"),
                "scheme": scheme,
                "tls_config": { "insecure_skip_verify": true },
                "static_configs": [{ "targets": [address] }],
            })
        };
        let jobs: Vec<_> = targets.iter().enumerate().map(job).collect();
        let config = json!({
            "global": { "scrape_interval": "1s", "evaluation_interval": "1s" },
            "rule_files": [rules],
            "scrape_configs": jobs,
        });
        let file = folder.join("prometheus.json");
        fs::write(&file, config.to_string())?;
        let port = free_port()?;
        let mut command = Command::new(programs.join("prometheus"));
        command.arg(format!("--config.file={}", file.display())).arg(format!("--storage.tsdb.path={}", folder.join("data").display()));
        command.arg(format!("--web.listen-address=127.0.0.1:{port}")).current_dir(&folder);
        let mut server = context.groups.start(command, &context.log)?;
        until("Prometheus", &mut server, MINUTE, || answers(port, "/-/ready"))?;
        Ok(Self { server, port })
    }

    /// Waits until every target was scraped often enough for a rate.
    pub(super) fn settle(&mut self, targets: usize) -> Result<()> {
        let port = self.port;
        let enough = format!("count(sum_over_time(up[1m]) >= 4) == {targets}");
        until("what Prometheus scraped", &mut self.server, MINUTE, || {
            query(port, &enough).is_ok_and(|found| found.as_array().is_some_and(|found| !found.is_empty()))
        })
    }

    /// What a query finds.
    pub(super) fn query(&self, expression: &str) -> Result<Value> {
        query(self.port, expression)
    }

    /// The data of an answer of the API.
    pub(super) fn get(&self, path: &str) -> Result<Value> {
        get(self.port, path)
    }

    pub(super) fn stop(self) -> Result<()> {
        self.server.stop()?;
        Ok(())
    }
}

fn query(port: u16, expression: &str) -> Result<Value> {
    let escaped: String = expression.bytes().map(|byte| format!("%{byte:02X}")).collect();
    Ok(get(port, &format!("/api/v1/query?query={escaped}"))?["result"].clone())
}

fn get(port: u16, path: &str) -> Result<Value> {
    let reply: Value = serde_json::from_str(&http::body(port, &format!("GET {path}"), "")?)?;
    ensure!(reply["status"] == "success", "{}", reply["error"]);
    Ok(reply["data"].clone())
}
