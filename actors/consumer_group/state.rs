//! The state of a group that the broker assigns to (KIP-848).
//!
//! Three epochs: the group's grows when something changes that asks for another assignment; the
//! assignment's follows when that has been made; a member's follows when it has given up what it is
//! not to have any more. It is plain data with rules, each in the file of its message; time and
//! topics come in with the message. Answers gather in `answers`, and `changes` says what is to be
//! written.

use super::downgrade::Downgrade;
use super::member::{Member, Progress};
use super::patterns::Patterns;
use crate::broker::topics::Topics;
use crate::config::GroupSettings;
use crate::deadlines::Deadlines;
use crate::durable::Answers;
use crate::group::state::Now;
use crate::names::{InstanceId, MemberId};
use crate::offsets::TopicPartition;
use callboard_storage::TopicId;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Partitions of topics, each with the epoch in which its member got it.
pub(super) type Owned = BTreeMap<TopicId, BTreeMap<i32, i32>>;

/// The state of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsumerState {
    /// It has no members.
    Empty,
    /// Another assignment is to be made.
    Assigning,
    /// Not all members have come to the assignment.
    Reconciling,
    /// All have.
    Stable,
}

impl ConsumerState {
    /// Kafka's name of the state.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::Assigning => "Assigning",
            Self::Reconciling => "Reconciling",
            Self::Stable => "Stable",
        }
    }
}

/// What a deadline of a group is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Timer {
    /// A member's next sign of life.
    Session(MemberId),
    /// A member's giving partitions up.
    Revocation(MemberId),
    /// The joining of a member of the classic protocol that was told to.
    Join(MemberId),
    /// Its asking for its assignment when it has joined.
    Sync(MemberId),
}

/// What is to be written.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// The group's own row.
    pub(super) group: bool,
    /// Members whose rows changed, or went.
    pub(super) members: BTreeSet<MemberId>,
}

/// A group that the broker assigns to.
#[derive(Debug)]
pub struct ConsumerGroupState {
    pub(super) settings: Arc<GroupSettings>,
    pub(super) epoch: i32,
    /// What the subscribed topics are, in short: another number asks for another assignment.
    pub(super) topics_hash: u64,
    pub(super) assignment_epoch: i32,
    /// When the assignment was made, in milliseconds since 1970; 0 for never.
    pub(super) assigned_at_ms: i64,
    pub(crate) members: BTreeMap<MemberId, Member>,
    pub(super) by_instance: HashMap<InstanceId, MemberId>,
    /// Who has a partition, or is still to give it up.
    pub(super) owners: HashMap<TopicPartition, MemberId>,
    pub(super) patterns: Patterns,
    /// The topics that were looked at last.
    pub(super) seen: Option<Arc<Topics>>,
    /// In which epoch a member was told to give partitions up.
    pub(super) revoking_since: HashMap<MemberId, i32>,
    pub(super) deadlines: Deadlines<Timer>,
    pub(super) answers: Answers,
    pub(super) changes: Changes,
    /// There once the group is to become a classic one.
    pub(super) downgrade: Option<Downgrade>,
}

impl ConsumerGroupState {
    /// A group that has nothing yet. The epochs begin at 1, as in Kafka.
    pub fn new(settings: Arc<GroupSettings>) -> Self {
        Self {
            settings,
            epoch: 1,
            topics_hash: 0,
            assignment_epoch: 1,
            assigned_at_ms: 0,
            members: BTreeMap::new(),
            by_instance: HashMap::new(),
            owners: HashMap::new(),
            patterns: Patterns::default(),
            seen: None,
            revoking_since: HashMap::new(),
            deadlines: Deadlines::default(),
            answers: Answers::default(),
            changes: Changes::default(),
            downgrade: None,
        }
    }

    /// The state.
    pub fn state(&self) -> ConsumerState {
        if self.members.is_empty() {
            ConsumerState::Empty
        } else if self.epoch > self.assignment_epoch {
            ConsumerState::Assigning
        } else if self.members.values().all(|member| member.is_at(self.assignment_epoch)) {
            ConsumerState::Stable
        } else {
            ConsumerState::Reconciling
        }
    }

    /// Puts a member in the place of what was known of it. The one place where members change, so
    /// that owners and static names never differ from them.
    pub(super) fn put(&mut self, id: &MemberId, member: Member) {
        if self.members.get(id) == Some(&member) {
            return;
        }
        self.disown(id);
        self.unname(id);
        self.owners.extend(member.in_hand().map(|partition| (partition, id.clone())));
        if let Some(instance) = &member.instance {
            self.by_instance.insert(instance.clone(), id.clone());
        }
        if member.progress != Progress::Revoking {
            self.revoking_since.remove(id);
        }
        if member.classic.is_none() {
            self.cancel_classic_timers(id);
        } else {
            // It is to join again by a deadline of its own.
            self.deadlines.cancel(&Timer::Revocation(id.clone()));
            self.revoking_since.remove(id);
        }
        self.members.insert(id.clone(), member);
        self.changes.members.insert(id.clone());
    }

    /// Gives a member its whole session timeout from now on.
    pub(super) fn start_session(&mut self, id: &MemberId, now: Now) {
        let classic = self.members.get(id).and_then(|member| member.classic.as_ref());
        let timeout = classic.map_or(self.settings.consumer_session_timeout, |it| it.session_timeout);
        let end = now.instant + timeout;
        self.deadlines.set(Timer::Session(id.clone()), end);
    }

    /// Takes a member out, with its deadlines.
    pub(super) fn take(&mut self, id: &MemberId) -> Option<Member> {
        self.disown(id);
        self.deadlines.cancel(&Timer::Session(id.clone()));
        self.deadlines.cancel(&Timer::Revocation(id.clone()));
        self.cancel_classic_timers(id);
        self.revoking_since.remove(id);
        self.unname(id);
        let member = self.members.remove(id)?;
        self.changes.members.insert(id.clone());
        Some(member)
    }

    fn cancel_classic_timers(&mut self, id: &MemberId) {
        self.deadlines.cancel(&Timer::Join(id.clone()));
        self.deadlines.cancel(&Timer::Sync(id.clone()));
    }

    fn unname(&mut self, id: &MemberId) {
        let instance = self.members.get(id).and_then(|member| member.instance.as_ref());
        if let Some(instance) = instance
            && self.by_instance.get(instance) == Some(id)
        {
            self.by_instance.remove(instance);
        }
    }

    fn disown(&mut self, id: &MemberId) {
        let Some(member) = self.members.get(id) else { return };
        for partition in member.in_hand() {
            self.owners.remove(&partition);
        }
    }

    /// Whether some member reads a topic.
    pub(super) fn is_subscribed(&self, topic: &str) -> bool {
        self.members.values().any(|member| self.reads(member, topic))
    }

    /// Whether a member subscribes to a topic.
    pub(super) fn reads(&self, member: &Member, topic: &str) -> bool {
        member.topics.contains(topic)
            || member.pattern.as_deref().is_some_and(|pattern| self.patterns.matches(pattern, topic))
    }

    /// No partition has two owners, and the index of owners is what the members say.
    #[cfg(test)]
    pub(super) fn check_owners(&self) {
        let mut seen = std::collections::BTreeSet::new();
        for (member, it) in &self.members {
            for partition in it.in_hand() {
                assert!(seen.insert(partition), "{partition:?} has two owners");
                assert_eq!(self.owners.get(&partition), Some(member));
            }
        }
        assert_eq!(seen.len(), self.owners.len());
    }
}
