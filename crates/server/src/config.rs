//! What an operator may write at the root of a configuration: the one type that knows all rooms.

use std::{borrow::Cow, net::SocketAddr};

use callgate_config::{Section, schema_with};
use callgate_model::Identity;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Value, json};

use crate::{control, reload::Watch};

/// The keys of a configuration that say what is on offer; the rooms of the backends read them.
pub(crate) const OFFERS: [&str; 4] = ["backends", "tools", "resources", "prompts"];

/// Everything in a configuration but what is on offer.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Root {
    /// The version of this grammar; always `1`.
    #[schemars(range(min = 1, max = 1), extend("x-expected" = "`1`, the only version there is"))]
    #[expect(dead_code, reason = "there is one version, and the schema has checked that it is meant")]
    version: u8,
    /// The gate's name, as clients show it.
    #[schemars(length(min = 1, max = 64))]
    pub(crate) name: String,
    /// The name for people, where it differs.
    title: Option<String>,
    /// How a model should use what is on offer; clients pass it on.
    instructions: Option<String>,
    /// Where HTTP is served; default `127.0.0.1:8000`. An address that other machines reach needs `auth`. `--listen` wins.
    #[serde(default)]
    pub(crate) listen: Listen,
    /// Who may call, and how they show it. Without it the gate serves this machine's own user, and listens on loopback only.
    pub(crate) auth: Option<callgate_identity::Config>,
    /// Where the gate may call by URL.
    #[serde(default)]
    pub(crate) egress: callgate_egress::Config,
    /// Limits of the wire.
    #[serde(default)]
    pub(crate) wire: callgate_transport::Config,
    /// Where the gate keeps its own state.
    #[serde(default)]
    pub(crate) store: callgate_store::Config,
    /// How calls are let through.
    #[serde(default)]
    pub(crate) calls: callgate_pipeline::Config,
    /// What the replicas of a gate share.
    #[serde(default)]
    pub(crate) shared: callgate_store::shared::Config,
    /// How often calls may be made.
    #[serde(default)]
    pub(crate) quotas: callgate_pipeline::QuotaConfig,
    /// What is written down about calls.
    #[serde(default)]
    pub(crate) audit: callgate_pipeline::audit::Config,
    /// How replies of tools with `cache` are kept.
    #[serde(default)]
    pub(crate) cache: callgate_pipeline::CacheConfig,
    /// What the gate tells about calls to systems that watch it.
    #[serde(default)]
    pub(crate) telemetry: callgate_telemetry::Config,
    /// When the configuration is read again.
    #[serde(default)]
    pub(crate) reload: Watch,
    /// Where commands on this machine reach the running gate.
    #[serde(default)]
    pub(crate) control: control::Config,
    /// What the gate says about itself while it runs.
    #[serde(default)]
    pub(crate) log: Log,
}

impl Root {
    /// Who the gate says it is.
    pub(crate) fn identity(&self) -> Identity {
        Identity {
            name: self.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            title: self.title.clone(),
            instructions: self.instructions.clone(),
            icons: None,
        }
    }
}

/// What the gate says about itself while it runs.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// What is said: `error`, `warn`, `info`, `debug` or `trace`, also per room as in `info,callgate_backend=debug`. Default `info`.
    pub level: String,
    /// How it is said. Default `auto`: text on a terminal, JSON anywhere else.
    pub format: Format,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: Format::Auto }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Text on a terminal, JSON anywhere else.
    #[default]
    Auto,
    /// One line for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// An address and port.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listen(pub(crate) SocketAddr);

const MEANT: &str = "an address and port such as `127.0.0.1:8000`";

impl Default for Listen {
    fn default() -> Self {
        Self(SocketAddr::from(([127, 0, 0, 1], 8000)))
    }
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|_| D::Error::custom(format!("expected {MEANT}, found `{text}`")))
    }
}

impl JsonSchema for Listen {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Listen".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^.+:[0-9]+$", "x-expected": MEANT })
    }
}

/// The section of `key`, empty if it is not there.
pub(crate) fn part(root: &Section, key: &str) -> Section {
    root.get(key).unwrap_or_else(|| root.split(&[]).0)
}

/// The JSON Schema of a configuration, for editors. It fits each file of a folder, so that it requires no key at the root;
/// whether the whole has what it needs is for `callgate check` to say.
#[must_use]
pub fn schema() -> Value {
    schema_with(|generator| {
        let mut root = Root::json_schema(generator);
        let offers = callgate_backend::schemas(generator);
        let described = [
            ("backends", "The systems behind the gate, by name.", offers.backends),
            ("tools", "What callers may do, by name.", offers.tools),
            ("resources", "What callers may read, by URI or URI template.", offers.resources),
            ("prompts", "What users may start from, by name.", offers.prompts),
        ];
        let properties = root.ensure_object().entry("properties").or_insert_with(|| json!({}));
        for (name, about, mut schema) in described {
            schema.insert("description".into(), about.into());
            properties[name] = schema.to_value();
        }
        root.remove("required");
        root.insert("title".into(), "Callgate configuration".into());
        root
    })
}
