//! The handle of a running broker, for connections and for the program that it runs in.

use super::Broker;
use super::answers::AnswerBytes;
use super::locate::{Locate, LocateError};
use super::topics::{PartitionSlot, TopicView, Topics};
use crate::committer::Committer;
use crate::committer::close::Close;
use crate::committer::crash::Crash;
use crate::config::Settings;
use crate::coordinator::Coordinator;
use crate::coordinator::groups::Groups;
use crate::courtesy::Courtesy;
use crate::end::End;
use crate::mail::{ask, post};
use crate::partition::Partition;
use crate::placement::Placement;
use crate::readers::Readers;
use actix::Addr;
use arc_swap::ArcSwap;
use callboard_storage::folder::Identity;
use std::sync::Arc;

/// A running broker. Clones are the same broker; any thread may use it.
#[derive(Debug, Clone)]
pub struct BrokerHandle(Arc<Shared>);

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) broker: Addr<Broker>,
    pub(super) committer: Addr<Committer>,
    pub(super) topics: Arc<ArcSwap<Topics>>,
    pub(super) coordinator: Addr<Coordinator>,
    pub(super) groups: Arc<ArcSwap<Groups>>,
    pub(super) readers: Readers,
    pub(super) answers: AnswerBytes,
    pub(super) courtesy: Courtesy,
    pub(super) settings: Arc<ArcSwap<Settings>>,
    pub(super) identity: Identity,
    pub(super) leader_epoch: i32,
    pub(super) placement: Placement,
}

impl BrokerHandle {
    pub(super) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    /// The topics as they are now.
    pub fn topics(&self) -> Arc<Topics> {
        self.0.topics.load_full()
    }

    /// The settings as they are now.
    pub fn settings(&self) -> Arc<Settings> {
        self.0.settings.load_full()
    }

    /// Cluster and node.
    pub fn identity(&self) -> &Identity {
        &self.0.identity
    }

    /// The epoch of this broker's leadership of all partitions; one more at each start.
    pub fn leader_epoch(&self) -> i32 {
        self.0.leader_epoch
    }

    /// The actor of the registry.
    pub fn broker(&self) -> &Addr<Broker> {
        &self.0.broker
    }

    pub(crate) fn coordinator(&self) -> &Addr<Coordinator> {
        &self.0.coordinator
    }

    pub(crate) fn shared_groups(&self) -> &ArcSwap<Groups> {
        &self.0.groups
    }

    /// Which actor runs on which thread.
    pub fn placement(&self) -> &Placement {
        &self.0.placement
    }

    /// How long work gives way to short.
    pub fn courtesy(&self) -> &Courtesy {
        &self.0.courtesy
    }

    pub(super) fn committer(&self) -> &Addr<Committer> {
        &self.0.committer
    }

    pub(super) fn answers(&self) -> &AnswerBytes {
        &self.0.answers
    }

    pub(super) fn readers(&self) -> &Readers {
        &self.0.readers
    }

    /// A partition's actor, started when it does not run.
    ///
    /// # Errors
    /// [`LocateError`] when the topic is deleted, or the broker stops.
    pub async fn locate(
        &self,
        topic: &TopicView,
        slot: &PartitionSlot,
    ) -> Result<Addr<Partition>, LocateError> {
        if let Some(actor) = slot.actor() {
            return Ok(actor);
        }
        let (topic, index) = (topic.id, slot.index);
        ask(&self.0.broker, |reply| Locate { topic, index, reply }).await?
    }

    /// Commits what is on its way and closes storage, with a checkpoint. Nothing is written
    /// afterwards, and the data folder may be opened again.
    pub async fn shutdown(&self) {
        // A committer that is gone has nothing left to close.
        let _ = ask(&self.0.committer, |reply| Close { reply }).await;
        self.end().await;
    }

    /// Ends storage as a crash would, for tests: nothing on its way is committed, nothing is closed,
    /// and all threads end. The data folder may be opened again.
    pub async fn crash(&self) {
        // A committer that is gone writes nothing either.
        let _ = ask(&self.0.committer, |reply| Crash { reply }).await;
        self.0.placement.stop();
        self.end().await;
    }

    async fn end(&self) {
        // Those that are gone need no ending.
        let _ = post(&self.0.broker, End);
        let _ = post(&self.0.coordinator, End);
        // They hold the index open.
        self.0.readers.stop().await;
    }
}
