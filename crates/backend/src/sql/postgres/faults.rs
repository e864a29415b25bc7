//! What PostgreSQL says, told to the caller: what was wrong and what would be right, without SQL.

use std::time::Duration;

use callgate_model::{Deadline, Fault};
use deadpool_postgres::{PoolError, TimeoutType};
use tokio_postgres::{Error, error::DbError};

/// When a busy database is worth another try.
const RETRY: Duration = Duration::from_secs(1);

/// The fault for an error; `name` gives the parameter behind the placeholder of this number.
pub(super) fn fault<'a>(error: Error, backend: &str, deadline: Deadline, name: impl Fn(usize) -> Option<&'a str>) -> Fault {
    let Some(told) = error.as_db_error() else {
        // Not from the server: the connection broke, or the driver could not make sense of a value.
        return if error.is_closed() || is_io(&error) { Fault::unavailable(backend).because(error) } else { Fault::internal(error) };
    };
    let code = told.code().code();
    let said = said(told);
    let fault = match code.get(..2).unwrap_or_default() {
        "23" => Fault::refused(constraint(told)),
        "22" => value(told, name),
        // Too deep, too long, too many: the statement is the operator's and is known to work, so it is the values.
        "54" => Fault::arguments("these values are too large or too deeply nested for the database; send smaller ones"),
        "40" | "53" | "55" => Fault::overloaded(backend, RETRY),
        "08" => Fault::unavailable(backend),
        _ => match code {
            "57014" => Fault::ended(deadline.span()),
            // RAISE EXCEPTION: the operator's own sentence.
            "P0001" => Fault::refused(told.message()),
            "57P01" | "57P02" | "57P03" => Fault::unavailable(backend),
            _ => return Fault::internal(said),
        },
    };
    // Whoever runs a transaction again looks at what it was.
    if code.starts_with("40") { fault.because(error) } else { fault.because(said) }
}

/// What the server said, for the log. Not its detail, which repeats keys and rows, and not what it quotes of a value: both may be
/// secrets.
fn said(told: &DbError) -> String {
    format!("{}: {} (SQLSTATE {})", told.severity(), without_values(told), told.code().code())
}

/// The server's sentence. About values that do not fit it quotes them, whatever is in them.
fn without_values(told: &DbError) -> String {
    let message = told.message();
    match (told.code().code().starts_with("22"), message.split_once('"'), message.rsplit_once('"')) {
        (true, Some((before, _)), Some((_, ""))) => before.trim_end_matches(": ").to_owned(),
        (true, Some((before, _)), Some((_, behind))) => format!("{before}…{behind}"),
        _ => message.to_owned(),
    }
}

/// The fault for a connection that could not be had.
pub(super) fn pool(error: PoolError, backend: &str, wait: Duration) -> Fault {
    match error {
        PoolError::Timeout(TimeoutType::Wait) => Fault::overloaded(backend, wait),
        PoolError::Backend(error) => Fault::unavailable(backend).because(error),
        error => Fault::unavailable(backend).because(error),
    }
}

/// Two transactions were in each other's way, and this one was rolled back so that the other could go on: a deadlock, or one that
/// could not be put in order with others.
pub(super) fn is_conflict(fault: &Fault) -> bool {
    let error = std::error::Error::source(fault).and_then(|cause| cause.downcast_ref::<Error>());
    error.and_then(Error::code).is_some_and(|code| matches!(code.code(), "40001" | "40P01"))
}

/// The connection broke rather than the statement.
pub(super) fn is_io(error: &Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if cause.is::<std::io::Error>() {
            return true;
        }
        source = cause.source();
    }
    false
}

fn constraint(told: &DbError) -> String {
    let columns = told.detail().and_then(|detail| detail.strip_prefix("Key (")).and_then(|rest| rest.split_once(')'));
    let columns = columns.map(|(columns, _)| columns.replace(", ", "` and `"));
    match (told.code().code(), columns) {
        ("23505", Some(columns)) => format!("`{columns}` is already taken; choose another value"),
        ("23505" | "23P01", _) => "such an entry exists already".into(),
        ("23503", Some(columns)) => format!("`{columns}` refers to something that does not exist, or is still in use elsewhere"),
        ("23503", None) => "something this refers to does not exist, or is still in use elsewhere".into(),
        ("23502", _) => told.column().map_or_else(|| "a value is missing".into(), |column| format!("`{column}` must be given")),
        ("23514", _) => match told.constraint() {
            Some(rule) => format!("the rule `{rule}` does not allow this"),
            None => "a rule of the database does not allow one of the values".into(),
        },
        _ => "a rule of the database does not allow this".into(),
    }
}

/// A value that does not fit.
fn value<'a>(told: &DbError, name: impl Fn(usize) -> Option<&'a str>) -> Fault {
    let place = told.where_().and_then(|place| place.split_once("parameter $")).map(|(_, rest)| rest);
    let number = place.map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
    let name = number.and_then(|number| number.parse::<usize>().ok()).and_then(|number| name(number.checked_sub(1)?));
    match (name, told.code().code()) {
        (Some(name), _) => Fault::arguments(format!("`{name}` does not fit: {}", without_values(told))),
        (None, "22012") => Fault::arguments("these values lead to a division by zero"),
        (None, "22003") => Fault::arguments("a number is too large for its column"),
        (None, "22001") => Fault::arguments("a text is too long for its column"),
        (None, "22021") => Fault::arguments("a text holds a character that the database cannot keep, such as NUL"),
        _ => Fault::arguments("a value does not have the form that its column needs"),
    }
}
