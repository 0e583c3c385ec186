//! Join: a member of the classic protocol enters a group that the broker assigns to, or comes to its
//! newest assignment.
//!
//! Nobody is waited for, and nobody leads: the member is told its epoch as its generation, and asks for
//! its assignment next. What it says that it has tells whether it gives partitions up before it joins
//! again, or only when it is told to.

use super::ConsumerGroup;
use super::downgrade::Downgrade;
use super::member::{ClassicPart, Member};
use super::state::{ConsumerGroupState, Timer};
use super::upgrade::by_id;
use crate::broker::topics::Topics;
use crate::chance;
use crate::coordinator::groups::{Kind, Summary};
use crate::group::CONSUMER;
use crate::group::join::{
    Entrance, GROUP_BYTES_MAX, Join, JoinError, JoinRefused, Joined, Joining, PROTOCOLS_BYTES_MAX,
};
use crate::group::members::{Protocol, bytes_of};
use crate::group::state::Now;
use crate::group_store;
use crate::names::MemberId;
use actix::{Context, Handler};
use callboard_protocol::subscription::{self, Subscription};
use callboard_storage::values::Phase;
use std::collections::HashSet;
use std::sync::Arc;

/// Topics that a member may subscribe to, as many as one request may name by default.
pub(super) const TOPICS_MAX: usize = 20_000;

impl Handler<Join> for ConsumerGroup {
    type Result = ();

    fn handle(&mut self, message: Join, ctx: &mut Context<Self>) {
        let Join { joining, reply } = message;
        if !self.state.members.is_empty() {
            let topics = self.topics.load_full();
            self.refresh_settings();
            let joined = self.state.join(joining, &topics, Now::read());
            self.state.answers.send(reply, joined);
            self.settle(ctx);
        } else if let Some(member) = joining.member {
            let refused = JoinRefused { error: JoinError::UnknownMember, member: Some(member) };
            self.state.answers.send(reply, Err(refused));
            self.settle(ctx);
        } else {
            let next = Summary { is_stored: self.store.is_stored, ..Summary::new(Kind::Classic) };
            let answers = std::mem::take(&mut self.state.answers);
            group_store::hand_over(self, next, answers, reply, ctx);
        }
    }
}

impl ConsumerGroupState {
    /// Takes a classic member in, or on to the newest assignment.
    ///
    /// # Errors
    /// [`JoinRefused`]; nothing has changed then.
    pub fn join(
        &mut self,
        mut joining: Joining,
        topics: &Arc<Topics>,
        now: Now,
    ) -> Result<Joined, JoinRefused> {
        let mut names = HashSet::new();
        joining.protocols.retain(|protocol| names.insert(protocol.name.clone()));
        let is_named = joining.member.is_some();
        let id = joining.member.clone().unwrap_or_else(new_id);
        self.check_join(&id, &joining)?;
        if !is_named && joining.entrance == Entrance::IdFirst && joining.instance.is_none() {
            return Err(JoinRefused { error: JoinError::MemberIdRequired, member: Some(id) });
        }
        let subscription = read_subscription(&joining.protocols)?;
        let (before, replaced) = self.admit_classic(&id, is_named, &joining)?;
        let generation = self.epoch;
        let holder = joining.instance.as_ref().and_then(|instance| self.by_instance.get(instance));
        let holder = holder.and_then(|holder| self.members.get(holder));
        let is_last = holder.is_some_and(|holder| holder.classic.is_none());
        if let Some(old) = &replaced {
            self.take(old);
        }
        let protocol = joining.protocols.first().map(|protocol| protocol.name.clone()).unwrap_or_default();
        let rebalance_timeout = joining.rebalance_timeout;
        let owned = by_id(&subscription.owned, topics);
        let member = merge(before.clone(), joining, subscription);
        let is_resubscribed = member.topics != before.topics || member.pattern != before.pattern;
        self.put(&id, member);
        self.refresh(topics, is_resubscribed);
        if is_last && self.is_to_downgrade() {
            let phase = if self.assignment_epoch < self.epoch { Phase::Preparing } else { Phase::Stable };
            self.downgrade = Some(Downgrade { generation, phase });
        } else {
            self.assign(topics, now);
        }
        if self.assignment_epoch == self.epoch || self.downgrade.is_none() {
            self.reconcile(&id, Some(&owned), is_resubscribed, topics, now);
        }
        self.start_session(&id, now);
        self.deadlines.cancel(&Timer::Join(id.clone()));
        self.deadlines.set(Timer::Sync(id.clone()), now.instant + rebalance_timeout);
        let generation = self.members.get(&id).map_or(0, |member| member.epoch);
        Ok(Joined {
            generation,
            protocol_type: Some(CONSUMER.to_owned()),
            protocol,
            leader: String::new(),
            skip_assignment: false,
            member: id,
            members: Vec::new(),
        })
    }

    fn check_join(&self, id: &MemberId, joining: &Joining) -> Result<(), JoinRefused> {
        let bytes = bytes_of(&joining.protocols);
        if bytes > PROTOCOLS_BYTES_MAX {
            return Err(refused(JoinError::TooLong));
        }
        let of_members = self.members.values().filter_map(|member| member.classic.as_ref());
        let all: usize = of_members.map(|classic| bytes_of(&classic.protocols)).sum();
        if self.check_room(id).is_err() || all + bytes > GROUP_BYTES_MAX {
            return Err(refused(JoinError::Full));
        }
        if joining.protocol_type != CONSUMER || !self.knows_one_of(&joining.protocols) {
            return Err(refused(JoinError::InconsistentProtocol));
        }
        Ok(())
    }

    /// Whether all classic members know one of those protocols, so that the group could be a classic
    /// one again.
    fn knows_one_of(&self, protocols: &[Protocol]) -> bool {
        let mut common: HashSet<&str> = protocols.iter().map(|protocol| protocol.name.as_str()).collect();
        for part in self.members.values().filter_map(|member| member.classic.as_ref()) {
            let known: HashSet<&str> = part.protocols.iter().map(|protocol| protocol.name.as_str()).collect();
            common.retain(|name| known.contains(name));
        }
        !common.is_empty()
    }

    /// What is known of who joins, and the id of the static member whose place it takes.
    fn admit_classic(
        &self,
        id: &MemberId,
        is_named: bool,
        joining: &Joining,
    ) -> Result<(Member, Option<MemberId>), JoinRefused> {
        let known = |id: &MemberId| self.members.get(id).cloned().unwrap_or_else(Member::new);
        let Some(instance) = &joining.instance else { return Ok((known(id), None)) };
        match self.by_instance.get(instance) {
            None if is_named => Err(refused(JoinError::UnknownMember)),
            None => Ok((Member::new(), None)),
            Some(holder) if !is_named => {
                let taken = Member { epoch: 0, previous_epoch: 0, ..known(holder) };
                Ok((taken, Some(holder.clone())))
            }
            Some(holder) if holder != id => Err(refused(JoinError::FencedInstance)),
            Some(holder) => Ok((known(holder), None)),
        }
    }
}

/// What a member subscribes to: all protocols of a consumer say the same.
fn read_subscription(protocols: &[Protocol]) -> Result<Subscription, JoinRefused> {
    let first = protocols.first().and_then(|protocol| subscription::read(&protocol.metadata));
    let first = first.filter(|subscription| subscription.topics.len() <= TOPICS_MAX);
    first.ok_or(refused(JoinError::InconsistentProtocol))
}

fn new_id() -> MemberId {
    MemberId::from(chance::base64(chance::uuid()).as_str())
}

fn refused(error: JoinError) -> JoinRefused {
    JoinRefused { error, member: None }
}

fn merge(mut member: Member, joining: Joining, subscription: Subscription) -> Member {
    member.instance = joining.instance.or(member.instance);
    member.rack = subscription.rack.filter(|rack| !rack.is_empty()).or(member.rack);
    member.client_id = joining.client_id;
    member.client_host = joining.client_host;
    member.topics = subscription.topics.into_iter().collect();
    member.pattern = None;
    member.rebalance_timeout_ms = i32::try_from(joining.rebalance_timeout.as_millis()).unwrap_or(i32::MAX);
    let session_timeout = joining.session_timeout;
    member.classic = Some(ClassicPart { session_timeout, protocols: joining.protocols });
    member
}
