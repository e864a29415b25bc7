//! Wall-clock time, for what is written down. Deadlines and waits use `tokio::time`, which tests can pause.

use jiff::Timestamp;

/// Says what time it is. A fixed clock makes records comparable in tests.
#[derive(Clone, Copy, Debug, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// Always this moment.
    Fixed(Timestamp),
}

impl Clock {
    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Fixed(at) => *at,
        }
    }
}
