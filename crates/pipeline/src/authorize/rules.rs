//! The rules of one thing on offer, compiled.

use std::sync::Arc;

use callgate_expression::{Failure, Language, Mistake, Rule, Scope};
use callgate_model::{Allow, Caller, Proof, Scopes};

/// Who may use one thing on offer.
#[derive(Debug)]
pub(super) enum Rules {
    /// Nothing was said.
    Unsaid,
    /// One of these must hold.
    Any(Vec<Named>),
}

/// A rule with its text.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) rule: Rule,
    pub(super) text: String,
    /// What stands on the record if it decides.
    pub(super) reason: Arc<str>,
}

/// What the rules say of a caller before the arguments are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Verdict {
    /// This rule allows every call; without a number, nothing was said and nothing needs to be.
    Allowed(Option<u16>),
    /// The arguments decide.
    Open,
    /// The scopes of a rule would do, and the caller can ask for them.
    Reachable,
    /// It does not exist for the caller.
    Hidden,
}

impl Rules {
    /// Compiles; the error says which rule and what is wrong with it.
    pub(super) fn compile(language: &Language, allow: Option<&Allow>, variables: &[&str]) -> Result<Self, (String, Mistake)> {
        let Some(allow) = allow else { return Ok(Self::Unsaid) };
        let named = |text: &String| {
            let rule = Rule::parse(language, text, variables).map_err(|mistake| (text.clone(), mistake))?;
            Ok(Named { rule, text: text.clone(), reason: format!("allowed by `{text}`").into() })
        };
        allow.iter().map(named).collect::<Result<_, _>>().map(Self::Any)
    }

    /// All rules.
    pub(super) fn named(&self) -> &[Named] {
        match self {
            Self::Unsaid => &[],
            Self::Any(rules) => rules,
        }
    }

    /// What can be said without arguments.
    pub(super) fn verdict(&self, caller: &Caller, house: House, scope: Scope<'_>) -> Verdict {
        let rules = match self {
            Self::Unsaid if house == House::Open => return Verdict::Allowed(None),
            Self::Unsaid => return Verdict::Hidden,
            Self::Any(rules) => rules,
        };
        let place = |index: usize| u16::try_from(index).unwrap_or(u16::MAX);
        let fixed = |named: &Named| !named.rule.reads("args") && holds(&named.rule, caller, scope) == Ok(true);
        if let Some(index) = rules.iter().position(fixed) {
            return Verdict::Allowed(Some(place(index)));
        }
        if rules.iter().any(|named| named.rule.reads("args")) {
            return Verdict::Open;
        }
        if self.is_reachable(caller) { Verdict::Reachable } else { Verdict::Hidden }
    }

    /// Whether there is a rule whose scopes the caller could ask for.
    pub(super) fn is_reachable(&self, caller: &Caller) -> bool {
        caller.proof == Proof::Token && self.named().iter().any(|named| matches!(named.rule, Rule::Scopes(_)))
    }

    /// The first rule that reads arguments and holds for them, or why none does.
    pub(super) fn by_arguments(&self, caller: &Caller, scope: Scope<'_>) -> Result<&Named, Option<Failure>> {
        let mut failure = None;
        for named in self.named().iter().filter(|named| named.rule.reads("args")) {
            match holds(&named.rule, caller, scope) {
                Ok(true) => return Ok(named),
                Ok(false) => {}
                Err(why) => failure = failure.or(Some(why)),
            }
        }
        Err(failure)
    }

    /// The scopes that the rules name, all of them: which ones the caller's own server gives out is not known here, and asking twice would
    /// ask the user twice.
    pub(super) fn scopes(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for named in self.named() {
            let Rule::Scopes(scopes) = &named.rule else { continue };
            for scope in scopes {
                if !all.contains(scope) {
                    all.push(scope.clone());
                }
            }
        }
        all
    }
}

/// What a gate takes silence for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum House {
    /// It knows the machine's own user only, who may do what nothing is said about.
    Open,
    /// It knows callers apart, and what nothing is said about is nobody's.
    Closed,
}

/// Whether a rule holds. The machine's own user has every scope and role.
pub(super) fn holds(rule: &Rule, caller: &Caller, scope: Scope<'_>) -> Result<bool, Failure> {
    let owner = caller.scopes == Scopes::All;
    match rule {
        Rule::Anyone => Ok(true),
        Rule::Scopes(scopes) => Ok(scopes.iter().all(|scope| caller.scopes.contain(scope))),
        Rule::Role(role) => Ok(owner || caller.is(role)),
        Rule::Expression(expression) => expression.holds(scope),
    }
}
