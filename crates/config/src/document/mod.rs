//! A whole configuration: all files read and merged, the environment filled in, every value with its place.

mod environment;
mod files;
mod fill;
mod parse;

use std::{path::Path, sync::Arc};

pub use environment::Environment;

use crate::{
    Problem, Problems, Section,
    section::Shared,
    tree::{Member, Node, Place, Tree},
};

/// A configuration that has been read. What it means is for the rooms to say, through [`Document::root`].
#[derive(Clone, Debug)]
pub struct Document {
    root: Section,
}

impl Document {
    /// Reads one YAML file, or all of a folder, with the environment of this process.
    ///
    /// Any mistake in reading is an error; use [`Document::read_all`] to go on and find those in the meaning as well.
    pub fn read(path: &Path) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        let document = Self::read_all(path, &Environment::process(), &mut problems);
        match document {
            Some(document) if problems.is_empty() => Ok(document),
            _ => Err(problems),
        }
    }

    /// Reads what can be read and notes every mistake. A value that cannot be filled in keeps its section from being read, silently:
    /// its mistake has been noted here. `None` if a file cannot be read as YAML at all.
    pub fn read_all(path: &Path, environment: &Environment, problems: &mut Problems) -> Option<Self> {
        let (folder, files) = files::find(path).map_err(|problem| problems.push(problem)).ok()?;
        let sources: Vec<_> = files.iter().filter_map(|file| files::read(file).map_err(|problem| problems.push(problem)).ok()).collect();
        let mut roots = Vec::new();
        for (file, source) in sources.iter().enumerate() {
            let raw = parse::parse(source).map_err(|problem| problems.push(problem)).ok();
            roots.extend(raw.map(|raw| fill::fill(raw, file, &sources, environment, problems)));
        }
        if roots.len() < files.len() {
            return None;
        }
        let shared = Arc::new(Shared::new(sources, folder, environment.clone()));
        let root = merge(roots, &shared, problems);
        Some(Self { root: Section::root(shared, root) })
    }

    /// The whole of it.
    #[must_use]
    pub fn root(&self) -> Section {
        self.root.clone()
    }

    /// The folder that relative paths are relative to.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.root.folder()
    }
}

/// All files as one mapping. A mapping such as `tools` may be spread over files; its members, and everything else, may not.
fn merge(roots: Vec<Node>, shared: &Shared, problems: &mut Problems) -> Node {
    let mut merged: Vec<Member> = Vec::new();
    let place = Place { line: 1, column: 1, ..Place::default() };
    for root in roots {
        match root.tree {
            Tree::Null => {}
            Tree::Mapping(members) => {
                for member in members {
                    add(member, &mut merged, shared, problems);
                }
            }
            _ => problems.push(Problem::at(shared.spot(root.place), "", "expected a mapping such as `version: 1`")),
        }
    }
    Node { tree: Tree::Mapping(merged), place }
}

fn add(member: Member, merged: &mut Vec<Member>, shared: &Shared, problems: &mut Problems) {
    let Some(first) = merged.iter_mut().find(|first| first.key == member.key) else {
        return merged.push(member);
    };
    if let (Tree::Mapping(mine), Tree::Mapping(theirs)) = (&first.node.tree, &member.node.tree) {
        let mut all = mine.clone();
        for inner in theirs {
            match all.iter().find(|earlier| earlier.key == inner.key) {
                Some(earlier) => problems.push(twice(&format!("{}.", member.key), inner, earlier.place, shared)),
                None => all.push(inner.clone()),
            }
        }
        first.node = Arc::new(Node { tree: Tree::Mapping(all), place: first.node.place });
    } else {
        problems.push(twice("", &member, first.place, shared));
    }
}

fn twice(path: &str, member: &Member, first: Place, shared: &Shared) -> Problem {
    let there = shared.spot(first).map_or_else(String::new, |spot| format!(", first in {}:{}", spot.source.name(), spot.line));
    let message = format!("`{}` stands there twice{there}", member.key);
    Problem::at(shared.spot(member.place), format!("{path}{}", member.key), message).help("remove or rename one of the two")
}
