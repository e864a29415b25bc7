//! Which records somebody wants to see.

use jiff::Timestamp;

use super::Entry;

/// What records must have in common; what is `None` is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Calls that came at this time or later.
    pub since: Option<Timestamp>,
    /// Calls that came before this time.
    pub until: Option<Timestamp>,
    /// The tenant of the caller.
    pub tenant: Option<String>,
    /// The id of the caller, or its pseudonym.
    pub caller: Option<String>,
    /// The name of the tool or prompt, or the URI of the resource.
    pub name: Option<String>,
    /// How the call ended.
    pub outcome: Option<String>,
    /// The id of the request.
    pub request: Option<String>,
}

impl Filter {
    /// Whether `entry` is wanted.
    #[must_use]
    pub fn fits(&self, entry: &Entry) -> bool {
        let is = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        self.since.is_none_or(|since| entry.at >= since)
            && self.until.is_none_or(|until| entry.at < until)
            && is(&self.tenant, &entry.tenant)
            && (is(&self.caller, &entry.caller) || (entry.pseudonym.is_some() && self.caller == entry.pseudonym))
            && is(&self.name, &entry.name)
            && is(&self.outcome, &entry.outcome)
            && is(&self.request, &entry.request)
    }
}
