//! Reading a configuration: YAML files become a tree in which every value knows its place, and the tree becomes typed values.
//!
//! It promises that all mistakes are reported at once, each with file, line, column and what was meant, and that nothing is read
//! but the named files, the environment and the files of secrets. It knows no room: what an operator may write stands in each
//! room's `config.rs`, as types with `Deserialize` and `JsonSchema`.

mod document;
mod problem;
mod section;
mod tree;
mod value;

pub use document::{Document, Environment};
pub use problem::{Problem, Problems};
pub use section::{Section, closest, schema_of, schema_with};
pub use value::{Mapping, Percent, Secret, Size, Span};

#[cfg(test)]
mod tests;
