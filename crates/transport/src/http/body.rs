//! Reading a request's body: so large, in so much time, and not a byte more.

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::time::timeout;

use crate::config::Http;

/// Why a body was not read.
type Refused = (StatusCode, &'static str);

const TOO_LARGE: Refused = (StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than this gate takes (wire.http.body)");
const TOO_SLOW: Refused = (StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time");
const BROKEN: Refused = (StatusCode::BAD_REQUEST, "the body broke off");

/// The whole body.
pub(super) async fn read(body: Incoming, limits: &Http) -> Result<Bytes, Refused> {
    // A length that is too large is believed; one that is small enough is not.
    if body.size_hint().lower() > limits.body.0 {
        return Err(TOO_LARGE);
    }
    timeout(limits.body_time.get(), collect(body, limits.body.bytes())).await.unwrap_or(Err(TOO_SLOW))
}

async fn collect(mut body: Incoming, limit: usize) -> Result<Bytes, Refused> {
    let mut first = Bytes::new();
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
            all.extend_from_slice(&std::mem::take(&mut first));
            all.extend_from_slice(&data);
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}
