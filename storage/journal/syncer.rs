//! The thread that syncs the newest segment while the next records are written to it.

use crate::crash_points::{Point, reach};
use crate::disk::{Disk, DiskFile};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

/// The way to the thread, which is started at the first use.
#[derive(Debug, Default)]
pub(super) struct Syncer {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

/// A sync on its way.
#[derive(Debug)]
pub(super) enum Syncing {
    /// On the thread.
    Beside(Receiver<io::Result<()>>),
    /// On a disk without threads: it takes place when somebody waits for it, and not before, so that a
    /// crash comes between its beginning and its end.
    WhenWaitedFor(Arc<dyn DiskFile>),
}

/// A file to sync.
struct Job {
    file: Arc<dyn DiskFile>,
    outcome: Sender<io::Result<()>>,
    /// Called when the outcome is there.
    done: Box<dyn FnOnce() + Send>,
}

impl Syncer {
    /// Begins to sync a file of that disk, and lets `done` be called on the thread when that is over.
    pub(super) fn begin(
        &mut self,
        disk: &dyn Disk,
        file: Arc<dyn DiskFile>,
        done: impl FnOnce() + Send + 'static,
    ) -> io::Result<Syncing> {
        if !disk.has_threads() {
            done();
            return Ok(Syncing::WhenWaitedFor(file));
        }
        let (outcome, syncing) = channel();
        let jobs = match &self.jobs {
            Some(jobs) => jobs,
            None => self.start()?,
        };
        let ended = || io::Error::other("the thread that syncs has ended");
        jobs.send(Job { file, outcome, done: Box::new(done) }).map_err(|_| ended())?;
        Ok(Syncing::Beside(syncing))
    }

    fn start(&mut self) -> io::Result<&Sender<Job>> {
        let (jobs, inbox) = channel();
        let thread = std::thread::Builder::new().name("syncer".into());
        self.thread = Some(thread.spawn(move || run(&inbox))?);
        Ok(self.jobs.insert(jobs))
    }
}

fn run(inbox: &Receiver<Job>) {
    while let Ok(Job { file, outcome, done }) = inbox.recv() {
        reach(Point::SyncBesideBegins);
        let synced = file.sync();
        reach(Point::SyncedBeside);
        // Nobody asks for it any more when the journal ends.
        let _ = outcome.send(synced);
        done();
    }
}

impl Syncing {
    /// Waits for the outcome.
    pub(super) fn wait(self) -> io::Result<()> {
        match self {
            Self::Beside(outcome) => {
                outcome.recv().unwrap_or_else(|_| Err(io::Error::other("the thread that syncs has ended")))
            }
            Self::WhenWaitedFor(file) => file.sync(),
        }
    }
}

/// The thread must not outlive the journal: the data folder may belong to another process then.
impl Drop for Syncer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A panic in there was reported by the thread, and the sync counts as failed.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("file", &self.file).finish_non_exhaustive()
    }
}
