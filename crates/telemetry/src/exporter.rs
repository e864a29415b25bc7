//! Samples calls and takes their spans: the side that calls see. It never waits.

use std::{
    collections::BTreeMap,
    fmt,
    path::Path,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use aws_lc_rs::rand;
use callgate_egress::{Client, Error};
use callgate_model::{Beginning, Clock, Collect, Note, Origin, Span, Spans, Step, Tally, Trace, TraceParent, Traces, is_tracestate};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::{TracesConfig, deliver::Deliver, otlp, sampler::Sampler, task::Task};

/// What an exporter is opened from.
pub struct Opening<'a> {
    /// What the operator wrote.
    pub config: &'a TracesConfig,
    /// Where the gate may call.
    pub egress: &'a callgate_egress::Config,
    /// What paths are relative to.
    pub folder: &'a Path,
    /// The gate's name.
    pub name: &'a str,
    /// The gate's version.
    pub version: &'a str,
    /// Wall-clock time.
    pub clock: Clock,
}

/// Traces of calls on their way to a collector. What sends them starts with the first one and ends when the last part of this is gone.
pub struct Exporter {
    sampler: Sampler,
    callers: bool,
    most: u16,
    clock: Clock,
    funnel: Arc<Funnel>,
    idle: Mutex<Option<Task>>,
    started: OnceLock<()>,
}

/// Where the spans of calls go.
pub(crate) struct Funnel {
    queue: mpsc::Sender<Item>,
    counts: Arc<Counts>,
    /// How many bytes may wait, about.
    memory: u64,
}

/// What waits to be sent.
pub(crate) enum Item {
    /// The spans of a call.
    Spans(Spans),
    /// Somebody wants to know when everything before is sent, or cannot be.
    Flush(oneshot::Sender<()>),
}

/// What both sides know.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) exported: AtomicU64,
    pub(crate) full: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) away: AtomicU64,
    /// Traces that wait or are being sent, and how many bytes they have, about.
    pub(crate) waiting: AtomicU64,
    pub(crate) bytes: AtomicU64,
    /// Somebody waits for a flush, so that nothing is left alone for a while.
    pub(crate) hurried: AtomicBool,
    pub(crate) hurry: Notify,
}

impl Exporter {
    /// Opens what the operator wrote. Connects to nothing and starts nothing.
    pub fn open(opening: &Opening<'_>) -> Result<Arc<Self>, Error> {
        let Opening { config, egress, folder, name, version, clock } = opening;
        let client = Client::new(egress, folder)?;
        let counts = Arc::new(Counts::default());
        let (queue, waiting) = mpsc::channel(config.queue);
        let deliver = Deliver::new(config, client, counts.clone())?;
        let resource = otlp::resource(&attributes(config, name, version));
        let task = Task::new(config, waiting, deliver, counts.clone(), resource);
        Ok(Arc::new(Self {
            sampler: Sampler { ratio: config.ratio, follow: config.follow },
            callers: config.callers,
            most: config.spans,
            clock: *clock,
            funnel: Arc::new(Funnel { queue, counts, memory: config.memory.0 }),
            idle: Mutex::new(Some(task)),
            started: OnceLock::new(),
        }))
    }

    /// Somebody waits for a flush.
    #[cfg(test)]
    pub(crate) fn is_hurried(&self) -> bool {
        self.funnel.counts.hurried.load(Ordering::Acquire)
    }

    /// Starts what sends, once.
    fn start(&self) {
        self.started.get_or_init(|| {
            let task = self.idle.lock().unwrap_or_else(PoisonError::into_inner).take();
            task.map(|task| tokio::spawn(task.run()));
        });
    }
}

/// What is said about the gate: the operator's word counts most.
fn attributes(config: &TracesConfig, name: &str, version: &str) -> BTreeMap<String, String> {
    let mut id = [0; 8];
    rand::fill(&mut id).expect("the system's random numbers do not run out");
    let own = [
        ("service.name", config.service.clone().unwrap_or_else(|| name.to_owned())),
        ("service.version", version.to_owned()),
        ("service.instance.id", format!("{:016x}", u64::from_be_bytes(id))),
        ("telemetry.sdk.name", "callgate".to_owned()),
        ("telemetry.sdk.language", "rust".to_owned()),
        ("telemetry.sdk.version", env!("CARGO_PKG_VERSION").to_owned()),
    ];
    own.map(|(key, value)| (key.to_owned(), value)).into_iter().chain(config.resource.iter().cloned()).collect()
}

#[async_trait]
impl Traces for Exporter {
    fn begin(&self, origin: &Origin) -> Option<Step> {
        let parent = origin.traceparent.as_deref().and_then(TraceParent::parse);
        let mut random = [0; 24];
        rand::fill(&mut random).expect("the system's random numbers do not run out");
        let (own, ids) = random.split_at(16);
        let number = |bytes: &[u8]| bytes.iter().fold(0, |number: u128, byte| number << 8 | u128::from(*byte));
        let (own, ids) = (number(own), u64::try_from(number(ids)).unwrap_or(u64::MAX));
        if !self.sampler.takes(parent, (own >> 64) as u64) {
            return None;
        }
        self.start();
        let state = origin.tracestate.as_deref().filter(|state| parent.is_some() && is_tracestate(state));
        Some(Trace::begin(Beginning {
            trace: parent.map_or_else(|| own.max(1), |parent| parent.trace),
            parent: parent.map(|parent| parent.span),
            state: state.map(Into::into),
            ids,
            at: self.clock.now(),
            most: self.most,
            collector: self.funnel.clone(),
        }))
    }

    fn names_callers(&self) -> bool {
        self.callers
    }

    async fn flush(&self) {
        if self.started.get().is_none() {
            return;
        }
        let counts = &self.funnel.counts;
        let _hurry = Hurry::begin(counts);
        let (done, flushed) = oneshot::channel();
        // A task that is gone has nothing left to send.
        if self.funnel.queue.send(Item::Flush(done)).await.is_ok() {
            let _ = flushed.await;
        }
    }

    fn tally(&self) -> Tally {
        let counts = &self.funnel.counts;
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Tally {
            exported: count(&counts.exported),
            dropped: vec![("queue_full", count(&counts.full)), ("refused", count(&counts.refused)), ("unreachable", count(&counts.away))],
            waiting: count(&counts.waiting),
        }
    }
}

impl Collect for Funnel {
    fn collect(&self, spans: Spans) {
        let (counts, bytes) = (&self.counts, weight(&spans));
        // Taken before it is looked at, so that many at once do not find the same room.
        let taken = counts.bytes.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        counts.waiting.fetch_add(1, Ordering::Relaxed);
        if taken > self.memory || self.queue.try_send(Item::Spans(spans)).is_err() {
            counts.gone(1, bytes);
            counts.full.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Counts {
    /// So many traces of so many bytes do not wait any more.
    pub(crate) fn gone(&self, traces: u64, bytes: u64) {
        self.waiting.fetch_sub(traces, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// What the spans of a call take in memory, about.
pub(crate) fn weight(spans: &Spans) -> u64 {
    let note = |(_, note): &(&str, Note)| match note {
        Note::Text(text) => text.len(),
        Note::Number(_) => 0,
    };
    let one = |span: &Span| {
        size_of::<Span>() + span.name.len() + span.notes.capacity() * size_of::<(&str, Note)>() + span.notes.iter().map(note).sum::<usize>()
    };
    let all: usize = spans.spans.iter().map(one).sum();
    (size_of::<Spans>() + spans.state.as_ref().map_or(0, String::len) + all) as u64
}

/// As long as it lives, nothing is left alone for a while; whoever waits for a flush may leave before its end.
struct Hurry<'c>(&'c Counts);

impl<'c> Hurry<'c> {
    fn begin(counts: &'c Counts) -> Self {
        counts.hurried.store(true, Ordering::Release);
        counts.hurry.notify_one();
        Self(counts)
    }
}

impl Drop for Hurry<'_> {
    fn drop(&mut self) {
        self.0.hurried.store(false, Ordering::Release);
    }
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporter").field("sampler", &self.sampler).field("tally", &self.tally()).finish_non_exhaustive()
    }
}
