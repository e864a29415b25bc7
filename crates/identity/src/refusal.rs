//! Why a credential is not taken, and for how long that holds.

use std::time::Duration;

use callgate_model::Unidentified;

/// Why a credential is not taken. No text holds anything of the credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It will not get better: the answer may be remembered.
    Lasting(String),
    /// It is not good now: the keys, or the time, may change that.
    Now(String),
    /// It cannot be decided.
    Away { retry_after: Duration, reason: String },
}

impl Refusal {
    pub(crate) fn lasting(reason: impl Into<String>) -> Self {
        Self::Lasting(reason.into())
    }

    pub(crate) fn now(reason: impl Into<String>) -> Self {
        Self::Now(reason.into())
    }
}

impl From<Refusal> for Unidentified {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Lasting(reason) | Refusal::Now(reason) => Self::Refused(reason),
            Refusal::Away { retry_after, reason } => Self::Unavailable { retry_after, reason },
        }
    }
}
