//! Values as expressions see them.

use std::{collections::HashMap, fmt};

use cel::{
    common::{
        types::{CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString, CelUInt},
        value::{CowVal, Val},
    },
    context::VariableResolver,
};
use serde_json::{Map, Number, Value};

/// A value that expressions can read; texts are borrowed from the JSON it was made of.
pub struct Operand<'v> {
    pub(crate) value: Box<dyn Val + 'v>,
    /// How many values it is made of.
    pub(crate) nodes: usize,
}

impl fmt::Debug for Operand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operand").field("nodes", &self.nodes).finish_non_exhaustive()
    }
}

impl<'v> Operand<'v> {
    /// A JSON value.
    #[must_use]
    pub fn of(value: &'v Value) -> Self {
        let mut nodes = 0;
        Self { value: borrowed(value, &mut nodes), nodes }
    }

    /// The members of an object.
    #[must_use]
    pub fn object(members: &'v Map<String, Value>) -> Self {
        let mut nodes = 1;
        Self { value: object(members, &mut nodes), nodes }
    }

    /// A JSON value that is kept.
    #[must_use]
    pub fn owned(value: Value) -> Operand<'static> {
        let mut nodes = 0;
        Operand { value: owned(value, &mut nodes), nodes }
    }
}

/// The values by name, for one evaluation or several.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'s>(pub &'s [(&'s str, &'s Operand<'s>)]);

impl VariableResolver for Scope<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let (_, operand) = self.0.iter().find(|(name, _)| *name == variable)?;
        Some(CowVal::Borrowed(operand.value.as_ref()))
    }
}

fn borrowed<'v>(value: &'v Value, nodes: &mut usize) -> Box<dyn Val + 'v> {
    *nodes += 1;
    match value {
        Value::Null => Box::new(CelNull),
        Value::Bool(value) => Box::new(CelBool::from(*value)),
        Value::Number(value) => number(value),
        Value::String(text) => Box::new(CelString::from(text.as_str())),
        Value::Array(items) => Box::new(CelList::from(items.iter().map(|item| borrowed(item, nodes)).collect::<Vec<_>>())),
        Value::Object(members) => object(members, nodes),
    }
}

fn object<'v>(members: &'v Map<String, Value>, nodes: &mut usize) -> Box<dyn Val + 'v> {
    let member = |(name, value): (&'v String, &'v Value)| (CelMapKey::from(name.as_str()), borrowed(value, nodes));
    Box::new(CelMap::from(members.iter().map(member).collect::<HashMap<_, _>>()))
}

fn owned(value: Value, nodes: &mut usize) -> Box<dyn Val> {
    *nodes += 1;
    match value {
        Value::Null => Box::new(CelNull),
        Value::Bool(value) => Box::new(CelBool::from(value)),
        Value::Number(value) => number(&value),
        Value::String(text) => Box::new(CelString::from(text)),
        Value::Array(items) => Box::new(CelList::from(items.into_iter().map(|item| owned(item, nodes)).collect::<Vec<_>>())),
        Value::Object(members) => {
            let member = |(name, value)| (CelMapKey::String(CelString::from(name)), owned(value, nodes));
            Box::new(CelMap::from(members.into_iter().map(member).collect::<HashMap<_, _>>()))
        }
    }
}

/// Whole numbers are `int` where they fit, `uint` where only that fits; all others are `double`. They can be compared with each other.
fn number<'v>(number: &Number) -> Box<dyn Val + 'v> {
    if let Some(whole) = number.as_i64() {
        Box::new(CelInt::from(whole))
    } else if let Some(whole) = number.as_u64() {
        Box::new(CelUInt::from(whole))
    } else {
        Box::new(CelDouble::from(number.as_f64().unwrap_or(f64::NAN)))
    }
}
