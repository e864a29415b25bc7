//! What the rules would say of a call, rule by rule, for the operator.

use callgate_expression::{Failure, Operand, Scope};
use callgate_model::{Call, Shelved};

use super::{
    Authority, HIDDEN, Judgement,
    decide::variables,
    rules::{Verdict, holds},
    standing::shelf,
};

/// What the rules say of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What each rule says, in the order in which they are asked.
    pub findings: Vec<Finding>,
    /// Whether the rules let the call pass.
    pub allowed: bool,
    /// What decided, in a sentence.
    pub decided: String,
}

/// What one rule says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where the rule stands: `allow` or `require`.
    pub under: &'static str,
    /// Its text.
    pub rule: String,
    /// Whether it holds, or why that cannot be said.
    pub holds: Result<bool, String>,
}

impl Finding {
    fn new(under: &'static str, rule: &str, holds: Result<bool, Failure>) -> Self {
        Self { under, rule: rule.to_owned(), holds: holds.map_err(|failure| failure.to_string()) }
    }
}

impl Authority {
    /// Asks every rule that there is for this target, and then decides as for a real call.
    pub(crate) fn explain(&self, call: &Call, tool: Option<usize>) -> Explanation {
        let Some((sort, index)) = self.place(&call.found, tool) else {
            return Explanation { findings: Vec::new(), allowed: false, decided: format!("there is no such {}", call.target.sort()) };
        };
        let findings = self.findings(call, sort, index);
        let judgement = Judgement::new(self.standing(&call.caller));
        let passed = match judgement.standing.verdict(sort, index) {
            Verdict::Hidden => Err(None),
            _ => self.decide(call, tool, &judgement).and_then(|()| self.meet(call, tool, &judgement)).map_err(Some),
        };
        let decided = match &passed {
            Err(None) => HIDDEN.to_owned(),
            Ok(()) => said(&judgement, "allowed: nothing was said"),
            Err(Some(fault)) => said(&judgement, fault.message()),
        };
        Explanation { findings, allowed: passed.is_ok(), decided }
    }

    fn findings(&self, call: &Call, sort: Shelved, index: usize) -> Vec<Finding> {
        let caller = Operand::owned(call.caller.describe());
        let members = variables(&call.found);
        let given = Operand::object(members.as_ref().unwrap_or(&call.arguments));
        let tool = self.tools.get(index).filter(|_| sort == Shelved::Tool);
        let scope = [("args", &given), ("caller", &caller), ("tool", tool.unwrap_or(&given))];
        let rules = self.shelves[shelf(sort)].rules[index].named();
        let rules = rules.iter().map(|named| Finding::new("allow", &named.text, holds(&named.rule, &call.caller, Scope(&scope))));
        let conditions = if sort == Shelved::Tool { self.conditions(index) } else { &[] };
        let conditions = conditions.iter().map(|condition| Finding::new("require", condition.text(), condition.holds(Scope(&scope))));
        rules.chain(conditions).collect()
    }
}

fn said(judgement: &Judgement, otherwise: &str) -> String {
    judgement.reason().as_deref().unwrap_or(otherwise).to_owned()
}
