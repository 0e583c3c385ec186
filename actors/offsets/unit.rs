//! Unit: a group's offsets, committed together with what the program around the broker changes.
//!
//! The group handles nothing else until the outcome is known: a unit may be refused, and nobody is to
//! see offsets that were never committed.

use super::Offsets;
use super::TopicPartition;
use super::commit::{CommitOffsetsError, CommitRules, Committing, NewOffset};
use crate::committer::unit::{Expected, Unit, UnitError};
use crate::durable::Reply;
use crate::group_store::Stored;
use crate::mail::{Unavailable, post};
use crate::partition::Partition;
use crate::partition::append::Appended;
use actix::fut::wrap_future;
use actix::{ActorFutureExt, Addr, AsyncContext, Context, Message};
use callboard_storage::log;
use callboard_storage::values::OffsetRow;
use std::sync::Arc;
use tokio::sync::oneshot;

/// A unit with offsets of the group.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct CommitUnit {
    /// Who commits.
    pub from: Committing,
    /// The offsets, of each partition once.
    pub offsets: Arc<Vec<NewOffset>>,
    /// All else that is committed with them.
    pub commit: log::Commit,
    /// The actor of each batch's partition.
    pub partitions: Vec<Addr<Partition>>,
    /// What the program expects of its rows.
    pub expected: Vec<Expected>,
    /// Where each batch stands.
    pub reply: Reply<Vec<Appended>, CommitUnitError>,
}

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitUnitError {
    /// The group does not take the offsets.
    #[error(transparent)]
    Offsets(#[from] CommitOffsetsError),
    /// The unit was refused.
    #[error(transparent)]
    Unit(#[from] UnitError),
}

impl From<Unavailable> for CommitUnitError {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unit(unavailable.into())
    }
}

/// Commits a unit whose offsets the group takes. No other message is handled until it is done.
pub(crate) fn commit_unit<G: Stored>(
    group: &mut G,
    unit: CommitUnit,
    rules: CommitRules,
    ctx: &mut Context<G>,
) {
    let CommitUnit { offsets, mut commit, partitions, expected, reply, .. } = unit;
    let store = group.store_mut();
    let before = store.offsets.of(offsets.iter().map(|new| new.partition));
    let (_, rows) = store.offsets.commit(&offsets, rules);
    commit.mutations.extend(rows);
    let (told, committed) = oneshot::channel();
    // A committer that is gone drops the message and with it the way to the outcome.
    let _ = post(store.committer(), Unit { commit, partitions, expected, reply: told });
    let (done, is_done) = oneshot::channel();
    // Who asked is answered though the group's actor may end meanwhile: a reply that is dropped is
    // taken for a message that was not handled, and the unit would be done twice.
    actix::spawn(async move {
        let outcome = committed.await.unwrap_or(Err(Unavailable.into()));
        let _ = done.send(outcome.is_ok());
        // Who asked may be gone.
        let _ = reply.send(outcome.map_err(Into::into));
    });
    ctx.wait(wrap_future(is_done).map(move |is_done, group: &mut G, _| {
        if is_done != Ok(true) {
            group.store_mut().offsets.put_back(before);
        }
    }));
}

impl Offsets {
    /// What is committed for partitions.
    fn of(
        &self,
        partitions: impl Iterator<Item = TopicPartition>,
    ) -> Vec<(TopicPartition, Option<OffsetRow>)> {
        partitions.map(|partition| (partition, self.committed.get(&partition).cloned())).collect()
    }

    /// Takes back what was not committed after all.
    fn put_back(&mut self, before: Vec<(TopicPartition, Option<OffsetRow>)>) {
        for (partition, row) in before {
            match row {
                Some(row) => drop(self.committed.insert(partition, row)),
                None => drop(self.committed.remove(&partition)),
            }
        }
    }
}
