//! Readings: what comes into partitions is pushed, for as long as the client has given credit.

use super::Native;
use super::read::{Bounds, check_once, isolation, read};
use bytes::Bytes;
use callboard_actors::broker::answers::Overdraft;
use callboard_actors::partition::poll::Isolation;
use callboard_protocol::batch::{BATCH_HEADER_BYTES, BatchHeader};
use callboard_protocol::native::Refusal;
use callboard_protocol::native::read::{Fetched, FetchedPart, IsolationLevel, ReadBatches, ReadPart};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// How long the broker waits at once. Nothing depends on it: it waits again.
const WAIT_MAX: Duration = Duration::from_secs(600);

/// The bytes that a client has ever given a reading. Dropping it ends the reading: nothing is pushed
/// once that has happened on the thread that it runs on.
#[derive(Debug)]
pub(super) struct Credit(watch::Sender<u64>);

impl Credit {
    /// Gives so many bytes more.
    pub(super) fn add(&self, bytes: u32) {
        self.0.send_modify(|given| *given = given.saturating_add(u64::from(bytes)));
    }
}

/// What a connection's readings may have in memory at once, until its client has taken it. Credit is for
/// the client's memory, this for the broker's.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    /// So many pushes.
    pub(super) pushes: Arc<Semaphore>,
    /// What may be beyond the bound on answers.
    pub(super) overdraft: Overdraft,
}

/// Held until what was pushed is written.
pub(super) type Unwritten = Option<OwnedSemaphorePermit>;

/// A reading with its first credit, which is to be run. One without a gate pushes to who takes it at once.
pub(super) fn open(
    parts: Vec<ReadPart>,
    credit: u32,
    level: IsolationLevel,
    gate: Option<Gate>,
) -> (Credit, Reading) {
    let (given, inbox) = watch::channel(u64::from(credit));
    let is_behind = gate.is_some();
    (Credit(given), Reading { parts, isolation: isolation(level), given: inbox, used: 0, gate, is_behind })
}

/// A reading on its way.
#[derive(Debug)]
pub(super) struct Reading {
    parts: Vec<ReadPart>,
    isolation: Isolation,
    given: watch::Receiver<u64>,
    used: u64,
    gate: Option<Gate>,
    /// There may be something that must be read from the disk: it is not before it may be pushed. What
    /// comes while the reading waits at the end is in memory anyhow, once for all who wait.
    is_behind: bool,
}

impl Reading {
    /// Pushes what comes until the client or the broker ends it. A partition that cannot be read is
    /// pushed as refused, and left out from then on; so it ends with the last one.
    pub(super) async fn run(
        mut self,
        native: Arc<Native>,
        push: impl Fn(Result<(Fetched, Vec<Bytes>), Refusal>, Unwritten),
    ) {
        if let Err(refusal) = check_once(self.parts.iter().map(|part| part.partition)) {
            return push(Err(refusal), None);
        }
        while !self.parts.is_empty() && !native.stopping.is_cancelled() {
            let used = self.used;
            let Ok(given) = self.given.wait_for(|given| *given > used).await.map(|given| *given) else {
                return;
            };
            let bytes_max = usize::try_from(given - used).unwrap_or(usize::MAX);
            let (gate, parts) = (self.gate.clone(), &self.parts);
            let wait_max = if self.is_behind { Duration::ZERO } else { WAIT_MAX };
            let overdraft = match gate.as_ref() {
                // Those that are behind wait for it inside the gate, so it is not held outside of it.
                Some(gate) => self.is_behind.then(|| gate.overdraft.clone()),
                None => Some(Overdraft::default()),
            };
            let isolation = self.isolation;
            let bounds = Bounds { bytes_max, bytes_min: 1, wait_max, overdraft, isolation };
            let read = async {
                if self.is_behind {
                    let unwritten = pass(gate.as_ref()).await;
                    (read(&native, parts, bounds).await, unwritten)
                } else {
                    let read = read(&native, parts, bounds).await;
                    (read, pass(gate.as_ref()).await)
                }
            };
            let ((fetched, batches), unwritten) = tokio::select! {
                biased;
                () = ended(&mut self.given) => return,
                read = read => read,
            };
            self.used += batches.iter().map(|piece| piece.len() as u64).sum::<u64>();
            self.is_behind = self.advance(&fetched, &batches) && self.gate.is_some();
            let parts: Vec<_> = fetched.parts.into_iter().filter(has_news).collect();
            if !parts.is_empty() {
                push(Ok((Fetched { parts }, batches)), unwritten);
            }
        }
    }

    /// Goes on behind what was read, and without what cannot be. Whether there is more.
    fn advance(&mut self, fetched: &Fetched, batches: &[Bytes]) -> bool {
        let mut pieces = batches.iter();
        let mut is_behind = false;
        for (part, read) in self.parts.iter_mut().zip(&fetched.parts) {
            let mut left = read.outcome.as_ref().map_or(0, |read| read.bytes as usize);
            while let Some(piece) = (left > 0).then(|| pieces.next()).flatten() {
                left = left.saturating_sub(piece.len());
                // The header stands at the front of a batch, or is a piece of its own.
                let header = BatchHeader::parse(piece).filter(|header| {
                    let total = header.total_bytes();
                    total == Some(piece.len()) || (piece.len() == BATCH_HEADER_BYTES && total.is_some())
                });
                if let Some(header) = header {
                    part.offset = part.offset.max(header.last_offset() + 1);
                }
            }
            let end = |read: &ReadBatches| match self.isolation {
                Isolation::ReadUncommitted => read.high_watermark,
                Isolation::ReadCommitted => read.last_stable,
            };
            is_behind |= read.outcome.as_ref().is_ok_and(|read| part.offset < end(read));
        }
        let mut outcomes = fetched.parts.iter().map(|read| read.outcome.is_ok());
        self.parts.retain(|_| outcomes.next().unwrap_or(true));
        is_behind
    }
}

/// Whether something is to be told of a partition.
fn has_news(part: &FetchedPart) -> bool {
    part.outcome.as_ref().map_or(true, |read| read.bytes > 0)
}

/// Waits until one more push may be in memory.
async fn pass(gate: Option<&Gate>) -> Unwritten {
    // It is never closed.
    Arc::clone(&gate?.pushes).acquire_owned().await.ok()
}

/// Waits until the client has ended the reading.
async fn ended(given: &mut watch::Receiver<u64>) {
    while given.changed().await.is_ok() {}
}
