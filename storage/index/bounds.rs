//! The log starts of partitions, and the compaction filter that drops what lies below them.

use super::Index;
use crate::error::Result;
use crate::ids::{Offset, PartitionId};
use crate::keys::{self, Table};
use crate::values::{BatchPlace, DELETED, PartitionRow};
use fjall::compaction::filter::{
    CompactionFilter, CompactionFilterResult, Context, Factory, ItemAccessor, Verdict,
};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// For each partition the offset below which nothing of it may be read.
#[derive(Debug, Default)]
pub struct Bounds {
    starts: RwLock<HashMap<PartitionId, Offset>>,
    /// How often one was raised: what is freed by bounds need not be looked for while it stands.
    raised: AtomicU64,
}

impl Bounds {
    /// The log start of a partition; `None` when nothing is known of it.
    pub fn get(&self, partition: PartitionId) -> Option<Offset> {
        self.starts.read().unwrap_or_else(PoisonError::into_inner).get(&partition).copied()
    }

    /// Raises a partition's log start; it never goes back. Answers what it is now.
    pub fn raise(&self, partition: PartitionId, log_start: Offset) -> Offset {
        let mut bounds = self.starts.write().unwrap_or_else(PoisonError::into_inner);
        let bound = bounds.entry(partition).or_insert(Offset(0));
        if log_start > *bound {
            *bound = log_start;
            self.raised.fetch_add(1, Ordering::AcqRel);
        }
        *bound
    }

    /// How often a log start was raised since the index was opened.
    pub fn raised(&self) -> u64 {
        self.raised.load(Ordering::Acquire)
    }

    pub(super) fn load(&self, index: &Index) -> Result<()> {
        for (key, value) in index.scan(Table::Partitions, &[])? {
            if let Some(partition) = keys::read_partitions(&key) {
                self.raise(partition, PartitionRow::decode(&value)?.log_start);
            }
        }
        Ok(())
    }

    /// Whether a row of the `log` keyspace may go. A row without an explicit bound stays.
    fn is_dead(&self, table: Table, key: &[u8], value: impl FnOnce() -> Option<BatchPlace>) -> bool {
        let Some(bound) = keys::read_partitions(key).and_then(|partition| self.get(partition)) else {
            return false;
        };
        match table {
            Table::Log => keys::read_log(key).is_some_and(|(_, base)| {
                let last = || value().map(|place| base.plus(place.last_offset_delta.into()));
                base < bound && (bound == DELETED || last().is_some_and(|last| last < bound))
            }),
            Table::Times | Table::Epochs | Table::Producers => bound == DELETED,
            Table::Partitions
            | Table::Offsets
            | Table::Segments
            | Table::Groups
            | Table::Configs
            | Table::Topics
            | Table::Meta
            | Table::Program => false,
        }
    }
}

/// The filter that the `log` keyspace's compactions use.
pub(super) fn factory(bounds: Arc<Bounds>) -> Arc<dyn Factory> {
    Arc::new(DropDead(bounds))
}

struct DropDead(Arc<Bounds>);

impl Factory for DropDead {
    fn name(&self) -> &'static str {
        "drop what lies below the log start"
    }

    fn make_filter(&self, _context: &Context) -> Box<dyn CompactionFilter> {
        Box::new(Self(Arc::clone(&self.0)))
    }
}

impl CompactionFilter for DropDead {
    fn filter_item(&mut self, item: ItemAccessor<'_>, _context: &Context) -> CompactionFilterResult {
        let Some((number, key)) = item.key().split_first() else { return Ok(Verdict::Keep) };
        let Some(table) = Table::from_number(*number) else { return Ok(Verdict::Keep) };
        let value = || item.value().ok().and_then(|value| BatchPlace::decode(&value).ok());
        if self.0.is_dead(table, key, value) { Ok(Verdict::Remove) } else { Ok(Verdict::Keep) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SegmentId;

    #[test]
    fn only_what_lies_wholly_below_an_explicit_bound_is_dead() {
        let bounds = Bounds::default();
        bounds.raise(PartitionId(1), Offset(10));
        bounds.raise(PartitionId(2), DELETED);
        let place = |last_offset_delta| BatchPlace {
            segment: SegmentId(1),
            position: 0,
            length: 0,
            last_offset_delta,
            max_timestamp: 0,
            leader_epoch: 0,
            attributes: 0,
        };
        let is_dead = |partition, base, delta| {
            bounds
                .is_dead(Table::Log, &keys::log(PartitionId(partition), Offset(base)), || Some(place(delta)))
        };
        assert!(is_dead(1, 5, 4));
        assert!(!is_dead(1, 5, 5), "its last record is the log start");
        assert!(!is_dead(1, 10, 0));
        assert!(is_dead(2, 1 << 40, 0));
        assert!(!is_dead(3, 0, 0), "nothing is known of the partition");
        let epoch = keys::epochs(PartitionId(1), 0);
        assert!(!bounds.is_dead(Table::Epochs, &epoch, || None));
    }

    #[test]
    fn a_bound_never_goes_back() {
        let bounds = Bounds::default();
        bounds.raise(PartitionId(1), Offset(10));
        bounds.raise(PartitionId(1), Offset(5));
        assert_eq!(bounds.get(PartitionId(1)), Some(Offset(10)));
    }
}
