//! Puts a program together, statement by statement, and keeps count of which parameters are used.

use callgate_config::{Problem, Problems, Section, Size};
use serde_json::Value;

use crate::{
    declare::{Type, meant},
    sql::{
        caller::{KNOWN, PREFIX, Trait},
        config::Returns,
        program::{Access, Nest, Pace, Parameter, Program, Source, Statement, Step},
        text::{self, Dialect, Known, Text, TextError, Window},
    },
};

/// The caps of a reply.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) rows: usize,
    pub(super) bytes: usize,
}

impl Limits {
    /// These caps, or the defaults.
    pub(super) fn of(rows: Option<u32>, bytes: Option<Size>) -> Self {
        Self { rows: rows.map_or(100, |rows| rows as usize), bytes: bytes.unwrap_or(Size::kib(256)).bytes() }
    }
}

/// A program that is being put together.
pub(super) struct Builder<'a> {
    dialect: Dialect,
    section: &'a Section,
    parameters: Vec<Parameter>,
    used: Vec<bool>,
    pub(super) nests: Vec<Nest>,
}

impl<'a> Builder<'a> {
    /// Nothing yet; problems are told at places in `section`.
    pub(super) fn new(dialect: Dialect, section: &'a Section) -> Self {
        Self { dialect, section, parameters: Vec::new(), used: Vec::new(), nests: Vec::new() }
    }

    /// Adds a parameter that the caller gives.
    pub(super) fn argument(&mut self, name: &str, of: Type, default: Option<Value>) {
        self.parameter(name, of, Source::Argument(default));
    }

    /// Adds a parameter.
    pub(super) fn parameter(&mut self, name: &str, of: Type, source: Source) {
        self.parameters.push(Parameter { name: name.to_owned(), of, source });
        self.used.push(false);
    }

    /// Adds a text parameter for each name in `sql` that is not known yet.
    pub(super) fn take_any_name(&mut self, sql: &str) {
        // A text that cannot be scanned is reported when it becomes a statement.
        let names = Text::scan(sql, self.dialect).map(|text| text::names(&text)).unwrap_or_default();
        for name in names {
            if self.index(name).is_none() && !name.starts_with(PREFIX) {
                self.argument(name, Type::String, None);
            }
        }
    }

    /// What the statements read of the caller.
    pub(super) fn traits(&self) -> impl Iterator<Item = &Trait> {
        self.parameters.iter().filter_map(|parameter| if let Source::Caller(of) = &parameter.source { Some(of) } else { None })
    }

    /// Where the parameter stands.
    pub(super) fn index(&self, name: &str) -> Option<usize> {
        self.parameters.iter().position(|parameter| parameter.name == name)
    }

    /// The boolean parameter of this name; marks it as used.
    pub(super) fn switch(&mut self, name: &str, pointer: &str, problems: &mut Problems) -> Option<usize> {
        let is_boolean = |parameter: &&Parameter| matches!(parameter.of, Type::Boolean);
        match self.index(name).filter(|index| is_boolean(&&self.parameters[*index])) {
            Some(index) => {
                self.used[index] = true;
                Some(index)
            }
            None => {
                let problem = self.section.problem(pointer, format!("there is no boolean parameter `{name}`"));
                problems.push(meant(problem, name, self.parameters.iter().filter(is_boolean).map(|parameter| parameter.name.as_str())));
                None
            }
        }
    }

    /// A problem at a place in the declaration.
    pub(super) fn problem(&self, pointer: &str, message: &str) -> Problem {
        self.section.problem(pointer, message)
    }

    /// Marks a parameter as used by something that is no statement.
    pub(super) fn mark(&mut self, name: &str) {
        if let Some(index) = self.index(name) {
            self.used[index] = true;
        }
    }

    /// Checks and rewrites one statement.
    pub(super) fn statement(
        &mut self,
        sql: &str,
        pointer: &str,
        access: Access,
        window: Window,
        problems: &mut Problems,
    ) -> Option<Statement> {
        let section = self.section;
        let mut report = |error: TextError| problems.push(section.problem(pointer, error.to_string()));
        let scanned = Text::scan(sql, self.dialect).map_err(&mut report).ok()?;
        let judged = text::one_statement(&scanned).and_then(|end| {
            match access {
                Access::Read => text::reads_only(&scanned)?,
                Access::Write => text::verb(&scanned).map(|_| ())?,
            }
            Ok(end)
        });
        let judged = judged.map_err(report).ok();
        self.use_names(&scanned, pointer, problems)?;
        let known: Vec<_> = self.parameters.iter().map(|parameter| Known { name: &parameter.name, of: &parameter.of }).collect();
        let rewritten = text::rewrite(&scanned, judged?, self.dialect, &known, window);
        Some(Statement {
            pointer: pointer.to_owned(),
            source: sql.to_owned(),
            text: rewritten.text,
            feeds: rewritten.feeds,
            writes: text::writes(&scanned),
            columns: Vec::new(),
            types: Vec::new(),
            pace: Pace::default(),
        })
    }

    /// Marks what the text names; `None` if it names what there is not.
    fn use_names(&mut self, scanned: &Text<'_>, pointer: &str, problems: &mut Problems) -> Option<()> {
        let mut good = Some(());
        for name in text::names(scanned) {
            if let Some(index) = self.index(name) {
                self.used[index] = true;
                continue;
            }
            if name.starts_with(PREFIX) {
                match Trait::named(name) {
                    Some(of) => {
                        self.parameter(name, of.of(), Source::Caller(of));
                        self.used[self.parameters.len() - 1] = true;
                    }
                    None => {
                        problems.push(self.section.problem(pointer, format!("there is no `:{name}`")).help(KNOWN));
                        good = None;
                    }
                }
                continue;
            }
            let problem = self.section.problem(pointer, format!("there is no parameter `:{name}`"));
            problems.push(meant(problem, name, self.parameters.iter().map(|parameter| parameter.name.as_str())));
            good = None;
        }
        good
    }

    /// Reports every parameter that nothing uses.
    pub(super) fn unused(&self, problems: &mut Problems) {
        for (parameter, used) in self.parameters.iter().zip(&self.used) {
            if !used {
                let folder = if matches!(parameter.source, Source::Argument(_)) { "input" } else { "generate" };
                let pointer = format!("/{folder}/{}", parameter.name);
                problems.push(self.section.key_problem(&pointer, format!("no statement uses `:{}`", parameter.name)));
            }
        }
    }

    /// The program, as far as it is known before the engine has seen it.
    pub(super) fn program(self, steps: Vec<Step>, returns: Returns, access: Access, limits: Limits, missing: Option<String>) -> Program {
        Program {
            parameters: self.parameters,
            answer: steps.len().saturating_sub(1),
            steps,
            nests: self.nests,
            returns,
            access,
            rows: limits.rows,
            bytes: limits.bytes,
            missing: missing.unwrap_or_else(|| "there is nothing for these arguments".into()),
        }
    }
}

/// A statement of which nothing is expected.
pub(super) fn step(statement: Statement) -> Step {
    Step { statement, expect: None, otherwise: None }
}
