//! A row of the table of kinds: a kind with its types erased.

use std::sync::Arc;

use callgate_config::{Problems, Section};
use callgate_model::{Backend, BackendName, Reference, async_trait};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::{CompletionEntry, Input, KindOf, Opening, Resource, ResourceEntry, Share, Tool, ToolEntry};

/// A kind of backend, as the table lists it.
#[derive(Clone, Copy)]
pub struct Kind {
    /// What stands after `kind:`.
    pub name: &'static str,
    pub(super) check: fn(Raw, &mut Problems) -> Option<Box<dyn Ready>>,
    pub(super) keys: fn(&mut SchemaGenerator) -> Keys,
}

impl Kind {
    /// The row of `K`.
    #[must_use]
    pub const fn of<K: KindOf>() -> Self {
        Self { name: K::NAME, check: check::<K>, keys: keys::<K> }
    }
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kind").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A share whose kind's part is still to be read.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) name: BackendName,
    pub(super) kind: Kind,
    pub(super) settings: Section,
    pub(super) tools: Vec<RawTool>,
    pub(super) resources: Vec<RawResource>,
    pub(super) completions: Vec<RawCompletion>,
}

/// A tool; without a head where that could not be read.
#[derive(Debug)]
pub(super) struct RawTool {
    pub(super) head: Option<Tool>,
    pub(super) own: Section,
    pub(super) section: Section,
}

#[derive(Debug)]
pub(super) struct RawResource {
    pub(super) head: Option<Resource>,
    pub(super) own: Section,
    pub(super) section: Section,
}

#[derive(Debug)]
pub(super) struct RawCompletion {
    pub(super) of: Reference,
    pub(super) argument: String,
    pub(super) own: Section,
    pub(super) section: Section,
}

/// The keys a kind adds, as schemas of objects.
pub(super) struct Keys {
    pub(super) settings: Schema,
    pub(super) tool: Schema,
    pub(super) resource: Schema,
    pub(super) completion: Schema,
}

/// A checked backend whose kind is no longer known.
#[async_trait]
pub(super) trait Ready: Send + Sync {
    fn inputs(&self) -> Vec<(&Input, &Section)>;
    async fn open(self: Box<Self>, opening: &Opening) -> Result<Arc<dyn Backend>, Problems>;
    async fn migrate(&self) -> Result<Vec<String>, Problems>;
}

#[async_trait]
impl<K: KindOf> Ready for K {
    fn inputs(&self) -> Vec<(&Input, &Section)> {
        KindOf::inputs(self)
    }

    async fn open(self: Box<Self>, opening: &Opening) -> Result<Arc<dyn Backend>, Problems> {
        KindOf::open(*self, opening).await
    }

    async fn migrate(&self) -> Result<Vec<String>, Problems> {
        KindOf::migrate(self).await
    }
}

fn check<K: KindOf>(raw: Raw, problems: &mut Problems) -> Option<Box<dyn Ready>> {
    let Raw { name, settings: section, .. } = raw;
    let settings = section.read::<K::Settings>(problems);
    let mut tools = Vec::with_capacity(raw.tools.len());
    for RawTool { head, own, section } in raw.tools {
        let own = own.read::<K::Tool>(problems);
        tools.extend(head.zip(own).map(|(head, own)| ToolEntry { head, own, section }));
    }
    let mut resources = Vec::with_capacity(raw.resources.len());
    for RawResource { head, own, section } in raw.resources {
        let own = own.read::<K::Resource>(problems);
        resources.extend(head.zip(own).map(|(head, own)| ResourceEntry { head, own, section }));
    }
    let mut completions = Vec::with_capacity(raw.completions.len());
    for RawCompletion { of, argument, own, section } in raw.completions {
        let own = own.read::<K::Completion>(problems);
        completions.extend(own.map(|own| CompletionEntry { of, argument, own, section }));
    }
    let share = Share { name, settings: settings?, section, tools, resources, completions };
    K::check(share, problems).map(|kind| Box::new(kind) as Box<dyn Ready>)
}

fn keys<K: KindOf>(generator: &mut SchemaGenerator) -> Keys {
    Keys {
        settings: K::Settings::json_schema(generator),
        tool: K::Tool::json_schema(generator),
        resource: K::Resource::json_schema(generator),
        completion: K::Completion::json_schema(generator),
    }
}
