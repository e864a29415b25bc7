//! The moment by which a call is answered. Everybody who works for a call gets the same one.

use std::time::Duration;

use tokio::time::Instant;

/// One absolute moment and the span it was derived from (for messages and the warning at 80 %).
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    at: Instant,
    span: Duration,
}

impl Deadline {
    /// `span` from now.
    #[must_use]
    pub fn after(span: Duration) -> Self {
        Self { at: Instant::now() + span, span }
    }

    /// This deadline, or `span` from its start if that comes first. Time already used stays used.
    #[must_use]
    pub fn within(self, span: Duration) -> Self {
        let start = self.at - self.span;
        if span < self.span { Self { at: start + span, span } } else { self }
    }

    /// The moment itself.
    #[must_use]
    pub fn at(&self) -> Instant {
        self.at
    }

    /// The whole time the call was given.
    #[must_use]
    pub fn span(&self) -> Duration {
        self.span
    }

    /// What is left of it; zero once it has passed.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }
}
