//! What a tool, resource or completion runs: statements, what feeds them, what their rows become.

use std::{
    borrow::Cow,
    sync::atomic::{AtomicU32, Ordering},
};

use aws_lc_rs::rand;
use callgate_model::{Caller, Clock, Fault, Members};
use serde_json::Value;

use super::{
    caller::Trait,
    column::Column,
    config::{Expect, Returns},
    rows::Rows,
    text::{Feed, Form},
};
use crate::declare::Type;

/// Something to run in one go: on one connection, in one transaction if there is more than one statement.
#[derive(Debug)]
pub(super) struct Program {
    /// What feeds it, by index.
    pub(super) parameters: Vec<Parameter>,
    /// The statements, in order. A read has one.
    pub(super) steps: Vec<Step>,
    /// The step whose rows are the reply.
    pub(super) answer: usize,
    /// The queries whose results become members of the reply.
    pub(super) nests: Vec<Nest>,
    /// What the rows become.
    pub(super) returns: Returns,
    /// What it may do.
    pub(super) access: Access,
    /// The greatest number of rows in one reply.
    pub(super) rows: usize,
    /// The greatest size of a reply.
    pub(super) bytes: usize,
    /// What the caller reads when there is no row.
    pub(super) missing: String,
}

/// What a program may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Read. The engine sees to it.
    Read,
    /// Change something, in a transaction.
    Write,
}

/// One parameter and where its value comes from.
#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) of: Type,
    pub(super) source: Source,
}

/// Where the value of a parameter comes from.
#[derive(Debug)]
pub(super) enum Source {
    /// The caller, or this default.
    Argument(Option<Value>),
    /// A fresh id with this prefix.
    Id(String),
    /// The present moment.
    Now,
    /// Who is calling.
    Caller(Trait),
}

/// One statement of a program.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) statement: Statement,
    pub(super) expect: Option<Expect>,
    pub(super) otherwise: Option<String>,
}

/// A query whose result becomes a member of the reply.
#[derive(Debug)]
pub(super) struct Nest {
    pub(super) name: String,
    /// The index of the parameter that must be true.
    pub(super) when: Option<usize>,
    pub(super) returns: Returns,
    pub(super) rows: usize,
    pub(super) statement: Statement,
}

/// A statement for an engine.
#[derive(Debug)]
pub(super) struct Statement {
    /// Where it stands in the declaration, as a pointer.
    pub(super) pointer: String,
    /// What the operator wrote.
    pub(super) source: String,
    /// What the engine gets.
    pub(super) text: String,
    /// What feeds its placeholders, in order.
    pub(super) feeds: Vec<Feed>,
    /// It changes something.
    pub(super) writes: bool,
    /// Its columns; known once the engine has prepared it.
    pub(super) columns: Vec<Column>,
    /// The types of its placeholders, where PostgreSQL has to be told.
    pub(super) types: Vec<tokio_postgres::types::Type>,
    /// How it has behaved.
    pub(super) pace: Pace,
}

/// Remembers that a statement took long, for a while.
#[derive(Debug, Default)]
pub(super) struct Pace(AtomicU32);

impl Pace {
    /// For so many runs a slow statement goes where it disturbs nobody, before it is trusted again.
    const MEMORY: u32 = 64;

    /// It took too long.
    pub(super) fn slow(&self) {
        self.0.store(Self::MEMORY, Ordering::Relaxed);
    }

    /// It was quick where it could have taken long: trust returns sooner.
    pub(super) fn quick(&self) {
        self.0.store(self.0.load(Ordering::Relaxed) / 2, Ordering::Relaxed);
    }

    /// Whether it is known to take long; each question lets some of that be forgotten.
    pub(super) fn is_slow(&self) -> bool {
        let left = self.0.load(Ordering::Relaxed);
        if left > 0 {
            self.0.store(left - 1, Ordering::Relaxed);
        }
        left > 0
    }
}

/// Which rows are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// How many are skipped.
    pub(super) offset: u64,
}

/// The values of one call, by the index of the parameter.
pub(super) type Values<'a> = Vec<Cow<'a, Value>>;

/// Values that outlive the call they came with.
pub(super) fn keep(values: &Values<'_>) -> Values<'static> {
    values.iter().map(|value| Cow::Owned(value.as_ref().clone())).collect()
}

impl Program {
    /// The columns of the reply.
    pub(super) fn columns(&self) -> &[Column] {
        &self.steps[self.answer].statement.columns
    }

    /// The values for one call. What is not given is the default, or nothing.
    pub(super) fn values<'a>(&'a self, arguments: &'a Members, caller: &'a Caller, clock: Clock) -> Result<Values<'a>, Fault> {
        let value = |parameter: &'a Parameter| match &parameter.source {
            Source::Argument(default) => {
                let value = arguments.get(&parameter.name).or(default.as_ref()).unwrap_or(&Value::Null);
                exact(value, &parameter.of).map_err(|reason| Fault::arguments(format!("`{}` {reason}", parameter.name)))
            }
            Source::Caller(of) => match of.value(caller) {
                value if holds_nul(&value) => Err(Fault::denied(format!("`{of}` of yours cannot be used here"))),
                value => Ok(value),
            },
            Source::Id(prefix) => Ok(Cow::Owned(Value::String(fresh_id(prefix)?))),
            Source::Now => Ok(Cow::Owned(Value::String(clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()))),
        };
        self.parameters.iter().map(value).collect()
    }

    /// The nest of this index is wanted.
    pub(super) fn wants(&self, nest: &Nest, values: &Values<'_>) -> bool {
        nest.when.is_none_or(|when| values[when].as_ref() == &Value::Bool(true))
    }

    /// Refuses a reply of one row that has none.
    pub(super) fn settle(&self, rows: &Rows) -> Result<(), Fault> {
        if self.returns != Returns::One || rows.count > 0 {
            return Ok(());
        }
        Err(if rows.cut.is_some() { self.too_large() } else { Fault::not_found(self.missing.clone()) })
    }

    /// The fault for a reply that is larger than it may be.
    pub(super) fn too_large(&self) -> Fault {
        Fault::refused(format!("the reply would be larger than {} bytes; ask for less", self.bytes))
    }
}

impl Step {
    /// Refuses what was not expected.
    pub(super) fn judge(&self, rows: &Rows) -> Result<(), Fault> {
        let some = rows.count > 0 || (self.statement.columns.is_empty() && rows.changed > 0);
        let is_met = match self.expect {
            None => true,
            Some(Expect::Rows) => some,
            Some(Expect::None) => !some,
        };
        if is_met {
            return Ok(());
        }
        let sentence = self.otherwise.as_deref().unwrap_or("the present state of things does not allow this");
        Err(Fault::refused(fill(sentence, rows)))
    }
}

/// Puts values of the first row where the sentence names their columns. What a value holds is never filled in again.
fn fill(sentence: &str, rows: &Rows) -> String {
    let first: Members = rows.first().and_then(|row| serde_json::from_slice(row).ok()).unwrap_or_default();
    let mut filled = String::with_capacity(sentence.len());
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let named = after.split_once('}').and_then(|(name, after)| Some((first.get(name)?, after)));
        match named {
            Some((Value::String(text), _)) => filled.push_str(text),
            Some((value, _)) => filled.push_str(&value.to_string()),
            None => filled.push('{'),
        }
        rest = named.map_or(after, |(_, behind)| behind);
    }
    filled.push_str(rest);
    filled
}

impl Statement {
    /// The name of the parameter that feeds this placeholder.
    pub(super) fn feeder<'a>(&self, place: usize, parameters: &'a [Parameter]) -> Option<&'a str> {
        match self.feeds.get(place) {
            Some(Feed::Parameter(index, _)) => Some(&parameters[*index].name),
            _ => None,
        }
    }

    /// What is bound to a placeholder.
    pub(super) fn fed<'a>(feed: Feed, values: &'a Values<'_>, page: Page, rows: usize) -> Fed<'a> {
        match feed {
            Feed::Parameter(index, form) => Fed::Value(values[index].as_ref(), form),
            // One more than is shown tells whether there are more.
            Feed::Limit => Fed::Count(rows as u64 + 1),
            Feed::Offset => Fed::Count(page.offset),
        }
    }
}

/// One value on its way into a statement.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fed<'a> {
    /// Of the caller.
    Value(&'a Value, Form),
    /// Of the gate: how many rows.
    Count(u64),
}

/// The value, if it can be passed on without being changed: whole numbers must fit 64 bits, and texts hold no U+0000, where SQLite's
/// functions would take them to end and PostgreSQL refuses them.
fn exact<'a>(value: &'a Value, of: &Type) -> Result<Cow<'a, Value>, &'static str> {
    const TOO_LARGE: &str = "must be a whole number between -9223372036854775808 and 9223372036854775807";
    const EXACT_IN_F64: f64 = 9_007_199_254_740_992.0;
    match (value, of) {
        (Value::String(text), _) if text.contains('\0') => Err("must not hold the character U+0000"),
        (Value::Number(number), _) if number.is_i64() => Ok(Cow::Borrowed(value)),
        (Value::Number(number), _) if number.is_u64() => Err(TOO_LARGE),
        (Value::Number(number), Type::Integer) => {
            let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() <= EXACT_IN_F64).ok_or(TOO_LARGE)?;
            #[expect(clippy::cast_possible_truncation, reason = "checked: a whole number that fits")]
            let whole = float as i64;
            Ok(Cow::Owned(Value::from(whole)))
        }
        (Value::Array(items), Type::Array(inner)) => {
            let exact: Vec<_> = items.iter().map(|item| exact(item, inner)).collect::<Result<_, _>>()?;
            if exact.iter().all(|item| matches!(item, Cow::Borrowed(_))) {
                return Ok(Cow::Borrowed(value));
            }
            Ok(Cow::Owned(exact.into_iter().map(Cow::into_owned).collect()))
        }
        (Value::Object(members), Type::Object(parameters)) => {
            let mut changed = members.clone();
            for parameter in parameters {
                if let Some(member) = changed.get_mut(&parameter.name) {
                    *member = exact(member, &parameter.of)?.into_owned();
                } else if let Some(default) = &parameter.default {
                    changed.insert(parameter.name.clone(), default.clone());
                }
            }
            Ok(Cow::Owned(Value::Object(changed)))
        }
        _ => Ok(Cow::Borrowed(value)),
    }
}

/// A text with U+0000 in it: see [`exact`].
fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(members) => members.iter().any(|(name, value)| name.contains('\0') || holds_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn fresh_id(prefix: &str) -> Result<String, Fault> {
    const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    const LENGTH: usize = 20;
    /// The greatest multiple of 36 in a byte: what is above would make some letters likelier than others.
    const FAIR: u8 = 252;
    let mut id = String::with_capacity(prefix.len() + LENGTH);
    id.push_str(prefix);
    while id.len() < prefix.len() + LENGTH {
        let mut bytes = [0_u8; 32];
        rand::fill(&mut bytes).map_err(|_| Fault::internal("no random numbers"))?;
        let letters = bytes.iter().filter(|&&byte| byte < FAIR).map(|&byte| char::from(LETTERS[usize::from(byte % 36)]));
        id.extend(letters.take(prefix.len() + LENGTH - id.len()));
    }
    Ok(id)
}
