//! Heartbeat: a member enters, lives, says what it wants and has, and is told what it is to have.

use super::ConsumerGroup;
use super::assignors::Assignor;
use super::member::Member;
use super::patterns::PatternError;
use super::state::ConsumerGroupState;
use super::upgrade::UpgradeError;
use crate::broker::topics::Topics;
use crate::chance;
use crate::durable::Reply;
use crate::group::state::Now;
use crate::mail::Unavailable;
use crate::names::{InstanceId, MemberId};
use actix::{Context, Handler, Message};
use callboard_storage::TopicId;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of the group's and the member's names together that a member may say. Whoever hears one from
/// outside checks it, as the next.
pub const NAMES_BYTES_MAX: usize = 60_000;
/// Bytes of all topics' names that a member may subscribe to.
pub const TOPICS_BYTES_MAX: usize = 1 << 20;

/// Partitions by their topics.
pub type TopicPartitions = BTreeMap<TopicId, Vec<i32>>;

/// A member is alive.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct ConsumerHeartbeat {
    /// What it says.
    pub beat: Arc<Beat>,
    /// Where to answer.
    pub reply: Reply<Beaten, BeatError>,
}

/// What a member says. What is `None` is as before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Beat {
    /// Its id; `None` for a new one that is to be given one.
    pub member: Option<MemberId>,
    /// Its epoch: 0 to enter.
    pub epoch: i32,
    /// The name of a static member.
    pub instance: Option<InstanceId>,
    /// What its client calls itself.
    pub client_id: String,
    /// Where it is.
    pub client_host: String,
    /// The place that it stands in.
    pub rack: Option<String>,
    /// How long it may take to give partitions up, in milliseconds.
    pub rebalance_timeout_ms: Option<i32>,
    /// The topics that it subscribes to by name.
    pub topics: Option<Vec<String>>,
    /// The pattern of those that it subscribes to beside them; an empty one is none.
    pub pattern: Option<String>,
    /// The assignor that it wants.
    pub assignor: Option<String>,
    /// What it has.
    pub owned: Option<TopicPartitions>,
}

/// What a member is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beaten {
    /// Its id.
    pub member: MemberId,
    /// The epoch that it has come to.
    pub epoch: i32,
    /// When it is to speak again.
    pub interval: Duration,
    /// What it is to have; `None` when that is as before.
    pub assignment: Option<TopicPartitions>,
}

/// Why a member is not heard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BeatError {
    /// The group is of the other protocol, and has members.
    #[error("Group {0} is not a consumer group.")]
    OtherKind(String),
    /// The group is of the other protocol, and does not become one that the broker assigns to.
    #[error("Cannot upgrade classic group {0} to consumer group because {1}")]
    NotUpgraded(String, UpgradeError),
    /// The group has as many members as it may.
    #[error("The consumer group has reached its maximum capacity of {0} members.")]
    Full(usize),
    /// The group has no such member.
    #[error("Member {0} is not a member of the group.")]
    UnknownMember(String),
    /// Another member has the static member's name.
    #[error("Static member {0} with instance id {1} was fenced by member {2}.")]
    FencedInstance(String, String, String),
    /// The member that has the static name has not left.
    #[error(
        "Static member {0} with instance id {1} cannot join the group because the instance id is owned by member {2}."
    )]
    UnreleasedInstance(String, String, String),
    /// The member speaks of another epoch.
    #[error("The consumer group member has epoch {found}; the group coordinator knows {known}.")]
    FencedEpoch {
        /// What it says.
        found: i32,
        /// What the group says.
        known: i32,
    },
    /// There is no such assignor.
    #[error("The assignor {0} is not supported. Only uniform, range are.")]
    UnsupportedAssignor(String),
    /// The pattern is none.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// Storage has failed, or the group's actor.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Whether the broker has an assignor of that name.
///
/// # Errors
/// [`BeatError::UnsupportedAssignor`].
pub fn check_assignor(name: Option<&str>) -> Result<(), BeatError> {
    match name {
        Some(name) if Assignor::find(name).is_none() => Err(BeatError::UnsupportedAssignor(name.to_owned())),
        Some(_) | None => Ok(()),
    }
}

impl Handler<ConsumerHeartbeat> for ConsumerGroup {
    type Result = ();

    fn handle(&mut self, message: ConsumerHeartbeat, ctx: &mut Context<Self>) {
        let topics = self.topics.load_full();
        self.refresh_settings();
        let answer = self.state.heartbeat(&message.beat, &topics, Now::read());
        self.state.answers.send(message.reply, answer);
        self.settle(ctx);
    }
}

impl ConsumerGroupState {
    /// Hears a member. One that is refused changes nothing, and its session goes on as it was.
    ///
    /// # Errors
    /// [`BeatError`].
    pub fn heartbeat(&mut self, beat: &Beat, topics: &Arc<Topics>, now: Now) -> Result<Beaten, BeatError> {
        if let Some(id) = self.is_quiet(beat, topics) {
            self.start_session(&id, now);
            let interval = self.settings.consumer_heartbeat_interval;
            return Ok(Beaten { member: id, epoch: beat.epoch, interval, assignment: None });
        }
        let id =
            beat.member.clone().unwrap_or_else(|| MemberId::from(chance::base64(chance::uuid()).as_str()));
        self.check_room(&id)?;
        let (before, replaced) = self.admit(&id, beat)?;
        let pattern = beat.pattern.as_deref().filter(|pattern| !pattern.is_empty());
        pattern.map_or(Ok(()), |pattern| self.patterns.take(pattern))?;
        if let Some(old) = replaced {
            // Who takes the place of another gives up its own, if it had one.
            self.remove_others(&old, &id, topics);
        }
        let member = merge(before.clone(), beat);
        let is_resubscribed = member.topics != before.topics || member.pattern != before.pattern;
        self.put(&id, member);
        self.refresh(topics, is_resubscribed);
        self.assign(topics, now);
        self.reconcile(&id, beat.owned.as_ref(), is_resubscribed, topics, now);
        self.start_session(&id, now);
        Ok(self.beaten(id, beat, &before))
    }

    /// Whether a member only says that it is alive, and nothing is new for it; most of the time that
    /// is so. Answers its id.
    fn is_quiet(&self, beat: &Beat, topics: &Arc<Topics>) -> Option<MemberId> {
        let Beat { member, epoch, instance, client_id, client_host, .. } = beat;
        let Beat { rack, rebalance_timeout_ms, topics: names, pattern, assignor, owned, .. } = beat;
        let says_more = rack.is_some()
            || rebalance_timeout_ms.is_some()
            || names.is_some()
            || pattern.is_some()
            || assignor.is_some()
            || owned.is_some();
        let (id, known) = self.members.get_key_value(member.as_ref()?)?;
        let is_same = (&known.client_id, &known.client_host) == (client_id, client_host)
            && (instance.is_none() || *instance == known.instance)
            && known.classic.is_none()
            && known.epoch == *epoch
            && *epoch > 0;
        let is_settled = self.epoch == self.assignment_epoch
            && known.is_at(self.assignment_epoch)
            && self.seen.as_ref().is_some_and(|seen| Arc::ptr_eq(seen, topics));
        (!says_more && is_same && is_settled).then(|| id.clone())
    }

    fn remove_others(&mut self, old: &MemberId, id: &MemberId, topics: &Topics) {
        self.take(old);
        if self.take(id).is_some() {
            self.keep_patterns();
            self.bump(self.hash(topics));
        }
    }

    /// What is told. The assignment is told once, and again to a member that says all of itself,
    /// because it may have lost an answer.
    fn beaten(&self, id: MemberId, beat: &Beat, before: &Member) -> Beaten {
        let Some(member) = self.members.get(&id) else { unreachable!("the member was just put in") };
        let says_all = beat.rebalance_timeout_ms.is_some()
            && (beat.topics.is_some() || beat.pattern.is_some())
            && beat.owned.is_some();
        let is_told = beat.epoch == 0 || says_all || member.assigned != before.assigned;
        let all = || {
            let of_topic = |(topic, partitions): (&TopicId, &BTreeMap<i32, i32>)| {
                (*topic, partitions.keys().copied().collect())
            };
            member.assigned.iter().map(of_topic).collect()
        };
        Beaten {
            member: id,
            epoch: member.epoch,
            interval: self.settings.consumer_heartbeat_interval,
            assignment: is_told.then(all),
        }
    }
}

fn merge(mut member: Member, beat: &Beat) -> Member {
    member.client_id.clone_from(&beat.client_id);
    member.client_host.clone_from(&beat.client_host);
    if let Some(topics) = &beat.topics {
        member.topics = topics.iter().cloned().collect();
    }
    if let Some(pattern) = &beat.pattern {
        member.pattern = Some(pattern.clone()).filter(|pattern| !pattern.is_empty());
    }
    if let Some(timeout_ms) = beat.rebalance_timeout_ms {
        member.rebalance_timeout_ms = timeout_ms;
    }
    member.classic = None;
    member.instance = beat.instance.clone().or(member.instance);
    member.rack = beat.rack.clone().or(member.rack);
    member.assignor = beat.assignor.clone().or(member.assignor);
    member
}

#[cfg(test)]
mod tests;
