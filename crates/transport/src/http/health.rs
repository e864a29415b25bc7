//! The gate's own pages for operators: is it alive, is it ready, what does it count.

use http::{Response, StatusCode};

use super::{Server, reply, reply::Body};
use crate::desk::Desk;

const TEXT: &str = "text/plain; charset=utf-8";

/// The process answers.
pub(super) fn live() -> Response<Body> {
    reply::text(StatusCode::OK, TEXT, "alive\n".into())
}

/// How much somebody may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// Whether the whole is ready.
    Whole,
    /// Which parts are, and why the others are not.
    Parts,
}

/// Every part is ready, or not.
pub(super) async fn ready(desk: &Desk, sight: Sight) -> Response<Body> {
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
    if sight == Sight::Whole {
        lines = if status == StatusCode::OK { "ready\n" } else { "not ready\n" }.to_owned();
    }
    reply::text(status, TEXT, lines)
}

/// All metrics.
pub(super) fn metrics(server: &Server) -> Response<Body> {
    let mut text = server.desk.gateway.metrics();
    server.meter.write(&mut text);
    let ends = server.tls.as_ref().map(|tls| tls.ends().as_second());
    let count = |count: usize| i64::try_from(count).ok();
    let gauges = [
        ("http_unread_reply_bytes", "Replies that clients have not read yet.", count(server.backlogs.bytes())),
        ("http_connections", "Connections that are open.", count(server.addresses.count())),
        ("mcp_sessions", "Sessions of legacy clients that are open.", count(server.sessions.count())),
        ("mcp_listen_streams", "Streams of notices to modern clients that are open.", count(server.desk.seats.count())),
        ("tls_certificate_expiry_timestamp_seconds", "When the gate's certificate ends.", ends),
    ];
    for (name, help, value) in gauges {
        if let Some(value) = value {
            text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n"));
        }
    }
    let (name, cut) = ("http_unread_connections_cut_total", server.backlogs.cut());
    text.push_str(&format!(
        "# HELP {name} Connections hung up because they held most of too many unread replies.\n# TYPE {name} counter\n{name} {cut}\n"
    ));
    reply::text(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text)
}
