//! Unit: the program around the broker changes its rows, appends batches and commits offsets, all of
//! it or nothing, if its rows are what it expects.

use super::Committer;
use crate::mail::Unavailable;
use crate::partition::Partition;
use crate::partition::append::Appended;
use actix::{Addr, Context, Handler, Message};
use callboard_protocol::batch::StampedBatch;
use callboard_storage::PartitionId;
use callboard_storage::journal::PlacedBatch;
use callboard_storage::keys::Table;
use callboard_storage::log::{self, Log};
use std::collections::HashMap;
use tokio::sync::oneshot;

/// Changes to commit at once. Values of [`Table::Program`] get their version put in front.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Unit {
    /// The rows, and the batches.
    pub commit: log::Commit,
    /// The actor of each batch's partition, which learns of it.
    pub partitions: Vec<Addr<Partition>>,
    /// What the program expects of its rows.
    pub expected: Vec<Expected>,
    /// Where each batch stands, once all is durable and readable.
    pub reply: oneshot::Sender<Result<Vec<Appended>, UnitError>>,
}

/// What the program expects of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Its key.
    pub key: Vec<u8>,
    /// Its version; none when it is not to be there.
    pub version: Option<Version>,
}

/// The version of a row: no two changes of rows ever have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u64);

/// Why nothing of a unit was done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// A row is not what the unit expects.
    #[error("a row has changed since it was read")]
    Conflict(Expected),
    /// It is larger than one write can be.
    #[error("the unit is too large to be written at once")]
    TooLarge,
    /// Storage has failed or is short of space.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Bytes of a version in front of a value.
const VERSION_BYTES: usize = 8;
/// Versions of one start of the broker; the number of the start stands before them.
const VERSION_BITS: u32 = 40;

/// Version and value of a row of [`Table::Program`]; none when it is damaged.
pub fn read_row(row: &[u8]) -> Option<(Version, &[u8])> {
    let (version, value) = row.split_first_chunk::<VERSION_BYTES>()?;
    Some((Version(u64::from_be_bytes(*version)), value))
}

/// Who waits for a unit.
#[derive(Debug)]
pub(super) struct UnitOrigin {
    ids: Vec<PartitionId>,
    partitions: Vec<Addr<Partition>>,
    expected: Vec<Expected>,
    reply: oneshot::Sender<Result<Vec<Appended>, UnitError>>,
}

impl Unit {
    pub(super) fn split(self) -> (log::Commit, UnitOrigin) {
        let Self { commit, partitions, expected, reply } = self;
        let ids = commit.batches.iter().map(|(id, _)| *id).collect();
        (commit, UnitOrigin { ids, partitions, expected, reply })
    }
}

impl UnitOrigin {
    /// Which partitions are to learn of what, and the answer, which leaves when they were told.
    pub(super) fn outcome(self, placed: Option<Vec<PlacedBatch>>) -> (Vec<ToTell>, Answer) {
        let Self { ids, partitions, reply, .. } = self;
        let Some(placed) = placed else { return (Vec::new(), Answer(reply, Err(Unavailable.into()))) };
        let log_start = callboard_storage::Offset(-1);
        let appended = placed.iter().map(|placed| Appended::new(&placed.batch.header, log_start)).collect();
        let partitions = ids.into_iter().zip(partitions).zip(placed);
        let to_tell = partitions.map(|((id, actor), placed)| (id, actor, placed.batch)).collect();
        (to_tell, Answer(reply, Ok(appended)))
    }
}

/// A partition, and a batch that it is to learn of.
pub(super) type ToTell = (PartitionId, Addr<Partition>, StampedBatch);

/// An answer that is to leave.
pub(super) struct Answer(oneshot::Sender<Result<Vec<Appended>, UnitError>>, Result<Vec<Appended>, UnitError>);

impl Answer {
    pub(super) fn send(self) {
        // Who asked may be gone.
        let _ = self.0.send(self.1);
    }
}

/// Gives versions, and knows those that the group in hand gives.
#[derive(Debug)]
pub(super) struct Versions {
    next: u64,
    /// Rows that the group in hand changes.
    changed: HashMap<Vec<u8>, Option<Version>>,
}

impl Versions {
    /// The versions of a start of the broker; that number grows with each.
    pub(super) fn new(start: i32) -> Self {
        Self { next: (start.max(0) as u64) << VERSION_BITS, changed: HashMap::new() }
    }

    /// Gives the rows of a unit their version; none when it was answered, because it expects something
    /// else than there is.
    pub(super) fn check(
        &mut self,
        unit: UnitOrigin,
        commit: &mut log::Commit,
        log: &Log,
    ) -> Option<UnitOrigin> {
        for expected in &unit.expected {
            let refusal = match self.find(&expected.key, log) {
                Ok(found) if found == expected.version => continue,
                Ok(_) => UnitError::Conflict(expected.clone()),
                Err(unavailable) => unavailable.into(),
            };
            // Who asked may be gone.
            let _ = unit.reply.send(Err(refusal));
            return None;
        }
        self.next += 1;
        let version = Version(self.next);
        for row in commit.mutations.iter_mut().filter(|row| row.table == Table::Program) {
            self.changed.insert(row.key.clone(), row.value.is_some().then_some(version));
            row.value = row.value.take().map(|value| [&version.0.to_be_bytes()[..], &value].concat());
        }
        Some(unit)
    }

    /// What the group in hand changes is in the index, or lost, when the next is gathered.
    pub(super) fn end_group(&mut self) {
        self.changed.clear();
    }

    fn find(&self, key: &[u8], log: &Log) -> Result<Option<Version>, Unavailable> {
        if let Some(version) = self.changed.get(key) {
            return Ok(*version);
        }
        let row = log.row(Table::Program, key).map_err(|error| {
            tracing::error!(%error, "a row of the program cannot be read");
            Unavailable
        })?;
        Ok(row.as_deref().and_then(read_row).map(|(version, _)| version))
    }
}

impl Handler<Unit> for Committer {
    type Result = ();

    fn handle(&mut self, message: Unit, ctx: &mut Context<Self>) {
        let bytes: usize = message.commit.batches.iter().map(|(_, batch)| batch.bytes.len()).sum();
        if !message.commit.fits() || bytes > crate::partition::append::BATCH_BYTES_MAX {
            let _ = message.reply.send(Err(UnitError::TooLarge));
            return;
        }
        self.pending.unit(message);
        self.gather(ctx);
    }
}
