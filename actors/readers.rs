//! Plain threads for all that reads from the disk, so that no arbiter ever waits for it.

use crate::mail::Unavailable;
use arc_swap::ArcSwapOption;
use callboard_storage::log::LogReader;
use crossbeam_channel::{Sender, unbounded};
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::sync::{Mutex, mpsc, oneshot};

type Job = Box<dyn FnOnce(&LogReader) + Send>;

/// The reader threads. They end when they are stopped or the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Readers {
    /// `None` once stopped.
    way: Arc<ArcSwapOption<Way>>,
    /// Ends when the last thread has.
    alive: Arc<Mutex<mpsc::Receiver<Infallible>>>,
}

/// Where reading is done.
#[derive(Debug)]
enum Way {
    /// On the next free thread.
    Beside(Sender<Job>),
    /// By who asks for it, as a disk without threads wants it.
    Here(LogReader),
}

impl Way {
    fn go(&self, job: Job) {
        match self {
            // Where no thread takes the job any more, its answer says so.
            Self::Beside(jobs) => drop(jobs.send(job)),
            Self::Here(reader) => job(reader),
        }
    }
}

impl Readers {
    /// Starts `count` threads, unless the disk is one that has none.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn start(count: usize, reader: &LogReader) -> io::Result<Self> {
        let (jobs, inbox) = unbounded::<Job>();
        let (living, alive) = mpsc::channel(1);
        if !reader.has_threads() {
            return Ok(Self::by(Way::Here(reader.clone()), alive));
        }
        for number in 0..count.max(1) {
            let (inbox, reader, living) = (inbox.clone(), reader.clone(), living.clone());
            let thread = std::thread::Builder::new().name(format!("reader-{number}"));
            thread.spawn(move || {
                for job in inbox {
                    // Nobody gets an answer then, which says that it is not available; a thread
                    // that is gone would be missing for good.
                    let _ = std::panic::catch_unwind(AssertUnwindSafe(|| job(&reader)));
                }
                // Whoever waits for the thread may open the index again.
                drop(reader);
                drop(living);
            })?;
        }
        Ok(Self::by(Way::Beside(jobs), alive))
    }

    fn by(way: Way, alive: mpsc::Receiver<Infallible>) -> Self {
        Self { way: Arc::new(ArcSwapOption::from_pointee(way)), alive: Arc::new(Mutex::new(alive)) }
    }

    /// Ends the threads once they have done what they were sent, and lets go of the index. What is
    /// to be read later is answered [`Unavailable`].
    pub async fn stop(&self) {
        self.way.store(None);
        while self.alive.lock().await.recv().await.is_some() {}
    }

    /// Does a piece of reading on the next free thread. Jobs are bounded by the requests in flight.
    ///
    /// # Errors
    /// [`Unavailable`] once the threads are stopped.
    pub fn read<T, J>(&self, job: J) -> impl Future<Output = Result<T, Unavailable>> + use<T, J>
    where
        T: Send + 'static,
        J: FnOnce(&LogReader) -> T + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |reader| {
            // Nobody may wait any more; then nothing needs to be read.
            if !reply.is_closed() {
                let _ = reply.send(job(reader));
            }
        });
        if let Some(way) = &*self.way.load() {
            way.go(job);
        }
        async move { answer.await.map_err(|_| Unavailable) }
    }
}
