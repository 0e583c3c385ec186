//! Consuming: records of partitions, alone or as a member of a group.
//!
//! - [`builder`]: what can be set, and its defaults
//! - [`drive`]: what it does while it waits for records
//! - [`asking`]: what it must know before it can read
//! - [`assignment`]: coming to have partitions, and giving them up
//! - [`member`]: the consumer's place in its group
//! - [`positions`]: its partitions, how far it is in each, and what waits to be taken
//! - [`batch`]: batches as they come, and their records
//! - [`deleted`]: partitions whose topic was deleted
//! - [`isolation`]: leaving out what transactions took back
//! - [`commit`]: how far the group has read

mod asking;
mod assignment;
mod batch;
mod builder;
mod commit;
mod deleted;
mod drive;
mod isolation;
mod member;
mod positions;

pub use batch::Batch;
pub use builder::{ConsumerBuilder, Listener, Reset};
pub use callboard_protocol::native::read::IsolationLevel;

use crate::client::Client;
use crate::error::Error;
use crate::record::Received;
use crate::transport::Reading;
use asking::Asking;
use assignment::Revoking;
use builder::Settings;
use callboard_protocol::native::TopicPartition;
use callboard_protocol::native::read::Position as Wanted;
use commit::Background;
use deleted::Deleted;
use futures_util::Stream;
use futures_util::stream::unfold;
use member::Member;
use positions::Positions;
use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Instant;
use uuid::Uuid;

/// A partition by the name of its topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition {
    /// The topic.
    pub topic: Arc<str>,
    /// The partition's number, from 0.
    pub partition: u32,
}

/// A consumer's place in its group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The group.
    pub group: String,
    /// The member's id.
    pub member: String,
    /// Its epoch.
    pub epoch: i32,
}

/// Reads records. All that it does it does within the calls that wait for records, but for saying to
/// its group that it lives.
///
/// Dropping it leaves the group; [`Consumer::close`] also commits what was read.
pub struct Consumer {
    client: Client,
    group: Option<String>,
    member: Option<Member>,
    positions: Positions,
    settings: Settings,
    reading: Option<Reading>,
    /// The batch whose records are given one by one, and its partition.
    current: Option<(TopicPartition, Batch)>,
    /// What the group wants the consumer to have, until it has it.
    wanted: Option<BTreeSet<TopicPartition>>,
    /// The partitions that are being given up.
    revoking: Revoking,
    /// Topics of wanted partitions that are not there.
    nameless: BTreeSet<Uuid>,
    /// What is asked for in the background, one thing at a time.
    asking: Option<Asking>,
    /// What the program is to be told of before anything else.
    failures: VecDeque<Error>,
    next_commit: Option<Instant>,
    /// The commit in the background, of which there is one at a time: else an older one could come
    /// behind a newer one.
    background: Option<Background>,
    /// There is more to commit when that one is done.
    commits_again: bool,
    rests_until: Option<Instant>,
    deleted: Deleted,
}

impl Consumer {
    fn new(
        client: Client,
        group: Option<String>,
        member: Option<Member>,
        positions: Positions,
        settings: Settings,
        next_commit: Option<Instant>,
    ) -> Self {
        let next_commit = next_commit.filter(|_| group.is_some());
        Self {
            client,
            group,
            member,
            positions,
            settings,
            reading: None,
            current: None,
            wanted: None,
            revoking: Revoking::default(),
            nameless: BTreeSet::new(),
            asking: None,
            failures: VecDeque::new(),
            next_commit,
            background: None,
            commits_again: false,
            rests_until: None,
            deleted: Deleted::default(),
        }
    }

    /// Waits for the next record.
    ///
    /// Cancel safe: no record is lost when the future is dropped.
    ///
    /// # Errors
    /// What cannot be read, or that the consumer cannot be in its group. After the first, consuming
    /// can go on: what could not be read is left out.
    pub async fn next(&mut self) -> Result<Received, Error> {
        loop {
            if let Some((partition, batch)) = &mut self.current {
                let partition = *partition;
                match batch.next() {
                    Some(Ok(record)) => {
                        self.positions.given(partition, record.offset() + 1);
                        return Ok(record);
                    }
                    Some(Err(error)) => {
                        self.current = None;
                        return Err(error);
                    }
                    None => {
                        // Its last offsets may be nobody's records.
                        self.positions.given(partition, batch.next_offset());
                        self.current = None;
                    }
                }
            }
            self.current = Some(self.take().await?);
        }
    }

    /// Waits for the next records of one partition that were stored together. All of them count as
    /// given.
    ///
    /// Cancel safe: no record is lost when the future is dropped.
    ///
    /// # Errors
    /// As for [`Consumer::next`].
    pub async fn next_batch(&mut self) -> Result<Batch, Error> {
        let (partition, batch) = match self.current.take() {
            // The rest of one that was begun.
            Some((partition, batch)) if batch.clone().next().is_some() => (partition, batch),
            Some(_) | None => self.take().await?,
        };
        self.positions.given(partition, batch.next_offset());
        Ok(batch)
    }

    /// The records as a stream, which does not end. Dropping it, or what waits for its next record, loses
    /// none; each error is one that [`Consumer::next`] would give.
    pub fn stream(&mut self) -> impl Stream<Item = Result<Received, Error>> + '_ {
        unfold(self, |consumer| async move { Some((consumer.next().await, consumer)) })
    }

    /// The partitions that the consumer has now.
    pub fn assignment(&self) -> Vec<Partition> {
        let named = |(key, it): (&TopicPartition, &positions::Position)| Partition {
            topic: Arc::clone(&it.topic),
            partition: key.partition,
        };
        self.positions.iter().map(named).collect()
    }

    /// The consumer's place in its group as it is now; none when it is no member.
    pub fn membership(&self) -> Option<Membership> {
        let (group, member) = (self.group.clone()?, self.member.as_ref()?);
        Some(Membership { group, member: member.id.clone(), epoch: *member.epoch.borrow() })
    }

    /// The offset of the next record that is given of a partition; none while that is not known.
    pub fn position(&self, topic: &str, partition: u32) -> Option<i64> {
        let partition = self.positions.find(topic, partition)?;
        self.positions.get(partition)?.next
    }

    /// Offsets of a partition that may be read and were not given, as far as is known: up to the last
    /// stable offset where committed records are read.
    pub fn lag(&self, topic: &str, partition: u32) -> Option<u64> {
        let position = self.positions.get(self.positions.find(topic, partition)?)?;
        u64::try_from(position.end? - position.next?).ok()
    }

    /// The offset behind the last record of a partition that the consumer may read, asked for now: the
    /// last stable offset where it reads committed records. Cancel safe.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the consumer does not have the partition, or when the broker cannot be
    /// asked.
    pub async fn end_offset(&self, topic: &str, partition: u32) -> Result<i64, Error> {
        let partition = self.own(topic, partition)?;
        Ok(self.offset(partition, Wanted::Latest).await?.unwrap_or(0))
    }

    /// Goes on from an offset of a partition that the consumer has.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it does not have it.
    pub fn seek(&mut self, topic: &str, partition: u32, offset: i64) -> Result<(), Error> {
        let partition = self.own(topic, partition)?;
        self.leave_current(partition);
        self.positions.seek(partition, offset);
        Ok(())
    }

    /// Gives a batch again, as if it had not been given. Unlike after [`Consumer::seek`], what the group
    /// has committed of its partition is left as it is until the batch was given once more.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the consumer does not have the partition any more.
    pub fn give_again(&mut self, batch: &Batch) -> Result<(), Error> {
        self.seek(&batch.topic, batch.partition, batch.first_offset())?;
        self.is_committed(&batch.topic, batch.partition, batch.first_offset())
    }

    /// Notes that the group's offset of a partition was committed without this consumer, as a program
    /// around the broker does it in a unit: it is not committed here until more was given.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the consumer does not have the partition any more.
    pub fn is_committed(&mut self, topic: &str, partition: u32, offset: i64) -> Result<(), Error> {
        let partition = self.own(topic, partition)?;
        self.positions.committed(partition, offset);
        Ok(())
    }

    /// Goes on from the first record of a partition that has at least that time, in milliseconds since
    /// 1970, or from its end. Cancel safe.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the consumer does not have the partition, or when the broker cannot be
    /// asked.
    pub async fn seek_to_time(&mut self, topic: &str, partition: u32, time: i64) -> Result<(), Error> {
        let own = self.own(topic, partition)?;
        let offset = match self.offset(own, Wanted::AtTime(time)).await? {
            Some(offset) => Some(offset),
            None => self.offset(own, Wanted::Latest).await?,
        };
        self.seek(topic, partition, offset.unwrap_or(0))
    }

    /// Gives nothing of a partition until it is resumed; the consumer still has it.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it does not have it.
    pub fn pause(&mut self, topic: &str, partition: u32) -> Result<(), Error> {
        let partition = self.own(topic, partition)?;
        if let Some(next) = self.positions.get(partition).and_then(|it| it.next) {
            // What is left of a batch that was begun is read again.
            if self.current.as_ref().is_some_and(|(current, _)| *current == partition) {
                self.current = None;
                self.positions.seek(partition, next);
            }
        }
        self.positions.pause(partition, true);
        Ok(())
    }

    /// Gives records of a partition again.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the consumer does not have it.
    pub fn resume(&mut self, topic: &str, partition: u32) -> Result<(), Error> {
        let partition = self.own(topic, partition)?;
        self.positions.pause(partition, false);
        Ok(())
    }

    /// Commits what was given, unless nothing is committed by itself, waits for what is on its way, and leaves
    /// the group. Dropping the future leaves the group without waiting; a commit that is on its way is not taken
    /// back.
    ///
    /// # Errors
    /// What the commit failed with, also one in the background; the group is left all the same.
    pub async fn close(mut self) -> Result<(), Error> {
        let committed = if self.settings.commit_every.is_some() && self.group.is_some() {
            self.commit().await
        } else {
            self.background_ends().await
        };
        if let Some(member) = self.member.take() {
            member.leave().await;
        }
        committed
    }

    async fn offset(&self, partition: TopicPartition, position: Wanted) -> Result<Option<i64>, Error> {
        let found = self.client.offset(partition, position, self.settings.isolation).await?;
        Ok(found.map(|found| found.offset))
    }

    fn own(&self, topic: &str, partition: u32) -> Result<TopicPartition, Error> {
        let missing = || Error::Invalid(format!("the consumer does not have {topic}-{partition}"));
        self.positions.find(topic, partition).ok_or_else(missing)
    }

    fn leave_current(&mut self, partition: TopicPartition) {
        self.current = self.current.take().filter(|(current, _)| *current != partition);
    }
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").field("group", &self.group).finish_non_exhaustive()
    }
}
