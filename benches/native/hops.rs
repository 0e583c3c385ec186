//! What the machine itself needs for the way of a record that is acknowledged when it is written: a message
//! from the client's thread to the partition's, to the committer's, a write there, and the answer.

use anyhow::{Context, Result};
use callboard_benches::broker::release_folder;
use callboard_benches::produce::Outcome;
use callboard_benches::report;
use std::io::Write;
use std::thread;
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};

use crate::{own_usage, runtime};

/// Sends so many messages of that size on that way, one after the other.
///
/// # Errors
/// When a thread cannot start or the file not be written.
pub(crate) fn run(bytes: usize, messages: usize) -> Result<()> {
    let (to_partition, mut partition) = mpsc::unbounded_channel::<oneshot::Sender<()>>();
    let (to_committer, mut committer) = mpsc::unbounded_channel::<oneshot::Sender<()>>();
    let mut file = tempfile::tempfile_in(release_folder()?)?;
    let payload = vec![7; bytes];
    let (on_partition, on_committer) = (runtime()?, runtime()?);
    thread::spawn(move || {
        on_partition.block_on(async {
            while let Some(answer) = partition.recv().await {
                let _ = to_committer.send(answer);
            }
        });
    });
    thread::spawn(move || {
        on_committer.block_on(async {
            while let Some(answer) = committer.recv().await {
                if file.write_all(&payload).is_ok() {
                    let _ = answer.send(());
                }
            }
        });
    });
    let before = own_usage()?;
    let begun = Instant::now();
    let mut latencies = Vec::with_capacity(messages);
    runtime()?.block_on(async {
        for _ in 0..messages {
            let sent = Instant::now();
            let (answer, answered) = oneshot::channel();
            to_partition.send(answer).ok().context("the thread is gone")?;
            answered.await?;
            latencies.push(sent.elapsed());
        }
        anyhow::Ok(())
    })?;
    let took = begun.elapsed();
    latencies.sort_unstable();
    let outcome = Outcome { took, bytes: messages * bytes, records: messages, latencies };
    report::load("alone", "(machine)", &outcome, before, own_usage()?);
    Ok(())
}
