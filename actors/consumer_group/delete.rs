//! When a group that the broker assigns to is forgotten, and when it is put away.

use super::ConsumerGroup;
use super::state::ConsumerState;
use crate::coordinator::rest::Rest;
use crate::group::delete::{Delete, DeleteGroupError};
use crate::offsets::expire::Since;
use actix::{ActorContext, Context, Handler};

impl Handler<Delete> for ConsumerGroup {
    type Result = ();

    fn handle(&mut self, message: Delete, ctx: &mut Context<Self>) {
        let deleted = if self.state.state() == ConsumerState::Empty {
            self.forget();
            Ok(())
        } else {
            Err(DeleteGroupError::NotEmpty)
        };
        self.state.answers.send(message.reply, deleted);
        self.settle(ctx);
    }
}

impl Handler<Rest> for ConsumerGroup {
    type Result = ();

    fn handle(&mut self, _message: Rest, ctx: &mut Context<Self>) {
        if self.state.state() == ConsumerState::Empty && self.store.is_unused() {
            self.store.rest(Since::Commit, self.state.settings.offset_retention);
            ctx.stop();
        }
    }
}
