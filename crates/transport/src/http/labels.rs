//! What a request carries so that it can be found again: its id, the client's session, the trace it belongs to.

use std::sync::Arc;

use callgate_model::{Origin, RequestId};
use callgate_protocol::{Given, modern::Mirror};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::media::one;
use crate::context::Context;

pub(super) const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
pub(super) const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");
pub(super) const REQUEST: HeaderName = HeaderName::from_static("x-request-id");
const CLIENT_SESSION: HeaderName = HeaderName::from_static("x-claude-session-id");
const TRACE: HeaderName = HeaderName::from_static("traceparent");
const STATE: HeaderName = HeaderName::from_static("tracestate");

/// The labels of one request. What does not keep its own rule is as if it were not there.
pub(super) struct Labels {
    pub(super) request: RequestId,
    session: Option<String>,
    context: Option<Context>,
}

impl Labels {
    /// The labels among these headers.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let named = one(headers, &REQUEST).and_then(|id| RequestId::new(id).ok());
        let session = one(headers, &CLIENT_SESSION).filter(|id| RequestId::new(id).is_ok());
        Self {
            request: named.unwrap_or_else(RequestId::fresh),
            session: session.map(Into::into),
            context: Context::of(one(headers, &TRACE), || joined(headers, &STATE)),
        }
    }

    /// The request's id as a header.
    pub(super) fn header(&self) -> HeaderValue {
        HeaderValue::from_str(self.request.as_str()).expect("a request id is visible ASCII")
    }

    /// Where the request comes from: `usual`, with what these labels add. `given` is what its message says, if its headers say nothing.
    pub(super) fn origin(&self, usual: &Arc<Origin>, given: &Given) -> Arc<Origin> {
        let context = self.context.clone().or_else(|| Context::given(given));
        if self.session.is_none() && context.is_none() {
            return usual.clone();
        }
        let session = self.session.clone().or_else(|| usual.session.clone());
        Arc::new(Origin { session, ..Context::added(context, usual) })
    }
}

/// All values of a list that may be given in several headers, as one. None that is longer than any that counts.
fn joined(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    // Longer than any `tracestate` that is believed.
    const LONGEST: usize = 1024;
    let mut all = String::new();
    for value in headers.get_all(name) {
        let value = value.to_str().ok().filter(|value| all.len() + value.len() < LONGEST)?;
        // An empty line is allowed and says nothing.
        if !value.is_empty() && !all.is_empty() {
            all.push(',');
        }
        all.push_str(value);
    }
    Some(all)
}

/// The headers as the protocol looks at them.
pub(super) struct Headers<'h>(pub(super) &'h HeaderMap);

impl Mirror for Headers<'_> {
    fn value(&self, name: &str) -> Option<(&[u8], usize)> {
        // The names that nearly every request has are not read anew each time.
        let mut values = match [&VERSION, &METHOD, &NAME].into_iter().find(|usual| usual.as_str() == name) {
            Some(usual) => self.0.get_all(usual).iter(),
            None => self.0.get_all(name).iter(),
        };
        let first = values.next()?;
        Some((first.as_bytes(), 1 + values.count()))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::Labels;

    /// What is believed of these `tracestate` headers.
    fn check(states: &[&str], expected: Option<&str>) {
        let mut headers = HeaderMap::new();
        headers.append("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().expect("a header"));
        for state in states {
            headers.append("tracestate", state.parse().expect("a header"));
        }
        let origin = Labels::of(&headers).origin(&std::sync::Arc::default(), &callgate_protocol::Given::default());
        assert_eq!(origin.tracestate.as_deref(), expected, "{states:?}");
        assert!(origin.traceparent.is_some());
    }

    #[test]
    fn several_headers_of_a_state_are_one_list() {
        let long = format!("a={}", "x".repeat(250));
        check(&[], None);
        check(&["a=1"], Some("a=1"));
        check(&["a=1,b=2", "c=3"], Some("a=1,b=2,c=3"));
        check(&["", "a=1", "", "b=2"], Some("a=1,b=2"));
        check(&["a=1", "nonsense"], None);
        check(&[&long, &long], Some(&format!("{long},{long}")));
        check(&[long.as_str(); 3], None);
        check(&[long.as_str(); 90], None);
    }
}
