//! YAML text to a raw tree with places. Repeated keys are kept for the next step, which reports each of them.

use std::{fmt, sync::Arc};

use miette::NamedSource;
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::Number;
use serde_saphyr::{DuplicateKeyPolicy, Location, MessageFormatter as _, Options, Spanned, UserMessageFormatter};

use crate::{Problem, problem::Spot};

/// A value as YAML has it.
#[derive(Debug)]
pub(super) enum Raw {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Mapping(Vec<(Spanned<String>, Spanned<Raw>)>),
}

/// The bounds of one file. Aliases are for saying something twice, not for a billion laughs.
fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_aliases: 256,
            max_anchors: 256,
            max_depth: 64,
            max_documents: 2,
            max_nodes: 250_000,
            max_events: 500_000,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 50_000, max_replay_stack_depth: 16 },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        with_snippet: false,
    }
}

/// Reads one file.
pub(super) fn parse(source: &Arc<NamedSource<String>>) -> Result<Spanned<Raw>, Problem> {
    let text = source.inner();
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| {
        let place = error.location();
        let message = UserMessageFormatter.format_message(error.without_snippet()).into_owned();
        let spot = place.map(|place| spot(source, &place));
        let problem = Problem::at(spot, "", message);
        let line = place.and_then(|place| text.lines().nth(usize::try_from(place.line().saturating_sub(1)).unwrap_or(usize::MAX)));
        if line.is_some_and(|line| line.contains("${") && line.contains(['{', '['])) {
            return problem.help("between `{ }` or `[ ]`, write \"${NAME}\" in quotes");
        }
        problem
    })
}

fn spot(source: &Arc<NamedSource<String>>, place: &Location) -> Spot {
    let (line, column, start, len) = coordinates(place);
    Spot { source: source.clone(), line, column, start: start.min(source.inner().len()), len }
}

/// Line, column, first byte and length in bytes.
pub(super) fn coordinates(place: &Location) -> (u32, u32, usize, usize) {
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let size = |number: Option<u64>| number.and_then(|number| usize::try_from(number).ok()).unwrap_or(0);
    let span = place.span();
    (small(place.line()), small(place.column()), size(span.byte_offset()), size(span.byte_len()))
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything)
    }
}

struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Raw, E> {
        Number::from_f64(value).map(Raw::Number).ok_or_else(|| E::custom("expected a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Raw, E> {
        Ok(Raw::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut members = Vec::new();
        while let Some((key, value)) = map.next_entry::<Spanned<String>, _>()? {
            if key.value.is_empty() {
                return Err(A::Error::custom("a key is empty"));
            }
            members.push((key, value));
        }
        Ok(Raw::Mapping(members))
    }
}
