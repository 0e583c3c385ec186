//! End: the registry of groups goes, and the groups with it.

use super::Coordinator;
use crate::end::End;
use actix::{ActorContext, Context, Handler};

impl Handler<End> for Coordinator {
    type Result = ();

    /// It starts the groups, so none comes after those that end here.
    fn handle(&mut self, end: End, ctx: &mut Context<Self>) {
        for group in self.groups.load().iter().filter_map(|slot| slot.actor()) {
            // One that is gone needs no ending.
            let _ = group.post(end);
        }
        ctx.stop();
    }
}
