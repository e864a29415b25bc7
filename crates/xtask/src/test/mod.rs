//! `cargo xtask test`: everything that is a test, in stages, on a machine with cargo, Node 20, npm, Python 3 and apt-get.
//!
//! The stages are a table, read from top to bottom. A stage that cannot run because an earlier one failed counts as failed;
//! only what the command line leaves out counts as skipped. Nothing is installed outside the target directory but PostgreSQL and
//! Redis.

mod cargo;
mod clients;
mod deploy;
mod install;
mod postgres;
mod prometheus;
mod redis;
mod suite;
mod tally;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Result, ensure};

use self::{install::Tools, tally::Tally};
use crate::{
    running::{Groups, now},
    workspace::Workspace,
};

/// What to run.
#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// Run only this stage and what it needs (may be given several times): style, build, tests, suite, clients, deploy.
    #[arg(long, value_name = "STAGE")]
    only: Vec<String>,
    /// Leave out the tests that need PostgreSQL; they count as skipped.
    #[arg(long)]
    without_postgres: bool,
    /// Leave out the tests that need Redis; they count as skipped.
    #[arg(long)]
    without_redis: bool,
    /// Leave out what needs Prometheus; it counts as skipped.
    #[arg(long)]
    without_prometheus: bool,
}

impl Options {
    /// The stage was named, or one that needs it, or none was named at all.
    fn wants(&self, stage: &Stage) -> bool {
        let named = |stage: &Stage| self.only.iter().any(|name| name == stage.name);
        let needed = || STAGES.iter().any(|other| other.needs == Some(stage.name) && named(other));
        self.only.is_empty() || named(stage) || needed()
    }
}

/// One stage.
struct Stage {
    name: &'static str,
    what: &'static str,
    /// The stage without which this one makes no sense.
    needs: Option<&'static str>,
    run: fn(&Context<'_>, &mut Tally) -> Result<()>,
}

const STAGES: &[Stage] = &[
    Stage { name: "style", what: "format, house style, lints", needs: None, run: cargo::style },
    Stage { name: "build", what: "everything once, dev profile", needs: None, run: cargo::build },
    Stage { name: "tests", what: "unit and integration tests", needs: Some("build"), run: cargo::tests },
    Stage { name: "suite", what: "the official conformance suite", needs: Some("build"), run: suite::run },
    Stage { name: "clients", what: "published clients against the shop", needs: Some("build"), run: clients::run },
    Stage { name: "deploy", what: "alerts and dashboards", needs: Some("build"), run: deploy::run },
];

/// What stages work with.
struct Context<'w> {
    workspace: &'w Workspace,
    options: &'w Options,
    groups: Groups,
    tools: Tools<'w>,
    /// Where the stage that runs writes its log.
    log: PathBuf,
    /// A folder that is gone afterwards.
    scratch: PathBuf,
}

impl Context<'_> {
    /// Runs a program in the repository; anything but success is an error.
    fn must(&self, program: impl AsRef<std::ffi::OsStr>, arguments: &[&str], limit: Duration) -> Result<()> {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.workspace.root);
        let status = self.groups.run(command, &self.log, limit)?;
        ensure!(status.success(), "`{}` failed: {status}", arguments.join(" "));
        Ok(())
    }
}

/// Runs the stages; `true` if nothing failed.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool> {
    for name in &options.only {
        ensure!(STAGES.iter().any(|stage| stage.name == name), "there is no stage `{name}`");
    }
    let groups = Groups::new()?;
    let scratch = tempfile::tempdir()?;
    let logs = workspace.target.join("test-logs");
    let mut tally = Tally::default();
    let start = now();
    for stage in STAGES {
        if !options.wants(stage) {
            tally.skip(stage.name, "left out by --only");
            continue;
        }
        let log = logs.join(format!("{}.log", stage.name));
        let tools = Tools::new(workspace, groups.clone(), log.clone());
        let context = Context { workspace, options, groups: groups.clone(), tools, log, scratch: scratch.path().into() };
        one(stage, &context, &mut tally);
    }
    println!();
    tally.print(start.elapsed());
    Ok(tally.good())
}

fn one(stage: &Stage, context: &Context<'_>, tally: &mut Tally) {
    println!("\n== {}: {}", stage.name, stage.what);
    if let Some(needed) = stage.needs.filter(|needed| tally.stage_failed(needed)) {
        tally.fail(stage.name, format!("not run, because `{needed}` failed"));
        return;
    }
    // A log of an earlier run would only confuse; that there is none is fine.
    let _ = fs::remove_file(&context.log);
    let (start, before) = (now(), tally.failures());
    if let Err(error) = (stage.run)(context, tally) {
        tally.fail(stage.name, format!("{error:#}"));
    }
    println!("== {}: {:.1} s", stage.name, start.elapsed().as_secs_f64());
    if tally.failures() > before {
        print_end(&context.log);
    }
}

/// Prints the end of a log.
fn print_end(log: &Path) {
    const LINES: usize = 200;
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().collect();
    println!("-- the end of {}:", log.display());
    for line in &lines[lines.len().saturating_sub(LINES)..] {
        println!("   {line}");
    }
}

#[cfg(test)]
mod tests;
