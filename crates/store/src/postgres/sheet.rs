//! What one statement writes: all of it or nothing.

use tokio_postgres::{Client, GenericClient, types::ToSql};

use super::trouble::Trouble;
use crate::{
    Entry, Head,
    pseudonyms::{Names, view},
    writing::Batch,
};

const WRITE: &str = "\
    WITH intended AS (INSERT INTO callgate_audit_intents (number, line) SELECT * FROM unnest($1::bigint[], $2::text[])), \
    settled AS (DELETE FROM callgate_audit_intents WHERE number = ANY ($3::bigint[])) \
    INSERT INTO callgate_audit (id, hash, line) SELECT * FROM unnest($4::bigint[], $5::bytea[], $6::text[])";

/// The same, if so often as said somebody was forgotten; nothing otherwise. Says whether it was done.
const WRITE_UNDER: &str = "\
    WITH still AS MATERIALIZED (SELECT 1 FROM callgate_audit_forgotten WHERE times = $7), \
    intended AS (INSERT INTO callgate_audit_intents (number, line) \
        SELECT made.* FROM unnest($1::bigint[], $2::text[]) AS made, still), \
    settled AS (DELETE FROM callgate_audit_intents WHERE number = ANY ($3::bigint[]) AND EXISTS (SELECT FROM still)), \
    written AS (INSERT INTO callgate_audit (id, hash, line) \
        SELECT made.* FROM unnest($4::bigint[], $5::bytea[], $6::text[]) AS made, still) \
    SELECT EXISTS (SELECT FROM still)";

/// Records behind a head, the intents they settle, and new intents.
#[derive(Debug)]
pub(super) struct Sheet {
    /// Where the chain stands once this is written.
    pub(super) end: Head,
    intended: (Vec<i64>, Vec<String>),
    settled: Vec<i64>,
    rows: (Vec<i64>, Vec<Vec<u8>>, Vec<String>),
}

impl Sheet {
    fn new(head: Head) -> Self {
        Self { end: head, intended: Default::default(), settled: Vec::new(), rows: Default::default() }
    }

    /// What has gathered. An intent that is settled in the same go is none: one statement cannot remove what it adds.
    pub(super) fn of(head: Head, batch: &Batch, names: Option<&Names>) -> Self {
        let mut sheet = Self::new(head);
        let mut session = String::new();
        sheet.settled.extend(batch.records.iter().filter_map(|pending| pending.record.intent).map(|intent| number(intent.0)));
        sheet.settled.sort_unstable();
        for draft in &batch.intents {
            let number = number(draft.number.0);
            if sheet.settled.binary_search(&number).is_err() {
                let mut line = Vec::new();
                view(names, &draft.record, &mut session).write(head.chain, 0, &mut line);
                sheet.intended.0.push(number);
                sheet.intended.1.push(text(line));
            }
        }
        for pending in &batch.records {
            let mut line = Vec::new();
            view(names, &pending.record, &mut session).write(head.chain, sheet.end.seq + 1, &mut line);
            sheet.push(line);
        }
        sheet
    }

    /// Records that the store itself makes, and the intents that they settle.
    pub(super) fn made(head: Head, entries: &[Entry], settled: Vec<i64>) -> Self {
        let mut sheet = Self { settled, ..Self::new(head) };
        for entry in entries {
            let mut line = Vec::new();
            entry.view().write(head.chain, sheet.end.seq + 1, &mut line);
            sheet.push(line);
        }
        sheet
    }

    fn push(&mut self, line: Vec<u8>) {
        self.end = self.end.then(&line);
        self.rows.0.push(self.end.row());
        self.rows.1.push(self.end.hash.0.to_vec());
        self.rows.2.push(text(line));
    }

    /// Writes it.
    pub(super) async fn write(&self, client: &impl GenericClient, statement: &tokio_postgres::Statement) -> Result<(), Trouble> {
        let Self { end: _, intended, settled, rows } = self;
        client.execute(statement, &[&intended.0, &intended.1, settled, &rows.0, &rows.1, &rows.2]).await?;
        Ok(())
    }

    /// Writes it if so often somebody was forgotten, and says whether that is so.
    pub(super) async fn write_under(&self, times: i64, client: &Client, statement: &tokio_postgres::Statement) -> Result<bool, Trouble> {
        let Self { end: _, intended, settled, rows } = self;
        let values: [&(dyn ToSql + Sync); 7] = [&intended.0, &intended.1, settled, &rows.0, &rows.1, &rows.2, &times];
        Ok(client.query_one(statement, &values).await?.try_get(0)?)
    }
}

/// The statement that writes sheets under a count, on this connection.
pub(super) async fn prepare_under(client: &Client) -> Result<tokio_postgres::Statement, Trouble> {
    Ok(client.prepare(WRITE_UNDER).await?)
}

/// The statement that writes sheets on this connection.
pub(super) async fn prepare(client: &Client) -> Result<tokio_postgres::Statement, Trouble> {
    Ok(client.prepare(WRITE).await?)
}

fn text(line: Vec<u8>) -> String {
    String::from_utf8(line).expect("a line is made of texts")
}

/// PostgreSQL's integers are signed; intents are numbered within them.
fn number(intent: u64) -> i64 {
    i64::try_from(intent).unwrap_or(i64::MAX)
}
