//! Sync: a member asks for its assignment; the leader brings those of all.

use super::Group;
use super::member_check::MemberError;
use super::state::{ClassicGroup, Now, State, Timer};
use crate::durable::Reply;
use crate::mail::Unavailable;
use crate::names::{InstanceId, MemberId};
use actix::{Context, Handler, Message};
use bytes::Bytes;
use std::collections::{BTreeSet, HashMap};

/// A member asks for its assignment.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Sync {
    /// Who asks.
    pub syncing: Syncing,
    /// Where to answer.
    pub reply: Reply<Synced, SyncError>,
}

/// A member that asks for its assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Syncing {
    /// Its id.
    pub member: MemberId,
    /// The name of a static member.
    pub instance: Option<InstanceId>,
    /// The generation that it has joined.
    pub generation: i32,
    /// What it takes the members for, where it says so.
    pub protocol_type: Option<String>,
    /// What it takes for the assignment protocol, where it says so.
    pub protocol: Option<String>,
    /// The assignments of all members; only the leader has them.
    pub assignments: HashMap<MemberId, Bytes>,
}

/// What a member is to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synced {
    /// What the members are.
    pub protocol_type: Option<String>,
    /// The assignment protocol that was chosen.
    pub protocol: Option<String>,
    /// The assignment, as the leader wrote it.
    pub assignment: Bytes,
}

/// Why a member has no assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SyncError {
    /// The group has no such member.
    #[error("the group has no such member")]
    UnknownMember,
    /// Another member took over the static member's name.
    #[error("another member has the instance id")]
    FencedInstance,
    /// The member has joined another generation.
    #[error("the group has another generation")]
    IllegalGeneration,
    /// The member takes the group for something else.
    #[error("the group uses other protocols")]
    InconsistentProtocol,
    /// The group is to be joined again.
    #[error("the group is rebalancing")]
    Rebalancing,
    /// Storage has failed, or the group's actor.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<MemberError> for SyncError {
    fn from(error: MemberError) -> Self {
        match error {
            MemberError::Unknown => Self::UnknownMember,
            MemberError::Fenced => Self::FencedInstance,
        }
    }
}

impl Handler<Sync> for Group {
    type Result = ();

    fn handle(&mut self, message: Sync, ctx: &mut Context<Self>) {
        let Sync { syncing, reply } = message;
        self.state.sync(syncing, reply, Now::read());
        self.settle(ctx);
    }
}

impl ClassicGroup {
    /// Gives a member its assignment, now or when the leader has brought it.
    pub fn sync(&mut self, syncing: Syncing, reply: Reply<Synced, SyncError>, now: Now) {
        if let Err(error) = self.check_sync(&syncing) {
            self.answers.send(reply, Err(error));
            return;
        }
        let Syncing { member: id, assignments, .. } = syncing;
        self.unsynced.remove(&id);
        if self.unsynced.is_empty() {
            // Its room goes too: most groups are small, and idle.
            self.unsynced = BTreeSet::new();
            self.deadlines.cancel(&Timer::Sync);
        }
        if self.state() == State::Stable {
            let synced = self.synced(&id);
            self.answers.send(reply, Ok(synced));
            self.hear(&id, now);
            return;
        }
        let old = self.members.get_mut(&id).and_then(|member| member.sync.replace(reply));
        if let Some(old) = old {
            // It came by a connection that is gone; it is not to be tried again.
            self.answers.send(old, Err(Unavailable.into()));
        }
        if self.leader.as_ref() == Some(&id) {
            self.assign(assignments, now);
        }
    }

    fn check_sync(&self, syncing: &Syncing) -> Result<(), SyncError> {
        let Syncing { member, instance, generation, protocol_type, protocol, .. } = syncing;
        self.check_member(member, instance.as_ref())?;
        if *generation != self.generation {
            return Err(SyncError::IllegalGeneration);
        }
        let differs = |said: &Option<String>, known: &Option<String>| {
            said.is_some() && known.is_some() && said != known
        };
        if differs(protocol_type, &self.protocol_type) || differs(protocol, &self.protocol) {
            return Err(SyncError::InconsistentProtocol);
        }
        match self.state() {
            State::PreparingRebalance => Err(SyncError::Rebalancing),
            State::Empty | State::CompletingRebalance | State::Stable => Ok(()),
        }
    }

    /// The leader has assigned: all who wait are told, and the group is stable.
    fn assign(&mut self, mut assignments: HashMap<MemberId, Bytes>, now: Now) {
        for id in self.members.ids() {
            let Some(member) = self.members.get_mut(&id) else { continue };
            member.assignment = assignments.remove(&id).unwrap_or_default();
            if let Some(reply) = member.sync.take() {
                let synced = self.synced(&id);
                self.answers.send(reply, Ok(synced));
                self.hear(&id, now);
            }
        }
        self.enter(State::Stable, now);
        self.is_changed = true;
    }

    fn synced(&self, id: &MemberId) -> Synced {
        Synced {
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            assignment: self.members.get(id).map(|member| member.assignment.clone()).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::{NEARLY_SESSION, Trial, joining};

    #[test]
    fn who_asks_for_its_assignment_of_before_is_alive() {
        let mut trial = Trial::new();
        let ids = trial.stable(2);
        trial.pass(NEARLY_SESSION);
        // It joins again and is told that nothing has changed.
        let joined = trial.join(joining(Some(&ids[1]))).try_recv().unwrap().unwrap();
        assert!(trial.sync(&ids[1], joined.generation, &[]).try_recv().unwrap().is_ok());
        trial.pass(NEARLY_SESSION);
        assert!(!trial.group.members.contains(&ids[0]), "the leader was silent");
        assert!(trial.group.members.contains(&ids[1]));
    }
}
