//! Applying synced records to the index: live, and again after a crash, by the same function.
//!
//! All rows are absolute, so that applying twice is applying once; what follows from a batch and
//! its place is derived here and not written to the journal.

use super::{Group, Log};
use crate::error::Result;
use crate::ids::{Offset, PartitionId, ProducerId, SegmentId};
use crate::index::{Index, IndexBatch};
use crate::journal::{Mutation, Recovered};
use crate::keys::{self, Table};
use crate::values::{BatchPlace, DELETED, PartitionRow, ProducedBatch, ProducerRow, SegmentUse};
use callboard_protocol::batch::BatchHeader;
use std::collections::HashSet;

/// A batch and where it lies.
struct Appended {
    partition: PartitionId,
    header: BatchHeader,
    segment: SegmentId,
    position: u64,
    length: u32,
}

/// Rows that several records of a group change, written once.
#[derive(Default)]
struct Touched {
    producers: HashSet<(PartitionId, ProducerId)>,
}

impl Log {
    pub(super) fn apply_groups(&mut self, groups: &[Group]) -> Result<()> {
        let index = self.index.clone();
        let mut batch = index.batch();
        let mut touched = Touched::default();
        for (body, place) in groups.iter().flat_map(|group| group.bodies.iter().zip(&group.places)) {
            self.apply_mutations(&body.mutations, &mut batch)?;
            for (placed, position) in body.batches.iter().zip(&place.batches) {
                let appended = Appended {
                    partition: placed.partition,
                    header: placed.batch.header,
                    segment: place.segment,
                    position: *position,
                    length: placed.batch.len() as u32,
                };
                self.apply_batch(&appended, &mut batch, &mut touched)?;
            }
        }
        self.write_producers(&touched, &mut batch)?;
        batch.commit()
    }

    pub(super) fn apply_recovered(&mut self, records: &[Recovered]) -> Result<()> {
        let index = self.index.clone();
        let mut batch = index.batch();
        let mut touched = Touched::default();
        for Recovered { segment, record } in records {
            self.apply_mutations(&record.mutations, &mut batch)?;
            for scanned in &record.batches {
                let appended = Appended {
                    partition: scanned.partition,
                    header: scanned.header,
                    segment: *segment,
                    position: scanned.position,
                    length: scanned.length,
                };
                self.apply_batch(&appended, &mut batch, &mut touched)?;
            }
        }
        self.write_producers(&touched, &mut batch)?;
        batch.commit()
    }

    /// Writes what the newest segments hold of each partition, and up to where all was applied.
    pub(super) fn write_uses(&mut self) -> Result<()> {
        let index = self.index.clone();
        let mut batch = index.batch();
        for ((segment, partition), part) in &self.uses {
            batch.put(Table::Segments, &keys::segments(*segment, *partition), part.encode());
        }
        Index::note_checkpoint(&mut batch, self.applied.sequence);
        batch.commit()?;
        self.uses.retain(|(segment, _), _| *segment == self.applied.segment);
        Ok(())
    }

    fn apply_mutations(&mut self, mutations: &[Mutation], batch: &mut IndexBatch<'_>) -> Result<()> {
        for Mutation { table, key, value } in mutations {
            match value {
                Some(value) if *table == Table::Partitions => self.move_log_start(key, value, batch)?,
                Some(value) => batch.put(*table, key, value.clone()),
                None => batch.delete(*table, key),
            }
            if *table == Table::Producers && value.is_none() {
                self.forget_producer(key)?;
            }
        }
        Ok(())
    }

    /// A log start never goes back, whatever a row says: what lies below it may be gone already.
    fn move_log_start(&mut self, key: &[u8], value: &[u8], batch: &mut IndexBatch<'_>) -> Result<()> {
        let Some(partition) = keys::read_partitions(key) else { return Ok(()) };
        let mut row = PartitionRow::decode(value)?;
        row.log_start = self.index.bounds().raise(partition, row.log_start);
        batch.put(Table::Partitions, key, row.encode());
        if row.is_deleted() {
            self.tails.remove(partition);
        } else if let Some(tail) = self.tails.loaded(partition) {
            tail.reach(row.log_start);
        }
        Ok(())
    }

    fn forget_producer(&mut self, key: &[u8]) -> Result<()> {
        let Some((partition, producer)) = keys::read_producers(key) else { return Ok(()) };
        // Loaded now: later on the row would still be found, as it is deleted with the group only.
        self.tails.get(&self.index, partition)?.producers.remove(&producer);
        Ok(())
    }

    fn apply_batch(
        &mut self,
        appended: &Appended,
        batch: &mut IndexBatch<'_>,
        touched: &mut Touched,
    ) -> Result<()> {
        let Appended { partition, header, .. } = *appended;
        if self.index.bounds().get(partition) == Some(DELETED) {
            return Ok(());
        }
        let base = Offset(header.base_offset);
        batch.put(Table::Log, &keys::log(partition, base), place(appended).encode());
        let tail = self.tails.get(&self.index, partition)?;
        tail.reach(Offset(header.last_offset() + 1));
        if header.leader_epoch > tail.epoch {
            tail.epoch = header.leader_epoch;
            let key = keys::epochs(partition, header.leader_epoch);
            batch.put(Table::Epochs, &key, base.0.to_be_bytes().to_vec());
        }
        if tail.advance_time(header.max_timestamp) {
            let key = keys::times(partition, header.max_timestamp);
            batch.put(Table::Times, &key, base.0.to_be_bytes().to_vec());
        }
        if header.has_producer() {
            let producer = ProducerId(header.producer_id);
            let row = tail
                .producers
                .entry(producer)
                .or_insert_with(|| ProducerRow { epoch: header.producer_epoch, batches: Vec::new() });
            row.remember(header.producer_epoch, produced(&header));
            touched.producers.insert((partition, producer));
        }
        self.use_segment(appended)
    }

    /// Counts a batch in its segment, unless it is counted already.
    fn use_segment(&mut self, appended: &Appended) -> Result<()> {
        let key = (appended.segment, appended.partition);
        let last_offset = Offset(appended.header.last_offset());
        let length = u64::from(appended.length);
        if let Some(part) = self.uses.get_mut(&key) {
            if last_offset > part.last_offset {
                *part = SegmentUse { last_offset, bytes: part.bytes + length };
            }
            return Ok(());
        }
        let stored = self.index.get(Table::Segments, &keys::segments(key.0, key.1))?;
        let part = match stored.map(|value| SegmentUse::decode(&value)).transpose()? {
            Some(part) if part.last_offset >= last_offset => part,
            Some(part) => SegmentUse { last_offset, bytes: part.bytes + length },
            None => SegmentUse { last_offset, bytes: length },
        };
        self.uses.insert(key, part);
        Ok(())
    }

    fn write_producers(&mut self, touched: &Touched, batch: &mut IndexBatch<'_>) -> Result<()> {
        for (partition, producer) in &touched.producers {
            let row = self.tails.loaded(*partition).and_then(|tail| tail.producers.get(producer));
            if let Some(row) = row {
                batch.put(Table::Producers, &keys::producers(*partition, *producer), row.encode()?);
            }
        }
        Ok(())
    }
}

fn place(appended: &Appended) -> BatchPlace {
    BatchPlace {
        segment: appended.segment,
        position: appended.position,
        length: appended.length,
        last_offset_delta: appended.header.last_offset_delta,
        max_timestamp: appended.header.max_timestamp,
        leader_epoch: appended.header.leader_epoch,
        attributes: appended.header.attributes.0,
    }
}

fn produced(header: &BatchHeader) -> ProducedBatch {
    ProducedBatch {
        base_sequence: header.base_sequence,
        last_sequence: header.last_sequence(),
        base_offset: header.base_offset,
        max_timestamp: header.max_timestamp,
    }
}
