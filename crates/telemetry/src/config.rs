//! What an operator may write under `telemetry`.

use callgate_config::{Mapping, Problems, Secret, Section, Size, Span};
use callgate_egress::Target;
use http::{HeaderName, HeaderValue};
use schemars::JsonSchema;
use serde::Deserialize;

/// Where a collector takes traces if its URL has no path.
const PATH: &str = "v1/traces";

/// What the gate tells about calls to systems that watch it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where traces of calls are sent. Without it there are none, and a call pays nothing for them.
    pub traces: Option<TracesConfig>,
}

/// OpenTelemetry traces: one span for a call, and one for each layer that waited, refused, answered, tried again or asked a backend.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct TracesConfig {
    /// The collector: a URL that takes OTLP over HTTP (`http/protobuf`), such as `http://otel.internal:4318`. Without a path, `/v1/traces`
    /// is added. A collector on this machine or in a private network must stand under `egress.allow`.
    pub endpoint: String,
    /// Headers of each request, by name, such as `authorization: { env: OTLP_AUTHORIZATION }`. Default none.
    #[serde(default)]
    #[schemars(length(max = 16))]
    pub headers: Mapping<Secret>,
    /// The part of the calls that is sampled, from 0 to 1; default 1, which is all of them. Sampled calls cost some more processor time.
    #[serde(default = "all")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub ratio: f64,
    /// Whether a caller that sends a `traceparent` decides whether its call is sampled; default true. With `false` only `ratio` does,
    /// which is right for callers that nobody knows. The trace is gone on with in both cases.
    #[serde(default = "yes")]
    pub follow: bool,
    /// Whether spans say who called (`enduser.id`, `callgate.tenant`); default false. What was called with is never in them.
    #[serde(default)]
    pub callers: bool,
    /// The name of the service (`service.name`); default the gate's `name`.
    #[schemars(length(min = 1, max = 255))]
    pub service: Option<String>,
    /// More about where the gate runs, such as `deployment.environment.name: production`. Default nothing.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub resource: Mapping<String>,
    /// The most steps of one call that are looked at; default 256. What is beyond them is missing in its trace, which says so.
    #[serde(default = "spans")]
    #[schemars(range(min = 1))]
    pub spans: u16,
    /// How many traces may wait to be sent; default 2048. More are dropped and counted (`mcp_traces_dropped_total`).
    #[serde(default = "queue")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub queue: usize,
    /// How much memory the traces that wait to be sent may take, about; default `32MiB`. More are dropped and counted like those beyond
    /// `queue`.
    #[serde(default = "memory")]
    pub memory: Size,
    /// How many traces are sent at once; default 256.
    #[serde(default = "batch")]
    #[schemars(range(min = 1, max = 10_000))]
    pub batch: usize,
    /// How long a trace waits for others to be sent with; default `1s`.
    #[serde(default = "second")]
    pub every: Span,
    /// How long the collector may take to answer; default `5s`.
    #[serde(default = "patience")]
    pub timeout: Span,
    /// How often traces are sent to a collector that is away or has no time, before they are dropped and counted; default 4. Between
    /// two times it is left alone for 1 s, then 2 s, and so on.
    #[serde(default = "attempts")]
    #[schemars(range(min = 1, max = 100))]
    pub attempts: u32,
    /// The longest time for which it is left alone; default `30s`.
    #[serde(default = "backoff")]
    pub backoff: Span,
}

fn all() -> f64 {
    1.0
}
fn yes() -> bool {
    true
}
fn spans() -> u16 {
    256
}
fn queue() -> usize {
    2048
}
fn memory() -> Size {
    Size::mib(32)
}
fn batch() -> usize {
    256
}
fn second() -> Span {
    Span::seconds(1)
}
fn patience() -> Span {
    Span::seconds(5)
}
fn attempts() -> u32 {
    4
}
fn backoff() -> Span {
    Span::seconds(30)
}

impl Config {
    /// Adds what is wrong to `problems`; `section` is where it stands. Does no I/O.
    pub fn check(&self, section: &Section, egress: &callgate_egress::Config, problems: &mut Problems) {
        let Some(traces) = &self.traces else { return };
        match traces.target() {
            Err(error) => {
                problems.push(section.problem("/traces/endpoint", error.to_string()).help("write it like `https://otel.example.com:4318`"));
            }
            Ok(target) => {
                if let Err(error) = egress.admits(&target) {
                    let problem = section.problem("/traces/endpoint", error.to_string());
                    problems.push(problem.help(format!("add `egress: {{ allow: [\"{}\"] }}`", target.host())));
                }
            }
        }
        for (name, value) in traces.headers.iter() {
            if let Err(why) = header(name, value) {
                problems.push(section.problem(&format!("/traces/headers/{}", name.replace('~', "~0").replace('/', "~1")), why));
            }
        }
        let spans = [("/traces/every", traces.every), ("/traces/timeout", traces.timeout), ("/traces/backoff", traces.backoff)];
        section.at_least(&spans.map(|(at, span)| (at, span, Span::millis(1))), problems);
        // A trace of the most usual call has less.
        section.at_least(&[("/traces/memory", traces.memory, Size::kib(64))], problems);
    }
}

impl TracesConfig {
    /// Where traces are sent.
    pub(crate) fn target(&self) -> Result<Target, callgate_egress::Error> {
        let target = Target::parse(&self.endpoint)?;
        // The canonical form of a URL without a path ends after its host with one slash.
        let is_bare = target.as_str().splitn(4, '/').nth(3).is_some_and(str::is_empty);
        if is_bare { Target::parse(&format!("{}{PATH}", target.as_str())) } else { Ok(target) }
    }
}

/// A header as it is sent.
pub(crate) fn header(name: &str, value: &Secret) -> Result<(HeaderName, HeaderValue), &'static str> {
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| "is no name of a header")?;
    if [http::header::CONTENT_TYPE, http::header::CONTENT_LENGTH, http::header::HOST, http::header::TRANSFER_ENCODING].contains(&name) {
        return Err("is not for the operator to choose");
    }
    let mut value = HeaderValue::from_str(value.expose()).map_err(|_| "its value has a character that no header may have")?;
    value.set_sensitive(true);
    Ok((name, value))
}
