//! `callgate keys`: giving out API keys, listing them, revoking them. A gate that runs takes notice within seconds.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context as _, bail};
use callgate::{ApiKey, ApiKeys, Clock, Configuration, Grant, Span};

use super::{log, print};

/// Options of `keys`.
#[derive(Debug, clap::Args)]
pub(super) struct Keys {
    #[command(subcommand)]
    action: Action,
    /// A YAML file, or a folder whose YAML files are one configuration.
    #[arg(long, short, global = true, default_value = ".", value_name = "PATH")]
    config: PathBuf,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Give out a key and print it. It is not kept and cannot be shown again.
    Add(Add),
    /// List all keys: id, whom they stand for, and whether they still do.
    List,
    /// Revoke a key. Every gate on this store refuses it within five seconds.
    Revoke {
        /// The key's id, as the list shows it.
        #[arg(value_name = "ID")]
        id: String,
    },
}

#[derive(Debug, clap::Args)]
struct Add {
    /// Whom the key stands for; unique in the tenant.
    #[arg(value_name = "CALLER")]
    caller: String,
    /// The organisation of the caller.
    #[arg(long, default_value = "default")]
    tenant: String,
    /// What the caller is, such as `finance`; may be given several times.
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// What the caller is granted, such as `read:customers`; may be given several times.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// When the key ends by itself, from now, such as `90d`; never without it.
    #[arg(long, value_name = "SPAN", value_parser = span)]
    expires: Option<Span>,
}

impl Keys {
    pub(super) async fn run(self, level: Option<&str>) -> anyhow::Result<ExitCode> {
        let configuration = Configuration::read(&self.config)?;
        log::begin(&log::quiet(), level)?;
        let keys = configuration.keys().await?;
        match self.action {
            Action::Add(add) => add.run(&keys).await,
            Action::List => print(&table(&keys.list().await?)),
            Action::Revoke { id } if keys.revoke(&id).await? => print(&format!("revoked: {id}\n")),
            Action::Revoke { id } => bail!("there is no key `{id}` that could be revoked\n  help: `callgate keys list` lists them"),
        }
    }
}

impl Add {
    async fn run(self, keys: &ApiKeys) -> anyhow::Result<ExitCode> {
        let Self { caller, tenant, roles, scopes, expires } = self;
        for (what, text) in
            [("caller", &caller), ("tenant", &tenant)].into_iter().chain(roles.iter().chain(&scopes).map(|text| ("word", text)))
        {
            if text.is_empty() || text.len() > 256 || text.chars().any(char::is_control) {
                bail!("`{text}` is no {what}: it must have 1 to 256 characters that can be printed");
            }
        }
        let end = |span: Span| Clock::System.now().checked_add(span.get()).context("the key would end after the end of time");
        let expires = expires.map(end).transpose()?;
        let (text, key) = keys.add(Grant { caller, tenant, roles, scopes, expires }).await?;
        eprintln!("key {} of {}/{}; it is shown this once:", key.id, key.tenant, key.caller);
        print(&format!("{text}\n"))
    }
}

fn span(text: &str) -> Result<Span, String> {
    serde_json::from_value(text.into()).map_err(|error| error.to_string())
}

/// One line a key, in columns.
fn table(keys: &[ApiKey]) -> String {
    let now = Clock::System.now();
    let state = |key: &ApiKey| match (key.revoked, key.expires) {
        (Some(at), _) => format!("revoked {at:.0}"),
        (None, Some(end)) if end <= now => format!("expired {end:.0}"),
        (None, Some(end)) => format!("until {end:.0}"),
        (None, None) => "valid".to_owned(),
    };
    let list = |words: &[String]| if words.is_empty() { "-".to_owned() } else { words.join(",") };
    let line = |key: &ApiKey| {
        let who = format!("{}/{}", key.tenant, key.caller);
        format!("{:<12}  {who:<24}  {:<16}  {:<24}  {:.0}  {}\n", key.id, list(&key.roles), list(&key.scopes), key.created, state(key))
    };
    keys.iter().map(line).collect()
}
