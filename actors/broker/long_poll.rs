//! Fetch: reads many partitions at once, and waits for more where there is too little.
//!
//! Each partition is asked once where it ends. What is behind its end is read; one that is read to
//! its end calls when it grows, with its new batches in hand. Nobody asks again and again.

use super::BrokerHandle;
use super::answers::{Overdraft, Overdrawn, Room};
use super::locate::LocateError;
use super::topics::{PartitionSlot, TopicView};
use crate::clock;
use crate::courtesy::Courtesy;
use crate::mail::Unavailable;
use crate::partition::poll::{Grown, Isolation, Polled, Watch};
use bytes::Bytes;
use callboard_protocol::batch::BatchHeader;
use callboard_storage::Offset;
use callboard_storage::log::LogReader;
use callboard_storage::log::reader::{Extent, FirstBatch};
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout_at;

/// What to read.
#[derive(Debug, Clone)]
pub struct Fetch {
    /// The partitions, each once; the first are served first.
    pub parts: Vec<FetchPart>,
    /// Bytes of the whole answer; only the first batch may pass them.
    pub bytes_max: usize,
    /// Bytes below which the answer waits.
    pub bytes_min: usize,
    /// How long it waits at most.
    pub wait_max: Duration,
    /// What its client may have when answers that are not read take up all their room; without it,
    /// nothing is read then.
    pub overdraft: Option<Overdraft>,
    /// What may be read.
    pub isolation: Isolation,
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
    /// The offset behind the last record that is durable.
    pub high_watermark: Offset,
    /// The offset behind the last record that no open transaction may still take back.
    pub last_stable: Offset,
    /// The transactions that were aborted and have records among the batches, for who reads committed
    /// records. There are no transactions yet.
    pub aborted: Vec<AbortedTransaction>,
    /// Whole batches; the first of them may begin before the offset.
    pub batches: Vec<Bytes>,
}

/// A transaction whose records count for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbortedTransaction {
    /// The id of its producer.
    pub producer_id: i64,
    /// Offset of its first record in the partition.
    pub first_offset: Offset,
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
        let (calls, mut inbox) = mpsc::unbounded_channel();
        let parts = fetch.parts.into_iter().map(|part| Part::new(part, fetch.isolation)).collect();
        let (left, bytes_min) = (fetch.bytes_max, fetch.bytes_min);
        let calls = (!fetch.wait_max.is_zero()).then_some(calls);
        let overdraft = fetch.overdraft;
        let mut reading = Reading { broker: self, parts, bytes: 0, left, bytes_min, calls, overdraft };
        loop {
            reading.settle().await;
            if reading.is_done() {
                break;
            }
            let Ok(Some(grown)) = timeout_at(deadline, inbox.recv()).await else { break };
            reading.take(grown);
        }
        reading.parts.into_iter().map(Part::finish).collect()
    }
}

/// A fetch on its way.
struct Reading<'a> {
    broker: &'a BrokerHandle,
    parts: Vec<Part>,
    /// Bytes read so far, and those that may still be.
    bytes: usize,
    left: usize,
    bytes_min: usize,
    /// Where partitions call; none when nothing is waited for.
    calls: Option<mpsc::UnboundedSender<Grown>>,
    overdraft: Option<Overdraft>,
}

/// A partition that is read.
struct Part {
    wanted: FetchPart,
    isolation: Isolation,
    fetched: FetchedPart,
    /// The offset behind the last record that it may read.
    end: Offset,
    state: State,
    /// The offset behind what was read, and the bytes that may still be.
    next: Offset,
    left: usize,
}

/// How far the reading of a partition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It must be asked where it ends.
    Open,
    /// It is read to its end, and calls when it grows.
    Watched,
    /// Nothing more of it fits.
    Full,
    /// It cannot be read.
    Failed(FetchError),
}

impl Part {
    fn new(wanted: FetchPart, isolation: Isolation) -> Self {
        let (next, left) = (wanted.offset, wanted.bytes_max);
        let (fetched, end) = (FetchedPart::default(), Offset::default());
        Self { wanted, isolation, fetched, end, state: State::Open, next, left }
    }

    fn finish(self) -> Result<FetchedPart, FetchError> {
        match self.state {
            State::Failed(error) => Err(error),
            State::Open | State::Watched | State::Full => Ok(self.fetched),
        }
    }

    /// Takes what a partition says of its ends.
    fn polled(&mut self, polled: Result<Polled, FetchError>) {
        let polled = match polled {
            Ok(polled) => polled,
            Err(error) => {
                self.state = State::Failed(error);
                return;
            }
        };
        let has_nothing = self.fetched.batches.is_empty();
        // What stands behind the last stable offset is there, though it may not be read yet.
        if has_nothing && (self.next < polled.log_start || self.next > polled.high_watermark) {
            self.state = State::Failed(FetchError::OutOfRange(polled));
            return;
        }
        self.reach(polled);
        if self.next >= self.end {
            self.state = State::Watched;
        }
    }

    fn reach(&mut self, ends: Polled) {
        self.fetched.log_start = ends.log_start;
        self.fetched.high_watermark = ends.high_watermark;
        self.fetched.last_stable = ends.last_stable;
        self.end = ends.end(self.isolation);
    }

    fn is_behind(&self) -> bool {
        self.state == State::Open && self.next < self.end
    }
}

impl Reading<'_> {
    /// An error that the client must act on ends the waiting, as bytes do.
    fn is_done(&self) -> bool {
        let can_grow = self.parts.iter().any(|part| matches!(part.state, State::Open | State::Watched));
        let has_failed = self.parts.iter().any(|part| matches!(part.state, State::Failed(_)));
        self.calls.is_none() || self.bytes >= self.bytes_min || has_failed || !can_grow
    }

    /// Asks and reads until each partition is read to its end and watched, or full, or failed.
    async fn settle(&mut self) {
        loop {
            self.poll_open().await;
            if !self.parts.iter().any(Part::is_behind) {
                return;
            }
            self.read_behind().await;
            if self.is_done() {
                return;
            }
        }
    }

    /// Asks the partitions that must be asked, all at once.
    async fn poll_open(&mut self) {
        let this = &*self;
        let open = this.parts.iter().enumerate().filter(|(_, part)| part.state == State::Open);
        let polls = open.map(|(tag, part)| async move { (tag, this.poll(tag, part).await) });
        for (tag, polled) in join_all(polls).await {
            if let Some(part) = self.parts.get_mut(tag) {
                part.polled(polled);
            }
        }
    }

    async fn poll(&self, tag: usize, part: &Part) -> Result<Polled, FetchError> {
        let answers = self.broker.answers();
        let watch = |calls| Watch {
            tag,
            offset: part.next,
            isolation: part.isolation,
            answers: answers.clone(),
            calls,
        };
        let watch = self.calls.clone().map(watch);
        self.broker.poll(&part.wanted.topic, &part.wanted.slot, watch).await
    }

    /// Reads what is there, as soon as there is room for something of it. Who has a batch beyond the
    /// bound waits for no more, which others of its client's requests wait for.
    async fn read_behind(&mut self) {
        let mut beyond = None;
        while !self.try_read_behind(beyond.take()).await {
            let Some(overdraft) = &self.overdraft else {
                self.calls = None;
                return;
            };
            beyond = overdraft.take().await;
            self.bytes_min = 0;
        }
    }

    /// Reads what is there, all of it as one piece of work of one reader thread. Whether there was room.
    async fn try_read_behind(&mut self, beyond: Option<Overdrawn>) -> bool {
        let behind = self.parts.iter().enumerate().filter(|(_, part)| part.is_behind());
        let (tags, wanted): (Vec<_>, Vec<_>) = behind
            .map(|(tag, part)| {
                let (start, end) = (part.next, part.end);
                let extent = Extent { partition: part.wanted.slot.id, start, end };
                (tag, Behind { part: part.wanted.clone(), extent, bytes_max: part.left })
            })
            .unzip();
        let first = if self.bytes == 0 { FirstBatch::Always } else { FirstBatch::IfItFits };
        let (broker, left) = (self.broker.clone(), self.left);
        let read = self.broker.readers().read(move |reader| {
            // Taken now and not when the reading was asked for: many may wait for a reader.
            read_each(reader, wanted, first, broker.answers().reserve(left, beyond), broker.courtesy())
        });
        let Some(outcomes) = read.await.unwrap_or(Some(Vec::new())) else { return false };
        for (place, tag) in tags.into_iter().enumerate() {
            match outcomes.get(place) {
                Some(Ok(batches)) => self.add_read(tag, batches),
                Some(Err(Unavailable)) | None => self.fail(tag),
            }
        }
        true
    }

    /// Takes batches that were read. What was asked for and did not come did not fit.
    fn add_read(&mut self, tag: usize, batches: &[Bytes]) {
        let Some(part) = self.parts.get_mut(tag) else { return };
        for batch in batches {
            let header = BatchHeader::parse(batch);
            part.next = header.map_or(part.next, |header| Offset(header.last_offset() + 1));
            part.left = part.left.saturating_sub(batch.len());
            self.left = self.left.saturating_sub(batch.len());
            self.bytes += batch.len();
            part.fetched.batches.push(batch.clone());
        }
        if part.next < part.end {
            part.state = State::Full;
        }
    }

    /// A partition has grown: takes its new batches as far as they are in hand and fit.
    fn take(&mut self, grown: Grown) {
        let Some(part) = self.parts.get_mut(grown.tag).filter(|part| part.state == State::Watched) else {
            return;
        };
        part.state = State::Open;
        for batch in grown.batches {
            let fits = batch.len() <= part.left.min(self.left) || self.bytes == 0;
            if !fits {
                part.state = State::Full;
                break;
            }
            part.next = Offset(batch.header.last_offset() + 1);
            part.left = part.left.saturating_sub(batch.len());
            self.left = self.left.saturating_sub(batch.len());
            self.bytes += batch.len();
            part.fetched.batches.extend([batch.head, batch.records]);
        }
        if let Some(ends) = grown.ends {
            part.reach(ends);
        }
        if self.bytes >= self.bytes_min && part.state == State::Open {
            // Enough: where it ends now need not be asked.
            part.state = State::Watched;
        }
    }

    fn fail(&mut self, tag: usize) {
        if let Some(part) = self.parts.get_mut(tag) {
            part.state = State::Failed(Unavailable.into());
        }
    }
}

/// What is to be read of a partition from the disk.
struct Behind {
    part: FetchPart,
    extent: Extent,
    bytes_max: usize,
}

/// Reads one partition after the other until the bytes are used up; what is left out is empty. None when
/// there was no room for the first batch.
fn read_each(
    reader: &LogReader,
    wanted: Vec<Behind>,
    mut first: FirstBatch,
    mut room: Room,
    courtesy: &Courtesy,
) -> Option<Vec<Result<Vec<Bytes>, Unavailable>>> {
    let mut read = |Behind { part, extent, bytes_max }: Behind| {
        if room.left() == 0 && first == FirstBatch::IfItFits {
            return Some(Ok(Vec::new()));
        }
        let batches = match reader.read(extent, bytes_max.min(room.left()), first, || courtesy.step_bytes()) {
            Ok(batches) => room.fill(batches)?,
            Err(error) => {
                let (topic, partition, offset) = (&part.topic.name, part.slot.index, extent.start);
                tracing::error!(%error, %topic, partition, %offset, "a partition cannot be read");
                return Some(Err(Unavailable));
            }
        };
        if !batches.is_empty() {
            first = FirstBatch::IfItFits;
        }
        Some(Ok(batches))
    };
    wanted.into_iter().map(&mut read).collect()
}

#[cfg(test)]
mod tests;
