//! Reading partitions' logs, from any thread.

use super::spans::{Placed, compact, spans};
use crate::error::{Error, Result};
use crate::ids::{Offset, PartitionId};
use crate::index::{Continue, Index};
use crate::journal;
use crate::keys::{self, Table};
use crate::values::BatchPlace;
use bytes::Bytes;
use callboard_protocol::batch::BatchHeader;
use callboard_protocol::batch::header::MAGIC;
use callboard_protocol::batch::records::{RecordTime, find_time};
use callboard_protocol::batch::validate::checksum;
use std::sync::Arc;
use std::thread;

/// A record found by its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimedOffset {
    /// Its offset.
    pub offset: Offset,
    /// Its timestamp, in milliseconds since 1970.
    pub timestamp: i64,
    /// The leader epoch of its batch.
    pub leader_epoch: i32,
}

/// The part of a partition's log that may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The partition.
    pub partition: PartitionId,
    /// The first offset.
    pub start: Offset,
    /// The offset behind the last: the high watermark.
    pub end: Offset,
}

/// The reading side of all logs. Clones share it; all calls block.
#[derive(Debug, Clone)]
pub struct LogReader {
    index: Index,
    journal: Arc<journal::Reader>,
}

impl LogReader {
    pub(super) fn new(index: Index, journal: journal::Reader) -> Self {
        Self { index, journal: Arc::new(journal) }
    }

    pub(super) fn journal(&self) -> Arc<journal::Reader> {
        Arc::clone(&self.journal)
    }

    /// Whether reading has threads of its own: see [`crate::disk::Disk::has_threads`].
    pub fn has_threads(&self) -> bool {
        self.journal.has_threads()
    }

    /// The index, for what is no log.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The batches from the one that holds `extent.start` on, up to `bytes_max`; the first is given
    /// whatever its size when `first` says so. Each is compared with its checksum; those before one that
    /// cannot be read are given without it. After each `step_bytes` other threads have their turn.
    ///
    /// # Errors
    /// [`Error::DamagedBatch`], [`Error::MissingSegment`] or [`Error::Io`] when the first cannot be read;
    /// [`Error::Index`]; [`Error::Value`].
    pub fn read(
        &self,
        extent: Extent,
        bytes_max: usize,
        first: FirstBatch,
        step_bytes: impl Fn() -> usize,
    ) -> Result<Vec<Bytes>> {
        retry(|| {
            let places = self.places(extent, bytes_max, first)?;
            let mut batches = Vec::with_capacity(places.len());
            for span in spans(&places) {
                if !batches.is_empty() {
                    // The system takes it that who wakes another will sleep: an actor that waits on this core
                    // for what was read before, or for a client, would wait as long as many spans take.
                    thread::yield_now();
                }
                match self.read_apart(extent.partition, span, step_bytes(), &mut batches) {
                    Ok(()) => {}
                    Err(error) if batches.is_empty() => return Err(error),
                    // Who reads on behind what can be read is told.
                    Err(_) => break,
                }
            }
            Ok(batches)
        })
    }

    /// The first record whose timestamp is at least `timestamp`.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Index`]; [`Error::Value`], also for a batch that cannot be unpacked.
    pub fn find_time(&self, extent: Extent, timestamp: i64) -> Result<Option<TimedOffset>> {
        retry(|| {
            let mut from = self.time_start(extent, timestamp)?;
            let is_late = |place: &BatchPlace| place.max_timestamp >= timestamp;
            while let Some((base, place)) = self.find_batch(extent, from, is_late)? {
                let found = self.record_in(extent.partition, base, &place, |time| {
                    time.timestamp >= timestamp && base.plus(time.offset_delta) >= extent.start
                })?;
                if found.is_some() {
                    return Ok(found);
                }
                // The record that the batch's header promises lies below the start of the log.
                from = base.plus(i64::from(place.last_offset_delta) + 1);
            }
            Ok(None)
        })
    }

    /// The first record with the largest timestamp.
    ///
    /// # Errors
    /// As [`LogReader::find_time`].
    pub fn find_max_time(&self, extent: Extent) -> Result<Option<TimedOffset>> {
        retry(|| {
            let from = self.max_time_start(extent)?;
            let mut newest: Option<(Offset, BatchPlace)> = None;
            self.each_batch(extent, from, |base, place| {
                if newest.as_ref().is_none_or(|(_, best)| place.max_timestamp > best.max_timestamp) {
                    newest = Some((base, place));
                }
                Continue::Yes
            })?;
            let Some((base, place)) = newest else { return Ok(None) };
            self.record_in(extent.partition, base, &place, |time| time.timestamp >= place.max_timestamp)
        })
    }

    /// An offset with the leader epoch that it belongs to: that of the batch at it, or for the end
    /// of the log the last one.
    ///
    /// # Errors
    /// [`Error::Index`].
    pub fn with_epoch(&self, extent: Extent, offset: Offset) -> Result<TimedOffset> {
        let prefix = keys::partitions(extent.partition);
        let mut leader_epoch = -1;
        self.index.each_from(Table::Epochs, &prefix, &prefix, |key, value| {
            let start = value.try_into().map_or(i64::MAX, i64::from_be_bytes);
            let epoch = key.get(4..).and_then(|bytes| bytes.try_into().ok()).map_or(-1, i32::from_be_bytes);
            if start > offset.0 {
                return Ok(Continue::No);
            }
            leader_epoch = epoch;
            Ok(Continue::Yes)
        })?;
        Ok(TimedOffset { offset, timestamp: -1, leader_epoch })
    }

    /// The largest epoch that is at most `epoch`, and the offset at which the next one begins, or
    /// the end of the log; `None` when no epoch is that small.
    ///
    /// # Errors
    /// [`Error::Index`].
    pub fn epoch_end(&self, extent: Extent, epoch: i32) -> Result<Option<(i32, Offset)>> {
        let prefix = keys::partitions(extent.partition);
        let mut found = None;
        let mut end = extent.end;
        self.index.each_from(Table::Epochs, &prefix, &prefix, |key, value| {
            let number = |bytes: Option<&[u8]>| bytes?.try_into().ok().map(i32::from_be_bytes);
            let current = number(key.get(4..)).ok_or(Error::Value { table: "epochs" })?;
            let start =
                value.try_into().map(i64::from_be_bytes).map_err(|_| Error::Value { table: "epochs" })?;
            if current > epoch {
                end = Offset(start);
                return Ok(Continue::No);
            }
            found = Some(current);
            Ok(Continue::Yes)
        })?;
        Ok(found.map(|epoch| (epoch, end)))
    }

    fn places(&self, extent: Extent, bytes_max: usize, first: FirstBatch) -> Result<Vec<Placed>> {
        let mut places = Vec::new();
        let mut left = bytes_max;
        self.each_batch(extent, extent.start, |base, place| {
            let length = place.length as usize;
            let fits = length <= left || (places.is_empty() && first == FirstBatch::Always);
            if fits {
                left = left.saturating_sub(length);
                places.push((base, place));
            }
            if fits && left > 0 { Continue::Yes } else { Continue::No }
        })?;
        Ok(places)
    }

    /// The batches of an extent from the one that holds `from` on.
    fn each_batch(
        &self,
        extent: Extent,
        from: Offset,
        mut take: impl FnMut(Offset, BatchPlace) -> Continue,
    ) -> Result<()> {
        let partition = extent.partition;
        let prefix = keys::partitions(partition);
        let start = keys::log(partition, from);
        // The batch that holds `from` begins at it or before it.
        let holder = self.index.last_at(Table::Log, &prefix, &start)?;
        let first = holder.map_or(start, |(key, _)| key);
        self.index.each_from(Table::Log, &prefix, &first, |key, value| {
            let Some((_, base)) = keys::read_log(key) else { return Err(Error::Value { table: "log" }) };
            let place = BatchPlace::decode(value)?;
            if base >= extent.end {
                return Ok(Continue::No);
            }
            if base.plus(place.last_offset_delta.into()) < from {
                return Ok(Continue::Yes);
            }
            Ok(take(base, place))
        })
    }

    fn find_batch(
        &self,
        extent: Extent,
        from: Offset,
        wanted: impl Fn(&BatchPlace) -> bool,
    ) -> Result<Option<(Offset, BatchPlace)>> {
        let mut found = None;
        self.each_batch(extent, from, |base, place| {
            if wanted(&place) {
                found = Some((base, place));
                return Continue::No;
            }
            Continue::Yes
        })?;
        Ok(found)
    }

    /// Where to begin the search: the batches before the last entry of an earlier time are all older.
    fn time_start(&self, extent: Extent, timestamp: i64) -> Result<Offset> {
        let prefix = keys::partitions(extent.partition);
        if timestamp <= 0 {
            return Ok(extent.start);
        }
        let at = keys::times(extent.partition, timestamp - 1);
        let entry = self.index.last_at(Table::Times, &prefix, &at)?;
        let base = entry.and_then(|(_, base)| base.try_into().ok()).map_or(0, i64::from_be_bytes);
        Ok(Offset(base).max(extent.start))
    }

    /// Where to begin the search for the largest timestamp: the batches before the last entry below
    /// the end are all older than it.
    fn max_time_start(&self, extent: Extent) -> Result<Offset> {
        let prefix = keys::partitions(extent.partition);
        let mut at = keys::times(extent.partition, i64::MAX);
        while let Some((key, base)) = self.index.last_at(Table::Times, &prefix, &at)? {
            let base = base.try_into().map_or(0, i64::from_be_bytes);
            if base < extent.end.0 {
                return Ok(Offset(base).max(extent.start));
            }
            let Some((_, Offset(timestamp @ 1..))) = keys::read_log(&key) else { break };
            at = keys::times(extent.partition, timestamp - 1);
        }
        Ok(extent.start)
    }

    fn record_in(
        &self,
        partition: PartitionId,
        base: Offset,
        place: &BatchPlace,
        wanted: impl Fn(&RecordTime) -> bool,
    ) -> Result<Option<TimedOffset>> {
        let batch = self.journal.read(place.segment, place.position, place.length as usize)?;
        check(partition, base, place, &batch)?;
        let found = find_time(&batch, wanted).map_err(|_| Error::Value { table: "log" })?;
        Ok(found.map(|time| TimedOffset {
            offset: base.plus(time.offset_delta),
            timestamp: time.timestamp,
            leader_epoch: place.leader_epoch,
        }))
    }

    /// Reads a span at once; where that fails, batch by batch up to the one that cannot be read.
    fn read_apart(
        &self,
        partition: PartitionId,
        span: &[Placed],
        step_bytes: usize,
        batches: &mut Vec<Bytes>,
    ) -> Result<()> {
        match self.read_span(partition, span, step_bytes, batches) {
            Err(Error::Io { .. }) if span.len() > 1 => {
                span.chunks(1).try_for_each(|one| self.read_span(partition, one, step_bytes, batches))
            }
            outcome => outcome,
        }
    }

    fn read_span(
        &self,
        partition: PartitionId,
        span: &[Placed],
        step_bytes: usize,
        batches: &mut Vec<Bytes>,
    ) -> Result<()> {
        let (Some((_, first)), Some((_, last))) = (span.first(), span.last()) else { return Ok(()) };
        let end = last.position + u64::from(last.length);
        let length = (end - first.position) as usize;
        let bytes = self.journal.read_in_steps(first.segment, first.position, length, step_bytes)?;
        let begin = batches.len();
        for (base, place) in span {
            let start = (place.position - first.position) as usize;
            let batch = bytes.slice(start..start + place.length as usize);
            check(partition, *base, place, &batch)?;
            batches.push(batch);
        }
        compact(bytes.len(), batches.get_mut(begin..).unwrap_or_default());
        Ok(())
    }
}

/// What lies at a place must be the batch that the index says, whole: a disk may give back other bytes
/// than it was given, and nobody is to take them for records.
pub(crate) fn check(partition: PartitionId, base: Offset, place: &BatchPlace, batch: &[u8]) -> Result<()> {
    let is_that = BatchHeader::parse(batch).is_some_and(|header| {
        header.base_offset == base.0
            && header.total_bytes() == Some(batch.len())
            && header.magic == MAGIC
            && header.leader_epoch == place.leader_epoch
            && header.crc == checksum(batch)
    });
    let BatchPlace { segment, position, .. } = *place;
    let damaged = Error::DamagedBatch { partition, offset: base, segment, position };
    if is_that { Ok(()) } else { Err(damaged) }
}

/// Whether the first batch is given even when it is larger than what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstBatch {
    /// It is, so that a reader is never stuck before a large batch.
    Always,
    /// It is not.
    IfItFits,
}

/// A pointer may lead to a segment that was just removed because the batch moved or died: look it
/// up once more.
fn retry<T>(read: impl Fn() -> Result<T>) -> Result<T> {
    match read() {
        Err(Error::MissingSegment(..)) => read(),
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SegmentId;
    use std::cell::Cell;

    #[test]
    fn a_pointer_to_a_segment_that_is_gone_is_looked_up_once_more() {
        let tries = Cell::new(0);
        let read = |gone| {
            tries.set(0);
            retry(|| {
                tries.set(tries.get() + 1);
                if tries.get() <= gone { Err(Error::MissingSegment(SegmentId(1), "".into())) } else { Ok(()) }
            })
        };
        assert!(read(0).is_ok() && tries.get() == 1);
        assert!(read(1).is_ok() && tries.get() == 2);
        assert!(read(2).is_err() && tries.get() == 2);
    }
}
