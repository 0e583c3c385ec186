//! Adopt: what a starting partition begins with.

use super::Committer;
use crate::mail::Unavailable;
use actix::{Context, Handler, Message};
use callboard_storage::PartitionId;
use callboard_storage::log::PartitionState;
use tokio::sync::oneshot;

/// Asks for a partition's state. The answer holds all that was sent to the committer before, also
/// by an actor of the same partition that died.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Adopt {
    /// The partition.
    pub partition: PartitionId,
    /// Answered when all that came before is applied.
    pub reply: oneshot::Sender<Result<PartitionState, Unavailable>>,
}

impl Handler<Adopt> for Committer {
    type Result = ();

    fn handle(&mut self, message: Adopt, ctx: &mut Context<Self>) {
        self.pending.adopt(message);
        self.gather(ctx);
    }
}
