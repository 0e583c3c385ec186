//! What members of the other protocol (KIP-848) are told here: that this is no place for them, unless
//! nobody is in the group, which then becomes one of theirs.

use super::Group;
use super::describe::DescribeError;
use super::state::State;
use crate::consumer_group::describe::ConsumerDescribe;
use crate::consumer_group::heartbeat::{BeatError, ConsumerHeartbeat};
use crate::consumer_group::leave::ConsumerLeave;
use crate::coordinator::groups::Kind;
use crate::mail::Unavailable;
use actix::{ActorContext, Context, Handler};

impl Handler<ConsumerHeartbeat> for Group {
    type Result = ();

    fn handle(&mut self, message: ConsumerHeartbeat, ctx: &mut Context<Self>) {
        let is_new = message.beat.epoch == 0;
        let is_empty = self.state.state() == State::Empty;
        if is_new && is_empty && self.store.is_idle() {
            // The request is dropped with the actor, and sent again to the one that follows.
            self.store.slot.become_kind(Kind::Consumer);
            ctx.stop();
            return;
        }
        let error = if is_new && is_empty {
            // Something is on its way to the disk; the client tries again.
            Unavailable.into()
        } else {
            BeatError::OtherKind(self.store.slot.id.to_string())
        };
        self.state.answers.send(message.reply, Err(error));
        self.settle(ctx);
    }
}

impl Handler<ConsumerLeave> for Group {
    type Result = ();

    fn handle(&mut self, message: ConsumerLeave, ctx: &mut Context<Self>) {
        let error = BeatError::OtherKind(self.store.slot.id.to_string());
        self.state.answers.send(message.reply, Err(error));
        self.settle(ctx);
    }
}

impl Handler<ConsumerDescribe> for Group {
    type Result = ();

    fn handle(&mut self, message: ConsumerDescribe, ctx: &mut Context<Self>) {
        self.state.answers.send(message.reply, Err(DescribeError::OtherKind));
        self.settle(ctx);
    }
}
