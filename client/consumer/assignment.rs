//! How a consumer comes to have partitions, and gives them up.

use super::{Consumer, Partition};
use callboard_protocol::native::TopicPartition;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Partitions that are being given up.
#[derive(Debug, Default)]
pub(super) struct Revoking {
    /// Of these the program was told.
    told: BTreeSet<TopicPartition>,
    /// What was read of them is committed, or could not be.
    is_committed: bool,
}

impl Consumer {
    /// Comes to have what the group wants, as far as that is possible now: what is given up is committed
    /// first, and then the group is told.
    pub(super) fn take_over(&mut self) {
        let Some(wanted) = self.wanted.clone() else { return };
        let own = self.positions.keys();
        let given_up: BTreeSet<_> = own.difference(&wanted).copied().collect();
        if !given_up.is_empty() {
            if !self.revoke(&given_up) {
                return;
            }
            // What was asked for was asked when they were not another's yet.
            self.asking = None;
            given_up.into_iter().for_each(|partition| self.give_up(partition));
        }
        let (mut new, mut unnamed) = (Vec::new(), BTreeSet::new());
        for partition in wanted.difference(&own).filter(|new| !self.nameless.contains(&new.topic)) {
            match self.client.topics().name(partition.topic) {
                Some(topic) => new.push((*partition, topic)),
                None => drop(unnamed.insert(partition.topic)),
            }
        }
        if !unnamed.is_empty() {
            if self.asking.is_none() && !self.is_resting() {
                if !self.revoking.told.is_empty() {
                    // Others need not wait for what it has not come to yet.
                    self.tell_owned(own.intersection(&wanted).copied().collect());
                }
                self.ask_names(unnamed);
            }
            return;
        }
        (self.wanted, self.revoking) = (None, Revoking::default());
        // Those that have no name are gone, and so will be the assignment.
        self.nameless.clear();
        let named: Vec<_> = new
            .iter()
            .map(|(key, topic)| Partition { topic: Arc::clone(topic), partition: key.partition })
            .collect();
        for (partition, topic) in new {
            self.positions.add(partition, topic);
        }
        if let Some(listener) = self.settings.on_assigned.as_mut().filter(|_| !named.is_empty()) {
            listener(&named);
        }
        self.tell_owned(wanted.into_iter().collect());
    }

    fn tell_owned(&self, partitions: Vec<TopicPartition>) {
        if let Some(member) = &self.member {
            member.owns(partitions);
        }
    }

    /// Tells the program that partitions are given up, and commits what was read of them in the background.
    /// Answers whether that is done.
    fn revoke(&mut self, given_up: &BTreeSet<TopicPartition>) -> bool {
        if self.tell_revoked(given_up) {
            self.revoking.is_committed = self.settings.commit_every.is_none();
        }
        if !self.revoking.is_committed && self.background.is_none() {
            // When it fails, that is logged, and they are given up all the same.
            self.revoking.is_committed = true;
            self.begin_commit_of(given_up);
        }
        self.revoking.is_committed && self.background.is_none()
    }

    /// Tells the program of those that it was not told of yet; whether there were any.
    pub(super) fn tell_revoked(&mut self, partitions: &BTreeSet<TopicPartition>) -> bool {
        let untold: Vec<_> = partitions.difference(&self.revoking.told).copied().collect();
        let named = untold.iter().filter_map(|key| {
            let topic = Arc::clone(&self.positions.get(*key)?.topic);
            Some(Partition { topic, partition: key.partition })
        });
        let named: Vec<_> = named.collect();
        if let Some(listener) = self.settings.on_revoked.as_mut().filter(|_| !named.is_empty()) {
            listener(&named);
        }
        let is_new = !untold.is_empty();
        self.revoking.told.extend(untold);
        is_new
    }

    pub(super) fn give_up(&mut self, partition: TopicPartition) {
        self.leave_current(partition);
        self.positions.remove(partition);
    }
}
