//! Commit: any change of any actor, all of it or nothing.

use super::Committer;
use crate::mail::Unavailable;
use actix::{Context, Handler, Message};
use callboard_storage::log;
use tokio::sync::oneshot;

/// Changes to commit at once.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Commit {
    /// The changes.
    pub commit: log::Commit,
    /// Answered when they are durable and readable.
    pub reply: oneshot::Sender<Result<(), Unavailable>>,
}

impl Handler<Commit> for Committer {
    type Result = ();

    fn handle(&mut self, message: Commit, ctx: &mut Context<Self>) {
        self.pending.commit(message);
        self.gather(ctx);
    }
}
