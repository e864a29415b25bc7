//! Strict JSON: one value, no member twice, nothing behind it, not too deep.
//!
//! A lenient reader and a strict one may disagree about a message that says `"method"` twice. Whoever stands in front of
//! the gate could then have approved something else than what runs, so such a message is refused.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, error::Category, map::Entry};

use crate::RpcError;

/// Reads `text` as one JSON value nested at most `depth` deep.
pub(crate) fn parse(text: &[u8], depth: usize) -> Result<Value, RpcError> {
    // Checked as a whole, it need not be checked string by string.
    let text = std::str::from_utf8(text).map_err(|error| RpcError::new(RpcError::PARSE, format!("the body is not UTF-8: {error}")))?;
    let mut json = serde_json::Deserializer::from_str(text);
    let value = Strict { depth }.deserialize(&mut json).and_then(|value| json.end().map(|()| value));
    value.map_err(|error| match error.classify() {
        Category::Data => RpcError::invalid_request(format!("the message is refused: {error}")),
        Category::Syntax | Category::Eof | Category::Io => RpcError::new(RpcError::PARSE, format!("the body is not JSON: {error}")),
    })
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| E::custom("it is nested too deeply"))?;
        Ok(Self { depth })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            match object.entry(key) {
                Entry::Vacant(place) => {
                    place.insert(members.next_value_seed(inner)?);
                }
                Entry::Occupied(twice) => {
                    let key: String = twice.key().chars().take(40).collect();
                    return Err(A::Error::custom(format_args!("member `{key}` stands there twice")));
                }
            }
        }
        Ok(Value::Object(object))
    }
}
