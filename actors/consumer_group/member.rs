//! A member of a group that the broker assigns to: what it wants, what it has, and what it is to have.

use super::assignors::Target;
use super::state::Owned;
use crate::group::members::Protocol;
use crate::names::InstanceId;
use callboard_storage::TopicId;
use std::collections::BTreeSet;
use std::time::Duration;

/// The epoch of a static member that has gone for a while.
pub(super) const GONE_FOR_A_WHILE: i32 = -2;

/// How far a member is on the way to its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It is there.
    Stable,
    /// It is to give partitions up first.
    Revoking,
    /// It waits for partitions that others are to give up.
    Waiting,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(super) instance: Option<InstanceId>,
    pub(super) rack: Option<String>,
    pub(super) client_id: String,
    pub(super) client_host: String,
    pub(super) topics: BTreeSet<String>,
    /// The pattern of topics that it subscribes to beside them.
    pub(super) pattern: Option<String>,
    pub(super) rebalance_timeout_ms: i32,
    pub(super) assignor: Option<String>,
    /// The epoch that it has come to; 0 before the first.
    pub(super) epoch: i32,
    pub(super) previous_epoch: i32,
    pub(super) progress: Progress,
    /// What it has.
    pub(super) assigned: Owned,
    /// What it is to give up.
    pub(super) revoking: Owned,
    /// What it is to have.
    pub(super) target: Target,
    /// What it says as a member of the classic protocol; none where it is not.
    pub(super) classic: Option<ClassicPart>,
}

/// What a member of the classic protocol says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClassicPart {
    pub(super) session_timeout: Duration,
    /// The assignment protocols that it knows, the best one first.
    pub(super) protocols: Vec<Protocol>,
}

impl Member {
    /// A member that has said nothing yet.
    pub(super) fn new() -> Self {
        Self {
            instance: None,
            rack: None,
            client_id: String::new(),
            client_host: String::new(),
            topics: BTreeSet::new(),
            pattern: None,
            rebalance_timeout_ms: -1,
            assignor: None,
            epoch: 0,
            previous_epoch: -1,
            progress: Progress::Stable,
            assigned: Owned::new(),
            revoking: Owned::new(),
            target: Target::new(),
            classic: None,
        }
    }

    /// The partitions that it may be reading: what it has, and what it is to give up.
    pub(super) fn in_hand(&self) -> impl Iterator<Item = (TopicId, i32)> {
        let both = self.assigned.iter().chain(&self.revoking);
        both.flat_map(|(topic, partitions)| partitions.keys().map(|partition| (*topic, *partition)))
    }

    /// Sets the epoch; the one until now is remembered, because an answer may be lost.
    pub(super) fn advance(&mut self, epoch: i32) {
        self.previous_epoch = self.epoch;
        self.epoch = epoch;
    }

    /// Whether it has nothing to do to be where the group is.
    pub(super) fn is_at(&self, assignment_epoch: i32) -> bool {
        self.progress == Progress::Stable && self.epoch == assignment_epoch
    }
}
