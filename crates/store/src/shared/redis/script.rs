//! The script that takes calls: the same decisions as `governor` makes in memory, all claims of a call in one step.

use std::sync::Arc;

use ::redis::{Cmd, cmd};

use crate::shared::Claim;

/// Takes a call from each key or from none. Times are microseconds; the server's clock decides, so that replicas need not agree on
/// theirs. The end of 2023 is taken off it, so that fractions of a microsecond have room in a double.
pub(in crate::shared) const SOURCE: &str = include_str!("take.lua");

/// The script, with the name under which the server knows it.
#[derive(Clone)]
pub(in crate::shared) struct Script {
    source: Arc<str>,
    hash: Arc<str>,
}

impl Script {
    pub(super) fn new() -> Self {
        Self::of(SOURCE)
    }

    pub(in crate::shared) fn of(source: &str) -> Self {
        let hash = ::redis::Script::new(source).get_hash().into();
        Self { source: source.into(), hash }
    }

    /// Makes it known to the server.
    pub(super) fn load(&self) -> Cmd {
        let mut command = cmd("SCRIPT");
        command.arg("LOAD").arg(&*self.source);
        command
    }

    /// Runs it by its name.
    pub(super) fn command(&self, prefix: &str, claims: &[Claim<'_>]) -> Cmd {
        let mut command = cmd("EVALSHA");
        arguments(command.arg(&*self.hash), prefix, claims);
        command
    }

    /// Runs it and makes it known, for a server that has forgotten it.
    pub(in crate::shared) fn whole(&self, prefix: &str, claims: &[Claim<'_>]) -> Cmd {
        let mut command = cmd("EVAL");
        arguments(command.arg(&*self.source), prefix, claims);
        command
    }
}

/// The keys, then for each what one call takes up, how many may come at once, the window in which members count, and the member.
#[expect(clippy::cast_precision_loss, reason = "30 days in nanoseconds are less than 2^52")]
fn arguments(command: &mut Cmd, prefix: &str, claims: &[Claim<'_>]) {
    command.arg(claims.len());
    for claim in claims {
        command.arg(format!("{prefix}{}", claim.key));
    }
    for Claim { rate, member, .. } in claims {
        let every = rate.every().as_nanos() as f64 / 1000.0;
        command.arg(every).arg(rate.burst().get()).arg(rate.window().as_micros() as u64).arg(member.unwrap_or_default());
    }
}
