//! Partitions' logs as plain lists, to compare the real ones with.

use super::*;
use crate::values::{ProducedBatch, ProducerRow};
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};

/// Partitions of the model. The last of them has no row of its own, so that nothing bounds what may
/// be read of it.
pub(super) const PARTITIONS: u32 = 4;

/// What a commit does, in the words of the model.
#[derive(Debug, Clone)]
pub(super) enum Change {
    LogStart(u32, i64),
    Forget(u32, i64),
    Append(u32, Bytes),
}

/// A partition as it must be after some commits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Partition {
    pub(super) log_start: i64,
    pub(super) next_offset: i64,
    batches: Vec<(BatchHeader, Bytes)>,
    pub(super) producers: HashMap<ProducerId, ProducerRow>,
    /// Each leader epoch and its first offset.
    epochs: Vec<(i32, i64)>,
}

impl Partition {
    pub(super) fn append(&mut self, bytes: &Bytes) {
        let header = BatchHeader::parse(bytes).unwrap();
        self.next_offset = header.base_offset + i64::from(header.last_offset_delta) + 1;
        self.batches.push((header, bytes.clone()));
        if self.epochs.last().is_none_or(|(epoch, _)| *epoch < header.leader_epoch) {
            self.epochs.push((header.leader_epoch, header.base_offset));
        }
        if header.producer_id < 0 {
            return;
        }
        let fresh = ProducerRow { epoch: header.producer_epoch, batches: Vec::new() };
        let row = self.producers.entry(ProducerId(header.producer_id)).or_insert(fresh);
        if row.epoch != header.producer_epoch {
            *row = ProducerRow { epoch: header.producer_epoch, batches: Vec::new() };
        }
        row.batches.push(ProducedBatch {
            base_sequence: header.base_sequence,
            last_sequence: header.base_sequence + header.last_offset_delta,
            base_offset: header.base_offset,
            max_timestamp: header.max_timestamp,
        });
        let forgotten = row.batches.len().saturating_sub(5);
        row.batches.drain(..forgotten);
    }

    pub(super) fn readable(&self) -> impl Iterator<Item = &(BatchHeader, Bytes)> {
        self.batches.iter().filter(|(header, _)| header.last_offset() >= self.log_start)
    }

    pub(super) fn epoch_end(&self, wanted: i32) -> Option<(i32, Offset)> {
        let (epoch, _) = self.epochs.iter().rfind(|(epoch, _)| *epoch <= wanted)?;
        let end = self.epochs.iter().find(|(later, _)| later > epoch).map_or(self.next_offset, |it| it.1);
        Some((*epoch, Offset(end)))
    }
}

/// All partitions as they must be after those commits.
pub(super) fn replay<'a>(commits: impl IntoIterator<Item = &'a Vec<Change>>) -> BTreeMap<u32, Partition> {
    let mut partitions: BTreeMap<_, _> = (0..PARTITIONS).map(|id| (id, Partition::default())).collect();
    for change in commits.into_iter().flatten() {
        match change {
            Change::LogStart(id, to) => {
                let partition = partitions.get_mut(id).unwrap();
                partition.log_start = partition.log_start.max(*to);
            }
            Change::Forget(id, producer) => {
                partitions.get_mut(id).unwrap().producers.remove(&ProducerId(*producer));
            }
            Change::Append(id, bytes) => partitions.get_mut(id).unwrap().append(bytes),
        }
    }
    partitions
}
