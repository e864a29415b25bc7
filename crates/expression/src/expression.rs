//! A compiled expression and its evaluation.

use std::{collections::HashMap, fmt, sync::Arc};

use cel::{
    Context, Env, ExecutionError, Value,
    common::{ast::IdedExpr, types::CelBool},
    extractors::This,
};
use regex::Regex;

use crate::{Scope, bounds::STEPS, survey::Found};

/// A compiled expression. It can be evaluated any number of times, by several at once.
pub struct Expression {
    env: Arc<Env>,
    text: Box<str>,
    tree: IdedExpr,
    reads: Vec<String>,
    members: Vec<(String, String)>,
    nested: u32,
    patterns: Arc<HashMap<String, Regex>>,
}

/// Why an expression has no value. Nothing of the values it read stands in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Something that it reads is not there.
    #[error("`{0}` is not there")]
    Missing(String),
    /// A function or operator does not take values of these types.
    #[error("{0}")]
    Type(String),
    /// It would go through more than its bound.
    #[error("it would go through too many values ({nodes}, in loops {nested} deep)")]
    TooMuch {
        /// How many values there are.
        nodes: usize,
        /// How deep loops are nested.
        nested: u32,
    },
    /// Its value is no truth value.
    #[error("its value is a {0}, neither true nor false")]
    NoBool(String),
    /// Anything else, such as a division by zero.
    #[error("it cannot be evaluated with these values")]
    Other,
}

impl Expression {
    pub(crate) fn new(env: Arc<Env>, text: &str, tree: IdedExpr, found: Found) -> Self {
        let Found { reads, members, nested, patterns } = found;
        Self { env, text: text.into(), tree, reads, members, nested, patterns: Arc::new(patterns) }
    }

    /// The text it was compiled from.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it reads this variable.
    #[must_use]
    pub fn reads(&self, variable: &str) -> bool {
        self.reads.iter().any(|read| read == variable)
    }

    /// The members of this variable that it names, such as `amount` for `args.amount`.
    pub fn members(&self, variable: &str) -> impl Iterator<Item = &str> {
        self.members.iter().filter(move |(of, _)| of == variable).map(|(_, member)| member.as_str())
    }

    /// Whether it is true of these values.
    pub fn holds(&self, scope: Scope<'_>) -> Result<bool, Failure> {
        self.admit(scope)?;
        // An environment that is shared makes an empty context, which costs next to nothing.
        let mut context = Context::with_env(self.env.clone());
        context.set_variable_resolver(&scope);
        if !self.patterns.is_empty() {
            let patterns = self.patterns.clone();
            let matches = move |This(text): This<Arc<String>>, pattern: Arc<String>| {
                let found = patterns.get(pattern.as_str()).ok_or_else(|| ExecutionError::function_error("matches", "an unknown pattern"));
                found.map(|pattern| pattern.is_match(&text))
            };
            context.add_function("matches", matches).map_err(|_| Failure::Other)?;
        }
        let value = Value::resolve_val(&self.tree, &context).map_err(|error| self.failure(&error))?;
        match value.downcast_ref::<CelBool>() {
            Some(truth) => Ok(*truth.inner()),
            None => Err(Failure::NoBool(value.get_type().name().to_owned())),
        }
    }

    /// Refuses if there are too many values for the loops.
    fn admit(&self, scope: Scope<'_>) -> Result<(), Failure> {
        if self.nested == 0 {
            return Ok(());
        }
        let nodes: usize = scope.0.iter().filter(|(name, _)| self.reads(name)).map(|(_, operand)| operand.nodes).sum();
        match nodes.checked_pow(self.nested) {
            Some(steps) if steps <= STEPS => Ok(()),
            _ => Err(Failure::TooMuch { nodes, nested: self.nested }),
        }
    }

    fn failure(&self, error: &ExecutionError) -> Failure {
        match error {
            // A name that stands in the expression is the operator's; any other may be the caller's.
            ExecutionError::NoSuchKey(name) if self.text.contains(name.as_str()) => Failure::Missing(name.as_str().to_owned()),
            ExecutionError::NoSuchKey(_) => Failure::Missing("a member".into()),
            ExecutionError::NoSuchOverload(overload) => Failure::Type(overload.to_string()),
            _ => Failure::Other,
        }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.text).finish()
    }
}
