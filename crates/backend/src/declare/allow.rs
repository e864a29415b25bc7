//! Who may, as an operator writes it: rules under `allow`, conditions under `require`.

use std::fmt;

use callgate_config::{Problems, Section};
use callgate_expression::{Language, Rule};
use callgate_model::{Allow, Condition};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{Error, SeqAccess, Visitor},
};

/// Who may: one rule, or a list of which one must hold.
#[derive(Clone, Debug)]
pub struct AllowConfig {
    rules: Allow,
    is_list: bool,
}

impl AllowConfig {
    /// The rules, checked. `at` is the pointer of the key in `section`.
    pub(crate) fn check(self, language: &Language, variables: &[&str], section: &Section, at: &str, problems: &mut Problems) -> Allow {
        for (index, rule) in self.rules.iter().enumerate() {
            let Err(mistake) = Rule::parse(language, rule, variables) else { continue };
            let at = if self.is_list { format!("{at}/{index}") } else { at.to_owned() };
            let problem = section.problem(&at, mistake.about(rule));
            problems
                .push(problem.help("a scope (`read:customers`), a role (`finance`), `anyone`, or a condition (`caller.tenant == 'acme'`)"));
        }
        self.rules
    }
}

impl<'de> Deserialize<'de> for AllowConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;

        impl<'de> Visitor<'de> for Forms {
            type Value = AllowConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a rule, or a list of rules")
            }

            fn visit_str<E: Error>(self, rule: &str) -> Result<Self::Value, E> {
                Ok(AllowConfig { rules: vec![rule.into()], is_list: false })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut rules = Vec::new();
                while let Some(rule) = list.next_element()? {
                    rules.push(rule);
                }
                Ok(AllowConfig { rules, is_list: true })
            }
        }

        deserializer.deserialize_any(Forms)
    }
}

impl JsonSchema for AllowConfig {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AllowConfig".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" }, "maxItems": 32 }],
            "x-expected": "a rule such as `read:customers`, `finance` or `anyone`, or a list of at most 32 of them",
        })
    }
}

/// A condition that the arguments must meet.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequireConfig {
    /// A condition over `args`, `caller` and `tool` that must be true, such as `args.amount <= 1000 || 'finance' in caller.roles`.
    /// An argument that was not given is not there: ask for it with `has(args.amount)`.
    pub rule: String,
    /// What the model reads when it is not true: say which argument, and what would be right.
    pub message: Option<String>,
}

/// The conditions, checked.
pub(crate) fn conditions(config: Vec<RequireConfig>, language: &Language, section: &Section, problems: &mut Problems) -> Vec<Condition> {
    for (index, RequireConfig { rule, message }) in config.iter().enumerate() {
        if let Err(mistake) = language.compile(rule, Rule::OF_TOOLS) {
            problems.push(section.problem(&format!("/require/{index}/rule"), mistake.about(rule)));
        }
        if message.as_ref().is_some_and(|message| message.trim().is_empty()) {
            problems.push(
                section.problem(&format!("/require/{index}/message"), "the sentence is empty; leave it out, or say what would be right"),
            );
        }
    }
    config.into_iter().map(|RequireConfig { rule, message }| Condition { rule, message }).collect()
}
