//! The stages that cargo runs: style, build, tests.

use std::{fs, process::Command, time::Duration};

use anyhow::Result;

use super::{Context, Tally, postgres::Postgres, redis};
use crate::tidy;

const MINUTE: Duration = Duration::from_secs(60);

/// Format, house style and lints; each is one thing that passes or fails. A toolchain may come without the first and the last.
pub(super) fn style(context: &Context<'_>, tally: &mut Tally) -> Result<()> {
    component(context, tally, "rustfmt", &["fmt", "--all", "--check"]);
    let tidy = if tidy::run(context.workspace)? { Ok(()) } else { Err("see above".to_owned()) };
    tally.note("style", "cargo xtask tidy", tidy);
    component(context, tally, "clippy", &["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]);
    Ok(())
}

/// Runs a command of cargo that is a component of the toolchain.
fn component(context: &Context<'_>, tally: &mut Tally, name: &str, arguments: &[&str]) {
    if context.must("cargo", &[arguments[0], "--version"], MINUTE).is_err() {
        tally.skip("style", &format!("{name} is not installed; `rustup component add {name}` installs it"));
        return;
    }
    let done = context.must("cargo", arguments, 15 * MINUTE).map_err(|error| format!("{error:#}"));
    tally.note("style", &format!("cargo {}", arguments[0]), done);
}

/// Everything once, so that the later stages only run.
pub(super) fn build(context: &Context<'_>, tally: &mut Tally) -> Result<()> {
    context.must("cargo", &["build", "--workspace", "--all-targets", "--quiet"], 20 * MINUTE)?;
    tally.pass("build", "the workspace with all its tests");
    Ok(())
}

/// `cargo test`, with a PostgreSQL of its own and the program of a Redis.
pub(super) fn tests(context: &Context<'_>, tally: &mut Tally) -> Result<()> {
    let mut command = Command::new("cargo");
    command.args(["test", "--workspace", "--no-fail-fast"]).current_dir(&context.workspace.root);
    let postgres = if context.options.without_postgres {
        tally.skip("tests", "everything on PostgreSQL, left out by --without-postgres");
        command.env("CALLGATE_TEST_POSTGRES_PROGRAMS", "none");
        None
    } else {
        let postgres = Postgres::start(&context.groups, &context.log, &context.scratch)?;
        command.env("CALLGATE_TEST_POSTGRES", postgres.url());
        Some(postgres)
    };
    if context.options.without_redis {
        tally.skip("tests", "everything on Redis, left out by --without-redis");
        command.env("CALLGATE_TEST_REDIS", "none");
    } else {
        command.env("CALLGATE_TEST_REDIS", redis::program(context)?);
    }
    let status = context.groups.run(command, &context.log, 15 * MINUTE)?;
    let log = String::from_utf8_lossy(&fs::read(&context.log)?).into_owned();
    let counts = Counts::read(&log);
    tally.pass_many("tests", counts.passed, "tests");
    for name in &counts.failed {
        tally.fail("tests", name.as_str());
    }
    if counts.passed == 0 {
        tally.fail("tests", "not one test ran");
    }
    if !status.success() && counts.failed.is_empty() {
        tally.fail("tests", format!("cargo test: {status}"));
    }
    if let Some(postgres) = postgres {
        postgres.stop()?;
    }
    Ok(())
}

/// What `cargo test` printed, counted.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Counts {
    pub(super) passed: usize,
    pub(super) failed: Vec<String>,
}

impl Counts {
    /// Reads the lines of libtest.
    pub(super) fn read(log: &str) -> Self {
        let mut counts = Self::default();
        for line in log.lines() {
            if let Some(name) = line.strip_prefix("test ").and_then(|line| line.strip_suffix(" ... FAILED")) {
                counts.failed.push(name.into());
            }
            if let Some(rest) = line.strip_prefix("test result: ") {
                let passed = rest.split_once(". ").and_then(|(_, rest)| rest.split_once(" passed"));
                counts.passed += passed.and_then(|(count, _)| count.parse::<usize>().ok()).unwrap_or_default();
            }
        }
        counts
    }
}
