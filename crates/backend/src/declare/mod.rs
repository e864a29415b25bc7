//! From a declaration to opened backends: read, check, open.
//!
//! [`check`] reads what all kinds share (the head of a tool, its parameters, the names of resources), gives every backend its share
//! and lets its kind check the rest; it connects to nothing and reports every mistake at once. [`Plan`] is what it found good.
//! What a tool does is left to its kind.

mod allow;
mod caching;
mod config;
pub mod input;
mod kind;
mod near;
mod plan;
mod propose;
mod read;
mod row;
mod schemas;
mod terms;

pub use allow::{AllowConfig, RequireConfig};
pub use config::{
    CacheConfig, EffectName, FallbackConfig, KindConfig, ProposerConfig, ResourceConfig, SharedName, ToolConfig, ValuesConfig,
};
pub use input::{Input, Parameter, Type};
pub use kind::{Aim, CompletionEntry, KindOf, Opening, ResourceEntry, Share, ToolEntry, Written};
pub use plan::{Applied, Declared, Opened, Plan, check, check_with};
pub use row::Kind;
pub use schemas::{Schemas, schemas, schemas_with};

pub(crate) use input::validator;
pub(crate) use near::meant;
pub(crate) use read::{Shares, named};
pub(crate) use terms::stands_in;

use std::time::Duration;

use callgate_model::{Allow, Effect, Json, Offers, Terms, ToolName, UriTemplate};

/// What every tool has.
#[derive(Clone, Debug)]
pub struct Tool {
    /// Its name.
    pub name: ToolName,
    /// What a person reads instead of the name.
    pub title: Option<String>,
    /// What the model reads.
    pub description: String,
    /// What it does to the world.
    pub effect: Effect,
    /// Calling it twice is the same as calling it once.
    pub idempotent: bool,
    /// How long a call may take; `None` for the gate's default.
    pub deadline: Option<Duration>,
    /// How many calls may run at once; `None` for the gate's default.
    pub concurrency: Option<usize>,
    /// Arguments that are never written down.
    pub redact: Vec<String>,
    /// Resources that a successful call changes.
    pub updates: Vec<UriTemplate>,
    /// On which terms it may be called.
    pub terms: Terms,
    /// Its parameters. A kind may add its own before it makes the offer.
    pub input: Input,
}

impl Tool {
    /// The tool as it is put on offer.
    #[must_use]
    pub fn offer(&self, output: Option<Json>) -> callgate_model::Tool {
        callgate_model::Tool {
            title: self.title.clone(),
            output,
            effect: self.effect,
            idempotent: self.idempotent,
            deadline: self.deadline,
            concurrency: self.concurrency,
            redact: self.redact.clone(),
            updates: self.updates.clone(),
            terms: self.terms.clone(),
            ..callgate_model::Tool::new(self.name.clone(), self.description.clone(), self.input.schema())
        }
    }
}

/// What every resource has.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Where it is.
    pub place: Place,
    /// Its name.
    pub name: String,
    /// What a person reads instead of the name.
    pub title: Option<String>,
    /// What the model reads.
    pub description: Option<String>,
    /// Media type, if the operator said one.
    pub mime: Option<String>,
    /// Who may read it; `None` if nothing was said.
    pub allow: Option<Allow>,
}

/// Where resources are.
#[derive(Clone, Debug)]
pub enum Place {
    /// One resource at this URI.
    Fixed(String),
    /// A family of resources. Its variables arrive as `call.found`.
    Family(UriTemplate),
}

impl Resource {
    /// Puts it on offer, with `mime` unless the operator said another media type.
    pub fn offer(&self, mime: Option<&str>, offers: &mut Offers) {
        let Self { name, title, description, allow, .. } = self.clone();
        let mime = self.mime.clone().or(mime.map(Into::into));
        match &self.place {
            Place::Fixed(uri) => {
                let uri = uri.clone();
                offers.resources.push(callgate_model::Resource { uri, name, title, description, mime, allow, ..Default::default() });
            }
            Place::Family(uri) => {
                let family = callgate_model::ResourceTemplate::new(uri.clone(), name);
                offers.templates.push(callgate_model::ResourceTemplate { title, description, mime, allow, ..family });
            }
        }
    }
}

impl Place {
    /// The template, if this is a family.
    #[must_use]
    pub fn family(&self) -> Option<&UriTemplate> {
        match self {
            Self::Family(uri) => Some(uri),
            Self::Fixed(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
