//! What replicas share of the cache: replies, and the news that something is stale.
//!
//! Beside each kept reply stand the tokens of its marks, read before its loading began; a token is a number that was drawn at random.
//! Whatever makes a mark stale draws a new token for it, so that replies with the old one are no longer taken, wherever they lie and
//! whenever they were put there. A token that is lost is drawn anew, which makes stale and never brings back.
//!
//! Nothing here is needed: while the storage is away, each replica goes on by itself. A change that could not be told makes this
//! replica take no shared reply until it has told everybody that everything is stale.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::rand;
use bytes::Bytes;
use callgate_config::Secret;
use callgate_model::{Clock, ToolReply};
use callgate_store::shared::{Away, Shared, Subscription};
use futures_util::future::{join, join_all, try_join_all};

use super::{
    key::Key,
    marks::{Mark, What},
    pressed::{Press, Pressed},
};

/// The channel on which replicas tell each other what is stale.
const CHANNEL: &str = "cache";

/// How long a token is remembered. When it is forgotten, what hangs on it is stale.
const TOKENS: Duration = Duration::from_secs(24 * 3600);

const SENDER: usize = 8;

/// This replica's side of what is shared.
#[derive(Debug)]
pub(super) struct Annex {
    shared: Arc<dyn Shared>,
    press: Option<Press>,
    clock: Clock,
    me: [u8; SENDER],
    /// A change could not be told.
    owing: AtomicBool,
}

/// What was found in the shared storage.
pub(super) enum Found {
    /// A reply, and how long it is still fresh.
    Reply(ToolReply, Duration),
    /// Nothing; what is fetched now may be kept with these tokens.
    Nothing(Vec<u64>),
    /// Something that nobody with the secret had put there.
    Forged(Vec<u64>),
    /// The storage is not used, or is away.
    Unasked,
}

impl Annex {
    pub(super) fn new(secret: Option<&Secret>, shared: &Arc<dyn Shared>, clock: Clock) -> Self {
        let press = secret.map(|secret| Press::new(secret.expose()));
        Self { shared: shared.clone(), press, clock, me: drawn().to_be_bytes(), owing: AtomicBool::new(false) }
    }

    /// Replies are kept in the shared storage.
    pub(super) fn is_used(&self) -> bool {
        self.press.is_some()
    }

    /// Listens from now on.
    pub(super) fn subscribe(&self) -> Subscription {
        self.shared.subscribe(CHANNEL)
    }

    /// Looks for a reply younger than `ttl`, and reads the tokens of its marks in the same moment.
    pub(super) async fn find(&self, key: &Key, marks: &[Mark], ttl: Duration) -> Found {
        let Some(press) = &self.press else { return Found::Unasked };
        if !self.settle().await {
            return Found::Unasked;
        }
        let name = name(key);
        let (Ok(value), Ok(tokens)) = join(self.shared.get(&name), self.tokens(marks)).await else { return Found::Unasked };
        let Some(value) = value else { return Found::Nothing(tokens) };
        let Some(pressed) = press.open(key, &value) else { return Found::Forged(tokens) };
        let left = ttl.saturating_sub(pressed.age(self.clock.now()));
        if pressed.tokens != tokens || left.is_zero() {
            return Found::Nothing(tokens);
        }
        Found::Reply(pressed.reply(), left)
    }

    /// Keeps a reply for all replicas.
    pub(super) async fn keep(&self, key: &Key, reply: &ToolReply, tokens: Vec<u64>, ttl: Duration) {
        let Some(press) = &self.press else { return };
        let closed = Pressed::of(reply, tokens, self.clock.now()).and_then(|pressed| press.close(key, &pressed));
        if let Some(closed) = closed {
            // Not kept is as good as forgotten.
            let _ = self.shared.put(&name(key), closed.into(), ttl).await;
        }
    }

    /// Makes stale what hangs on these in the shared storage.
    pub(super) async fn draw(&self, marks: &[Mark]) {
        let draw = async |mark: &Mark| self.fresh(&label(mark)).await;
        self.owe_unless(join_all(marks.iter().map(draw)).await.iter().all(Result::is_ok));
    }

    /// Tells all other replicas that these are stale. What is in the shared storage must be stale by then, or they would take it.
    pub(super) async fn tell(&self, marks: &[Mark]) {
        let mut message = self.me.to_vec();
        marks.iter().for_each(|mark| message.extend_from_slice(&mark.0));
        self.owe_unless(self.shared.publish(CHANNEL, message.into()).await.is_ok());
    }

    /// The marks in another replica's message; `None` if it is one's own, or no message.
    pub(super) fn heard(&self, message: &[u8]) -> Option<Vec<Mark>> {
        let (sender, marks) = message.split_first_chunk::<SENDER>()?;
        let (marks, []) = marks.as_chunks::<16>() else { return None };
        (*sender != self.me).then(|| marks.iter().copied().map(Mark).collect())
    }

    /// Tells what is owed, if the storage is there; whether nothing is owed any more.
    pub(super) async fn settle(&self) -> bool {
        if self.owing.swap(false, Ordering::SeqCst) {
            let everything = [Mark::of(What::Everything, None)];
            if self.is_used() {
                self.draw(&everything).await;
            }
            self.tell(&everything).await;
        }
        self.is_settled()
    }

    /// Everything was told.
    pub(super) fn is_settled(&self) -> bool {
        !self.owing.load(Ordering::SeqCst)
    }

    fn owe_unless(&self, told: bool) {
        if !told {
            self.owing.store(true, Ordering::SeqCst);
        }
    }

    /// The tokens of marks. One that is missing is drawn, and in its place before anything is loaded: a change that comes later
    /// replaces it.
    async fn tokens(&self, marks: &[Mark]) -> Result<Vec<u64>, Away> {
        let token = async |mark: &Mark| {
            let name = label(mark);
            let found = self.shared.get(&name).await?;
            match found.and_then(|bytes| Some(u64::from_be_bytes(bytes.as_ref().try_into().ok()?))) {
                Some(token) => Ok(token),
                None => self.fresh(&name).await,
            }
        };
        try_join_all(marks.iter().map(token)).await
    }

    async fn fresh(&self, name: &str) -> Result<u64, Away> {
        let token = drawn();
        self.shared.put(name, Bytes::copy_from_slice(&token.to_be_bytes()), TOKENS).await.map(|()| token)
    }
}

fn drawn() -> u64 {
    let mut bytes = [0; 8];
    rand::fill(&mut bytes).expect("the system's random numbers do not run out");
    u64::from_be_bytes(bytes)
}

fn name(key: &Key) -> String {
    hex("reply/", &key.0)
}

fn label(mark: &Mark) -> String {
    hex("mark/", &mark.0)
}

fn hex(before: &str, bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = before.to_owned();
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
