//! Delete topics: they vanish at once; what they occupy is freed later.

use super::topics::TopicView;
use super::{Broker, BrokerHandle};
use crate::mail::{Unavailable, ask, post};
use crate::partition::stop::Stop;
use actix::fut::wrap_future;
use actix::{ActorFutureExt, AsyncContext, Context, Handler, Message};
use callboard_storage::TopicId;
use callboard_storage::journal::Mutation;
use callboard_storage::keys::{self, Table};
use callboard_storage::values::{DELETED, PartitionRow};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Topics to delete.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct DeleteTopics {
    /// The topics.
    pub topics: Vec<TopicId>,
    /// An outcome for each, in their order.
    pub reply: oneshot::Sender<Vec<Result<(), DeleteTopicError>>>,
}

/// Why a topic is not deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeleteTopicError {
    /// There is no such topic, or no more.
    #[error("This server does not host this topic-partition.")]
    UnknownTopic,
    /// Storage has failed; after a restart the topic may be there again.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl BrokerHandle {
    /// An outcome for each topic, also when the broker is gone.
    pub async fn delete_topics(&self, topics: Vec<TopicId>) -> Vec<Result<(), DeleteTopicError>> {
        let count = topics.len();
        let outcomes = ask(self.broker(), |reply| DeleteTopics { topics, reply }).await;
        outcomes.unwrap_or_else(|Unavailable| vec![Err(Unavailable.into()); count])
    }
}

impl Handler<DeleteTopics> for Broker {
    type Result = ();

    fn handle(&mut self, message: DeleteTopics, ctx: &mut Context<Self>) {
        let DeleteTopics { topics, reply } = message;
        let mut rows = Vec::new();
        let mut deleted = Vec::new();
        let outcomes: Vec<_> = topics
            .into_iter()
            .map(|id| {
                let topic = self.topics.load().get_by_id(id).cloned();
                let topic = topic.ok_or(DeleteTopicError::UnknownTopic)?;
                // Nobody finds it any more, and then its actors end: none is started again.
                self.publish(|topics| topics.remove(&topic.name));
                stop(&topic);
                rows.extend(mutations(&topic));
                deleted.push(topic);
                Ok(())
            })
            .collect();
        if rows.is_empty() {
            let _ = reply.send(outcomes);
            return;
        }
        let commit = wrap_future::<_, Self>(self.commit(rows));
        ctx.spawn(commit.map(move |committed, broker, _| {
            if committed.is_err() {
                // They are still there, on the disk too.
                broker.publish(|topics| deleted.into_iter().for_each(|topic| topics.put(topic)));
            }
            let outcomes = outcomes.into_iter().map(|outcome: Result<(), DeleteTopicError>| {
                outcome.and_then(|()| committed.map_err(DeleteTopicError::from))
            });
            let _ = reply.send(outcomes.collect());
        }));
    }
}

fn stop(topic: &TopicView) {
    for actor in topic.partitions.iter().filter_map(|slot| slot.actor()) {
        // One that is gone needs no stopping.
        let _ = post(&actor, Stop);
    }
}

fn mutations(topic: &Arc<TopicView>) -> Vec<Mutation> {
    let deleted = |index| PartitionRow { topic: topic.id, index, log_start: DELETED };
    let partitions = topic.partitions.iter().map(|slot| Mutation {
        table: Table::Partitions,
        key: keys::partitions(slot.id),
        value: Some(deleted(slot.index).encode()),
    });
    let topic = Mutation { table: Table::Topics, key: keys::topics(topic.id), value: None };
    std::iter::once(topic).chain(partitions).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::create_topics::tests::{Trial, numbers};
    use crate::broker::long_poll::FetchError;
    use crate::mail::ask;
    use crate::partition::Partition;
    use actix::Actor;
    use arc_swap::ArcSwap;

    async fn delete(trial: &Trial, topics: &[TopicId]) -> Vec<Result<(), DeleteTopicError>> {
        let topics = topics.to_vec();
        ask(trial.broker.broker(), |reply| DeleteTopics { topics, reply }).await.unwrap()
    }

    #[actix::test]
    async fn a_deleted_topic_is_gone_and_its_name_is_free_for_other_partitions() {
        let trial = Trial::start(&[]);
        let old = trial.create_one("orders", 2).await.unwrap();
        trial.create_one("audit", 1).await.unwrap();
        assert_eq!(delete(&trial, &[old.id, old.id]).await, [Ok(()), Err(DeleteTopicError::UnknownTopic)]);
        assert_eq!(delete(&trial, &[old.id]).await, [Err(DeleteTopicError::UnknownTopic)]);
        assert_eq!(trial.names(), ["audit"]);
        let trial = trial.restart().await;
        assert_eq!(trial.names(), ["audit"]);
        let new = trial.create_one("orders", 2).await.unwrap();
        assert_ne!(new.id, old.id);
        assert_eq!(numbers(&new), [3, 4], "a number is never given twice");
    }

    #[actix::test]
    async fn a_partition_that_starts_while_its_topic_is_deleted_is_deleted() {
        let trial = Trial::start(&[]);
        let topic = trial.create_one("orders", 1).await.unwrap();
        assert_eq!(delete(&trial, &[topic.id]).await, [Ok(())]);
        let (slot, broker) = (&topic.partitions[0], &trial.broker);
        let settings = Arc::new(ArcSwap::new(broker.settings()));
        let late = Partition::new(slot.id, Arc::clone(&topic), broker.committer().clone(), settings);
        slot.set_actor(late.start());
        assert_eq!(broker.ends(&topic, slot).await, Err(FetchError::Deleted));
    }
}
