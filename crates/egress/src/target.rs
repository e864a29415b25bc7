//! A URL that may be called at all, whatever it resolves to.

use std::{fmt, net::IpAddr};

use reqwest::Url;

use crate::Error;

/// An `http` or `https` URL without user and password.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Target(Url);

impl Target {
    /// Reads a URL. Does no I/O: the addresses behind a name are looked at when it is called.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
            return Err(Error::Url("holds a character that has no place in a URL"));
        }
        let url = Url::parse(text).map_err(|_| Error::Url("is no absolute URL"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Error::Url("has another scheme than http and https"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::Url("holds a user name or password"));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(Error::Url("names no host"));
        }
        Ok(Self(url))
    }

    /// The host as it was written, brackets included.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The whole URL in its canonical form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether what is sent there is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether it names this machine, by address or as `localhost`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.literal().map_or_else(|| self.host().eq_ignore_ascii_case("localhost"), |address| address.to_canonical().is_loopback())
    }

    /// The address, where the host is one. The URL's parser has read the odd spellings (`127.1`, `0x7f000001`) already.
    pub(crate) fn literal(&self) -> Option<IpAddr> {
        self.host().trim_start_matches('[').trim_end_matches(']').parse().ok()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Only the origin: a query may hold what is nobody's business.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({}://{})", self.0.scheme(), self.host())
    }
}
