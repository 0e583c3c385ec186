//! End: storage is closed, and the broker's actors go, also where their threads go on with others.

use crate::broker::Broker;
use crate::consumer_group::ConsumerGroup;
use crate::coordinator::Coordinator;
use crate::group::Group;
use crate::mail::post;
use crate::partition::Partition;
use actix::{ActorContext, Context, Handler, Message};

/// Nothing is written any more. Who waits for an answer of the actor learns that it is gone.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct End;

impl Handler<End> for Broker {
    type Result = ();

    /// It starts the partitions, so none comes after those that end here.
    fn handle(&mut self, end: End, ctx: &mut Context<Self>) {
        let topics = self.topics.load();
        for partition in topics.iter().flat_map(|topic| &topic.partitions).filter_map(|slot| slot.actor()) {
            // One that is gone needs no ending.
            let _ = post(&partition, end);
        }
        ctx.stop();
    }
}

impl Handler<End> for Coordinator {
    type Result = ();

    /// It starts the groups, as the broker does with partitions.
    fn handle(&mut self, end: End, ctx: &mut Context<Self>) {
        for group in self.groups.load().iter().filter_map(|slot| slot.actor()) {
            let _ = group.post(end);
        }
        ctx.stop();
    }
}

impl Handler<End> for Partition {
    type Result = ();

    fn handle(&mut self, _end: End, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}

impl Handler<End> for Group {
    type Result = ();

    fn handle(&mut self, _end: End, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}

impl Handler<End> for ConsumerGroup {
    type Result = ();

    fn handle(&mut self, _end: End, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}
