//! Conditions that an operator writes: expressions of CEL over named values, and the rules that say who may.
//!
//! It promises that an expression is compiled once, at load, with a mistake that names the place; that it reads nothing but the
//! values it is given; that it ends within a bound, whatever the values are; and that one that cannot be evaluated says so and is
//! never taken for true. It leaves to its users which values there are and what the result means.

mod bounds;
mod expression;
mod language;
mod mistake;
mod operand;
mod rule;
mod survey;

pub use expression::{Expression, Failure};
pub use language::Language;
pub use mistake::Mistake;
pub use operand::{Operand, Scope};
pub use rule::Rule;

#[cfg(test)]
mod tests;
