//! Heartbeat: a member is alive, and asks whether it is to join again.

use super::Group;
use super::member_check::MemberError;
use super::state::{ClassicGroup, Now, State};
use crate::durable::Reply;
use crate::mail::Unavailable;
use crate::names::{InstanceId, MemberId};
use actix::{Context, Handler, Message};

/// A member is alive.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Heartbeat {
    /// Which member.
    pub beating: Beating,
    /// Where to answer.
    pub reply: Reply<(), HeartbeatError>,
}

/// A member that is alive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beating {
    /// Its id.
    pub member: MemberId,
    /// The name of a static member.
    pub instance: Option<InstanceId>,
    /// The generation that it is in.
    pub generation: i32,
}

/// Why a member cannot go on as before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeartbeatError {
    /// The group has no such member.
    #[error("the group has no such member")]
    UnknownMember,
    /// Another member took over the static member's name.
    #[error("another member has the instance id")]
    FencedInstance,
    /// The member is of another generation.
    #[error("the group has another generation")]
    IllegalGeneration,
    /// It is to join again.
    #[error("the group is rebalancing")]
    Rebalancing,
    /// Storage has failed, or the group's actor.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<MemberError> for HeartbeatError {
    fn from(error: MemberError) -> Self {
        match error {
            MemberError::Unknown => Self::UnknownMember,
            MemberError::Fenced => Self::FencedInstance,
        }
    }
}

impl Handler<Heartbeat> for Group {
    type Result = ();

    fn handle(&mut self, message: Heartbeat, ctx: &mut Context<Self>) {
        let Heartbeat { beating, reply } = message;
        let answer = self.state.heartbeat(&beating, Now::read());
        self.state.answers.send(reply, answer);
        self.settle(ctx);
    }
}

impl ClassicGroup {
    /// Gives a member its session timeout anew. While the others are awaited it is heard, and told to
    /// come too.
    ///
    /// # Errors
    /// [`HeartbeatError`].
    pub fn heartbeat(&mut self, beating: &Beating, now: Now) -> Result<(), HeartbeatError> {
        self.check_member(&beating.member, beating.instance.as_ref())?;
        if beating.generation != self.generation {
            return Err(HeartbeatError::IllegalGeneration);
        }
        self.hear(&beating.member, now);
        match self.state() {
            State::PreparingRebalance => Err(HeartbeatError::Rebalancing),
            State::Empty | State::CompletingRebalance | State::Stable => Ok(()),
        }
    }
}
