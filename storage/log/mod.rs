//! The logs of all partitions, over journal and index: append, sync, apply, read.
//!
//! [`Log`] is the writing side and is used from one thread. A commit goes through three steps:
//! [`Log::append`] gives offsets and writes records, [`Log::sync`] makes them durable,
//! [`Log::apply`] makes them readable. [`LogReader`] is the reading side, for any thread.

mod apply;
pub mod checkpointer;
mod open;
pub mod reader;
mod restore;
mod spans;
mod tail;

#[cfg(test)]
mod tests;

pub use open::LogOptions;
pub use reader::{LogReader, TimedOffset};
pub use restore::PlacedCommit;
pub use tail::PartitionState;

use crate::checkpoint::Checkpoint;
use crate::crash_points::{Point, reach};
use crate::error::{Error, Result};
use crate::ids::{Offset, PartitionId, SegmentId};
use crate::index::{Index, Row};
use crate::journal::record::{BODY_BYTES_MAX, KEY_BYTES_MAX};
use crate::journal::{Body, Kind, Mutation, PlacedBatch, RecordPlace, Writer};
use crate::keys::Table;
use crate::values::SegmentUse;
use callboard_protocol::batch::{Batch, Placement};
use checkpointer::Checkpointer;
use std::collections::HashMap;
use tail::Tails;

/// Bytes of the rows of one commit.
const ROWS_BYTES_MAX: usize = BODY_BYTES_MAX / 2;

/// What is to be committed at once: all of it or nothing.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// Changed rows.
    pub mutations: Vec<Mutation>,
    /// Batches to append, each to its partition, in this order.
    pub batches: Vec<(PartitionId, Batch)>,
}

impl Commit {
    /// Whether its rows can be written. Who makes rows of what clients say must ask: a commit that
    /// cannot be written is a fault, which stops all writing.
    pub fn fits(&self) -> bool {
        let bytes: usize = self.mutations.iter().map(Mutation::bytes).sum();
        bytes <= ROWS_BYTES_MAX && self.mutations.iter().all(|row| row.key.len() <= KEY_BYTES_MAX)
    }
}

/// Commits on their way: written, then synced, then applied.
#[derive(Debug)]
pub struct Group {
    bodies: Vec<Body>,
    places: Vec<RecordPlace>,
    /// Behind the last of its records.
    end: Checkpoint,
}

impl Group {
    /// The batches of each commit with their places, in the order of the commits.
    pub fn placed(&self) -> impl Iterator<Item = &[PlacedBatch]> {
        self.bodies.iter().map(|body| body.batches.as_slice())
    }

    /// The same, when the group is done with.
    pub fn into_placed(self) -> impl Iterator<Item = Vec<PlacedBatch>> {
        self.bodies.into_iter().map(|body| body.batches)
    }
}

/// The writing side of all logs.
#[derive(Debug)]
pub struct Log {
    writer: Writer,
    index: Index,
    tails: Tails,
    /// What the segment being applied holds of each partition, where that is not in the index yet.
    uses: HashMap<(SegmentId, PartitionId), SegmentUse>,
    /// Behind the last record that was applied; what a checkpoint may cover.
    applied: Checkpoint,
    checkpointer: Checkpointer,
    reader: LogReader,
}

impl Log {
    /// Gives the batches their offsets and writes the commits. Afterwards they survive the process.
    ///
    /// # Errors
    /// A fault of the journal; nothing may be appended then until a restart, and what was in the
    /// group may or may not be there after it.
    pub fn append(&mut self, commits: Vec<Commit>) -> Result<Group> {
        // The offsets just given are gone then; nobody may be given the ones behind them.
        self.write(commits).inspect_err(|error| self.writer.stop(error.to_string()))
    }

    fn write(&mut self, commits: Vec<Commit>) -> Result<Group> {
        let mut bodies = Vec::with_capacity(commits.len());
        for (number, commit) in (1..).zip(commits) {
            let batches = self.place(commit.batches)?;
            bodies.push(self.body(number, commit.mutations, batches));
        }
        self.write_bodies(bodies)
    }

    /// What the record says that stands so many behind the last one written.
    fn body(&self, number: u64, mutations: Vec<Mutation>, batches: Vec<PlacedBatch>) -> Body {
        let (term, index) = (u64::from(self.writer.start()), self.writer.written().0 + number);
        Body { group: 0, term, index, kind: Kind::Commit, mutations, batches }
    }

    fn write_bodies(&mut self, bodies: Vec<Body>) -> Result<Group> {
        let places = self.writer.append(&bodies)?;
        Ok(Group { bodies, places, end: end_of(&self.writer) })
    }

    /// Makes all that was appended durable.
    ///
    /// # Errors
    /// A fault of the journal, after which nothing may be appended until a restart.
    pub fn sync(&mut self) -> Result<()> {
        self.writer.sync()
    }

    /// Begins to make durable what was appended so far, on a thread beside this one, and calls `done`
    /// there when [`Log::end_sync`] does not have to wait for it any more. More may be appended
    /// meanwhile.
    ///
    /// # Errors
    /// As for [`Log::sync`].
    pub fn begin_sync(&mut self, done: impl FnOnce() + Send + 'static) -> Result<()> {
        self.writer.begin_sync(done)
    }

    /// Waits for the sync that was begun, if one was.
    ///
    /// # Errors
    /// As for [`Log::sync`].
    pub fn end_sync(&mut self) -> Result<()> {
        self.writer.end_sync()
    }

    /// Whether nothing may be appended any more until a restart.
    pub fn has_stopped(&self) -> bool {
        self.writer.has_stopped()
    }

    /// Whether a group is durable.
    pub fn is_synced(&self, group: &Group) -> bool {
        group.end.sequence <= self.writer.synced()
    }

    /// Makes synced groups readable at once. They are applied in the order of the appends.
    ///
    /// # Errors
    /// A fault of the index, or [`Error::Stopped`] for groups that are not synced or not the next;
    /// nothing may be appended then until a restart.
    pub fn apply(&mut self, groups: &[Group]) -> Result<()> {
        reach(Point::ApplyBegins);
        let outcome = self.check_next(groups).and_then(|()| self.apply_groups(groups));
        outcome.inspect_err(|error| self.writer.stop(error.to_string()))?;
        reach(Point::Applied);
        self.applied = groups.last().map_or(self.applied, |group| group.end);
        Ok(())
    }

    /// What a partition's actor starts from; all that was applied is in it.
    ///
    /// # Errors
    /// A fault of the index.
    pub fn state(&mut self, partition: PartitionId) -> Result<PartitionState> {
        self.tails.state(&self.index, partition)
    }

    /// A row of a table; all that was applied is in it.
    ///
    /// # Errors
    /// A fault of the index.
    pub fn row(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.index.get(table, key)
    }

    /// The rows of a table whose keys begin with `prefix`, in order; all that was applied is in them.
    ///
    /// # Errors
    /// A fault of the index.
    pub fn rows(&self, table: Table, prefix: &[u8]) -> Result<Vec<Row>> {
        self.index.scan(table, prefix)
    }

    /// Offset of a partition's first record that may be read.
    pub fn log_start(&self, partition: PartitionId) -> Offset {
        self.index.bounds().get(partition).unwrap_or(Offset(0))
    }

    /// Bytes that are free on the journal's disk.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    pub fn free_bytes(&self) -> Result<u64> {
        self.writer.free_bytes()
    }

    /// A reading side, for any thread.
    pub fn reader(&self) -> LogReader {
        self.reader.clone()
    }

    /// The epoch that this start's batches carry: 0 at the first start, one more at each.
    pub fn leader_epoch(&self) -> i32 {
        self.writer.start() as i32
    }

    /// Begins a checkpoint when enough has been written since the last.
    ///
    /// # Errors
    /// A fault of the index.
    pub fn checkpoint_when_due(&mut self) -> Result<()> {
        if self.checkpointer.is_due(self.applied.sequence, self.writer.appended_bytes()) {
            self.begin_checkpoint()?;
        }
        Ok(())
    }

    /// Frees what deleted partitions occupy, in the background.
    ///
    /// # Errors
    /// A fault of the index.
    pub fn reclaim(&mut self) -> Result<()> {
        self.begin_checkpoint()
    }

    /// Ends with a checkpoint, so that the next opening has nothing to apply.
    ///
    /// # Errors
    /// A fault of the journal or the index; the next opening applies what the checkpoint lacks.
    pub fn close(mut self) -> Result<()> {
        self.writer.sync()?;
        self.begin_checkpoint()?;
        self.checkpointer.finish();
        Ok(())
    }

    /// A checkpoint covers what was applied, which after a failure is less than what was written.
    fn begin_checkpoint(&mut self) -> Result<()> {
        self.write_uses()?;
        self.checkpointer.begin(self.applied, self.writer.appended_bytes());
        Ok(())
    }

    /// Nothing is in the index before the journal is synced up to it, and nothing is left out.
    fn check_next(&self, groups: &[Group]) -> Result<()> {
        let mut next = self.applied.sequence.next();
        for group in groups {
            let first = group.places.first().map_or(group.end.sequence.next(), |place| place.sequence);
            if first != next || !self.is_synced(group) {
                let message =
                    format!("record {first} was to be applied out of order or before it was synced");
                return Err(Error::Stopped(message));
            }
            next = group.end.sequence.next();
        }
        Ok(())
    }

    fn place(&mut self, batches: Vec<(PartitionId, Batch)>) -> Result<Vec<PlacedBatch>> {
        let leader_epoch = self.leader_epoch();
        let mut placed = Vec::with_capacity(batches.len());
        for (partition, batch) in batches {
            let tail = self.tails.get(&self.index, partition)?;
            let count = i64::from(batch.header.last_offset_delta) + 1;
            let placement = Placement { base_offset: tail.next_offset.0, leader_epoch };
            tail.next_offset = tail.next_offset.plus(count);
            placed.push(PlacedBatch { partition, batch: batch.stamp(placement) });
        }
        Ok(placed)
    }
}

fn end_of(writer: &Writer) -> Checkpoint {
    let (segment, position) = writer.position();
    Checkpoint { sequence: writer.written(), segment, position }
}
