//! What is done about an audit log beside writing it.

use std::{path::Path, time::Duration};

use callgate_config::Span;
use callgate_model::Clock;

use super::Heads;

/// How often somebody looks after a log that has no signed heads.
const TICK: Duration = Duration::from_secs(60);

/// What is done about an audit log beside writing it.
#[derive(Clone, Debug, Default)]
pub struct Upkeep {
    /// Where signed heads are written.
    pub heads: Heads,
    /// How long records are kept; `None` for ever.
    pub keep: Option<Span>,
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
