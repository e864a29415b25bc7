//! Values that many rooms let an operator write: durations, sizes, secrets, mappings whose order matters.

mod mapping;
mod percent;
mod secret;
mod size;
mod span;

pub use mapping::Mapping;
pub use percent::Percent;
pub use secret::Secret;
pub use size::Size;
pub use span::Span;

pub(crate) use secret::{REFERENCE, resolve};

/// The keyword under which a schema says in words what is expected; messages quote it.
pub(crate) const EXPECTED: &str = "x-expected";

/// A whole number and the unit after it, if `text` is that.
fn quantity(text: &str) -> Option<(u64, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    Some((number.parse().ok()?, unit))
}

#[cfg(test)]
mod tests;
