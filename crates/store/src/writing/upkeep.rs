//! How an audit log is kept: what it says of callers, and what is done about it beside writing it.

use std::{path::Path, time::Duration};

use callgate_config::Span;
use callgate_model::Clock;

use super::Heads;
use crate::Pseudonyms;

/// How often somebody looks after a log that has no signed heads.
const TICK: Duration = Duration::from_secs(60);

/// How an audit log is kept.
#[derive(Clone, Debug, Default)]
pub struct Upkeep {
    /// Where signed heads are written.
    pub heads: Heads,
    /// How long records are kept; `None` for ever.
    pub keep: Option<Span>,
    /// Whether records bear pseudonyms, and how many are remembered; `None` if they bear the names.
    pub pseudonyms: Option<Pseudonyms>,
    /// Wall-clock time.
    pub clock: Clock,
}

impl Upkeep {
    /// The same with paths that no longer depend on the working directory.
    pub(crate) fn within(&self, folder: &Path) -> Self {
        let file = self.heads.file.as_ref().map(|file| folder.join(file));
        Self { heads: Heads { file, ..self.heads.clone() }, ..self.clone() }
    }

    pub(super) fn tick(&self) -> Duration {
        if self.heads.file.is_some() { self.heads.every.get() } else { TICK }
    }
}
