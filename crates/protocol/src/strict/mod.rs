//! Strict JSON: one value, no member twice, nothing behind it, not too deep, not too many values.
//!
//! A lenient reader and a strict one may disagree about a message that says `"method"` twice. Whoever stands in front of
//! the gate could then have approved something else than what runs, so such a message is refused.
//!
//! What is read borrows its texts from the message. Most of a message is looked at once and dropped; only what is kept for the
//! call becomes a [`Value`], whose maps cost a hash per member.

mod reader;

use std::{borrow::Cow, collections::HashSet};

use serde_json::{Number, Value};

use self::reader::{Reader, Wrong};
use crate::RpcError;

/// Up to so many members are compared one by one, which is cheaper than hashing them.
const FEW: usize = 16;

/// What is taken of one message.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How deep it may be nested; 128 at most.
    pub depth: usize,
    /// How many values it may hold, counting every scalar, array and object.
    pub values: usize,
}

/// One JSON value.
#[derive(Debug)]
pub(crate) enum Tree<'t> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'t, str>),
    Array(Vec<Tree<'t>>),
    Object(Object<'t>),
}

/// The members of an object, each name once.
#[derive(Debug, Default)]
pub(crate) struct Object<'t>(Vec<(Cow<'t, str>, Tree<'t>)>);

impl<'t> Object<'t> {
    /// Takes a member out. The order of the rest does not matter any more.
    pub(crate) fn take(&mut self, name: &str) -> Option<Tree<'t>> {
        let place = self.0.iter().position(|(own, _)| own == name)?;
        Some(self.0.swap_remove(place).1)
    }

    /// The name of any member.
    pub(crate) fn any(&self) -> Option<&str> {
        self.0.first().map(|(name, _)| name.as_ref())
    }

    /// All members, in their order.
    pub(crate) fn into_values(self) -> impl ExactSizeIterator<Item = (String, Value)> {
        self.0.into_iter().map(|(name, member)| (name.into_owned(), member.into()))
    }

    /// The first name that stands there twice.
    fn twice(&self) -> Option<&str> {
        let names = || self.0.iter().map(|(name, _)| name.as_ref());
        if self.0.len() <= FEW {
            return names().enumerate().find_map(|(place, name)| names().take(place).find(|before| *before == name));
        }
        let mut seen = HashSet::with_capacity(self.0.len());
        names().find(|name| !seen.insert(*name))
    }
}

impl From<Tree<'_>> for Value {
    fn from(tree: Tree<'_>) -> Self {
        match tree {
            Tree::Null => Self::Null,
            Tree::Bool(truth) => Self::Bool(truth),
            Tree::Number(number) => Self::Number(number),
            Tree::Text(text) => Self::String(text.into_owned()),
            Tree::Array(items) => Self::Array(items.into_iter().map(Into::into).collect()),
            Tree::Object(members) => Self::Object(members.into_values().collect()),
        }
    }
}

/// Reads `text` as one JSON value within `limits`.
pub(crate) fn parse(text: &[u8], limits: Limits) -> Result<Tree<'_>, RpcError> {
    // Checked as a whole, it need not be checked string by string.
    let text = std::str::from_utf8(text).map_err(|error| RpcError::new(RpcError::PARSE, format!("the body is not UTF-8: {error}")))?;
    Reader::new(text, limits).whole().map_err(|wrong| match wrong {
        Wrong::Refused(why) => RpcError::invalid_request(format!("the message is refused: {why}")),
        Wrong::Syntax { at, wanted } => RpcError::new(RpcError::PARSE, format!("the body is not JSON: {wanted} was expected at byte {at}")),
    })
}
