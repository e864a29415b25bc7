//! The rules of everything of one sort, compiled.

use std::{collections::HashMap, sync::Arc};

use callgate_expression::{Language, Rule};
use callgate_model::{Allow, Catalog, Item};

use super::rules::Rules;
use crate::Error;

/// The rules of one sort.
pub(super) struct Shelf {
    /// In the order of the catalog.
    pub(super) rules: Vec<Rules>,
    /// Where each stands, by name, URI or template.
    pub(super) places: HashMap<Box<str>, usize>,
}

/// What an offer says about who may.
struct Said<'o> {
    key: &'o str,
    allow: Option<&'o Allow>,
}

/// The rules of a catalog, by sort: tools, resources, families of resources, prompts.
pub(super) fn shelves(language: &Language, catalog: &Catalog) -> Result<[Shelf; 4], Error> {
    let tools = said(catalog.tools(), |tool| Said { key: tool.name.as_str(), allow: tool.terms.allow.as_ref() });
    let resources = said(catalog.resources(), |resource| Said { key: &resource.uri, allow: resource.allow.as_ref() });
    let templates = said(catalog.templates(), |family| Said { key: family.uri.as_str(), allow: family.allow.as_ref() });
    let prompts = said(catalog.prompts(), |prompt| Said { key: prompt.name.as_str(), allow: prompt.allow.as_ref() });
    Ok([
        compile(language, "tool", Rule::OF_TOOLS, tools)?,
        compile(language, "resource", Rule::OF_RESOURCES, resources)?,
        compile(language, "resource template", Rule::OF_OTHERS, templates)?,
        compile(language, "prompt", Rule::OF_OTHERS, prompts)?,
    ])
}

fn said<'o, T>(items: &'o [Arc<Item<T>>], say: impl Fn(&'o T) -> Said<'o>) -> impl Iterator<Item = Said<'o>> {
    items.iter().map(move |item| say(&item.offer))
}

fn compile<'o>(
    language: &Language,
    sort: &'static str,
    variables: &[&str],
    offers: impl Iterator<Item = Said<'o>>,
) -> Result<Shelf, Error> {
    let mut shelf = Shelf { rules: Vec::new(), places: HashMap::new() };
    for (index, Said { key, allow }) in offers.enumerate() {
        let rules = Rules::compile(language, allow, variables).map_err(|(rule, mistake)| Error::rule(sort, key, &rule, &mistake))?;
        shelf.rules.push(rules);
        shelf.places.insert(key.into(), index);
    }
    Ok(shelf)
}
