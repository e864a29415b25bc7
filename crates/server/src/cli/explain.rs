//! `callgate explain`: which rule decides a call, and why.

use std::{fmt::Write as _, path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::Context as _;
use callgate::{Caller, Configuration, Explanation, Finding, Members, Proof, Scopes, Target};
use serde_json::Value;

use super::{log, print, undeclared};

/// Options of `explain`.
#[derive(Debug, clap::Args)]
pub(super) struct Explain {
    /// The caller, as `TENANT/ID`.
    #[arg(value_name = "CALLER")]
    caller: String,
    /// The tool.
    #[arg(value_name = "TOOL")]
    tool: String,
    /// Its arguments as a JSON object.
    #[arg(value_name = "ARGUMENTS", default_value = "{}")]
    arguments: String,
    /// A role that the caller has; may be given more than once.
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// A scope that the caller was granted; may be given more than once.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// A claim of the caller's token, as JSON or text; may be given more than once.
    #[arg(long = "claim", value_name = "NAME=VALUE")]
    claims: Vec<String>,
    /// How the caller was recognised.
    #[arg(long, value_enum, default_value = "token")]
    proof: ProofName,
    /// A YAML file, or a folder whose YAML files are one configuration.
    #[arg(long, short, default_value = ".", value_name = "PATH")]
    config: PathBuf,
}

/// How a caller was recognised.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum ProofName {
    /// As the machine's own user, who has every scope and role.
    Local,
    /// By an API key.
    Key,
    /// By a token of an identity provider.
    Token,
    /// By a client certificate.
    Certificate,
}

impl Explain {
    pub(super) async fn run(self, level: Option<&str>) -> anyhow::Result<ExitCode> {
        let arguments: Members =
            serde_json::from_str(&self.arguments).context("the arguments are no JSON object; write them as '{\"name\": \"value\"}'")?;
        let caller = Arc::new(self.caller()?);
        let configuration = Configuration::read(&self.config)?;
        if let Some(code) = undeclared(&configuration, &self.tool) {
            return Ok(code);
        }
        log::begin(&log::quiet(), level)?;
        let gate = configuration.rehearse().await?;
        let explanation = gate.explain(caller.clone(), Target::Tool(self.tool), arguments);
        gate.drain().await;
        print(&told(&caller, &explanation))?;
        Ok(if explanation.allowed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn caller(&self) -> anyhow::Result<Caller> {
        let (tenant, id) = self.caller.split_once('/').context("write the caller as TENANT/ID, such as `acme/ann`")?;
        let (proof, owner) = match self.proof {
            ProofName::Local => (Proof::Local, true),
            ProofName::Key => (Proof::Key, false),
            ProofName::Token => (Proof::Token, false),
            ProofName::Certificate => (Proof::Certificate, false),
        };
        let texts = |texts: &[String]| texts.iter().map(|text| text.as_str().into()).collect();
        let claim = |claim: &String| {
            let (name, value) = claim.split_once('=').with_context(|| format!("write the claim `{claim}` as NAME=VALUE"))?;
            let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
            anyhow::Ok((name.to_owned(), value))
        };
        let mut caller = Caller::new(tenant, id, proof);
        caller.roles = texts(&self.roles);
        caller.scopes = if owner { Scopes::All } else { Scopes::Named(texts(&self.scopes)) };
        caller.claims = self.claims.iter().map(claim).collect::<Result<_, _>>()?;
        Ok(caller)
    }
}

fn told(caller: &Caller, explanation: &Explanation) -> String {
    let Explanation { findings, decided, .. } = explanation;
    let width = findings.iter().map(|finding| finding.rule.chars().count()).max().unwrap_or_default();
    let mut text = String::new();
    for Finding { under, rule, holds } in findings {
        let holds = match holds {
            Ok(true) => "holds".to_owned(),
            Ok(false) => "does not hold".to_owned(),
            Err(why) => format!("does not hold: {why}"),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{under:7}  {rule:width$}  {holds}");
    }
    let _ = writeln!(text, "{caller}: {decided}");
    text
}
