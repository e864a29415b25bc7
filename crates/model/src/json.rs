//! JSON that is finished: it travels as it is and is never parsed again on the way out.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// One well-formed JSON value as text. Cloning is cheap; serializing through `serde_json` copies the text unchanged.
#[derive(Clone)]
pub struct Json(Arc<str>);

impl Json {
    /// The text of `value`.
    ///
    /// # Panics
    /// Never for types whose map keys are strings, which is all that is passed here.
    #[must_use]
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Self {
        Self(serde_json::to_string(value).expect("a value with string keys always has a JSON text").into())
    }

    /// Checks that `text` is one JSON value and takes it as it is.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<&RawValue>(text)?;
        Ok(Self(text.into()))
    }

    /// Takes `text` at its writer's word: it has just been written as one JSON value. Rows become replies this way,
    /// without being read again.
    #[must_use]
    pub fn written(text: String) -> Self {
        debug_assert!(serde_json::from_str::<&RawValue>(&text).is_ok(), "this is not one JSON value: {text}");
        Self(text.into())
    }

    /// The JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value as a tree, for the few who must look inside.
    ///
    /// # Panics
    /// Never: the text was well-formed when this value was made.
    #[must_use]
    pub fn to_value(&self) -> serde_json::Value {
        serde_json::from_str(self.as_str()).expect("the text is well-formed JSON")
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::from_str::<&RawValue>(&self.0).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|raw| Self(raw.get().into()))
    }
}
