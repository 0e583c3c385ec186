//! Reconciliation: a member comes from what it has to what it is to have.
//!
//! It gives up first: partitions that it is not to have any more are taken out of its assignment, and
//! it stays in its epoch until it no longer says that it owns them. Then it is given what nobody else
//! still has. So a partition never has two owners.

use super::heartbeat::TopicPartitions;
use super::member::{Member, Progress};
use super::state::{ConsumerGroupState, Owned, Timer};
use crate::broker::topics::Topics;
use crate::group::state::Now;
use crate::names::MemberId;
use callboard_storage::TopicId;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

impl ConsumerGroupState {
    /// Brings a member as far as it can come now. `owned` is what it says that it has; `None` when it
    /// says nothing, and may have all that it was ever given.
    pub(super) fn reconcile(
        &mut self,
        id: &MemberId,
        owned: Option<&TopicPartitions>,
        is_resubscribed: bool,
        topics: &Topics,
        now: Now,
    ) {
        let Some(before) = self.members.get(id) else { return };
        if !is_resubscribed && before.is_at(self.assignment_epoch) {
            return;
        }
        let mut member = before.clone();
        match member.progress {
            Progress::Stable if member.epoch == self.assignment_epoch => {
                self.trim(&mut member, owned, topics);
            }
            Progress::Revoking if still_owns(&member.revoking, owned) => {
                if is_resubscribed {
                    self.trim(&mut member, owned, topics);
                }
            }
            Progress::Stable | Progress::Revoking | Progress::Waiting => {
                self.advance(id, &mut member, owned, topics);
            }
        }
        if self.members.get(id) == Some(&member) {
            return;
        }
        let (progress, epoch, timeout_ms) = (member.progress, member.epoch, member.rebalance_timeout_ms);
        let is_classic = member.classic.is_some();
        self.put(id, member);
        let timer = Timer::Revocation(id.clone());
        // A classic member is to join again by a deadline of its own.
        if progress == Progress::Revoking && !is_classic {
            let timeout = Duration::from_millis(u64::try_from(timeout_ms).unwrap_or(0));
            self.deadlines.set(timer, now.instant + timeout);
            self.revoking_since.insert(id.clone(), epoch);
        } else {
            self.deadlines.cancel(&timer);
        }
    }

    /// Towards the newest target.
    fn advance(&self, id: &MemberId, member: &mut Member, owned: Option<&TopicPartitions>, topics: &Topics) {
        let Step { keep, drop, mut gain } = self.step(member, topics);
        let mut is_blocked = false;
        if !drop.is_empty() && still_owns(&drop, owned) {
            member.progress = Progress::Revoking;
            member.advance(member.epoch);
            (member.assigned, member.revoking) = (keep, drop);
            return;
        }
        for (topic, partitions) in &mut gain {
            let all = partitions.len();
            partitions
                .retain(|partition| self.owners.get(&(*topic, *partition)).is_none_or(|owner| owner == id));
            is_blocked |= partitions.len() < all;
        }
        member.progress = if is_blocked { Progress::Waiting } else { Progress::Stable };
        member.advance(self.assignment_epoch);
        member.assigned = keep;
        member.revoking = Owned::new();
        for (topic, partitions) in gain.into_iter().filter(|(_, partitions)| !partitions.is_empty()) {
            let gained = partitions.into_iter().map(|partition| (partition, self.assignment_epoch));
            member.assigned.entry(topic).or_default().extend(gained);
        }
    }

    fn step(&self, member: &Member, topics: &Topics) -> Step {
        let mut step = Step::default();
        let both: BTreeSet<TopicId> = member.target.keys().chain(member.assigned.keys()).copied().collect();
        for topic in both {
            let is_read = self.reads_id(member, topic, topics);
            let want = member.target.get(&topic).filter(|_| is_read).cloned().unwrap_or_default();
            let has = member.assigned.get(&topic).cloned().unwrap_or_default();
            let gain = want.iter().filter(|partition| !has.contains_key(partition)).copied().collect();
            let (keep, drop): (BTreeMap<_, _>, BTreeMap<_, _>) =
                has.into_iter().partition(|(partition, _)| want.contains(partition));
            step.gain.insert(topic, gain);
            if !keep.is_empty() {
                step.keep.insert(topic, keep);
            }
            if !drop.is_empty() {
                step.drop.insert(topic, drop);
            }
        }
        step
    }

    /// A member that reads other topics than before gives up what it does not read, also before
    /// there is another target.
    fn trim(&self, member: &mut Member, owned: Option<&TopicPartitions>, topics: &Topics) {
        let unread: Vec<TopicId> =
            member.assigned.keys().filter(|topic| !self.reads_id(member, **topic, topics)).copied().collect();
        if unread.is_empty() {
            return;
        }
        let mut revoking = member.revoking.clone();
        for topic in unread {
            if let Some(partitions) = member.assigned.remove(&topic) {
                revoking.entry(topic).or_default().extend(partitions);
            }
        }
        member.advance(member.epoch);
        if still_owns(&revoking, owned) {
            member.progress = Progress::Revoking;
            member.revoking = revoking;
        }
    }

    fn reads_id(&self, member: &Member, topic: TopicId, topics: &Topics) -> bool {
        topics.get_by_id(topic).is_some_and(|topic| self.reads(member, &topic.name))
    }
}

/// What lies between what a member has and what it is to have.
#[derive(Default)]
struct Step {
    keep: Owned,
    drop: Owned,
    gain: BTreeMap<TopicId, Vec<i32>>,
}

/// Whether a member may still have one of some partitions.
fn still_owns(partitions: &Owned, owned: Option<&TopicPartitions>) -> bool {
    let Some(owned) = owned else { return true };
    owned.iter().any(|(topic, numbers)| {
        partitions
            .get(topic)
            .is_some_and(|of_topic| numbers.iter().any(|number| of_topic.contains_key(number)))
    })
}
