//! The thread that makes checkpoints durable and then frees dead segments, beside the writer.

use crate::checkpoint::Checkpoint;
use crate::crash_points::{Point, reach};
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::ids::{SegmentId, Sequence};
use crate::index::Index;
use crate::journal;
use crate::journal::reclaim::reclaim;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often the index is asked whether it has written its tables.
const FLUSH_POLL: Duration = Duration::from_millis(5);
/// After so long without success a checkpoint is given up; the next one covers it.
const FLUSH_TIMEOUT: Duration = Duration::from_mins(1);

/// After how much a checkpoint is due, whichever comes first.
#[derive(Debug, Clone, Copy)]
pub struct CheckpointBounds {
    /// Bytes of the journal since the last; bounds what an opening reads.
    pub bytes: u64,
    /// Records since the last; bounds what an opening applies.
    pub records: u64,
    /// Time since the last, when anything was written.
    pub interval: Duration,
}

/// The files that the checkpointer writes and removes.
#[derive(Debug, Clone)]
pub struct Files {
    /// The file system.
    pub disk: Arc<dyn Disk>,
    /// The checkpoint file.
    pub checkpoint: PathBuf,
    /// The folder of the journal's segments.
    pub journal: PathBuf,
}

/// The writer's side: when a checkpoint is due, and the way to the thread.
#[derive(Debug)]
pub struct Checkpointer {
    bounds: CheckpointBounds,
    way: Way,
    busy: Arc<AtomicBool>,
    last: Progress,
}

/// Where the work is done.
#[derive(Debug)]
enum Way {
    Beside {
        jobs: Sender<Checkpoint>,
        thread: JoinHandle<()>,
    },
    /// By who asks for it, as a disk without threads wants it.
    Here(Box<Worker>),
    Ended,
}

#[derive(Debug)]
struct Progress {
    sequence: Sequence,
    /// Bytes that had been appended since the start.
    bytes: u64,
    at: Instant,
}

impl Checkpointer {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`Error::Io`] when no thread can be had.
    pub fn start(
        files: Files,
        index: Index,
        reader: Arc<journal::Reader>,
        bounds: CheckpointBounds,
    ) -> Result<Self> {
        let busy = Arc::new(AtomicBool::new(false));
        let worker = Worker { files, index, reader, busy: Arc::clone(&busy), reclaimed: None };
        let way = if worker.files.disk.has_threads() { worker.start()? } else { Way::Here(Box::new(worker)) };
        let last = Progress { sequence: Sequence(0), bytes: 0, at: Instant::now() };
        Ok(Self { bounds, way, busy, last })
    }

    /// Says which record the last checkpoint covers.
    pub fn count_from(&mut self, sequence: Sequence) {
        self.last.sequence = sequence;
    }

    /// Whether a checkpoint is due, the last record applied being `applied`, with so many bytes
    /// appended since the start.
    pub fn is_due(&self, applied: Sequence, appended_bytes: u64) -> bool {
        let records = applied.0 - self.last.sequence.0;
        if records == 0 || self.is_busy() {
            return false;
        }
        let bytes = appended_bytes - self.last.bytes;
        let is_late = self.last.at.elapsed() >= self.bounds.interval;
        records >= self.bounds.records || bytes >= self.bounds.bytes || is_late
    }

    /// Whether a checkpoint is on its way.
    pub fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Acquire)
    }

    /// Begins a checkpoint at that place, all before it being applied.
    pub fn begin(&mut self, checkpoint: Checkpoint, appended_bytes: u64) {
        self.busy.store(true, Ordering::Release);
        self.last = Progress { sequence: checkpoint.sequence, bytes: appended_bytes, at: Instant::now() };
        match &mut self.way {
            // The thread ends only when this side does.
            Way::Beside { jobs, .. } => drop(jobs.send(checkpoint)),
            Way::Here(worker) => worker.work(&checkpoint),
            Way::Ended => {}
        }
    }

    /// Waits until all checkpoints that were begun are done, and ends the thread.
    pub fn finish(&mut self) {
        if let Way::Beside { jobs, thread } = std::mem::replace(&mut self.way, Way::Ended) {
            drop(jobs);
            // A panic in there was reported by the thread; the journal does not depend on it.
            let _ = thread.join();
        }
    }
}

/// The thread must not outlive the log: the data folder may belong to another process then.
impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.finish();
    }
}

#[derive(Debug)]
struct Worker {
    files: Files,
    index: Index,
    reader: Arc<journal::Reader>,
    busy: Arc<AtomicBool>,
    /// How often log starts had been raised, and before which segment, when it last looked.
    reclaimed: Option<(u64, SegmentId)>,
}

impl Worker {
    fn start(self) -> Result<Way> {
        let (jobs, inbox) = channel();
        let folder = self.files.journal.clone();
        let thread = std::thread::Builder::new()
            .name("checkpointer".into())
            .spawn(move || self.run(&inbox))
            .map_err(Error::io("starting the checkpoint thread of", folder))?;
        Ok(Way::Beside { jobs, thread })
    }

    fn run(mut self, inbox: &Receiver<Checkpoint>) {
        while let Ok(checkpoint) = inbox.recv() {
            // Of several that wait, the newest covers the others.
            let newest = inbox.try_iter().last().unwrap_or(checkpoint);
            self.work(&newest);
        }
    }

    fn work(&mut self, checkpoint: &Checkpoint) {
        if let Err(error) = self.checkpoint(checkpoint) {
            tracing::error!(%error, "checkpoint failed");
        }
        self.busy.store(false, Ordering::Release);
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let started = Instant::now();
        reach(Point::FlushBegins);
        self.index.begin_flush()?;
        while !self.index.is_flushed()? {
            if started.elapsed() > FLUSH_TIMEOUT {
                tracing::warn!(
                    "the index did not write its tables in time; the next checkpoint will cover this"
                );
                return Ok(());
            }
            // There is no event to wait for when tables are written.
            std::thread::park_timeout(FLUSH_POLL);
        }
        reach(Point::Flushed);
        checkpoint.write(self.files.disk.as_ref(), &self.files.checkpoint)?;
        tracing::debug!(sequence = %checkpoint.sequence, elapsed = ?started.elapsed(), "checkpoint");
        self.reclaim(checkpoint.segment)
    }

    /// Looks for dead segments: among all when some log start was raised since the last look, and else among
    /// those that were sealed since.
    fn reclaim(&mut self, before: SegmentId) -> Result<()> {
        let raised = self.index.bounds().raised();
        let looked_at = self.reclaimed.filter(|(then, _)| *then == raised);
        let range = looked_at.map_or(SegmentId(0), |(_, before)| before)..before;
        if range.is_empty() {
            return Ok(());
        }
        let disk = self.files.disk.as_ref();
        let removed = reclaim(disk, &self.files.journal, &self.index, &self.reader, range)?;
        self.reclaimed = Some((raised, before));
        if removed > 0 {
            tracing::info!(removed, "journal segments freed");
        }
        Ok(())
    }
}
