//! Pages of the lists. A cursor is sealed, so that a client can neither make one up nor use another caller's.

use std::sync::Arc;

use callgate_model::{Catalog, Item};
use callgate_protocol::{RpcError, encode};

use crate::{desk::Desk, visit::Visit};

/// A page of tools.
pub(crate) fn tools(desk: &Desk, catalog: &Catalog, visit: &Visit, cursor: Option<&str>) -> Result<Vec<u8>, RpcError> {
    let (page, next) = page(desk, visit, "tools", catalog.tools(), cursor)?;
    let identity = desk.gateway.identity();
    let frame = visit.frame(&identity);
    Ok(encode::tools(&frame, page.iter().map(|item| &item.offer), next.as_deref(), desk.fresh_lists()))
}

/// A page of prompts.
pub(crate) fn prompts(desk: &Desk, catalog: &Catalog, visit: &Visit, cursor: Option<&str>) -> Result<Vec<u8>, RpcError> {
    let (page, next) = page(desk, visit, "prompts", catalog.prompts(), cursor)?;
    let identity = desk.gateway.identity();
    let frame = visit.frame(&identity);
    Ok(encode::prompts(&frame, page.iter().map(|item| &item.offer), next.as_deref(), desk.fresh_lists()))
}

/// A page of resources.
pub(crate) fn resources(desk: &Desk, catalog: &Catalog, visit: &Visit, cursor: Option<&str>) -> Result<Vec<u8>, RpcError> {
    let (page, next) = page(desk, visit, "resources", catalog.resources(), cursor)?;
    let identity = desk.gateway.identity();
    let frame = visit.frame(&identity);
    Ok(encode::resources(&frame, page.iter().map(|item| &item.offer), next.as_deref(), desk.fresh_lists()))
}

/// A page of resource templates.
pub(crate) fn templates(desk: &Desk, catalog: &Catalog, visit: &Visit, cursor: Option<&str>) -> Result<Vec<u8>, RpcError> {
    let (page, next) = page(desk, visit, "templates", catalog.templates(), cursor)?;
    let identity = desk.gateway.identity();
    let frame = visit.frame(&identity);
    Ok(encode::templates(&frame, page.iter().map(|item| &item.offer), next.as_deref(), desk.fresh_lists()))
}

type Page<'c, T> = (&'c [Arc<Item<T>>], Option<String>);

/// The items from `cursor` on, and the cursor for what follows them.
fn page<'c, T>(desk: &Desk, visit: &Visit, list: &str, all: &'c [Arc<Item<T>>], cursor: Option<&str>) -> Result<Page<'c, T>, RpcError> {
    let about = [b"cursor", list.as_bytes(), visit.caller.key().as_bytes()].join(&0);
    let start = match cursor {
        None => 0,
        Some(cursor) => position(desk, &about, cursor)
            .filter(|start| *start < all.len())
            .ok_or_else(|| RpcError::invalid_params("`cursor` is not one that this list gave; start again without it"))?,
    };
    let end = all.len().min(start.saturating_add(desk.config.page.max(1)));
    let next = (end < all.len()).then(|| desk.seal.close(&about, (end as u64).to_be_bytes().to_vec()));
    Ok((&all[start..end], next))
}

fn position(desk: &Desk, about: &[u8], cursor: &str) -> Option<usize> {
    let bytes = desk.seal.open(about, cursor)?;
    usize::try_from(u64::from_be_bytes(bytes.try_into().ok()?)).ok()
}
