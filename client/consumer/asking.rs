//! What a consumer must know before it can read. It is asked for in the background, one thing after the other,
//! so that it comes also when nobody waits long enough for a record.

use super::builder::Reset;
use super::positions::Unsettled;
use super::{Consumer, Partition};
use crate::client::Client;
use crate::error::Error;
use callboard_protocol::native::groups::FetchOffsets;
use callboard_protocol::native::read::{IsolationLevel, Position as Wanted};
use callboard_protocol::native::topics::Topic;
use callboard_protocol::native::{Code, TopicPartition};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

/// How long an answer is waited for before it is asked again.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is asked for, until it is there.
pub(super) type Asking = AbortOnDropHandle<Asked>;

/// What came of asking.
pub(super) enum Asked {
    /// Which of these topics are not there; all others have names now.
    Names(Result<BTreeSet<Uuid>, Error>),
    /// Where to begin.
    Begins(Result<Vec<Begin>, Error>),
    /// Topics that have the names of deleted ones.
    Found(Vec<(Partition, Topic)>),
}

/// Where to begin in a partition.
pub(super) struct Begin {
    partition: TopicPartition,
    committed: Option<i64>,
    offset: Result<i64, Error>,
}

/// A group, and who asks it: a member and its epoch, or somebody else.
pub(super) struct Asker {
    group: String,
    member: Option<String>,
    epoch: i32,
}

impl Consumer {
    /// Asks in the background.
    pub(super) fn ask(&mut self, asking: impl Future<Output = Asked> + Send + 'static) {
        self.asking = Some(AbortOnDropHandle::new(tokio::spawn(asking)));
    }

    /// Asks for the names of topics that the consumer is to have partitions of.
    pub(super) fn ask_names(&mut self, topics: BTreeSet<Uuid>) {
        let client = self.client.clone();
        self.ask(async move { Asked::Names(soon(client.topics().learn_names(topics)).await) });
    }

    /// Asks where to begin in new partitions, and in those whose log lacks what was to be read.
    pub(super) fn settle(&mut self) {
        if !self.positions.are_unsettled || self.asking.is_some() {
            return;
        }
        let (client, unsettled, asker) = (self.client.clone(), self.positions.unsettled(), self.asker());
        let (reset, isolation) = (self.settings.reset, self.settings.isolation);
        self.ask(
            async move { Asked::Begins(soon(begins(&client, unsettled, asker, reset, isolation)).await) },
        );
    }

    /// Looks for topics of the names of those that were deleted.
    pub(super) fn look_for(&mut self, partitions: Vec<Partition>) {
        let client = self.client.clone();
        self.ask(async move {
            let mut found = Vec::new();
            for partition in partitions {
                // Who reads makes no topic.
                match soon(client.admin().topic(&*partition.topic)).await {
                    Ok(topic) => found.push((partition, topic)),
                    Err(error) => tracing::debug!(%error, "a deleted topic is not there again"),
                }
            }
            Asked::Found(found)
        });
    }

    /// What was asked for is there.
    pub(super) fn told(&mut self, asked: Asked) {
        self.asking = None;
        match asked {
            Asked::Names(Ok(missing)) => self.nameless = missing,
            Asked::Begins(Ok(begins)) => {
                begins.into_iter().for_each(|begin| self.begin(begin));
                self.positions.look_for_unsettled();
            }
            Asked::Names(Err(error)) | Asked::Begins(Err(error)) => self.not_told(error),
            Asked::Found(found) => self.found(found),
        }
    }

    fn not_told(&mut self, error: Error) {
        self.rest(&error);
        // The group puts right by itself what only a member's place in it is to blame for.
        let is_of_group =
            matches!(error.code(), Some(Code::UNKNOWN_MEMBER | Code::FENCED_EPOCH | Code::UNKNOWN_GROUP));
        let rights_itself = error.is_retriable() || (is_of_group && self.member.is_some());
        if !rights_itself {
            self.failures.push_back(error);
        }
    }

    fn begin(&mut self, begin: Begin) {
        let Begin { partition, committed, offset } = begin;
        // The program may have said where to begin meanwhile.
        if self.positions.get(partition).is_none_or(|position| position.next.is_some()) {
            return;
        }
        match offset {
            Ok(offset) => {
                self.positions.seek(partition, offset);
                if let Some(offset) = committed {
                    self.positions.committed(partition, offset);
                }
            }
            Err(error) if error.is_retriable() => self.rest(&error),
            Err(error) if error.code() == Some(Code::UNKNOWN_TOPIC) => self.topic_was_deleted(partition),
            Err(error) => {
                self.positions.remove(partition);
                self.failures.push_back(error);
            }
        }
    }

    pub(super) fn asker(&self) -> Option<Asker> {
        let (member, _, epoch) = self.who();
        self.group.clone().map(|group| Asker { group, member, epoch })
    }
}

async fn soon<T>(asking: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    timeout(PATIENCE, asking).await.unwrap_or(Err(Error::TimedOut))
}

/// What is committed for partitions, in their order.
pub(super) async fn committed(
    client: &Client,
    asker: Option<Asker>,
    partitions: &[TopicPartition],
) -> Result<Vec<Option<i64>>, Error> {
    let Some(Asker { group, member, epoch }) = asker.filter(|_| !partitions.is_empty()) else {
        return Ok(vec![None; partitions.len()]);
    };
    let fetch = FetchOffsets { group, member, epoch, partitions: Some(partitions.to_vec()) };
    let fetched = client.ask(fetch).await?;
    Ok(fetched.offsets.into_iter().map(|fetched| fetched.offset).collect())
}

async fn begins(
    client: &Client,
    unsettled: Unsettled,
    asker: Option<Asker>,
    reset: Reset,
    isolation: IsolationLevel,
) -> Result<Vec<Begin>, Error> {
    let Unsettled { by_commit, by_policy } = unsettled;
    let committed = committed(client, asker, &by_commit).await?;
    let by_policy = by_policy.into_iter().map(|partition| (partition, None));
    let mut begins = Vec::new();
    for (partition, committed) in by_commit.into_iter().zip(committed).chain(by_policy) {
        let offset = match committed {
            Some(offset) => Ok(offset),
            None => by_reset(client, partition, reset, isolation).await,
        };
        begins.push(Begin { partition, committed, offset });
    }
    Ok(begins)
}

/// Where the reset policy says to begin.
async fn by_reset(
    client: &Client,
    partition: TopicPartition,
    reset: Reset,
    isolation: IsolationLevel,
) -> Result<i64, Error> {
    let position = match reset {
        Reset::Earliest => Wanted::Earliest,
        Reset::Latest => Wanted::Latest,
        Reset::Fail => {
            let message = "nothing is committed for a partition, and nothing says where to begin";
            return Err(Error::Invalid(message.to_owned()));
        }
    };
    let found = client.offset(partition, position, isolation).await?;
    Ok(found.map_or(0, |found| found.offset))
}
