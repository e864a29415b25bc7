//! The layer.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use callgate_model::{BackendName, Call, Catalog, Fault, Reply};
use prometheus_client::encoding::EncodeLabelSet;

use super::room::{Patience, Room};
use crate::{
    Error,
    gate::Running,
    layer::{Layer, Next, Opening},
    metrics::{Figure, Gauges},
};

struct Bulkhead {
    tools: Vec<Room>,
    backends: Arc<Backends>,
    patience: Patience,
    running: Arc<Running>,
}

type Backends = HashMap<BackendName, Room>;

pub(crate) fn open(opening: &mut Opening<'_>) -> Result<Box<dyn Layer>, Error> {
    let config = &opening.settings.calls.bulkhead;
    let tools = opening.catalog.tools().iter().map(|item| Room::new(item.offer.concurrency.unwrap_or(config.tool))).collect();
    let names = backends_of(opening.catalog);
    let backends: Arc<Backends> = Arc::new(names.into_iter().map(|name| (name, Room::new(config.backend))).collect());
    let rooms = backends.clone();
    opening.registry.register_collector(Box::new(Gauges(move || figures(&rooms))));
    let patience = Patience { waiting: config.waiting, wait: config.wait.get() };
    Ok(Box::new(Bulkhead { tools, backends, patience, running: opening.running.clone() }))
}

#[async_trait]
impl Layer for Bulkhead {
    async fn call(&self, call: &Call, next: Next<'_>) -> Result<Reply, Fault> {
        let _tool = match next.ticket().tool {
            Some(tool) => Some(self.tools[tool].enter(call, "this tool", self.patience, &self.running).await?),
            None => None,
        };
        let room = call.found.backend().and_then(|(name, _)| self.backends.get(name));
        let _backend = match room {
            Some(room) => Some(room.enter(call, "the system behind this", self.patience, &self.running).await?),
            None => None,
        };
        next.run(call).await
    }
}

fn backends_of(catalog: &Catalog) -> Vec<BackendName> {
    let tools = catalog.tools().iter().map(|item| &item.backend_name);
    let resources = catalog.resources().iter().map(|item| &item.backend_name);
    let templates = catalog.templates().iter().map(|item| &item.backend_name);
    let prompts = catalog.prompts().iter().map(|item| &item.backend_name);
    tools.chain(resources).chain(templates).chain(prompts).cloned().collect()
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    backend: String,
}

#[expect(clippy::cast_precision_loss, reason = "there are fewer than 2^52 calls at once")]
fn figures(rooms: &Backends) -> Vec<Figure<Labels>> {
    let values = |count: fn(&Room) -> usize| {
        let mut names: Vec<_> = rooms.keys().collect();
        names.sort();
        names.into_iter().map(|name| (Some(Labels { backend: name.to_string() }), count(&rooms[name]) as f64)).collect()
    };
    vec![
        Figure { name: "mcp_bulkhead_running", help: "Calls that have a place, by backend", values: values(Room::taken) },
        Figure { name: "mcp_bulkhead_waiting", help: "Calls that wait for a place, by backend", values: values(Room::waiting) },
    ]
}
