//! What members of the classic protocol ask of a group that the broker assigns to: whether they are to join
//! again, and what they are to read.

use super::ConsumerGroup;
use super::downgrade::by_name;
use super::member::{ClassicPart, Member, Progress};
use super::state::{ConsumerGroupState, Timer};
use crate::broker::topics::Topics;
use crate::group::CONSUMER;
use crate::group::describe::{Describe, DescribeError};
use crate::group::heartbeat::{Beating, Heartbeat, HeartbeatError};
use crate::group::leave::Leave;
use crate::group::member_check::MemberError;
use crate::group::state::Now;
use crate::group::sync::{Sync, SyncError, Synced, Syncing};
use crate::names::{InstanceId, MemberId};
use actix::{Context, Handler};
use callboard_protocol::assignment;
use std::sync::Arc;
use std::time::Duration;

impl Handler<Sync> for ConsumerGroup {
    type Result = ();

    fn handle(&mut self, message: Sync, ctx: &mut Context<Self>) {
        let synced = self.state.sync(&message.syncing, &self.topics.load(), Now::read());
        self.state.answers.send(message.reply, synced);
        self.settle(ctx);
    }
}

impl Handler<Heartbeat> for ConsumerGroup {
    type Result = ();

    fn handle(&mut self, message: Heartbeat, ctx: &mut Context<Self>) {
        let topics = self.topics.load_full();
        self.refresh_settings();
        let answer = self.state.classic_heartbeat(&message.beating, &topics, Now::read());
        self.state.answers.send(message.reply, answer);
        self.settle(ctx);
    }
}

/// By which people send members away too, of any protocol.
impl Handler<Leave> for ConsumerGroup {
    type Result = ();

    fn handle(&mut self, message: Leave, ctx: &mut Context<Self>) {
        let topics = self.topics.load_full();
        let mut gone = Vec::new();
        let outcomes = message.members.iter().map(|leaving| {
            let id = self.state.find(leaving.member.as_ref(), leaving.instance.as_ref())?;
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

impl ConsumerGroupState {
    /// Gives a classic member its session timeout anew.
    ///
    /// # Errors
    /// [`HeartbeatError`]; that it is to join again is one too.
    pub fn classic_heartbeat(
        &mut self,
        beating: &Beating,
        topics: &Arc<Topics>,
        now: Now,
    ) -> Result<(), HeartbeatError> {
        let (id, member, _) = self.find_classic(&beating.member, beating.instance.as_ref())?;
        if member.epoch != beating.generation {
            return Err(HeartbeatError::IllegalGeneration);
        }
        self.start_session(&id, now);
        if self.members.values().all(|member| member.classic.is_some()) {
            // No heartbeat of the other protocol does it.
            self.refresh(topics, false);
            self.assign(topics, now);
        }
        if !self.members.get(&id).is_some_and(|member| self.is_to_join(&id, member)) {
            return Ok(());
        }
        self.await_join(&id, now);
        Err(HeartbeatError::Rebalancing)
    }

    /// What a classic member is to read. While it is to give partitions up, it learns that from here.
    ///
    /// # Errors
    /// [`SyncError`].
    pub fn sync(&mut self, syncing: &Syncing, topics: &Topics, now: Now) -> Result<Synced, SyncError> {
        let (id, member, part) = self.find_classic(&syncing.member, syncing.instance.as_ref())?;
        if member.epoch != syncing.generation {
            return Err(SyncError::IllegalGeneration);
        }
        let protocol = part.protocols.first().map(|protocol| protocol.name.as_str());
        let is_other_type = syncing.protocol_type.as_deref().is_some_and(|said| said != CONSUMER);
        let is_other = syncing.protocol.as_deref().is_some_and(|said| Some(said) != protocol);
        if is_other_type || is_other {
            return Err(SyncError::InconsistentProtocol);
        }
        if self.assignment_epoch > member.epoch && member.progress != Progress::Revoking {
            self.await_join(&id, now);
            return Err(SyncError::Rebalancing);
        }
        let has = member.assigned.iter();
        let has = has.map(|(topic, numbers)| (*topic, numbers.keys().copied().collect())).collect();
        let assignment = assignment::write(part.version(), &by_name(&has, topics));
        self.deadlines.cancel(&Timer::Sync(id.clone()));
        self.start_session(&id, now);
        Ok(Synced {
            protocol_type: syncing.protocol_type.clone(),
            protocol: syncing.protocol.clone(),
            assignment: assignment.into(),
        })
    }

    fn find_classic(
        &self,
        id: &MemberId,
        instance: Option<&InstanceId>,
    ) -> Result<(MemberId, &Member, &ClassicPart), MemberError> {
        let id = self.find(Some(id), instance)?;
        let member = self.members.get(&id).ok_or(MemberError::Unknown)?;
        let part = member.classic.as_ref().ok_or(MemberError::Unknown)?;
        Ok((id, member, part))
    }

    /// Whether joining again would bring a classic member further.
    fn is_to_join(&self, id: &MemberId, member: &Member) -> bool {
        match member.progress {
            _ if member.epoch < self.assignment_epoch => true,
            Progress::Revoking => true,
            Progress::Waiting => !self.waits_for_others(id, member),
            Progress::Stable => false,
        }
    }

    fn waits_for_others(&self, id: &MemberId, member: &Member) -> bool {
        let mut wanted =
            member.target.iter().flat_map(|(topic, numbers)| numbers.iter().map(|number| (*topic, *number)));
        wanted.any(|partition| self.owners.get(&partition).is_some_and(|owner| owner != id))
    }

    /// A member that was told to join is to do so within the time that it said it may take.
    fn await_join(&mut self, id: &MemberId, now: Now) {
        let timer = Timer::Join(id.clone());
        if self.deadlines.is_set(&timer) {
            return;
        }
        let timeout_ms = self.members.get(id).map_or(0, |member| member.rebalance_timeout_ms);
        let timeout = Duration::from_millis(u64::try_from(timeout_ms).unwrap_or(0));
        self.deadlines.set(timer, now.instant + timeout);
    }
}

#[cfg(test)]
mod tests;
