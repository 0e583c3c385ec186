//! Commit: how far the group has read.

use super::{Consumer, asking};
use crate::client::Client;
use crate::error::Error;
use crate::record::Received;
use callboard_protocol::native::groups::{CommitOffsets, NewOffset};
use callboard_protocol::native::{Code, TopicPartition};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};
use tokio::time::sleep;

/// How often a commit is tried that could succeed later.
const TRIES: usize = 10;
/// How long is waited between.
const BACKOFF: Duration = Duration::from_millis(100);

/// A commit on its way, which takes effect whether or not anybody waits for it.
#[derive(Debug)]
pub(super) struct Background {
    outcome: oneshot::Receiver<Result<(), Error>>,
    marks: Vec<Mark>,
}

/// What is taken for committed while that is on its way, and what was committed before.
#[derive(Debug)]
struct Mark {
    partition: TopicPartition,
    offset: i64,
    before: Option<i64>,
}

impl Consumer {
    /// Commits all that was given, and waits until it is durable.
    ///
    /// Dropping the future does not take a commit back that is on its way.
    ///
    /// # Errors
    /// [`Error::Invalid`] without a group; [`Error::Refused`] when others have the partitions.
    pub async fn commit(&mut self) -> Result<(), Error> {
        let all = self.positions.keys();
        self.commit_some(&all).await
    }

    /// Commits all that was given, in the background. What fails is logged, and committed with the next.
    pub fn commit_async(&mut self) {
        if self.background.is_some() {
            self.commits_again = true;
            return;
        }
        self.begin_commit_of(&self.positions.keys());
    }

    /// Commits what was given of these partitions, in the background, where nothing else is on its way.
    pub(super) fn begin_commit_of(&mut self, partitions: &BTreeSet<TopicPartition>) {
        if let Ok(Some(commit)) = self.to_commit(partitions) {
            self.begin_commit(commit);
        }
    }

    fn begin_commit(&mut self, commit: CommitOffsets) {
        let mark = |new: &NewOffset| Mark {
            partition: new.partition,
            offset: new.offset,
            before: self.positions.get(new.partition).and_then(|it| it.committed),
        };
        let marks: Vec<_> = commit.offsets.iter().map(mark).collect();
        for mark in &marks {
            self.positions.committed(mark.partition, mark.offset);
        }
        let (client, epoch) = (self.client.clone(), self.member.as_ref().map(|member| member.epoch.clone()));
        let (done, outcome) = oneshot::channel();
        tokio::spawn(async move { done.send(send_until_taken(&client, commit, epoch).await) });
        self.background = Some(Background { outcome, marks });
    }

    /// The commit in the background has come to its end, and so.
    pub(super) fn background_is_done(&mut self, outcome: Result<(), Error>) -> Result<(), Error> {
        let marks = self.background.take().map_or(Vec::new(), |background| background.marks);
        if let Err(error) = &outcome {
            tracing::warn!(%error, "a commit failed");
            for Mark { partition, offset, before } in marks {
                self.positions.not_committed(partition, offset, before);
            }
        }
        if std::mem::take(&mut self.commits_again) {
            self.commit_async();
        }
        outcome
    }

    /// Waits until nothing is on its way, and says what became of the last that was. Cancel safe.
    pub(super) async fn background_ends(&mut self) -> Result<(), Error> {
        let mut last = Ok(());
        while let Some(background) = &mut self.background {
            let outcome = background.outcome().await;
            last = self.background_is_done(outcome);
        }
        last
    }

    /// Commits that all of a record's partition up to it was read, and waits until it is durable. Dropping
    /// the future does not take back what is on its way.
    ///
    /// # Errors
    /// As for [`Consumer::commit`], and when the consumer does not have the partition any more.
    pub async fn commit_record(&mut self, record: &Received) -> Result<(), Error> {
        self.commit_offset(&record.topic, record.partition, record.offset() + 1).await
    }

    /// Commits that the next record of a partition to read is that of `offset`. Dropping the future does
    /// not take back what is on its way.
    ///
    /// # Errors
    /// As for [`Consumer::commit_record`].
    pub async fn commit_offset(&mut self, topic: &str, partition: u32, offset: i64) -> Result<(), Error> {
        let partition = self.own(topic, partition)?;
        let commit = self.of_group(vec![NewOffset { partition, offset, metadata: String::new() }])?;
        // What is on its way is older, and logged when it fails.
        let _ = self.background_ends().await;
        self.send_commit(commit).await
    }

    /// The offset that the group has committed for a partition; none when it has none. Cancel safe.
    ///
    /// # Errors
    /// [`Error::Invalid`] without a group or when the consumer does not have the partition, or when
    /// the broker cannot be asked.
    pub async fn committed(&self, topic: &str, partition: u32) -> Result<Option<i64>, Error> {
        if self.group.is_none() {
            return Err(no_group());
        }
        let partition = self.own(topic, partition)?;
        let committed = asking::committed(&self.client, self.asker(), &[partition]).await?;
        Ok(committed.into_iter().next().flatten())
    }

    /// Commits what was given of these partitions, also what was on its way already and failed.
    async fn commit_some(&mut self, partitions: &BTreeSet<TopicPartition>) -> Result<(), Error> {
        // It is logged, and not committed yet.
        let _ = self.background_ends().await;
        match self.to_commit(partitions)? {
            Some(commit) => self.send_commit(commit).await,
            None => Ok(()),
        }
    }

    async fn send_commit(&mut self, commit: CommitOffsets) -> Result<(), Error> {
        self.begin_commit(commit);
        self.background_ends().await
    }

    /// Commits when it is time to. What is given now is not read until the next is asked for, so it
    /// is called before anything is given.
    pub(super) fn commit_when_due(&mut self) {
        let Some(every) = self.settings.commit_every else { return };
        if self.next_commit.is_some_and(|due| due <= Instant::now()) {
            self.next_commit = Some(Instant::now() + every);
            self.commit_async();
        }
    }

    /// What was given and is not committed yet.
    fn to_commit(&self, partitions: &BTreeSet<TopicPartition>) -> Result<Option<CommitOffsets>, Error> {
        let read = self.positions.iter().filter(|(partition, _)| partitions.contains(partition));
        let offsets = read.filter(|(_, it)| it.next != it.committed).filter_map(|(partition, it)| {
            Some(NewOffset { partition: *partition, offset: it.next?, metadata: String::new() })
        });
        let offsets: Vec<_> = offsets.collect();
        if offsets.is_empty() { Ok(None) } else { self.of_group(offsets).map(Some) }
    }

    fn of_group(&self, offsets: Vec<NewOffset>) -> Result<CommitOffsets, Error> {
        let group = self.group.clone().ok_or_else(no_group)?;
        let (member, instance, epoch) = self.who();
        Ok(CommitOffsets { group, member, instance, epoch, offsets })
    }

    /// Who the consumer is to its group.
    pub(super) fn who(&self) -> (Option<String>, Option<String>, i32) {
        match &self.member {
            Some(member) => (Some(member.id.clone()), member.instance.clone(), *member.epoch.borrow()),
            None => (None, None, -1),
        }
    }
}

impl Background {
    /// Waits for its end. Cancel safe.
    pub(super) async fn outcome(&mut self) -> Result<(), Error> {
        (&mut self.outcome).await.unwrap_or(Err(Error::Closed))
    }
}

/// Sends a commit, again where that may help.
async fn send_until_taken(
    client: &Client,
    mut commit: CommitOffsets,
    epoch: Option<watch::Receiver<i32>>,
) -> Result<(), Error> {
    for _ in 1..TRIES {
        match send(client, commit.clone()).await {
            Err(error) if error.is_retriable() => sleep(BACKOFF).await,
            outcome => return outcome,
        }
        if let Some(epoch) = &epoch {
            // The member may have come to another epoch meanwhile.
            commit.epoch = *epoch.borrow();
        }
    }
    send(client, commit).await
}

async fn send(client: &Client, commit: CommitOffsets) -> Result<(), Error> {
    let committed = client.ask(commit).await?;
    committed.outcomes.into_iter().try_for_each(|outcome| match outcome {
        // Nobody will read it any more.
        Err(refusal) if refusal.code == Code::UNKNOWN_TOPIC => Ok(()),
        outcome => Ok(outcome?),
    })
}

fn no_group() -> Error {
    Error::Invalid("the consumer has no group".to_owned())
}
