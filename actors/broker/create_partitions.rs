//! Create partitions: topics grow; a topic never shrinks.

use super::assignment::{AssignmentError, Replicas, check_replicas};
use super::create_topics::{Mode, PARTITIONS_PER_REQUEST_MAX, partition_rows};
use super::topics::{PartitionSlot, TopicView};
use super::{Broker, BrokerHandle};
use crate::mail::{Unavailable, ask};
use actix::fut::wrap_future;
use actix::{ActorFutureExt, AsyncContext, Context, Handler, Message};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Topics that are to have more partitions.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct CreatePartitions {
    /// The topics, each once.
    pub topics: Vec<Growth>,
    /// Whether to do it.
    pub mode: Mode,
    /// An outcome for each, in their order.
    pub reply: oneshot::Sender<Vec<Result<(), CreatePartitionsError>>>,
}

/// How a topic is to grow.
#[derive(Debug, Clone)]
pub struct Growth {
    /// Its name.
    pub topic: String,
    /// How many partitions it is to have.
    pub count: i32,
    /// The brokers of each new partition; `None` lets the broker choose.
    pub assignments: Option<Vec<Replicas>>,
}

/// Why a topic does not grow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CreatePartitionsError {
    /// There is no such topic.
    #[error("This server does not host this topic-partition.")]
    UnknownTopic,
    /// It has as many already.
    #[error("Topic already has {0} partition(s).")]
    Same(usize),
    /// It has more.
    #[error("The topic {topic} currently has {current} partition(s); {wanted} would not be an increase.")]
    Fewer {
        /// The topic.
        topic: String,
        /// Its partitions.
        current: usize,
        /// The partitions that were asked for.
        wanted: i32,
    },
    /// More partitions than one request may create, or than the broker takes.
    #[error("{wanted} partitions are more than may be added now: {left}.")]
    TooManyPartitions {
        /// Partitions to add.
        wanted: usize,
        /// Partitions that may still be created, by this request.
        left: usize,
    },
    /// The assignment is wrong.
    #[error(transparent)]
    Assignment(#[from] AssignmentError),
    /// Storage has failed.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl BrokerHandle {
    /// An outcome for each topic, also when the broker is gone.
    pub async fn create_partitions(
        &self,
        topics: Vec<Growth>,
        mode: Mode,
    ) -> Vec<Result<(), CreatePartitionsError>> {
        let count = topics.len();
        let outcomes = ask(self.broker(), |reply| CreatePartitions { topics, mode, reply }).await;
        outcomes.unwrap_or_else(|Unavailable| vec![Err(Unavailable.into()); count])
    }
}

impl Handler<CreatePartitions> for Broker {
    type Result = ();

    fn handle(&mut self, message: CreatePartitions, ctx: &mut Context<Self>) {
        let CreatePartitions { topics, mode, reply } = message;
        let next_partition = self.next_partition;
        let mut left = self.partitions_left().min(PARTITIONS_PER_REQUEST_MAX);
        let planned: Vec<_> = topics.iter().map(|growth| self.plan_growth(growth, &mut left)).collect();
        let outcomes = planned.iter().map(|plan| plan.as_ref().map(|_| ()).map_err(Clone::clone)).collect();
        let grown: Vec<_> = planned.into_iter().flatten().collect();
        if mode == Mode::ValidateOnly || grown.is_empty() {
            self.next_partition = next_partition;
            let _ = reply.send(outcomes);
            return;
        }
        let rows = grown.iter().flat_map(|grown| partition_rows(&grown.topic, grown.from)).collect();
        let commit = wrap_future::<_, Self>(self.commit(rows));
        // Nothing else of the registry changes meanwhile, or another growth could be lost.
        ctx.wait(commit.map(move |committed, broker, _| {
            if let Err(unavailable) = committed {
                let fail = |outcome: Result<(), _>| outcome.and(Err(unavailable.into()));
                let _ = reply.send(Vec::into_iter(outcomes).map(fail).collect());
                return;
            }
            broker.publish(|topics| grown.into_iter().for_each(|grown| topics.put(grown.topic)));
            let _ = reply.send(outcomes);
        }));
    }
}

/// A topic with its new partitions, and the index of the first of them.
struct Grown {
    topic: Arc<TopicView>,
    from: usize,
}

impl Broker {
    fn plan_growth(&mut self, growth: &Growth, left: &mut usize) -> Result<Grown, CreatePartitionsError> {
        let topic = self.topics.load().get(&growth.topic).cloned();
        let topic = topic.ok_or(CreatePartitionsError::UnknownTopic)?;
        let current = topic.partitions.len();
        let added = check_count(growth, current)?;
        if let Some(assignments) = &growth.assignments {
            check_assignments(assignments, added, self.settings.load().node_id)?;
        }
        if added > *left {
            return Err(CreatePartitionsError::TooManyPartitions { wanted: added, left: *left });
        }
        *left -= added;
        let ids = self.take_partition_ids(added);
        let fresh = (current as u32..).zip(ids).map(|(index, id)| Arc::new(PartitionSlot::new(id, index)));
        let topic = Arc::new(TopicView {
            id: topic.id,
            name: Arc::clone(&topic.name),
            config: Arc::clone(&topic.config),
            partitions: topic.partitions.iter().cloned().chain(fresh).collect(),
        });
        Ok(Grown { topic, from: current })
    }
}

fn check_count(growth: &Growth, current: usize) -> Result<usize, CreatePartitionsError> {
    let wanted = usize::try_from(growth.count).unwrap_or(0);
    if wanted == current {
        return Err(CreatePartitionsError::Same(current));
    }
    wanted.checked_sub(current).ok_or_else(|| CreatePartitionsError::Fewer {
        topic: growth.topic.clone(),
        current,
        wanted: growth.count,
    })
}

fn check_assignments(assignments: &[Replicas], added: usize, node_id: i32) -> Result<(), AssignmentError> {
    let given = assignments.len();
    if given < added {
        return Err(AssignmentError::Count { added, given });
    }
    if given > added {
        return Err(AssignmentError::Surplus { added, given });
    }
    assignments.iter().try_for_each(|replicas| check_replicas(replicas, node_id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::create_topics::tests::{Trial, numbers};
    use crate::mail::ask;

    #[actix::test]
    async fn new_partitions_stand_behind_the_old_ones_also_after_a_restart() {
        let trial = Trial::start(&[("max.partitions", "6")]);
        let old = trial.create_one("orders", 2).await.unwrap();
        trial.create_one("audit", 1).await.unwrap();
        let grow = async |name: &str, count, mode| {
            let topics = vec![Growth { topic: name.to_owned(), count, assignments: None }];
            ask(trial.broker.broker(), |reply| CreatePartitions { topics, mode, reply }).await.unwrap()
        };
        assert_eq!(grow("orders", 4, Mode::ValidateOnly).await, [Ok(())]);
        assert_eq!(grow("orders", 4, Mode::Apply).await, [Ok(())]);
        assert_eq!(grow("nothing", 4, Mode::Apply).await, [Err(CreatePartitionsError::UnknownTopic)]);
        let full = CreatePartitionsError::TooManyPartitions { wanted: 2, left: 1 };
        assert_eq!(grow("orders", 6, Mode::Apply).await, [Err(full)]);
        let new = trial.broker.topics().get("orders").cloned().unwrap();
        assert_eq!((new.id, numbers(&new)), (old.id, vec![0, 1, 3, 4]));
        assert!(Arc::ptr_eq(&old.partitions[0], &new.partitions[0]), "its actor stays the same");
        let trial = trial.restart().await;
        assert_eq!(numbers(trial.broker.topics().get("orders").unwrap()), [0, 1, 3, 4]);
    }

    #[test]
    fn a_topic_only_grows() {
        let growth = |count| Growth { topic: "t".into(), count, assignments: None };
        assert_eq!(check_count(&growth(5), 3), Ok(2));
        assert_eq!(check_count(&growth(3), 3), Err(CreatePartitionsError::Same(3)));
        let fewer = |wanted| CreatePartitionsError::Fewer { topic: "t".into(), current: 3, wanted };
        assert_eq!(check_count(&growth(2), 3), Err(fewer(2)));
        assert_eq!(check_count(&growth(-1), 3), Err(fewer(-1)));
    }

    #[test]
    fn there_are_as_many_assignments_as_new_partitions() {
        assert_eq!(check_assignments(&[vec![1], vec![1]], 2, 1), Ok(()));
        let few = AssignmentError::Count { added: 2, given: 1 };
        assert_eq!(check_assignments(&[vec![1]], 2, 1), Err(few));
        let many = AssignmentError::Surplus { added: 1, given: 2 };
        assert_eq!(check_assignments(&[vec![1], vec![1]], 1, 1), Err(many));
    }
}
