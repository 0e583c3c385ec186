//! The index as it is at one moment, for several readings that must fit together.

use super::{Continue, Index, full_key};
use crate::error::Result;
use crate::keys::Table;
use fjall::Readable;
use std::ops::Bound;
use std::sync::Arc;

/// A moment of an index. Clones are the same moment; it passes when the last one is dropped.
///
/// It does not keep the index open, but it keeps compaction from dropping the rows that are replaced or
/// deleted later. Dropping it does not block.
#[derive(Clone)]
pub struct Snapshot(Arc<fjall::Snapshot>);

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Snapshot").field(&self.0.seqno()).finish()
    }
}

impl Index {
    /// What was applied so far, whole batches of rows or nothing of them.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(Arc::new(self.database.snapshot()))
    }
}

impl Snapshot {
    /// The value of a row of the index that the moment is of.
    ///
    /// # Errors
    /// [`Error::Index`](crate::Error::Index).
    pub fn get(&self, index: &Index, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let value = self.0.get(index.keyspace(table), full_key(table, key))?;
        Ok(value.map(|value| value.to_vec()))
    }

    /// The rows from `from` on that start with `prefix`, in order, until `take` answers that it wants
    /// no more.
    ///
    /// # Errors
    /// [`Error::Index`](crate::Error::Index), and those of `take`.
    pub fn each_from(
        &self,
        index: &Index,
        table: Table,
        prefix: &[u8],
        from: &[u8],
        mut take: impl FnMut(&[u8], &[u8]) -> Result<Continue>,
    ) -> Result<()> {
        let prefix = full_key(table, prefix);
        let range = (Bound::Included(full_key(table, from)), Bound::Unbounded);
        for guard in self.0.range(index.keyspace(table), range) {
            let (key, value) = guard.into_inner()?;
            if !key.starts_with(&prefix) || take(key.get(1..).unwrap_or_default(), &value)? == Continue::No {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_outlives_flushes_and_compactions() -> Result<()> {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::open(&folder.path().join("index"), None)?;
        let write = |value: &str| {
            let mut batch = index.batch();
            batch.put(Table::Program, b"changed", value.into());
            batch.delete(Table::Program, b"gone");
            batch.commit()
        };
        let mut batch = index.batch();
        batch.put(Table::Program, b"gone", b"here".to_vec());
        batch.put(Table::Program, b"changed", b"before".to_vec());
        batch.commit()?;
        let moment = index.snapshot();
        // So many tables that they are merged.
        for round in 0..12 {
            write(&format!("after {round}"))?;
            index.begin_flush()?;
            while !index.is_flushed()? {
                std::thread::yield_now();
            }
        }
        let mut rows = Vec::new();
        moment.each_from(&index, Table::Program, b"", b"", |key, value| {
            rows.push((key.to_vec(), value.to_vec()));
            Ok(Continue::Yes)
        })?;
        let row = |key: &str, value: &str| (key.into(), value.into());
        assert_eq!(rows, [row("changed", "before"), row("gone", "here")]);
        assert_eq!(moment.get(&index, Table::Program, b"gone")?.as_deref(), Some(&b"here"[..]));
        drop(moment);
        assert_eq!(index.get(Table::Program, b"gone")?, None);
        assert_eq!(index.get(Table::Program, b"changed")?.as_deref(), Some(&b"after 11"[..]));
        Ok(())
    }
}
