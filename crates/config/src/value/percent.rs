//! A part of a whole.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{EXPECTED, quantity};

/// A part of a whole as an operator writes it: a whole number from 1 to 100 and `%`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(u8);

const MEANT: &str = "a part such as `50%` (from 1% to 100%)";

impl Percent {
    /// So many hundredths; brought into the range from 1 to 100.
    #[must_use]
    pub const fn of(hundredths: u8) -> Self {
        Self(match hundredths {
            0 => 1,
            1..=100 => hundredths,
            _ => 100,
        })
    }

    /// How many hundredths.
    #[must_use]
    pub const fn hundredths(self) -> u8 {
        self.0
    }

    /// Whether `part` of `whole` is at least this much.
    #[must_use]
    pub fn is_reached(self, part: u32, whole: u32) -> bool {
        u64::from(part) * 100 >= u64::from(whole) * u64::from(self.0)
    }

    fn parse(text: &str) -> Option<Self> {
        let (number, unit) = quantity(text)?;
        let number = u8::try_from(number).ok().filter(|number| (1..=100).contains(number))?;
        (unit == "%").then_some(Self(number))
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom(format!("expected {MEANT}, found `{text}`")))
    }
}

impl JsonSchema for Percent {
    fn schema_name() -> Cow<'static, str> {
        "Percent".into()
    }

    fn schema_id() -> Cow<'static, str> {
        "callgate_config::Percent".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^([1-9]|[1-9][0-9]|100)%$", EXPECTED: MEANT })
    }
}
