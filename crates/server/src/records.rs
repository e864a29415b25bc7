//! The audit log of a configuration as an operator reads it.

use std::{
    collections::VecDeque,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use callgate_store::{Entry, Filter, Heads, Log, Row, pseudonyms::is_pseudonym, verify};

use crate::Error;

/// How many records are read in one go.
const PAGE: usize = 1000;

/// The audit log of a configuration, for reading.
#[derive(Debug)]
pub struct Records {
    log: Box<dyn Log>,
    heads: Heads,
    folder: PathBuf,
}

impl Records {
    pub(crate) fn new(log: Box<dyn Log>, heads: Heads, folder: &Path) -> Self {
        Self { log, heads, folder: folder.into() }
    }

    /// Checks every record, and compares the chains with the signed heads of the configuration and those in `more` files, which are
    /// signed with the same key.
    pub async fn verify(&self, more: &[PathBuf]) -> Result<verify::Report, Error> {
        let own = self.heads.file.as_ref().map(|file| self.folder.join(file));
        let mut heads = Vec::new();
        for path in own.iter().chain(more) {
            let told = |why| callgate_store::Error::Heads { path: path.clone(), why };
            let keys = self.heads.keys().map_err(|why| told(format!("what they are signed with {why}")))?;
            heads.extend(callgate_store::read_heads(path, &keys)?);
        }
        Ok(verify::verify(self.log.as_ref(), &heads).await?)
    }

    /// Shows every record that fits, in the order of chain and place, until it is told to stop. Gives the number of lines that are no
    /// records.
    pub async fn each(&self, filter: &Filter, mut show: impl FnMut(&Row, &Entry) -> ControlFlow<()>) -> Result<u64, Error> {
        let (mut chain, mut seq, mut odd) = (0, 0, 0);
        loop {
            let rows = self.log.after(chain, seq, PAGE).await?;
            let Some(last) = rows.last() else { return Ok(odd) };
            (chain, seq) = (last.chain, last.seq);
            for (row, entry) in rows.iter().zip(self.read(&rows).await?) {
                match entry {
                    None => odd += 1,
                    Some(entry) if filter.fits(&entry) && show(row, &entry).is_break() => return Ok(odd),
                    Some(_) => {}
                }
            }
        }
    }

    /// What these rows say, with the names of callers where they are known; `None` for what is no record.
    async fn read(&self, rows: &[Row]) -> Result<Vec<Option<Entry>>, Error> {
        let parsed: Vec<_> = rows.iter().map(|row| Entry::parse(std::str::from_utf8(&row.line).ok()?)).collect();
        let callers = parsed.iter().flatten().map(|entry| entry.caller.as_str());
        let mut pseudonyms: Vec<String> = callers.filter(|caller| is_pseudonym(caller)).map(str::to_owned).collect();
        if pseudonyms.is_empty() {
            return Ok(parsed);
        }
        pseudonyms.sort_unstable();
        pseudonyms.dedup();
        let names = self.log.names(&pseudonyms).await?;
        Ok(parsed.into_iter().map(|entry| entry.map(|entry| entry.named(&names))).collect())
    }

    /// The last `most` records that fit, oldest first, of all chains together.
    pub async fn last(&self, filter: &Filter, most: usize) -> Result<Vec<Entry>, Error> {
        let mut found: VecDeque<Entry> = VecDeque::new();
        if *filter == Filter::default() {
            let rows = self.log.last(most).await?;
            found.extend(self.read(&rows).await?.into_iter().flatten());
        } else {
            let mut chain = 0;
            let mut from_chain = 0;
            self.each(filter, |_, entry| {
                // Of each chain the last ones; which of them are the last of all shows when they stand side by side.
                if entry.chain != chain {
                    (chain, from_chain) = (entry.chain, found.len());
                }
                found.push_back(entry.clone());
                if found.len() - from_chain > most {
                    found.remove(from_chain);
                }
                ControlFlow::Continue(())
            })
            .await?;
        }
        let mut found: Vec<_> = found.into();
        found.sort_by_key(|entry| entry.at);
        Ok(found.split_off(found.len().saturating_sub(most)))
    }
}
