//! The raw tree of one file to the tree of the configuration: `${…}` is filled in, repeated keys are found.

use std::{collections::HashMap, sync::Arc};

use miette::NamedSource;
use serde_saphyr::Spanned;

use super::{
    Environment,
    parse::{Raw, coordinates},
};
use crate::{
    Problem, Problems,
    problem::Spot,
    tree::{Member, Node, Place, Tree, join},
};

/// The tree of one file; mistakes are noted in `problems`.
pub(super) fn fill(
    raw: Spanned<Raw>,
    file: usize,
    sources: &[Arc<NamedSource<String>>],
    environment: &Environment,
    problems: &mut Problems,
) -> Node {
    Filler { file, source: &sources[file], environment, problems }.node(raw, "")
}

struct Filler<'f> {
    file: usize,
    source: &'f Arc<NamedSource<String>>,
    environment: &'f Environment,
    problems: &'f mut Problems,
}

impl Filler<'_> {
    fn node(&mut self, raw: Spanned<Raw>, path: &str) -> Node {
        let place = self.place(&raw.defined);
        let tree = match raw.value {
            Raw::Null => Tree::Null,
            Raw::Bool(value) => Tree::Bool(value),
            Raw::Number(value) => Tree::Number(value),
            Raw::Text(text) if text.contains("${") => self.text(&text, place, path),
            Raw::Text(text) => Tree::Text(text.into()),
            Raw::List(items) => {
                let item = |(index, item)| Arc::new(self.node(item, &format!("{path}[{index}]")));
                Tree::List(items.into_iter().enumerate().map(item).collect())
            }
            Raw::Mapping(members) => Tree::Mapping(self.members(members, path)),
        };
        Node { tree, place }
    }

    fn members(&mut self, raw: Vec<(Spanned<String>, Spanned<Raw>)>, path: &str) -> Vec<Member> {
        let mut first: HashMap<Arc<str>, u32> = HashMap::with_capacity(raw.len());
        let mut members = Vec::with_capacity(raw.len());
        for (key, value) in raw {
            let place = self.place(&key.defined);
            let key: Arc<str> = key.value.into();
            let path = join(path, &key);
            if let Some(line) = first.get(&key) {
                let message = format!("`{key}` stands there twice, first in line {line}");
                self.note(place, &path, message, "remove or rename one of the two");
                continue;
            }
            first.insert(key.clone(), place.line);
            members.push(Member { node: Arc::new(self.node(value, &path)), key, place });
        }
        members
    }

    fn text(&mut self, text: &str, place: Place, path: &str) -> Tree {
        match interpolate(text, self.environment) {
            Ok(filled) => {
                let whole = text.starts_with("${") && text.find('}') == Some(text.len() - 1);
                // In quotes or a block, a text stays a text.
                let plain = self.source.inner().get(place.start..).is_some_and(|written| written.starts_with("${"));
                if whole && plain { Tree::Filled(filled.into()) } else { Tree::Blend(filled.into()) }
            }
            Err(mistakes) => {
                for (message, help) in mistakes {
                    self.note(place, path, message, &help);
                }
                Tree::Unset
            }
        }
    }

    fn place(&self, location: &serde_saphyr::Location) -> Place {
        let (line, column, start, len) = coordinates(location);
        Place { file: self.file, line, column, start, len }
    }

    fn note(&mut self, place: Place, path: &str, message: String, help: &str) {
        let Place { line, column, start, len, .. } = place;
        let spot = Spot { source: self.source.clone(), line, column, start, len };
        self.problems.push(Problem::at(Some(spot), path, message).help(help));
    }
}

/// `text` with each `${NAME}` and `${NAME:-default}` filled in; an empty variable counts as unset, and `$${` stands for `${`.
fn interpolate(text: &str, environment: &Environment) -> Result<String, Vec<(String, String)>> {
    let mut filled = String::with_capacity(text.len());
    let mut mistakes = Vec::new();
    let mut rest = text;
    while let Some(dollar) = rest.find("${") {
        let (before, after) = rest.split_at(dollar);
        let inner = &after[2..];
        if let Some(before) = before.strip_suffix('$') {
            filled.push_str(before);
            filled.push_str("${");
            rest = inner;
            continue;
        }
        filled.push_str(before);
        if inner.starts_with('{') {
            // A dollar before an expression of a template, as in `${{ price }}`.
            filled.push_str("${");
            rest = inner;
            continue;
        }
        let Some((expression, after)) = inner.split_once('}') else {
            mistakes.push(("`${` without its `}`".to_owned(), "write `$${` for a literal `${`".to_owned()));
            rest = "";
            break;
        };
        match variable(expression, environment) {
            Ok(value) => filled.push_str(&value),
            Err(mistake) => mistakes.push(mistake),
        }
        rest = after;
    }
    filled.push_str(rest);
    if mistakes.is_empty() { Ok(filled) } else { Err(mistakes) }
}

fn variable(expression: &str, environment: &Environment) -> Result<String, (String, String)> {
    let (name, default) = expression.split_once(":-").map_or((expression, None), |(name, default)| (name, Some(default)));
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !starts || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        let help = "write `${NAME}` or `${NAME:-default}`, or `$${` for a literal `${`";
        return Err((format!("`${{{expression}}}` names no environment variable"), help.to_owned()));
    }
    let value = environment.get(name).filter(|value| !value.is_empty());
    value.or_else(|| default.map(str::to_owned)).ok_or_else(|| {
        let help = format!("set it, or give a default: `${{{name}:-…}}`");
        (format!("the environment variable `{name}` is not set"), help)
    })
}
