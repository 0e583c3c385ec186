//! What a consumer does while it waits for records: it hears its group, reads, and commits.

use super::Consumer;
use super::asking::Asked;
use super::assignment::Revoking;
use super::batch::{self, Batch};
use super::builder::Reset;
use super::isolation;
use super::member::Event;
use crate::error::Error;
use crate::transport::Pushed;
use callboard_protocol::native::read::{Fetched, IsolationLevel};
use callboard_protocol::native::{Code, Refusal, TopicPartition};
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use tokio::time::sleep_until;

/// How long a consumer waits before it tries again what failed.
const BACKOFF: Duration = Duration::from_millis(250);

/// What a consumer waits for.
enum Waited {
    Group(Option<Event>),
    Pushed(Option<Pushed>),
    CommitIsDue,
    Committed(Result<(), Error>),
    Asked(Asked),
    Rested,
}

impl Consumer {
    /// Waits for the next batch of any partition.
    pub(super) async fn take(&mut self) -> Result<(TopicPartition, Batch), Error> {
        loop {
            self.commit_when_due();
            if !self.is_resting() {
                self.rests_until = None;
            }
            self.take_over();
            if self.rests_until.is_none() {
                self.look_for_topics();
                self.settle();
                self.open();
            }
            if let Some(failure) = self.failures.pop_front() {
                return Err(failure);
            }
            if let Some((partition, topic, packed, from)) = self.positions.pop() {
                let bytes = packed.len() as u32;
                if let Some(reading) = &self.reading {
                    reading.add_credit(bytes);
                }
                let end = packed.header.last_offset() + 1;
                if end <= from {
                    continue;
                }
                if packed.is_left_out {
                    self.positions.given(partition, end);
                    continue;
                }
                return match packed.unpack(self.settings.unpacked_bytes) {
                    Ok(unpacked) => Ok((partition, Batch::new(topic, partition.partition, &unpacked, from))),
                    Err(error) => {
                        self.positions.given(partition, end);
                        let place = format!("{topic}-{} from offset {from}", partition.partition);
                        Err(Error::Protocol(format!("the batch of {place} cannot be read: {error}")))
                    }
                };
            }
            match self.wait().await {
                Waited::Group(event) => self.heard(event),
                Waited::Pushed(pushed) => self.pushed(pushed),
                Waited::Committed(outcome) => drop(self.background_is_done(outcome)),
                Waited::Asked(asked) => self.told(asked),
                Waited::CommitIsDue | Waited::Rested => {}
            }
        }
    }

    /// Waits for whatever comes first. Cancel safe.
    async fn wait(&mut self) -> Waited {
        let Self { member, reading, next_commit, background, asking, rests_until, deleted, .. } = self;
        let may_look = rests_until.is_none() && asking.is_none();
        let group = async {
            match member {
                Some(member) => member.events.recv().await,
                None => std::future::pending().await,
            }
        };
        let pushed = async {
            match reading {
                Some(reading) => reading.next().await,
                None => std::future::pending().await,
            }
        };
        let committed = async {
            match background {
                Some(background) => background.outcome().await,
                None => std::future::pending().await,
            }
        };
        let asked = async {
            match asking {
                // It ends early only with the runtime, and with it all of this.
                Some(asking) => match asking.await {
                    Ok(asked) => asked,
                    Err(_) => std::future::pending().await,
                },
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            event = group => Waited::Group(event),
            asked = asked => Waited::Asked(asked),
            outcome = committed => Waited::Committed(outcome),
            pushed = pushed => Waited::Pushed(pushed),
            () = at(*next_commit) => Waited::CommitIsDue,
            () = at(*rests_until) => Waited::Rested,
            () = at(deleted.looks_at), if may_look => Waited::Rested,
        }
    }

    fn heard(&mut self, event: Option<Event>) {
        match event {
            Some(Event::Assigned(partitions)) => {
                self.wanted = Some(partitions.into_iter().collect());
                self.nameless.clear();
            }
            Some(Event::Lost) => {
                let lost = self.positions.keys();
                self.tell_revoked(&lost);
                lost.into_iter().for_each(|partition| self.give_up(partition));
                (self.wanted, self.revoking, self.asking) = (None, Revoking::default(), None);
            }
            Some(Event::Failed(error)) => self.failures.push_back(error),
            None => {
                self.member = None;
                self.failures.push_back(Error::Closed);
            }
        }
    }

    /// Opens a reading of the partitions as they are now.
    fn open(&mut self) {
        if self.reading.is_some() && !self.positions.are_changed {
            return;
        }
        self.positions.are_changed = false;
        let parts = self.positions.to_read();
        let queued = u32::try_from(self.positions.queued_bytes).unwrap_or(u32::MAX);
        let credit = self.settings.buffer_bytes.saturating_sub(queued);
        let isolation = self.settings.isolation;
        self.reading = (!parts.is_empty()).then(|| self.client.transport().read(parts, credit, isolation));
    }

    fn pushed(&mut self, pushed: Option<Pushed>) {
        match pushed {
            Some(Ok((fetched, pieces))) => {
                if let Err(error) = self.queue(fetched, pieces) {
                    self.reading = None;
                    self.failures.push_back(error);
                }
            }
            Some(Err(error)) if error.is_retriable() => {
                self.reading = None;
                self.rest(&error);
            }
            Some(Err(error)) => {
                self.reading = None;
                self.failures.push_back(error);
                self.rests_until = Some(Instant::now() + BACKOFF);
            }
            None => {
                self.reading = None;
                self.rests_until = self.rests_until.or(Some(Instant::now() + BACKOFF));
            }
        }
    }

    fn queue(&mut self, fetched: Fetched, pieces: Vec<bytes::Bytes>) -> Result<(), Error> {
        let mut pieces: VecDeque<_> = pieces.into();
        for part in fetched.parts {
            match part.outcome {
                Ok(read) => {
                    let batches = batch::take(&mut pieces, read.bytes as usize)?;
                    let (batches, end) = match self.settings.isolation {
                        IsolationLevel::ReadUncommitted => (batches, read.high_watermark),
                        IsolationLevel::ReadCommitted => {
                            (isolation::leave_out_aborted(batches, &read.aborted), read.last_stable)
                        }
                    };
                    self.positions.queue(part.partition, batches, end);
                }
                Err(refusal) => self.refused(part.partition, refusal),
            }
        }
        Ok(())
    }

    /// A partition is not read any more.
    fn refused(&mut self, partition: TopicPartition, refusal: Refusal) {
        if refusal.code == Code::OFFSET_OUT_OF_RANGE && self.settings.reset != Reset::Fail {
            self.positions.out_of_range(partition);
        } else if refusal.code.is_retriable() {
            self.positions.are_changed = true;
            self.rest(&refusal.into());
        } else if refusal.code == Code::UNKNOWN_TOPIC {
            self.topic_was_deleted(partition);
        } else {
            self.failures.push_back(refusal.into());
        }
    }

    pub(super) fn is_resting(&self) -> bool {
        self.rests_until.is_some_and(|until| until > Instant::now())
    }

    /// Tries nothing for a while.
    pub(super) fn rest(&mut self, error: &Error) {
        tracing::debug!(%error, "a consumer tries again later");
        self.rests_until = Some(Instant::now() + BACKOFF);
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time.into()).await,
        None => std::future::pending().await,
    }
}
