//! Why a request was not sent, or has no answer.

use std::time::Duration;

/// Why a request was not sent, or has no answer. No text holds more of the URL than its host.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The URL is none that may be called.
    #[error("the URL {0}")]
    Url(&'static str),
    /// The host is, or stands for, an address that may not be called.
    #[error("`{host}` is {class}, which `egress.allow` does not list")]
    Forbidden {
        /// The host of the URL.
        host: String,
        /// What it was found to be.
        class: &'static str,
    },
    /// The client cannot be set up.
    #[error("outgoing HTTPS cannot be set up: {0}")]
    Setup(String),
    /// There was no answer in this time.
    #[error("no answer from `{host}` within {span:?}")]
    Slow {
        /// The host of the URL.
        host: String,
        /// How long was waited.
        span: Duration,
    },
    /// The answer is longer than allowed.
    #[error("the answer of `{host}` is longer than {most} bytes")]
    Long {
        /// The host of the URL.
        host: String,
        /// The bound.
        most: usize,
    },
    /// The request failed on its way.
    #[error("`{host}` cannot be asked: {cause}")]
    Failed {
        /// The host of the URL.
        host: String,
        /// Why, outermost first.
        cause: String,
    },
}
