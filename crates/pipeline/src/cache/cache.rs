//! The kept replies and the loads under way, together.

use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    sync::Arc,
    time::Duration,
};

use callgate_model::{Call, Deadline, Fault, Kind, Outlet, Reply, Sharing, ToolReply};
use futures_util::FutureExt as _;
use prometheus_client::registry::Registry;
use tokio::time::timeout_at;
use tracing::warn;

use super::{
    config::Config,
    flights::{Boarded, Flight, Flights},
    key::Key,
    marks::{Generations, Mark, Stamp},
    meters::{self, Meters},
    shelf::{Age, Copy, Shelf},
    terms::Kept,
};
use crate::{
    gate::Running,
    layer::{Next, Rest},
    subject::subject,
};

/// How often a call joins others before it gives their failure as its own.
const ROUNDS: usize = 3;

/// The kept replies of a gate.
pub(super) struct Cache {
    pub(super) shelf: Shelf,
    pub(super) flights: Arc<Flights<Landed>>,
    generations: Generations,
    meters: Meters,
    waiting: usize,
    running: Arc<Running>,
}

/// What a flight brought.
#[derive(Clone)]
pub(super) enum Landed {
    /// A reply or a fault.
    Brought(Arc<Result<Reply, Fault>>),
    /// A panic, which is everybody's who waited for it.
    Panicked,
}

/// What one who waited does with what another's call brought.
enum Share {
    /// It is as good for me.
    Take,
    /// It is not for me; I ask for myself.
    Alone,
    /// The other ran out of time, and I have not.
    Again,
}

impl Cache {
    pub(super) fn open(config: &Config, running: &Arc<Running>, registry: &mut Registry) -> Arc<Self> {
        let cache = Arc::new(Self {
            shelf: Shelf::new(config),
            flights: Arc::default(),
            generations: Generations::default(),
            meters: Meters::new(registry),
            waiting: config.waiting,
            running: running.clone(),
        });
        meters::watch(&cache, registry);
        cache
    }

    /// The copy for `key`, if there is one that may be served.
    pub(super) fn find(&self, key: &Key) -> Option<(Arc<Copy>, Age)> {
        let found = self.shelf.find(key, &self.generations)?;
        match found.1 {
            Age::Fresh => self.meters.l1.inc(),
            Age::Stale => self.meters.stale.inc(),
        };
        Some(found)
    }

    /// What hangs on these marks is stale from now on.
    pub(super) fn invalidate(&self, marks: &[Mark]) {
        for mark in marks {
            self.generations.advance(mark);
            self.meters.invalidated.inc();
        }
    }

    /// Fetches the reply, together with whoever else wants it.
    pub(super) async fn fetch(self: &Arc<Self>, kept: &Kept, key: Key, call: &Call, next: Next<'_>) -> Result<Reply, Fault> {
        let Some(marks) = kept.marks(call) else { return next.run(call).await };
        let until = next.ticket().answer_by;
        for _ in 0..ROUNDS {
            let flight = match self.board(kept, key, &marks, call, || next.keep()) {
                Boarded::Landed(copy) => {
                    self.meters.l1.inc();
                    return Ok(copy.reply.clone().into());
                }
                Boarded::First(flight) => {
                    self.meters.missed.inc();
                    return unwrap(wait(flight, until).await?);
                }
                Boarded::Joined(flight) => flight,
            };
            let Some(_seat) = self.flights.seat(self.waiting) else {
                return Err(Fault::overloaded("this tool", Duration::from_secs(1)));
            };
            let landed = wait(flight, until).await?;
            match share(&landed, kept.shared) {
                Share::Take => {
                    self.meters.flight.inc();
                    return unwrap(landed);
                }
                Share::Alone => break,
                Share::Again => {}
            }
        }
        self.meters.missed.inc();
        next.run(call).await
    }

    /// Fetches a new reply while the old one is served; once, however many ask.
    pub(super) fn refresh(self: &Arc<Self>, kept: &Kept, key: Key, call: &Call, rest: Rest) {
        let Some(marks) = kept.marks(call).filter(|_| !self.running.is_closing()) else { return };
        let until = Deadline::after(rest.answer_by().span());
        let mut own = call.clone();
        own.deadline = until;
        let Boarded::First(flight) = self.board(kept, key, &marks, &own, || rest.by(until)) else { return };
        let running = self.running.clone();
        tokio::spawn(async move {
            let _under_way = running.enter();
            let landed = tokio::select! {
                biased;
                () = running.cancelled() => return,
                landed = flight => landed,
            };
            if let Landed::Brought(result) = landed
                && let Err(fault) = result.as_ref()
            {
                warn!(request = %own.request, tool = subject(&own), error = fault.chain(), "a kept reply could not be refreshed: {fault}");
            }
        });
    }

    fn board(
        self: &Arc<Self>,
        kept: &Kept,
        key: Key,
        marks: &[Mark],
        call: &Call,
        rest: impl FnOnce() -> Rest,
    ) -> Boarded<Landed, Arc<Copy>> {
        let stamp = self.generations.stamp(marks);
        let landed = || self.shelf.find(&key, &self.generations).filter(|(_, age)| *age == Age::Fresh).map(|(copy, _)| copy);
        let load = || {
            // Nobody's slow reader may hold up the others, so a shared load reports to nobody.
            let call = Call { outlet: Outlet::closed(), ..call.clone() };
            let load = Load { cache: self.clone(), key, stamp: stamp.clone(), ttl: kept.ttl, stale: kept.stale };
            load.run(rest(), call)
        };
        self.flights.board((key, call.depth), &self.generations, &stamp, landed, load)
    }
}

/// One load of a reply.
struct Load {
    cache: Arc<Cache>,
    key: Key,
    stamp: Stamp,
    ttl: Duration,
    stale: Duration,
}

impl Load {
    /// Lets the call go on and keeps what comes of it.
    async fn run(self, rest: Rest, call: Call) -> Landed {
        // Unwind safety: the call's own state is dropped, and what calls share is behind locks and atomics.
        let Ok(result) = AssertUnwindSafe(rest.run(&call)).catch_unwind().await else { return Landed::Panicked };
        if let Ok(Reply::Tool(reply)) = &result
            && is_whole(reply)
            && self.cache.generations.is_current(&self.stamp)
        {
            self.cache.shelf.keep(self.key, reply, self.stamp, self.ttl, self.stale);
        }
        Landed::Brought(Arc::new(result))
    }
}

/// The tool did what it should, and nothing is left out.
fn is_whole(reply: &ToolReply) -> bool {
    !reply.is_error && !reply.partial
}

/// Waits for the flight, but no longer than the call has time.
async fn wait(flight: Flight<Landed>, until: Deadline) -> Result<Landed, Fault> {
    timeout_at(until.at(), flight).await.map_err(|_| Fault::timeout(until.span()))
}

fn unwrap(landed: Landed) -> Result<Reply, Fault> {
    match landed {
        Landed::Brought(result) => Arc::unwrap_or_clone(result),
        // The hook has said where it happened; `catch` counts it for each call.
        Landed::Panicked => resume_unwind(Box::new("the load of a reply panicked")),
    }
}

fn share(landed: &Landed, shared: Sharing) -> Share {
    let Landed::Brought(result) = landed else { return Share::Take };
    match result.as_ref() {
        // A cursor in a list is good for one caller only.
        Ok(Reply::Tool(reply)) if !reply.partial || shared == Sharing::Caller => Share::Take,
        // A question is for the client that can answer it.
        Ok(_) => Share::Alone,
        Err(fault) => match fault.kind() {
            Kind::Timeout | Kind::Cancelled => Share::Again,
            Kind::Capability(_) => Share::Alone,
            _ => Share::Take,
        },
    }
}
