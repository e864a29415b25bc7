//! The language: what can be said in an expression.

use std::{fmt, sync::Arc};

use cel::{Env, ParseErrors};

use crate::{
    Expression, Mistake,
    bounds::{BRACKETS, LONGEST, SIGNS},
    survey::survey,
};

/// The language of expressions. Making it takes a while and some memory; all expressions of a room share one.
#[derive(Clone)]
pub struct Language {
    pub(crate) env: Arc<Env>,
}

impl Default for Language {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Language")
    }
}

impl Language {
    /// The standard functions of CEL.
    #[must_use]
    pub fn new() -> Self {
        Self { env: Arc::new(Env::stdlib().with_optional_support(false)) }
    }

    /// Compiles an expression over these variables. It may be 2048 bytes long.
    pub fn compile(&self, text: &str, variables: &[&str]) -> Result<Expression, Mistake> {
        if text.len() > LONGEST {
            return Err(Mistake::new(format!("an expression may have {LONGEST} bytes, and this one has {}", text.len()), LONGEST));
        }
        if text.trim().is_empty() {
            return Err(Mistake::new("there is no expression", 0));
        }
        let Shape { signs, deepest } = shape(text);
        if signs > SIGNS {
            return Err(Mistake::new(format!("an expression may have {SIGNS} brackets, dots and operators, and this one has {signs}"), 0));
        }
        if deepest > BRACKETS {
            return Err(Mistake::new(format!("brackets and choices may stand {BRACKETS} deep in each other, and here {deepest}"), 0));
        }
        let parser = self.env.parser();
        let (tree, source) = parser.parse_with_source_info(text).map_err(|errors| first(text, &errors))?;
        let found = survey(&tree, &source, variables)?;
        Ok(Expression::new(self.env.clone(), text, tree, found))
    }
}

/// What can be seen of an expression without parsing it: the parser cannot be told to go no deeper.
struct Shape {
    signs: usize,
    deepest: usize,
}

fn shape(text: &str) -> Shape {
    let (mut shape, mut depth) = (Shape { signs: 0, deepest: 0 }, 0_usize);
    let (mut quote, mut escaped) = (None, false);
    for c in text.chars() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), _) => quote = quote.filter(|_| c != open),
            (None, '\'' | '"') => quote = Some(c),
            // What follows a `?` stands in it until the end.
            (None, '(' | '[' | '{' | '?') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
        shape.signs += usize::from(quote.is_none() && c.is_ascii_punctuation() && c != '_');
        shape.deepest = shape.deepest.max(depth);
    }
    shape
}

/// The first mistake in the order of the text. What would have been possible instead is a list of tokens and helps nobody.
fn first(text: &str, errors: &ParseErrors) -> Mistake {
    const LONGEST_MESSAGE: usize = 160;
    let Some(error) = errors.errors.first() else { return Mistake::new("this is no expression", 0) };
    let message = error.msg.split(" expecting ").next().unwrap_or_default();
    let message = message.trim_start_matches("Syntax error:").trim();
    let message: String = message.replace("'<EOF>'", "end").chars().filter(|c| !c.is_control()).take(LONGEST_MESSAGE).collect();
    let number = |number: isize| usize::try_from(number).unwrap_or_default().saturating_sub(1);
    let line: usize = text.split_inclusive('\n').take(number(error.pos.0)).map(str::len).sum();
    let rest = text.get(line..).unwrap_or_default();
    let column = rest.char_indices().nth(number(error.pos.1)).map_or(rest.len(), |(at, _)| at);
    Mistake::new(format!("this is no expression: {message}"), line + column)
}
