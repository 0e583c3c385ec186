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
        let partition =
            Partition::new(slot.id, Arc::clone(topic), self.committer.clone(), Arc::clone(&self.settings));
        let actor = Partition::start_in_arbiter(self.placement.partition(slot.id), |_| partition);
        slot.set_actor(actor.clone());
        actor
    }
}

#[cfg(test)]
mod tests {
    use super::super::append::append;
    use super::super::append::tests::batch;
    use super::super::create_topics::tests::Trial;
    use crate::mail::post;
    use crate::partition::Partition;
    use crate::partition::append::Acks;
    use actix::{Context, Handler, Message};
    use callboard_storage::Offset;

    /// Ends an actor as a mistake in a handler would.
    #[derive(Message)]
    #[rtype(result = "()")]
    struct Break;

    impl Handler<Break> for Partition {
        type Result = ();

        fn handle(&mut self, _message: Break, _ctx: &mut Context<Self>) {
            panic!("a handler is wrong");
        }
    }

    #[actix::test]
    async fn a_partition_whose_actor_died_goes_on_with_another() {
        let trial = Trial::start(&[]);
        let topic = trial.create_one("orders", 2).await.unwrap();
        let (broken, other) = (&topic.partitions[0], &topic.partitions[1]);
        let actor = trial.broker.locate(&topic, broken).await.unwrap();
        let neighbour = trial.broker.locate(&topic, other).await.unwrap();
        let first = append(&actor, batch(0), Acks::Synced).wait().await.unwrap();
        assert_eq!(first.base_offset, Offset(0));
        post(&actor, Break).unwrap();
        // What was behind it is lost, and says so.
        assert!(append(&actor, batch(1), Acks::Synced).wait().await.is_err());
        let next = trial.broker.locate(&topic, broken).await.unwrap();
        assert_ne!(next, actor);
        let repeated = append(&next, batch(0), Acks::Synced).wait().await.unwrap();
        assert_eq!(repeated.base_offset, Offset(0), "it knows its producers");
        let second = append(&next, batch(1), Acks::Synced).wait().await.unwrap();
        assert_eq!(second.base_offset, Offset(1));
        let undisturbed = append(&neighbour, batch(0), Acks::Synced).wait().await.unwrap();
        assert_eq!(undisturbed.base_offset, Offset(0));
    }
}
