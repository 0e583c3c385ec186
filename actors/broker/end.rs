//! End: the registry goes, and the partitions with it.

use super::Broker;
use crate::end::End;
use crate::mail::post;
use actix::{ActorContext, Context, Handler};

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
