//! When a classic group is put away.

use super::Group;
use super::state::State;
use crate::coordinator::rest::Rest;
use actix::{ActorContext, Context, Handler};

impl Handler<Rest> for Group {
    type Result = ();

    fn handle(&mut self, _message: Rest, ctx: &mut Context<Self>) {
        let is_needed =
            self.state.state() != State::Empty || !self.state.pending.is_empty() || !self.store.is_unused();
        if !is_needed {
            self.store.rest(self.state.offsets_expire_since(), self.state.settings.offset_retention);
            ctx.stop();
        }
    }
}
