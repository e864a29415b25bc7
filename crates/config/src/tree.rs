//! The tree of a configuration: values as they were written, each with its place.

use std::sync::Arc;

use serde_json::{Map, Number, Value};

/// Where something was written: the file by its number, line and column from one, bytes from zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: usize,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) start: usize,
    pub(crate) len: usize,
}

/// A value and its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) tree: Tree,
    pub(crate) place: Place,
}

#[derive(Clone, Debug)]
pub(crate) enum Tree {
    Null,
    Bool(bool),
    Number(Number),
    Text(Arc<str>),
    /// A plain scalar that was wholly one `${…}`: a text, or a number or bool where one is wanted.
    Filled(Arc<str>),
    /// Any other text with something of the environment in it.
    Blend(Arc<str>),
    /// A value that could not be filled in; the mistake has been reported.
    Unset,
    List(Vec<Arc<Node>>),
    Mapping(Vec<Member>),
}

/// One key of a mapping with its value.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) key: Arc<str>,
    pub(crate) place: Place,
    pub(crate) node: Arc<Node>,
}

impl Node {
    pub(crate) fn members(&self) -> &[Member] {
        match &self.tree {
            Tree::Mapping(members) => members,
            _ => &[],
        }
    }

    pub(crate) fn member(&self, key: &str) -> Option<&Member> {
        self.members().iter().find(|member| &*member.key == key)
    }

    /// The value as JSON. `typed` says where, by pointer, a filled-in text is wanted as number or bool.
    pub(crate) fn to_json(&self, pointer: &str, typed: &[String]) -> Value {
        match &self.tree {
            Tree::Null | Tree::Unset => Value::Null,
            Tree::Bool(value) => Value::Bool(*value),
            Tree::Number(value) => Value::Number(value.clone()),
            Tree::Filled(text) if typed.iter().any(|at| at == pointer) => scalar(text),
            Tree::Text(text) | Tree::Filled(text) | Tree::Blend(text) => Value::String(text.as_ref().to_owned()),
            Tree::List(nodes) => {
                let item = |(index, node): (usize, &Arc<Self>)| node.to_json(&format!("{pointer}/{index}"), typed);
                Value::Array(nodes.iter().enumerate().map(item).collect())
            }
            Tree::Mapping(members) => {
                let member = |member: &Member| {
                    let value = member.node.to_json(&format!("{pointer}/{}", escape(&member.key)), typed);
                    (member.key.as_ref().to_owned(), value)
                };
                Value::Object(members.iter().map(member).collect::<Map<_, _>>())
            }
        }
    }

    /// Something in it could not be filled in.
    pub(crate) fn is_incomplete(&self) -> bool {
        match &self.tree {
            Tree::Unset => true,
            Tree::List(nodes) => nodes.iter().any(|node| node.is_incomplete()),
            Tree::Mapping(members) => members.iter().any(|member| member.node.is_incomplete()),
            _ => false,
        }
    }
}

/// A text as number or bool, if it is one.
fn scalar(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value @ (Value::Number(_) | Value::Bool(_))) => value,
        _ => Value::String(text.to_owned()),
    }
}

/// One step of a JSON pointer.
pub(crate) fn escape(step: &str) -> String {
    step.replace('~', "~0").replace('/', "~1")
}

/// The steps of a JSON pointer.
pub(crate) fn steps(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"))
}

/// `path` and one step more, as people write it.
pub(crate) fn join(path: &str, step: &str) -> String {
    let plain = !step.is_empty() && step.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    match (path.is_empty(), plain) {
        (true, true) => step.to_owned(),
        (false, true) => format!("{path}.{step}"),
        (_, false) => format!("{path}[\"{step}\"]"),
    }
}
