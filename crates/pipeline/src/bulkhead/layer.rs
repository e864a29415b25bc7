//! The layer.

use std::sync::Arc;

use async_trait::async_trait;
use callgate_model::{BackendName, Call, Fault, Reply, ToolName};
use prometheus_client::encoding::EncodeLabelSet;

use super::{config::Bounds, room::Room};
use crate::{
    Error,
    gate::Running,
    layer::{Layer, Next, Opening, Tenants},
    metrics::{BackendLabels, Figure, Gauges, Subject, ToolLabels},
};

struct Bulkhead {
    tools: Arc<[(ToolName, Room)]>,
    backends: Arc<[(BackendName, Room)]>,
    running: Arc<Running>,
}

pub(crate) fn open(opening: &mut Opening<'_>) -> Result<Box<dyn Layer>, Error> {
    let calls = &opening.settings.calls;
    let tenants = opening.tenants;
    let room = move |bounds: Bounds| Room::new(if tenants == Tenants::Many { bounds } else { bounds.unshared() });
    let tool = |tool: &callgate_model::Tool| (tool.name.clone(), room(calls.bulkhead.of_tool(tool.concurrency)));
    let backend = |name: &BackendName| {
        let own = calls.backends.get(name.as_str()).map(|own| own.bulkhead.clone()).unwrap_or_default();
        (name.clone(), room(calls.bulkhead.of_backend(&own)))
    };
    let tools: Arc<[_]> = opening.catalog.tools().iter().map(|item| tool(&item.offer)).collect();
    let backends: Arc<[_]> = opening.backends.iter().map(backend).collect();
    let (by_tool, by_backend) = (tools.clone(), backends.clone());
    opening.registry.register_collector(Box::new(Gauges(move || of_backends(&by_backend))));
    opening.registry.register_collector(Box::new(Gauges(move || of_tools(&by_tool))));
    Ok(Box::new(Bulkhead { tools, backends, running: opening.running.clone() }))
}

#[async_trait]
impl Layer for Bulkhead {
    async fn call(&self, call: &Call, next: Next<'_>) -> Result<Reply, Fault> {
        let ticket = next.ticket();
        let _tool = match ticket.tool {
            Some(tool) => Some(self.tools[tool].1.enter(call, "this tool", &self.running).await?),
            None => None,
        };
        let _backend = match ticket.backend {
            Some(backend) => Some(self.backends[backend].1.enter(call, "the system behind this", &self.running).await?),
            None => None,
        };
        next.run(call).await
    }
}

fn of_backends(rooms: &[(BackendName, Room)]) -> Vec<Figure<BackendLabels>> {
    let (running, waiting) = ("mcp_bulkhead_running", "mcp_bulkhead_waiting");
    vec![
        Figure { name: running, help: "Calls that have a place, by backend", values: values(rooms, BackendLabels::of, Room::taken) },
        Figure { name: waiting, help: "Calls that wait for a place, by backend", values: values(rooms, BackendLabels::of, Room::waiting) },
    ]
}

fn of_tools(rooms: &[(ToolName, Room)]) -> Vec<Figure<ToolLabels>> {
    let labels = |name: &ToolName| ToolLabels { tool_name: Subject::Tool(name.clone()) };
    let help = "Calls that wait for a place, by tool";
    vec![Figure { name: "mcp_bulkhead_tool_waiting", help, values: values(rooms, labels, Room::waiting) }]
}

#[expect(clippy::cast_precision_loss, reason = "there are fewer than 2^52 calls at once")]
fn values<N, L: EncodeLabelSet>(rooms: &[(N, Room)], labels: fn(&N) -> L, count: fn(&Room) -> usize) -> Vec<(Option<L>, f64)> {
    rooms.iter().map(|(name, room)| (Some(labels(name)), count(room) as f64)).collect()
}
