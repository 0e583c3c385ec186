//! Close: the end of writing, with a checkpoint.

use super::Committer;
use actix::{ActorContext, Context, Handler, Message};
use tokio::sync::oneshot;

/// Commits what is on its way, makes a checkpoint and ends the committer. What comes later is
/// answered [`crate::Unavailable`].
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Close {
    /// Answered when the data folder may be opened by another process.
    pub reply: oneshot::Sender<()>,
}

impl Handler<Close> for Committer {
    type Result = ();

    fn handle(&mut self, message: Close, ctx: &mut Context<Self>) {
        self.write();
        self.settle();
        if let Some(Err(error)) = self.log.take().map(callboard_storage::log::Log::close) {
            tracing::error!(%error, "the last checkpoint failed; the next start applies what it lacks");
        }
        self.folder = None;
        // Nobody may wait for the answer any more.
        let _ = message.reply.send(());
        ctx.stop();
    }
}
