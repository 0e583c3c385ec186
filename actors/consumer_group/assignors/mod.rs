//! How partitions are shared among the members of a group, by the broker.
//!
//! An assignor is a function of the members, what they had, and the topics; it gives each partition
//! of a topic to one of the topic's subscribers.

mod range;
mod uniform;

use crate::names::{InstanceId, MemberId};
use callboard_storage::TopicId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Partitions of topics.
pub type Target = BTreeMap<TopicId, BTreeSet<i32>>;

/// A member, as an assignor looks at it.
#[derive(Debug, Clone)]
pub(super) struct Subscriber {
    pub(super) id: MemberId,
    pub(super) instance: Option<InstanceId>,
    /// The topics that it subscribes to and that are there.
    pub(super) topics: Arc<BTreeSet<TopicId>>,
    /// What it was to have until now.
    pub(super) previous: Target,
}

/// How many partitions the topics have.
pub(super) type Partitions = BTreeMap<TopicId, i32>;

/// An assignor by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Assignor {
    /// Members get as many partitions as each other, and keep what they have.
    Uniform,
    /// Of each topic members get a run of neighbours, the same one of topics of the same size.
    Range,
}

impl Assignor {
    /// All assignors; the first is taken where nobody asks for one.
    pub(super) const ALL: [Self; 2] = [Self::Uniform, Self::Range];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Range => "range",
        }
    }

    pub(super) fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|assignor| assignor.name() == name)
    }

    /// What each subscriber is to have, in their order.
    pub(super) fn assign(self, subscribers: &[Subscriber], partitions: &Partitions) -> Vec<Target> {
        match self {
            Self::Uniform => uniform::assign(subscribers, partitions),
            Self::Range => range::assign(subscribers, partitions),
        }
    }
}

#[cfg(test)]
mod tests;
