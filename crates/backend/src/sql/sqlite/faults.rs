//! What SQLite says, told to the caller: what was wrong and what would be right, without SQL.

use std::time::Duration;

use callgate_model::{Deadline, Fault};
use rusqlite::{Error, ErrorCode, ffi};

use super::rows::Stop;

/// When a busy database is worth another try.
const RETRY: Duration = Duration::from_secs(1);

/// The fault for a statement that stopped.
pub(super) fn fault(stop: Stop, backend: &str, deadline: Deadline) -> Fault {
    match stop {
        Stop::Fault(fault) => fault,
        Stop::Misfit(misfit) => misfit.fault(),
        Stop::Engine(error) => engine(error, backend, deadline),
        other => Fault::internal(other),
    }
}

/// The fault for what the engine says.
pub(super) fn engine(error: Error, backend: &str, deadline: Deadline) -> Fault {
    let Error::SqliteFailure(code, message) = &error else { return Fault::internal(error) };
    let told = message.as_deref().unwrap_or_default();
    match code.code {
        ErrorCode::OperationInterrupted => Fault::ended(deadline.span()),
        ErrorCode::ConstraintViolation => Fault::refused(constraint(code.extended_code, told)).because(error),
        ErrorCode::TypeMismatch => Fault::arguments("a value does not have the type that its column needs").because(error),
        ErrorCode::TooBig => Fault::refused("the result is larger than the database can give").because(error),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Fault::overloaded(backend, RETRY).because(error),
        ErrorCode::CannotOpen
        | ErrorCode::NotADatabase
        | ErrorCode::DatabaseCorrupt
        | ErrorCode::SystemIoFailure
        | ErrorCode::DiskFull
        | ErrorCode::PermissionDenied => Fault::unavailable(backend).because(error),
        _ => Fault::internal(error),
    }
}

fn constraint(code: i32, told: &str) -> String {
    let named = told.split_once("constraint failed: ").map_or("", |(_, named)| named);
    let columns = || named.split(", ").map(|name| name.rsplit('.').next().unwrap_or(name)).collect::<Vec<_>>().join(" and ");
    match code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY if !named.starts_with("index ") => {
            format!("`{}` is already taken; choose another value", columns())
        }
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => "such an entry exists already".into(),
        ffi::SQLITE_CONSTRAINT_NOTNULL => format!("`{}` must be given", columns()),
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => "something this refers to does not exist, or is still in use elsewhere".into(),
        ffi::SQLITE_CONSTRAINT_CHECK if is_name(named) => format!("the rule `{named}` does not allow this"),
        ffi::SQLITE_CONSTRAINT_CHECK => "a rule of the database does not allow one of the values".into(),
        ffi::SQLITE_CONSTRAINT_DATATYPE => "a value does not have the type that its column needs".into(),
        // RAISE(ABORT, '…') in a trigger: the operator's own sentence.
        ffi::SQLITE_CONSTRAINT_TRIGGER => told.to_owned(),
        _ => "a rule of the database does not allow this".into(),
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}
