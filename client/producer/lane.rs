//! A lane: the batches of one partition, from filling to their receipts.
//!
//! Invariants: batches are sent in the order in which they were filled, each with the sequence
//! number behind the one before; a batch that may have arrived is never given another number; after
//! a failure nothing is sent until all that was in flight has come back.

mod home;

use super::batch::{Filled, Filling, Settled, ToSend, Waiting, renumbered};
use super::builder::Settings;
use super::sender::{Entry, Flushing};
use crate::error::Error;
use bytes::Bytes;
use callboard_protocol::batch::header::add_sequence;
use callboard_protocol::batch::{BatchBuilder, Producing};
use callboard_protocol::native::produce::BatchAppended;
use callboard_protocol::native::{Code, TopicPartition};
use home::{Home, deleted, gone};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// The batches of one partition.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) topic: Arc<str>,
    pub(super) partition: TopicPartition,
    /// The batch that is filled.
    open: Option<Filling>,
    /// Batches that are full, or are to go without being so.
    ready: VecDeque<Filled>,
    in_flight: VecDeque<InFlight>,
    /// How many batches may be in flight: one until one has arrived.
    window: usize,
    identity: Identity,
    next_sequence: i32,
    next_number: u64,
    next_sending: u64,
    /// The number of a batch that was refused, and its sequence number, which the one behind it gets.
    gap: Option<(u64, i32)>,
    /// Something failed, and what was in flight is awaited.
    is_recovering: bool,
    /// Sending rests until it is tried again.
    is_resting: bool,
    failures: u32,
    /// A batch went before it was full, and nobody was told yet.
    has_gone_early: bool,
    home: Home,
}

/// Whose batches these are to the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identity {
    /// Nobody's: they are not idempotent.
    None,
    /// It is to be asked for.
    Wanted,
    /// It was asked for.
    Asked,
    /// A producer's id and epoch.
    Of(i64, i16),
}

#[derive(Debug)]
struct InFlight {
    batch: Filled,
    sending: u64,
    sent: Instant,
    /// The topic that it was sent to.
    topic: Uuid,
    has_failed: bool,
}

/// What a lane needs next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing.
    Nothing,
    /// To be tried again after that time.
    Rest(Duration),
}

impl Lane {
    pub(super) fn new(topic: Arc<str>, partition: TopicPartition, identity: Identity) -> Self {
        Self {
            topic,
            partition,
            open: None,
            ready: VecDeque::new(),
            in_flight: VecDeque::new(),
            window: 1,
            identity,
            next_sequence: 0,
            next_number: 0,
            next_sending: 0,
            gap: None,
            is_recovering: false,
            is_resting: false,
            failures: 0,
            has_gone_early: false,
            home: Home::There,
        }
    }

    /// Puts a record into the batch that is filled. Says the number of a batch that it begins and that
    /// waits for others, and whether one became full.
    pub(super) fn add(&mut self, entry: Entry, now_ms: i64, settings: &Settings) -> (Option<u64>, bool) {
        let Entry { record, bytes, outcome } = entry;
        let new = record.in_batch(now_ms);
        let mut has_ended = false;
        let fits = |open: &Filling| open.builder.records_bytes() + new.bytes_max() <= settings.batch_bytes;
        if self.open.as_ref().is_some_and(|open| !fits(open)) {
            self.end_batch();
            has_ended = true;
        }
        let is_new = self.open.is_none();
        let number = self.next_number;
        let open = self.open.get_or_insert_with(|| Filling {
            number,
            builder: BatchBuilder::default(),
            waiting: Vec::new(),
            cost: 0,
            begun: Instant::now(),
            flushes: Vec::new(),
        });
        open.builder.push(new);
        open.cost += bytes;
        open.waiting.push(Waiting { timestamp: new.timestamp, outcome });
        let is_full = open.builder.len() >= settings.batch_records
            || open.builder.records_bytes() >= settings.batch_bytes;
        if is_new {
            self.next_number += 1;
        }
        if is_full {
            self.end_batch();
            has_ended = true;
        }
        ((is_new && !is_full).then_some(number), has_ended)
    }

    /// The batch of that number has waited long enough for company.
    pub(super) fn linger_is_over(&mut self, number: u64) {
        if self.open.as_ref().is_some_and(|open| open.number == number) {
            self.end_early();
        }
    }

    /// Whether a batch went before it was full since this was asked last.
    pub(super) fn take_gone_early(&mut self) -> bool {
        std::mem::take(&mut self.has_gone_early)
    }

    fn end_early(&mut self) {
        self.has_gone_early |= self.open.is_some();
        self.end_batch();
    }

    /// Lets the batch that is filled go as it is.
    pub(super) fn end_batch(&mut self) {
        let Some(Filling { number, builder, waiting, cost, begun, flushes }) = self.open.take() else {
            return;
        };
        let (filling, batch) = (Some(builder), None);
        self.ready.push_back(Filled { filling, batch, number, waiting, cost, begun, flushes });
    }

    /// Lets a flush wait for all batches of the lane.
    pub(super) fn flush(&mut self, flushing: &Arc<Flushing>) {
        self.end_early();
        let in_flight = self.in_flight.iter_mut().map(|it| &mut it.batch);
        for batch in self.ready.iter_mut().chain(in_flight) {
            batch.flushes.push(Arc::clone(flushing));
        }
    }

    /// Whether a producer's id must be asked for before anything can be sent.
    pub(super) fn wants_identity(&mut self) -> bool {
        let is_calm = !self.is_recovering && self.home == Home::There;
        let wants = self.identity == Identity::Wanted && is_calm && !self.ready.is_empty();
        if wants {
            self.identity = Identity::Asked;
        }
        wants
    }

    /// A producer's id has come, or not.
    pub(super) fn identify(&mut self, identity: Option<(i64, i16)>) {
        if self.identity == Identity::Asked {
            self.identity = identity.map_or(Identity::Wanted, |(id, epoch)| Identity::Of(id, epoch));
        }
    }

    /// The next batch that may be sent now. With `open` also the one that is being filled may.
    pub(super) fn take(
        &mut self,
        open: bool,
        now: Instant,
        settings: &Settings,
    ) -> Option<Result<ToSend, Settled>> {
        let has_room = self.in_flight.len() < self.window.min(settings.in_flight);
        let is_known = !matches!(self.identity, Identity::Wanted | Identity::Asked);
        if self.is_recovering || self.is_resting || self.home != Home::There || !has_room {
            return None;
        }
        if open && self.ready.is_empty() {
            self.end_early();
        }
        if !is_known {
            return None;
        }
        let mut batch = self.ready.pop_front()?;
        match self.seal(&mut batch, settings) {
            Ok(bytes) => {
                let (sending, topic) = (self.next_sending, self.partition.topic);
                self.next_sending += 1;
                self.in_flight.push_back(InFlight { batch, sending, sent: now, topic, has_failed: false });
                Some(Ok(ToSend { sending, bytes }))
            }
            Err(error) => Some(Err(batch.fail(&error))),
        }
    }

    fn seal(&mut self, filled: &mut Filled, settings: &Settings) -> Result<Bytes, Error> {
        let producing = match self.identity {
            Identity::Of(id, epoch) => Some(Producing { id, epoch, base_sequence: self.next_sequence }),
            Identity::None | Identity::Wanted | Identity::Asked => None,
        };
        let batch = match (filled.filling.take(), filled.batch.take()) {
            (Some(builder), _) => builder
                .seal(settings.compression, producing)
                .map_err(|error| Error::Invalid(format!("the batch cannot be packed: {error}")))?,
            (None, Some(batch)) => renumbered(batch, producing),
            (None, None) => return Err(Error::Closed),
        };
        if producing.is_some() {
            self.next_sequence = add_sequence(self.next_sequence, batch.header.record_count);
        }
        let bytes = batch.bytes.clone();
        filled.batch = Some(batch);
        Ok(bytes)
    }

    /// The sending whose answer is waited for since the longest, and since when.
    pub(super) fn oldest(&self) -> Option<(u64, Instant)> {
        self.in_flight.iter().find(|it| !it.has_failed).map(|it| (it.sending, it.sent))
    }

    /// A batch has come back, or is waited for no longer.
    pub(super) fn answered(
        &mut self,
        sending: u64,
        outcome: Result<BatchAppended, Error>,
        settings: &Settings,
    ) -> (Settled, Next) {
        let Some(place) = self.in_flight.iter().position(|it| it.sending == sending && !it.has_failed) else {
            return (Settled::default(), Next::Nothing);
        };
        let mut settled = match outcome {
            Ok(appended) => self.delivered(place, &appended, settings),
            Err(error) => self.failed(place, &error),
        };
        let next = self.recover(&mut settled, settings);
        (settled, next)
    }

    fn delivered(&mut self, place: usize, appended: &BatchAppended, settings: &Settings) -> Settled {
        (self.window, self.failures) = (settings.in_flight, 0);
        let Some(InFlight { batch, .. }) = self.in_flight.remove(place) else { return Settled::default() };
        batch.deliver(self.partition.partition, appended)
    }

    fn failed(&mut self, place: usize, error: &Error) -> Settled {
        let code = error.code();
        let is_out_of_order = code == Some(Code::OUT_OF_ORDER_SEQUENCE);
        let is_stale = code == Some(Code::OLD_PRODUCER_EPOCH);
        if (is_out_of_order || is_stale) && place == 0 && !self.is_recovering {
            // The broker has forgotten the producer, or never knew it.
            self.identity = Identity::Wanted;
        }
        let is_lost = code == Some(Code::UNKNOWN_TOPIC) && self.home != Home::Gone;
        if is_lost && self.in_flight.get(place).is_some_and(|it| it.topic == self.partition.topic) {
            self.home = Home::Wanted;
        }
        if error.is_retriable() || is_out_of_order || is_stale || is_lost {
            self.is_recovering = true;
            if let Some(in_flight) = self.in_flight.get_mut(place) {
                in_flight.has_failed = true;
            }
            return Settled::default();
        }
        let Some(InFlight { batch, .. }) = self.in_flight.remove(place) else { return Settled::default() };
        if let Some(sealed) = batch.batch.as_ref().filter(|_| self.identity != Identity::None) {
            // It was not stored, so those behind it have the wrong sequence numbers.
            self.is_recovering = true;
            if self.gap.is_none_or(|(number, _)| batch.number < number) {
                self.gap = Some((batch.number, sealed.header.base_sequence));
            }
        }
        batch.fail(error)
    }

    /// Once all that was in flight is back, puts what failed in front again.
    fn recover(&mut self, settled: &mut Settled, settings: &Settings) -> Next {
        if !self.is_recovering || self.in_flight.iter().any(|it| !it.has_failed) {
            return Next::Nothing;
        }
        self.is_recovering = false;
        self.window = 1;
        // The same sequence numbers again, by which the broker knows what it has.
        let first = self.in_flight.front().and_then(|it| {
            it.batch.batch.as_ref().map(|sealed| (it.batch.number, sealed.header.base_sequence))
        });
        if let Some((_, sequence)) = [first, self.gap.take()].into_iter().flatten().min() {
            self.next_sequence = sequence;
        }
        let must_rest = !self.in_flight.is_empty();
        let late = match self.home {
            Home::There => Error::TimedOut,
            Home::Wanted => deleted(),
            Home::Gone => gone(),
        };
        while let Some(InFlight { batch, .. }) = self.in_flight.pop_back() {
            if self.home == Home::Gone || batch.begun.elapsed() >= settings.delivery_timeout {
                // It may have arrived, so its numbers cannot be another's.
                if self.identity != Identity::None {
                    self.identity = Identity::Wanted;
                }
                settled.add(batch.fail(&late));
            } else {
                settled.repeated += 1;
                self.ready.push_front(batch);
            }
        }
        if self.identity == Identity::Wanted {
            self.next_sequence = 0;
        }
        settled.add(self.expire(settings));
        if !must_rest {
            return Next::Nothing;
        }
        self.is_resting = true;
        self.failures += 1;
        let backoff = settings.backoff.saturating_mul(1 << self.failures.min(16).saturating_sub(1));
        Next::Rest(backoff.min(settings.backoff_max))
    }

    /// The rest after a failure is over.
    pub(super) fn wake(&mut self) {
        self.is_resting = false;
    }

    /// Fails all that has not been sent.
    pub(super) fn fail_ready(&mut self, error: &Error) -> Settled {
        let mut settled = Settled::default();
        for batch in std::mem::take(&mut self.ready) {
            settled.add(batch.fail(error));
        }
        settled
    }

    /// Fails what waits for too long without having been sent.
    pub(super) fn expire(&mut self, settings: &Settings) -> Settled {
        let mut settled = Settled::default();
        for batch in std::mem::take(&mut self.ready) {
            if batch.batch.is_none() && batch.begun.elapsed() >= settings.delivery_timeout {
                settled.add(batch.fail(&Error::TimedOut));
            } else {
                self.ready.push_back(batch);
            }
        }
        settled
    }

    /// Whether nothing is in the lane.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_none() && self.ready.is_empty() && self.in_flight.is_empty()
    }

    /// Records that are in the lane.
    pub(super) fn len(&self) -> usize {
        let open = self.open.as_ref().map_or(0, |open| open.waiting.len());
        let in_flight = self.in_flight.iter().map(|it| &it.batch);
        open + self.ready.iter().chain(in_flight).map(|batch| batch.waiting.len()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests;
