//! Locate: a partition's actor, started at its first use or after it died.

use super::Broker;
use super::topics::{PartitionSlot, TopicView};
use crate::mail::Unavailable;
use crate::partition::Partition;
use actix::{Actor, Context, Handler, Message};
use callboard_storage::TopicId;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Asks for a partition's actor.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Locate {
    /// Its topic.
    pub topic: TopicId,
    /// Its number within the topic.
    pub index: u32,
    /// Where to answer.
    pub reply: oneshot::Sender<Result<actix::Addr<Partition>, LocateError>>,
}

/// Why there is no such actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LocateError {
    /// The topic is deleted.
    #[error("the topic was deleted")]
    Deleted,
    /// The broker is gone.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Handler<Locate> for Broker {
    type Result = ();

    fn handle(&mut self, message: Locate, _ctx: &mut Context<Self>) {
        let topics = self.topics.load();
        let topic = topics.get_by_id(message.topic);
        let slot = topic.and_then(|topic| Some((topic, topic.partition(message.index as i32)?)));
        let located = slot.ok_or(LocateError::Deleted).map(|(topic, slot)| self.start_partition(topic, slot));
        let _ = message.reply.send(located);
    }
}

impl Broker {
    fn start_partition(&self, topic: &Arc<TopicView>, slot: &PartitionSlot) -> actix::Addr<Partition> {
        if let Some(actor) = slot.actor() {
            return actor;
        }
        let partition = Partition::new(
            slot.id,
            Arc::clone(topic),
            self.committer.clone(),
            self.settings.producer_id_expiration,
        );
        let actor = Partition::start_in_arbiter(self.placement.partition(slot.id), |_| partition);
        slot.set_actor(actor.clone());
        actor
    }
}
