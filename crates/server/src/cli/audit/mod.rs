//! `callgate audit`: reading the audit log beside a gate that may be writing it, checking that nobody has changed it, and forgetting
//! whose records they are.

mod forget;
mod show;

use std::{
    io::{BufWriter, Write},
    ops::ControlFlow,
    path::PathBuf,
    process::ExitCode,
};

use callgate::{Clock, Configuration, Records, Span, audit::Filter};
use jiff::Timestamp;

use super::{log, print};

/// Options of `audit`.
#[derive(Debug, clap::Args)]
pub(super) struct Audit {
    #[command(subcommand)]
    action: Action,
    /// A YAML file, or a folder whose YAML files are one configuration.
    #[arg(long, short, global = true, default_value = ".", value_name = "PATH")]
    config: PathBuf,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show the last records, oldest first.
    Tail {
        /// How many.
        #[arg(short = 'n', long, default_value_t = 20)]
        lines: usize,
        #[command(flatten)]
        wanted: Wanted,
    },
    /// Show every record that fits.
    Search {
        #[command(flatten)]
        wanted: Wanted,
    },
    /// Check every record. Names the first broken one of each chain, and exits with 1 if there is any.
    Verify {
        /// Signed heads of other gates on the same store; may be given several times.
        #[arg(long = "heads", value_name = "FILE")]
        heads: Vec<PathBuf>,
    },
    /// Print records for other programs.
    Export {
        /// How: `jsonl` is one JSON object a line, with the record as it is hashed and its hash; `csv` is a table.
        #[arg(long, default_value = "jsonl")]
        format: Format,
        #[command(flatten)]
        wanted: Wanted,
    },
    /// Forget a caller: its records under `audit.pseudonyms` stay and verify, and name nobody. Cannot be undone.
    Forget(forget::Forget),
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    Jsonl,
    Csv,
}

/// Which records.
#[derive(Debug, clap::Args)]
struct Wanted {
    /// Calls that came since then: a time such as `2026-11-22T20:00:00Z`, or a span such as `24h`.
    #[arg(long, value_name = "WHEN", value_parser = when)]
    since: Option<Timestamp>,
    /// Calls that came before then.
    #[arg(long, value_name = "WHEN", value_parser = when)]
    until: Option<Timestamp>,
    /// Only the records of this tenant.
    #[arg(long)]
    tenant: Option<String>,
    /// Only calls of this caller, or under this pseudonym.
    #[arg(long)]
    caller: Option<String>,
    /// Only calls of this tool, prompt or resource.
    #[arg(long, value_name = "NAME")]
    tool: Option<String>,
    /// Only calls that ended so: `ok`, `error`, or the code of a fault such as `denied`.
    #[arg(long)]
    outcome: Option<String>,
    /// Only the calls under this request id.
    #[arg(long, value_name = "ID")]
    request: Option<String>,
}

impl Wanted {
    fn filter(self) -> Filter {
        let Self { since, until, tenant, caller, tool, outcome, request } = self;
        Filter { since, until, tenant, caller, name: tool, outcome, request }
    }
}

fn when(text: &str) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    let span: Option<Span> = serde_json::from_value(text.into()).ok();
    let at = span.and_then(|span| Clock::System.now().checked_sub(span.get()).ok());
    at.ok_or_else(|| "write a time such as `2026-11-22T20:00:00Z`, or a span such as `24h`".to_owned())
}

impl Audit {
    pub(super) async fn run(self, level: Option<&str>) -> anyhow::Result<ExitCode> {
        let configuration = Configuration::read(&self.config)?;
        log::begin(&log::quiet(), level)?;
        let records = configuration.records().await?;
        match self.action {
            Action::Forget(forget) => forget.run(&configuration, &records).await,
            Action::Tail { lines, wanted } => {
                let entries = records.last(&wanted.filter(), lines).await?;
                print(&entries.iter().map(show::line).collect::<String>())
            }
            Action::Search { wanted } => each(&records, &wanted.filter(), "", |_, entry| show::line(entry)).await,
            Action::Export { format: Format::Jsonl, wanted } => each(&records, &wanted.filter(), "", show::json).await,
            Action::Export { format: Format::Csv, wanted } => {
                each(&records, &wanted.filter(), show::HEADER, |_, entry| show::csv(entry)).await
            }
            Action::Verify { heads } => {
                let report = records.verify(&heads).await?;
                print(&show::report(&report))?;
                Ok(if report.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
            }
        }
    }
}

/// Prints what fits as it is found. A reader that has seen enough is no failure.
async fn each(
    records: &Records,
    filter: &Filter,
    header: &str,
    show: impl Fn(&callgate::audit::Row, &callgate::audit::Entry) -> String,
) -> anyhow::Result<ExitCode> {
    let mut output = BufWriter::new(std::io::stdout());
    let mut failed = output.write_all(header.as_bytes());
    let odd = records
        .each(filter, |row, entry| {
            failed = output.write_all(show(row, entry).as_bytes());
            if failed.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
        .await?;
    match failed.and_then(|()| output.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => return Err(error.into()),
        _ => {}
    }
    if odd > 0 {
        eprintln!("{odd} lines of the log are no records; `callgate audit verify` says which is the first");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}
