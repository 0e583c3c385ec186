//! What can be set of a consumer, and its defaults.

use super::member::{Joining, Member};
use super::positions::Positions;
use super::{Consumer, Partition};
use crate::client::Client;
use crate::error::Error;
use callboard_protocol::native::TopicPartition;
use callboard_protocol::native::read::IsolationLevel;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Where a consumer begins in a partition for which its group has committed nothing, or whose records
/// are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Reset {
    /// At the first record that is there.
    Earliest,
    /// Behind the last one.
    #[default]
    Latest,
    /// Nowhere: reading it is an error.
    Fail,
}

/// Hears of partitions.
pub type Listener = Box<dyn FnMut(&[Partition]) + Send + Sync>;

/// Sets a consumer up: who it is, what it reads, and how.
pub struct ConsumerBuilder {
    client: Client,
    group: Option<String>,
    instance: Option<String>,
    rack: Option<String>,
    topics: Vec<String>,
    pattern: Option<String>,
    assignor: Option<String>,
    assigned: Vec<(String, u32)>,
    rebalance_timeout: Duration,
    settings: Settings,
}

/// What a consumer goes by.
pub(super) struct Settings {
    pub(super) reset: Reset,
    pub(super) isolation: IsolationLevel,
    pub(super) commit_every: Option<Duration>,
    pub(super) buffer_bytes: u32,
    pub(super) unpacked_bytes: usize,
    pub(super) on_assigned: Option<Listener>,
    pub(super) on_revoked: Option<Listener>,
}

impl ConsumerBuilder {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client,
            group: None,
            instance: None,
            rack: None,
            topics: Vec::new(),
            pattern: None,
            assignor: None,
            assigned: Vec::new(),
            rebalance_timeout: Duration::from_secs(300),
            settings: Settings {
                reset: Reset::default(),
                isolation: IsolationLevel::default(),
                commit_every: Some(Duration::from_secs(5)),
                buffer_bytes: 8 << 20,
                unpacked_bytes: 256 << 20,
                on_assigned: None,
                on_revoked: None,
            },
        }
    }

    /// The group that the consumer is a member of: it shares the topics' partitions with the others,
    /// also with Kafka's consumers of the protocol `consumer` (KIP-848), and its offsets are the
    /// group's. Without a group it reads all partitions of its topics as they are when it is built.
    #[must_use]
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// The name of a static member, which keeps its partitions over a restart (KIP-345).
    #[must_use]
    pub fn instance(mut self, instance: impl Into<String>) -> Self {
        self.instance = Some(instance.into());
        self
    }

    /// The place that the consumer stands in, for assignors that prefer a near one.
    #[must_use]
    pub fn rack(mut self, rack: impl Into<String>) -> Self {
        self.rack = Some(rack.into());
        self
    }

    /// The topics to read, by name.
    #[must_use]
    pub fn topics(mut self, topics: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.topics.extend(topics.into_iter().map(Into::into));
        self
    }

    /// A regular expression of topics to read beside those by name, in RE2's syntax; it must match the
    /// whole name. The broker looks at it, so it needs a group.
    #[must_use]
    pub fn pattern(mut self, pattern: impl Into<String>) -> Self {
        self.pattern = Some(pattern.into());
        self
    }

    /// Who shares the partitions out: `uniform` (the broker's default) or `range`.
    #[must_use]
    pub fn assignor(mut self, assignor: impl Into<String>) -> Self {
        self.assignor = Some(assignor.into());
        self
    }

    /// One partition to read, whoever else reads it. With a group, offsets are the group's, but the
    /// consumer is not a member of it. It cannot stand beside topics or a pattern.
    ///
    /// When its topic is deleted, the consumer says so once, as [`Error::TopicDeleted`]. If another topic
    /// of that name is made, which is looked for every second, it goes on with the partition of the same
    /// number there, from where [`ConsumerBuilder::auto_offset_reset`] says, because offsets of the one
    /// before mean nothing in it; [`Reset::Fail`] does not go on. (Kafka's clients go on at the old offset
    /// where the new topic has that many records.) So it is for topics without a group; of a group's member
    /// the group says what it reads.
    #[must_use]
    pub fn assign(mut self, topic: impl Into<String>, partition: u32) -> Self {
        self.assigned.push((topic.into(), partition));
        self
    }

    /// Where to begin where nothing is committed; [`Reset::Latest`] by default, as in Kafka.
    #[must_use]
    pub fn auto_offset_reset(mut self, reset: Reset) -> Self {
        self.settings.reset = reset;
        self
    }

    /// Which records of transactions are given: [`IsolationLevel::ReadUncommitted`] by default, as in
    /// Kafka. With [`IsolationLevel::ReadCommitted`] none is of a transaction that was aborted, and
    /// reading waits before the first that is open. A record that no transaction has is given by both.
    #[must_use]
    pub fn isolation_level(mut self, isolation: IsolationLevel) -> Self {
        self.settings.isolation = isolation;
        self
    }

    /// How often what was read is committed by itself: every 5 s by default, and when partitions are
    /// given up and when the consumer is closed. A record counts as read when the one behind it is
    /// asked for, so that each is processed at least once. `None` commits nothing by itself.
    #[must_use]
    pub fn auto_commit(mut self, every: Option<Duration>) -> Self {
        self.settings.commit_every = every;
        self
    }

    /// Bytes of batches that may wait to be taken: 8 MiB by default. One batch may pass them.
    #[must_use]
    pub fn buffer_bytes(mut self, bytes: u32) -> Self {
        self.settings.buffer_bytes = bytes.max(1);
        self
    }

    /// Bytes that one batch may unpack to: 256 MiB by default. A larger one is an error.
    #[must_use]
    pub fn unpacked_bytes(mut self, bytes: usize) -> Self {
        self.settings.unpacked_bytes = bytes;
        self
    }

    /// How long the consumer may take to give partitions up before the group takes them: 300 s by
    /// default.
    #[must_use]
    pub fn rebalance_timeout(mut self, timeout: Duration) -> Self {
        self.rebalance_timeout = timeout;
        self
    }

    /// Hears, within a call that waits for records, of partitions that the consumer now has.
    #[must_use]
    pub fn on_assigned(mut self, listener: impl FnMut(&[Partition]) + Send + Sync + 'static) -> Self {
        self.settings.on_assigned = Some(Box::new(listener));
        self
    }

    /// Hears, within a call that waits for records, of partitions before the consumer gives them up,
    /// or that it lost. What was read of the first is committed afterwards.
    #[must_use]
    pub fn on_revoked(mut self, listener: impl FnMut(&[Partition]) + Send + Sync + 'static) -> Self {
        self.settings.on_revoked = Some(Box::new(listener));
        self
    }

    /// The consumer. A member of a group enters it in the background. Without a group, topics that are not there
    /// are made where the broker allows it (`auto.create.topics.enable`). Dropping the future leaves nothing.
    ///
    /// # Errors
    /// [`Error::Invalid`] when nothing is to be read, or what contradicts itself; [`Error::Refused`]
    /// when without a group a topic is not there.
    pub async fn build(self) -> Result<Consumer, Error> {
        let subscribes = !self.topics.is_empty() || self.pattern.is_some();
        match (&self.group, subscribes, self.assigned.is_empty()) {
            (_, false, true) => return Err(invalid("a consumer needs topics, a pattern or partitions")),
            (_, true, false) => return Err(invalid("partitions cannot be assigned beside topics")),
            (None, ..) if self.pattern.is_some() => return Err(invalid("a pattern needs a group")),
            (None, ..) if self.instance.is_some() => return Err(invalid("a static member needs a group")),
            (Some(group), ..) if group.is_empty() => return Err(invalid("the group has no name")),
            _ => {}
        }
        let is_member = self.group.is_some() && subscribes;
        let mut positions = Positions::default();
        if !is_member {
            for (topic, partition) in self.partitions().await? {
                positions.add(partition, topic);
            }
        }
        let member = self.group.clone().filter(|_| is_member).map(|group| {
            let joining = Joining {
                group,
                instance: self.instance.clone(),
                rack: self.rack.clone(),
                topics: self.topics.clone(),
                pattern: self.pattern.clone(),
                assignor: self.assignor.clone(),
                rebalance_timeout: self.rebalance_timeout,
            };
            Member::join(self.client.clone(), joining)
        });
        let next_commit = self.settings.commit_every.map(|every| Instant::now() + every);
        Ok(Consumer::new(self.client, self.group, member, positions, self.settings, next_commit))
    }

    /// The partitions of a consumer that is no member.
    async fn partitions(&self) -> Result<Vec<(Arc<str>, TopicPartition)>, Error> {
        let mut partitions = Vec::new();
        for name in &self.topics {
            let topic = self.client.topics().get(name).await?;
            let name: Arc<str> = name.as_str().into();
            let all = (0..topic.partitions).map(|partition| TopicPartition { topic: topic.id, partition });
            partitions.extend(all.map(|partition| (Arc::clone(&name), partition)));
        }
        for (name, partition) in &self.assigned {
            let topic = self.client.topics().get(name).await?;
            let partition = TopicPartition { topic: topic.id, partition: *partition };
            partitions.push((name.as_str().into(), partition));
        }
        Ok(partitions)
    }
}

fn invalid(message: &str) -> Error {
    Error::Invalid(message.to_owned())
}

impl fmt::Debug for ConsumerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsumerBuilder")
            .field("group", &self.group)
            .field("topics", &self.topics)
            .field("assigned", &self.assigned)
            .finish_non_exhaustive()
    }
}
