//! How large an expression may be, and how much work it may make.

/// A longer text is no condition but a program.
pub(crate) const LONGEST: usize = 2048;

/// How deep brackets, calls and choices may stand in each other. The parser takes much of the stack for each.
pub(crate) const BRACKETS: usize = 16;

/// How deep the expression may be in all; a sum of many is as deep as it is long.
pub(crate) const DEEPEST: usize = 64;

/// How many signs (brackets, dots, operators) may stand outside of texts. The parser goes a step down for each at worst.
pub(crate) const SIGNS: usize = 200;

/// How deep `exists`, `all`, `map` and `filter` may stand in each other: two lists can be compared, three cannot.
pub(crate) const NESTED: u32 = 2;

/// How many steps an expression may make: the number of values it is given to the power of how deep its loops are nested. A loop
/// goes through 20,000 values, a loop in a loop through 141 each. Without loops the work is that of reading the values once.
pub(crate) const STEPS: usize = 20_000;

/// How much memory the compiled form of one regular expression may take.
pub(crate) const PATTERN: usize = 256 * 1024;
