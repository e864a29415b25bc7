//! Spans as tests look at them.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
};
use prost::Message as _;

/// One span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its trace, as hexadecimal digits.
    pub trace: String,
    /// Its own id.
    pub id: String,
    /// Its parent's; empty if it has none.
    pub parent: String,
    /// What it is called.
    pub name: String,
    /// 1 internal, 2 server, 3 client.
    pub kind: i32,
    /// When it began and ended, in nanoseconds since 1970.
    pub time: (u64, u64),
    /// What is said about it.
    pub attributes: BTreeMap<String, String>,
    /// What is said about who sent it.
    pub resource: BTreeMap<String, String>,
    /// 0 unset, 1 well, 2 failed.
    pub status: i32,
    /// `tracestate`.
    pub state: String,
}

impl Span {
    /// An attribute; empty if there is none.
    #[must_use]
    pub fn attribute(&self, key: &str) -> &str {
        self.attributes.get(key).map_or("", String::as_str)
    }
}

pub(super) fn spans(bodies: &[Vec<u8>]) -> anyhow::Result<Vec<Span>> {
    let mut spans = Vec::new();
    for body in bodies {
        for sent in ExportTraceServiceRequest::decode(body.as_slice())?.resource_spans {
            let resource = texts(&sent.resource.unwrap_or_default().attributes);
            for span in sent.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                spans.push(Span {
                    trace: hex(&span.trace_id),
                    id: hex(&span.span_id),
                    parent: hex(&span.parent_span_id),
                    name: span.name,
                    kind: span.kind,
                    time: (span.start_time_unix_nano, span.end_time_unix_nano),
                    attributes: texts(&span.attributes),
                    resource: resource.clone(),
                    status: span.status.unwrap_or_default().code,
                    state: span.trace_state,
                });
            }
        }
    }
    Ok(spans)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |attribute: &KeyValue| match attribute.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    attributes.iter().map(|attribute| (attribute.key.clone(), text(attribute))).collect()
}
