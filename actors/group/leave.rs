//! Leave: members go, and the others share what they had.

use super::Group;
use super::join::{JoinError, JoinRefused};
use super::member_check::MemberError;
use super::state::{ClassicGroup, Now, State, Timer};
use super::sync::SyncError;
use crate::durable::Reply;
use crate::mail::Unavailable;
use crate::names::{InstanceId, MemberId};
use actix::{Context, Handler, Message};
use std::sync::Arc;

/// Members go.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Leave {
    /// Who goes.
    pub members: Arc<Vec<Leaving>>,
    /// An outcome for each, in their order.
    pub reply: Reply<Vec<Result<(), MemberError>>, Unavailable>,
}

/// A member that goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaving {
    /// Its id; `None` for a static member that is sent away by its name.
    pub member: Option<MemberId>,
    /// The name of a static member.
    pub instance: Option<InstanceId>,
}

impl Handler<Leave> for Group {
    type Result = ();

    fn handle(&mut self, message: Leave, ctx: &mut Context<Self>) {
        let outcomes = self.state.leave(&message.members, Now::read());
        self.state.answers.send(message.reply, Ok(outcomes));
        self.settle(ctx);
    }
}

impl ClassicGroup {
    /// Takes members out: an outcome for each.
    pub fn leave(&mut self, members: &[Leaving], now: Now) -> Vec<Result<(), MemberError>> {
        let outcomes: Vec<_> = members.iter().map(|leaving| self.leave_one(leaving)).collect();
        if outcomes.iter().any(Result::is_ok) && self.state() != State::Empty {
            self.rebalance_or_complete(now, "a member has left");
        }
        outcomes
    }

    fn leave_one(&mut self, leaving: &Leaving) -> Result<(), MemberError> {
        let Leaving { member, instance } = leaving;
        let Some(id) = member else {
            let instance = instance.as_ref().ok_or(MemberError::Unknown)?;
            let id = self.members.of_instance(instance).cloned().ok_or(MemberError::Unknown)?;
            self.expel(&id);
            return Ok(());
        };
        if self.take_pending(id) {
            self.deadlines.cancel(&Timer::Session(id.clone()));
            return Ok(());
        }
        self.check_member(id, instance.as_ref())?;
        self.expel(id);
        Ok(())
    }

    /// Takes a member out, and tells it so when it waits for something.
    pub(super) fn expel(&mut self, id: &MemberId) {
        let Some(mut member) = self.remove(id) else { return };
        if let Some(reply) = member.join.take() {
            self.answers.send(reply, Err(JoinRefused { error: JoinError::UnknownMember, member: None }));
        }
        if let Some(reply) = member.sync.take() {
            self.answers.send(reply, Err(SyncError::UnknownMember));
        }
    }
}
