//! How we know that a database is served as promised: the same declarations and calls on both engines.
//!
//! PostgreSQL is used where `CALLGATE_TEST_POSTGRES` names one; each test has a schema of its own there.

mod callers;
mod declarations;
mod lists;
mod migrations;
mod reads;
mod resources;
mod time;
mod world;
mod writes;
