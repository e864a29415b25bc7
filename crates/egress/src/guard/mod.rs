//! Which addresses may be called. Everything that leaves the gate by URL is asked about here: the host of the URL if it is an
//! address, and every address that a name resolves to.

mod class;
mod resolve;
mod rule;

use std::net::IpAddr;

pub(crate) use self::{class::Class, resolve::Resolver, rule::Rule};
use crate::{Config, Error, Target};

/// Names under which clouds hand out credentials, whatever they resolve to.
const METADATA: [&str; 4] = ["metadata.google.internal", "metadata.goog", "metadata", "instance-data"];

/// What the operator allowed.
#[derive(Debug)]
pub(crate) struct Guard {
    rules: Vec<Rule>,
}

impl Guard {
    pub(crate) fn new(config: &Config) -> Result<Self, Error> {
        let rules = config.allow.iter().map(|text| Rule::parse(text)).collect::<Result<_, _>>();
        Ok(Self { rules: rules.map_err(|why| Error::Setup(format!("an entry of `egress.allow` {why}")))? })
    }

    /// Whether a URL may be called as far as one can tell without resolving its name.
    pub(crate) fn admit(&self, target: &Target) -> Result<(), Error> {
        match target.literal() {
            Some(address) => self.admit_address(target.host(), address),
            None => admit_name(target.host()),
        }
    }

    /// Whether `address`, which `host` is or stands for, may be called.
    pub(crate) fn admit_address(&self, host: &str, address: IpAddr) -> Result<(), Error> {
        let class = Class::of(address);
        let may = match class {
            Class::Public => true,
            Class::Metadata => false,
            _ => self.rules.iter().any(|rule| rule.allows(host, address)),
        };
        if may { Ok(()) } else { Err(forbidden(host, class)) }
    }
}

fn admit_name(host: &str) -> Result<(), Error> {
    let name = host.trim_end_matches('.');
    let is_metadata = METADATA.iter().any(|known| name.eq_ignore_ascii_case(known));
    if is_metadata { Err(forbidden(host, Class::Metadata)) } else { Ok(()) }
}

fn forbidden(host: &str, class: Class) -> Error {
    Error::Forbidden { host: host.to_owned(), class: class.as_str() }
}
