//! Stop: the topic is deleted; who waits for an append is told, and the actor ends.

use super::Partition;
use super::append::AppendError;
use actix::{ActorContext, Context, Handler, Message};

/// The topic is deleted.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Stop;

impl Handler<Stop> for Partition {
    type Result = ();

    fn handle(&mut self, _message: Stop, ctx: &mut Context<Self>) {
        for reply in self.in_flight.drain(..).flat_map(|sent| sent.replies) {
            let _ = reply.send(Err(AppendError::Deleted));
        }
        ctx.stop();
    }
}
