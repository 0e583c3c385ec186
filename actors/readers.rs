//! Plain threads for all that reads from the disk, so that no arbiter ever waits for it.

use crate::mail::Unavailable;
use callboard_storage::log::LogReader;
use crossbeam_channel::{Sender, unbounded};
use std::future::Future;
use std::io;
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce(&LogReader) + Send>;

/// The reader threads. They end when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Readers(Sender<Job>);

impl Readers {
    /// Starts `count` threads.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn start(count: usize, reader: &LogReader) -> io::Result<Self> {
        let (jobs, inbox) = unbounded::<Job>();
        for number in 0..count.max(1) {
            let (inbox, reader) = (inbox.clone(), reader.clone());
            let thread = std::thread::Builder::new().name(format!("reader-{number}"));
            thread.spawn(move || {
                for job in inbox {
                    job(&reader);
                }
            })?;
        }
        Ok(Self(jobs))
    }

    /// Does a piece of reading on the next free thread. Jobs are bounded by the requests in flight.
    pub fn read<T, J>(&self, job: J) -> impl Future<Output = Result<T, Unavailable>> + use<T, J>
    where
        T: Send + 'static,
        J: FnOnce(&LogReader) -> T + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let sent = self.0.send(Box::new(move |reader| {
            // Nobody may wait any more; then nothing needs to be read.
            if !reply.is_closed() {
                let _ = reply.send(job(reader));
            }
        }));
        async move {
            sent.map_err(|_| Unavailable)?;
            answer.await.map_err(|_| Unavailable)
        }
    }
}
