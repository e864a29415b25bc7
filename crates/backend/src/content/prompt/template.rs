//! A compiled template. It can reach what it is given and nothing else: no loader, no function that does I/O.

use std::{collections::HashSet, io};

use callgate_model::{Fault, Kind, Members};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, value::Serde};

/// One template in an environment of its own, so that its fuel is its own.
pub(super) struct Template {
    environment: Environment<'static>,
    /// What its mistakes are told with: the file, or the prompt.
    name: String,
    bound: usize,
}

impl Template {
    /// Compiles a template that may make `fuel` steps and `bound` bytes.
    pub(super) fn compile(name: &str, source: String, fuel: u64, bound: usize) -> Result<Self, Error> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        // A prompt is prose for a model; nothing in it is HTML.
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_fuel(Some(fuel));
        // It would print the whole context, and exists for authors only.
        environment.remove_global("debug");
        environment.add_template_owned(name.to_owned(), source)?;
        Ok(Self { environment, name: name.into(), bound })
    }

    /// The names it looks up that are neither its own nor the language's.
    pub(super) fn names(&self) -> HashSet<String> {
        let mut names = self.environment.get_template(&self.name).map(|template| template.undeclared_variables(false)).unwrap_or_default();
        for (global, _) in self.environment.globals() {
            names.remove(global);
        }
        names
    }

    /// Fills it in.
    pub(super) fn render(&self, context: &Members) -> Result<String, Fault> {
        let mut output = Bounded { bytes: Vec::new(), bound: self.bound };
        let template = self.environment.get_template(&self.name).map_err(Fault::internal)?;
        match template.render_captured_to(Serde(context), &mut output) {
            Ok(_) => String::from_utf8(output.bytes).map_err(Fault::internal),
            Err(error) if error.kind() == ErrorKind::WriteFailure => Err(too_long(self.bound).because(error)),
            Err(error) => Err(Fault::internal(error)),
        }
    }
}

fn too_long(bound: usize) -> Fault {
    Fault::new(Kind::Refused, format!("the prompt would be longer than its bound of {bound} bytes; ask for less"))
}

impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Template").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A buffer that refuses to grow beyond its bound.
struct Bounded {
    bytes: Vec<u8>,
    bound: usize,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.bound - self.bytes.len() {
            return Err(io::Error::other("the output is longer than its bound"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
