//! The long run of the test that looks for replies that are another caller's: the same code as in the test command, more calls.

use std::process::Command;

use anyhow::Result;

use crate::workspace::Workspace;

/// Where it stands in the tests of the gate.
const TEST: &str = "crossing::nobody_gets_the_reply_of_another";

/// Runs it with so many calls; `true` if every reply was for its caller. It says itself what it saw.
pub(super) fn run(workspace: &Workspace, profile: &str, calls: usize) -> Result<bool> {
    let mut command = Command::new("cargo");
    command.args(["test", "--profile", profile, "-p", "callgate", "--test", "replicas", "--", "--exact", TEST, "--nocapture"]);
    command.env("CALLGATE_TEST_CROSSINGS", calls.to_string()).current_dir(&workspace.root);
    Ok(command.status()?.success())
}
