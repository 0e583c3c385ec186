//! The way of a record into its lane: its topic is asked for, its partition chosen.

use super::batch::Settled;
use super::lane::{Identity, Lane};
use super::sender::{Entry, Event, Flushing, Sender, now_ms};
use crate::client::Client;
use crate::error::Error;
use callboard_protocol::native::topics::Topic;
use callboard_protocol::native::{Code, TopicPartition};
use futures_util::future::BoxFuture;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::sleep;
use uuid::Uuid;

/// How long a topic is taken to have as many partitions as it had.
const TOPIC_FRESH_FOR: Duration = Duration::from_secs(60);

/// A topic that records were sent to.
#[derive(Debug, Default)]
pub(super) struct TopicState {
    pub(super) known: Option<(Topic, Instant)>,
    pub(super) is_asked: bool,
    /// By partition, the place of its lane.
    pub(super) lanes: HashMap<u32, usize>,
    /// Records that wait until the topic is known, and since when.
    pub(super) waiting: Vec<(Entry, Instant)>,
    pub(super) flushes: Vec<Arc<Flushing>>,
}

impl TopicState {
    /// The topic of that id is not there as it was known. Its lanes lead to another of its name once that
    /// is known, and records that wait to know it go on waiting.
    pub(super) fn forget(&mut self, id: Uuid) {
        if self.known.as_ref().is_some_and(|(known, _)| known.id == id) {
            self.known = None;
        }
    }
}

impl Sender {
    /// Puts a record into its lane, or lets it wait until its topic is known.
    pub(super) fn route(&mut self, entry: Entry, since: Instant) {
        let topic = self.topics.entry(Arc::clone(&entry.record.topic)).or_default();
        let is_fresh = topic.known.as_ref().is_some_and(|(_, since)| since.elapsed() < TOPIC_FRESH_FOR);
        if !is_fresh && !topic.is_asked {
            topic.is_asked = true;
            self.events.push(ask_topic(self.client.clone(), Arc::clone(&entry.record.topic)));
        }
        // Behind others that wait, or order would be lost.
        let known = topic.known.as_ref().filter(|_| topic.waiting.is_empty());
        let chosen = entry.record.partition;
        let Some((known, asked)) = known else {
            topic.waiting.push((entry, since));
            return;
        };
        let partitions = known.partitions.max(1);
        if chosen.is_some_and(|chosen| chosen >= partitions) && *asked < since {
            // It may have been given more partitions meanwhile.
            if !std::mem::replace(&mut topic.is_asked, true) {
                self.events.push(ask_topic(self.client.clone(), Arc::clone(&entry.record.topic)));
            }
            topic.waiting.push((entry, since));
            return;
        }
        let index = chosen.unwrap_or_else(|| self.partitioner.partition(&entry.record, partitions));
        if index >= partitions {
            let Entry { bytes, outcome, record } = entry;
            let _ = outcome.send(Err(no_partition(&record.topic, index)));
            self.settle(Settled { freed: bytes, failed: 1, ..Settled::default() });
            return;
        }
        let partition = TopicPartition { topic: known.id, partition: index };
        let (lanes, settings) = (&mut self.lanes, &self.settings);
        let name = Arc::clone(&entry.record.topic);
        let place = *topic.lanes.entry(index).or_insert_with(|| {
            let identity = if settings.is_idempotent { Identity::Wanted } else { Identity::None };
            lanes.push(Lane::new(Arc::clone(&name), partition, identity));
            lanes.len() - 1
        });
        let Some(lane) = lanes.get_mut(place) else { return };
        let (begun, has_ended) = lane.add(entry, self.now_ms, settings);
        if has_ended && chosen.is_none() {
            self.partitioner.batch_ended(&name);
        }
        if let Some(number) = begun.filter(|_| !settings.linger.is_zero()) {
            let linger = settings.linger;
            self.events.push(Box::pin(async move {
                sleep(linger).await;
                Event::Lingered { lane: place, number }
            }));
        }
        if self.touched.last() != Some(&place) {
            self.touched.push(place);
        }
    }

    pub(super) fn listed(&mut self, name: &Arc<str>, outcome: Result<Topic, Error>) {
        let Some(topic) = self.topics.get_mut(name) else { return };
        topic.is_asked = false;
        match outcome {
            Ok(listed) => {
                let mut abandoned = Vec::new();
                topic.lanes.retain(|index, place| {
                    let Some(lane) = self.lanes.get_mut(*place) else { return false };
                    self.touched.push(*place);
                    let is_there = *index < listed.partitions;
                    if is_there {
                        lane.move_to(listed.id);
                    } else {
                        abandoned.push(lane.abandon(&no_partition(name, *index)));
                    }
                    is_there
                });
                topic.known = Some((listed, Instant::now()));
                let waiting = std::mem::take(&mut topic.waiting);
                let flushes = std::mem::take(&mut topic.flushes);
                abandoned.into_iter().for_each(|settled| self.settle(settled));
                self.now_ms = now_ms();
                for (entry, since) in waiting {
                    self.route(entry, since);
                }
                for flushing in flushes {
                    self.lanes.iter_mut().for_each(|lane| lane.flush(&flushing));
                }
            }
            Err(error) => self.not_listed(name, &error),
        }
    }

    /// Looks for a topic that is not where a lane led.
    pub(super) fn look_for(&mut self, name: &Arc<str>) {
        self.client.topics().forget(name);
        let Some(topic) = self.topics.get_mut(name) else { return };
        if !std::mem::replace(&mut topic.is_asked, true) {
            self.events.push(ask_topic(self.client.clone(), Arc::clone(name)));
        }
    }

    /// Fails the records that wait for a topic, or those that do so for too long. A topic that was there
    /// may be made again while others still look for it.
    fn not_listed(&mut self, name: &Arc<str>, error: &Error) {
        let Some(topic) = self.topics.get_mut(name) else { return };
        let timeout = self.settings.delivery_timeout;
        let is_awaited = error.is_retriable() || error.code() == Some(Code::UNKNOWN_TOPIC);
        let mut settled = Vec::new();
        let mut is_looked_for = false;
        for place in topic.lanes.values() {
            let Some(lane) = self.lanes.get_mut(*place).filter(|lane| lane.is_homeless()) else { continue };
            settled.push(lane.expire_homeless(!is_awaited, &self.settings));
            is_looked_for |= !lane.is_empty();
        }
        let may_wait = error.is_retriable() || (is_awaited && is_looked_for);
        let is_over = |since: &Instant| !may_wait || since.elapsed() >= timeout;
        let (over, waiting): (Vec<_>, Vec<_>) =
            std::mem::take(&mut topic.waiting).into_iter().partition(|(_, since)| is_over(since));
        topic.waiting = waiting;
        if topic.waiting.is_empty() && !is_looked_for {
            topic.flushes.clear();
        } else {
            topic.is_asked = true;
            let (topic, rest) = (Arc::clone(name), self.settings.backoff_max);
            self.events.push(Box::pin(async move {
                sleep(rest).await;
                Event::AskAgain { topic }
            }));
        }
        settled.into_iter().for_each(|settled| self.settle(settled));
        for (entry, _) in over {
            let _ = entry.outcome.send(Err(error.clone()));
            self.settle(Settled { freed: entry.bytes, failed: 1, ..Settled::default() });
        }
    }
}

pub(super) fn ask_topic(client: Client, topic: Arc<str>) -> BoxFuture<'static, Event> {
    Box::pin(async move {
        let outcome = client.topics().ask(&topic).await;
        Event::Listed { topic, outcome }
    })
}

fn no_partition(topic: &str, index: u32) -> Error {
    Error::Invalid(format!("topic {topic} has no partition {index}"))
}
