//! One rule, worked out as far as it can be before a call comes.

use std::fmt::Write as _;

use callgate_config::Span;
use callgate_model::{Call, Caller};
use callgate_store::shared::Rate;
use prometheus_client::metrics::counter::Counter;

use super::config::{Config, Member, Per, Rule};
use crate::{Error, subject::subject};

/// An open rule.
pub(super) struct Quota {
    rule: Rule,
    /// How many there may be.
    pub(super) rate: Rate,
    /// Whose quota it is, for the one who is refused.
    pub(super) whose: String,
    /// Why, for the operator.
    pub(super) reason: String,
    /// Calls it has refused.
    pub(super) refused: Counter,
}

impl Quota {
    pub(super) fn new(rule: &Rule, refused: Counter) -> Result<Self, Error> {
        let rate =
            rule.rate().ok_or_else(|| Error::Quota { rule: rule.name.clone(), why: format!("`{}` cannot be counted", rule.limit) })?;
        let whose = format!("{} ({} calls in {})", whose(&rule.per), rule.limit.count, Span(rule.limit.per));
        Ok(Self { rate, whose, reason: format!("quota `{}`", rule.name), refused, rule: rule.clone() })
    }

    /// What the operator calls it.
    pub(super) fn name(&self) -> &str {
        &self.rule.name
    }

    /// Whether the rule is about this tool; `None` is what is no tool.
    pub(super) fn covers(&self, tool: Option<&str>) -> bool {
        self.rule.tools.is_empty() || tool.is_some_and(|tool| self.rule.tools.iter().any(|pattern| fits(pattern, tool)))
    }

    /// Whether the rule is about this caller.
    pub(super) fn concerns(&self, caller: &Caller) -> bool {
        let Rule { callers, tenants, roles, .. } = &self.rule;
        let among = |names: &[String], name: &str| names.is_empty() || names.iter().any(|own| own == name);
        among(callers, caller.id()) && among(tenants, caller.tenant()) && (roles.is_empty() || roles.iter().any(|role| caller.is(role)))
    }

    /// Writes the name under which the call is counted. Lengths keep names apart, whatever they are made of.
    pub(super) fn write_key(&self, call: &Call, keys: &mut String) {
        // Writing to a String cannot fail.
        let _ = write!(keys, "quota:{}", self.rule.name);
        for per in &self.rule.per {
            let _ = match per {
                Per::Caller => write!(keys, ":c{}", call.caller.key()),
                Per::Tenant => write!(keys, ":o{}:{}", call.caller.tenant().len(), call.caller.tenant()),
                Per::Tool => write!(keys, ":t{}:{}", subject(call).len(), subject(call)),
                Per::Backend => write!(keys, ":b{}", call.found.backend().map_or("", |(name, _)| name.as_str())),
                Per::Gate => Ok(()),
            };
        }
    }

    /// Who of those that share the quota is calling.
    pub(super) fn member<'a>(&self, call: &'a Call) -> Option<&'a str> {
        self.rule.fair.map(|member| match member {
            Member::Caller => call.caller.key().as_ref(),
            Member::Tenant => call.caller.tenant().as_ref(),
        })
    }
}

/// The patterns of a configuration must each be about a tool that exists: a slip of the pen would leave it without its quota.
pub(super) fn check(config: &Config, tools: &[&str]) -> Result<(), Error> {
    for rule in &config.rules {
        if let Some((_, pattern)) = astray(rule, tools).next() {
            return Err(Error::Quota { rule: rule.name.clone(), why: nobody(pattern) });
        }
    }
    Ok(())
}

/// The patterns that no tool fits, with their places.
pub(super) fn astray<'r>(rule: &'r Rule, tools: &[impl AsRef<str>]) -> impl Iterator<Item = (usize, &'r str)> {
    let fits_none = move |pattern: &str| !tools.iter().any(|tool| fits(pattern, tool.as_ref()));
    rule.tools.iter().map(String::as_str).enumerate().filter(move |(_, pattern)| fits_none(pattern))
}

pub(super) fn nobody(pattern: &str) -> String {
    format!("no tool is called `{pattern}`")
}

fn whose(per: &[Per]) -> String {
    let of = |per| match per {
        Per::Caller => "your quota",
        Per::Tenant => "your organisation's quota",
        Per::Tool | Per::Backend | Per::Gate => "everybody's quota",
    };
    let whose = [Per::Caller, Per::Tenant].into_iter().find(|owner| per.contains(owner)).map_or(of(Per::Gate), of);
    let what = if per.contains(&Per::Tool) {
        " for this tool"
    } else if per.contains(&Per::Backend) {
        " for the system behind this tool"
    } else {
        ""
    };
    format!("{whose}{what}")
}

/// A pattern is a name in which `*` stands for anything.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(name) = name.strip_prefix(head) else { return false };
    (0..=name.len()).filter(|&at| name.is_char_boundary(at)).any(|at| fits(rest, &name[at..]))
}

#[cfg(test)]
pub(super) mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name, expected) in [
            ("get", "get", true),
            ("get", "get_all", false),
            ("get_*", "get_all", true),
            ("*_all", "get_all", true),
            ("g*_*l", "get_all", true),
            ("*", "", true),
            ("get_*", "set_all", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
