//! What is on offer: tools, resources, templates and prompts, as they are declared.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Allow, Json, PromptName, Terms, ToolName, UriTemplate};

/// What calling a tool does to the world. Hints for clients and the rules for retries follow from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Changes nothing.
    Read,
    /// Adds or changes something.
    #[default]
    Write,
    /// Takes something away for good.
    Destroy,
}

impl Effect {
    /// The word used in config, audit and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Destroy => "destroy",
        }
    }
}

/// A tool on offer.
#[derive(Clone, Debug)]
pub struct Tool {
    /// Its name, unique in the gate.
    pub name: ToolName,
    /// What a person reads instead of the name.
    pub title: Option<String>,
    /// What the model reads.
    pub description: String,
    /// JSON Schema of the arguments; passed on byte for byte.
    pub input: Json,
    /// JSON Schema of the structured result, if it has one.
    pub output: Option<Json>,
    /// What it does to the world.
    pub effect: Effect,
    /// Calling it twice is the same as calling it once.
    pub idempotent: bool,
    /// It reaches beyond the systems declared in the config.
    pub open_world: bool,
    /// How long a call may take; `None` for the gate's default.
    pub deadline: Option<Duration>,
    /// How many calls may run at once; `None` for the gate's default.
    pub concurrency: Option<usize>,
    /// Arguments that must not be written down, by name.
    pub redact: Vec<String>,
    /// Resources whose readers in the caller's tenant are told after a successful call; `{argument}` is filled in.
    pub updates: Vec<UriTemplate>,
    /// On which terms it may be called.
    pub terms: Terms,
    /// MCP icons.
    pub icons: Option<Json>,
    /// Free metadata (`_meta`).
    pub meta: Option<Json>,
}

impl Tool {
    /// A read-only tool with the gate's defaults.
    #[must_use]
    pub fn new(name: ToolName, description: impl Into<String>, input: Json) -> Self {
        Self {
            name,
            title: None,
            description: description.into(),
            input,
            output: None,
            effect: Effect::Read,
            idempotent: true,
            open_world: false,
            deadline: None,
            concurrency: None,
            redact: Vec::new(),
            updates: Vec::new(),
            terms: Terms::default(),
            icons: None,
            meta: None,
        }
    }
}

/// A resource on offer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resource {
    /// Where it is.
    pub uri: String,
    /// Its name.
    pub name: String,
    /// What a person reads instead of the name.
    pub title: Option<String>,
    /// What the model reads.
    pub description: Option<String>,
    /// Media type.
    pub mime: Option<String>,
    /// Who may read it; `None` if nothing was said.
    pub allow: Option<Allow>,
    /// Size in bytes, if known.
    pub size: Option<u64>,
    /// MCP annotations.
    pub annotations: Option<Json>,
    /// MCP icons.
    pub icons: Option<Json>,
    /// Free metadata (`_meta`).
    pub meta: Option<Json>,
}

/// A family of resources on offer.
#[derive(Clone, Debug)]
pub struct ResourceTemplate {
    /// Which URIs belong to it.
    pub uri: UriTemplate,
    /// Its name.
    pub name: String,
    /// What a person reads instead of the name.
    pub title: Option<String>,
    /// What the model reads.
    pub description: Option<String>,
    /// Media type of all its members.
    pub mime: Option<String>,
    /// Who may read them; `None` if nothing was said.
    pub allow: Option<Allow>,
    /// MCP annotations.
    pub annotations: Option<Json>,
    /// MCP icons.
    pub icons: Option<Json>,
    /// Free metadata (`_meta`).
    pub meta: Option<Json>,
}

impl ResourceTemplate {
    /// A family with nothing but its URIs and its name.
    #[must_use]
    pub fn new(uri: UriTemplate, name: impl Into<String>) -> Self {
        let (title, description, mime, allow, annotations, icons, meta) = Default::default();
        Self { uri, name: name.into(), title, description, mime, allow, annotations, icons, meta }
    }
}

/// A prompt on offer.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// Its name, unique in the gate.
    pub name: PromptName,
    /// What a person reads instead of the name.
    pub title: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// What it can be given; all texts.
    pub arguments: Vec<PromptArgument>,
    /// Who may use it; `None` if nothing was said.
    pub allow: Option<Allow>,
    /// MCP icons.
    pub icons: Option<Json>,
    /// Free metadata (`_meta`).
    pub meta: Option<Json>,
}

impl Prompt {
    /// A prompt without arguments.
    #[must_use]
    pub fn new(name: PromptName) -> Self {
        let (title, description, arguments, allow, icons, meta) = Default::default();
        Self { name, title, description, arguments, allow, icons, meta }
    }
}

/// One argument of a prompt.
#[derive(Clone, Debug, Default)]
pub struct PromptArgument {
    /// Its name.
    pub name: String,
    /// What a person reads instead of the name.
    pub title: Option<String>,
    /// What to give.
    pub description: Option<String>,
    /// The prompt cannot do without it.
    pub required: bool,
}

/// Everything one backend puts on offer. Order is kept: it is the order of the lists that clients see.
#[derive(Clone, Debug, Default)]
pub struct Offers {
    /// Tools.
    pub tools: Vec<Tool>,
    /// Resources with a fixed URI.
    pub resources: Vec<Resource>,
    /// Families of resources.
    pub templates: Vec<ResourceTemplate>,
    /// Prompts.
    pub prompts: Vec<Prompt>,
    /// The backend can complete arguments.
    pub completes: bool,
}
