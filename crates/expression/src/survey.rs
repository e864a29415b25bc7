//! Looks through a parsed expression: does it use only what there is, and how much work can it make?

use std::collections::HashMap;

use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SourceInfo};
use regex::{Regex, RegexBuilder};

use crate::{
    Mistake,
    bounds::{DEEPEST, NESTED, PATTERN},
};

/// The functions of the language that have a name.
const FUNCTIONS: &[&str] =
    &["bool", "bytes", "contains", "double", "dyn", "endsWith", "int", "matches", "size", "startsWith", "string", "type", "uint"];

/// Names that stand for types.
const TYPES: &[&str] = &["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"];

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The variables that are read.
    pub(crate) reads: Vec<String>,
    /// The members of variables that are named, each with its variable.
    pub(crate) members: Vec<(String, String)>,
    /// How deep loops are nested.
    pub(crate) nested: u32,
    /// The regular expressions, compiled, by their text.
    pub(crate) patterns: HashMap<String, Regex>,
}

/// Looks through `tree`.
pub(crate) fn survey(tree: &IdedExpr, source: &SourceInfo, variables: &[&str]) -> Result<Found, Mistake> {
    let mut survey = Survey { source, variables, bound: Vec::new(), loops: 0, found: Found::default() };
    survey.look(tree, 0)?;
    Ok(survey.found)
}

struct Survey<'t> {
    source: &'t SourceInfo,
    variables: &'t [&'t str],
    /// The variables of the loops around.
    bound: Vec<&'t str>,
    loops: u32,
    found: Found,
}

impl<'t> Survey<'t> {
    fn look(&mut self, tree: &'t IdedExpr, depth: usize) -> Result<(), Mistake> {
        let depth = depth + 1;
        if depth > DEEPEST {
            return Err(self.mistake(tree, format!("the expression is nested more than {DEEPEST} deep")));
        }
        match &tree.expr {
            Expr::Unspecified | Expr::Literal(_) => Ok(()),
            Expr::Ident(name) => self.name(tree, name),
            Expr::Select(select) => {
                if let Expr::Ident(variable) = &select.operand.expr {
                    self.member(variable, &select.field);
                }
                self.look(&select.operand, depth)
            }
            Expr::Call(call) => self.call(tree, call, depth),
            Expr::Comprehension(comprehension) => self.comprehension(tree, comprehension, depth),
            Expr::List(list) => list.elements.iter().try_for_each(|element| self.look(element, depth)),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => self.look(&entry.key, depth).and_then(|()| self.look(&entry.value, depth)),
                EntryExpr::StructField(field) => self.look(&field.value, depth),
            }),
            Expr::Struct(made) => Err(self.mistake(tree, format!("there is no type `{}`", made.type_name))),
        }
    }

    fn name(&mut self, tree: &IdedExpr, name: &str) -> Result<(), Mistake> {
        // The parser's own variables begin with `@`.
        if name.starts_with('@') || self.bound.contains(&name) || TYPES.contains(&name) {
            return Ok(());
        }
        if !self.variables.contains(&name) {
            let known: Vec<_> = self.variables.iter().map(|known| format!("`{known}`")).collect();
            return Err(self.mistake(tree, format!("there is no `{name}` here; an expression can read {}", known.join(", "))));
        }
        if !self.found.reads.iter().any(|read| read == name) {
            self.found.reads.push(name.to_owned());
        }
        Ok(())
    }

    fn member(&mut self, variable: &str, field: &str) {
        let is_known = self.found.members.iter().any(|(of, known)| of == variable && known == field);
        if !is_known && !self.bound.contains(&variable) {
            self.found.members.push((variable.to_owned(), field.to_owned()));
        }
    }

    fn call(&mut self, tree: &IdedExpr, call: &'t CallExpr, depth: usize) -> Result<(), Mistake> {
        let name = call.func_name.as_str();
        if name.starts_with(|c: char| c.is_alphabetic()) && !FUNCTIONS.contains(&name) {
            return Err(self.mistake(tree, format!("there is no function `{name}`; there is {}", FUNCTIONS.join(", "))));
        }
        if name == "matches" {
            self.pattern(tree, call)?;
        }
        call.target.iter().try_for_each(|target| self.look(target, depth))?;
        call.args.iter().try_for_each(|argument| self.look(argument, depth))
    }

    /// A pattern is compiled once, so it must be known now.
    fn pattern(&mut self, tree: &IdedExpr, call: &CallExpr) -> Result<(), Mistake> {
        let Some(Expr::Literal(LiteralValue::String(pattern))) = call.args.last().map(|argument| &argument.expr) else {
            return Err(self.mistake(tree, "the pattern of `matches` must be written out, as in `args.id.matches('^a[0-9]+$')`"));
        };
        let pattern = pattern.inner();
        let compiled = RegexBuilder::new(pattern).size_limit(PATTERN).dfa_size_limit(PATTERN).build();
        let compiled = compiled.map_err(|why| {
            let why = why.to_string();
            let last = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
            self.mistake(tree, format!("the pattern of `matches` cannot be used: {last}"))
        })?;
        self.found.patterns.insert(pattern.to_owned(), compiled);
        Ok(())
    }

    fn comprehension(&mut self, tree: &IdedExpr, of: &'t ComprehensionExpr, depth: usize) -> Result<(), Mistake> {
        self.look(&of.iter_range, depth)?;
        self.look(&of.accu_init, depth)?;
        self.loops += 1;
        self.found.nested = self.found.nested.max(self.loops);
        if self.loops > NESTED {
            return Err(self.mistake(tree, format!("loops (`exists`, `all`, `map`, `filter`) may be nested {NESTED} deep")));
        }
        let outside = self.bound.len();
        self.bound.extend([of.iter_var.as_str(), of.accu_var.as_str()]);
        self.bound.extend(of.iter_var2.as_deref());
        let inside = [&of.loop_cond, &of.loop_step, &of.result];
        inside.into_iter().try_for_each(|inner| self.look(inner, depth))?;
        self.bound.truncate(outside);
        self.loops -= 1;
        Ok(())
    }

    fn mistake(&self, tree: &IdedExpr, message: impl Into<String>) -> Mistake {
        // Offsets count characters.
        let start = self.source.offset_for(tree.id).and_then(|(start, _)| usize::try_from(start).ok()).unwrap_or_default();
        let text = &self.source.source;
        Mistake::new(message, text.char_indices().nth(start).map_or(text.len(), |(at, _)| at))
    }
}
