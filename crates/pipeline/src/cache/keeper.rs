//! The kept replies and the loads under way, together.

use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use callgate_model::{Call, Deadline, Fault, Kind, Outlet, Reply, Sharing, ToolReply};
use callgate_store::shared::{Notice, Subscription};
use futures_util::FutureExt as _;
use tokio::{task::AbortHandle, time::timeout_at};
use tracing::warn;

use super::{
    annex::{Annex, Found},
    flights::{Boarded, Flight, Flights},
    key::Key,
    layer::CACHE,
    marks::{Generations, Mark, Stamp, What},
    meters::{self, Meters},
    shelf::{Age, Copy, Shelf},
    terms::Kept,
};
use crate::{
    gate::Running,
    layer::{Next, Opening, Rest},
    subject::subject,
};

/// How often a call joins others before it gives their failure as its own.
const ROUNDS: usize = 3;

/// The kept replies of a gate.
pub(super) struct Cache {
    pub(super) shelf: Shelf,
    pub(super) flights: Arc<Flights<Landed>>,
    generations: Generations,
    annex: Arc<Annex>,
    /// What other replicas say, until somebody listens.
    unheard: Mutex<Option<Subscription>>,
    listening: Mutex<Option<AbortHandle>>,
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
    pub(super) fn open(opening: &mut Opening<'_>) -> Arc<Self> {
        let config = &opening.settings.cache;
        let annex = Arc::new(Annex::new(config.secret.as_ref(), opening.shared, opening.clock));
        let cache = Arc::new(Self {
            shelf: Shelf::new(config),
            flights: Arc::default(),
            generations: Generations::default(),
            // Before anything is kept, so that nothing is missed.
            unheard: Mutex::new(Some(annex.subscribe())),
            listening: Mutex::default(),
            annex,
            meters: Meters::new(opening.registry),
            waiting: config.waiting,
            running: opening.running.clone(),
        });
        meters::watch(&cache, opening.registry);
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

    /// What hangs on these marks is stale from now on, here.
    pub(super) fn advance(&self, marks: &[Mark]) {
        marks.iter().for_each(|mark| self.generations.advance(mark));
    }

    /// What hangs on these marks is stale, here and wherever replies are shared, when this returns; and the other replicas are told.
    pub(super) async fn invalidate(&self, marks: &[Mark]) {
        self.meters.invalidated.inc_by(marks.len() as u64);
        self.advance(marks);
        if self.annex.is_used() {
            self.annex.draw(marks).await;
            // Once more: what was read from the shared storage just before is stale too.
            self.advance(marks);
        }
        self.annex.tell(marks).await;
    }

    /// Hears what other replicas make stale, from the first reply that is kept. Without any there is nothing to be stale.
    fn listen(self: &Arc<Self>) {
        let unheard = self.unheard.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(unheard) = unheard {
            let listening = tokio::spawn(hear(Arc::downgrade(self), unheard)).abort_handle();
            *self.listening.lock().unwrap_or_else(PoisonError::into_inner) = Some(listening);
        }
    }

    async fn heed(&self, notice: Notice) {
        match notice {
            Notice::Message(message) => self.advance(&self.annex.heard(&message).unwrap_or_default()),
            // Nobody knows what was said meanwhile.
            Notice::Missed => {
                self.advance(&[Mark::of(What::Everything, None)]);
                self.shelf.clear();
                self.annex.settle().await;
            }
        }
    }

    /// Fetches the reply, together with whoever else wants it.
    pub(super) async fn fetch(self: &Arc<Self>, kept: &Kept, key: Key, call: &Call, next: Next<'_>) -> Result<Reply, Fault> {
        let Some(marks) = kept.marks(call) else { return next.run(call).await };
        self.listen();
        let until = next.ticket().answer_by;
        for _ in 0..ROUNDS {
            let flight = match self.board(kept, key, &marks, call, || next.keep()) {
                Boarded::Landed(copy) => {
                    self.meters.l1.inc();
                    next.note(CACHE, "hit");
                    return Ok(copy.reply.clone().into());
                }
                Boarded::First(flight) => {
                    next.note(CACHE, "miss");
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
                    next.note(CACHE, "joined");
                    return unwrap(landed);
                }
                Share::Alone => break,
                Share::Again => {}
            }
        }
        self.meters.missed.inc();
        next.note(CACHE, "miss");
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
            let load = Load { cache: self.clone(), key, marks: marks.to_vec(), stamp: stamp.clone(), ttl: kept.ttl, stale: kept.stale };
            load.run(rest(), call)
        };
        self.flights.board((key, call.depth), &self.generations, &stamp, landed, load)
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        let listening = self.listening.get_mut().unwrap_or_else(PoisonError::into_inner);
        listening.take().iter().for_each(AbortHandle::abort);
    }
}

async fn hear(cache: Weak<Cache>, mut subscription: Subscription) {
    loop {
        let notice = subscription.next().await;
        let Some(cache) = cache.upgrade() else { return };
        cache.heed(notice).await;
    }
}

/// One load of a reply.
struct Load {
    cache: Arc<Cache>,
    key: Key,
    marks: Vec<Mark>,
    stamp: Stamp,
    ttl: Duration,
    stale: Duration,
}

impl Load {
    /// Takes what another replica has fetched, or lets the call go on and keeps what comes of it.
    async fn run(self, rest: Rest, call: Call) -> Landed {
        let tokens = match self.cache.annex.find(&self.key, &self.marks, self.ttl).await {
            Found::Reply(reply, left) => {
                self.cache.meters.l2.inc();
                rest.note(CACHE, "shared");
                self.keep(&reply, left);
                return Landed::Brought(Arc::new(Ok(reply.into())));
            }
            Found::Nothing(tokens) => Some(tokens),
            Found::Forged(tokens) => {
                self.cache.meters.forged.inc();
                warn!(tool = subject(&call), "a shared reply did not open: it was changed, moved, or made with another secret");
                Some(tokens)
            }
            Found::Unasked => None,
        };
        if tokens.is_some() {
            self.cache.meters.missed_l2.inc();
        }
        // Unwind safety: the call's own state is dropped, and what calls share is behind locks and atomics.
        let Ok(result) = AssertUnwindSafe(rest.run(&call)).catch_unwind().await else { return Landed::Panicked };
        if let Ok(Reply::Tool(reply)) = &result
            && is_whole(reply)
            && self.cache.shelf.fits(reply)
        {
            self.keep(reply, self.ttl);
            if let Some(tokens) = tokens {
                self.share(reply.clone(), tokens);
            }
        }
        Landed::Brought(Arc::new(result))
    }

    fn keep(&self, reply: &ToolReply, ttl: Duration) {
        if self.cache.generations.is_current(&self.stamp) {
            self.cache.shelf.keep(self.key, reply, self.stamp.clone(), ttl, self.stale);
        }
    }

    /// Keeps the reply for all replicas. Nobody waits for it: it takes a moment, and never long.
    fn share(&self, reply: ToolReply, tokens: Vec<u64>) {
        let (annex, key, ttl) = (self.cache.annex.clone(), self.key, self.ttl);
        tokio::spawn(async move { annex.keep(&key, &reply, tokens, ttl).await });
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
