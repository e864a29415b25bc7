//! One tool call whose result a template needs.

use callgate_model::{Body, Call, Fault, Kind, Members, ToolReply};
use serde_json::Value;

use super::fill::Filler;

/// A tool call, to be made with the prompt's arguments.
#[derive(Debug)]
pub(super) struct Fetch {
    /// The name under which the template finds the result.
    pub(super) key: String,
    /// The tool.
    pub(super) tool: String,
    /// Its arguments.
    pub(super) arguments: Vec<(String, Filler)>,
}

impl Fetch {
    /// Makes the call as the prompt's caller.
    pub(super) async fn run(&self, call: &Call, given: &Members) -> Result<(String, Value), Fault> {
        let mut arguments = Members::new();
        for (name, filler) in &self.arguments {
            arguments.extend(filler.fill(given)?.map(|value| (name.clone(), value)));
        }
        let reply =
            call.invoke(&self.tool, arguments).await.map_err(|fault| self.failed(fault.kind().clone(), fault.message()).because(fault))?;
        if reply.is_error { Err(self.failed(Kind::Refused, &text(&reply))) } else { Ok((self.key.clone(), value(reply))) }
    }

    fn failed(&self, kind: Kind, why: &str) -> Fault {
        Fault::new(kind, format!("the prompt needs `{}`, but `{}` failed: {why}", self.key, self.tool))
    }
}

/// The result as data: what programs read, or else the text.
fn value(reply: ToolReply) -> Value {
    match reply.structured {
        Some(json) => json.to_value(),
        None => text(&reply).into(),
    }
}

fn text(reply: &ToolReply) -> String {
    let texts = reply.content.iter().filter_map(|content| if let Body::Text(text) = &content.body { Some(text.as_str()) } else { None });
    texts.collect::<Vec<_>>().join("\n")
}
