//! Leave: a member goes, for good or, when it is static, for a while.

use super::ConsumerGroup;
use super::downgrade::Downgrade;
use super::heartbeat::BeatError;
use super::member::{GONE_FOR_A_WHILE, Member};
use super::state::{ConsumerGroupState, Owned};
use crate::broker::topics::Topics;
use crate::durable::Reply;
use crate::group::member_check::MemberError;
use crate::names::{InstanceId, MemberId};
use actix::{Context, Handler, Message};
use callboard_storage::values::Phase;

/// A member goes.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct ConsumerLeave {
    /// Its id.
    pub member: MemberId,
    /// The name of a static member.
    pub instance: Option<InstanceId>,
    /// For how long.
    pub absence: Absence,
    /// Where to answer.
    pub reply: Reply<(), BeatError>,
}

/// For how long a member goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// For good.
    ForGood,
    /// It will be back: its partitions wait for it until its session is over.
    ForAWhile,
}

impl Handler<ConsumerLeave> for ConsumerGroup {
    type Result = ();

    fn handle(&mut self, message: ConsumerLeave, ctx: &mut Context<Self>) {
        let ConsumerLeave { member, instance, absence, reply } = message;
        let topics = self.topics.load_full();
        let left = self.state.leave(&member, instance.as_ref(), absence, &topics);
        self.state.answers.send(reply, left);
        self.settle(ctx);
    }
}

impl ConsumerGroupState {
    /// Lets a member go, whatever its epoch.
    ///
    /// # Errors
    /// [`BeatError`] when there is none, or another has its name.
    pub fn leave(
        &mut self,
        id: &MemberId,
        instance: Option<&InstanceId>,
        absence: Absence,
        topics: &Topics,
    ) -> Result<(), BeatError> {
        let holder = self.find(Some(id), instance).map_err(|error| match (error, instance) {
            (MemberError::Fenced, Some(instance)) => {
                let holder = self.by_instance.get(instance).map(ToString::to_string).unwrap_or_default();
                BeatError::FencedInstance(id.to_string(), instance.to_string(), holder)
            }
            (MemberError::Fenced | MemberError::Unknown, _) => BeatError::UnknownMember(id.to_string()),
        })?;
        match absence {
            Absence::ForGood => self.remove(&[holder], topics),
            Absence::ForAWhile => self.set_away(&holder),
        }
        Ok(())
    }

    /// The member of that id or, without one, of that static name.
    pub(super) fn find(
        &self,
        id: Option<&MemberId>,
        instance: Option<&InstanceId>,
    ) -> Result<MemberId, MemberError> {
        match (id, instance) {
            (Some(id), None) if self.members.contains_key(id) => Ok(id.clone()),
            (_, None) => Err(MemberError::Unknown),
            (id, Some(instance)) => {
                let holder = self.by_instance.get(instance).ok_or(MemberError::Unknown)?;
                if id.is_none_or(|id| id == holder) { Ok(holder.clone()) } else { Err(MemberError::Fenced) }
            }
        }
    }

    /// Takes members out. Who is left gets what they had with their next heartbeats.
    pub(super) fn remove(&mut self, ids: &[MemberId], topics: &Topics) {
        let gone = ids.iter().filter_map(|id| self.take(id)).count();
        if gone == 0 {
            return;
        }
        self.keep_patterns();
        if self.is_to_downgrade() {
            // Not another epoch: what is left of the group is of this one.
            self.downgrade = Some(Downgrade { generation: self.epoch, phase: Phase::Preparing });
        } else {
            self.bump(self.hash(topics));
        }
    }

    /// What it was to give up is free; what it has waits for it.
    fn set_away(&mut self, id: &MemberId) {
        let Some(member) = self.members.get(id).cloned() else { return };
        let reset = |owned: Owned| -> Owned {
            let zero = |partitions: std::collections::BTreeMap<i32, i32>| {
                partitions.into_keys().map(|partition| (partition, 0)).collect()
            };
            owned.into_iter().map(|(topic, partitions)| (topic, zero(partitions))).collect()
        };
        let assigned = reset(member.assigned.clone());
        let away = Member { epoch: GONE_FOR_A_WHILE, assigned, revoking: Owned::new(), ..member };
        self.put(id, away);
    }
}
