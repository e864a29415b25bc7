//! The official conformance suite against the program in `examples/conformance`.
//!
//! The suite's own count of passed checks says little: it counts checks that saw nothing. What counts here is that its exit
//! code is zero with an empty baseline, under which warnings fail, and that each scored scenario really ran and succeeded.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{Context, Tally};
use crate::{
    http::{answers, free_port},
    running::until,
};

const MINUTE: Duration = Duration::from_secs(60);

/// The revisions, and how many scenarios each must score.
const REVISIONS: [(&str, usize); 2] = [("2025-11-25", 30), ("2026-07-28", 37)];

/// Scenarios that the suite runs but does not score, and we do.
const UNSCORED: [(&str, &str); 5] = [
    ("json-schema-2020-12", "2026-07-28"),
    ("http-header-validation", "2026-07-28"),
    ("http-custom-header-server-validation", "2026-07-28"),
    ("server-session-lifecycle", "2025-11-25"),
    ("server-sse-polling", "2025-11-25"),
];

/// Runs the suite.
pub(super) fn run(context: &Context<'_>, tally: &mut Tally) -> Result<()> {
    let installed = context.tools.npm("suite")?;
    let port = free_port()?;
    let mut command = Command::new(context.workspace.built("debug/conformance"));
    command.args(["--listen", &format!("127.0.0.1:{port}")]).current_dir(&context.scratch);
    let mut server = context.groups.start(command, &context.log)?;
    until("the conformance server", &mut server, MINUTE, || answers(port, "/health/live"))?;

    let suite = Suite::new(context, installed, port)?;
    for (revision, scored) in REVISIONS {
        let required = suite.required(revision)?;
        ensure!(required.len() == scored, "the suite scores {} scenarios of {revision}, not {scored}", required.len());
        let results = suite.judge(&format!("requirements-{revision}"), &["--requirements", revision]);
        suite.count(tally, &results, revision, &required)?;
    }
    for (scenario, revision) in UNSCORED {
        let results = suite.judge(&format!("{scenario}-{revision}"), &["--scenario", scenario, "--spec-version", revision]);
        suite.count(tally, &results, revision, &[scenario.to_owned()])?;
    }
    server.stop()?;
    Ok(())
}

struct Suite<'c> {
    context: &'c Context<'c>,
    installed: PathBuf,
    baseline: PathBuf,
    url: String,
}

/// What came of one run of the suite.
struct Results {
    folder: PathBuf,
    exit: Result<()>,
}

impl<'c> Suite<'c> {
    fn new(context: &'c Context<'c>, installed: PathBuf, port: u16) -> Result<Self> {
        let baseline = context.scratch.join("strict.yml");
        fs::write(&baseline, "server: []\n")?;
        Ok(Self { context, installed, baseline, url: format!("http://127.0.0.1:{port}/mcp") })
    }

    fn package(&self) -> PathBuf {
        self.installed.join("node_modules/@modelcontextprotocol/conformance")
    }

    /// The scenarios that the suite scores for a revision.
    fn required(&self, revision: &str) -> Result<Vec<String>> {
        let text = fs::read_to_string(self.package().join(format!("requirements/{revision}.yaml")))?;
        Ok(scored(&text))
    }

    /// Runs the suite with an empty baseline.
    fn judge(&self, name: &str, choice: &[&str]) -> Results {
        let folder = self.context.scratch.join(name);
        let mut command = Command::new(self.installed.join("node_modules/.bin/node"));
        command.arg(self.package().join("dist/index.js")).args(["server", "--url", &self.url]).args(choice);
        command.arg("--expected-failures").arg(&self.baseline).arg("-o").arg(&folder).current_dir(&self.context.scratch);
        let exit = self.context.groups.run(command, &self.context.log, 5 * MINUTE);
        let exit = exit.and_then(|status| {
            ensure!(status.success(), "exit code {}", status.code().unwrap_or(-1));
            Ok(())
        });
        Results { folder, exit }
    }

    /// Counts each wanted scenario; a bad exit code is a failure of its own.
    fn count(&self, tally: &mut Tally, results: &Results, revision: &str, wanted: &[String]) -> Result<()> {
        let mut good = 0;
        for scenario in wanted {
            match verdict(&results.folder, scenario)? {
                Ok(()) => good += 1,
                Err(why) => tally.fail("suite", format!("{revision} {scenario}: {why}")),
            }
        }
        let what =
            if let [one] = wanted { format!("{revision} {one}") } else { format!("{good} of {} scenarios of {revision}", wanted.len()) };
        if good > 0 {
            tally.pass_many("suite", good, &format!("({what})"));
        }
        if let Err(error) = &results.exit {
            tally.fail("suite", format!("{what}: {error:#}"));
        }
        Ok(())
    }
}

/// The names in the list `server:` of a file of requirements.
pub(super) fn scored(requirements: &str) -> Vec<String> {
    let lines = requirements.lines().skip_while(|line| line.trim_end() != "server:").skip(1);
    let lines = lines.take_while(|line| line.starts_with(' ') || line.starts_with('-') || line.starts_with('#') || line.trim().is_empty());
    let names = lines.filter_map(|line| line.trim().strip_prefix("- "));
    names.map(|name| name.split('#').next().unwrap_or_default().trim().trim_matches(['\'', '"']).to_owned()).collect()
}

/// What the suite wrote about a scenario: it ran, something succeeded, and nothing failed or was warned of.
fn verdict(folder: &Path, scenario: &str) -> Result<Result<(), String>> {
    let prefix = format!("server-{scenario}-20");
    let runs = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let Some(run) = runs.filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix)).last() else {
        return Ok(Err("did not run".into()));
    };
    let checks: Value = serde_json::from_slice(&fs::read(run.path().join("checks.json"))?).context("checks.json")?;
    Ok(judge(&checks))
}

/// What a scenario's checks say, taken together.
pub(super) fn judge(checks: &Value) -> Result<(), String> {
    let checks: Vec<_> = checks.as_array().into_iter().flatten().collect();
    let of = |status: &str| checks.iter().filter(|check| check["status"] == status).collect::<Vec<_>>();
    let bad: Vec<_> = of("FAILURE").into_iter().chain(of("WARNING")).collect();
    if !bad.is_empty() {
        let told = bad.iter().map(|check| format!("{}: {}", check["id"], check["errorMessage"]));
        return Err(told.collect::<Vec<_>>().join("; "));
    }
    if of("SUCCESS").is_empty() { Err("nothing was checked".into()) } else { Ok(()) }
}
