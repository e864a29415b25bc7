//! What a kind of backend is: the types an operator fills in, a check, and an opening.
//!
//! `declare` reads the configuration, splits off what all kinds share, and gives each backend its [`Share`]. A kind checks its share
//! without connecting (reading files of the configuration folder is fine), and later opens it. Mistakes are collected, never thrown
//! one by one: a `check` or `open` that found one goes on looking for the next.

use std::sync::Arc;

use callgate_config::{Problems, Section};
use callgate_model::{Backend, BackendName, Clock, Reference, async_trait};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::{Input, Resource, Tool};

/// A kind of backend. The implementing type is a checked backend that has not been opened yet.
#[async_trait]
pub trait KindOf: Sized + Send + Sync + 'static {
    /// What stands after `kind:`.
    const NAME: &'static str;
    /// The keys of an entry of `backends:`, beside `kind`.
    type Settings: Written;
    /// The keys of a tool, beside those of every tool.
    type Tool: Written;
    /// The keys of a resource, beside those of every resource.
    type Resource: Written;
    /// The keys of a completion, beside `backend`.
    type Completion: Written;

    /// Checks the share without connecting. `None` only together with a problem.
    fn check(share: Share<Self>, problems: &mut Problems) -> Option<Self>;

    /// What each of its tools takes, with all that the kind adds, and where the tool stands.
    fn inputs(&self) -> Vec<(&Input, &Section)>;

    /// Connects, checks against the system behind (all statements, all tools), and gives the backend that serves.
    async fn open(self, opening: &Opening) -> Result<Arc<dyn Backend>, Problems>;

    /// Brings the system behind to the declared state; the names of the steps taken, in order.
    async fn migrate(&self) -> Result<Vec<String>, Problems> {
        Ok(Vec::new())
    }
}

/// Something an operator writes: readable, with a schema.
pub trait Written: DeserializeOwned + JsonSchema + Send + Sync + 'static {}

impl<T: DeserializeOwned + JsonSchema + Send + Sync + 'static> Written for T {}

/// The part of the configuration that one backend answers for. Order is that of the files.
#[derive(Debug)]
pub struct Share<K: KindOf> {
    /// The backend's name.
    pub name: BackendName,
    /// Its settings.
    pub settings: K::Settings,
    /// Where the settings stand; also knows the folder for relative paths.
    pub section: Section,
    /// Its tools.
    pub tools: Vec<ToolEntry<K::Tool>>,
    /// Its resources.
    pub resources: Vec<ResourceEntry<K::Resource>>,
    /// The completions it is asked for: of its own templates and of prompts.
    pub completions: Vec<CompletionEntry<K::Completion>>,
}

/// A tool as its kind sees it.
#[derive(Debug)]
pub struct ToolEntry<T> {
    /// What every tool has.
    pub head: Tool,
    /// What the kind adds.
    pub own: T,
    /// Where it stands; pointers such as `/sql` or `/input/name/pattern` are relative to the tool.
    pub section: Section,
}

/// A resource, or family of resources, as its kind sees it.
#[derive(Debug)]
pub struct ResourceEntry<T> {
    /// What every resource has.
    pub head: Resource,
    /// What the kind adds.
    pub own: T,
    /// Where it stands.
    pub section: Section,
}

/// A completion as its kind sees it. [`Backend::complete`] is called with exactly this reference and argument.
#[derive(Debug)]
pub struct CompletionEntry<T> {
    /// Of which prompt or template.
    pub of: Reference,
    /// Of which argument or variable.
    pub argument: String,
    /// How.
    pub own: T,
    /// Where it stands.
    pub section: Section,
}

/// What a backend is given when it opens.
#[derive(Clone)]
pub struct Opening {
    /// Tells the time for what is written down.
    pub clock: Clock,
    /// Seals what travels through clients, such as cursors. The same for all gates that serve the same clients.
    pub key: [u8; 32],
    /// What it is opened for.
    pub aim: Aim,
}

/// What a backend is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// To serve: what is declared to happen at start happens.
    Serve,
    /// To see whether it would serve: nothing behind it is changed.
    Check,
}

impl std::fmt::Debug for Opening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opening").field("clock", &self.clock).field("aim", &self.aim).finish_non_exhaustive()
    }
}
