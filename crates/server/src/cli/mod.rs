//! The command line: what each command is called, and how it says that it failed.
//!
//! Results go to standard output; everything said to people goes to standard error. Exit codes: 0 it worked, 1 it did not, 2 the
//! command line itself was wrong.

mod audit;
mod cache;
mod call;
mod check;
mod explain;
mod init;
mod keys;
mod log;
mod migrate;
mod reload;
mod serve;
mod tools;

use std::{
    io::{IsTerminal as _, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use callgate::{Configuration, Error, Problems};
use clap::{CommandFactory as _, Parser, Subcommand};

/// Puts the systems you run behind one guarded MCP server.
#[derive(Debug, Parser)]
#[command(name = "callgate", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// What is logged: error, warn, info, debug or trace, also per room as in `info,callgate_backend=debug`.
    #[arg(long, global = true, env = "CALLGATE_LOG", value_name = "LEVEL")]
    log: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a configuration over HTTP, or over standard input and output.
    Serve(serve::Serve),
    /// Report every mistake in a configuration, without connecting to anything.
    Check(check::Check),
    /// Let the running gate read its configuration again.
    Reload(reload::Reload),
    /// Bring the databases to the declared state.
    Migrate(migrate::Migrate),
    /// Drop kept replies, in all replicas.
    Cache(cache::Cache),
    /// Call one tool and print its result.
    Call(call::CallTool),
    /// Say whether a caller may make a call, and which rule decides. Makes no call; exit code 0 for yes, 1 for no.
    Explain(explain::Explain),
    /// Read the audit log, and check that nobody has changed it.
    Audit(audit::Audit),
    /// List the tools of a configuration.
    Tools(tools::Tools),
    /// Give out, list and revoke API keys.
    Keys(keys::Keys),
    /// Print the JSON Schema of the configuration, for editors.
    Schema {
        /// Print the manual instead: every key, as Markdown.
        #[arg(long)]
        manual: bool,
    },
    /// Print a completion script for a shell.
    Completions {
        /// For which shell.
        shell: clap_complete::Shell,
    },
    /// Write a starter configuration by looking at the tables of a database. Changes nothing there.
    Init(init::Init),
}

/// Where the configuration is.
#[derive(Debug, clap::Args)]
struct At {
    /// A YAML file, or a folder whose YAML files are one configuration.
    #[arg(default_value = ".", value_name = "PATH")]
    path: PathBuf,
}

impl At {
    fn read(&self) -> Result<Configuration, Problems> {
        Configuration::read(&self.path)
    }
}

/// Runs the command that the process was started with.
pub(crate) fn main() -> ExitCode {
    let Cli { command, log } = Cli::parse();
    let done = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(anyhow::Error::from).and_then(|runtime| {
        let done = runtime.block_on(run(command, log.as_deref()));
        // A thread that still waits for standard input must not keep the process alive.
        runtime.shutdown_background();
        done
    });
    match done {
        Ok(code) => code,
        Err(error) => {
            tell(&error);
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command, log: Option<&str>) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(serve) => serve.run(log).await,
        Command::Check(check) => check.run(log).await,
        Command::Reload(reload) => reload.run().await,
        Command::Migrate(migrate) => migrate.run(log).await,
        Command::Cache(cache) => cache.run(log).await,
        Command::Call(call) => call.run(log).await,
        Command::Explain(explain) => explain.run(log).await,
        Command::Audit(audit) => audit.run(log).await,
        Command::Tools(tools) => tools.run(log).await,
        Command::Keys(keys) => keys.run(log).await,
        Command::Init(init) => init.run(log).await,
        Command::Schema { manual: true } => print(&callgate::manual(&callgate::schema())),
        Command::Schema { manual: false } => print(&(serde_json::to_string_pretty(&callgate::schema())? + "\n")),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "callgate", &mut std::io::stdout());
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Says that no tool of this name is declared, if that is so: a slip on the command line.
fn undeclared(configuration: &Configuration, tool: &str) -> Option<ExitCode> {
    if configuration.declares_tool(tool) {
        return None;
    }
    eprintln!("error: the configuration declares no tool `{tool}`\n  help: {}", meant(configuration, tool));
    Some(ExitCode::from(2))
}

/// What helps where there is no tool of this name.
fn meant(configuration: &Configuration, tool: &str) -> String {
    configuration.tool_like(tool).map_or_else(|| "`callgate tools` lists them".to_owned(), |tool| format!("did you mean `{tool}`?"))
}

/// Writes a result. A reader that has seen enough is no failure.
fn print(text: &str) -> anyhow::Result<ExitCode> {
    let mut output = std::io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Says what went wrong: with excerpts of the files on a terminal, in plain lines anywhere else.
fn tell(error: &anyhow::Error) {
    let problems = error.downcast_ref::<Problems>().or_else(|| match error.downcast_ref::<Error>() {
        Some(Error::Configuration(problems)) => Some(problems),
        _ => None,
    });
    match problems {
        Some(problems) if std::io::stderr().is_terminal() => eprintln!("{:?}", problems.clone().report()),
        Some(problems) => eprintln!("{problems}"),
        None => eprintln!("error: {error:#}{}", advice(error).map_or_else(String::new, |advice| format!("\n  help: {advice}"))),
    }
}

/// What to do next.
fn advice(error: &anyhow::Error) -> Option<&'static str> {
    match error.downcast_ref::<Error>()? {
        Error::Listen { .. } => Some("choose another address, such as `--listen 127.0.0.1:0` for a free port"),
        Error::Exposed(_) => Some(
            "write `auth`, such as `auth: { keys: {} }`; or listen on 127.0.0.1; or name the address with `--insecure-listen` if something in front says who may call",
        ),
        Error::NoKeys(_) => Some("write `auth: { keys: {} }`, and a `store` that outlives the process"),
        Error::Store(_) => Some(
            "the gate must be able to write the file that `store.path` names and the folder it is in, or reach the database of `store.url`",
        ),
        _ => None,
    }
}
