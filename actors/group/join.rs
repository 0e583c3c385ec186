//! Join: a consumer enters its group, or stays in it through a rebalance.
//!
//! The answer comes when all members have joined. A member that is new is first given an id, unless
//! its client is too old for that, so that one that tries again is not taken for two.

use super::Group;
use super::members::{Member, Protocol, bytes_of};
use super::state::{ClassicGroup, Now, State, Timer};
use crate::chance;
use crate::config::GroupSettings;
use crate::durable::Reply;
use crate::mail::Unavailable;
use crate::names::{InstanceId, MemberId};
use actix::{Context, Handler, Message};
use bytes::Bytes;
use std::collections::HashSet;
use std::collections::VecDeque;
use std::time::Duration;

/// How long a new member is kept that does not come to the end of its first join phase.
const NEW_MEMBER_TIMEOUT: Duration = Duration::from_mins(5);
/// Ids that are given and not used yet, in one group. The oldest is forgotten for one more.
const PENDING_MAX: usize = 2_000;
/// Bytes of what one member says of itself for all of its protocols.
pub(crate) const PROTOCOLS_BYTES_MAX: usize = 1 << 20;
/// The same for all members of a group.
pub(crate) const GROUP_BYTES_MAX: usize = 64 << 20;
/// Bytes of a client's or an instance's name at the beginning of a member's id.
const ID_NAME_BYTES_MAX: usize = 255;

/// A consumer wants to be in the group.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Join {
    /// Who it is.
    pub joining: Joining,
    /// Where to answer.
    pub reply: Reply<Joined, JoinRefused>,
}

/// A consumer that wants to be in the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joining {
    /// The id that it was given; `None` the first time.
    pub member: Option<MemberId>,
    /// The name of a static member.
    pub instance: Option<InstanceId>,
    /// What its client calls itself.
    pub client_id: String,
    /// Where it is.
    pub client_host: String,
    /// How long it may be silent.
    pub session_timeout: Duration,
    /// How long it may take to join again.
    pub rebalance_timeout: Duration,
    /// What the members are, as `consumer`.
    pub protocol_type: String,
    /// The assignment protocols that it knows, the best one first.
    pub protocols: Vec<Protocol>,
    /// What a new one does.
    pub entrance: Entrance,
    /// What a static one is told that was the leader.
    pub returning_leader: ReturningLeader,
}

/// How a new member enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entrance {
    /// It is given an id, and comes back with it (KIP-394).
    IdFirst,
    /// At once.
    Direct,
}

/// What a static leader is told that returns to a group which keeps its assignments (KIP-814).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturningLeader {
    /// That it leads, and is not to assign.
    Leads,
    /// That the id which it had leads, so that it does not assign.
    Follows,
}

/// A member is in the group's new generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// The generation.
    pub generation: i32,
    /// What the members are.
    pub protocol_type: Option<String>,
    /// The assignment protocol that was chosen.
    pub protocol: String,
    /// The member that assigns.
    pub leader: String,
    /// Whether the leader is to leave the assignments as they are.
    pub skip_assignment: bool,
    /// The member.
    pub member: MemberId,
    /// All members, for the leader only.
    pub members: Vec<JoinedMember>,
}

/// A member as the leader is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinedMember {
    /// Its id.
    pub id: MemberId,
    /// The name of a static member.
    pub instance: Option<InstanceId>,
    /// What it says of itself.
    pub metadata: Bytes,
}

/// A consumer is not in the group, or not yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinRefused {
    /// Why.
    pub error: JoinError,
    /// The id that the answer names.
    pub member: Option<MemberId>,
}

/// Why a consumer is not in the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// It is to come back with the id that it is told.
    #[error("the member is to join with its id")]
    MemberIdRequired,
    /// The group has no such member.
    #[error("the group has no such member")]
    UnknownMember,
    /// Another member took over the static member's name.
    #[error("another member has the instance id")]
    FencedInstance,
    /// The group does something else, or in another way.
    #[error("the group uses other protocols")]
    InconsistentProtocol,
    /// It is to join again, because the group became another one meanwhile.
    #[error("the group is rebalancing")]
    Rebalancing,
    /// The group has as many members as it may.
    #[error("the group is full")]
    Full,
    /// What the member says of itself is too long.
    #[error("the member's protocols have too many bytes")]
    TooLong,
    /// Storage has failed, or the group's actor.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<Unavailable> for JoinRefused {
    fn from(unavailable: Unavailable) -> Self {
        Self { error: unavailable.into(), member: None }
    }
}

/// Whether a member may ask for that session timeout, in milliseconds.
pub fn is_session_timeout(timeout_ms: i32, settings: &GroupSettings) -> bool {
    (settings.session_timeout_min_ms..=settings.session_timeout_max_ms).contains(&timeout_ms.into())
}

impl Handler<Join> for Group {
    type Result = ();

    fn handle(&mut self, message: Join, ctx: &mut Context<Self>) {
        let Join { joining, reply } = message;
        self.state.join(joining, reply, Now::read());
        self.settle(ctx);
    }
}

impl ClassicGroup {
    /// Takes a consumer in, or says why not.
    pub fn join(&mut self, mut joining: Joining, reply: Reply<Joined, JoinRefused>, now: Now) {
        let mut names = HashSet::new();
        joining.protocols.retain(|protocol| names.insert(protocol.name.clone()));
        let member = joining.member.clone();
        let refusal = self.check(&joining);
        if let Err(error) = refusal {
            let member = member.filter(|_| error != JoinError::Full);
            self.answers.send(reply, Err(JoinRefused { error, member }));
            return;
        }
        match (member, joining.instance.clone()) {
            (Some(member), _) if self.take_pending(&member) => self.add(member, joining, reply, now),
            (Some(member), _) => self.join_again(&member, joining, reply, now),
            (None, Some(instance)) => self.join_as_static(&instance, joining, reply, now),
            (None, None) if joining.entrance == Entrance::IdFirst => {
                let member = new_id(&joining.client_id);
                self.give_id(&member, joining.session_timeout, now);
                let error = JoinError::MemberIdRequired;
                self.answers.send(reply, Err(JoinRefused { error, member: Some(member) }));
            }
            (None, None) => self.add(new_id(&joining.client_id), joining, reply, now),
        }
    }

    fn check(&mut self, joining: &Joining) -> Result<(), JoinError> {
        let Joining { member, instance, protocol_type, protocols, .. } = joining;
        let bytes = protocol_type.len() + bytes_of(protocols);
        if bytes > PROTOCOLS_BYTES_MAX {
            return Err(JoinError::TooLong);
        }
        if self.members.bytes() + bytes > GROUP_BYTES_MAX {
            return Err(JoinError::Full);
        }
        if !self.has_room(member.as_ref()) {
            // Who is in a group that has too many is out now.
            if let Some(member) = member {
                self.take_pending(member);
                self.remove(member);
            }
            return Err(JoinError::Full);
        }
        if !self.supports(protocol_type, protocols) {
            return Err(JoinError::InconsistentProtocol);
        }
        match member {
            // No static member was ever given an id to come back with.
            Some(member) if self.pending.contains(member) && instance.is_none() => Ok(()),
            Some(member) => self.check_member(member, instance.as_ref()).map_err(JoinError::from),
            None => Ok(()),
        }
    }

    /// Comes before all other checks, as in Kafka. An id that was only given is no member yet.
    fn has_room(&self, member: Option<&MemberId>) -> bool {
        let known = member.and_then(|member| self.members.get(member));
        let max = self.settings.members_max;
        match self.state() {
            State::Empty => true,
            State::PreparingRebalance => {
                known.is_some_and(|known| known.join.is_some()) || self.members.joined_count() < max
            }
            State::CompletingRebalance | State::Stable => known.is_some() || self.members.len() < max,
        }
    }

    /// Forgets that an id was given; whether it was.
    pub(super) fn take_pending(&mut self, member: &MemberId) -> bool {
        let place = self.pending.iter().position(|pending| pending == member);
        let was_pending = place.and_then(|place| self.pending.remove(place)).is_some();
        if self.pending.is_empty() {
            // Its room goes too: most groups are small, and idle.
            self.pending = VecDeque::new();
        }
        was_pending
    }

    fn give_id(&mut self, member: &MemberId, session_timeout: Duration, now: Now) {
        if self.pending.len() >= PENDING_MAX
            && let Some(oldest) = self.pending.pop_front()
        {
            self.deadlines.cancel(&Timer::Session(oldest));
        }
        self.pending.push_back(member.clone());
        self.deadlines.set(Timer::Session(member.clone()), now.instant + session_timeout);
    }

    /// A new member, which waits for the others.
    pub(super) fn add(
        &mut self,
        id: MemberId,
        joining: Joining,
        reply: Reply<Joined, JoinRefused>,
        now: Now,
    ) {
        if let Some(initial) = &mut self.initial {
            initial.has_grown = true;
        }
        if self.members.is_empty() {
            self.protocol_type = Some(joining.protocol_type);
        }
        self.leader.get_or_insert_with(|| id.clone());
        self.deadlines.set(Timer::Session(id.clone()), now.instant + NEW_MEMBER_TIMEOUT);
        let member = Member {
            instance: joining.instance,
            client_id: joining.client_id,
            client_host: joining.client_host,
            session_timeout: joining.session_timeout,
            rebalance_timeout: joining.rebalance_timeout,
            protocols: joining.protocols,
            assignment: Bytes::new(),
            join: Some(reply),
            sync: None,
            is_new: true,
        };
        self.members.insert(id, member);
        self.rebalance_or_complete(now, "a member has come");
    }

    fn join_again(&mut self, id: &MemberId, joining: Joining, reply: Reply<Joined, JoinRefused>, now: Now) {
        let is_same = self.members.get(id).is_some_and(|member| member.protocols == joining.protocols);
        let is_leader = self.leader.as_ref() == Some(id);
        match self.state() {
            State::Stable if !is_leader && is_same => self.answers.send(reply, Ok(self.joined(id))),
            State::CompletingRebalance if is_same => self.answers.send(reply, Ok(self.joined(id))),
            State::Empty | State::PreparingRebalance | State::Stable | State::CompletingRebalance => {
                self.update(id, joining, reply);
                self.rebalance_or_complete(now, "a member joins again");
            }
        }
    }

    /// A member that waits for the others, with what it says of itself now.
    pub(super) fn update(&mut self, id: &MemberId, joining: Joining, reply: Reply<Joined, JoinRefused>) {
        self.members.set_protocols(id, joining.protocols);
        if let Some(member) = self.members.get_mut(id) {
            member.rebalance_timeout = joining.rebalance_timeout;
            member.session_timeout = joining.session_timeout;
            if let Some(old) = member.join.replace(reply) {
                // It came by a connection that is gone; it is not to be tried again.
                self.answers.send(old, Err(JoinRefused::from(Unavailable)));
            }
        }
    }
}

/// An id that no member ever had. The name in front is for people.
pub(super) fn new_id(name: &str) -> MemberId {
    let end = name.floor_char_boundary(ID_NAME_BYTES_MAX);
    let name = name.get(..end).unwrap_or_default();
    MemberId::from(format!("{name}-{}", chance::uuid()).as_str())
}

#[cfg(test)]
mod tests;
