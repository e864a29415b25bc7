//! The layer.

use std::time::Duration;

use async_trait::async_trait;
use callgate_model::{Call, Content, Effect, Fallback as Wanted, Fault, Json, Kind, Reply, ToolReply};
use prometheus_client::{
    encoding::{EncodeLabelSet, NoLabelSet},
    metrics::{counter::Counter, family::Family},
};
use serde_json::json;
use tracing::warn;

use super::{kept::Kept, key};
use crate::{
    Error,
    layer::{Layer, Next, Opening},
    metrics::{Figure, Gauges, Subject},
    sparing::{Sparing, Told},
    subject::subject,
};

struct Fallback {
    tools: Vec<Option<Tool>>,
    kept: Kept,
}

struct Tool {
    wanted: Wanted,
    used: Counter,
    log: Sparing,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    tool_name: Subject,
    fallback: &'static str,
}

pub(crate) fn open(opening: &mut Opening<'_>) -> Result<Box<dyn Layer>, Error> {
    let used = Family::<Labels, Counter>::default();
    opening.registry.register("mcp_fallbacks", "Calls answered in place of a backend that was away", used.clone());
    let logged = opening.settings.calls.logged;
    let kept = Kept::new(opening.settings.calls.fallback.keep.bytes());
    let seen = kept.clone();
    opening.registry.register_collector(Box::new(Gauges(move || figures(&seen))));
    let tool = |tool: &callgate_model::Tool| {
        let wanted = tool.terms.fallback.clone().filter(|_| tool.effect == Effect::Read)?;
        let fallback = if matches!(wanted, Wanted::Stale(_)) { "stale" } else { "reply" };
        let log = Sparing::new(logged);
        Some(Tool { wanted, log, used: used.get_or_create_owned(&Labels { tool_name: Subject::Tool(tool.name.clone()), fallback }) })
    };
    let tools = opening.catalog.tools().iter().map(|item| tool(&item.offer)).collect();
    Ok(Box::new(Fallback { tools, kept }))
}

#[async_trait]
impl Layer for Fallback {
    fn concerns(&self, tool: Option<usize>) -> bool {
        tool.is_some_and(|tool| self.tools[tool].is_some())
    }

    async fn call(&self, call: &Call, next: Next<'_>) -> Result<Reply, Fault> {
        let index = next.ticket().tool;
        let Some((index, tool)) = index.and_then(|index| Some((index, self.tools[index].as_ref()?))) else { return next.run(call).await };
        let result = next.run(call).await;
        let answer = match (&tool.wanted, &result) {
            (Wanted::Stale(_), Ok(Reply::Tool(reply))) if !reply.is_error => {
                self.kept.keep(key::key(call, index), reply);
                return result;
            }
            (Wanted::Stale(oldest), Err(fault)) if is_away(fault) => {
                self.kept.get(&key::key(call, index), *oldest).map(|(reply, age)| stale(&reply, age))
            }
            (Wanted::Reply(json), Err(fault)) if is_away(fault) => Some(fixed(json)),
            _ => None,
        };
        let (Some(answer), Err(fault)) = (answer, &result) else { return result };
        tool.used.inc();
        next.note("callgate.fallback", if matches!(tool.wanted, Wanted::Stale(_)) { "stale" } else { "reply" });
        let Told { itself, untold } = tool.log.ask();
        if let Some(calls) = untold {
            warn!(tool = subject(call), calls, "more were answered by the fallback, which are not logged one by one");
        }
        if itself {
            let kind = fault.kind().code();
            warn!(request = %call.request, tool = subject(call), kind, error = fault.chain(), "answered by the fallback");
        }
        Ok(answer.into())
    }
}

/// The backend did not answer, for a reason that has nothing to do with the question.
fn is_away(fault: &Fault) -> bool {
    matches!(fault.kind(), Kind::Unavailable { .. } | Kind::Timeout | Kind::Overloaded { .. })
}

/// An answer from before, marked as one.
fn stale(reply: &ToolReply, age: Duration) -> ToolReply {
    let seconds = age.as_secs();
    let meta = json!({ "callgate/fallback": "stale", "callgate/age": seconds });
    let note = format!("This answer is {seconds} s old: the system behind does not answer just now.");
    marked(reply.clone(), &note, &meta)
}

/// The answer that the operator wrote, marked as one.
fn fixed(json: &Json) -> ToolReply {
    let note = "This is a stand-in: the system behind does not answer just now.";
    marked(ToolReply::structured(json.clone()), note, &json!({ "callgate/fallback": "reply" }))
}

fn marked(mut reply: ToolReply, note: &str, meta: &serde_json::Value) -> ToolReply {
    // Beside a content of its own, the text of the structured one is not shown any more.
    if reply.content.is_empty() {
        reply.content.extend(reply.structured.as_ref().map(|json| Content::text(json.as_str())));
    }
    reply.content.push(Content::text(note));
    let own = reply.meta.as_ref().and_then(|own| serde_json::from_str::<serde_json::Value>(own.as_str()).ok());
    let mut all = own.unwrap_or_else(|| json!({}));
    if let (Some(all), Some(meta)) = (all.as_object_mut(), meta.as_object()) {
        all.extend(meta.clone());
    }
    reply.meta = Some(Json::of(&all));
    reply
}

#[expect(clippy::cast_precision_loss, reason = "there are fewer than 2^52 bytes")]
fn figures(kept: &Kept) -> Vec<Figure<NoLabelSet>> {
    let values = vec![(None, kept.bytes() as f64)];
    vec![Figure { name: "mcp_fallback_kept_bytes", help: "Memory that last good answers take", values }]
}
