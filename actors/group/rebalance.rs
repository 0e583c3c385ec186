//! Rebalancing: the members join again, one of them leads, and a new generation begins.

use super::join::{Joined, JoinedMember};
use super::state::{ClassicGroup, Initial, Now, State, Timer};
use super::sync::SyncError;
use crate::names::MemberId;
use bytes::Bytes;
use callboard_protocol::subscription;
use std::collections::BTreeSet;
use std::time::Duration;

/// How long a group waits at least for static members, when they are all that is left.
const IDLE_REBALANCE_MIN: Duration = Duration::from_secs(1);

impl ClassicGroup {
    /// Somebody came or went: begins a rebalance, or ends the one that waited for this.
    pub(super) fn rebalance_or_complete(&mut self, now: Now, reason: &str) {
        if self.state() == State::PreparingRebalance {
            self.complete_if_all_joined(now);
        } else {
            self.rebalance(now, reason);
        }
    }

    /// Asks all members to join again. Not while they are asked already.
    pub(super) fn rebalance(&mut self, now: Now, reason: &str) {
        tracing::debug!(generation = self.generation, state = %self.state(), reason, "rebalance");
        if self.state() == State::CompletingRebalance {
            self.take_assignments_back(now);
        }
        self.unsynced.clear();
        self.deadlines.cancel(&Timer::Sync);
        let timeout = self.members.rebalance_timeout();
        if self.state() == State::Empty {
            let delay = self.settings.initial_rebalance_delay;
            self.initial = Some(Initial { has_grown: false, left: timeout.saturating_sub(delay) });
            self.deadlines.set(Timer::Join, now.instant + delay);
            self.enter(State::PreparingRebalance, now);
            return;
        }
        self.initial = None;
        self.enter(State::PreparingRebalance, now);
        if self.all_joined() {
            self.complete_join(now);
        } else {
            self.deadlines.set(Timer::Join, now.instant + timeout);
        }
    }

    /// A first join phase ends by its clock only, so that members that come together are together
    /// in the first generation.
    pub(super) fn complete_if_all_joined(&mut self, now: Now) {
        if self.state() == State::PreparingRebalance && self.initial.is_none() && self.all_joined() {
            self.complete_join(now);
        }
    }

    pub(super) fn all_joined(&self) -> bool {
        self.pending.is_empty() && self.members.have_joined()
    }

    /// The time for joining is over.
    pub(super) fn join_is_due(&mut self, now: Now) {
        if self.state() != State::PreparingRebalance {
            return;
        }
        match &mut self.initial {
            Some(initial) if initial.has_grown && !initial.left.is_zero() => {
                let delay = self.settings.initial_rebalance_delay.min(initial.left);
                let left = initial.left.saturating_sub(self.settings.initial_rebalance_delay);
                *initial = Initial { has_grown: false, left };
                self.deadlines.set(Timer::Join, now.instant + delay);
            }
            Some(_) | None => self.complete_join(now),
        }
    }

    /// A new generation of those who have joined, and of static members, who may still come.
    pub(super) fn complete_join(&mut self, now: Now) {
        self.deadlines.cancel(&Timer::Join);
        let is_gone = |id: &&MemberId| {
            let member = self.members.get(id);
            member.is_some_and(|member| member.join.is_none() && member.instance.is_none())
        };
        for id in self.members.ids().iter().filter(is_gone).cloned().collect::<Vec<_>>() {
            self.remove(&id);
        }
        if !self.elect_leader() {
            // Not at once, whatever the members want: nothing happens until one of them comes.
            let timeout = self.members.rebalance_timeout().max(IDLE_REBALANCE_MIN);
            self.deadlines.set(Timer::Join, now.instant + timeout);
            return;
        }
        self.initial = None;
        self.generation = self.generation.checked_add(1).unwrap_or(1);
        self.unsynced.clear();
        self.protocol = self.members.vote();
        self.read_subscriptions();
        self.is_changed = true;
        if self.members.is_empty() {
            self.enter(State::Empty, now);
        } else {
            self.enter(State::CompletingRebalance, now);
            self.begin_generation(now);
        }
    }

    /// A leader that has joined. Whether there is one, or nobody to lead.
    fn elect_leader(&mut self) -> bool {
        let has_joined = |id: &MemberId| self.members.get(id).is_some_and(|member| member.join.is_some());
        if self.leader.as_ref().is_some_and(has_joined) {
            return true;
        }
        let joined = self.members.iter().find(|(_, member)| member.join.is_some());
        match joined.map(|(id, _)| id.clone()) {
            Some(id) => self.leader = Some(id),
            None if self.members.is_empty() => self.leader = None,
            None => return false,
        }
        true
    }

    fn begin_generation(&mut self, now: Now) {
        for id in self.members.ids() {
            let joined = self.joined(&id);
            let Some(member) = self.members.get_mut(&id) else { continue };
            member.is_new = false;
            if let Some(reply) = member.join.take() {
                self.answers.send(reply, Ok(joined));
            }
            self.hear(&id, now);
            self.unsynced.insert(id);
        }
        self.deadlines.set(Timer::Sync, now.instant + self.members.rebalance_timeout());
    }

    /// What a member is told of its generation; the leader is told of all members.
    pub(super) fn joined(&self, id: &MemberId) -> Joined {
        let is_leader = self.leader.as_ref() == Some(id);
        let protocol = self.protocol.clone().unwrap_or_default();
        let member = |(id, member): (&MemberId, &super::members::Member)| JoinedMember {
            id: id.clone(),
            instance: member.instance.clone(),
            metadata: member.metadata(&protocol),
        };
        Joined {
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            members: if is_leader { self.members.iter().map(member).collect() } else { Vec::new() },
            protocol,
            leader: self.leader.as_deref().unwrap_or_default().to_owned(),
            skip_assignment: false,
            member: id.clone(),
        }
    }

    fn take_assignments_back(&mut self, now: Now) {
        for id in self.members.ids() {
            let Some(member) = self.members.get_mut(&id) else { continue };
            member.assignment = Bytes::new();
            if let Some(reply) = member.sync.take() {
                self.answers.send(reply, Err(SyncError::Rebalancing));
                self.hear(&id, now);
            }
        }
    }

    /// Takes a member out, with its deadline. Who waits for it is answered by the caller.
    pub(super) fn remove(&mut self, id: &MemberId) -> Option<super::members::Member> {
        self.deadlines.cancel(&Timer::Session(id.clone()));
        self.unsynced.remove(id);
        let member = self.members.remove(id);
        if self.leader.as_ref() == Some(id) {
            self.leader = self.members.iter().next().map(|(id, _)| id.clone());
        }
        member
    }

    /// The topics that consumers read, from what they say to the leader.
    pub(super) fn read_subscriptions(&mut self) {
        self.topics = None;
        if self.protocol_type.as_deref() != Some(super::CONSUMER) {
            return;
        }
        let protocol = self.protocol.clone().unwrap_or_default();
        let mut topics = BTreeSet::new();
        for (id, member) in self.members.iter() {
            match subscription::topics(&member.metadata(&protocol)) {
                Some(more) => topics.extend(more),
                None => {
                    tracing::debug!(member = %id, "a subscription cannot be read: all topics count as read");
                    return;
                }
            }
        }
        self.topics = Some(topics.into_iter().collect());
    }
}
