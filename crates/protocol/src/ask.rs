//! Typed requests: what a method wants, with its parameters checked.

use callgate_model::{Answers, ClientCapabilities, Level, Members, Reference};
use serde::Deserialize;
use serde_json::Value;

use crate::{Params, Request, Revision, RpcError};

/// What a request asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// Open a session. Legacy.
    Initialize(Box<Initialize>),
    /// Are you there? Legacy.
    Ping,
    /// From which level on the session wants log messages. Legacy.
    SetLevel(Level),
    /// Tell the session when this resource changes. Legacy.
    Subscribe(String),
    /// No longer. Legacy.
    Unsubscribe(String),
    /// Who are you and what can you do? Modern.
    Discover,
    /// Open a stream of notices. Modern.
    Listen(Filter),
    /// A page of tools.
    Tools(Page),
    /// A page of prompts.
    Prompts(Page),
    /// A page of resources.
    Resources(Page),
    /// A page of resource templates.
    Templates(Page),
    /// Run a tool.
    CallTool {
        /// Which.
        name: String,
        /// With which arguments.
        arguments: Members,
        /// What an earlier round brought.
        retry: Retry,
    },
    /// Read a resource.
    ReadResource {
        /// Which.
        uri: String,
        /// What an earlier round brought.
        retry: Retry,
    },
    /// Render a prompt.
    GetPrompt {
        /// Which.
        name: String,
        /// With which arguments.
        arguments: Members,
        /// What an earlier round brought.
        retry: Retry,
    },
    /// Propose values for an argument.
    Complete {
        /// Of which prompt or template.
        of: Reference,
        /// The argument's name.
        argument: String,
        /// What has been typed so far.
        value: String,
        /// The arguments chosen so far.
        context: Members,
    },
}

/// The handshake of a legacy client.
#[derive(Clone, Debug, PartialEq)]
pub struct Initialize {
    /// What it will be served as: the revision it asked for, or the newest legacy one.
    pub revision: Revision,
    /// What it can be asked.
    pub client: ClientCapabilities,
    /// What it says it is called; for display only.
    pub client_name: String,
}

/// Which notices a modern client wants to hear.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Changes of the list of tools.
    pub tools: bool,
    /// Changes of the list of prompts.
    pub prompts: bool,
    /// Changes of the lists of resources and templates.
    pub resources: bool,
    /// Changes of these resources.
    pub uris: Vec<String>,
}

/// Where a list goes on; `None` for its beginning.
pub type Page = Option<String>;

/// What a client brings along when it makes a call again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Retry {
    /// Its answers, by the key of the question.
    pub answers: Answers,
    /// Our sealed state, as we gave it.
    pub state: Option<String>,
}

/// What `request` asks for in `revision`. Its parameters are moved out, not copied.
pub fn ask(revision: Revision, request: &mut Request) -> Result<Ask, RpcError> {
    let params = &mut request.params;
    let modern = revision.is_modern();
    Ok(match request.method.as_str() {
        "tools/list" => Ask::Tools(page(params)?),
        "prompts/list" => Ask::Prompts(page(params)?),
        "resources/list" => Ask::Resources(page(params)?),
        "resources/templates/list" => Ask::Templates(page(params)?),
        "tools/call" => {
            Ask::CallTool { name: text(params, "name")?, arguments: members(params, "arguments")?, retry: retry(revision, params)? }
        }
        "prompts/get" => {
            Ask::GetPrompt { name: text(params, "name")?, arguments: members(params, "arguments")?, retry: retry(revision, params)? }
        }
        "resources/read" => Ask::ReadResource { uri: text(params, "uri")?, retry: retry(revision, params)? },
        "completion/complete" => complete(params)?,
        "server/discover" if modern => Ask::Discover,
        "subscriptions/listen" if modern => Ask::Listen(filter(params)?),
        "initialize" if !modern => Ask::Initialize(Box::new(initialize(params)?)),
        "ping" if !modern => Ask::Ping,
        "logging/setLevel" if !modern => Ask::SetLevel(level(params)?),
        "resources/subscribe" if !modern => Ask::Subscribe(text(params, "uri")?),
        "resources/unsubscribe" if !modern => Ask::Unsubscribe(text(params, "uri")?),
        method => return Err(RpcError::method_not_found(method)),
    })
}

fn text(params: &mut Params, key: &str) -> Result<String, RpcError> {
    match params.take(key) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(RpcError::invalid_params(format!("`{key}` must be a string"))),
        None => Err(RpcError::invalid_params(format!("`{key}` is missing"))),
    }
}

/// An object that may be absent.
fn members(params: &mut Params, key: &str) -> Result<Members, RpcError> {
    match params.take(key) {
        Some(Value::Object(members)) => Ok(members),
        Some(_) => Err(RpcError::invalid_params(format!("`{key}` must be an object"))),
        None => Ok(Members::new()),
    }
}

fn page(params: &mut Params) -> Result<Page, RpcError> {
    if params.get("cursor").is_some() { text(params, "cursor").map(Some) } else { Ok(None) }
}

fn level(params: &Params) -> Result<Level, RpcError> {
    let level = params.get("level").and_then(|level| Level::deserialize(level).ok());
    level.ok_or_else(|| RpcError::invalid_params("`level` must be one of debug, info, notice, warning, error, critical, alert, emergency"))
}

fn retry(revision: Revision, params: &mut Params) -> Result<Retry, RpcError> {
    // Legacy clients are asked by requests of the server; there the members mean nothing.
    if !revision.is_modern() {
        return Ok(Retry::default());
    }
    let answers = members(params, "inputResponses")?.into_iter().collect();
    let state = if params.get("requestState").is_some() { Some(text(params, "requestState")?) } else { None };
    Ok(Retry { answers, state })
}

fn complete(params: &mut Params) -> Result<Ask, RpcError> {
    let mut reference = Params::from(members(params, "ref")?);
    let of = match reference.get("type").and_then(Value::as_str) {
        Some("ref/prompt") => Reference::Prompt(text(&mut reference, "name")?),
        Some("ref/resource") => Reference::Template(text(&mut reference, "uri")?),
        _ => return Err(RpcError::invalid_params("`ref.type` must be `ref/prompt` or `ref/resource`")),
    };
    let mut argument = Params::from(members(params, "argument")?);
    let mut context = Params::from(members(params, "context")?);
    Ok(Ask::Complete {
        of,
        argument: text(&mut argument, "name")?,
        value: text(&mut argument, "value")?,
        context: members(&mut context, "arguments")?,
    })
}

fn filter(params: &mut Params) -> Result<Filter, RpcError> {
    if params.get("notifications").is_none() {
        return Err(RpcError::invalid_params("`notifications` is missing"));
    }
    let mut wanted = members(params, "notifications")?;
    let mut flag = |key: &str| match wanted.swap_remove(key) {
        None => Ok(false),
        Some(Value::Bool(wanted)) => Ok(wanted),
        Some(_) => Err(RpcError::invalid_params(format!("`notifications.{key}` must be true or false"))),
    };
    let (tools, prompts, resources) = (flag("toolsListChanged")?, flag("promptsListChanged")?, flag("resourcesListChanged")?);
    let uris = match wanted.swap_remove("resourceSubscriptions") {
        None => Vec::new(),
        Some(uris) => {
            Vec::deserialize(uris).map_err(|_| RpcError::invalid_params("`notifications.resourceSubscriptions` must be a list of URIs"))?
        }
    };
    Ok(Filter { tools, prompts, resources, uris })
}

fn initialize(params: &mut Params) -> Result<Initialize, RpcError> {
    let requested = text(params, "protocolVersion")?;
    let revision = Revision::named(&requested).filter(|revision| !revision.is_modern()).unwrap_or(Revision::NEWEST_LEGACY);
    let capabilities = Value::Object(members(params, "capabilities")?);
    let client = ClientCapabilities::deserialize(capabilities)
        .map_err(|cause| RpcError::invalid_params(format!("`capabilities` cannot be read: {cause}")))?;
    let client_name = params.get("clientInfo").and_then(|client| client.get("name")).and_then(Value::as_str);
    Ok(Initialize { revision, client, client_name: client_name.unwrap_or_default().chars().take(80).collect() })
}
