//! What the gate says unasked: notifications, and its own requests to legacy clients.

use callgate_model::{InputRequest, Level};
use serde_json::Value;

use super::writer::Object;
use crate::{Filter, Id, Revision};

/// Under this key every message of a listen stream names the stream.
pub(super) const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// One notification.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Notice<'n> {
    /// How far a call is.
    Progress {
        /// The token under which the client wants it.
        token: &'n Value,
        /// Grows.
        progress: f64,
        /// Towards this.
        total: Option<f64>,
        /// What is being done; not sent to 2025-03-26 clients that do not know it.
        message: Option<&'n str>,
    },
    /// A log message.
    Log {
        /// How bad.
        level: Level,
        /// Who speaks.
        logger: Option<&'n str>,
        /// Any JSON.
        data: &'n Value,
    },
    /// The list of tools changed.
    Tools,
    /// The list of prompts changed.
    Prompts,
    /// The lists of resources changed.
    Resources,
    /// This resource changed.
    Resource(&'n str),
    /// The first message of a listen stream: what was granted.
    Acknowledged(&'n Filter),
    /// On stdio, a listen stream is over.
    Cancelled(&'n Id),
}

/// A notification; on a listen stream with the id of the request that opened it.
#[must_use]
pub fn notification(notice: &Notice<'_>, subscription: Option<&Id>) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    let mut message = Object::open(&mut out);
    message.raw("jsonrpc", "\"2.0\"").value("method", method(notice)).object("params", |params| {
        particulars(params, notice);
        if let Some(id) = subscription {
            params.object("_meta", |meta| {
                meta.value(SUBSCRIPTION, id);
            });
        }
    });
    message.end();
    out
}

fn method(notice: &Notice<'_>) -> &'static str {
    match notice {
        Notice::Progress { .. } => "notifications/progress",
        Notice::Log { .. } => "notifications/message",
        Notice::Tools => "notifications/tools/list_changed",
        Notice::Prompts => "notifications/prompts/list_changed",
        Notice::Resources => "notifications/resources/list_changed",
        Notice::Resource(_) => "notifications/resources/updated",
        Notice::Acknowledged(_) => "notifications/subscriptions/acknowledged",
        Notice::Cancelled(_) => "notifications/cancelled",
    }
}

fn particulars(params: &mut Object<'_>, notice: &Notice<'_>) {
    match notice {
        Notice::Progress { token, progress, total, message } => {
            params.value("progressToken", token).value("progress", progress).maybe("total", total.as_ref()).maybe("message", *message);
        }
        Notice::Log { level, logger, data } => {
            params.value("level", level).maybe("logger", *logger).value("data", data);
        }
        Notice::Tools | Notice::Prompts | Notice::Resources => {}
        Notice::Resource(uri) => {
            params.value("uri", uri);
        }
        Notice::Acknowledged(filter) => {
            params.object("notifications", |granted| granted_types(granted, filter));
        }
        Notice::Cancelled(id) => {
            params.value("requestId", id);
        }
    }
}

fn granted_types(granted: &mut Object<'_>, filter: &Filter) {
    let flags = [("toolsListChanged", filter.tools), ("promptsListChanged", filter.prompts), ("resourcesListChanged", filter.resources)];
    for (key, _) in flags.iter().filter(|(_, is_granted)| *is_granted) {
        granted.value(key, &true);
    }
    if !filter.uris.is_empty() {
        granted.value("resourceSubscriptions", &filter.uris);
    }
}

/// A request of the server to a legacy client. `id` also names an elicitation by URL.
#[must_use]
pub fn request(revision: Revision, id: &Id, request: &InputRequest) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    let mut message = Object::open(&mut out);
    message.raw("jsonrpc", "\"2.0\"").value("id", id);
    input_request(&mut message, revision, Some(id), request);
    message.end();
    out
}

/// Writes `method` and `params` of a question.
pub(super) fn input_request(object: &mut Object<'_>, revision: Revision, id: Option<&Id>, request: &InputRequest) {
    match request {
        InputRequest::Form { message, schema } => object.value("method", "elicitation/create").object("params", |params| {
            if revision >= Revision::V2025_11_25 {
                params.value("mode", "form");
            }
            params.value("message", message).value("requestedSchema", schema);
        }),
        InputRequest::Url { message, url } => object.value("method", "elicitation/create").object("params", |params| {
            params.value("mode", "url").value("message", message).value("url", url);
            params.maybe("elicitationId", id.filter(|_| !revision.is_modern()));
        }),
        InputRequest::Sample(params) => object.value("method", "sampling/createMessage").value("params", params),
        InputRequest::Roots => {
            object.value("method", "roots/list");
            if id.is_some() { object } else { object.object("params", |_| {}) }
        }
    };
}
