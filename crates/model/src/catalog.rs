//! The catalog: everything on offer, found by name in constant time.

use std::{collections::HashMap, fmt, sync::Arc};

use crate::{Backend, BackendName, Offers, Prompt, Reference, Resource, ResourceTemplate, Target, Tool};

/// One thing on offer and the backend that serves it.
#[derive(Clone)]
pub struct Item<T> {
    /// What is offered.
    pub offer: T,
    /// Its backend's name.
    pub backend_name: BackendName,
    /// Its backend.
    pub backend: Arc<dyn Backend>,
}

impl<T: fmt::Debug> fmt::Debug for Item<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Item").field("offer", &self.offer).field("backend", &self.backend_name).finish_non_exhaustive()
    }
}

/// What the target of a call turned out to be.
#[derive(Clone, Debug, Default)]
pub enum Found {
    /// A tool.
    Tool(Arc<Item<Tool>>),
    /// A resource with a fixed URI.
    Resource(Arc<Item<Resource>>),
    /// A member of a family, with the template's variables.
    Member(Arc<Item<ResourceTemplate>>, Vec<(String, String)>),
    /// A prompt.
    Prompt(Arc<Item<Prompt>>),
    /// The family a completion is asked for.
    Template(Arc<Item<ResourceTemplate>>),
    /// Nothing of that name is on offer.
    #[default]
    Nothing,
}

impl Found {
    /// The backend that serves it.
    #[must_use]
    pub fn backend(&self) -> Option<(&BackendName, &Arc<dyn Backend>)> {
        match self {
            Self::Tool(item) => Some((&item.backend_name, &item.backend)),
            Self::Resource(item) => Some((&item.backend_name, &item.backend)),
            Self::Member(item, _) | Self::Template(item) => Some((&item.backend_name, &item.backend)),
            Self::Prompt(item) => Some((&item.backend_name, &item.backend)),
            Self::Nothing => None,
        }
    }

    /// The tool, if it is one.
    #[must_use]
    pub fn tool(&self) -> Option<&Tool> {
        match self {
            Self::Tool(item) => Some(&item.offer),
            _ => None,
        }
    }

    /// A variable of the template that matched.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        match self {
            Self::Member(_, variables) => variables.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()),
            _ => None,
        }
    }
}

/// Two backends offer the same thing.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{sort} `{name}` is offered by `{first}` and by `{second}`; rename one")]
pub struct CatalogError {
    /// `tool`, `resource`, `resource template` or `prompt`.
    pub sort: &'static str,
    /// Its name or URI.
    pub name: String,
    /// Who offered it first.
    pub first: BackendName,
    /// Who offered it again.
    pub second: BackendName,
}

/// Everything on offer. Immutable: a change makes a new catalog.
#[derive(Debug, Default)]
pub struct Catalog {
    tools: Shelf<Tool>,
    resources: Shelf<Resource>,
    templates: Shelf<ResourceTemplate>,
    prompts: Shelf<Prompt>,
    completes: bool,
}

/// A sort of things on offer, each of which has its own list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shelved {
    /// A tool.
    Tool,
    /// A resource with a fixed URI.
    Resource,
    /// A family of resources.
    Template,
    /// A prompt.
    Prompt,
}

/// Things of one sort: in the order of the list, and by key.
#[derive(Debug)]
struct Shelf<T> {
    items: Vec<Arc<Item<T>>>,
    by_key: HashMap<Box<str>, usize>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { items: Vec::new(), by_key: HashMap::new() }
    }
}

impl<T> Shelf<T> {
    fn add(&mut self, sort: &'static str, key: &str, item: Item<T>) -> Result<(), CatalogError> {
        if let Some(&index) = self.by_key.get(key) {
            let first = self.items[index].backend_name.clone();
            return Err(CatalogError { sort, name: key.into(), first, second: item.backend_name });
        }
        self.by_key.insert(key.into(), self.items.len());
        self.items.push(Arc::new(item));
        Ok(())
    }

    fn find(&self, key: &str) -> Option<&Arc<Item<T>>> {
        self.by_key.get(key).map(|&index| &self.items[index])
    }

    fn only(&self, keep: impl Fn(usize) -> bool) -> Self {
        let mut keys: Vec<_> = self.by_key.iter().filter(|(_, index)| keep(**index)).collect();
        keys.sort_by_key(|(_, index)| **index);
        let items = keys.iter().map(|(_, index)| self.items[**index].clone()).collect();
        Self { items, by_key: keys.into_iter().enumerate().map(|(place, (key, _))| (key.clone(), place)).collect() }
    }
}

impl Catalog {
    /// The catalog of these backends; the order of backends is the order of the lists.
    pub fn of(backends: impl IntoIterator<Item = (BackendName, Arc<dyn Backend>)>) -> Result<Self, CatalogError> {
        let mut catalog = Self::default();
        for (name, backend) in backends {
            let Offers { tools, resources, templates, prompts, completes } = backend.offers();
            catalog.completes |= completes;
            for offer in tools {
                let key = offer.name.clone();
                catalog.tools.add("tool", key.as_str(), item(offer, &name, &backend))?;
            }
            for offer in resources {
                let key = offer.uri.clone();
                catalog.resources.add("resource", &key, item(offer, &name, &backend))?;
            }
            for offer in templates {
                let key = offer.uri.as_str().to_owned();
                catalog.templates.add("resource template", &key, item(offer, &name, &backend))?;
            }
            for offer in prompts {
                let key = offer.name.clone();
                catalog.prompts.add("prompt", key.as_str(), item(offer, &name, &backend))?;
            }
        }
        Ok(catalog)
    }

    /// The part of it for which `keep` is true, in the same order. `keep` is asked with the sort of an offer and its place in the
    /// list of its sort.
    #[must_use]
    pub fn only(&self, keep: impl Fn(Shelved, usize) -> bool) -> Self {
        let part = Self {
            tools: self.tools.only(|index| keep(Shelved::Tool, index)),
            resources: self.resources.only(|index| keep(Shelved::Resource, index)),
            templates: self.templates.only(|index| keep(Shelved::Template, index)),
            prompts: self.prompts.only(|index| keep(Shelved::Prompt, index)),
            completes: false,
        };
        // Nothing is left that could be completed.
        let completes = self.completes && !(part.templates.items.is_empty() && part.prompts.items.is_empty());
        Self { completes, ..part }
    }

    /// All tools, in order.
    #[must_use]
    pub fn tools(&self) -> &[Arc<Item<Tool>>] {
        &self.tools.items
    }

    /// All resources with a fixed URI, in order.
    #[must_use]
    pub fn resources(&self) -> &[Arc<Item<Resource>>] {
        &self.resources.items
    }

    /// All families of resources, in order.
    #[must_use]
    pub fn templates(&self) -> &[Arc<Item<ResourceTemplate>>] {
        &self.templates.items
    }

    /// All prompts, in order.
    #[must_use]
    pub fn prompts(&self) -> &[Arc<Item<Prompt>>] {
        &self.prompts.items
    }

    /// Somebody can complete arguments.
    #[must_use]
    pub fn completes(&self) -> bool {
        self.completes
    }

    /// The tool of this name.
    #[must_use]
    pub fn tool(&self, name: &str) -> Option<&Arc<Item<Tool>>> {
        self.tools.find(name)
    }

    /// What a call is aimed at. A fixed URI comes before a family; among families the first that matches.
    #[must_use]
    pub fn find(&self, target: &Target) -> Found {
        match target {
            Target::Tool(name) => self.tools.find(name).cloned().map_or(Found::Nothing, Found::Tool),
            Target::Resource(uri) => self.resources.find(uri).cloned().map_or_else(|| self.member(uri), Found::Resource),
            Target::Prompt(name) | Target::Completion { of: Reference::Prompt(name), .. } => {
                self.prompts.find(name).cloned().map_or(Found::Nothing, Found::Prompt)
            }
            Target::Completion { of: Reference::Template(uri), .. } => {
                self.templates.find(uri).cloned().map_or(Found::Nothing, Found::Template)
            }
        }
    }

    fn member(&self, uri: &str) -> Found {
        let of_family = |item: &Arc<Item<ResourceTemplate>>| {
            let variables = item.offer.uri.matches(uri)?;
            let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            Some(Found::Member(item.clone(), variables))
        };
        self.templates.items.iter().find_map(of_family).unwrap_or_default()
    }
}

fn item<T>(offer: T, name: &BackendName, backend: &Arc<dyn Backend>) -> Item<T> {
    Item { offer, backend_name: name.clone(), backend: backend.clone() }
}
