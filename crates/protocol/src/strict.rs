//! Strict JSON: one value, no member twice, nothing behind it, not too deep, not too many values.
//!
//! A lenient reader and a strict one may disagree about a message that says `"method"` twice. Whoever stands in front of
//! the gate could then have approved something else than what runs, so such a message is refused.
//!
//! What is read borrows its texts from the message. Most of a message is looked at once and dropped; only what is kept for the
//! call becomes a [`Value`], whose maps cost a hash per member.

use std::{borrow::Cow, cell::Cell, collections::HashSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value, error::Category};

use crate::RpcError;

/// Up to so many members are compared one by one, which is cheaper than hashing them.
const FEW: usize = 16;

/// What is taken of one message.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How deep it may be nested.
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
    let mut json = serde_json::Deserializer::from_str(text);
    let left = Cell::new(limits.values);
    let tree = Strict { depth: limits.depth, left: &left }.deserialize(&mut json).and_then(|tree| json.end().map(|()| tree));
    tree.map_err(|error| match error.classify() {
        Category::Data => RpcError::invalid_request(format!("the message is refused: {error}")),
        Category::Syntax | Category::Eof | Category::Io => RpcError::new(RpcError::PARSE, format!("the body is not JSON: {error}")),
    })
}

#[derive(Clone, Copy)]
struct Strict<'l> {
    depth: usize,
    /// How many more values the message may hold.
    left: &'l Cell<usize>,
}

impl Strict<'_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| E::custom("it is nested too deeply"))?;
        Ok(Self { depth, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Tree<'de>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree<'de>, D::Error> {
        let left = self.left.get().checked_sub(1);
        self.left.set(left.ok_or_else(|| D::Error::custom("it holds more values than this gate takes (wire.values)"))?);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Tree<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Tree<'de>, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree<'de>, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree<'de>, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree<'de>, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree<'de>, E> {
        Ok(Number::from_f64(value).map_or(Tree::Null, Tree::Number))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Tree<'de>, E> {
        Ok(Tree::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree<'de>, E> {
        Ok(Tree::Text(Cow::Owned(value.into())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            array.push(item);
        }
        Ok(Tree::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Tree<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut object = Object::default();
        while let Some(name) = members.next_key_seed(Name)? {
            object.0.push((name, members.next_value_seed(inner)?));
        }
        match object.twice() {
            None => Ok(Tree::Object(object)),
            Some(name) => {
                let name: String = name.chars().take(40).collect();
                Err(A::Error::custom(format_args!("member `{name}` stands there twice")))
            }
        }
    }
}

/// The name of a member.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(name.into()))
    }
}
