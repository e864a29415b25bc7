//! Conditions that an operator writes: expressions of CEL over named values.
//!
//! It promises that an expression is compiled once, at load, with a mistake that names the place; that it reads nothing but the
//! values it is given; and that it ends within a bound. It leaves to its users which values there are and what the result means.
