//! The gate's own pages for operators: is it alive, is it ready, what does it count.

use http::{Response, StatusCode};

use super::{reply, reply::Body};
use crate::desk::Desk;

const TEXT: &str = "text/plain; charset=utf-8";

/// The process answers.
pub(super) fn live() -> Response<Body> {
    reply::text(StatusCode::OK, TEXT, "alive\n".into())
}

/// Every part is ready; or which are not, and why.
pub(super) async fn ready(desk: &Desk) -> Response<Body> {
    if desk.stop.is_cancelled() {
        return reply::text(StatusCode::SERVICE_UNAVAILABLE, TEXT, "stopping\n".into());
    }
    let mut status = StatusCode::OK;
    let mut lines = String::new();
    for probe in desk.gateway.ready().await {
        match probe.state {
            Ok(()) => lines.push_str(&format!("{}: ready\n", probe.part)),
            Err(why) => {
                status = StatusCode::SERVICE_UNAVAILABLE;
                lines.push_str(&format!("{}: {why}\n", probe.part));
            }
        }
    }
    reply::text(status, TEXT, lines)
}

/// All metrics.
pub(super) fn metrics(desk: &Desk) -> Response<Body> {
    reply::text(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", desk.gateway.metrics())
}
