//! The bare handler: `get_customer` as one would write it by hand with axum and rusqlite, and nothing else.
//!
//! It reads the same request, does the same lookup and returns the same JSON as the gate. It checks nothing, writes nothing
//! down and knows one tool, so it is what the work itself costs.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Result;
use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use clap::Parser;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SQL: &str = "SELECT id, name, email, tier, status, country, created_at FROM customers WHERE id = ?1";

/// Serves `get_customer` at `/mcp` without a gate.
#[derive(Parser)]
struct CommandLine {
    /// Where to listen.
    #[arg(long)]
    listen: SocketAddr,
    /// The shop's SQLite file.
    #[arg(long)]
    database: PathBuf,
}

/// A `tools/call` request, as far as it matters.
#[derive(Deserialize)]
struct Request {
    id: Box<RawValue>,
    params: Params,
}

#[derive(Deserialize)]
struct Params {
    arguments: Arguments,
}

#[derive(Deserialize)]
struct Arguments {
    customer_id: String,
}

#[derive(Serialize)]
struct Response {
    jsonrpc: &'static str,
    id: Box<RawValue>,
    result: ToolResult,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ToolResult {
    result_type: &'static str,
    content: [Text; 1],
    structured_content: Box<RawValue>,
}

#[derive(Serialize)]
struct Text {
    r#type: &'static str,
    text: String,
}

#[derive(Serialize)]
struct Customer {
    id: String,
    name: String,
    email: String,
    tier: String,
    status: String,
    country: String,
    created_at: String,
}

/// One connection is enough: the server runs on one core.
type Database = Arc<Mutex<Connection>>;

#[tokio::main]
async fn main() -> Result<()> {
    let CommandLine { listen, database } = CommandLine::parse();
    let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    let router = Router::new().route("/mcp", post(get_customer)).with_state(Arc::new(Mutex::new(connection)));
    axum::serve(tokio::net::TcpListener::bind(listen).await?, router).await?;
    Ok(())
}

async fn get_customer(State(database): State<Database>, Json(request): Json<Request>) -> Result<Json<Response>, StatusCode> {
    let customer = look_up(&database, &request.params.arguments.customer_id).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let customer = customer.ok_or(StatusCode::NOT_FOUND)?;
    let text = serde_json::to_string(&customer).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let structured_content = RawValue::from_string(text.clone()).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let result = ToolResult { result_type: "complete", content: [Text { r#type: "text", text }], structured_content };
    Ok(Json(Response { jsonrpc: "2.0", id: request.id, result }))
}

fn look_up(database: &Database, id: &str) -> rusqlite::Result<Option<Customer>> {
    let connection = database.lock().unwrap_or_else(PoisonError::into_inner);
    let mut statement = connection.prepare_cached(SQL)?;
    statement.query_row([id], customer).optional()
}

fn customer(row: &Row<'_>) -> rusqlite::Result<Customer> {
    Ok(Customer {
        id: row.get(0)?,
        name: row.get(1)?,
        email: row.get(2)?,
        tier: row.get(3)?,
        status: row.get(4)?,
        country: row.get(5)?,
        created_at: row.get(6)?,
    })
}
