//! What an operator may write about the gate's own content: texts, files and prompts.

use std::fmt;

use callgate_config::{Mapping, Size};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::Value;

use crate::declare::AllowConfig;

/// The keys of a resource that no backend serves: a text or a file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContentConfig {
    /// The text itself.
    pub text: Option<String>,
    /// A file in the folder of the configuration, or below it; read anew each time it is asked for.
    pub file: Option<String>,
    /// The greatest size of the file. Default: 1MiB.
    #[serde(default = "one_mib")]
    pub bytes: Size,
}

/// The keys of a prompt, beside `arguments`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PromptConfig {
    /// What a person reads instead of the name.
    pub title: Option<String>,
    /// What the prompt is for.
    pub description: Option<String>,
    /// Who may use it. One of these rules must hold: a scope (`read:customers`; several with blanks between them are all needed), a
    /// role (`finance`), `anyone` who was recognised, or a condition over `caller` and `args` (`caller.tenant == 'acme'`). An empty
    /// list is nobody. Needed where `auth` is configured. The tools under `data` have rules of their own.
    pub allow: Option<AllowConfig>,
    /// Tool calls made before the template is filled in, as the caller and all at once, by the name under which the template finds
    /// the result. At most 16, all of effect `read`.
    #[serde(default)]
    pub data: Mapping<DataConfig>,
    /// The file of the template (MiniJinja), in the folder of the configuration or below it. It gets the arguments (one not given is
    /// the empty text) and the `data`, and makes the text of one user message.
    pub template: Option<String>,
    /// The template itself, in place of a file.
    pub text: Option<String>,
    /// The greatest size of the message. Default: 256KiB.
    #[serde(default = "quarter_mib")]
    pub bytes: Size,
    /// How much work the template may make before it is stopped, roughly in steps. Default: 1000000.
    #[serde(default = "million")]
    #[schemars(range(min = 1))]
    pub fuel: u64,
}

impl PromptConfig {
    /// The key that is read on its own.
    pub const ARGUMENTS: &str = "arguments";
}

/// The keys of a prompt's argument, beside `complete`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArgumentConfig {
    /// What a person reads instead of the name.
    pub title: Option<String>,
    /// What to give.
    pub description: Option<String>,
    /// The prompt cannot do without it. Default: false.
    #[serde(default)]
    pub required: bool,
}

impl ArgumentConfig {
    /// The key that is read on its own.
    pub const COMPLETE: &str = "complete";
}

/// A tool call whose result the template needs: the tool's name, or the tool with its arguments.
#[derive(Debug)]
pub struct DataConfig {
    /// The tool.
    pub tool: String,
    /// Its arguments; without them, the prompt's arguments that the tool knows are passed on.
    pub arguments: Option<Mapping<Value>>,
}

/// A tool call with its arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CallConfig {
    /// The tool that is called.
    tool: String,
    /// Its arguments. In a text, `{name}` stands for the prompt's argument of that name; `{{` and `}}` for braces.
    arguments: Option<Mapping<Value>>,
}

impl<'de> Deserialize<'de> for DataConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;

        impl<'de> Visitor<'de> for Forms {
            type Value = DataConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a tool's name, or `{ tool: …, arguments: … }`")
            }

            fn visit_str<E: Error>(self, tool: &str) -> Result<Self::Value, E> {
                Ok(DataConfig { tool: tool.into(), arguments: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let CallConfig { tool, arguments } = CallConfig::deserialize(MapAccessDeserializer::new(map))?;
                Ok(DataConfig { tool, arguments })
            }
        }

        deserializer.deserialize_any(Forms)
    }
}

impl JsonSchema for DataConfig {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DataConfig".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A tool's name (the prompt's arguments that it knows are passed on), or the tool with its arguments.",
            "anyOf": [{ "type": "string" }, generator.subschema_for::<CallConfig>()],
        })
    }
}

fn one_mib() -> Size {
    Size::mib(1)
}

fn quarter_mib() -> Size {
    Size::kib(256)
}

fn million() -> u64 {
    1_000_000
}
