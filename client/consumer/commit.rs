//! Commit: how far the group has read.

use super::Consumer;
use crate::client::Client;
use crate::error::Error;
use crate::record::Received;
use callboard_protocol::native::groups::{CommitOffsets, FetchOffsets, NewOffset};
use callboard_protocol::native::{Code, TopicPartition};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::time::sleep;

/// How often a commit is tried that could succeed later.
const TRIES: usize = 10;
/// How long is waited between.
const BACKOFF: Duration = Duration::from_millis(100);

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

    /// Commits all that was given, in the background, for as long as the consumer is used. What fails
    /// is logged, and committed with the next.
    pub fn commit_async(&mut self) {
        if self.background.is_some() {
            self.commits_again = true;
            return;
        }
        let all = self.positions.keys();
        let Ok(Some(commit)) = self.to_commit(&all) else { return };
        for NewOffset { partition, offset, .. } in &commit.offsets {
            self.positions.committed(*partition, *offset);
        }
        let (done, outcome) = oneshot::channel();
        self.background = Some(outcome);
        let client = self.client.clone();
        tokio::spawn(async move { done.send(send(&client, commit).await) });
    }

    pub(super) fn background_is_done(&mut self, outcome: Result<(), Error>) {
        self.background = None;
        if let Err(error) = outcome {
            tracing::warn!(%error, "a commit in the background failed");
            self.positions.forget_committed();
        }
        if std::mem::take(&mut self.commits_again) {
            self.commit_async();
        }
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
        Ok(self.committed_of(&[partition]).await?.into_iter().next().flatten())
    }

    pub(super) async fn commit_some(&mut self, partitions: &BTreeSet<TopicPartition>) -> Result<(), Error> {
        match self.to_commit(partitions)? {
            Some(commit) => self.send_commit(commit).await,
            None => Ok(()),
        }
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

    /// What is committed for partitions, in their order.
    pub(super) async fn committed_of(
        &self,
        partitions: &[TopicPartition],
    ) -> Result<Vec<Option<i64>>, Error> {
        let Some(group) = self.group.clone().filter(|_| !partitions.is_empty()) else {
            return Ok(vec![None; partitions.len()]);
        };
        let (member, _, epoch) = self.who();
        let fetch = FetchOffsets { group, member, epoch, partitions: Some(partitions.to_vec()) };
        let fetched = self.client.ask(fetch).await?;
        Ok(fetched.offsets.into_iter().map(|fetched| fetched.offset).collect())
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
    fn who(&self) -> (Option<String>, Option<String>, i32) {
        match &self.member {
            Some(member) => (Some(member.id.clone()), member.instance.clone(), *member.epoch.borrow()),
            None => (None, None, -1),
        }
    }

    async fn send_commit(&mut self, mut commit: CommitOffsets) -> Result<(), Error> {
        if let Some(background) = &mut self.background {
            let outcome = background.await.unwrap_or(Err(Error::Closed));
            self.commits_again = false;
            self.background_is_done(outcome);
        }
        let done: Vec<_> = commit.offsets.iter().map(|new| (new.partition, new.offset)).collect();
        let mut tries = 0;
        loop {
            tries += 1;
            match send(&self.client, commit.clone()).await {
                Ok(()) => break,
                Err(error) if error.is_retriable() && tries < TRIES => sleep(BACKOFF).await,
                Err(error) => return Err(error),
            }
            if commit.member.is_some() {
                // The member may have come to another epoch meanwhile.
                (_, _, commit.epoch) = self.who();
            }
        }
        for (partition, offset) in done {
            self.positions.committed(partition, offset);
        }
        Ok(())
    }
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
