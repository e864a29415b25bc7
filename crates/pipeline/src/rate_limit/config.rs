//! What an operator may write under `quotas`.

use std::{borrow::Cow, fmt, num::NonZeroU32, time::Duration};

use callgate_config::{Problems, Section, Span};
use callgate_store::shared::Rate;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IntoDeserializer as _, value},
};

use super::rule::{astray, nobody};
use crate::repeats;

/// How often calls may be made.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The quotas; default none. A call counts against every rule that applies to it, and is made if each has one left.
    pub rules: Vec<Rule>,
    /// What is done about callers that make the same failing call again and again.
    pub repeats: repeats::Config,
}

/// One quota.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name, in metrics and in the audit log.
    #[schemars(regex(pattern = "^[a-z0-9_-]{1,64}$"), extend("x-expected" = "1 to 64 of `a-z 0-9 _ -`"))]
    pub name: String,
    /// Who has a quota each: `caller`, `tenant`, `tool`, `backend`, or several, as in `[caller, tool]`; `[gate]` is one quota for
    /// all calls together.
    #[schemars(length(min = 1))]
    pub per: Vec<Per>,
    /// How many calls in how much time, such as `100/1m`. They come back one by one: of `60/1m`, one each second.
    pub limit: Limit,
    /// How many calls may come at once; default as many as the limit. In its first minute, `100/1m` lets 100 calls through at once
    /// and 100 more as they come back; with `burst: 10` it is 10 and 100.
    pub burst: Option<NonZeroU32>,
    /// Only calls of these tools, by name or by pattern, as in `get_*`; default every call, also of resources and prompts.
    #[serde(default)]
    pub tools: Vec<String>,
    /// Only calls of callers with these ids; default all.
    #[serde(default)]
    pub callers: Vec<String>,
    /// Only calls of these tenants; default all.
    #[serde(default)]
    pub tenants: Vec<String>,
    /// Only calls of callers with one of these roles; default all.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Divides the quota among those who use it: each `tenant`, or each `caller`, always has an equal part, whatever the others do,
    /// and what nobody uses goes to whoever asks. Default: first come, first served.
    pub fair: Option<Member>,
}

/// Who has a quota.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    /// Each caller.
    Caller,
    /// All callers of a tenant together.
    Tenant,
    /// Each tool, resource, family of resources or prompt.
    Tool,
    /// Each backend.
    Backend,
    /// Everybody together.
    Gate,
}

/// Who has a fair part of a quota.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Member {
    /// Each caller.
    Caller,
    /// All callers of a tenant together.
    Tenant,
}

impl Config {
    /// What no schema can say, where these are all tools; `section` is where it stands.
    pub fn check(&self, section: &Section, tools: &[String], problems: &mut Problems) {
        section.at_least(&[("/repeats/within", self.repeats.within, Span::seconds(1))], problems);
        for (index, rule) in self.rules.iter().enumerate() {
            let at = |part: &str| format!("/rules/{index}/{part}");
            if self.rules[..index].iter().any(|other| other.name == rule.name) {
                let problem = section.problem(&at("name"), format!("there are two quotas called `{}`", rule.name));
                problems.push(problem.help("give each a name of its own: metrics and the audit log tell them apart by it"));
            }
            if rule.rate().is_none() {
                let problem = section.problem(&at("limit"), format!("`{}` cannot be counted", rule.limit));
                problems.push(problem.help("write from 1 call in 30 days up to 100000 a second"));
            }
            if rule.per.len() > 1 && rule.per.contains(&Per::Gate) {
                let problem = section.problem(&at("per"), "`gate` is everybody together, so that nothing else can stand beside it");
                problems.push(problem.help("leave `gate` out, or write `[gate]` alone"));
            }
            for (place, pattern) in astray(rule, tools) {
                let problem = section.problem(&at(&format!("tools/{place}")), nobody(pattern));
                problems.push(problem.help("a slip of the pen would leave a tool without its quota; `*` stands for anything"));
            }
            let divided = rule
                .fair
                .is_some_and(|member| rule.per.contains(&Per::Caller) || member == Member::Tenant && rule.per.contains(&Per::Tenant));
            if divided {
                let problem = section.problem(&at("fair"), "each has a quota of its own already, so that there is nothing to divide");
                problems.push(problem.help("leave `fair` out, or count per `tool`, `backend` or `gate`"));
            }
        }
    }
}

impl Rule {
    /// The rate, if it can be counted.
    pub(super) fn rate(&self) -> Option<Rate> {
        Rate::new(self.limit.count, self.limit.per, self.burst.unwrap_or(self.limit.count))
    }
}

/// So many calls in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// So many.
    pub count: NonZeroU32,
    /// In so much time.
    pub per: Duration,
}

const MEANT: &str = "so many calls in so much time, such as `100/1m` (units: ms, s, m, h, d)";

impl Limit {
    fn parse(text: &str) -> Option<Self> {
        let (count, per) = text.split_once('/')?;
        let per: value::StrDeserializer<'_, value::Error> = per.into_deserializer();
        Some(Self { count: count.parse().ok()?, per: Span::deserialize(per).ok()?.get() })
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.count, Span(self.per))
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom(format!("expected {MEANT}, found `{text}`")))
    }
}

impl JsonSchema for Limit {
    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[1-9][0-9]*/[0-9]+(ms|s|m|h|d)$", "x-expected": MEANT })
    }
}
