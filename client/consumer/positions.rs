//! What a consumer reads: its partitions, how far it is in each, and what waits to be taken.

use super::batch::Packed;
use callboard_protocol::native::TopicPartition;
use callboard_protocol::native::read::ReadPart;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// The partitions of a consumer.
#[derive(Debug, Default)]
pub(super) struct Positions {
    partitions: BTreeMap<TopicPartition, Position>,
    queue: VecDeque<(TopicPartition, Packed)>,
    /// Bytes of the batches in the queue.
    pub(super) queued_bytes: usize,
    /// The reading that is open does not fit the partitions any more.
    pub(super) are_changed: bool,
    /// Of some it may not be known where to begin.
    pub(super) are_unsettled: bool,
}

/// How far a consumer is in a partition.
#[derive(Debug)]
pub(super) struct Position {
    pub(super) topic: Arc<str>,
    /// The offset of the next record to give; none until it is known where to begin.
    pub(super) next: Option<i64>,
    /// The offset behind what waits in the queue.
    fetched: i64,
    pub(super) is_paused: bool,
    /// The offset behind the last record that may be read, as far as is known.
    pub(super) end: Option<i64>,
    /// The offset that was committed last.
    pub(super) committed: Option<i64>,
    /// The log does not have the place that was read: what is committed is no better a beginning.
    is_out_of_range: bool,
}

/// Partitions of which it is not known where to begin.
#[derive(Debug, Default)]
pub(super) struct Unsettled {
    /// They begin where the group has committed, if it has.
    pub(super) by_commit: Vec<TopicPartition>,
    /// They begin where the reset policy says.
    pub(super) by_policy: Vec<TopicPartition>,
}

impl Positions {
    pub(super) fn add(&mut self, partition: TopicPartition, topic: Arc<str>) {
        self.partitions.entry(partition).or_insert_with(|| Position {
            topic,
            next: None,
            fetched: 0,
            is_paused: false,
            end: None,
            committed: None,
            is_out_of_range: false,
        });
        (self.are_changed, self.are_unsettled) = (true, true);
    }

    pub(super) fn remove(&mut self, partition: TopicPartition) {
        self.partitions.remove(&partition);
        self.forget_queued(partition);
        self.are_changed = true;
    }

    pub(super) fn keys(&self) -> BTreeSet<TopicPartition> {
        self.partitions.keys().copied().collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&TopicPartition, &Position)> {
        self.partitions.iter()
    }

    pub(super) fn get(&self, partition: TopicPartition) -> Option<&Position> {
        self.partitions.get(&partition)
    }

    /// The partition with that name and number.
    pub(super) fn find(&self, topic: &str, partition: u32) -> Option<TopicPartition> {
        let mut all = self.partitions.iter();
        let found = all.find(|(key, it)| key.partition == partition && *it.topic == *topic);
        found.map(|(key, _)| *key)
    }

    /// Goes on from an offset, whatever waits in the queue.
    pub(super) fn seek(&mut self, partition: TopicPartition, offset: i64) {
        self.forget_queued(partition);
        if let Some(position) = self.partitions.get_mut(&partition) {
            (position.next, position.fetched) = (Some(offset), offset);
            position.is_out_of_range = false;
            self.are_changed = true;
        }
    }

    /// The log does not have the place that was to be read: where to begin is for the reset policy.
    pub(super) fn out_of_range(&mut self, partition: TopicPartition) {
        self.forget_queued(partition);
        if let Some(position) = self.partitions.get_mut(&partition) {
            (position.next, position.is_out_of_range) = (None, true);
            (self.are_changed, self.are_unsettled) = (true, true);
        }
    }

    pub(super) fn pause(&mut self, partition: TopicPartition, is_paused: bool) {
        if let Some(position) = self.partitions.get_mut(&partition) {
            self.are_changed |= position.is_paused != is_paused;
            position.is_paused = is_paused;
        }
    }

    pub(super) fn committed(&mut self, partition: TopicPartition, offset: i64) {
        if let Some(position) = self.partitions.get_mut(&partition) {
            position.committed = Some(offset);
        }
    }

    /// What was taken for committed is not, but what was before.
    pub(super) fn not_committed(&mut self, partition: TopicPartition, offset: i64, before: Option<i64>) {
        let position = self.partitions.get_mut(&partition);
        if let Some(position) = position.filter(|it| it.committed == Some(offset)) {
            position.committed = before;
        }
    }

    /// The records before that offset were given.
    pub(super) fn given(&mut self, partition: TopicPartition, next: i64) {
        if let Some(position) = self.partitions.get_mut(&partition) {
            position.next = Some(next);
        }
    }

    /// Finds out whether there are still partitions of which it is not known where to begin.
    pub(super) fn look_for_unsettled(&mut self) {
        self.are_unsettled = self.partitions.values().any(|position| position.next.is_none());
    }

    /// Partitions of which it is not known where to begin.
    pub(super) fn unsettled(&self) -> Unsettled {
        let mut unsettled = Unsettled::default();
        for (partition, position) in self.partitions.iter().filter(|(_, it)| it.next.is_none()) {
            if position.is_out_of_range {
                unsettled.by_policy.push(*partition);
            } else {
                unsettled.by_commit.push(*partition);
            }
        }
        unsettled
    }

    /// What is to be read: partitions that are not paused, behind what waits in the queue.
    pub(super) fn to_read(&self) -> Vec<ReadPart> {
        let wanted = self.partitions.iter().filter(|(_, it)| !it.is_paused && it.next.is_some());
        wanted.map(|(partition, it)| ReadPart { partition: *partition, offset: it.fetched }).collect()
    }

    /// Takes batches that were pushed.
    pub(super) fn queue(&mut self, partition: TopicPartition, batches: Vec<Packed>, end: i64) {
        let Some(position) = self.partitions.get_mut(&partition) else { return };
        position.end = Some(end);
        for batch in batches {
            position.fetched = position.fetched.max(batch.header.last_offset() + 1);
            self.queued_bytes += batch.len();
            self.queue.push_back((partition, batch));
        }
    }

    /// The first batch that waits and whose partition is not paused, with where to begin in it.
    pub(super) fn pop(&mut self) -> Option<(TopicPartition, Arc<str>, Packed, i64)> {
        let is_ready = |partition: &TopicPartition| {
            self.partitions.get(partition).is_some_and(|it| !it.is_paused && it.next.is_some())
        };
        let place = self.queue.iter().position(|(partition, _)| is_ready(partition))?;
        let (partition, batch) = self.queue.remove(place)?;
        self.queued_bytes -= batch.len();
        let position = self.partitions.get(&partition)?;
        Some((partition, Arc::clone(&position.topic), batch, position.next?))
    }

    fn forget_queued(&mut self, partition: TopicPartition) {
        self.queue.retain(|(queued, _)| *queued != partition);
        self.queued_bytes = self.queue.iter().map(|(_, batch)| batch.len()).sum();
    }
}
