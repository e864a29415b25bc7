//! A part of the configuration: rooms take the part that is theirs and read it into their types.

mod check;
mod explain;
mod schema;

use std::{
    collections::HashMap,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use miette::NamedSource;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use self::{check::Check, explain::Mistake};
pub use self::{
    explain::closest,
    schema::{schema_of, schema_with},
};
use crate::{
    Environment, Problem, Problems,
    problem::Spot,
    tree::{Member, Node, Place, Tree, escape, join, steps},
};

/// What all sections of one document share.
pub(crate) struct Shared {
    sources: Vec<Arc<NamedSource<String>>>,
    folder: PathBuf,
    environment: Environment,
    /// Compiled schemas by type, so that a thousand tools compile one.
    checks: Mutex<HashMap<String, Arc<Check>>>,
}

impl Shared {
    pub(crate) fn new(sources: Vec<Arc<NamedSource<String>>>, folder: PathBuf, environment: Environment) -> Self {
        Self { sources, folder, environment, checks: Mutex::default() }
    }

    pub(crate) fn spot(&self, place: Place) -> Option<Spot> {
        let Place { file, line, column, start, len } = place;
        let source = self.sources.get(file)?.clone();
        Some(Spot { source, line, column, start, len })
    }

    fn check<T: JsonSchema>(&self) -> Arc<Check> {
        // A panic while compiling leaves the table as it was.
        let mut checks = self.checks.lock().unwrap_or_else(PoisonError::into_inner);
        checks.entry(T::schema_id().into_owned()).or_insert_with(|| Arc::new(Check::of::<T>())).clone()
    }
}

/// A value of the configuration with its place, and the folder for relative paths. Cloning is cheap.
#[derive(Clone)]
pub struct Section {
    shared: Arc<Shared>,
    node: Arc<Node>,
    /// Where its key stands; the root has none.
    key: Option<Place>,
    path: Arc<str>,
    /// Keys that belong to the other half of a split.
    beside: Arc<[String]>,
}

impl Section {
    pub(crate) fn root(shared: Arc<Shared>, node: Node) -> Self {
        Self { shared, node: Arc::new(node), key: None, path: "".into(), beside: Arc::new([]) }
    }

    /// The section as a `T`, if it fits `T`'s schema. Otherwise every mistake is added to `problems`.
    pub fn read<T: DeserializeOwned + JsonSchema>(&self, problems: &mut Problems) -> Option<T> {
        let check = self.shared.check::<T>();
        let (mut value, mistakes) = self.validated(&check);
        if !mistakes.is_empty() {
            // What could not be filled in has been reported when the document was read.
            let told = |mistake: &Mistake| matches!(self.node_at(&mistake.pointer).map(|node| &node.tree), Some(Tree::Unset));
            problems.extend(mistakes.into_iter().filter(|mistake| !told(mistake)).map(|mistake| self.told(mistake)));
            return None;
        }
        if self.node.is_incomplete() || !self.reveal(&check, &mut value, problems) {
            return None;
        }
        serde_path_to_error::deserialize(value)
            .map_err(|error| problems.push(self.problem(&pointer_of(error.path()), error.inner().to_string())))
            .ok()
    }

    /// The members named in `keys`, and all others. A mistaken key in either is compared with the keys of both.
    #[must_use]
    pub fn split(&self, keys: &[&str]) -> (Self, Self) {
        let (mine, others): (Vec<_>, Vec<_>) = self.node.members().iter().cloned().partition(|member| keys.contains(&&*member.key));
        let half = |members: Vec<Member>, beside: Arc<[String]>| {
            // What is no mapping at all stays what it is, so that either half says so.
            let tree =
                if matches!(self.node.tree, Tree::Mapping(_) | Tree::Null) { Tree::Mapping(members) } else { self.node.tree.clone() };
            Self { node: Arc::new(Node { tree, place: self.node.place }), beside, ..self.clone() }
        };
        (half(mine, self.beside.clone()), half(others, self.beside.iter().cloned().chain(keys.iter().map(|&key| key.to_owned())).collect()))
    }

    /// The member of this name.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Self> {
        self.node.member(key).map(|member| self.member(member))
    }

    /// All members of a mapping, in order; none if it is no mapping.
    #[must_use]
    pub fn entries(&self) -> Vec<(String, Self)> {
        self.node.members().iter().map(|member| (member.key.as_ref().to_owned(), self.member(member))).collect()
    }

    /// The text at `pointer` (such as `/sql`; empty for the section itself), if there is one.
    #[must_use]
    pub fn text(&self, pointer: &str) -> Option<&str> {
        match &self.node_at(pointer)?.tree {
            Tree::Text(text) | Tree::Filled(text) | Tree::Blend(text) => Some(text),
            _ => None,
        }
    }

    /// Whether both say the same: equal values under equal keys, wherever they stand and however they are laid out.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.node.to_json("", &[]) == other.node.to_json("", &[])
    }

    /// What is written here, in the same order and in one form, however it is quoted and set.
    #[must_use]
    pub fn said(&self) -> String {
        self.node.to_json("", &[]).to_string()
    }

    /// The folder that relative paths are relative to.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.shared.folder
    }

    /// Where it stands in the configuration, such as `tools.get_customer`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// A mistake at `pointer` (such as `/sql`; empty for the section itself). Where that is not there, the place is its nearest parent.
    #[must_use]
    pub fn problem(&self, pointer: &str, message: impl Into<String>) -> Problem {
        self.problem_at(pointer, Side::Value, message)
    }

    /// Says what is lower than makes sense: where it stands, what it is, and the least it may be.
    pub fn at_least<V: PartialOrd + fmt::Display>(&self, values: &[(&str, V, V)], problems: &mut Problems) {
        let low = values.iter().filter(|(_, value, least)| value < least);
        problems.extend(low.map(|(pointer, value, least)| self.problem(pointer, format!("`{value}` is too little; at least `{least}`"))));
    }

    /// A mistake in the key at `pointer`, rather than in its value.
    #[must_use]
    pub fn key_problem(&self, pointer: &str, message: impl Into<String>) -> Problem {
        self.problem_at(pointer, Side::Key, message)
    }

    fn problem_at(&self, pointer: &str, side: Side, message: impl Into<String>) -> Problem {
        let mut node = &self.node;
        let mut key = self.key;
        let mut path = self.path.as_ref().to_owned();
        let mut found = true;
        for step in steps(pointer) {
            let next = match &node.tree {
                Tree::Mapping(_) => node.member(&step).map(|member| (&member.node, Some(member.place))),
                Tree::List(items) => step.parse().ok().and_then(|index: usize| items.get(index)).map(|item| (item, None)),
                _ => None,
            };
            path = if matches!(node.tree, Tree::List(_)) { format!("{path}[{step}]") } else { join(&path, &step) };
            match next.filter(|_| found) {
                Some((inner, place)) => (node, key) = (inner, place),
                None => found = false,
            }
        }
        // A mapping begins wherever its first key happens to stand; the key that names it is what one looks for.
        let inside = matches!(node.tree, Tree::Mapping(_) | Tree::List(_) | Tree::Null);
        let place = if side == Side::Key || inside || !found { key.unwrap_or(node.place) } else { node.place };
        Problem::at(self.shared.spot(place), path, message)
    }

    fn told(&self, mistake: Mistake) -> Problem {
        // What came from the environment may be a secret: it is not repeated.
        let given = matches!(self.node_at(&mistake.pointer).map(|node| &node.tree), Some(Tree::Filled(_) | Tree::Blend(_)));
        let found = mistake
            .found
            .map(|found| if given { ", found something else in the environment".to_owned() } else { format!(", found {found}") });
        let problem = self.problem_at(&mistake.pointer, mistake.side, mistake.message + &found.unwrap_or_default());
        match mistake.help {
            Some(help) => problem.help(help),
            None => problem,
        }
    }

    /// The value with its filled-in texts as numbers and bools where those are wanted, and what is wrong with it.
    fn validated(&self, check: &Check) -> (Value, Vec<Mistake>) {
        let plain = |typed: &[String]| match self.node.tree {
            Tree::Null => Value::Object(serde_json::Map::new()),
            _ => self.node.to_json("", typed),
        };
        let value = plain(&[]);
        let mistakes = check.mistakes(&value, &self.beside);
        let filled = |pointer: &&String| matches!(self.node_at(pointer).map(|node| &node.tree), Some(Tree::Filled(_)));
        let typed: Vec<String> = mistakes.iter().map(|mistake| &mistake.pointer).filter(filled).cloned().collect();
        if typed.is_empty() {
            return (value, mistakes);
        }
        let value = plain(&typed);
        let mistakes = check.mistakes(&value, &self.beside);
        (value, mistakes)
    }

    /// Follows the references to secrets; says whether all led somewhere.
    fn reveal(&self, check: &Check, value: &mut Value, problems: &mut Problems) -> bool {
        let before = problems.len();
        check.reveal(
            value,
            &mut |pointer, reference| match crate::value::resolve(reference, &self.shared.folder, &self.shared.environment) {
                Some(Ok(text)) => *reference = Value::String(text),
                Some(Err(message)) => problems.push(self.problem(pointer, message)),
                None => {}
            },
        );
        problems.len() == before
    }

    fn member(&self, member: &Member) -> Self {
        let path = join(&self.path, &member.key).into();
        Self { shared: self.shared.clone(), node: member.node.clone(), key: Some(member.place), path, beside: Arc::new([]) }
    }

    fn node_at(&self, pointer: &str) -> Option<&Node> {
        steps(pointer).try_fold(self.node.as_ref(), |node, step| match &node.tree {
            Tree::Mapping(_) => node.member(&step).map(|member| member.node.as_ref()),
            Tree::List(items) => items.get(step.parse::<usize>().ok()?).map(AsRef::as_ref),
            _ => None,
        })
    }
}

impl fmt::Debug for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Section").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Which half of a member a mistake is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Key,
    Value,
}

/// Where deserialization stopped, as a JSON pointer.
fn pointer_of(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let step = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", escape(key)),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    };
    path.iter().map(step).collect()
}
