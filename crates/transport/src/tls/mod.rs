//! TLS on the HTTP listener: the gate's certificate, and whom it asks for theirs.
//!
//! It promises that nothing older than TLS 1.2 is spoken, that a client certificate was verified before anybody sees it, and that files
//! which change are read anew without a connection being lost: good ones serve the connections that come then, bad ones are told and
//! change nothing. Who a certificate stands for is decided behind `Gateway::identify`.

mod config;
mod error;
mod expiry;
mod files;

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use callgate_model::Clock;
use jiff::{SignedDuration, Timestamp};
use rustls::ServerConfig;
use tokio_rustls::TlsAcceptor;

use self::files::Files;
pub use self::{
    config::{Client, Tls as Config},
    error::Error,
};

/// How often an ending certificate is warned of.
const AGAIN: SignedDuration = SignedDuration::from_hours(24);

/// What the listener offers now.
pub struct Tls {
    config: Config,
    current: ArcSwap<ServerConfig>,
    /// When the certificate ends, in seconds since 1970.
    ends: AtomicI64,
    seen: Mutex<Seen>,
}

/// What was seen when the files were last looked at.
struct Seen {
    files: Files,
    warned: Option<Timestamp>,
}

impl Tls {
    /// Reads the files that `config` names, relative to `folder`.
    pub fn open(config: &Config, folder: &Path) -> Result<Self, Error> {
        let mut config = config.clone();
        for path in [Some(&mut config.certificate), Some(&mut config.key), config.client_ca.as_mut()].into_iter().flatten() {
            *path = folder.join(&path);
        }
        let files = Files::read(&config)?;
        let offer = files.offer(&config)?;
        Ok(Self {
            config,
            current: ArcSwap::from_pointee(offer.config),
            ends: AtomicI64::new(offer.ends.as_second()),
            seen: Mutex::new(Seen { files, warned: None }),
        })
    }

    /// When the certificate ends.
    #[must_use]
    pub fn ends(&self) -> Timestamp {
        Timestamp::from_second(self.ends.load(Ordering::Relaxed)).unwrap_or(Timestamp::MIN)
    }

    /// Takes connections as the files say now.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.current.load_full().into()
    }

    /// How long a client may take to agree on keys.
    pub(crate) fn handshake(&self) -> Duration {
        self.config.handshake.get()
    }

    /// How often to look at the files.
    pub(crate) fn pause(&self) -> Duration {
        self.config.look.get().max(Duration::from_millis(1))
    }

    /// Looks at the files and at the clock. It reads files, so that it may block for a moment.
    pub(crate) fn look(&self, clock: Clock) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match Files::read(&self.config) {
            Ok(files) if files == seen.files => {}
            Ok(files) => {
                match files.offer(&self.config) {
                    Ok(offer) => {
                        self.current.store(Arc::new(offer.config));
                        self.ends.store(offer.ends.as_second(), Ordering::Relaxed);
                        seen.warned = None;
                        tracing::info!(ends = %offer.ends, "new certificates are in use");
                    }
                    Err(error) => told(&error),
                }
                // What is bad is told once, not at each look.
                seen.files = files;
            }
            Err(error) if seen.files.are_readable() => {
                told(&error);
                seen.files = Files::default();
            }
            Err(_) => {}
        }
        self.warn(&mut seen, clock.now());
    }

    fn warn(&self, seen: &mut Seen, now: Timestamp) {
        let left = self.ends().duration_since(now);
        let is_soon = left < SignedDuration::try_from(self.config.warn.get()).unwrap_or(SignedDuration::MAX);
        if is_soon && seen.warned.is_none_or(|at| now.duration_since(at) >= AGAIN) {
            seen.warned = Some(now);
            let (ends, days) = (self.ends(), left.as_hours() / 24);
            tracing::warn!(%ends, days, "the certificate of this gate ends soon, or has ended; put a new one in its place");
        }
    }
}

fn told(error: &Error) {
    let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    tracing::error!(%error, cause, key = error.key(), "new certificates cannot be used; the ones before stay");
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("config", &self.config).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
