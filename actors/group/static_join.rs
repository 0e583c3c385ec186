//! A static member returns under its name, and takes the place that it had (KIP-345, KIP-814).

use super::join::{JoinError, JoinRefused, Joined, Joining, ReturningLeader, new_id};
use super::state::{ClassicGroup, Now, State};
use super::sync::SyncError;
use crate::durable::Reply;
use crate::names::{InstanceId, MemberId};

impl ClassicGroup {
    /// A static member without an id: it is new, or takes its old place.
    pub(super) fn join_as_static(
        &mut self,
        instance: &InstanceId,
        joining: Joining,
        reply: Reply<Joined, JoinRefused>,
        now: Now,
    ) {
        let id = new_id(instance);
        match self.members.of_instance(instance).cloned() {
            Some(old) => self.replace(&old, &id, joining, reply, now),
            None => self.add(id, joining, reply, now),
        }
    }

    fn replace(
        &mut self,
        old: &MemberId,
        id: &MemberId,
        joining: Joining,
        reply: Reply<Joined, JoinRefused>,
        now: Now,
    ) {
        let leader = self.leader.clone();
        let returning = joining.returning_leader;
        self.rename(old, id, now);
        self.update(id, joining, reply);
        match self.state() {
            State::Stable if self.members.vote() == self.protocol => {
                self.is_changed = true;
                let mut joined = self.joined(id);
                let leads = leader.as_ref() == Some(old);
                joined.skip_assignment = leads;
                if returning == ReturningLeader::Follows {
                    leader.as_deref().unwrap_or_default().clone_into(&mut joined.leader);
                    joined.members.clear();
                    joined.skip_assignment = false;
                }
                if let Some(reply) = self.members.get_mut(id).and_then(|member| member.join.take()) {
                    self.answers.send(reply, Ok(joined));
                }
            }
            State::Empty | State::PreparingRebalance | State::CompletingRebalance | State::Stable => {
                self.rebalance_or_complete(now, "a static member has returned");
            }
        }
    }

    /// The member keeps all but its id. Who still speaks by the old one is told so.
    fn rename(&mut self, old: &MemberId, id: &MemberId, now: Now) {
        let (leads, is_unsynced) = (self.leader.as_ref() == Some(old), self.unsynced.contains(old));
        let Some(mut member) = self.remove(old) else { return };
        if let Some(reply) = member.join.take() {
            let refused = JoinRefused { error: JoinError::FencedInstance, member: Some(old.clone()) };
            self.answers.send(reply, Err(refused));
        }
        if let Some(reply) = member.sync.take() {
            self.answers.send(reply, Err(SyncError::FencedInstance));
        }
        member.is_new = false;
        self.members.insert(id.clone(), member);
        if leads {
            self.leader = Some(id.clone());
        }
        if is_unsynced {
            self.unsynced.insert(id.clone());
        }
        self.hear(id, now);
    }
}
