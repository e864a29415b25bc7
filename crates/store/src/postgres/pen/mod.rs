//! The pen of one chain: one connection, the lock that makes a chain its own, and where the chain stands.
//!
//! *Held*: there is a connection, and its session has the lock of a chain. Whatever goes wrong on it ends it. *Lost*: there is none, or
//! not any more; before the next statement one is made. A connection that broke off may still be at work on the server, as it may if
//! a commit was sent and no answer came. So it is brought to its end there before anybody looks whether that commit was made.

use tokio_postgres::{Client, Statement};

use super::{
    callers,
    connect::{Link, Server},
    schema::lock,
    sheet::{self, Sheet},
    trouble::Trouble,
};
use crate::{CHAINS, Hash, Head, audit::place, audit::row, pseudonyms::Names, writing::Batch};

const LAST: &str = "SELECT id, hash FROM callgate_audit WHERE id BETWEEN $1 AND $2 ORDER BY id DESC LIMIT 1";
const POINT: &str = "SELECT id, hash FROM callgate_audit_checkpoints WHERE id BETWEEN $1 AND $2 ORDER BY id DESC LIMIT 1";

/// Ends a session, known by its process and by the lock that it held; no row if there is none any more.
const END: &str = "\
    SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted \
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
    AND classid = $1 AND objid = $2 AND pid = $3";

/// How often, and with which pause, it is asked whether a session has ended.
const ENDING: (usize, std::time::Duration) = (20, std::time::Duration::from_millis(25));

/// The pen of one chain.
pub(super) struct Pen {
    server: Server,
    /// Who numbers intents here.
    owner: i32,
    session: Option<Session>,
    /// The session before this one, if it may be alive.
    before: Option<Before>,
    /// Where the last batch would have brought the chain, if it is not known whether it did.
    doubt: Option<Head>,
    head: Head,
}

/// A connection whose chain is its own.
pub(super) struct Session {
    pub(super) link: Link,
    pub(super) write: Statement,
    /// Prepared when the first batch with pseudonyms comes.
    named: Option<Named>,
    process: i32,
}

/// The statements for batches with pseudonyms.
#[derive(Clone)]
struct Named {
    make: Statement,
    write: Statement,
}

/// How often a batch is named anew in one attempt.
const NAMINGS: usize = 5;

/// What is known of a session that was given up.
struct Before {
    process: i32,
    chain: u32,
}

/// What became of the last batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    /// It was committed, although nobody had said so.
    Committed,
    /// Nothing is open.
    Settled,
}

impl Pen {
    pub(super) fn new(server: Server, owner: i32) -> Self {
        Self { server, owner, session: None, before: None, doubt: None, head: Head::default() }
    }

    pub(super) fn head(&self) -> Head {
        self.head
    }

    /// How long one attempt may take.
    pub(super) fn patience(&self) -> std::time::Duration {
        self.server.patience()
    }

    /// The connection and where its chain stands.
    pub(super) fn held(&mut self) -> Result<(&mut Session, Head), Trouble> {
        Ok((self.session.as_mut().ok_or(Trouble::Damaged("the connection"))?, self.head))
    }

    /// What was written by `held` is committed.
    pub(super) fn moved(&mut self, head: Head) {
        self.head = head;
    }

    /// The connection is there, as far as anybody knows.
    pub(super) fn is_held(&self) -> bool {
        self.session.as_ref().is_some_and(|session| !session.link.client.is_closed())
    }

    /// Writes what `sheet` makes for the place where the chain stands. The same batch comes again until it is written.
    pub(super) async fn write(&mut self, sheet: impl FnOnce(Head) -> Sheet) -> Result<(), Trouble> {
        if self.hold().await? == Last::Committed {
            return Ok(());
        }
        let sheet = sheet(self.head);
        self.doubt = Some(sheet.end);
        let (session, _) = self.held()?;
        sheet.write(&session.link.client, &session.write).await?;
        (self.head, self.doubt) = (sheet.end, None);
        Ok(())
    }

    /// Writes a batch with pseudonyms. It is named anew as long as somebody is forgotten meanwhile.
    pub(super) async fn write_named(&mut self, names: &mut Names, batch: &Batch) -> Result<(), Trouble> {
        if self.hold().await? == Last::Committed {
            return Ok(());
        }
        let Named { make, write } = self.named(names).await?;
        for attempt in 0..NAMINGS {
            let (session, head) = self.held()?;
            let client = &mut session.link.client;
            let times = match names.times() {
                Some(times) if attempt == 0 => times,
                _ => callers::times(client).await?,
            };
            names.as_of(times);
            callers::learn(client, &make, names, batch).await?;
            let sheet = Sheet::of(head, batch, Some(names));
            self.doubt = Some(sheet.end);
            let (session, _) = self.held()?;
            let is_written = sheet.write_under(times, &session.link.client, &write).await?;
            self.doubt = None;
            if is_written {
                self.head = sheet.end;
                return Ok(());
            }
        }
        Err(Trouble::Forgetful)
    }

    /// Makes sure that there is a connection with a chain.
    pub(super) async fn ready(&mut self) -> Result<(), Trouble> {
        // Only a batch leaves a doubt, and it comes again before anything else.
        self.hold().await.map(drop)
    }

    /// The statements for batches with pseudonyms. Behind a new connection there may be another server, so nothing is remembered of
    /// what the one before said.
    async fn named(&mut self, names: &mut Names) -> Result<Named, Trouble> {
        let (session, _) = self.held()?;
        if let Some(named) = &session.named {
            return Ok(named.clone());
        }
        names.doubt();
        let client = &session.link.client;
        let named = Named { make: callers::prepare(client).await?, write: sheet::prepare_under(client).await? };
        session.named = Some(named.clone());
        Ok(named)
    }

    async fn hold(&mut self) -> Result<Last, Trouble> {
        if self.is_held() {
            return Ok(Last::Settled);
        }
        self.lose().await;
        let link = self.server.connect().await?;
        let lock = "SELECT pg_backend_pid(), pg_advisory_lock_shared($1, $2)::text";
        let process = link.client.query_one(lock, &[&lock::OWNER, &self.owner]).await?.try_get(0)?;
        let last = self.settle(&link.client).await?;
        let wanted = self.before.as_ref().map(|before| before.chain);
        let chain = free(&link.client, wanted).await?;
        let head = head(&link.client, chain).await?;
        let write = sheet::prepare(&link.client).await?;
        self.session = Some(Session { link, write, named: None, process });
        (self.head, self.before, self.doubt) = (head, None, None);
        Ok(last)
    }

    /// Finds out about the last batch. Its session has ended before anybody looks: from then on the answer stays the same.
    async fn settle(&self, client: &Client) -> Result<Last, Trouble> {
        let ended = match &self.before {
            Some(before) => end(client, before).await?,
            None => true,
        };
        match self.doubt {
            None => Ok(Last::Settled),
            Some(_) if !ended => Err(Trouble::Haunted),
            Some(expected) => {
                let found = client.query_opt("SELECT hash FROM callgate_audit WHERE id = $1", &[&expected.row()]).await?;
                let found = found.map(|row| row.try_get::<_, &[u8]>(0).map(Hash::of)).transpose()?.flatten();
                Ok(if found == Some(expected.hash) { Last::Committed } else { Last::Settled })
            }
        }
    }

    /// Gives the connection up, after a failure.
    pub(super) async fn lose(&mut self) {
        if let Some(Session { link, process, .. }) = self.session.take() {
            self.before = Some(Before { process, chain: self.head.chain });
            link.close().await;
        }
    }
}

/// Brings a session to its end; says whether it has ended.
async fn end(client: &Client, before: &Before) -> Result<bool, Trouble> {
    let (times, pause) = ENDING;
    for _ in 0..times {
        let alive = client.query(END, &[&lock::CHAIN.unsigned_abs(), &before.chain, &before.process]).await?;
        if alive.is_empty() {
            return Ok(true);
        }
        tokio::time::sleep(pause).await;
    }
    Ok(false)
}

/// The first chain that nobody writes, or `wanted` if nobody writes that.
async fn free(client: &Client, wanted: Option<u32>) -> Result<u32, Trouble> {
    for chain in wanted.into_iter().chain(0..CHAINS) {
        let number = i32::try_from(chain).unwrap_or(i32::MAX);
        if client.query_one("SELECT pg_try_advisory_lock($1, $2)", &[&lock::CHAIN, &number]).await?.try_get(0)? {
            return Ok(chain);
        }
    }
    Err(Trouble::Full)
}

/// Where a chain stands.
async fn head(client: &Client, chain: u32) -> Result<Head, Trouble> {
    for select in [LAST, POINT] {
        if let Some(found) = client.query_opt(select, &[&row(chain, 0), &(row(chain + 1, 0) - 1)]).await? {
            let hash = Hash::of(found.try_get(1)?).ok_or(Trouble::Damaged("the last hash of a chain"))?;
            return Ok(Head { chain, seq: place(found.try_get(0)?).1, hash });
        }
    }
    Ok(Head::start(chain))
}

#[cfg(test)]
mod tests;
