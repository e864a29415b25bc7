//! What is shared by nobody else: one gate alone, nothing installed. Also the share of a quota that a replica goes on with by
//! itself while the server is away.
//!
//! Counters and values are bounded; the one that has been unused for longest is forgotten first.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use moka::{policy::EvictionPolicy, sync::Cache};
use tokio::time::Instant;

use super::{Away, Claim, Config, Rate, Shared, Subscription, Verdict, bucket::Bucket, subscription::Channels};

/// What a key takes up beside its own length and that of its value.
const ENTRY: usize = 96;

/// State in the memory of this process.
pub struct Memory {
    begun: Instant,
    buckets: Cache<Box<str>, Arc<Bucket>>,
    values: Cache<Arc<str>, (Bytes, Instant)>,
    longest: usize,
    channels: Channels,
}

/// What a claim has taken, for giving it back.
enum Taken {
    Alone(Arc<Bucket>, Rate),
    Part(Arc<Bucket>, Rate, Arc<Bucket>, Rate),
}

impl Memory {
    /// An empty one within the bounds of `config`.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let weigh = |key: &Arc<str>, (value, _): &(Bytes, Instant)| u32::try_from(key.len() + value.len() + ENTRY).unwrap_or(u32::MAX);
        Self {
            begun: Instant::now(),
            buckets: Cache::builder().max_capacity(config.counters).eviction_policy(EvictionPolicy::lru()).build(),
            values: Cache::builder().max_capacity(config.room.bytes() as u64).weigher(weigh).eviction_policy(EvictionPolicy::lru()).build(),
            longest: config.value.bytes(),
            channels: Channels::default(),
        }
    }

    /// Takes one call from each claim or from none, at once.
    #[must_use]
    pub fn take_now(&self, claims: &[Claim<'_>]) -> Verdict {
        // A moment later than the beginning, which a bucket that was never used stands for.
        let now = self.begun.elapsed() + Duration::from_secs(1);
        let mut taken = Vec::with_capacity(claims.len());
        for (claim, Claim { key, rate, member }) in claims.iter().enumerate() {
            let took = match member {
                None => self.alone(key, *rate, now),
                Some(member) => self.part(key, *rate, member, now),
            };
            match took {
                Ok(took) => taken.push(took),
                Err(retry_after) => {
                    taken.into_iter().for_each(Taken::give_back);
                    return Verdict::Refused { claim, retry_after };
                }
            }
        }
        Verdict::Taken
    }

    fn alone(&self, key: &str, rate: Rate, now: Duration) -> Result<Taken, Duration> {
        let bucket = self.bucket(key);
        bucket.take(rate, now)?;
        Ok(Taken::Alone(bucket, rate))
    }

    /// A member's part of a limit is its own, whatever the others do. Beyond it, a member may have what nobody else has used.
    fn part(&self, key: &str, rate: Rate, member: &str, now: Duration) -> Result<Taken, Duration> {
        let whole = self.bucket(key);
        let own = self.bucket(&format!("{key}\n{member}"));
        let part = rate.split(whole.crowd(&own, rate, now));
        match own.take(part, now) {
            Ok(()) => {
                whole.charge(rate, now);
                Ok(Taken::Part(own, part, whole, rate))
            }
            Err(own_wait) => whole.take(rate, now).map(|()| Taken::Alone(whole, rate)).map_err(|wait| wait.min(own_wait)),
        }
    }

    fn bucket(&self, key: &str) -> Arc<Bucket> {
        self.buckets.get(key).unwrap_or_else(|| self.buckets.get_with(key.into(), Arc::default))
    }
}

impl Taken {
    fn give_back(self) {
        match self {
            Self::Alone(bucket, rate) => bucket.give_back(rate),
            Self::Part(own, part, whole, rate) => {
                own.give_back(part);
                whole.give_back(rate);
            }
        }
    }
}

#[async_trait]
impl Shared for Memory {
    async fn take(&self, claims: &[Claim<'_>]) -> Result<Verdict, Away> {
        Ok(self.take_now(claims))
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, Away> {
        let kept = self.values.get(key);
        Ok(kept.filter(|(_, until)| *until > Instant::now()).map(|(value, _)| value))
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), Away> {
        if !value.is_empty() && value.len() <= self.longest {
            self.values.insert(key.into(), (value, Instant::now() + ttl));
        }
        Ok(())
    }

    async fn delete(&self, keys: &[&str]) -> Result<(), Away> {
        for key in keys {
            self.values.invalidate(*key);
        }
        Ok(())
    }

    async fn publish(&self, channel: &str, message: Bytes) -> Result<(), Away> {
        self.channels.tell(channel, message);
        Ok(())
    }

    fn subscribe(&self, channel: &str) -> Subscription {
        self.channels.subscribe(channel)
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memory")
    }
}
