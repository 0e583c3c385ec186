//! Giving a batch its place in a log: base offset, leader epoch and, where the topic asks, time.

use super::Batch;
use super::header::{BATCH_HEADER_BYTES, BatchHeader, TimestampType};
use bytes::{Bytes, BytesMut};

/// What the broker decides about a batch when it appends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    /// Offset of the first record.
    pub base_offset: i64,
    /// Epoch of the appending leader.
    pub leader_epoch: i32,
}

/// A batch with its place: a rewritten header, and the records by reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StampedBatch {
    /// The header, as `head` says it.
    pub header: BatchHeader,
    /// The 61 bytes of the header.
    pub head: Bytes,
    /// All that follows the header.
    pub records: Bytes,
}

impl StampedBatch {
    /// Bytes of the whole batch.
    pub fn len(&self) -> usize {
        self.head.len() + self.records.len()
    }

    /// Never true: a batch has a header.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Batch {
    /// Writes the placement into a copy of the header. The checksum does not cover it.
    pub fn stamp(&self, placement: Placement) -> StampedBatch {
        let header = BatchHeader {
            base_offset: placement.base_offset,
            leader_epoch: placement.leader_epoch,
            ..self.header
        };
        let mut head = BytesMut::with_capacity(BATCH_HEADER_BYTES);
        header.write(&mut head);
        StampedBatch { header, head: head.freeze(), records: self.records() }
    }

    /// The same batch with `now` (milliseconds since 1970) as the time of all its records.
    #[must_use]
    pub fn with_log_append_time(&self, now: i64) -> Self {
        let attributes = self.header.attributes.with(TimestampType::LogAppendTime);
        Self::seal(BatchHeader { attributes, max_timestamp: now, ..self.header }, &self.records())
    }

    /// The same batch, which does not claim that the broker gave its times.
    #[must_use]
    pub fn with_create_time(self) -> Self {
        let attributes = self.header.attributes.with(TimestampType::CreateTime);
        if attributes == self.header.attributes {
            return self;
        }
        Self::seal(BatchHeader { attributes, ..self.header }, &self.records())
    }

    fn records(&self) -> Bytes {
        self.bytes.slice(BATCH_HEADER_BYTES.min(self.bytes.len())..)
    }
}

#[cfg(test)]
mod tests {
    use super::super::validate;
    use super::super::validate::checksum;
    use super::super::validate::tests::{batch, rules};
    use super::*;

    #[test]
    fn a_stamped_batch_keeps_its_checksum() {
        let stamped = batch(1, b"records").stamp(Placement { base_offset: 77, leader_epoch: 4 });
        let whole = [stamped.head.as_ref(), stamped.records.as_ref()].concat();
        let header = BatchHeader::parse(&whole).unwrap();
        assert_eq!(checksum(&whole), header.crc);
        assert_eq!((header.base_offset, header.leader_epoch, header.last_offset()), (77, 4, 77));
    }

    #[test]
    fn log_append_time_is_written_and_summed_again() {
        let stamped = batch(1, b"records").with_log_append_time(1234);
        let read = validate(stamped.bytes.clone(), &rules()).unwrap();
        assert_eq!(read, stamped);
        assert_eq!(read.header.max_timestamp, 1234);
        assert_eq!(read.header.attributes.timestamp_type(), TimestampType::LogAppendTime);
        let cleared = read.with_create_time();
        assert_eq!(checksum(&cleared.bytes), cleared.header.crc);
        assert_eq!(cleared.header.attributes.timestamp_type(), TimestampType::CreateTime);
    }
}
