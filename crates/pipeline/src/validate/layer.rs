//! The layer.

use std::sync::Arc;

use callgate_model::{Call, Fault, Found, Item, Target, Tool};
use jsonschema::PatternCache;

use super::{message, prompt, schema::Schema};
use crate::{
    Error,
    layer::{Check, Next, Opening},
    redact::Redaction,
};

struct Validate {
    tools: Vec<Schema>,
    redaction: Arc<Redaction>,
}

pub(crate) fn open(opening: &mut Opening<'_>) -> Result<Box<dyn Check>, Error> {
    let config = &opening.settings.calls.validate;
    let patterns = PatternCache::new();
    let compile = |(index, item): (usize, &Arc<Item<Tool>>)| {
        let tool = &item.offer;
        Schema::compile(index, &tool.input, config, &patterns)
            .map_err(|mistake| Error::Schema { tool: tool.name.clone(), why: mistake.to_string() })
    };
    let tools = opening.catalog.tools().iter().enumerate().map(compile).collect::<Result<_, _>>()?;
    Ok(Box::new(Validate { tools, redaction: opening.redaction.clone() }))
}

impl Check for Validate {
    fn check(&self, call: &Call, next: &Next<'_>) -> Result<(), Fault> {
        if let Some(schema) = next.ticket().tool.and_then(|tool| self.tools.get(tool)) {
            return schema.check(&call.arguments).map_err(|(value, schema)| message::fault(schema, &value, &self.redaction));
        }
        match (&call.found, &call.target) {
            (Found::Prompt(prompt), Target::Prompt(_)) => prompt::check(&prompt.offer, &call.arguments),
            (Found::Prompt(prompt), Target::Completion { argument, .. }) => prompt::known(
                "argument",
                argument,
                &prompt.offer.arguments.iter().map(|argument| argument.name.as_str()).collect::<Vec<_>>(),
            ),
            (Found::Template(template), Target::Completion { argument, .. }) => {
                prompt::known("variable", argument, &template.offer.uri.variables().collect::<Vec<_>>())
            }
            _ => Ok(()),
        }
    }
}
