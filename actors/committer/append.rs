//! Append: a partition has a batch written.

use super::Committer;
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
    /// Its actor, which learns when the batch is durable.
    pub from: Addr<Partition>,
    /// The batch.
    pub batch: Batch,
    /// Answered already when the batch is written, not synced, for a producer that asked for that.
    pub written: Option<oneshot::Sender<Result<Appended, AppendError>>>,
}

/// Batches of a partition are durable and readable, or lost. One message for all of a group.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Committed {
    /// The outcome of each batch, in the order of their appends.
    pub batches: Vec<Result<StampedBatch, NotCommitted>>,
}

/// Why a batch is not appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotCommitted {
    /// Storage has failed or is short of space; the batch may or may not be there after a restart.
    Unavailable,
}

impl Handler<Append> for Committer {
    type Result = ();

    fn handle(&mut self, message: Append, ctx: &mut Context<Self>) {
        self.pending.append(message);
        self.gather(ctx);
    }
}
