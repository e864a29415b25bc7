//! The layer.

use async_trait::async_trait;
use callgate_model::{Call, Deadline as Moment, Effect, Fault, Kind, Reply};
use prometheus_client::metrics::{counter::Counter, family::Family};
use tokio::time::timeout_at;
use tracing::warn;

use crate::{
    Error,
    layer::{Layer, Next, Opening, Ticket},
    metrics::{Subject, ToolLabels},
    sparing::{Sparing, Told},
    subject::subject,
};

struct Deadline {
    tools: Vec<Counters>,
    /// For what is no tool.
    content: Sparing,
}

struct Counters {
    timeouts: Counter,
    near: Counter,
    log: Sparing,
}

pub(crate) fn open(opening: &mut Opening<'_>) -> Result<Box<dyn Layer>, Error> {
    let timeouts = Family::<ToolLabels, Counter>::default();
    let near = Family::<ToolLabels, Counter>::default();
    opening.registry.register("mcp_timeouts", "Calls of tools that ran into their deadline", timeouts.clone());
    opening.registry.register("mcp_deadline_warnings", "Calls of tools that took more than 80 % of their time", near.clone());
    let logged = opening.settings.calls.logged;
    let counters = |name| {
        let labels = ToolLabels { tool_name: Subject::Tool(name) };
        Counters { timeouts: timeouts.get_or_create_owned(&labels), near: near.get_or_create_owned(&labels), log: Sparing::new(logged) }
    };
    let tools = opening.catalog.tools().iter().map(|item| counters(item.offer.name.clone())).collect();
    Ok(Box::new(Deadline { tools, content: Sparing::new(logged) }))
}

#[async_trait]
impl Layer for Deadline {
    async fn call(&self, call: &Call, next: Next<'_>) -> Result<Reply, Fault> {
        let ticket = next.ticket();
        if call.deadline.left().is_zero() {
            // Waiting for a place used it up. Nothing was begun, so even for a write this is a plain timeout.
            self.timed_out(ticket.tool);
            return Err(Fault::timeout(ticket.answer_by.span()));
        }
        let Ok(result) = timeout_at(ticket.answer_by.at(), next.run(call)).await else {
            self.timed_out(ticket.tool);
            return Err(cut_off(call, ticket.answer_by));
        };
        if matches!(&result, Err(fault) if *fault.kind() == Kind::Timeout) {
            self.timed_out(ticket.tool);
        } else if is_near(ticket.answer_by) {
            self.was_near(call, ticket);
        }
        result
    }
}

impl Deadline {
    fn timed_out(&self, tool: Option<usize>) {
        if let Some(counters) = tool.map(|tool| &self.tools[tool]) {
            counters.timeouts.inc();
        }
    }

    fn was_near(&self, call: &Call, ticket: &Ticket) {
        let counters = ticket.tool.map(|tool| &self.tools[tool]);
        if let Some(counters) = counters {
            counters.near.inc();
        }
        let Told { itself, untold } = counters.map_or(&self.content, |counters| &counters.log).ask();
        if let Some(calls) = untold {
            warn!(tool = subject(call), calls, "more calls took more than 80 % of their time, which are not logged one by one");
        }
        if itself {
            let left = ticket.answer_by.left();
            warn!(request = %call.request, tool = subject(call), ?left, "the call took more than 80 % of its time");
        }
    }
}

/// More than 80 % of the time is used up.
fn is_near(deadline: Moment) -> bool {
    deadline.left() * 5 < deadline.span()
}

fn cut_off(call: &Call, deadline: Moment) -> Fault {
    let writes = call.found.tool().is_some_and(|tool| tool.effect != Effect::Read);
    let span = deadline.span();
    if writes {
        Fault::unclear(format!("no answer within {span:?}, and the change may or may not have been made: look before you try again"))
    } else {
        Fault::timeout(span)
    }
}
