//! Which arguments of which tools are repeated in headers. Found once for each catalog, because it is needed for each call.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use callgate_model::{Catalog, ToolName};
use callgate_protocol::modern::ParamHeaders;

/// How many catalogs are remembered: the present one, and those of callers who see another or of calls that began before a reload.
const REMEMBERED: usize = 8;

type Tools = HashMap<ToolName, ParamHeaders>;

/// The marks of the tools of the latest catalogs.
#[derive(Default)]
pub(crate) struct Marks(RwLock<Vec<(Arc<Catalog>, Arc<Tools>)>>);

impl Marks {
    /// The tools of `catalog` that have marked arguments.
    pub(crate) fn of(&self, catalog: &Arc<Catalog>) -> Arc<Tools> {
        let same = |(known, _): &&(Arc<Catalog>, Arc<Tools>)| Arc::ptr_eq(known, catalog);
        if let Some((_, tools)) = self.0.read().unwrap_or_else(PoisonError::into_inner).iter().find(same) {
            return tools.clone();
        }
        let tools = Arc::new(find(catalog));
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.remove(0);
        }
        known.push((catalog.clone(), tools.clone()));
        tools
    }
}

/// Refuses a catalog with a tool whose marks no client could follow: clients would not list it, and it could be called without the
/// headers that it asks for. Gives the tool and what is wrong with its input schema.
pub fn check(catalog: &Catalog) -> Result<(), (ToolName, String)> {
    let bad = |tool: &callgate_model::Tool| ParamHeaders::of(&tool.input).err().map(|why| (tool.name.clone(), why));
    catalog.tools().iter().find_map(|item| bad(&item.offer)).map_or(Ok(()), Err)
}

fn find(catalog: &Catalog) -> Tools {
    let mut tools = Tools::new();
    for item in catalog.tools() {
        match ParamHeaders::of(&item.offer.input) {
            Ok(marks) if marks.is_empty() => {}
            Ok(marks) => {
                tools.insert(item.offer.name.clone(), marks);
            }
            Err(why) => tracing::warn!(tool.name = %item.offer.name, "clients will not list `{}`: {why}", item.offer.name),
        }
    }
    tools
}

#[cfg(test)]
mod tests;
