//! Append: a partition has a batch written.

use super::Committer;
use crate::mail::post;
use crate::partition::Partition;
use crate::partition::append::{AppendError, Appended};
use actix::{Addr, Context, Handler, Message};
use callboard_protocol::batch::{Batch, StampedBatch};
use callboard_storage::PartitionId;
use tokio::sync::oneshot;

/// A checked batch to append. The partition is told of the outcome by [`Committed`], in the order
/// in which it appended.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Append {
    /// The partition.
    pub partition: PartitionId,
    /// Its actor, which learns of the outcome.
    pub from: Pledge,
    /// How many of its batches the partition knows to be lost. One that was sent before it knew of
    /// the last loss is refused too, or it would stand before those that are sent again.
    pub losses: u64,
    /// The batch.
    pub batch: Batch,
    /// Answered already when the batch is written, not synced, for a producer that asked for that.
    pub written: Option<oneshot::Sender<Result<Appended, AppendError>>>,
}

/// The promise that a partition learns of a batch's outcome: when it is dropped unfulfilled, as when
/// the committer ends, the partition learns that the batch is lost.
#[derive(Debug)]
pub struct Pledge(Option<Addr<Partition>>);

impl Pledge {
    /// A promise to that partition.
    pub fn new(partition: Addr<Partition>) -> Self {
        Self(Some(partition))
    }

    /// The partition, for who fulfils the promise now.
    pub(super) fn fulfil(mut self) -> Option<Addr<Partition>> {
        self.0.take()
    }
}

impl Drop for Pledge {
    fn drop(&mut self) {
        if let Some(partition) = self.0.take() {
            // A partition that is gone answers nobody.
            let _ = post(&partition, Committed { batches: vec![Outcome::Lost] });
        }
    }
}

/// Batches of a partition are durable and readable, or lost. One message for all of a group.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Committed {
    /// The outcome of each batch, in the order of the log.
    pub batches: Vec<Outcome>,
}

/// What became of a batch.
#[derive(Debug)]
pub enum Outcome {
    /// One of the partition's appends is in the log.
    Appended(StampedBatch),
    /// One of its appends is not; it may or may not be there after a restart.
    Lost,
    /// A batch came into the log that the partition did not append: a unit did.
    OfUnit(StampedBatch),
}

impl Handler<Append> for Committer {
    type Result = ();

    fn handle(&mut self, message: Append, ctx: &mut Context<Self>) {
        self.pending.append(message);
        self.gather(ctx);
    }
}
