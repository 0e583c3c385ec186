//! Fetch: asking how far a group has read.

use super::{Offsets, TopicPartition};
use crate::durable::Reply;
use crate::mail::Unavailable;
use crate::names::MemberId;
use actix::Message;
use callboard_storage::values::OffsetRow;
use std::sync::Arc;

/// Asks for committed offsets.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct FetchOffsets {
    /// Who asks.
    pub from: Fetching,
    /// The partitions; `None` for all that there are.
    pub partitions: Option<Arc<Vec<TopicPartition>>>,
    /// The offsets, those that were asked for in their order.
    pub reply: Reply<Vec<FetchedOffset>, FetchOffsetsError>,
}

/// Who asks for offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetching {
    /// The member; `None` for somebody outside of the group.
    pub member: Option<MemberId>,
    /// Its epoch; below 0 for somebody outside of the group.
    pub epoch: i32,
}

/// A partition with what is committed for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedOffset {
    /// The partition.
    pub partition: TopicPartition,
    /// What was committed last, if anything.
    pub committed: Option<OffsetRow>,
}

/// Why offsets are not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FetchOffsetsError {
    /// The group has no such member.
    #[error("the group has no such member")]
    UnknownMember,
    /// The member of the classic protocol is of another generation.
    #[error("the member has another generation")]
    IllegalGeneration,
    /// The member is of another epoch.
    #[error("the member has another epoch")]
    StaleEpoch,
    /// Storage has failed, or the group's actor.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Offsets {
    /// What is committed for some partitions, or for all.
    pub fn fetch(&self, partitions: Option<&[TopicPartition]>) -> Vec<FetchedOffset> {
        let fetched = |partition: &TopicPartition, row: Option<&OffsetRow>| FetchedOffset {
            partition: *partition,
            committed: row.cloned(),
        };
        match partitions {
            Some(partitions) => {
                let row = |partition| self.committed.get(partition);
                partitions.iter().map(|partition| fetched(partition, row(partition))).collect()
            }
            None => self.committed.iter().map(|(partition, row)| fetched(partition, Some(row))).collect(),
        }
    }
}
