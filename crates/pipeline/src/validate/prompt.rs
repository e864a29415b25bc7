//! Arguments of prompts and completions.

use callgate_model::{Fault, Members, Prompt};

use super::message::{nearest, quote};

/// Required arguments are there, all are known, all are texts.
pub(super) fn check(prompt: &Prompt, arguments: &Members) -> Result<(), Fault> {
    let names: Vec<_> = prompt.arguments.iter().map(|argument| argument.name.as_str()).collect();
    for (name, value) in arguments {
        known("argument", name, &names)?;
        if !value.is_string() {
            return Err(Fault::request(format!("the argument {} must be a string", quote(name))));
        }
    }
    let missing = prompt.arguments.iter().find(|argument| argument.required && !arguments.contains_key(&argument.name));
    missing.map_or(Ok(()), |argument| Err(Fault::request(format!("the argument `{}` is missing", argument.name))))
}

/// `name` is one of `names`.
pub(super) fn known(what: &str, name: &str, names: &[&str]) -> Result<(), Fault> {
    if names.contains(&name) {
        return Ok(());
    }
    let hint = nearest(name, names.iter().copied()).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    Err(Fault::request(format!("there is no {what} {}{hint}", quote(name))))
}
