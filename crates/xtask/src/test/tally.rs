//! What passed, what failed and what was left out.

use std::time::Duration;

/// The count of all stages.
#[derive(Default)]
pub(super) struct Tally {
    passed: usize,
    failed: Vec<(String, String)>,
    skipped: Vec<(String, String)>,
}

impl Tally {
    /// One thing passed.
    pub(super) fn pass(&mut self, stage: &str, what: &str) {
        println!("   pass {stage}: {what}");
        self.passed += 1;
    }

    /// Many things passed that were printed elsewhere.
    pub(super) fn pass_many(&mut self, stage: &str, count: usize, what: &str) {
        println!("   pass {stage}: {count} {what}");
        self.passed += count;
    }

    /// One thing failed.
    pub(super) fn fail(&mut self, stage: &str, why: impl Into<String>) {
        let why = why.into();
        println!("   FAIL {stage}: {why}");
        self.failed.push((stage.into(), why));
    }

    /// One thing passed or failed.
    pub(super) fn note(&mut self, stage: &str, what: &str, result: Result<(), String>) {
        match result {
            Ok(()) => self.pass(stage, what),
            Err(why) => self.fail(stage, format!("{what}: {why}")),
        }
    }

    /// Something was left out.
    pub(super) fn skip(&mut self, stage: &str, why: &str) {
        self.skipped.push((stage.into(), why.into()));
    }

    /// How many things failed so far.
    pub(super) fn failures(&self) -> usize {
        self.failed.len()
    }

    /// Something failed in this stage.
    pub(super) fn stage_failed(&self, stage: &str) -> bool {
        self.failed.iter().any(|(failed, _)| failed == stage)
    }

    /// Nothing failed.
    pub(super) fn good(&self) -> bool {
        self.failed.is_empty()
    }

    /// Prints what failed, what was left out, and as the last line the counts.
    pub(super) fn print(&self, took: Duration) {
        for (stage, why) in &self.failed {
            println!("failed: {stage}: {why}");
        }
        for (stage, why) in &self.skipped {
            println!("skipped: {stage}: {why}");
        }
        println!("took {:.0} s", took.as_secs_f64());
        println!("{}", self.counts());
    }

    /// `N passed, N failed`, and `, N skipped` where something was left out.
    pub(super) fn counts(&self) -> String {
        let skipped = if self.skipped.is_empty() { String::new() } else { format!(", {} skipped", self.skipped.len()) };
        format!("{} passed, {} failed{skipped}", self.passed, self.failed.len())
    }
}
