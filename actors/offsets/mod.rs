//! The offsets that a group has committed, in memory and as rows.
//!
//! Whoever owns them (a group's actor, of either protocol) decides who may change them; here is
//! what changes.
//!
//! - [`commit`]: how far a member has read
//! - [`fetch`]: asking for it
//! - [`delete`]: forgetting it
//! - [`mod@unit`]: committing them together with what the program around the broker changes
//! - [`expire`]: forgetting what nobody is interested in any more

pub mod commit;
pub mod delete;
pub mod expire;
pub mod fetch;
pub mod unit;

use crate::names::GroupId;
use callboard_storage::TopicId;
use callboard_storage::index::Row;
use callboard_storage::journal::Mutation;
use callboard_storage::keys::{self, Table};
use callboard_storage::values::OffsetRow;
use std::collections::BTreeMap;

/// A partition as a group knows it.
pub type TopicPartition = (TopicId, i32);

/// The committed offsets of a group.
#[derive(Debug)]
pub struct Offsets {
    group: GroupId,
    committed: BTreeMap<TopicPartition, OffsetRow>,
}

impl Offsets {
    /// The offsets of a group that has committed none.
    pub fn new(group: GroupId) -> Self {
        Self { group, committed: BTreeMap::new() }
    }

    /// A group's offsets, as storage has them.
    ///
    /// # Errors
    /// A row that is damaged.
    pub fn load(group: GroupId, rows: &[Row]) -> Result<Self, callboard_storage::Error> {
        let mut committed = BTreeMap::new();
        for (key, value) in rows {
            if let Some(partition) = keys::read_offsets(key) {
                committed.insert(partition, OffsetRow::decode(value)?);
            }
        }
        Ok(Self { group, committed })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.committed.is_empty()
    }

    /// Forgets all, as rows to write.
    pub fn clear(&mut self) -> Vec<Mutation> {
        let partitions: Vec<_> = self.committed.keys().copied().collect();
        partitions.into_iter().filter_map(|partition| self.forget(partition)).collect()
    }

    fn key(&self, (topic, partition): TopicPartition) -> Vec<u8> {
        keys::offsets(&self.group, topic, partition)
    }

    fn forget(&mut self, partition: TopicPartition) -> Option<Mutation> {
        self.committed.remove(&partition)?;
        Some(Mutation { table: Table::Offsets, key: self.key(partition), value: None })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use uuid::Uuid;

    pub(crate) fn topic(number: u128) -> TopicId {
        TopicId(Uuid::from_u128(number))
    }

    /// The offsets that rows come to, written on top of each other.
    pub(super) fn replay(changes: &[Mutation]) -> Offsets {
        let mut rows = BTreeMap::new();
        for Mutation { table, key, value } in changes {
            assert_eq!(*table, Table::Offsets);
            match value {
                Some(value) => drop(rows.insert(key.clone(), value.clone())),
                None => drop(rows.remove(key)),
            }
        }
        Offsets::load("g".into(), &rows.into_iter().collect::<Vec<_>>()).unwrap()
    }
}
