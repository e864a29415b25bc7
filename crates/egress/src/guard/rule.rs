//! One entry of `egress.allow`.

use std::net::IpAddr;

use ipnet::IpNet;

/// What an entry allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Addresses.
    Net(IpNet),
    /// A name, in lower case.
    Name(String),
}

impl Rule {
    /// Reads an entry, or says what is wrong with it, as the end of a sentence about it.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if let Ok(net) = text.parse::<IpNet>() {
            return if net.prefix_len() == 0 { Err("allows every address, which is no list") } else { Ok(Self::Net(net.trunc())) };
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Net(address.into()));
        }
        let is_label = |label: &str| {
            !label.is_empty() && label.len() < 64 && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        // A name whose last label begins with a digit is a misspelt address.
        let is_name = text.split('.').all(is_label)
            && text.split('.').next_back().is_some_and(|last| !last.starts_with(|c: char| c.is_ascii_digit()));
        if is_name && text.len() < 254 {
            Ok(Self::Name(text.to_ascii_lowercase()))
        } else {
            Err("is neither an address, nor a network, nor a host name")
        }
    }

    /// Whether `address`, which `host` is or stands for, is meant.
    pub(crate) fn allows(&self, host: &str, address: IpAddr) -> bool {
        match self {
            Self::Net(net) => net.contains(&address.to_canonical()),
            Self::Name(name) => host.trim_end_matches('.').eq_ignore_ascii_case(name),
        }
    }
}
