//! What the members subscribe to, and whether that asks for another assignment.

use super::assignors::{Assignor, Partitions, Subscriber};
use super::member::Member;
use super::patterns::Scope;
use super::state::ConsumerGroupState;
use crate::broker::topics::Topics;
use crate::fnv;
use crate::group::state::Now;
use callboard_storage::TopicId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

impl ConsumerGroupState {
    /// Looks at the topics again when they or the subscriptions have changed. Another set of
    /// subscribed topics, or another number of partitions, is another epoch.
    pub(super) fn refresh(&mut self, topics: &Arc<Topics>, is_resubscribed: bool) {
        let is_same = self.seen.as_ref().is_some_and(|seen| Arc::ptr_eq(seen, topics));
        if is_same && !is_resubscribed {
            return;
        }
        self.keep_patterns();
        self.patterns.resolve(topics, if is_same { Scope::New } else { Scope::All });
        self.seen = Some(Arc::clone(topics));
        let hash = self.hash(topics);
        if is_resubscribed || hash != self.topics_hash {
            self.bump(hash);
        }
    }

    /// Forgets the patterns that no member has.
    pub(super) fn keep_patterns(&mut self) {
        self.patterns.keep(self.members.values().filter_map(|member| member.pattern.as_deref()));
    }

    /// Asks for another assignment.
    pub(super) fn bump(&mut self, topics_hash: u64) {
        self.epoch = self.epoch.saturating_add(1);
        self.topics_hash = topics_hash;
        self.changes.group = true;
    }

    /// The subscribed topics that are there with their partitions, in short. The same in each run,
    /// because it is stored: FNV-1a over ids and counts.
    pub(super) fn hash(&self, topics: &Topics) -> u64 {
        let subscribed = self.subscribed(topics);
        let bytes_of =
            |(topic, count): (&TopicId, &i32)| topic.0.into_bytes().into_iter().chain(count.to_be_bytes());
        if subscribed.is_empty() { 0 } else { fnv::hash(subscribed.iter().flat_map(bytes_of)) }
    }

    fn subscribed(&self, topics: &Topics) -> Partitions {
        let names = self.members.values().flat_map(|member| &member.topics).map(String::as_str);
        let names = names.chain(self.patterns.all_matched());
        let found = names.collect::<BTreeSet<_>>().into_iter().filter_map(|name| topics.get(name));
        found.map(|topic| (topic.id, topic.partitions.len() as i32)).collect()
    }

    fn names<'a>(&'a self, member: &'a Member) -> impl Iterator<Item = &'a str> {
        let by_pattern = member.pattern.as_deref().into_iter().flat_map(|it| self.patterns.matched(it));
        member.topics.iter().map(String::as_str).chain(by_pattern)
    }

    /// Makes the assignment of the epoch, unless the last one was made a moment ago.
    pub(super) fn assign(&mut self, topics: &Topics, now: Now) {
        if self.assignment_epoch >= self.epoch || !self.may_assign(now) {
            return;
        }
        let subscribers = self.subscribers(topics);
        let targets = self.assignor().assign(&subscribers, &self.subscribed(topics));
        for (subscriber, target) in subscribers.into_iter().zip(targets) {
            let Some(member) = self.members.get_mut(&subscriber.id) else { continue };
            if member.target != target {
                member.target = target;
                self.changes.members.insert(subscriber.id);
            }
        }
        self.assignment_epoch = self.epoch;
        self.assigned_at_ms = now.wall_ms;
        self.changes.group = true;
    }

    fn may_assign(&self, now: Now) -> bool {
        let since = now.wall_ms.saturating_sub(self.assigned_at_ms);
        // A clock that was set back says nothing.
        let since = u64::try_from(since).map_or(Duration::MAX, Duration::from_millis);
        since >= self.settings.assignment_interval
    }

    /// The one that most of those ask for who ask for one.
    pub(super) fn assignor(&self) -> Assignor {
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for name in self.members.values().filter_map(|member| member.assignor.as_deref()) {
            *votes.entry(name).or_default() += 1;
        }
        let known = Assignor::ALL.into_iter().rev();
        let best = known.max_by_key(|it| votes.get(it.name()).copied().unwrap_or(0));
        best.unwrap_or(Assignor::Uniform)
    }

    fn subscribers(&self, topics: &Topics) -> Vec<Subscriber> {
        let ids = |member: &Member| -> Arc<BTreeSet<TopicId>> {
            Arc::new(self.names(member).filter_map(|name| topics.get(name)).map(|topic| topic.id).collect())
        };
        // Most groups have one subscription for all.
        let mut last: Option<(&Member, Arc<BTreeSet<TopicId>>)> = None;
        let mut subscribers = Vec::with_capacity(self.members.len());
        for (id, member) in &self.members {
            let same =
                last.as_ref().filter(|(it, _)| it.topics == member.topics && it.pattern == member.pattern);
            let topics = same.map_or_else(|| ids(member), |(_, topics)| Arc::clone(topics));
            last = Some((member, Arc::clone(&topics)));
            let (instance, previous) = (member.instance.clone(), member.target.clone());
            subscribers.push(Subscriber { id: id.clone(), instance, topics, previous });
        }
        subscribers
    }
}
