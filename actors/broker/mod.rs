//! The broker: the registry of topics and partitions, and the operations over many partitions.
//!
//! The actor changes the registry; everybody reads it from a snapshot ([`topics`]), and most
//! operations never pass through the actor: they go from [`handle::BrokerHandle`] straight to the
//! partitions.
//!
//! Messages of the actor:
//! - [`locate`]: a partition's actor, started at its first use or after it died
//! - [`create_topics`], [`create_partitions`], [`delete_topics`]
//! - [`alter_configs`]: settings of topics, groups and brokers change
//! - [`producer_ids`]: a new producer's id
//! - [`mod@end`]: how the registry and the partitions end
//!
//! Operations over partitions: [`mod@append`], [`mod@unit`], [`long_poll`], [`list_offsets`], [`leader_epochs`].
//! Reading what units wrote: [`program_rows`].
//!
//! Invariants: a topic is in the snapshot only when it is durable, and no more once its deletion
//! began; no number of a partition, and no producer id, is ever given twice.

pub mod alter_configs;
pub mod answers;
pub mod append;
pub mod assignment;
pub mod create_partitions;
pub mod create_topics;
pub mod delete_topics;
mod end;
pub mod handle;
pub mod leader_epochs;
pub mod list_offsets;
pub mod locate;
pub mod long_poll;
pub mod producer_ids;
pub mod program_rows;
pub mod start;
pub mod topic_name;
pub mod topics;
pub mod unit;

pub use handle::BrokerHandle;

use crate::committer::Committer;
use crate::committer::commit::Commit;
use crate::config::{Settings, Values};
use crate::mail::{Unavailable, post};
use crate::placement::Placement;
use actix::{Actor, Addr, Context};
use arc_swap::ArcSwap;
use callboard_storage::PartitionId;
use callboard_storage::crash_points::{Point, reach};
use callboard_storage::journal::Mutation;
use callboard_storage::log;
use producer_ids::ProducerIds;
use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::oneshot;
use topics::{TopicView, Topics};

/// The actor of the registry.
#[derive(Debug)]
pub struct Broker {
    settings: Arc<ArcSwap<Settings>>,
    /// What was set before the start, without what clients changed of it.
    base: Values,
    topics: Arc<ArcSwap<Topics>>,
    committer: Addr<Committer>,
    placement: Placement,
    /// Topics that are on their way to the disk, by their folded names.
    creating: HashMap<String, Arc<TopicView>>,
    next_partition: PartitionId,
    producer_ids: ProducerIds,
}

impl Broker {
    /// Commits changes of the registry, in the order of the calls: the future only waits.
    fn commit(&self, mutations: Vec<Mutation>) -> impl Future<Output = Result<(), Unavailable>> + use<> {
        reach(Point::RegistryChanges);
        let (reply, committed) = oneshot::channel();
        let commit = log::Commit { mutations, batches: Vec::new() };
        let posted = post(&self.committer, Commit { commit, chain: None, reply: reply.into() });
        async move {
            posted?;
            let outcome = committed.await.map_err(|_| Unavailable)?;
            reach(Point::RegistryChanged);
            outcome
        }
    }

    /// Replaces the snapshot. Only the actor does, so no change of another is lost.
    fn publish(&self, change: impl FnOnce(&mut Topics)) {
        let mut topics = Topics::clone(&self.topics.load());
        change(&mut topics);
        self.topics.store(Arc::new(topics));
    }

    /// Partitions that may still be created: by the broker's bound, and by the numbers for them.
    fn partitions_left(&self) -> usize {
        let creating: usize = self.creating.values().map(|topic| topic.partitions.len()).sum();
        let taken = self.topics.load().partition_count() + creating;
        let numbers = u32::MAX - self.next_partition.0;
        self.settings.load().topics.partitions_max.saturating_sub(taken).min(numbers as usize)
    }

    /// Numbers for `count` new partitions, no more than [`Self::partitions_left`].
    fn take_partition_ids(&mut self, count: usize) -> Vec<PartitionId> {
        let first = self.next_partition.0;
        self.next_partition = PartitionId(first.saturating_add(count as u32));
        (first..self.next_partition.0).map(PartitionId).collect()
    }
}

impl Actor for Broker {
    type Context = Context<Self>;
}
