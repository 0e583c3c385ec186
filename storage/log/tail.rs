//! The end of each partition's log: what is needed to append to it, in memory.

use crate::error::Result;
use crate::ids::{Offset, PartitionId, ProducerId};
use crate::index::{Continue, Index};
use crate::keys::{self, Table};
use crate::values::{BatchPlace, DELETED, ProducerRow};
use std::collections::HashMap;

/// Batches between two entries of [`Table::Times`], so that a search by time reads few rows.
const BATCHES_PER_TIME: u32 = 64;

/// What a partition's actor starts from.
#[derive(Debug, Clone)]
pub struct PartitionState {
    /// Offset of the first record that may be read.
    pub log_start: Offset,
    /// Offset behind the last record that was applied.
    pub next_offset: Offset,
    /// The producers that are remembered.
    pub producers: HashMap<ProducerId, ProducerRow>,
}

/// The end of one partition's log.
#[derive(Debug)]
pub(super) struct Tail {
    /// The offset that the next batch is given.
    pub(super) next_offset: Offset,
    /// The offset behind the last batch that was applied.
    end: Offset,
    /// The last leader epoch that appended.
    pub(super) epoch: i32,
    /// The largest timestamp so far.
    pub(super) max_timestamp: i64,
    /// Batches since the last entry of [`Table::Times`].
    pub(super) since_time: u32,
    pub(super) producers: HashMap<ProducerId, ProducerRow>,
}

impl Tail {
    /// All below that offset has been applied.
    pub(super) fn reach(&mut self, end: Offset) {
        self.end = self.end.max(end);
        self.next_offset = self.next_offset.max(end);
    }

    /// Whether a batch with that largest timestamp gets an entry of [`Table::Times`].
    pub(super) fn advance_time(&mut self, timestamp: i64) -> bool {
        self.since_time = self.since_time.saturating_add(1);
        if timestamp <= self.max_timestamp {
            return false;
        }
        let is_first = self.max_timestamp < 0;
        self.max_timestamp = timestamp;
        let is_due = is_first || self.since_time >= BATCHES_PER_TIME;
        if is_due {
            self.since_time = 0;
        }
        is_due
    }
}

/// The ends of the logs that were touched since the start.
#[derive(Debug, Default)]
pub(super) struct Tails(HashMap<PartitionId, Tail>);

impl Tails {
    /// The end of a partition's log, from the index at its first use.
    pub(super) fn get(&mut self, index: &Index, partition: PartitionId) -> Result<&mut Tail> {
        match self.0.entry(partition) {
            std::collections::hash_map::Entry::Occupied(tail) => Ok(tail.into_mut()),
            std::collections::hash_map::Entry::Vacant(place) => Ok(place.insert(load(index, partition)?)),
        }
    }

    pub(super) fn state(&mut self, index: &Index, partition: PartitionId) -> Result<PartitionState> {
        let log_start = index.bounds().get(partition).unwrap_or(Offset(0));
        let tail = self.get(index, partition)?;
        // Not `next_offset`: what was written and could not be synced is not there for anybody.
        Ok(PartitionState { log_start, next_offset: tail.end, producers: tail.producers.clone() })
    }

    pub(super) fn remove(&mut self, partition: PartitionId) {
        self.0.remove(&partition);
    }

    pub(super) fn loaded(&mut self, partition: PartitionId) -> Option<&mut Tail> {
        self.0.get_mut(&partition)
    }
}

fn load(index: &Index, partition: PartitionId) -> Result<Tail> {
    let prefix = keys::partitions(partition);
    let log_start = index.bounds().get(partition).filter(|start| *start != DELETED).unwrap_or(Offset(0));
    let last = index.last_at(Table::Log, &prefix, &keys::log(partition, Offset(i64::MAX)))?;
    let end = match last {
        Some((key, value)) => {
            let delta = BatchPlace::decode(&value)?.last_offset_delta;
            keys::read_log(&key).map_or(Offset(0), |(_, base)| base.plus(i64::from(delta) + 1))
        }
        None => Offset(0),
    };
    let (max_timestamp, since_time) = load_time(index, partition)?;
    let end = end.max(log_start);
    Ok(Tail {
        next_offset: end,
        end,
        epoch: load_epoch(index, partition)?,
        max_timestamp,
        since_time,
        producers: load_producers(index, partition)?,
    })
}

/// The largest timestamp: that of the last entry, or of a batch since. Exact, because an entry is
/// never left out for longer than its distance.
fn load_time(index: &Index, partition: PartitionId) -> Result<(i64, u32)> {
    let prefix = keys::partitions(partition);
    let Some((key, value)) = index.last_at(Table::Times, &prefix, &keys::times(partition, i64::MAX))? else {
        return Ok((-1, 0));
    };
    let mut max = keys::read_log(&key).map_or(-1, |(_, timestamp)| timestamp.0);
    let mut count = 0;
    let base = value.try_into().map_or(Offset(0), |bytes| Offset(i64::from_be_bytes(bytes)));
    index.each_from(Table::Log, &prefix, &keys::log(partition, base), |_, value| {
        max = max.max(BatchPlace::decode(value)?.max_timestamp);
        count += 1;
        Ok(Continue::Yes)
    })?;
    Ok((max, count))
}

fn load_epoch(index: &Index, partition: PartitionId) -> Result<i32> {
    let prefix = keys::partitions(partition);
    let last = index.last_at(Table::Epochs, &prefix, &keys::epochs(partition, i32::MAX))?;
    let epoch = last.and_then(|(key, _)| key.get(4..)?.try_into().ok()).map(i32::from_be_bytes);
    Ok(epoch.unwrap_or(-1))
}

fn load_producers(index: &Index, partition: PartitionId) -> Result<HashMap<ProducerId, ProducerRow>> {
    let rows = index.scan(Table::Producers, &keys::partitions(partition))?;
    let mut producers = HashMap::with_capacity(rows.len());
    for (key, value) in rows {
        if let Some((_, producer)) = keys::read_producers(&key) {
            producers.insert(producer, ProducerRow::decode(&value)?);
        }
    }
    Ok(producers)
}
