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
    /// Whether the workers end with the broker.
    are_own: bool,
    committer: ArbiterHandle,
    next: Arc<AtomicUsize>,
}

impl Placement {
    /// Starts `workers` threads, one per core for 0, and the committer's.
    #[allow(clippy::disallowed_methods, reason = "arbiters are named here")]
    pub fn start(workers: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let count = if workers == 0 { cores } else { workers };
        Self::of((0..count).map(|_| Arbiter::new().handle()), true)
    }

    /// Workers that others run on too, and that do not end with the broker; the committer's thread is started.
    pub fn among(workers: impl IntoIterator<Item = ArbiterHandle>) -> Self {
        Self::of(workers, false)
    }

    /// All actors on the current thread, which must run actors: for simulation.
    pub fn here() -> Self {
        let here = Arbiter::current();
        Self { workers: Arc::new([here.clone()]), are_own: true, committer: here, next: Arc::default() }
    }

    #[allow(clippy::disallowed_methods, reason = "arbiters are named here")]
    fn of(workers: impl IntoIterator<Item = ArbiterHandle>, are_own: bool) -> Self {
        let workers = workers.into_iter().collect();
        Self { workers, are_own, committer: Arbiter::new().handle(), next: Arc::default() }
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

    /// Ends the threads that are the broker's own, once what they do is done.
    pub fn stop(&self) {
        if self.are_own {
            for worker in self.workers.iter() {
                worker.stop();
            }
        }
        self.committer.stop();
    }

    fn worker(&self, number: usize) -> &ArbiterHandle {
        self.workers.get(number % self.workers.len().max(1)).unwrap_or(&self.committer)
    }
}
