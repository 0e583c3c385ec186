//! Partitions whose topic was deleted: they are told, and read on when there is another topic of its name.

use super::builder::Reset;
use super::{Consumer, Partition};
use crate::error::Error;
use callboard_protocol::native::TopicPartition;
use callboard_protocol::native::topics::Topic;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often it is looked for another topic.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The partitions that wait for a topic.
#[derive(Debug, Default)]
pub(super) struct Deleted {
    waiting: Vec<Waiting>,
    /// When it is looked for their topics; none when none waits.
    pub(super) looks_at: Option<Instant>,
}

#[derive(Debug)]
struct Waiting {
    partition: Partition,
    is_paused: bool,
}

impl Consumer {
    /// The topic of a partition is not there any more. What a group's member reads, its group says.
    pub(super) fn topic_was_deleted(&mut self, partition: TopicPartition) {
        let Some(position) = self.positions.get(partition) else { return };
        let (topic, is_paused) = (Arc::clone(&position.topic), position.is_paused);
        self.give_up(partition);
        self.client.topics().forget(&topic);
        let index = partition.partition;
        self.failures.push_back(Error::TopicDeleted { topic: topic.to_string(), partition: index });
        if self.member.is_none() && self.settings.reset != Reset::Fail {
            self.deleted
                .waiting
                .push(Waiting { partition: Partition { topic, partition: index }, is_paused });
            self.deleted.looks_at = Some(Instant::now());
        }
    }

    /// Looks for topics of the names of those that were deleted, when it is time to.
    pub(super) fn look_for_topics(&mut self) {
        if self.asking.is_some() || self.deleted.looks_at.is_none_or(|at| at > Instant::now()) {
            return;
        }
        self.deleted.looks_at = Some(Instant::now() + LOOK_EVERY);
        self.look_for(self.deleted.waiting.iter().map(|it| it.partition.clone()).collect());
    }

    /// Topics of those names are there.
    pub(super) fn found(&mut self, found: Vec<(Partition, Topic)>) {
        for (partition, topic) in found.into_iter().filter(|(it, topic)| it.partition < topic.partitions) {
            let place = self.deleted.waiting.iter().position(|it| it.partition == partition);
            let Some(place) = place else { continue };
            let Waiting { partition: Partition { topic: name, partition }, is_paused } =
                self.deleted.waiting.remove(place);
            let partition = TopicPartition { topic: topic.id, partition };
            self.positions.add(partition, name);
            self.positions.pause(partition, is_paused);
        }
        if self.deleted.waiting.is_empty() {
            self.deleted.looks_at = None;
        }
    }
}
