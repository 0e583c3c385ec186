//! Looking after a broker: topics, settings, groups, offsets, the cluster.

use crate::client::Client;
use crate::error::Error;
use crate::transport::one;
use callboard_protocol::native::Refusal;
use callboard_protocol::native::admin::{AlterConfigs, DescribeCluster, DescribeConfigs};
use callboard_protocol::native::groups::{
    CommitOffsets, DeleteGroups, DeleteOffsets, DescribeGroup, FetchOffsets, ListGroups, NewOffset,
};
use callboard_protocol::native::topics::{
    CreatePartitions, CreateTopics, DeleteTopics, ListTopics, ListedTopic, NewTopic, Outcomes, TopicsListed,
};

// What is asked for and answered, under the names by which programs need it.
pub use callboard_protocol::native::TopicPartition;
pub use callboard_protocol::native::admin::{ClusterDescribed, Config, ConfigEdit, Edit, Resource};
pub use callboard_protocol::native::groups::{CommittedOffset, GroupDescribed, ListedGroup};
pub use callboard_protocol::native::read::{IsolationLevel, Position, TimedOffset};
pub use callboard_protocol::native::topics::Topic;

/// Looks after a broker. What changes something is one request: dropping its future does not take it back.
/// What only asks may be asked again, whatever it failed with, when [`Error::is_retriable`] says so.
#[derive(Debug, Clone)]
pub struct Admin {
    client: Client,
    isolation: IsolationLevel,
}

/// What is to be known of a new topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSpec(NewTopic);

impl TopicSpec {
    /// A topic of that name, with the broker's defaults.
    pub fn new(name: impl Into<String>) -> Self {
        Self(NewTopic { name: name.into(), partitions: None, replication_factor: None, configs: Vec::new() })
    }

    /// The same, with that many partitions.
    #[must_use]
    pub fn partitions(mut self, count: u32) -> Self {
        self.0.partitions = Some(i32::try_from(count).unwrap_or(i32::MAX));
        self
    }

    /// The same, with that many replicas of each partition.
    #[must_use]
    pub fn replication_factor(mut self, count: u16) -> Self {
        self.0.replication_factor = Some(i16::try_from(count).unwrap_or(i16::MAX));
        self
    }

    /// The same, with a setting, by Kafka's name.
    #[must_use]
    pub fn config(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.0.configs.push((name.into(), value.to_string()));
        self
    }
}

impl Admin {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, isolation: IsolationLevel::default() }
    }

    /// The same, for whose offsets count only the records of a level of isolation: with
    /// [`IsolationLevel::ReadCommitted`] a partition ends at its last stable offset. All records count
    /// by default.
    #[must_use]
    pub fn isolation_level(self, isolation: IsolationLevel) -> Self {
        Self { isolation, ..self }
    }

    /// Creates a topic. It is durable when this returns.
    ///
    /// # Errors
    /// [`Error::Refused`] with the code that says why it cannot be, for instance
    /// [`Code::TOPIC_EXISTS`](callboard_protocol::native::Code::TOPIC_EXISTS).
    pub async fn create_topic(&self, topic: TopicSpec) -> Result<Topic, Error> {
        let listed = self.create(topic, false).await?;
        Ok(one(listed.topics)?.outcome?)
    }

    /// Says what would come of creating a topic.
    ///
    /// # Errors
    /// As for [`Admin::create_topic`].
    pub async fn validate_topic(&self, topic: TopicSpec) -> Result<(), Error> {
        let listed = self.create(topic, true).await?;
        one(listed.topics)?.outcome?;
        Ok(())
    }

    async fn create(&self, topic: TopicSpec, validate_only: bool) -> Result<TopicsListed, Error> {
        self.client.ask(CreateTopics { topics: vec![topic.0], validate_only }).await
    }

    /// Deletes a topic with all of its records.
    ///
    /// # Errors
    /// [`Error::Refused`] when there is none, or topics may not be deleted.
    pub async fn delete_topic(&self, name: impl Into<String>) -> Result<(), Error> {
        let name = name.into();
        self.client.topics().forget(&name);
        self.outcome(DeleteTopics { names: vec![name] }).await
    }

    /// Gives a topic more partitions; it has `count` then.
    ///
    /// # Errors
    /// [`Error::Refused`] when there is none, or it would not be more.
    pub async fn grow_topic(&self, name: impl Into<String>, count: u32) -> Result<(), Error> {
        let name = name.into();
        self.client.topics().forget(&name);
        self.grow(name, count, false).await
    }

    /// Says what would come of giving a topic more partitions.
    ///
    /// # Errors
    /// As for [`Admin::grow_topic`].
    pub async fn validate_growth(&self, name: impl Into<String>, count: u32) -> Result<(), Error> {
        self.grow(name.into(), count, true).await
    }

    async fn grow(&self, name: String, count: u32, validate_only: bool) -> Result<(), Error> {
        let count = i32::try_from(count).unwrap_or(i32::MAX);
        self.outcome(CreatePartitions { topics: vec![(name, count)], validate_only }).await
    }

    /// All topics, in the order of their names.
    ///
    /// # Errors
    /// When the broker cannot be asked.
    pub async fn topics(&self) -> Result<Vec<(String, Topic)>, Error> {
        let listed = self.client.ask(ListTopics { names: None, create: false }).await?;
        let all = listed.topics.into_iter();
        all.map(|ListedTopic { name, outcome }| Ok((name, outcome?))).collect()
    }

    /// One topic.
    ///
    /// # Errors
    /// [`Error::Refused`] when there is none.
    pub async fn topic(&self, name: impl Into<String>) -> Result<Topic, Error> {
        let names = Some(vec![name.into()]);
        let listed = self.client.ask(ListTopics { names, create: false }).await?;
        Ok(one(listed.topics)?.outcome?)
    }

    /// An offset of a partition; none when no record has such a time.
    ///
    /// # Errors
    /// [`Error::Refused`] when there is no such partition.
    pub async fn offset(
        &self,
        topic: impl Into<String>,
        partition: u32,
        position: Position,
    ) -> Result<Option<TimedOffset>, Error> {
        let topic = self.topic(topic).await?.id;
        self.partition_offset(TopicPartition { topic, partition }, position).await
    }

    /// An offset of a partition whose topic's id is known; none when no record has such a time.
    ///
    /// # Errors
    /// [`Error::Refused`] when there is no such partition.
    pub async fn partition_offset(
        &self,
        partition: TopicPartition,
        position: Position,
    ) -> Result<Option<TimedOffset>, Error> {
        self.client.offset(partition, position, self.isolation).await
    }

    /// The settings of something, sorted by name.
    ///
    /// # Errors
    /// [`Error::Refused`] when there is no such topic.
    pub async fn configs(&self, resource: Resource) -> Result<Vec<Config>, Error> {
        let described = self.client.ask(DescribeConfigs { resources: vec![resource] }).await?;
        Ok(one(described.outcomes)??)
    }

    /// Changes settings of something, all or none.
    ///
    /// # Errors
    /// [`Error::Refused`] when a setting is unknown, its value impossible, or it is read-only.
    pub async fn alter_configs(
        &self,
        resource: Resource,
        edits: impl IntoIterator<Item = (String, Edit)>,
    ) -> Result<(), Error> {
        let edits = edits.into_iter().map(|(name, edit)| ConfigEdit { name, edit }).collect();
        self.outcome(AlterConfigs { resources: vec![(resource, edits)], validate_only: false }).await
    }

    /// All groups, in the order of their names.
    ///
    /// # Errors
    /// When the broker cannot be asked.
    pub async fn groups(&self) -> Result<Vec<ListedGroup>, Error> {
        Ok(self.client.ask(ListGroups {}).await?.groups)
    }

    /// A group with its members.
    ///
    /// # Errors
    /// [`Error::Refused`] when there is none.
    pub async fn group(&self, group: impl Into<String>) -> Result<GroupDescribed, Error> {
        self.client.ask(DescribeGroup { group: group.into() }).await
    }

    /// Forgets a group without members, with its offsets.
    ///
    /// # Errors
    /// [`Error::Refused`] when there is none, or it has members.
    pub async fn delete_group(&self, group: impl Into<String>) -> Result<(), Error> {
        self.outcome(DeleteGroups { groups: vec![group.into()] }).await
    }

    /// All offsets that a group has committed.
    ///
    /// # Errors
    /// When the broker cannot be asked.
    pub async fn group_offsets(&self, group: impl Into<String>) -> Result<Vec<CommittedOffset>, Error> {
        let fetch = FetchOffsets { group: group.into(), member: None, epoch: -1, partitions: None };
        Ok(self.client.ask(fetch).await?.offsets)
    }

    /// Commits offsets for a group without members, whoever that was.
    ///
    /// # Errors
    /// [`Error::Refused`] when it has members, or there is no such partition.
    pub async fn set_group_offsets(
        &self,
        group: impl Into<String>,
        offsets: impl IntoIterator<Item = (TopicPartition, i64)>,
    ) -> Result<(), Error> {
        let new = |(partition, offset)| NewOffset { partition, offset, metadata: String::new() };
        let offsets = offsets.into_iter().map(new).collect();
        let commit = CommitOffsets { group: group.into(), member: None, instance: None, epoch: -1, offsets };
        let committed = self.client.ask(commit).await?;
        committed.outcomes.into_iter().try_for_each(|outcome| Ok(outcome?))
    }

    /// Lets a group forget offsets of topics that it does not subscribe to.
    ///
    /// # Errors
    /// [`Error::Refused`] when it subscribes to one, or there is no such group.
    pub async fn delete_group_offsets(
        &self,
        group: impl Into<String>,
        partitions: impl IntoIterator<Item = TopicPartition>,
    ) -> Result<(), Error> {
        let partitions = partitions.into_iter().collect();
        let deleted = self.client.ask(DeleteOffsets { group: group.into(), partitions }).await?;
        deleted.outcomes.into_iter().try_for_each(|outcome| Ok(outcome?))
    }

    /// The cluster and its brokers.
    ///
    /// # Errors
    /// When the broker cannot be asked.
    pub async fn cluster(&self) -> Result<ClusterDescribed, Error> {
        self.client.ask(DescribeCluster {}).await
    }

    async fn outcome<O>(&self, operation: O) -> Result<(), Error>
    where
        O: callboard_protocol::native::Operation<Answer = Outcomes>,
    {
        let outcomes: Vec<Result<(), Refusal>> = self.client.ask(operation).await?.outcomes;
        Ok(one(outcomes)??)
    }
}
