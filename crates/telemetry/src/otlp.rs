//! The messages of OTLP, as far as traces of calls need them. Field numbers are those of `opentelemetry/proto/trace/v1/trace.proto` 1.x;
//! the tests read what is written here with the official definitions.

use std::collections::BTreeMap;

use callgate_model::{Ended, Note, Span as Seen, SpanKind, Spans};
use prost::{Message, Oneof};

/// What a collector is asked to take.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Request {
    #[prost(message, repeated, tag = "1")]
    pub(crate) resource_spans: Vec<ResourceSpans>,
}

/// What it answers.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Answer {
    #[prost(message, optional, tag = "1")]
    pub(crate) partial_success: Option<Partial>,
}

/// What it did not take.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Partial {
    #[prost(int64, tag = "1")]
    pub(crate) rejected_spans: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ResourceSpans {
    #[prost(message, optional, tag = "1")]
    pub(crate) resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) scope_spans: Vec<ScopeSpans>,
}

/// Who sends.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Resource {
    #[prost(message, repeated, tag = "1")]
    pub(crate) attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ScopeSpans {
    #[prost(message, optional, tag = "1")]
    pub(crate) scope: Option<Scope>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) spans: Vec<Span>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Scope {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, tag = "2")]
    pub(crate) version: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Span {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) span_id: Vec<u8>,
    #[prost(string, tag = "3")]
    pub(crate) trace_state: String,
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) parent_span_id: Vec<u8>,
    #[prost(string, tag = "5")]
    pub(crate) name: String,
    #[prost(int32, tag = "6")]
    pub(crate) kind: i32,
    #[prost(fixed64, tag = "7")]
    pub(crate) start_time_unix_nano: u64,
    #[prost(fixed64, tag = "8")]
    pub(crate) end_time_unix_nano: u64,
    #[prost(message, repeated, tag = "9")]
    pub(crate) attributes: Vec<KeyValue>,
    #[prost(message, optional, tag = "15")]
    pub(crate) status: Option<Status>,
    #[prost(fixed32, tag = "16")]
    pub(crate) flags: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Status {
    #[prost(int32, tag = "3")]
    pub(crate) code: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct KeyValue {
    #[prost(string, tag = "1")]
    pub(crate) key: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct AnyValue {
    #[prost(oneof = "Value", tags = "1, 3")]
    pub(crate) value: Option<Value>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum Value {
    #[prost(string, tag = "1")]
    Text(String),
    #[prost(int64, tag = "3")]
    Number(i64),
}

/// `STATUS_CODE_ERROR`.
const ERROR: i32 = 2;
/// Sampled; and it is known whether the parent is another process's.
const FLAGS: u32 = 0x101;
/// It is.
const REMOTE: u32 = 0x200;

/// What is said about the gate with every batch.
pub(crate) fn resource(attributes: &BTreeMap<String, String>) -> Resource {
    let text = |(key, value): (&String, &String)| attribute(key, Value::Text(value.clone()));
    Resource { attributes: attributes.iter().map(text).collect() }
}

/// A batch as it is sent.
pub(crate) fn encode(resource: &Resource, traces: &[Spans]) -> Vec<u8> {
    let scope = Scope { name: "callgate".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
    let spans = traces.iter().flat_map(|trace| trace.spans.iter().enumerate().map(|(place, span)| one(trace, place, span))).collect();
    let scope_spans = vec![ScopeSpans { scope: Some(scope), spans }];
    Request { resource_spans: vec![ResourceSpans { resource: Some(resource.clone()), scope_spans }] }.encode_to_vec()
}

fn one(trace: &Spans, place: usize, span: &Seen) -> Span {
    let mut attributes: Vec<_> = span.notes.iter().map(|(key, note)| attribute(key, value(note))).collect();
    let failure = match span.outcome {
        Ended::Well => None,
        Ended::Badly(kind) => Some(kind),
        Ended::Dropped => Some("cancelled"),
    };
    attributes.extend(failure.map(|kind| attribute("error.type", Value::Text(kind.to_owned()))));
    if place == 0 && trace.lost > 0 {
        attributes.push(attribute("callgate.spans.lost", Value::Number(trace.lost.into())));
    }
    let nanos = |at: jiff::Timestamp| u64::try_from(at.as_nanosecond()).unwrap_or_default();
    Span {
        trace_id: trace.trace.to_be_bytes().to_vec(),
        span_id: span.id.to_be_bytes().to_vec(),
        trace_state: trace.state.clone().unwrap_or_default(),
        parent_span_id: span.parent.map(|parent| parent.to_be_bytes().to_vec()).unwrap_or_default(),
        name: span.name.clone().into_owned(),
        kind: match span.kind {
            SpanKind::Internal => 1,
            SpanKind::Server => 2,
            SpanKind::Client => 3,
        },
        start_time_unix_nano: nanos(span.began),
        end_time_unix_nano: nanos(span.ended),
        attributes,
        status: failure.map(|_| Status { code: ERROR }),
        flags: if place == 0 && span.parent.is_some() { FLAGS | REMOTE } else { FLAGS },
    }
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }) }
}

fn value(note: &Note) -> Value {
    match note {
        Note::Text(text) => Value::Text(text.clone().into_owned()),
        Note::Number(number) => Value::Number(*number),
    }
}
