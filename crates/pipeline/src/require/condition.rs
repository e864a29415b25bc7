//! One condition, compiled.

use callgate_expression::{Expression, Failure, Language, Operand, Rule, Scope};
use callgate_model::{Call, Fault, Tool};

use crate::{
    Error,
    authorize::{Authority, Judgement},
};

/// A condition on the arguments of a tool.
#[derive(Debug)]
pub(crate) struct Condition {
    expression: Expression,
    message: String,
}

impl Condition {
    /// Compiles the conditions of a tool.
    pub(crate) fn compile_all(language: &Language, tool: &Tool) -> Result<Vec<Self>, Error> {
        let compile = |condition: &callgate_model::Condition| {
            let expression = language
                .compile(&condition.rule, Rule::OF_TOOLS)
                .map_err(|mistake| Error::rule("tool", tool.name.as_str(), &condition.rule, &mistake))?;
            let message = condition.message.clone().unwrap_or_else(|| sentence(&expression));
            Ok(Self { expression, message })
        };
        tool.terms.require.iter().map(compile).collect()
    }

    /// Its text.
    pub(crate) fn text(&self) -> &str {
        self.expression.text()
    }

    /// Whether it asks who is calling.
    pub(crate) fn reads_caller(&self) -> bool {
        self.expression.reads("caller")
    }

    /// Whether it holds.
    pub(crate) fn holds(&self, scope: Scope<'_>) -> Result<bool, Failure> {
        self.expression.holds(scope)
    }
}

/// What a caller reads where the operator wrote nothing: which arguments it is about.
fn sentence(expression: &Expression) -> String {
    let names: Vec<_> = expression.members("args").map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => "a rule of this server forbids this call".to_owned(),
        names => format!("a rule of this server forbids this call with this {}; another value may be allowed", names.join(" and ")),
    }
}

impl Authority {
    /// Whether the arguments meet every condition of the tool.
    pub(crate) fn meet(&self, call: &Call, tool: Option<usize>, judgement: &Judgement) -> Result<(), Fault> {
        let conditions = tool.map_or(&[] as &[_], |tool| self.conditions(tool));
        if conditions.is_empty() {
            return Ok(());
        }
        let given = Operand::object(&call.arguments);
        let scope = self.scope(tool, judgement, &given);
        for condition in conditions {
            let failure = match condition.holds(Scope(&scope)) {
                Ok(true) => continue,
                Ok(false) => None,
                Err(failure) => Some(failure),
            };
            let why = failure.map_or_else(String::new, |failure| format!(": {failure}"));
            let reason = format!("denied: `{}` is not met{why}", condition.text());
            judgement.note(reason.as_str().into());
            return Err(Fault::denied(condition.message.clone()).because(reason));
        }
        Ok(())
    }
}
