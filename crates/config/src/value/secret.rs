//! Secrets: written as a reference to the environment or a file, and never printed.
//!
//! Where a type has a [`Secret`], the operator writes a text, `{ env: NAME }` or `{ file: PATH }`. References are followed once,
//! while the configuration is read, so that a missing one is a mistake with a place like any other.

use std::{
    borrow::Cow,
    fmt,
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::EXPECTED;
use crate::Environment;

/// The keyword that marks a schema whose value may be a reference.
pub(crate) const REFERENCE: &str = "x-secret";

/// A secret file is a key or a password, not a document.
const LONGEST: u64 = 64 * 1024;

/// A value that is never printed: not by `Debug`, not in a mistake, not in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T = String>(T);

impl<T> Secret<T> {
    /// Hides a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for the one place that needs it.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self)
    }
}

impl<T> JsonSchema for Secret<T> {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn schema_id() -> Cow<'static, str> {
        "callgate_config::Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "object"],
            "properties": {
                "env": { "type": "string", "description": "The environment variable that holds it." },
                "file": { "type": "string", "description": "The file that holds it, which not everybody may read; one newline at its end is dropped." },
            },
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
            EXPECTED: "a text, `{ env: NAME }` or `{ file: PATH }`",
            REFERENCE: true,
        })
    }
}

/// What a reference stands for; `None` if `value` is no reference.
pub(crate) fn resolve(value: &Value, folder: &Path, environment: &Environment) -> Option<Result<String, String>> {
    let members = value.as_object()?;
    if let Some(name) = members.get("env").and_then(Value::as_str) {
        return Some(environment.get(name).ok_or_else(|| format!("the environment variable `{name}` is not set")));
    }
    let path = members.get("file").and_then(Value::as_str)?;
    Some(read(&folder.join(path)).map_err(|cause| format!("cannot read the secret in `{path}`: {cause}")))
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let file = File::open(path)?;
    guarded(&file)?;
    file.take(LONGEST).read_to_string(&mut text)?;
    Ok(text.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).unwrap_or(&text).to_owned())
}

/// A secret that every user of the machine can read, or change, is none.
#[cfg(unix)]
fn guarded(file: &File) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let open_to_all = file.metadata()?.mode() & 0o006 != 0;
    if open_to_all { Err(io::Error::other("every user of this machine has access to it; `chmod 600` it")) } else { Ok(()) }
}

/// Elsewhere, who has access is not a matter of the file alone.
#[cfg(not(unix))]
fn guarded(_: &File) -> io::Result<()> {
    Ok(())
}
