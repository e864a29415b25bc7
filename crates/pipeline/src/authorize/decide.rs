//! What the rules say of one call.

use callgate_expression::{Failure, Operand, Scope};
use callgate_model::{Call, Fault, Found, Members, Shelved};
use serde_json::Value;

use super::{Authority, Judgement, rules::Verdict, standing::shelf};
use crate::{find, require::Condition};

impl Authority {
    /// Whether the call may go on, as far as `allow` says. `tool` is the tool's place in the catalog.
    pub(crate) fn decide(&self, call: &Call, tool: Option<usize>, judgement: &Judgement) -> Result<(), Fault> {
        let Some((sort, index)) = self.place(&call.found, tool) else { return Err(find::unknown(call)) };
        let rules = &self.shelves[shelf(sort)].rules[index];
        match judgement.standing.verdict(sort, index) {
            Verdict::Allowed(None) => Ok(()),
            Verdict::Allowed(Some(rule)) => {
                rules.named().get(usize::from(rule)).into_iter().for_each(|named| judgement.note(named.reason.clone()));
                Ok(())
            }
            Verdict::Reachable => Err(lacks(rules.scopes(), judgement)),
            // The gate has not found it; this is for whoever calls a layer by itself.
            Verdict::Hidden => Err(find::unknown(call)),
            Verdict::Open => match self.by_arguments(call, sort, index, judgement) {
                Ok(()) => Ok(()),
                Err(_) if rules.is_reachable(&call.caller) => Err(lacks(rules.scopes(), judgement)),
                Err(failure) => Err(denied(failure.as_ref(), judgement)),
            },
        }
    }

    fn by_arguments(&self, call: &Call, sort: Shelved, index: usize, judgement: &Judgement) -> Result<(), Option<Failure>> {
        let variables = variables(&call.found);
        let given = Operand::object(variables.as_ref().unwrap_or(&call.arguments));
        let scope = self.scope((sort == Shelved::Tool).then_some(index), judgement, &given);
        let named = self.shelves[shelf(sort)].rules[index].by_arguments(&call.caller, Scope(&scope))?;
        judgement.note(named.reason.clone());
        Ok(())
    }

    /// The values that expressions can read about a call.
    pub(crate) fn scope<'s>(
        &'s self,
        tool: Option<usize>,
        judgement: &'s Judgement,
        given: &'s Operand<'s>,
    ) -> [(&'static str, &'s Operand<'s>); 3] {
        let tool = tool.and_then(|tool| self.tools.get(tool));
        // What is not there is what no expression of this gate, or none about this sort, reads: any value will do.
        [("args", given), ("caller", judgement.standing.caller.as_ref().unwrap_or(given)), ("tool", tool.unwrap_or(given))]
    }

    /// What the arguments of the tool at this place must meet.
    pub(crate) fn conditions(&self, tool: usize) -> &[Condition] {
        self.conditions.get(tool).map_or(&[], |conditions| conditions)
    }

    /// Where the rules of what was found stand.
    pub(super) fn place(&self, found: &Found, tool: Option<usize>) -> Option<(Shelved, usize)> {
        let (sort, key) = match found {
            Found::Tool(_) => return tool.map(|tool| (Shelved::Tool, tool)),
            Found::Resource(item) => (Shelved::Resource, item.offer.uri.as_str()),
            Found::Member(item, _) | Found::Template(item) => (Shelved::Template, item.offer.uri.as_str()),
            Found::Prompt(item) => (Shelved::Prompt, item.offer.name.as_str()),
            Found::Nothing => return None,
        };
        self.shelves[shelf(sort)].places.get(key).map(|index| (sort, *index))
    }
}

/// The variables of a family, which are the arguments of reading one of its members.
pub(super) fn variables(found: &Found) -> Option<Members> {
    match found {
        Found::Member(_, variables) => Some(variables.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect()),
        _ => None,
    }
}

fn lacks(scopes: Vec<String>, judgement: &Judgement) -> Fault {
    judgement.note(format!("denied: the token lacks `{}`", scopes.join(" ")).into());
    Fault::scopes(scopes)
}

fn denied(failure: Option<&Failure>, judgement: &Judgement) -> Fault {
    let reason = match failure {
        Some(failure) => format!("denied: no rule of `allow` holds for these arguments: {failure}"),
        None => "denied: no rule of `allow` holds for these arguments".to_owned(),
    };
    judgement.note(reason.as_str().into());
    Fault::denied("you may not make this call with these arguments; other arguments may be allowed").because(reason)
}
