//! The index: one fjall database that knows where each batch lies and holds all other state.
//!
//! Its own write-ahead log is never relied on: it is thrown away when the index is opened, and all
//! that a checkpoint does not cover is applied again from the journal. So the index needs to
//! survive a crash only as its tables do, which fjall syncs before it names them, and nothing in
//! it can be ahead of the synced journal.
//!
//! Rows that come with every batch have a keyspace of their own (`log`); the rest is in `state`.
//! A keyspace costs milliseconds to create, so tables share one and are told by a key's first byte.

mod bounds;
pub mod files;
pub(crate) mod recover;
mod snapshot;

pub use bounds::Bounds;
pub use snapshot::Snapshot;

use crate::checkpoint::Checkpoint;
use crate::error::{Error, Result};
use crate::ids::Sequence;
use crate::keys::Table;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable};
use std::path::Path;
use std::sync::Arc;

/// Bytes of blocks that are kept in memory.
const CACHE_BYTES: u64 = 64 << 20;
/// Bytes that a keyspace gathers in memory before it writes a table.
const MEMTABLE_BYTES: u64 = 16 << 20;

/// The row in each keyspace with the last record that a checkpoint may rely on.
pub(crate) const CHECKPOINT_KEY: &[u8] = b"checkpoint";

/// A row: its key without the table's number, and its value.
pub type Row = (Vec<u8>, Vec<u8>);

/// The open index. Clones share it; all calls block.
#[derive(Clone)]
pub struct Index {
    database: Database,
    log: Keyspace,
    state: Keyspace,
    bounds: Arc<Bounds>,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").finish_non_exhaustive()
    }
}

impl Index {
    /// Sees that an index which is there can be opened for writing and is not open already, before
    /// anything is changed.
    ///
    /// # Errors
    /// [`Error::InUse`]; [`Error::Io`].
    pub fn check_free(folder: &Path) -> Result<()> {
        recover::check_free(folder)
    }

    /// Opens the index in a folder, or creates it. What a crash left of one that was being created
    /// is removed first: before the first checkpoint all of it follows from the journal.
    ///
    /// # Errors
    /// [`Error::IndexBehind`]; [`Error::IndexDamaged`]; [`Error::InUse`]; [`Error::Index`]; [`Error::Io`]; [`Error::Value`]
    /// when a partition's row is damaged.
    pub fn open(folder: &Path, checkpoint: Option<&Checkpoint>) -> Result<Self> {
        recover::check_free(folder)?;
        match checkpoint {
            Some(checkpoint) if !folder.exists() => {
                return Err(Error::IndexBehind { found: Sequence(0), expected: checkpoint.sequence });
            }
            None if !recover::is_complete(folder) => recover::remove(folder)?,
            Some(_) | None => {
                recover::sync_names(folder)?;
                recover::discard_write_ahead_log(folder)?;
            }
        }
        files::check_versions(folder)?;
        let bounds = Arc::new(Bounds::default());
        let filter = bounds::factory(Arc::clone(&bounds));
        let database = Database::builder(folder)
            .cache_size(CACHE_BYTES)
            .manual_journal_persist(true)
            .worker_threads(1)
            .with_compaction_filter_factories(Arc::new(move |keyspace| {
                (keyspace == "log").then(|| Arc::clone(&filter))
            }))
            .open()?;
        let options = || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES);
        let log = database.keyspace("log", options)?;
        let state = database.keyspace("state", options)?;
        recover::complete(folder)?;
        let index = Self { database, log, state, bounds };
        index.check_covers(checkpoint)?;
        index.bounds.load(&index)?;
        Ok(index)
    }

    /// The log starts of the partitions, below which nothing may be read.
    pub fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// The value of a row.
    ///
    /// # Errors
    /// [`Error::Index`].
    pub fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.keyspace(table).get(full_key(table, key))?.map(|value| value.to_vec()))
    }

    /// All rows whose key starts with `prefix`, in order, as of one moment.
    ///
    /// # Errors
    /// [`Error::Index`].
    pub fn scan(&self, table: Table, prefix: &[u8]) -> Result<Vec<Row>> {
        self.database.snapshot().prefix(self.keyspace(table), full_key(table, prefix)).map(row).collect()
    }

    /// The rows from `from` on that start with `prefix`, in order, as of one moment, until `take`
    /// answers that it wants no more.
    ///
    /// # Errors
    /// [`Error::Index`], and those of `take`.
    pub fn each_from(
        &self,
        table: Table,
        prefix: &[u8],
        from: &[u8],
        take: impl FnMut(&[u8], &[u8]) -> Result<Continue>,
    ) -> Result<()> {
        self.snapshot().each_from(self, table, prefix, from, take)
    }

    /// The last row with that prefix whose key is at most `at`.
    ///
    /// # Errors
    /// [`Error::Index`].
    pub fn last_at(&self, table: Table, prefix: &[u8], at: &[u8]) -> Result<Option<Row>> {
        let range = full_key(table, prefix)..=full_key(table, at);
        let last = self.database.snapshot().range(self.keyspace(table), range).next_back();
        last.map(row).transpose()
    }

    /// Notes up to which record a checkpoint will cover what is in the index.
    pub(crate) fn note_checkpoint(batch: &mut IndexBatch<'_>, sequence: Sequence) {
        for keyspace in [&batch.index.log, &batch.index.state] {
            let key = full_key(Table::Meta, CHECKPOINT_KEY);
            batch.batch.insert(keyspace, key, sequence.0.to_be_bytes());
        }
    }

    /// An index that was put back from a copy, or lost a part, lacks what the journal may not hold
    /// any more.
    fn check_covers(&self, checkpoint: Option<&Checkpoint>) -> Result<()> {
        let Some(Checkpoint { sequence: expected, .. }) = checkpoint else { return Ok(()) };
        for keyspace in [&self.log, &self.state] {
            let found = noted_checkpoint(keyspace)?;
            if found < *expected {
                return Err(Error::IndexBehind { found, expected: *expected });
            }
        }
        Ok(())
    }

    /// The last record that the index is known to hold.
    ///
    /// # Errors
    /// [`Error::Index`].
    pub(crate) fn noted_checkpoint(&self) -> Result<Sequence> {
        Ok(noted_checkpoint(&self.log)?.min(noted_checkpoint(&self.state)?))
    }

    /// Collects changes that are made at once.
    pub fn batch(&self) -> IndexBatch<'_> {
        IndexBatch { index: self, batch: self.database.batch() }
    }

    /// Deletes rows at once.
    ///
    /// # Errors
    /// [`Error::Index`].
    pub fn delete_all<'a>(&self, table: Table, keys: impl IntoIterator<Item = &'a [u8]>) -> Result<()> {
        let mut batch = self.batch();
        for key in keys {
            batch.delete(table, key);
        }
        batch.commit()
    }

    /// Begins to write all that was applied so far into tables, and tells with
    /// [`Index::is_flushed`] when that is done.
    ///
    /// # Errors
    /// [`Error::Index`].
    pub fn begin_flush(&self) -> Result<()> {
        self.log.rotate_memtable()?;
        self.state.rotate_memtable()?;
        Ok(())
    }

    /// Whether what [`Index::begin_flush`] began is done.
    ///
    /// # Errors
    /// [`Error::Index`] when the database stopped working.
    pub fn is_flushed(&self) -> Result<bool> {
        if self.log.sealed_memtable_count() == 0 && self.state.sealed_memtable_count() == 0 {
            return Ok(true);
        }
        // Answers an error after a failed flush, so that nobody waits for one that never comes.
        self.database.persist(PersistMode::Buffer)?;
        Ok(false)
    }

    fn keyspace(&self, table: Table) -> &Keyspace {
        match table {
            Table::Log | Table::Times | Table::Epochs | Table::Producers | Table::Segments => &self.log,
            Table::Offsets
            | Table::Groups
            | Table::Partitions
            | Table::Configs
            | Table::Topics
            | Table::Meta
            | Table::Program => &self.state,
        }
    }
}

/// Whether an iteration goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Continue {
    /// It does.
    Yes,
    /// It ends.
    No,
}

/// Changes of the index that are made at once.
pub struct IndexBatch<'a> {
    index: &'a Index,
    batch: fjall::OwnedWriteBatch,
}

impl IndexBatch<'_> {
    /// Writes a row.
    pub fn put(&mut self, table: Table, key: &[u8], value: Vec<u8>) {
        self.batch.insert(self.index.keyspace(table), full_key(table, key), value);
    }

    /// Deletes a row.
    pub fn delete(&mut self, table: Table, key: &[u8]) {
        self.batch.remove(self.index.keyspace(table), full_key(table, key));
    }

    /// Makes the changes.
    ///
    /// # Errors
    /// [`Error::Index`].
    pub fn commit(self) -> Result<()> {
        Ok(self.batch.commit()?)
    }
}

fn noted_checkpoint(keyspace: &Keyspace) -> Result<Sequence> {
    let noted = keyspace.get(full_key(Table::Meta, CHECKPOINT_KEY))?;
    let noted = noted.and_then(|value| value.as_ref().try_into().ok());
    Ok(Sequence(noted.map_or(0, u64::from_be_bytes)))
}

fn full_key(table: Table, key: &[u8]) -> Vec<u8> {
    let mut full = Vec::with_capacity(key.len() + 1);
    full.push(table as u8);
    full.extend_from_slice(key);
    full
}

fn row(guard: fjall::Guard) -> Result<Row> {
    let (key, value) = guard.into_inner().map_err(Error::from)?;
    Ok((key.get(1..).unwrap_or_default().to_vec(), value.to_vec()))
}
