//! Partitions whose topic was deleted: they are told, and read on when there is another topic of its name.

use super::builder::Reset;
use super::{Consumer, Partition};
use crate::error::Error;
use callboard_protocol::native::TopicPartition;
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

    /// Looks for topics of the names of those that were deleted. Cancel safe.
    pub(super) async fn look_for_topics(&mut self) {
        if self.deleted.looks_at.is_none_or(|at| at > Instant::now()) {
            return;
        }
        // Also when nobody waits for the answers to the end: what has come is read between two looks.
        self.deleted.looks_at = Some(Instant::now() + LOOK_EVERY);
        let mut found = Vec::new();
        for Waiting { partition: Partition { topic, partition }, is_paused } in &self.deleted.waiting {
            // Who reads makes no topic.
            match self.client.admin().topic(&**topic).await {
                Ok(known) if *partition < known.partitions => {
                    let partition = TopicPartition { topic: known.id, partition: *partition };
                    found.push((partition, Arc::clone(topic), *is_paused));
                }
                Ok(_) => {}
                Err(error) => tracing::debug!(%error, %topic, "a deleted topic is not there again"),
            }
        }
        for (partition, topic, is_paused) in found {
            self.deleted
                .waiting
                .retain(|it| it.partition.topic != topic || it.partition.partition != partition.partition);
            self.positions.add(partition, topic);
            self.positions.pause(partition, is_paused);
        }
        if self.deleted.waiting.is_empty() {
            self.deleted.looks_at = None;
        }
    }
}
