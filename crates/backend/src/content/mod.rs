//! Content: what the gate serves from its own configuration folder, texts, files and prompts.
//!
//! It needs no entry under `backends`. It promises that files are read only from the configuration folder, that a prompt's data is
//! fetched by calls like any other (as the caller, before the same deadline, on the record), and that a template reaches nothing
//! but its arguments and that data. What a tool gives is left to the tool.

mod config;
mod file;
mod mime;
mod prompt;
mod resource;

pub use config::{ArgumentConfig, ContentConfig, DataConfig, PromptConfig};
pub(crate) use resource::Entry;

use std::{collections::HashMap, sync::Arc};

use callgate_config::{Problems, Section};
use callgate_model::{Backend, BackendName, Call, Fault, Offers, Reply, async_trait};

use self::{prompt::Prompt, resource::Held};
use crate::declare::Shares;

/// The name under which the gate's own content appears in metrics and records.
pub const NAME: &str = "content";

pub(crate) fn name() -> BackendName {
    BackendName::new(NAME).expect("the name keeps the rule")
}

/// The gate's own content.
#[derive(Debug, Default)]
pub struct Content {
    resources: Vec<Arc<Held>>,
    by_uri: HashMap<String, usize>,
    prompts: Vec<Prompt>,
    by_name: HashMap<String, usize>,
}

/// Checks the resources that no backend serves, and all prompts. `tools` are the names of all tools, those with mistakes included.
pub(crate) fn check(prompts: &Section, tools: &[String], shares: &mut Shares<'_>, problems: &mut Problems) -> Content {
    let mut content = Content::default();
    for entry in std::mem::take(&mut shares.content) {
        if let Some(held) = Held::check(entry, problems) {
            content.by_uri.insert(held.uri.clone(), content.resources.len());
            content.resources.push(Arc::new(held));
        }
    }
    for (key, section) in prompts.entries() {
        if let Some(prompt) = Prompt::check(&key, &section, tools, shares, problems) {
            content.by_name.insert(key, content.prompts.len());
            content.prompts.push(prompt);
        }
    }
    content
}

impl Content {
    /// There is nothing to serve.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.prompts.is_empty()
    }
}

#[async_trait]
impl Backend for Content {
    fn offers(&self) -> Offers {
        let mut offers = Offers::default();
        for held in &self.resources {
            held.head.offer(Some(&held.mime), &mut offers);
        }
        offers.prompts.extend(self.prompts.iter().map(|prompt| prompt.offer.clone()));
        offers
    }

    async fn call(&self, call: &Call) -> Result<Reply, Fault> {
        Err(Fault::unknown("tool", call.target.name()))
    }

    async fn read(&self, call: &Call) -> Result<Reply, Fault> {
        let uri = call.target.name();
        let index = self.by_uri.get(uri).ok_or_else(|| Fault::unknown_resource(uri))?;
        let contents = self.resources[*index].clone().read().await?;
        Ok(Reply::Resource(vec![contents]))
    }

    async fn prompt(&self, call: &Call) -> Result<Reply, Fault> {
        let name = call.target.name();
        let index = self.by_name.get(name).ok_or_else(|| Fault::unknown("prompt", name))?;
        self.prompts[*index].render(call).await.map(Reply::Prompt)
    }
}

#[cfg(test)]
mod tests;
