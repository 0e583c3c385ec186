//! What members of the classic protocol are told here: that this is no place for them, unless nobody
//! is in the group, which then becomes one of theirs.

use super::ConsumerGroup;
use super::state::ConsumerState;
use crate::coordinator::groups::Kind;
use crate::group::describe::{Describe, DescribeError};
use crate::group::heartbeat::{Heartbeat, HeartbeatError};
use crate::group::join::{Join, JoinError, JoinRefused};
use crate::group::leave::Leave;
use crate::group::sync::{Sync, SyncError};
use crate::mail::Unavailable;
use actix::{ActorContext, Context, Handler};

impl Handler<Join> for ConsumerGroup {
    type Result = ();

    fn handle(&mut self, message: Join, ctx: &mut Context<Self>) {
        let is_empty = self.state.state() == ConsumerState::Empty;
        let is_new = message.joining.member.is_none();
        if is_empty && is_new && self.store.is_idle() {
            // The request is dropped with the actor, and sent again to the one that follows.
            self.store.slot.become_kind(Kind::Classic);
            ctx.stop();
            return;
        }
        let refused = if is_empty && !is_new {
            JoinRefused { error: JoinError::UnknownMember, member: message.joining.member }
        } else if is_empty {
            // Something is on its way to the disk; the client tries again.
            Unavailable.into()
        } else {
            JoinRefused { error: JoinError::InconsistentProtocol, member: None }
        };
        self.state.answers.send(message.reply, Err(refused));
        self.settle(ctx);
    }
}

impl Handler<Sync> for ConsumerGroup {
    type Result = ();

    fn handle(&mut self, message: Sync, ctx: &mut Context<Self>) {
        self.state.answers.send(message.reply, Err(SyncError::UnknownMember));
        self.settle(ctx);
    }
}

impl Handler<Heartbeat> for ConsumerGroup {
    type Result = ();

    fn handle(&mut self, message: Heartbeat, ctx: &mut Context<Self>) {
        self.state.answers.send(message.reply, Err(HeartbeatError::UnknownMember));
        self.settle(ctx);
    }
}

/// By which people send members away, of any protocol.
impl Handler<Leave> for ConsumerGroup {
    type Result = ();

    fn handle(&mut self, message: Leave, ctx: &mut Context<Self>) {
        let topics = self.topics.load_full();
        let mut gone = Vec::new();
        let outcomes = message.members.iter().map(|leaving| {
            let id = self.state.find(leaving.member.as_ref(), leaving.instance.as_ref())?;
            if gone.contains(&id) {
                return Err(crate::group::member_check::MemberError::Unknown);
            }
            gone.push(id);
            Ok(())
        });
        let outcomes: Vec<_> = outcomes.collect();
        self.state.remove(&gone, &topics);
        self.state.answers.send(message.reply, Ok(outcomes));
        self.settle(ctx);
    }
}

impl Handler<Describe> for ConsumerGroup {
    type Result = ();

    fn handle(&mut self, message: Describe, ctx: &mut Context<Self>) {
        self.state.answers.send(message.reply, Err(DescribeError::OtherKind));
        self.settle(ctx);
    }
}
