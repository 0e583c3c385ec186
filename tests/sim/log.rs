//! What the logs of all partitions must hold: each batch that was sent, and where it stands once that is known.
//!
//! A batch is known by its base timestamp, which no other has.

use crate::batch::{Batch, Stored, batch};
use bytes::Bytes;
use callboard_protocol::kafka::ErrorCode;
use std::collections::BTreeMap;
use uuid::Uuid;

/// A partition: its topic's id and its number.
pub(crate) type Place = (Uuid, i32);

/// Who numbers a producer's batches: its id, and the sequence.
pub(crate) type Sequence = (i64, i32);

#[derive(Debug, Default)]
pub(crate) struct Logs {
    sent: BTreeMap<i64, Sent>,
    logs: BTreeMap<Place, Log>,
}

#[derive(Debug)]
struct Sent {
    place: Place,
    count: i32,
    records: Bytes,
    /// It was refused for good, and must never be there.
    is_refused: bool,
    at: Option<i64>,
}

/// One partition.
#[derive(Debug, Default)]
struct Log {
    /// Batches by their base offsets.
    batches: BTreeMap<i64, Known>,
    /// All below this was readable once, or acknowledged as synced.
    durable_end: i64,
    /// All below this is taken in this life of the broker.
    end: i64,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    number: i64,
    count: i32,
}

/// What a crash takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crash {
    /// The process: what it wrote is there.
    Process,
    /// The machine: what it synced is there.
    Power,
}

impl Logs {
    /// A new batch for a partition, and its number.
    pub(crate) fn send(&mut self, place: Place, count: i32, sequence: Option<Sequence>) -> (i64, Bytes) {
        let number = 1 + self.sent.len() as i64;
        let values: Vec<String> = (0..count).map(|record| format!("{number}/{record}")).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let made =
            batch(&values).with(|header| (header.base_timestamp, header.max_timestamp) = (number, number));
        let made = match sequence {
            Some((producer, sequence)) => made.from(producer, 0, sequence),
            None => made,
        };
        let bytes = Batch::bytes(&made);
        let records = bytes.slice(callboard_protocol::batch::BATCH_HEADER_BYTES..);
        self.sent.insert(number, Sent { place, count, records, is_refused: false, at: None });
        (number, bytes)
    }

    /// All that is known to be taken of a partition; a batch that is sent now comes behind it.
    pub(crate) fn end(&self, place: Place) -> i64 {
        self.logs.get(&place).map_or(0, |log| log.end)
    }

    /// What can be read of a partition, and will always be.
    pub(crate) fn durable_end(&self, place: Place) -> i64 {
        self.logs.get(&place).map_or(0, |log| log.durable_end)
    }

    pub(crate) fn offset(&self, number: i64) -> Option<i64> {
        self.sent[&number].at
    }

    /// How many records a batch has.
    pub(crate) fn count(&self, number: i64) -> i32 {
        self.sent[&number].count
    }

    /// Whether a batch was read, or acknowledged as synced.
    pub(crate) fn is_durable(&self, number: i64) -> bool {
        let sent = &self.sent[&number];
        sent.at.is_some_and(|at| at < self.durable_end(sent.place))
    }

    /// A batch was refused for good.
    pub(crate) fn refused(&mut self, number: i64) {
        let sent = self.sent.get_mut(&number).unwrap();
        assert_eq!(sent.at, None, "batch {number} was refused, and is there");
        sent.is_refused = true;
    }

    /// A batch was acknowledged; when it was sent, all below `behind` was taken.
    pub(crate) fn acknowledged(&mut self, number: i64, base_offset: i64, behind: i64, is_synced: bool) {
        let before = self.sent[&number].at;
        assert!(
            before == Some(base_offset) || base_offset >= behind,
            "batch {number} got offset {base_offset}, and all below {behind} was taken"
        );
        self.stands(number, base_offset);
        let sent = &self.sent[&number];
        if is_synced {
            let end = base_offset + i64::from(sent.count);
            let log = self.logs.get_mut(&sent.place).unwrap();
            log.durable_end = log.durable_end.max(end);
        }
    }

    /// A high watermark was told; all below it is synced.
    pub(crate) fn high_watermark(&mut self, place: Place, high_watermark: i64) {
        let log = self.logs.entry(place).or_default();
        log.durable_end = log.durable_end.max(high_watermark);
        log.end = log.end.max(high_watermark);
    }

    /// Batches were read, one behind the other. Answers the offset behind them.
    pub(crate) fn read(&mut self, place: Place, from: i64, batches: &[Stored]) -> i64 {
        let mut next = None;
        for stored in batches {
            let (number, base) = (stored.header.base_timestamp, stored.header.base_offset);
            let sent = self.sent.get(&number).unwrap_or_else(|| panic!("nobody sent batch {number}"));
            assert_eq!(sent.place, place, "batch {number} stands in another partition");
            assert!(!sent.is_refused, "batch {number} was refused, and is there");
            assert_eq!(sent.records, stored.records, "batch {number} has changed");
            assert_eq!(sent.count, stored.header.last_offset_delta + 1, "batch {number}");
            let end = base + i64::from(sent.count);
            match next {
                None => assert!(base <= from && from < end, "asked for {from}, got {base} to {end}"),
                Some(next) => assert_eq!(base, next, "there is a hole in {place:?}"),
            }
            self.stands(number, base);
            self.high_watermark(place, end);
            next = Some(end);
        }
        next.unwrap_or(from)
    }

    /// What a crash takes may never have been there.
    pub(crate) fn crash(&mut self, crash: Crash) {
        for log in self.logs.values_mut() {
            if crash == Crash::Power {
                let lost = log.batches.split_off(&log.durable_end);
                for known in lost.values() {
                    self.sent.get_mut(&known.number).unwrap().at = None;
                }
                log.end = log.durable_end;
            }
        }
    }

    fn stands(&mut self, number: i64, base: i64) {
        let sent = self.sent.get_mut(&number).unwrap();
        assert!(sent.at.is_none_or(|at| at == base), "batch {number} stands at {:?} and at {base}", sent.at);
        sent.at = Some(base);
        let (place, count) = (sent.place, sent.count);
        let end = base + i64::from(count);
        let log = self.logs.entry(place).or_default();
        let taken = log.batches.range(..end).next_back().map(|(at, known)| (*at, *known));
        if let Some((at, known)) = taken {
            let is_apart = at + i64::from(known.count) <= base;
            assert!(
                known.number == number || is_apart,
                "{place:?}: batch {number} at {base} lies over {known:?} at {at}"
            );
        }
        log.batches.insert(base, Known { number, count });
        log.end = log.end.max(end);
    }
}

/// Whether a code says that the broker's disk has failed.
pub(crate) fn is_failure(code: ErrorCode) -> bool {
    [ErrorCode::KAFKA_STORAGE_ERROR, ErrorCode::COORDINATOR_NOT_AVAILABLE, ErrorCode::NOT_COORDINATOR]
        .contains(&code)
}
