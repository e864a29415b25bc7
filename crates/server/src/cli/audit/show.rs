//! Records as text: for people, and for other programs. What callers wrote never reaches a terminal or a table as a command.

use std::fmt::Write as _;

use callgate::audit::{Entry, Report, Row};
use callgate_model::visible;

/// The first line of a table.
pub(super) const HEADER: &str = "chain,seq,at,request,depth,tenant,caller,proof,transport,revision,session,traceparent,sort,name,\
    backend,effect,arguments,outcome,reason,duration_us\r\n";

/// One line for people.
pub(super) fn line(entry: &Entry) -> String {
    let who = format!("{}/{}", entry.tenant, entry.caller);
    let place = format!("{}:{}", entry.chain, entry.seq);
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let millis = entry.duration as f64 / 1000.0;
    let reason = entry.reason.as_ref().map_or_else(String::new, |reason| format!("  ({reason})"));
    let Entry { at, request, sort, name, outcome, arguments, .. } = entry;
    let text = format!("{at:.3}  {place:<8}  {who:<20}  {sort} {name}  {outcome}{reason}  {millis:.1} ms  {request}  {arguments}");
    text.chars().map(visible).chain(['\n']).collect()
}

/// The record as it is hashed, and its hash; behind them the caller's name, where the record bears a pseudonym.
pub(super) fn json(row: &Row, entry: &Entry) -> String {
    let hash = row.hash.map(|hash| hash.to_string()).unwrap_or_default();
    let name =
        entry.pseudonym.as_ref().map(|_| format!(",\"caller\":{}", serde_json::Value::from(entry.caller.as_str()))).unwrap_or_default();
    format!("{{\"hash\":\"{hash}\",\"record\":{}{name}}}\n", String::from_utf8_lossy(&row.line))
}

/// One line of a table (RFC 4180).
pub(super) fn csv(entry: &Entry) -> String {
    let (chain, seq, at, depth) = (entry.chain.to_string(), entry.seq.to_string(), entry.at.to_string(), entry.depth.to_string());
    let (duration, none) = (entry.duration.to_string(), String::new());
    let maybe = |text: &Option<String>| text.as_ref().unwrap_or(&none).clone();
    let cells = [
        &chain,
        &seq,
        &at,
        &entry.request,
        &depth,
        &entry.tenant,
        &entry.caller,
        &entry.proof,
        &entry.transport,
        &entry.revision,
        &maybe(&entry.session),
        &maybe(&entry.traceparent),
        &entry.sort,
        &entry.name,
        &maybe(&entry.backend),
        &maybe(&entry.effect),
        &entry.arguments,
        &entry.outcome,
        &maybe(&entry.reason),
        &duration,
    ];
    cells.map(|text| cell(text)).join(",") + "\r\n"
}

/// A cell that no spreadsheet takes for a formula.
fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if guard.is_empty() && !text.contains(['"', ',', '\r', '\n']) {
        return text.to_owned();
    }
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

/// What was found, for people.
pub(super) fn report(report: &Report) -> String {
    let mut text = String::new();
    for broken in &report.broken {
        let _ = writeln!(text, "BROKEN: {broken}");
    }
    for head in &report.chains {
        let _ = writeln!(text, "chain {}: whole up to record {}, {}", head.chain, head.seq, head.hash);
    }
    let _ = writeln!(text, "{} records checked, {} signed heads compared", report.records, report.heads);
    if report.heads == 0 {
        text.push_str("without signed heads (`audit.heads`) nobody can see whether records were cut off the end\n");
    }
    if report.intents > 0 {
        let _ = writeln!(text, "{} calls are under way or their gate ended; a gate that starts makes records of those", report.intents);
    }
    if report.before_chain > 0 {
        let _ = writeln!(text, "{} records are older than the chain and cannot be checked (table audit_before_chain)", report.before_chain);
    }
    text.push_str(if report.broken.is_empty() { "ok\n" } else { "the log was changed\n" });
    text
}
