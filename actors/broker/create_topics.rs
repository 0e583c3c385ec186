//! Create topics: each is created whole and durable, or not at all.

use super::assignment::{AssignmentError, Replicas, check_numbered};
use super::topic_name::{self, TopicNameError, folded};
use super::topics::{PartitionSlot, TopicView};
use super::{Broker, BrokerHandle};
use crate::chance;
use crate::config::{ConfigError, TopicConfig};
use crate::mail::{Unavailable, ask};
use actix::fut::wrap_future;
use actix::{ActorFutureExt, AsyncContext, Context, Handler, Message};
use callboard_storage::journal::Mutation;
use callboard_storage::keys::{self, Table};
use callboard_storage::values::{PartitionRow, TopicRow};
use callboard_storage::{Offset, TopicId};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Partitions that one request may create.
pub const PARTITIONS_PER_REQUEST_MAX: usize = 10_000;

/// Topics to create.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct CreateTopics {
    /// The topics.
    pub topics: Vec<NewTopic>,
    /// Whether to create them, or only to say what would come of it.
    pub mode: Mode,
    /// An outcome for each, in their order.
    pub reply: oneshot::Sender<Vec<Result<Arc<TopicView>, CreateTopicError>>>,
}

/// Whether something is done or only checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It is done.
    Apply,
    /// It is checked, and nothing is changed.
    ValidateOnly,
}

/// A topic to create.
#[derive(Debug, Clone, Default)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// How many partitions and replicas; `None` for the broker's default.
    pub partitions: Option<i32>,
    /// Replicas of each partition; `None` for the broker's default.
    pub replication_factor: Option<i16>,
    /// Partitions with their brokers, in the place of the two numbers.
    pub assignments: Vec<(i32, Replicas)>,
    /// Its configuration where it differs from the broker's.
    pub configs: Vec<(String, Option<String>)>,
}

/// Why a topic is not created.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CreateTopicError {
    /// The name cannot be a topic's.
    #[error(transparent)]
    Name(#[from] TopicNameError),
    /// The broker keeps the name for itself.
    #[error("Creation of internal topic {0} is prohibited.")]
    Internal(String),
    /// It is there already.
    #[error("Topic '{0}' already exists.")]
    Exists(String),
    /// Another name is the same but for `.` and `_`.
    #[error("Topic '{name}' collides with existing topic: {existing}")]
    Collides {
        /// The name.
        name: String,
        /// The topic that is there.
        existing: String,
    },
    /// Zero or fewer partitions.
    #[error("Number of partitions was set to an invalid non-positive value.")]
    Partitions,
    /// The topics of the request have more than [`PARTITIONS_PER_REQUEST_MAX`] partitions together;
    /// none is created.
    #[error(
        "Excessively large number of partitions per request: {0}, {PARTITIONS_PER_REQUEST_MAX} are allowed."
    )]
    TooManyPerRequest(usize),
    /// More partitions than the broker takes.
    #[error("The broker takes {left} more partition(s), {wanted} are too many.")]
    TooManyPartitions {
        /// Partitions that were asked for.
        wanted: usize,
        /// Partitions that may still be created.
        left: usize,
    },
    /// Zero or fewer replicas.
    #[error("Replication factor must be larger than 0, or -1 to use the default value.")]
    ReplicationFactor,
    /// More replicas than brokers.
    #[error(
        "Unable to replicate the partition {0} time(s): The target replication factor of {0} cannot be \
         reached because only 1 broker(s) are registered."
    )]
    TooFewBrokers(i16),
    /// Numbers beside an assignment.
    #[error("A manual partition assignment was specified, but {0} was not set to -1.")]
    AssignmentAndNumber(&'static str),
    /// The assignment is wrong.
    #[error(transparent)]
    Assignment(#[from] AssignmentError),
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Storage has failed.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// What became of a topic that was to be created.
pub type Outcome = Result<Arc<TopicView>, CreateTopicError>;

impl Handler<CreateTopics> for Broker {
    type Result = ();

    fn handle(&mut self, message: CreateTopics, ctx: &mut Context<Self>) {
        let CreateTopics { topics, mode, reply } = message;
        let next_partition = self.next_partition;
        let outcomes = self.plan(topics);
        if mode == Mode::ValidateOnly {
            self.next_partition = next_partition;
            let _ = reply.send(outcomes);
            return;
        }
        let created: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok().cloned()).collect();
        if created.is_empty() {
            let _ = reply.send(outcomes);
            return;
        }
        self.creating.extend(created.iter().map(|topic| (folded(&topic.name), Arc::clone(topic))));
        let commit = wrap_future::<_, Self>(self.commit(mutations(&created)));
        ctx.spawn(commit.map(move |committed, broker, _| {
            for topic in &created {
                broker.creating.remove(&folded(&topic.name));
            }
            let outcomes = match committed {
                Ok(()) => {
                    tracing::debug!(topics = created.len(), "topics created");
                    broker.publish(|topics| created.into_iter().for_each(|topic| topics.put(topic)));
                    outcomes
                }
                Err(unavailable) => {
                    outcomes.into_iter().map(|outcome| outcome.and(Err(unavailable.into()))).collect()
                }
            };
            let _ = reply.send(outcomes);
        }));
    }
}

impl BrokerHandle {
    /// An outcome for each topic, also when the broker is gone.
    pub async fn create_topics(&self, topics: Vec<NewTopic>, mode: Mode) -> Vec<Outcome> {
        let count = topics.len();
        if count == 0 {
            return Vec::new();
        }
        let outcomes = ask(self.broker(), |reply| CreateTopics { topics, mode, reply }).await;
        outcomes.unwrap_or_else(|Unavailable| vec![Err(Unavailable.into()); count])
    }
}

impl Broker {
    /// Decides what is created, giving partitions their numbers. A number that is not used is lost.
    fn plan(&mut self, topics: Vec<NewTopic>) -> Vec<Outcome> {
        let wanted = topics.iter().map(|topic| self.wanted(topic)).fold(0, usize::saturating_add);
        if wanted > PARTITIONS_PER_REQUEST_MAX {
            return topics.iter().map(|_| Err(CreateTopicError::TooManyPerRequest(wanted))).collect();
        }
        let mut left = self.partitions_left();
        let mut planned = HashMap::new();
        let plan = |topic: NewTopic| {
            let (count, config) = self.check(&topic)?;
            check_collision(&topic.name, planned.get(&folded(&topic.name)))?;
            if count > left {
                return Err(CreateTopicError::TooManyPartitions { wanted: count, left });
            }
            left -= count;
            let topic = self.plan_topic(&topic.name, count, config);
            planned.insert(folded(&topic.name), Arc::clone(&topic));
            Ok(topic)
        };
        topics.into_iter().map(plan).collect()
    }

    /// How many partitions a topic wants; none where it does not say a number that can be.
    fn wanted(&self, topic: &NewTopic) -> usize {
        if !topic.assignments.is_empty() {
            return topic.assignments.len();
        }
        usize::try_from(topic.partitions.unwrap_or(self.settings.load().topics.partitions)).unwrap_or(0)
    }

    fn plan_topic(&mut self, name: &str, count: usize, config: TopicConfig) -> Arc<TopicView> {
        let ids = self.take_partition_ids(count);
        let slots = (0..).zip(ids).map(|(index, id)| PartitionSlot::new(id, index));
        Arc::new(TopicView::new(TopicId(chance::uuid()), name.into(), config, slots))
    }

    /// The rules, in the order in which Kafka checks them.
    fn check(&self, topic: &NewTopic) -> Result<(usize, TopicConfig), CreateTopicError> {
        let name = &topic.name;
        topic_name::check(name)?;
        if topic_name::is_reserved(name) {
            return Err(CreateTopicError::Internal(name.clone()));
        }
        let topics = self.topics.load();
        check_collision(name, topics.get(name).or_else(|| topics.collision(name)))?;
        check_collision(name, self.creating.get(&folded(name)))?;
        let configs = topic.configs.iter().map(|(name, value)| (name.as_str(), value.as_deref()));
        let config = TopicConfig::parse(configs, &self.settings.load().topics.defaults)?;
        Ok((self.check_count(topic)?, config))
    }

    fn check_count(&self, topic: &NewTopic) -> Result<usize, CreateTopicError> {
        if !topic.assignments.is_empty() {
            return self.check_assignments(topic);
        }
        let settings = self.settings.load();
        let replicas = topic.replication_factor.unwrap_or(settings.topics.replication_factor);
        if replicas <= 0 {
            return Err(CreateTopicError::ReplicationFactor);
        }
        let count = topic.partitions.unwrap_or(self.settings.load().topics.partitions);
        if count <= 0 {
            return Err(CreateTopicError::Partitions);
        }
        if replicas > 1 {
            return Err(CreateTopicError::TooFewBrokers(replicas));
        }
        Ok(count as usize)
    }

    fn check_assignments(&self, topic: &NewTopic) -> Result<usize, CreateTopicError> {
        if topic.replication_factor.is_some() {
            return Err(CreateTopicError::AssignmentAndNumber("replication factor"));
        }
        if topic.partitions.is_some() {
            return Err(CreateTopicError::AssignmentAndNumber("numPartitions"));
        }
        check_numbered(&topic.assignments, self.settings.load().node_id)?;
        Ok(topic.assignments.len())
    }
}

/// Refuses a name because of a topic whose folded name is the same.
fn check_collision(name: &str, existing: Option<&Arc<TopicView>>) -> Result<(), CreateTopicError> {
    match existing {
        None => Ok(()),
        Some(topic) if *topic.name == *name => Err(CreateTopicError::Exists(name.to_owned())),
        Some(topic) => {
            Err(CreateTopicError::Collides { name: name.to_owned(), existing: topic.name.to_string() })
        }
    }
}

fn mutations(topics: &[Arc<TopicView>]) -> Vec<Mutation> {
    topics
        .iter()
        .flat_map(|topic| [topic_row(topic)].into_iter().flatten().chain(partition_rows(topic, 0)))
        .collect()
}

fn topic_row(topic: &TopicView) -> Option<Mutation> {
    topic_row_with(topic, &topic.config.load())
}

/// The row of a topic with that configuration.
pub(super) fn topic_row_with(topic: &TopicView, config: &TopicConfig) -> Option<Mutation> {
    let overrides = config.overrides().iter().map(|(name, text)| ((*name).to_owned(), text.clone()));
    let row = TopicRow { name: topic.name.to_string(), configs: overrides.collect() };
    // Encoding plain strings into memory does not fail.
    let value = row.encode().ok()?;
    Some(Mutation { table: Table::Topics, key: keys::topics(topic.id), value: Some(value) })
}

/// The rows of a topic's partitions from an index on.
pub(super) fn partition_rows(topic: &TopicView, from: usize) -> impl Iterator<Item = Mutation> + '_ {
    topic.partitions.iter().skip(from).map(|slot| Mutation {
        table: Table::Partitions,
        key: keys::partitions(slot.id),
        value: Some(PartitionRow { topic: topic.id, index: slot.index, log_start: Offset(0) }.encode()),
    })
}

#[cfg(test)]
pub(super) mod tests;
