//! End: storage is closed, and the broker's actors go, also where their threads go on with others.

use crate::consumer_group::ConsumerGroup;
use crate::group::Group;
use crate::partition::Partition;
use actix::{ActorContext, Context, Handler, Message};

/// Nothing is written any more. Who waits for an answer of the actor learns that it is gone.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct End;

macro_rules! end {
    ($($actor:ty),*) => {
        $(impl Handler<End> for $actor {
            type Result = ();

            fn handle(&mut self, _end: End, ctx: &mut Context<Self>) {
                ctx.stop();
            }
        })*
    };
}

end!(Partition, Group, ConsumerGroup);
