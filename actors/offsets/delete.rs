//! Delete: a group forgets how far it has read.

use super::{Offsets, TopicPartition};
use crate::durable::Reply;
use crate::mail::Unavailable;
use actix::Message;
use callboard_storage::journal::Mutation;
use std::sync::Arc;

/// Offsets to forget.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct DeleteOffsets {
    /// The partitions by the names of their topics.
    pub topics: Arc<Vec<DeletedTopic>>,
    /// An outcome for each topic, in their order, once it is durable.
    pub reply: Reply<Vec<Result<(), Subscribed>>, DeleteOffsetsError>,
}

/// Partitions of a topic whose offsets are to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedTopic {
    /// The topic's name.
    pub name: String,
    /// Its partitions; one without an offset does not matter.
    pub partitions: Vec<TopicPartition>,
}

/// The group is subscribed to the topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscribed;

/// Why no offset is forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeleteOffsetsError {
    /// The group has members, and nobody can tell what they subscribe to.
    #[error("the group is not empty")]
    NotEmpty,
    /// Storage has failed, or the group's actor.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Offsets {
    /// Forgets offsets, but not of topics that the group subscribes to: an outcome for each topic,
    /// and the rows to write.
    pub fn delete(
        &mut self,
        topics: &[DeletedTopic],
        is_subscribed: impl Fn(&str) -> bool,
    ) -> (Vec<Result<(), Subscribed>>, Vec<Mutation>) {
        let mut rows = Vec::new();
        let outcomes = topics.iter().map(|topic| {
            if is_subscribed(&topic.name) {
                return Err(Subscribed);
            }
            rows.extend(topic.partitions.iter().filter_map(|partition| self.forget(*partition)));
            Ok(())
        });
        (outcomes.collect(), rows)
    }
}
