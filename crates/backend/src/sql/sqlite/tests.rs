//! What only SQLite can get wrong.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    readers::Readers,
    rows::{Reach, run},
    watch::Job,
    work,
    writer::Writer,
};
use crate::sql::{
    column::{Column, Shape},
    config::Returns,
    program::{Access, Nest, Pace, Page, Program, Statement, Step},
};

fn statement(text: &str) -> Statement {
    let columns = if text.starts_with("SELECT") { vec![Column::new("a", Shape::Integer)] } else { Vec::new() };
    Statement {
        pointer: "/sql".into(),
        source: text.into(),
        text: text.into(),
        feeds: Vec::new(),
        writes: columns.is_empty(),
        columns,
        types: Vec::new(),
        pace: Pace::default(),
    }
}

/// One statement, and one nested in it.
fn program(text: &str, access: Access) -> Program {
    let nest = Nest { name: "n".into(), when: None, returns: Returns::One, rows: 1, statement: statement("SELECT 1 AS a") };
    Program {
        parameters: Vec::new(),
        steps: vec![Step { statement: statement(text), expect: None, otherwise: None }],
        answer: 0,
        nests: vec![nest],
        returns: Returns::Many,
        access,
        rows: 10,
        bytes: 1000,
        missing: String::new(),
    }
}

#[test]
fn dates_of_any_storage_class_are_told() {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    let cases = [
        (Shape::Local, "'2026-07-28 12:00:00'", "2026-07-28T12:00:00"),
        (Shape::Local, "'yesterday'", "yesterday"),
        (Shape::Local, "1785240000", "2026-07-28T12:00:00Z"),
        (Shape::Local, "1785240000000", "1785240000000"),
        (Shape::Moment, "1785240000.5", "1785240000.5"),
        (Shape::Date, "2026", "2026"),
        (Shape::Date, "2461250.5", "2461250.5"),
    ];
    for (shape, value, expected) in cases {
        let statement = Statement { columns: vec![Column::new("a", shape)], ..statement(&format!("SELECT {value} AS a")) };
        let reach = Reach { page: Page::default(), rows: 1, bytes: 1000 };
        let told = run(&connection, &statement, &Vec::new(), reach).map(|rows| String::from_utf8(rows.json).unwrap());
        assert_eq!(told.map_err(|stop| stop.to_string()), Ok(format!(r#"{{"a":"{expected}"}}"#)), "{shape:?} {value}");
    }
}

/// SQLite counts the steps of a statement over all its runs, so that even the shortest is asked now and then whether to go on.
const OFTEN: usize = 2_000;

#[tokio::test]
async fn the_end_of_a_transaction_is_never_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.db");
    let _writer = Writer::open(&path).unwrap();
    let readers = Arc::new(Readers::new(path.clone(), 1, Duration::from_secs(60), Duration::from_secs(60)));
    let mut loan = readers.borrow(Duration::ZERO).await.unwrap().unwrap();
    let reader = loan.reader();
    let read = program("SELECT 1 AS a", Access::Read);
    let mut interrupted = 0;
    for _ in 0..OFTEN {
        reader.watch.arm(Instant::now(), None);
        interrupted += usize::from(work::read(&reader.connection, &reader.watch, &read, &Vec::new(), Page::default()).is_err());
        assert!(reader.connection.is_autocommit(), "a transaction stayed open");
    }
    assert!(interrupted > 0, "nothing was interrupted");

    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch("CREATE TABLE t (a)").unwrap();
    let mut connection = connection;
    let watch = Arc::new(super::watch::Watch::new());
    let watching = watch.clone();
    connection.progress_handler(1, Some(move || watching.is_over())).unwrap();
    let write = program("INSERT INTO t VALUES (1)", Access::Write);
    let mut done = 0;
    for _ in 0..200 {
        let job = Job::default();
        // Over in the middle, sooner or later.
        watch.arm(Instant::now() + Duration::from_micros(20), None);
        done += i64::from(work::write(&connection, &watch, &write, &Vec::new(), &job).is_ok());
        watch.disarm();
        assert!(connection.is_autocommit(), "a transaction stayed open");
    }
    let rows: i64 = connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, done, "what was refused was undone, and nothing else");
}
