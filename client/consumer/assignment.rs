//! How a consumer comes to have partitions, and gives them up.

use super::builder::Reset;
use super::positions::Unsettled;
use super::{Consumer, Partition};
use crate::error::Error;
use callboard_protocol::native::read::Position as Wanted;
use callboard_protocol::native::{Code, TopicPartition};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Consumer {
    /// Comes to have what the group wants: what is given up is committed first, and then the group is
    /// told. Cancel safe: it is taken up again where it was left.
    pub(super) async fn take_over(&mut self) {
        let Some(wanted) = self.wanted.clone() else { return };
        let own = self.positions.keys();
        let given_up: BTreeSet<_> = own.difference(&wanted).copied().collect();
        if !given_up.is_empty() {
            if self.revoking.is_none() {
                self.tell_revoked(&given_up);
                self.revoking = Some(given_up.clone());
            }
            if self.settings.commit_every.is_some()
                && let Err(error) = self.commit_some(&given_up).await
            {
                tracing::warn!(%error, "what was read of partitions that are given up is not committed");
            }
            given_up.into_iter().for_each(|partition| self.give_up(partition));
        }
        self.revoking = None;
        let mut new = Vec::new();
        for partition in wanted.difference(&own) {
            match self.client.topics().name(partition.topic).await {
                Ok(topic) => new.push((*partition, topic)),
                // Its topic is gone, and so will be the assignment.
                Err(error) => tracing::debug!(%error, "a partition without a topic"),
            }
        }
        self.wanted = None;
        let named: Vec<_> = new
            .iter()
            .map(|(key, topic)| Partition { topic: Arc::clone(topic), partition: key.partition })
            .collect();
        for (partition, topic) in new {
            self.positions.add(partition, topic);
        }
        if let Some(listener) = self.settings.on_assigned.as_mut().filter(|_| !named.is_empty()) {
            listener(&named);
        }
        if let Some(member) = &self.member {
            member.owns(wanted.into_iter().collect());
        }
    }

    pub(super) fn tell_revoked(&mut self, partitions: &BTreeSet<TopicPartition>) {
        let named = partitions.iter().filter_map(|key| {
            let topic = Arc::clone(&self.positions.get(*key)?.topic);
            Some(Partition { topic, partition: key.partition })
        });
        let named: Vec<_> = named.collect();
        if let Some(listener) = self.settings.on_revoked.as_mut().filter(|_| !named.is_empty()) {
            listener(&named);
        }
    }

    pub(super) fn give_up(&mut self, partition: TopicPartition) {
        self.leave_current(partition);
        self.positions.remove(partition);
    }

    /// Finds out where to begin in new partitions, and in those whose log lacks what was to be read.
    pub(super) async fn settle(&mut self) {
        if !self.positions.are_unsettled {
            return;
        }
        let Unsettled { by_commit, by_policy } = self.positions.unsettled();
        let committed = match self.committed_of(&by_commit).await {
            Ok(committed) => committed,
            Err(error) => return self.rest(&error),
        };
        let by_policy = by_policy.into_iter().map(|partition| (partition, None));
        for (partition, committed) in by_commit.into_iter().zip(committed).chain(by_policy) {
            let begin = match committed {
                Some(offset) => Ok(offset),
                None => self.reset(partition).await,
            };
            match begin {
                Ok(offset) => {
                    self.positions.seek(partition, offset);
                    if let Some(offset) = committed {
                        self.positions.committed(partition, offset);
                    }
                }
                Err(error) if error.is_retriable() => return self.rest(&error),
                Err(error) if error.code() == Some(Code::UNKNOWN_TOPIC) => self.topic_was_deleted(partition),
                Err(error) => {
                    self.positions.remove(partition);
                    self.failures.push_back(error);
                }
            }
        }
        self.positions.are_unsettled = false;
    }

    /// Where the reset policy says to begin.
    async fn reset(&self, partition: TopicPartition) -> Result<i64, Error> {
        let position = match self.settings.reset {
            Reset::Earliest => Wanted::Earliest,
            Reset::Latest => Wanted::Latest,
            Reset::Fail => {
                let message = "nothing is committed for a partition, and nothing says where to begin";
                return Err(Error::Invalid(message.to_owned()));
            }
        };
        Ok(self.offset(partition, position).await?.unwrap_or(0))
    }

    pub(super) async fn offset(
        &self,
        partition: TopicPartition,
        position: Wanted,
    ) -> Result<Option<i64>, Error> {
        let found = self.client.offset(partition, position, self.settings.isolation).await?;
        Ok(found.map(|found| found.offset))
    }
}
