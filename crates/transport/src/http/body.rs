//! Reading a request's body: so large, in so much time, and not a byte more; and so much of all bodies at once.

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

use crate::config::Http;

/// Why a body was not read.
type Refused = (StatusCode, &'static str);

const TOO_LARGE: Refused = (StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than this gate takes (wire.http.body)");
const TOO_SLOW: Refused = (StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time");
const BROKEN: Refused = (StatusCode::BAD_REQUEST, "the body broke off");

const TOO_MANY: Refused = (StatusCode::SERVICE_UNAVAILABLE, "too many large bodies are arriving at once; try again in a moment");

/// Room for all bodies that do not come in one piece, in bytes.
pub(super) fn room(limits: &Http) -> Semaphore {
    Semaphore::new(limits.bodies.bytes().min(Semaphore::MAX_PERMITS))
}

/// A body and the room that it takes.
pub(super) struct Read<'r> {
    pub(super) raw: Bytes,
    pub(super) room: Option<SemaphorePermit<'r>>,
}

/// The whole body.
pub(super) async fn read<'r>(body: Incoming, limits: &Http, room: &'r Semaphore) -> Result<Read<'r>, Refused> {
    // A length that is too large is believed; one that is small enough is not.
    if body.size_hint().lower() > limits.body.0 {
        return Err(TOO_LARGE);
    }
    timeout(limits.body_time.get(), collect(body, limits.body.bytes(), room)).await.unwrap_or(Err(TOO_SLOW))
}

async fn collect(mut body: Incoming, limit: usize, room: &Semaphore) -> Result<Read<'_>, Refused> {
    let mut first = Bytes::new();
    let mut taken = None;
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BROKEN)?.into_data() else { continue };
        if first.len() + all.len() + data.len() > limit {
            return Err(TOO_LARGE);
        }
        // Nearly every body comes in one piece, which is then passed on without a copy.
        if all.is_empty() && first.is_empty() {
            first = data;
        } else {
            take(room, first.len() + data.len(), &mut taken)?;
            all.extend_from_slice(&std::mem::take(&mut first));
            all.extend_from_slice(&data);
        }
    }
    Ok(Read { raw: if all.is_empty() { first } else { all.freeze() }, room: taken })
}

/// Takes room for so many bytes more.
fn take<'r>(room: &'r Semaphore, length: usize, taken: &mut Option<SemaphorePermit<'r>>) -> Result<(), Refused> {
    let length = u32::try_from(length).map_err(|_| TOO_LARGE)?;
    let more = room.try_acquire_many(length).map_err(|_| TOO_MANY)?;
    match taken {
        Some(taken) => taken.merge(more),
        None => *taken = Some(more),
    }
    Ok(())
}
