//! Crash: the end of writing as a crash brings it, for tests.

use super::Committer;
use actix::{ActorContext, Context, Handler, Message};
use tokio::sync::oneshot;

/// Ends the committer between two groups: what waits is not written, what is on its way is
/// not answered, nothing is closed. What comes later is answered [`crate::Unavailable`].
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Crash {
    /// Answered when the data folder may be opened by another process.
    pub reply: oneshot::Sender<()>,
}

impl Handler<Crash> for Committer {
    type Result = ();

    fn handle(&mut self, message: Crash, ctx: &mut Context<Self>) {
        drop(self.log.take());
        self.folder = None;
        // Nobody may wait for the answer any more.
        let _ = message.reply.send(());
        ctx.stop();
    }
}
