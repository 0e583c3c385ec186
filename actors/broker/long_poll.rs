//! Fetch: reads many partitions at once, and waits for more where there is too little.
//!
//! All partitions are asked once. Where that brings too little, each of those that are read at
//! their end calls when it grows, with its new batches in hand; nobody asks again and again.

use super::BrokerHandle;
use super::locate::LocateError;
use super::topics::{PartitionSlot, TopicView};
use crate::clock;
use crate::mail::{Unavailable, ask};
use crate::partition::poll::{Grown, Poll, Polled, Watch};
use bytes::Bytes;
use callboard_storage::log::reader::{Extent, FirstBatch};
use callboard_storage::{Offset, PartitionId};
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout_at;

/// What to read.
#[derive(Debug)]
pub struct Fetch {
    /// The partitions, each once; the first are served first.
    pub parts: Vec<FetchPart>,
    /// Bytes of the whole answer; only the first batch may pass them.
    pub bytes_max: usize,
    /// Bytes below which the answer waits.
    pub bytes_min: usize,
    /// How long it waits at most.
    pub wait_max: Duration,
}

/// What to read of a partition.
#[derive(Debug, Clone)]
pub struct FetchPart {
    /// Its topic.
    pub topic: Arc<TopicView>,
    /// The partition.
    pub slot: Arc<PartitionSlot>,
    /// The offset to read from.
    pub offset: Offset,
    /// Bytes of this partition; only the first batch of the answer may pass them.
    pub bytes_max: usize,
}

/// What was read of a partition.
#[derive(Debug, Clone, Default)]
pub struct FetchedPart {
    /// Offset of the first record that may be read.
    pub log_start: Offset,
    /// The offset behind the last record that may be read.
    pub high_watermark: Offset,
    /// Whole batches; the first of them may begin before the offset.
    pub batches: Vec<Bytes>,
}

/// Why nothing was read of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The offset is before the log's start or behind its end.
    #[error("the offset is out of range")]
    OutOfRange(Polled),
    /// The topic was deleted.
    #[error("the topic was deleted")]
    Deleted,
    /// The disk could not be read, or the partition's actor is gone.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<LocateError> for FetchError {
    fn from(error: LocateError) -> Self {
        match error {
            LocateError::Deleted => Self::Deleted,
            LocateError::Unavailable(unavailable) => Self::Unavailable(unavailable),
        }
    }
}

/// The outcome of each part, in their order.
pub type Fetched = Vec<Result<FetchedPart, FetchError>>;

impl BrokerHandle {
    /// Reads as much as there is, up to the bounds, and waits for more within the bounds.
    pub async fn fetch(&self, fetch: Fetch) -> Fetched {
        let deadline = clock::now() + fetch.wait_max;
        let (calls, inbox) = mpsc::unbounded_channel();
        let mut reading = Reading { broker: self, fetch, fetched: Vec::new(), bytes: 0, calls, inbox };
        reading.poll_all().await;
        reading.read_all().await;
        while !reading.is_done() {
            let Ok(Some(grown)) = timeout_at(deadline, reading.inbox.recv()).await else { break };
            reading.take(grown).await;
        }
        reading.fetched
    }
}

/// A fetch on its way.
struct Reading<'a> {
    broker: &'a BrokerHandle,
    fetch: Fetch,
    fetched: Fetched,
    bytes: usize,
    calls: mpsc::UnboundedSender<Grown>,
    inbox: mpsc::UnboundedReceiver<Grown>,
}

impl Reading<'_> {
    /// An error that the client must act on ends the waiting, as bytes do. One in a partition that
    /// is not there does not: the others may still bring something.
    fn is_done(&self) -> bool {
        let is_urgent = |part: &Result<FetchedPart, FetchError>| {
            matches!(part, Err(FetchError::OutOfRange(_) | FetchError::Deleted | FetchError::Unavailable(_)))
        };
        self.fetch.parts.is_empty()
            || self.bytes >= self.fetch.bytes_min
            || self.bytes >= self.fetch.bytes_max
            || self.fetched.iter().any(is_urgent)
    }

    /// Asks all partitions where they begin and end, and to call when there is nothing yet.
    async fn poll_all(&mut self) {
        let parts = self.fetch.parts.iter().enumerate();
        let polls = parts.map(|(tag, part)| self.poll(tag, part, part.offset));
        let polled = join_all(polls).await;
        self.fetched = polled
            .into_iter()
            .zip(&self.fetch.parts)
            .map(|(polled, part)| {
                let polled = polled?;
                if part.offset < polled.log_start || part.offset > polled.high_watermark {
                    return Err(FetchError::OutOfRange(polled));
                }
                let Polled { log_start, high_watermark } = polled;
                Ok(FetchedPart { log_start, high_watermark, batches: Vec::new() })
            })
            .collect();
    }

    async fn poll(&self, tag: usize, part: &FetchPart, offset: Offset) -> Result<Polled, FetchError> {
        let watch =
            (!self.fetch.wait_max.is_zero()).then(|| Watch { tag, offset, calls: self.calls.clone() });
        let partition = self.broker.locate(&part.topic, &part.slot).await?;
        Ok(ask(&partition, |reply| Poll { watch, reply }).await?)
    }

    /// Reads what is there, all of it as one piece of work of one reader thread.
    async fn read_all(&mut self) {
        let mut wanted = Vec::new();
        for (tag, (part, fetched)) in self.fetch.parts.iter().zip(&self.fetched).enumerate() {
            if let Ok(fetched) = fetched
                && part.offset < fetched.high_watermark
            {
                wanted.push((tag, extent(part.slot.id, part.offset, fetched.high_watermark), part.bytes_max));
            }
        }
        self.read(wanted).await;
    }

    async fn read(&mut self, wanted: Vec<(usize, Extent, usize)>) {
        if wanted.is_empty() {
            return;
        }
        let mut left = self.fetch.bytes_max.saturating_sub(self.bytes);
        let mut first = if self.bytes == 0 { FirstBatch::Always } else { FirstBatch::IfItFits };
        let tags: Vec<_> = wanted.iter().map(|(tag, ..)| *tag).collect();
        let read = self.broker.readers().read(move |reader| {
            let mut outcomes = Vec::with_capacity(wanted.len());
            for (_, extent, bytes_max) in wanted {
                if left == 0 && first == FirstBatch::IfItFits {
                    break;
                }
                let read = reader.read(extent, bytes_max.min(left), first);
                if let Ok(batches) = &read
                    && !batches.is_empty()
                {
                    first = FirstBatch::IfItFits;
                    left = left.saturating_sub(batches.iter().map(Bytes::len).sum());
                }
                outcomes.push(read);
            }
            outcomes
        });
        let outcomes = read.await;
        let Ok(outcomes) = outcomes else {
            for tag in tags {
                self.fail(tag, Unavailable.into());
            }
            return;
        };
        for (tag, outcome) in tags.into_iter().zip(outcomes) {
            match outcome {
                Ok(batches) => self.add(tag, batches),
                Err(error) => {
                    tracing::error!(%error, "a partition cannot be read");
                    self.fail(tag, Unavailable.into());
                }
            }
        }
    }

    /// A partition has grown: takes its new batches, which are in hand.
    async fn take(&mut self, grown: Grown) {
        let Some((part, Ok(fetched))) = self.part(grown.tag) else { return };
        if grown.batches.is_empty() {
            self.fail(grown.tag, FetchError::Deleted);
            return;
        }
        fetched.high_watermark = grown.high_watermark;
        let mut left = part.bytes_max.saturating_sub(fetched.batches.iter().map(Bytes::len).sum());
        left = left.min(self.fetch.bytes_max.saturating_sub(self.bytes));
        let mut taken = Vec::new();
        let mut end = part.offset;
        for batch in grown.batches {
            let is_first = self.bytes == 0 && taken.is_empty();
            if batch.len() > left && !is_first {
                break;
            }
            left = left.saturating_sub(batch.len());
            end = Offset(batch.header.last_offset() + 1);
            taken.extend([batch.head, batch.records]);
        }
        self.add(grown.tag, taken);
        if !self.is_done() {
            self.watch_again(grown.tag, &part, end).await;
        }
    }

    /// Waits for more of a partition that has called once, from where its batches end.
    async fn watch_again(&mut self, tag: usize, part: &FetchPart, end: Offset) {
        match self.poll(tag, part, end).await {
            Ok(polled) if polled.high_watermark > end => {
                self.read(vec![(tag, extent(part.slot.id, end, polled.high_watermark), part.bytes_max)])
                    .await;
            }
            Ok(_) => {}
            Err(error) => self.fail(tag, error),
        }
    }

    fn part(&mut self, tag: usize) -> Option<(FetchPart, &mut Result<FetchedPart, FetchError>)> {
        Some((self.fetch.parts.get(tag)?.clone(), self.fetched.get_mut(tag)?))
    }

    fn add(&mut self, tag: usize, batches: Vec<Bytes>) {
        self.bytes += batches.iter().map(Bytes::len).sum::<usize>();
        if let Some(Ok(fetched)) = self.fetched.get_mut(tag) {
            fetched.batches.extend(batches);
        }
    }

    fn fail(&mut self, tag: usize, error: FetchError) {
        if let Some(fetched) = self.fetched.get_mut(tag) {
            *fetched = Err(error);
        }
    }
}

fn extent(partition: PartitionId, start: Offset, end: Offset) -> Extent {
    Extent { partition, start, end }
}
