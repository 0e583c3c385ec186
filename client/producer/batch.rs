//! A batch of a lane, and what becomes of its records.

use super::delivery::{Outcome, Receipt};
use super::sender::Flushing;
use crate::error::Error;
use bytes::Bytes;
use callboard_protocol::batch::{BATCH_HEADER_BYTES, Batch, BatchBuilder, Producing};
use callboard_protocol::native::produce::BatchAppended;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::oneshot;

/// A batch that is filled.
#[derive(Debug)]
pub(super) struct Filling {
    pub(super) number: u64,
    pub(super) builder: BatchBuilder,
    pub(super) waiting: Vec<Waiting>,
    pub(super) cost: usize,
    pub(super) begun: Instant,
    pub(super) flushes: Vec<Arc<Flushing>>,
}

/// Who waits for the receipt of a record.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) timestamp: i64,
    pub(super) outcome: oneshot::Sender<Outcome>,
}

/// A batch that is full.
#[derive(Debug)]
pub(super) struct Filled {
    pub(super) filling: Option<BatchBuilder>,
    /// Whole, once it was sent.
    pub(super) batch: Option<Batch>,
    pub(super) number: u64,
    pub(super) waiting: Vec<Waiting>,
    pub(super) cost: usize,
    pub(super) begun: Instant,
    /// Dropped with the batch, which is what a flush waits for.
    pub(super) flushes: Vec<Arc<Flushing>>,
}

/// A batch to be sent.
#[derive(Debug)]
pub(super) struct ToSend {
    /// Which of the lane's sendings this is: a batch that is sent once more is another.
    pub(super) sending: u64,
    pub(super) bytes: Bytes,
}

/// What became of records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Settled {
    /// Bytes of the buffer that are free again.
    pub(super) freed: usize,
    /// Records that were delivered, and bytes of their batch.
    pub(super) delivered: Option<(usize, usize)>,
    /// Records that failed.
    pub(super) failed: usize,
    /// Batches that will be sent once more.
    pub(super) repeated: usize,
}

impl Filled {
    /// Tells all that wait where their records stand.
    pub(super) fn deliver(self, partition: u32, appended: &BatchAppended) -> Settled {
        let bytes = self.batch.as_ref().map_or(0, |batch| batch.bytes.len());
        let delivered = Some((self.waiting.len(), bytes));
        for (at, waiting) in (0..).zip(self.waiting) {
            let timestamp =
                if appended.log_append_time < 0 { waiting.timestamp } else { appended.log_append_time };
            let offset = if appended.base_offset < 0 { -1 } else { appended.base_offset + at };
            // Nobody may wait for it.
            let _ = waiting.outcome.send(Ok(Receipt { partition, offset, timestamp }));
        }
        Settled { freed: self.cost, delivered, ..Settled::default() }
    }

    /// Tells all that wait that their records failed.
    pub(super) fn fail(self, error: &Error) -> Settled {
        let failed = self.waiting.len();
        for waiting in self.waiting {
            // Nobody may wait for it.
            let _ = waiting.outcome.send(Err(error.clone()));
        }
        Settled { freed: self.cost, failed, ..Settled::default() }
    }
}

impl Settled {
    pub(super) fn add(&mut self, other: Self) {
        self.freed += other.freed;
        self.failed += other.failed;
    }
}

/// The same records under another number; the same bytes under the same.
pub(super) fn renumbered(batch: Batch, producing: Option<Producing>) -> Batch {
    let mut header = batch.header;
    if let Some(Producing { id, epoch, base_sequence }) = producing {
        (header.producer_id, header.producer_epoch, header.base_sequence) = (id, epoch, base_sequence);
    }
    if header == batch.header {
        return batch;
    }
    Batch::seal(header, batch.bytes.get(BATCH_HEADER_BYTES..).unwrap_or_default())
}
