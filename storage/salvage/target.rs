//! The new folder: records are written to it one by one, and holes are closed.

use super::{Lost, Salvaged, topics};
use crate::check::rows::is_readable as is_readable_row;
use crate::disk::{DiskFile, OsDisk};
use crate::error::{Error, Result};
use crate::folder::Folder;
use crate::ids::{Offset, PartitionId, SegmentId, Sequence, TopicId};
use crate::journal::writer::WriterStart;
use crate::journal::{Mutation, PlacedBatch, ScannedBatch, ScannedRecord, Writer, segment};
use crate::keys::{self, Table};
use crate::log::checkpointer::CheckpointBounds;
use crate::log::{Log, LogOptions, PlacedCommit};
use crate::values::{DELETED, PartitionRow, TopicRow};
use bytes::Bytes;
use callboard_protocol::batch::header::BATCH_HEADER_BYTES;
use callboard_protocol::batch::{Batch, Placement, StampedBatch};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// Bytes and commits that are written at once.
const BYTES_AT_ONCE: usize = 4 << 20;
const COMMITS_AT_ONCE: usize = 1000;
const CHECKPOINT: CheckpointBounds =
    CheckpointBounds { bytes: 512 << 20, records: 200_000, interval: Duration::from_mins(1) };

/// The new folder.
pub(super) struct Target {
    log: Log,
    pending: Vec<PlacedCommit>,
    pending_bytes: usize,
    /// Where the logs start, of all partitions that are known.
    starts: HashMap<PartitionId, Offset>,
    /// Behind the last batch of each partition.
    ends: HashMap<PartitionId, Offset>,
    /// Behind batches that are there and damaged.
    promised: HashMap<PartitionId, Offset>,
    lost: Vec<(PartitionId, Offset, Offset)>,
    /// Partitions whose topics nobody knows any more.
    found: Vec<PartitionId>,
    batches: u64,
    offsets: u64,
    rows: u64,
}

impl Target {
    /// Begins with the start `start`, so that leader epochs and versions go on behind the old ones.
    pub(super) fn create(folder: &Folder, start: u32, segment_bytes: u64) -> Result<Self> {
        let journal = folder.journal();
        std::fs::create_dir_all(&journal).map_err(Error::io("creating", &journal))?;
        let (segment, first, seed) = (SegmentId(1), Sequence(1), segment::new_seed());
        let begin = WriterStart { folder: journal, segment_bytes, start, segment, first, seed };
        drop(Writer::create(Arc::new(OsDisk), begin, &[])?);
        let options = LogOptions { segment_bytes, checkpoint: CHECKPOINT };
        Ok(Self {
            log: Log::open(Arc::new(OsDisk), folder, &options)?,
            pending: Vec::new(),
            pending_bytes: 0,
            starts: HashMap::new(),
            ends: HashMap::new(),
            promised: HashMap::new(),
            lost: Vec::new(),
            found: Vec::new(),
            batches: 0,
            offsets: 0,
            rows: 0,
        })
    }

    /// Writes rows, but those that no start could read.
    pub(super) fn rows(&mut self, mut mutations: Vec<Mutation>) -> Result<()> {
        mutations.retain(is_readable);
        self.note(&mutations);
        self.write(PlacedCommit { mutations, batches: Vec::new() })
    }

    /// Writes what is whole of a record: its batches, and its rows where they are to be taken.
    pub(super) fn record(
        &mut self,
        file: &Arc<dyn DiskFile>,
        record: &ScannedRecord,
        whole: &[bool],
        with_rows: bool,
    ) -> Result<()> {
        let mut commit = PlacedCommit::default();
        if with_rows {
            commit.mutations.extend(record.mutations.iter().filter(|row| is_readable(row)).cloned());
            self.note(&commit.mutations);
        }
        for (batch, is_whole) in record.batches.iter().zip(whole) {
            if *is_whole {
                self.batch(file, batch, &mut commit)?;
            } else {
                promise(&mut self.promised, batch.partition, Offset(batch.header.last_offset() + 1));
            }
        }
        self.write(commit)
    }

    /// Writes whole batches of a record that is damaged otherwise.
    pub(super) fn batches(&mut self, file: &Arc<dyn DiskFile>, batches: &[ScannedBatch]) -> Result<()> {
        for batch in batches {
            let mut commit = PlacedCommit::default();
            self.batch(file, batch, &mut commit)?;
            self.write(commit)?;
        }
        Ok(())
    }

    fn batch(
        &mut self,
        file: &Arc<dyn DiskFile>,
        batch: &ScannedBatch,
        commit: &mut PlacedCommit,
    ) -> Result<()> {
        let end = Offset(batch.header.last_offset() + 1);
        let start = self.start_of(batch, commit);
        let expected = self.ends.get(&batch.partition).copied().unwrap_or(start);
        // Below the log's start, or there already.
        let is_there = self.ends.contains_key(&batch.partition) && batch.header.base_offset < expected.0;
        if end <= expected || is_there || start == DELETED {
            return Ok(());
        }
        self.fill(batch.partition, Offset(batch.header.base_offset), commit);
        let read = file.read_exact_at(batch.position, batch.length as usize);
        let bytes = Bytes::from(read.map_err(Error::io("reading a batch in", "the journal"))?);
        let (head, records) = (bytes.slice(..BATCH_HEADER_BYTES), bytes.slice(BATCH_HEADER_BYTES..));
        let stamped = StampedBatch { header: batch.header, head, records };
        commit.batches.push(PlacedBatch { partition: batch.partition, batch: stamped });
        self.ends.insert(batch.partition, end);
        self.batches += 1;
        self.offsets += (end.0 - batch.header.base_offset) as u64;
        Ok(())
    }

    /// Writes what is left, and tells of what is lost.
    pub(super) fn finish(
        mut self,
        ends: HashMap<PartitionId, Offset>,
        salvaged: &mut Salvaged,
    ) -> Result<()> {
        for (partition, end) in ends {
            promise(&mut self.promised, partition, end);
        }
        let promised: BTreeMap<_, _> = self.promised.drain().collect();
        let mut commit = PlacedCommit::default();
        for (partition, end) in promised {
            if self.starts.get(&partition).is_some_and(|start| *start != DELETED) {
                self.fill(partition, end, &mut commit);
            }
        }
        self.write(commit)?;
        self.flush()?;
        let mutations = topics::completing(self.log.reader().index(), &mut salvaged.notes)?;
        self.write(PlacedCommit { mutations, batches: Vec::new() })?;
        self.flush()?;
        self.tell(salvaged)?;
        self.log.close()
    }

    /// Where a batch's log starts; a partition that nobody knows gets a topic of its own.
    fn start_of(&mut self, batch: &ScannedBatch, commit: &mut PlacedCommit) -> Offset {
        if let Some(start) = self.starts.get(&batch.partition) {
            return *start;
        }
        let PartitionId(number) = batch.partition;
        let start = Offset(batch.header.base_offset);
        let topic = TopicId(uuid::Builder::from_random_bytes(u128::from(number).to_be_bytes()).into_uuid());
        let row = PartitionRow { topic, index: 0, log_start: start };
        let named = TopicRow { name: format!("salvaged-{number}"), configs: Vec::new() };
        if let Ok(value) = named.encode() {
            let rows = [
                Mutation { table: Table::Topics, key: keys::topics(topic), value: Some(value) },
                Mutation {
                    table: Table::Partitions,
                    key: keys::partitions(batch.partition),
                    value: Some(row.encode()),
                },
            ];
            commit.mutations.extend(rows);
        }
        self.starts.insert(batch.partition, start);
        self.found.push(batch.partition);
        start
    }

    /// Lets batches without records have the offsets up to `to` that no batch has.
    fn fill(&mut self, partition: PartitionId, to: Offset, commit: &mut PlacedCommit) {
        let start = self.starts.get(&partition).copied().unwrap_or(Offset(0));
        let from = self.ends.get(&partition).copied().unwrap_or(start);
        if from >= to {
            return;
        }
        self.lost.push((partition, from, to));
        let mut base = from;
        while base < to {
            let count = (to.0 - base.0).min(i64::from(i32::MAX));
            let placement = Placement { base_offset: base.0, leader_epoch: -1 };
            let batch = Batch::gap(count as i32).stamp(placement);
            commit.batches.push(PlacedBatch { partition, batch });
            base = base.plus(count);
        }
        self.ends.insert(partition, to);
    }

    fn note(&mut self, mutations: &[Mutation]) {
        self.rows += mutations.len() as u64;
        for row in mutations.iter().filter(|row| row.table == Table::Partitions) {
            let partition = keys::read_partitions(&row.key);
            let value = row.value.as_deref().and_then(|value| PartitionRow::decode(value).ok());
            if let (Some(partition), Some(row)) = (partition, value) {
                let start = self.starts.entry(partition).or_default();
                *start = row.log_start.max(*start);
            }
        }
    }

    fn write(&mut self, commit: PlacedCommit) -> Result<()> {
        let rows: usize = commit.mutations.iter().map(Mutation::bytes).sum();
        let batches: usize = commit.batches.iter().map(|placed| placed.batch.len()).sum();
        self.pending_bytes += rows + batches;
        if !commit.mutations.is_empty() || !commit.batches.is_empty() {
            self.pending.push(commit);
        }
        if self.pending_bytes >= BYTES_AT_ONCE || self.pending.len() >= COMMITS_AT_ONCE {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        self.pending_bytes = 0;
        self.log.restore(std::mem::take(&mut self.pending))
    }

    fn tell(&mut self, salvaged: &mut Salvaged) -> Result<()> {
        let reader = self.log.reader();
        let catalogue =
            crate::check::rows::catalogue(reader.index(), &mut crate::check::Findings::default())?;
        salvaged.topics = catalogue.topics();
        (salvaged.batches, salvaged.offsets, salvaged.rows) = (self.batches, self.offsets, self.rows);
        for (id, from, to) in self.lost.drain(..) {
            // A log may have been made to start behind it later.
            let from = self.starts.get(&id).map_or(from, |start| from.max(*start));
            if from < to {
                salvaged.lost.push(Lost { partition: catalogue.named(id), from, to });
            }
        }
        for PartitionId(number) in self.found.drain(..) {
            salvaged.notes.push(format!(
                "what topic partition number {number} belonged to is not known any more, if it was not deleted: \
                 its records are in the topic salvaged-{number}"
            ));
        }
        Ok(())
    }
}

fn promise(promised: &mut HashMap<PartitionId, Offset>, partition: PartitionId, end: Offset) {
    let promise = promised.entry(partition).or_default();
    *promise = end.max(*promise);
}

fn is_readable(row: &Mutation) -> bool {
    row.value.as_deref().is_none_or(|value| is_readable_row(row.table, &row.key, value))
}
