//! A rule that says who may: a scope, a role, anyone, or an expression.

use crate::{Expression, Language, Mistake};

/// Who may.
#[derive(Debug)]
pub enum Rule {
    /// Whoever was recognised.
    Anyone,
    /// Whoever was granted these scopes, all of them, such as `read:customers`.
    Scopes(Vec<String>),
    /// Whoever has this role, such as `finance`.
    Role(String),
    /// Whoever this is true of.
    Expression(Expression),
}

impl Rule {
    /// What a rule about a tool can read.
    pub const OF_TOOLS: &[&str] = &["caller", "tool", "args"];
    /// What a rule about a prompt or a family of resources can read.
    pub const OF_OTHERS: &[&str] = &["caller", "args"];
    /// What a rule about one resource can read.
    pub const OF_RESOURCES: &[&str] = &["caller"];

    /// Reads a rule: a name with a colon is a scope (several, with blanks between them, are all needed), a plain word is a role,
    /// `anyone` is anyone who was recognised, and everything else is an expression over `variables`.
    pub fn parse(language: &Language, text: &str, variables: &[&str]) -> Result<Self, Mistake> {
        let text = text.trim();
        match text {
            "" => Err(Mistake::new("an empty rule; leave the list empty for nobody, or write `anyone`", 0)),
            "anyone" => Ok(Self::Anyone),
            "*" => Err(Mistake::new("`*` is no rule; write `anyone` for every caller that was recognised", 0)),
            "true" | "false" | "null" => Err(Mistake::new(format!("`{text}` is no rule; write `anyone`, or an empty list for nobody"), 0)),
            "caller" | "tool" | "args" => Err(Mistake::new(format!("`{text}` alone says nothing; write what must be true of it"), 0)),
            _ if text.split_whitespace().all(is_scope) => Ok(Self::Scopes(text.split_whitespace().map(str::to_owned).collect())),
            _ if text.chars().all(is_word) => Ok(Self::Role(text.to_owned())),
            _ => language.compile(text, variables).map(Self::Expression),
        }
    }

    /// Whether it reads this variable.
    #[must_use]
    pub fn reads(&self, variable: &str) -> bool {
        matches!(self, Self::Expression(expression) if expression.reads(variable))
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

fn is_scope(text: &str) -> bool {
    let allowed = |c| is_word(c) || matches!(c, ':' | '.' | '/');
    text.contains(':') && !text.starts_with(':') && !text.ends_with(':') && text.chars().all(allowed)
}
