//! Unit: what the program around the broker wants done at once, on its way to the committer, by way of
//! a group's actor where offsets are committed too.

use super::BrokerHandle;
use super::locate::LocateError;
use super::topics::{PartitionSlot, TopicView};
use crate::committer::unit::{Expected, Unit, UnitError};
use crate::coordinator::groups::Kind;
use crate::coordinator::locate::{LocateGroupError, Missing};
use crate::mail::{Unavailable, post};
use crate::names::GroupId;
use crate::offsets::commit::{Committing, NewOffset};
use crate::offsets::unit::{CommitUnit, CommitUnitError};
use crate::partition::append::{AppendError, Appended, check};
use bytes::Bytes;
use callboard_storage::journal::Mutation;
use callboard_storage::keys::Table;
use callboard_storage::log;
use std::sync::Arc;
use tokio::sync::oneshot;

/// What is to be done at once.
#[derive(Debug, Clone, Default)]
pub struct UnitOfWork {
    /// Rows of keyspaces: key as [`callboard_storage::keys::program`] makes it, and value or none.
    pub rows: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// What is expected of rows.
    pub expected: Vec<Expected>,
    /// Batches, each to its partition, in this order.
    pub batches: Vec<UnitBatch>,
    /// Offsets of one group, and who commits them.
    pub offsets: Option<UnitOffsets>,
}

/// A batch and where it goes.
#[derive(Debug, Clone)]
pub struct UnitBatch {
    /// Its topic.
    pub topic: Arc<TopicView>,
    /// Its partition.
    pub slot: Arc<PartitionSlot>,
    /// The batch, without a producer.
    pub records: Bytes,
}

/// Offsets that a group commits.
#[derive(Debug, Clone)]
pub struct UnitOffsets {
    /// The group.
    pub group: GroupId,
    /// The member.
    pub from: Committing,
    /// The offsets, of each partition once.
    pub offsets: Arc<Vec<NewOffset>>,
}

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CommitError {
    /// A batch breaks a rule.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// A row is not what was expected, or the unit is too large, or storage has failed.
    #[error(transparent)]
    Unit(#[from] UnitError),
    /// The group does not take the offsets.
    #[error(transparent)]
    Offsets(#[from] CommitUnitError),
    /// There is no such group.
    #[error(transparent)]
    Group(#[from] LocateGroupError),
}

impl From<Unavailable> for CommitError {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unit(unavailable.into())
    }
}

impl From<LocateError> for CommitError {
    fn from(error: LocateError) -> Self {
        Self::Append(error.into())
    }
}

impl BrokerHandle {
    /// Does all of it or nothing; it is durable and readable when this returns. Dropping the future
    /// does not take back what is on its way.
    ///
    /// # Errors
    /// [`CommitError`]; nothing was done then, but after [`Unavailable`] it may be there after a restart.
    pub async fn commit_unit(&self, unit: UnitOfWork) -> Result<Vec<Appended>, CommitError> {
        let UnitOfWork { rows, expected, batches, offsets } = unit;
        let row = |(key, value)| Mutation { table: Table::Program, key, value };
        let mut commit = log::Commit { mutations: rows.into_iter().map(row).collect(), batches: Vec::new() };
        let mut partitions = Vec::with_capacity(batches.len());
        for UnitBatch { topic, slot, records } in batches {
            let batch = check(records, topic.config.load().settings())?;
            partitions.push(self.locate(&topic, &slot).await?);
            commit.batches.push((slot.id, batch));
        }
        let Some(UnitOffsets { group, from, offsets }) = offsets else {
            let (reply, committed) = oneshot::channel();
            post(self.committer(), Unit { commit, partitions, expected, reply })?;
            return Ok(committed.await.map_err(|_| Unavailable)??);
        };
        let missing = if from.generation < 0 { Missing::Create(Kind::Classic) } else { Missing::Refuse };
        let message = |reply| CommitUnit {
            from: from.clone(),
            offsets: Arc::clone(&offsets),
            commit: commit.clone(),
            partitions: partitions.clone(),
            expected: expected.clone(),
            reply,
        };
        Ok(self.ask_group(&group, missing, message).await??)
    }
}
