//! What a producer has done so far.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// What a producer has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metrics {
    /// Records that were delivered.
    pub records_delivered: u64,
    /// Records that were not.
    pub records_failed: u64,
    /// Records that were never sent, because their [`Delivery`](super::Delivery) was dropped while they
    /// waited in it for room.
    pub records_dropped: u64,
    /// Batches that were delivered.
    pub batches_delivered: u64,
    /// Bytes of those batches, as they were sent.
    pub bytes_delivered: u64,
    /// Batches that were sent once more.
    pub batches_repeated: u64,
    /// Bytes of the buffer that records take now.
    pub buffered_bytes: usize,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    records_delivered: AtomicU64,
    records_failed: AtomicU64,
    records_dropped: AtomicU64,
    batches_delivered: AtomicU64,
    bytes_delivered: AtomicU64,
    batches_repeated: AtomicU64,
    /// Records that wait for room now.
    waiting: AtomicUsize,
}

/// A record that waits for room, which counts when it is dropped.
#[derive(Debug)]
pub(super) struct Waiting {
    counters: Arc<Counters>,
    is_dropped: bool,
}

impl Waiting {
    pub(super) fn begin(counters: &Arc<Counters>) -> Self {
        counters.waiting.fetch_add(1, Ordering::Relaxed);
        Self { counters: Arc::clone(counters), is_dropped: true }
    }

    /// There is room.
    pub(super) fn sent(mut self) {
        self.is_dropped = false;
    }

    /// There never will be.
    pub(super) fn failed(mut self) {
        self.is_dropped = false;
        self.counters.failed(1);
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.counters.waiting.fetch_sub(1, Ordering::Relaxed);
        if self.is_dropped {
            self.counters.records_dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Counters {
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    pub(super) fn delivered(&self, records: usize, bytes: usize) {
        self.records_delivered.fetch_add(records as u64, Ordering::Relaxed);
        self.batches_delivered.fetch_add(1, Ordering::Relaxed);
        self.bytes_delivered.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn failed(&self, records: usize) {
        self.records_failed.fetch_add(records as u64, Ordering::Relaxed);
    }

    pub(super) fn repeated(&self, batches: usize) {
        self.batches_repeated.fetch_add(batches as u64, Ordering::Relaxed);
    }

    pub(super) fn read(&self, buffered_bytes: usize) -> Metrics {
        Metrics {
            records_delivered: self.records_delivered.load(Ordering::Relaxed),
            records_failed: self.records_failed.load(Ordering::Relaxed),
            records_dropped: self.records_dropped.load(Ordering::Relaxed),
            batches_delivered: self.batches_delivered.load(Ordering::Relaxed),
            bytes_delivered: self.bytes_delivered.load(Ordering::Relaxed),
            batches_repeated: self.batches_repeated.load(Ordering::Relaxed),
            buffered_bytes,
        }
    }
}
