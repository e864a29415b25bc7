//! One call on its way down the column.

use std::sync::{Arc, Weak};

use serde_json::Value;

use crate::{
    Answers, Caller, ClientCapabilities, Deadline, Fault, Found, InputRequest, Level, Members, Notices, Outlet, Reference, Reply,
    RequestId, Signal, ToolReply, Trace, async_trait,
};

/// How deep calls may call other calls.
const DEEPEST: u8 = 4;

/// Everything that is known about one call. Made by the transport, completed by the gate, then only read.
#[derive(Clone, Debug)]
pub struct Call {
    /// The id under which reply, log and audit record are found.
    pub request: RequestId,
    /// Who is calling.
    pub caller: Arc<Caller>,
    /// Where the call came from.
    pub origin: Arc<Origin>,
    /// What is called.
    pub target: Target,
    /// With which arguments. Resources have none; a completion's are the values chosen so far.
    pub arguments: Members,
    /// By when it is answered.
    pub deadline: Deadline,
    /// What the client can be asked for.
    pub client: ClientCapabilities,
    /// What the client answered so far; empty the first time.
    pub answers: Answers,
    /// What the backend wanted to remember when it asked.
    pub state: Option<String>,
    /// Where progress and log messages go.
    pub outlet: Outlet,
    /// What the target turned out to be. The gate fills it in.
    pub found: Found,
    /// Where changes are announced. The gate fills it in.
    pub notices: Notices,
    /// The way back into the gate, for calls that make calls. The gate fills it in.
    pub gate: Option<Weak<dyn Invoke>>,
    /// How many calls stand above this one.
    pub depth: u8,
    /// Where the call stands in its trace, if it is sampled. The gate fills it in.
    pub trace: Option<Trace>,
}

/// What a call is aimed at, as the client named it.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// The tool of this name.
    Tool(String),
    /// The resource at this URI.
    Resource(String),
    /// The prompt of this name.
    Prompt(String),
    /// Proposals for one argument.
    Completion {
        /// Of which prompt or template.
        of: Reference,
        /// The argument's name.
        argument: String,
        /// What has been typed so far.
        value: String,
    },
}

impl Target {
    /// `tool`, `resource`, `prompt` or `completion`.
    #[must_use]
    pub fn sort(&self) -> &'static str {
        match self {
            Self::Tool(_) => "tool",
            Self::Resource(_) => "resource",
            Self::Prompt(_) => "prompt",
            Self::Completion { .. } => "completion",
        }
    }

    /// The name or URI that was asked for.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Tool(name) | Self::Resource(name) | Self::Prompt(name) => name,
            Self::Completion { of: Reference::Prompt(name) | Reference::Template(name), .. } => name,
        }
    }
}

/// Where a call came from; the same for all calls of one connection or session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// `http`, `stdio`, `cli`.
    pub transport: &'static str,
    /// Protocol revision, such as `2026-07-28`.
    pub revision: &'static str,
    /// The session, where the client has one: its MCP session (shortened) or the id it sent in `X-Claude-Session-ID`.
    pub session: Option<String>,
    /// W3C trace context, as received.
    pub traceparent: Option<String>,
    /// What belongs to it, as received.
    pub tracestate: Option<String>,
}

/// The way back into the gate.
#[async_trait]
pub trait Invoke: Send + Sync {
    /// Makes a call: it walks the whole column like any other.
    async fn invoke(&self, call: Call) -> Result<Reply, Fault>;
}

impl std::fmt::Debug for dyn Invoke {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Invoke")
    }
}

impl Call {
    /// A call of `target` by `caller` that nobody listens to until it is done, under a fresh id.
    #[must_use]
    pub fn new(target: Target, arguments: Members, caller: Arc<Caller>, origin: Arc<Origin>, deadline: Deadline) -> Self {
        Self::under(RequestId::fresh(), target, arguments, caller, origin, deadline)
    }

    /// The same under the id that the request came with.
    #[must_use]
    pub fn under(
        request: RequestId,
        target: Target,
        arguments: Members,
        caller: Arc<Caller>,
        origin: Arc<Origin>,
        deadline: Deadline,
    ) -> Self {
        Self {
            request,
            caller,
            origin,
            target,
            arguments,
            deadline,
            client: ClientCapabilities::default(),
            answers: Answers::new(),
            state: None,
            outlet: Outlet::closed(),
            found: Found::Nothing,
            notices: Notices::default(),
            gate: None,
            depth: 0,
            trace: None,
        }
    }

    /// An argument by name.
    #[must_use]
    pub fn argument(&self, name: &str) -> Option<&Value> {
        self.arguments.get(name)
    }

    /// An argument that is a text; missing or of another type is the caller's mistake.
    pub fn text(&self, name: &str) -> Result<&str, Fault> {
        let value = self.argument(name).ok_or_else(|| Fault::arguments(format!("`{name}` is missing")))?;
        value.as_str().ok_or_else(|| Fault::arguments(format!("`{name}` must be a string")))
    }

    /// Says how far the work is.
    pub async fn progress(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        self.outlet.send(Signal::Progress { progress, total, message: message.map(Into::into) }).await;
    }

    /// Writes to the client's log.
    pub async fn log(&self, level: Level, logger: &str, data: impl Into<Value> + Send) {
        self.outlet.send(Signal::Log { level, logger: Some(logger.into()), data: data.into() }).await;
    }

    /// Lets the client drop the connection until the reply is there.
    pub async fn pause(&self) {
        self.outlet.send(Signal::Pause).await;
    }

    /// Refuses unless the client can answer `request`.
    pub fn require(&self, request: &InputRequest) -> Result<(), Fault> {
        self.client.lacks(request).map_or(Ok(()), |capability| Err(Fault::capability(capability)))
    }

    /// Calls another tool of the gate: as the same caller, before the same deadline, on the record.
    pub async fn invoke(&self, tool: &str, arguments: Members) -> Result<ToolReply, Fault> {
        let gate = self.gate.as_ref().and_then(Weak::upgrade).ok_or_else(|| Fault::internal("the gate is closing"))?;
        if self.depth >= DEEPEST {
            return Err(Fault::internal(format!("calls call each other more than {DEEPEST} deep")));
        }
        let inner = Self {
            target: Target::Tool(tool.into()),
            arguments,
            answers: Answers::new(),
            state: None,
            outlet: Outlet::closed(),
            found: Found::Nothing,
            depth: self.depth + 1,
            ..self.clone()
        };
        match gate.invoke(inner).await? {
            Reply::Tool(reply) => Ok(reply),
            _ => Err(Fault::internal(format!("`{tool}` asked for input, which a call within a call cannot give"))),
        }
    }
}
