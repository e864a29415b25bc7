//! Who may speak to the gate at all: the `Host` a request was sent to and the `Origin` of the page that sent it.
//!
//! A page anywhere on the web can make a browser send requests to a gate on the same machine or network, directly or by making its own
//! name resolve to it. Both show here, whatever the verb, before anything else is looked at.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use http::{
    HeaderMap, HeaderValue, Method,
    header::{HOST, ORIGIN},
    request::Parts,
    uri::Authority,
};

use crate::config::Http;

/// What is allowed for one listener.
pub(super) struct Guard {
    is_loopback: bool,
    /// The listener's own address, by which most requests name their host: what it says is always allowed, and need not be read.
    own: String,
    hosts: Vec<Authority>,
    origins: Vec<String>,
}

impl Guard {
    /// The guard for a listener at `address`. A host that is none can never match and is left out.
    pub(super) fn new(address: SocketAddr, config: &Http) -> Self {
        Self {
            is_loopback: address.ip().to_canonical().is_loopback(),
            own: address.to_string(),
            hosts: config.hosts.iter().filter_map(|host| host.parse().ok()).collect(),
            origins: config.origins.iter().map(|origin| origin.trim_end_matches('/').to_ascii_lowercase()).collect(),
        }
    }

    /// Whether this request may be answered.
    pub(super) fn admits(&self, request: &Parts) -> bool {
        self.admits_host(request) && self.admits_origin(&request.headers)
    }

    /// A request may name its host in the target and in the header; each name must be allowed.
    fn admits_host(&self, request: &Parts) -> bool {
        let target = request.uri.authority();
        let mut headers = request.headers.get_all(HOST).iter();
        let header = headers.next();
        if headers.next().is_some() || (target.is_none() && header.is_none()) {
            return false;
        }
        let is_own = |header: &HeaderValue| header.as_bytes() == self.own.as_bytes();
        let header_is_good =
            header.is_none_or(|header| is_own(header) || authority(header.as_bytes()).is_some_and(|host| self.knows(&host)));
        header_is_good && target.is_none_or(|target| !target.as_str().contains('@') && self.knows(target))
    }

    fn knows(&self, host: &Authority) -> bool {
        let is_open = match name(host.host()) {
            Name::Loopback => true,
            // A name can be made to resolve to anything, figures cannot. On loopback nobody has a reason to use others.
            Name::Figures => !self.is_loopback,
            Name::Other => false,
        };
        is_open
            || self.hosts.iter().any(|known| {
                known.host().eq_ignore_ascii_case(host.host()) && known.port().is_none_or(|_| known.port_u16() == host.port_u16())
            })
    }

    fn admits_origin(&self, headers: &HeaderMap) -> bool {
        let mut origins = headers.get_all(ORIGIN).iter();
        let Some(origin) = origins.next() else { return true };
        if origins.next().is_some() {
            return false;
        }
        self.lists(origin) || (self.is_loopback && is_loopback_page(origin))
    }

    /// The operator named this origin.
    pub(super) fn lists(&self, origin: &HeaderValue) -> bool {
        self.origins.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(origin.as_bytes()))
    }

    /// The origin to which the answer may be shown, if the request comes from a page that the operator named.
    pub(super) fn page<'h>(&self, headers: &'h HeaderMap) -> Option<&'h HeaderValue> {
        headers.get(ORIGIN).filter(|origin| self.lists(origin))
    }

    /// A browser asks whether such a page may send the real request.
    pub(super) fn is_preflight(&self, request: &Parts) -> bool {
        request.method == Method::OPTIONS && self.page(&request.headers).is_some()
    }
}

enum Name {
    Loopback,
    Figures,
    Other,
}

fn name(host: &str) -> Name {
    if host.eq_ignore_ascii_case("localhost") {
        return Name::Loopback;
    }
    let address = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(figures) => figures.parse::<Ipv6Addr>().map(IpAddr::V6),
        None => host.parse::<Ipv4Addr>().map(IpAddr::V4),
    };
    match address {
        Ok(address) if address.to_canonical().is_loopback() => Name::Loopback,
        Ok(_) => Name::Figures,
        Err(_) => Name::Other,
    }
}

fn authority(bytes: &[u8]) -> Option<Authority> {
    Authority::try_from(bytes).ok().filter(|authority| !authority.as_str().contains('@'))
}

fn is_loopback_page(origin: &HeaderValue) -> bool {
    let origin = origin.to_str().unwrap_or_default();
    let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    host.and_then(|host| authority(host.as_bytes())).is_some_and(|host| matches!(name(host.host()), Name::Loopback))
}
