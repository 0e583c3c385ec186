//! Commit: a group's member says how far it has read.

use super::{Offsets, TopicPartition};
use crate::durable::Reply;
use crate::mail::Unavailable;
use crate::names::{InstanceId, MemberId};
use actix::Message;
use callboard_storage::journal::Mutation;
use callboard_storage::keys::Table;
use callboard_storage::values::OffsetRow;
use std::sync::Arc;
use std::time::Duration;

/// Offsets to commit, by a member or, when nobody is in the group, by anybody.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct CommitOffsets {
    /// Who commits.
    pub from: Committing,
    /// The offsets. Of a partition that is named twice the last counts.
    pub offsets: Arc<Vec<NewOffset>>,
    /// For how long to keep them; `None` for the broker's rule.
    pub retention: Option<Retention>,
    /// An outcome for each, in their order, once they are durable.
    pub reply: Reply<Vec<Result<(), MetadataTooLarge>>, CommitOffsetsError>,
}

/// Who commits offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committing {
    /// The member; `None` for somebody outside of the group.
    pub member: Option<MemberId>,
    /// The name of a static member.
    pub instance: Option<InstanceId>,
    /// The generation or epoch that it is in; below 0 for somebody outside of the group.
    pub generation: i32,
    /// Whether its client could be in a group that the broker assigns to.
    pub epochs: Epochs,
}

/// Whether a client knows the epochs of groups that the broker assigns to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Epochs {
    /// It does.
    Known,
    /// It is too old for that.
    Unknown,
}

/// For how long a client wants its offsets kept, in milliseconds; also 0 and less, as in Kafka.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention(pub i64);

/// An offset to commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOffset {
    /// The partition.
    pub partition: TopicPartition,
    /// The offset of the next record to read; any number is taken.
    pub offset: i64,
    /// The leader epoch of the last record that was read, or -1.
    pub leader_epoch: i32,
    /// What the client wants to find beside it.
    pub metadata: String,
}

/// What a client wrote beside an offset is longer than `offset.metadata.max.bytes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetadataTooLarge;

/// Why nothing is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommitOffsetsError {
    /// The group has no such member.
    #[error("the group has no such member")]
    UnknownMember,
    /// Another member took over the static member's name.
    #[error("another member has the instance id")]
    FencedInstance,
    /// The member is of another generation.
    #[error("the group has another generation")]
    IllegalGeneration,
    /// The member is of another epoch.
    #[error("the member has another epoch")]
    StaleEpoch,
    /// The member's client is too old for the group.
    #[error("the group's members have epochs")]
    NeedsEpochs,
    /// The group waits for its assignment.
    #[error("the group is rebalancing")]
    Rebalancing,
    /// Storage has failed, or the group's actor.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// The bounds and the time of a commit.
#[derive(Debug, Clone, Copy)]
pub struct CommitRules {
    /// Now, in milliseconds since 1970.
    pub now_ms: i64,
    /// For how long the client wants its offsets kept.
    pub retention: Option<Retention>,
    /// Characters, as UTF-16 counts them, that a client may write beside an offset.
    pub metadata_max: usize,
}

impl Offsets {
    /// Commits offsets: an outcome for each, and the rows to write.
    pub fn commit(
        &mut self,
        offsets: &[NewOffset],
        rules: CommitRules,
    ) -> (Vec<Result<(), MetadataTooLarge>>, Vec<Mutation>) {
        let mut rows = Vec::with_capacity(offsets.len());
        let outcomes = offsets.iter().map(|new| {
            if new.metadata.encode_utf16().count() > rules.metadata_max {
                return Err(MetadataTooLarge);
            }
            let row = OffsetRow {
                offset: new.offset,
                leader_epoch: new.leader_epoch,
                metadata: new.metadata.clone(),
                committed_at_ms: rules.now_ms,
                expires_at_ms: rules.retention.map(|Retention(ms)| rules.now_ms.saturating_add(ms)),
            };
            let (key, value) = (self.key(new.partition), Some(row.encode()));
            rows.push(Mutation { table: Table::Offsets, key, value });
            self.committed.insert(new.partition, row);
            Ok(())
        });
        (outcomes.collect(), rows)
    }
}

impl CommitRules {
    /// The rules of a group for a commit at that time.
    pub fn new(now_ms: i64, retention: Option<Retention>, metadata_max: usize) -> Self {
        Self { now_ms, retention, metadata_max }
    }
}

/// Until when an offset is kept that has nobody interested in it.
pub(super) fn expires_at(row: &OffsetRow, base_ms: i64, retention: Duration) -> i64 {
    let retention_ms = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
    row.expires_at_ms.unwrap_or_else(|| base_ms.saturating_add(retention_ms))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{replay, topic};
    use super::*;

    fn new(partition: i32, offset: i64, metadata: &str) -> NewOffset {
        NewOffset { partition: (topic(1), partition), offset, leader_epoch: 3, metadata: metadata.into() }
    }

    #[test]
    fn what_is_committed_is_in_the_rows_and_the_last_of_two_counts() {
        let mut offsets = replay(&[]);
        let rules = CommitRules::new(100, Some(Retention(-5)), 4);
        let (outcomes, rows) = offsets.commit(
            &[new(0, 7, "four"), new(0, -1, ""), new(1, 9, "fives"), new(2, 1, "\u{10348}ab")],
            rules,
        );
        assert_eq!(outcomes, [Ok(()), Ok(()), Err(MetadataTooLarge), Ok(())]);
        let replayed = replay(&rows);
        assert_eq!(replayed.committed, offsets.committed);
        let row = &replayed.committed[&(topic(1), 0)];
        assert_eq!((row.offset, row.leader_epoch, row.committed_at_ms), (-1, 3, 100));
        assert_eq!(row.expires_at_ms, Some(95));
        assert!(!replayed.committed.contains_key(&(topic(1), 1)));
    }
}
