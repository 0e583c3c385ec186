//! Which actor runs on which thread.

use crate::fnv;
use actix::{Arbiter, ArbiterHandle};
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The threads that actors run on.
///
/// Partitions, groups and connections share the workers; the broker and the coordinator run on the
/// first of them. The committer blocks, so it has a thread of its own.
#[derive(Debug, Clone)]
pub struct Placement {
    workers: Arc<[ArbiterHandle]>,
    committer: ArbiterHandle,
    next: Arc<AtomicUsize>,
}

impl Placement {
    /// Starts `workers` threads, one per core for 0, and the committer's.
    #[allow(clippy::disallowed_methods, reason = "arbiters are named here")]
    pub fn start(workers: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let count = if workers == 0 { cores } else { workers };
        Self {
            workers: (0..count).map(|_| Arbiter::new().handle()).collect(),
            committer: Arbiter::new().handle(),
            next: Arc::default(),
        }
    }

    /// All actors on the current thread, which must run actors: for simulation.
    pub fn here() -> Self {
        let here = Arbiter::current();
        Self { workers: Arc::new([here.clone()]), committer: here, next: Arc::default() }
    }

    /// The committer's thread.
    pub fn committer(&self) -> &ArbiterHandle {
        &self.committer
    }

    /// The broker's thread.
    pub fn broker(&self) -> &ArbiterHandle {
        self.worker(0)
    }

    /// The thread of a partition; always the same one.
    pub fn partition(&self, partition: callboard_storage::PartitionId) -> &ArbiterHandle {
        self.worker(partition.0 as usize)
    }

    /// The thread of a group; always the same one.
    pub fn group(&self, group: &str) -> &ArbiterHandle {
        self.worker(fnv::hash(group.bytes()) as usize)
    }

    /// The thread of a new connection; one after the other.
    pub fn connection(&self) -> &ArbiterHandle {
        self.worker(self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Ends the threads, once what they do is done.
    pub fn stop(&self) {
        for worker in self.workers.iter() {
            worker.stop();
        }
        self.committer.stop();
    }

    fn worker(&self, number: usize) -> &ArbiterHandle {
        self.workers.get(number % self.workers.len().max(1)).unwrap_or(&self.committer)
    }
}
