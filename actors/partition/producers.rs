//! The sequence numbers of idempotent producers: what is new, what is repeated, what is missing.
//!
//! Five batches are remembered of a producer, because that many may be in flight: any of them that
//! comes again gets the answer of the first. What is on its way to the log counts as sent, so that
//! the batches behind it are in sequence.

use callboard_protocol::batch::BatchHeader;
use callboard_protocol::batch::header::add_sequence;
use callboard_storage::ProducerId;
use callboard_storage::values::{BATCHES_REMEMBERED, ProducedBatch, ProducerRow};
use std::collections::{HashMap, VecDeque};
use std::time::Duration;
use tokio::time::Instant;

/// What a batch is to its producer's sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// It is new; also every batch without a producer.
    New,
    /// It is in the log already.
    Duplicate(ProducedBatch),
    /// It is on its way into the log already.
    InFlight,
}

/// Why a batch does not fit its producer's sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SequenceError {
    /// Batches before it are missing.
    #[error("sequence {found} comes where {expected} should")]
    OutOfOrder {
        /// The batch's first sequence number.
        found: i32,
        /// The number after the last.
        expected: i32,
    },
    /// A newer epoch of the producer has written.
    #[error("epoch {found} of the producer is older than {current}")]
    OldEpoch {
        /// The batch's epoch.
        found: i16,
        /// The epoch that wrote last.
        current: i16,
    },
}

/// The producers of a partition.
#[derive(Debug, Default)]
pub(super) struct Producers {
    known: HashMap<ProducerId, Producer>,
    /// Whether a clock is set for silent ones.
    pub(super) is_watched: bool,
}

#[derive(Debug)]
struct Producer {
    committed: ProducerRow,
    /// First and last sequence and epoch of what is on its way, the oldest first.
    sent: VecDeque<Sent>,
    /// When it last wrote, or when the partition started.
    heard: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sent {
    epoch: i16,
    base_sequence: i32,
    last_sequence: i32,
}

impl Producers {
    /// The producers that storage remembers. Their silence is counted from now.
    pub(super) fn adopt(rows: HashMap<ProducerId, ProducerRow>, now: Instant) -> Self {
        let adopt = |row| Producer { committed: row, sent: VecDeque::new(), heard: now };
        Self { known: rows.into_iter().map(|(id, row)| (id, adopt(row))).collect(), is_watched: false }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// What a batch is to its producer's sequence. The first batch of an unknown producer may have
    /// any number, a new epoch begins at 0 (KIP-360).
    pub(super) fn check(&self, header: &BatchHeader) -> Result<Checked, SequenceError> {
        if !header.has_producer() {
            return Ok(Checked::New);
        }
        match self.known.get(&ProducerId(header.producer_id)) {
            Some(producer) => producer.check(header),
            None => Ok(Checked::New),
        }
    }

    /// A batch that was checked is on its way.
    pub(super) fn sent(&mut self, header: &BatchHeader) {
        if !header.has_producer() {
            return;
        }
        let producer = self.known.entry(ProducerId(header.producer_id)).or_insert_with(|| Producer {
            committed: ProducerRow { epoch: header.producer_epoch, batches: Vec::new() },
            sent: VecDeque::new(),
            heard: crate::clock::now(),
        });
        producer.sent.push_back(sent(header));
    }

    /// The oldest batch on its way is in the log.
    pub(super) fn committed(&mut self, header: &BatchHeader, now: Instant) {
        let Some(producer) = self.of(header) else { return };
        producer.sent.pop_front();
        producer.heard = now;
        let batch = ProducedBatch {
            base_sequence: header.base_sequence,
            last_sequence: header.last_sequence(),
            base_offset: header.base_offset,
            max_timestamp: header.max_timestamp,
        };
        producer.committed.remember(header.producer_epoch, batch);
    }

    /// The oldest batch on its way is lost.
    pub(super) fn lost(&mut self, header: &BatchHeader) {
        if let Some(producer) = self.of(header) {
            producer.sent.pop_front();
        }
    }

    /// Forgets the producers that are silent for `expiration`, and tells which.
    pub(super) fn expire(&mut self, now: Instant, expiration: Duration) -> Vec<ProducerId> {
        let is_silent = |producer: &Producer| {
            producer.sent.is_empty() && now.duration_since(producer.heard) >= expiration
        };
        let silent: Vec<_> =
            self.known.iter().filter(|(_, producer)| is_silent(producer)).map(|(id, _)| *id).collect();
        self.known.retain(|_, producer| !is_silent(producer));
        silent
    }

    fn of(&mut self, header: &BatchHeader) -> Option<&mut Producer> {
        if !header.has_producer() {
            return None;
        }
        self.known.get_mut(&ProducerId(header.producer_id))
    }
}

impl Producer {
    fn check(&self, header: &BatchHeader) -> Result<Checked, SequenceError> {
        let current = self.sent.back().map_or(self.committed.epoch, |sent| sent.epoch);
        if header.producer_epoch < current {
            return Err(SequenceError::OldEpoch { found: header.producer_epoch, current });
        }
        if header.producer_epoch > current {
            return in_order(header, 0);
        }
        if let Some(known) = self.known(header) {
            return Ok(known);
        }
        match self.last_sequence() {
            Some(last) => in_order(header, add_sequence(last, 1)),
            None => Ok(Checked::New),
        }
    }

    /// The batch, when it is one of those that are remembered or on their way.
    fn known(&self, header: &BatchHeader) -> Option<Checked> {
        if self.sent.contains(&sent(header)) {
            return Some(Checked::InFlight);
        }
        // Those on their way take their places among the remembered.
        let remembered = BATCHES_REMEMBERED.saturating_sub(self.sent.len());
        let same = |batch: &&ProducedBatch| {
            batch.base_sequence == header.base_sequence && batch.last_sequence == header.last_sequence()
        };
        let is_current = self.committed.epoch == header.producer_epoch;
        let mut newest = self.committed.batches.iter().rev().take(remembered).filter(|_| is_current);
        newest.find(same).map(|batch| Checked::Duplicate(*batch))
    }

    fn last_sequence(&self) -> Option<i32> {
        let committed = self.committed.batches.last().map(|batch| batch.last_sequence);
        self.sent.back().map(|sent| sent.last_sequence).or(committed)
    }
}

fn in_order(header: &BatchHeader, expected: i32) -> Result<Checked, SequenceError> {
    let found = header.base_sequence;
    if found == expected { Ok(Checked::New) } else { Err(SequenceError::OutOfOrder { found, expected }) }
}

fn sent(header: &BatchHeader) -> Sent {
    Sent {
        epoch: header.producer_epoch,
        base_sequence: header.base_sequence,
        last_sequence: header.last_sequence(),
    }
}

#[cfg(test)]
mod tests;
