//! One batch on its way to the collector: sent, tried again while it makes sense, or dropped and counted.
//!
//! *Fine*: the collector takes what it gets. *Away*: it did not answer, or said that it has no time; it is left alone for a while that
//! grows with each time, up to a bound, and the first batch that it takes makes things fine again. Each change is logged once.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use callgate_egress::{Bytes, Client, Error, Limits, Target};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use prost::Message as _;
use tokio::time::sleep;
use tracing::{info, warn};

use crate::{TracesConfig, config, exporter::Counts, otlp};

/// For how long a collector is left alone the first time.
const FIRST: Duration = Duration::from_secs(1);
/// More than any answer needs.
const ANSWER: usize = 64 * 1024;

/// Sends batches.
pub(crate) struct Deliver {
    client: Client,
    target: Target,
    headers: HeaderMap,
    limits: Limits,
    attempts: u32,
    longest: Duration,
    counts: Arc<Counts>,
    /// For how long the collector is left alone the next time; `None` while things are fine.
    away: Option<Duration>,
}

/// What became of one try.
enum Sent {
    /// The collector has it.
    Taken,
    /// It will never take it.
    Refused(String),
    /// It may take it later, and may have said when.
    Away(String, Option<Duration>),
}

impl Deliver {
    pub(crate) fn new(config: &TracesConfig, client: Client, counts: Arc<Counts>) -> Result<Self, Error> {
        let mut headers = HeaderMap::new();
        for (name, value) in config.headers.iter() {
            let (name, value) = config::header(name, value).map_err(|why| Error::Setup(format!("the header `{name}` {why}")))?;
            headers.insert(name, value);
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        let limits = Limits { time: config.timeout.get(), bytes: ANSWER };
        let (target, attempts, longest) = (config.target()?, config.attempts, config.backoff.get());
        Ok(Self { client, target, headers, limits, attempts, longest, counts, away: None })
    }

    /// Sends a batch of so many traces. The last one there will be is not tried again.
    pub(crate) async fn deliver(&mut self, body: Vec<u8>, traces: u64, is_last: bool) {
        let body = Bytes::from(body);
        let mut made = 0;
        let counter = loop {
            made += 1;
            match self.send(body.clone()).await {
                Sent::Taken => {
                    self.is_fine();
                    break &self.counts.exported;
                }
                Sent::Refused(why) => {
                    warn!(host = self.target.host(), error = why, traces, "the collector of traces does not take them");
                    break &self.counts.refused;
                }
                Sent::Away(why, after) => {
                    let wait = self.is_away(&why, after);
                    if made >= self.attempts || is_last || self.counts.hurried.load(Ordering::Acquire) {
                        break &self.counts.away;
                    }
                    tokio::select! {
                        () = sleep(wait) => {}
                        () = self.counts.hurry.notified() => {}
                    }
                }
            }
        };
        counter.fetch_add(traces, Ordering::Relaxed);
    }

    fn is_fine(&mut self) {
        if self.away.take().is_some() {
            info!(host = self.target.host(), "the collector of traces is back");
        }
    }

    /// For how long it is left alone.
    fn is_away(&mut self, why: &str, after: Option<Duration>) -> Duration {
        if self.away.is_none() {
            warn!(
                host = self.target.host(),
                error = why,
                "the collector of traces is away; calls go on, and what there is no room for is dropped"
            );
        }
        let wait = self.away.unwrap_or(FIRST).min(self.longest);
        self.away = Some(wait * 2);
        after.unwrap_or(wait).min(self.longest)
    }

    async fn send(&self, body: Bytes) -> Sent {
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.headers_mut() = self.headers.clone();
        match self.client.send(&self.target, request, self.limits).await {
            Ok(answer) => judge(&answer),
            Err(error @ (Error::Slow { .. } | Error::Failed { .. })) => Sent::Away(error.to_string(), None),
            Err(error) => Sent::Refused(error.to_string()),
        }
    }
}

/// What an answer means. OTLP names the statuses after which a request may be made again.
fn judge(answer: &Response<Bytes>) -> Sent {
    let status = answer.status();
    match status {
        _ if status.is_success() => {
            let partial = otlp::Answer::decode(answer.body().as_ref()).ok().and_then(|answer| answer.partial_success);
            if let Some(rejected) = partial.map(|partial| partial.rejected_spans).filter(|rejected| *rejected > 0) {
                warn!(rejected, "the collector of traces did not take some of their spans");
            }
            Sent::Taken
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            let after = answer.headers().get(header::RETRY_AFTER).and_then(|after| after.to_str().ok()?.parse().ok());
            Sent::Away(format!("it answered {status}"), after.map(Duration::from_secs))
        }
        _ => Sent::Refused(format!("it answered {status}")),
    }
}
