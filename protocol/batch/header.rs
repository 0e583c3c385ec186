//! The fixed header of a record batch, and how its fields lie in its 61 bytes.

use bytes::{Buf, BufMut};

/// Bytes of the fixed header; the records follow it.
pub const BATCH_HEADER_BYTES: usize = 61;
/// Bytes before the part that the batch length counts: base offset and the length itself.
pub const BATCH_PREFIX_BYTES: usize = 12;
/// Bytes that the batch's own checksum does not cover; it covers all that follow.
pub const BATCH_UNSUMMED_BYTES: usize = 21;
/// The only message format that is stored.
pub const MAGIC: i8 = 2;

/// The codec of a batch's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not compressed.
    None,
    /// gzip.
    Gzip,
    /// snappy, in the framing of snappy-java.
    Snappy,
    /// lz4, in the frame format.
    Lz4,
    /// zstd.
    Zstd,
}

/// Who gave the timestamps of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimestampType {
    /// The producer, record by record.
    CreateTime,
    /// The broker, one for the batch, when it was appended.
    LogAppendTime,
}

/// The attribute bits of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attributes(pub i16);

impl Attributes {
    const CODEC: i16 = 0x07;
    const LOG_APPEND_TIME: i16 = 0x08;
    const TRANSACTIONAL: i16 = 0x10;
    const CONTROL: i16 = 0x20;

    /// The codec, or `None` for a number that is not one.
    pub fn compression(self) -> Option<Compression> {
        match self.0 & Self::CODEC {
            0 => Some(Compression::None),
            1 => Some(Compression::Gzip),
            2 => Some(Compression::Snappy),
            3 => Some(Compression::Lz4),
            4 => Some(Compression::Zstd),
            _ => None,
        }
    }

    /// The same attributes, with another codec.
    #[must_use]
    pub fn packed_with(self, codec: Compression) -> Self {
        let number = match codec {
            Compression::None => 0,
            Compression::Gzip => 1,
            Compression::Snappy => 2,
            Compression::Lz4 => 3,
            Compression::Zstd => 4,
        };
        Self(self.0 & !Self::CODEC | number)
    }

    /// Who gave the timestamps.
    pub fn timestamp_type(self) -> TimestampType {
        if self.0 & Self::LOG_APPEND_TIME == 0 {
            TimestampType::CreateTime
        } else {
            TimestampType::LogAppendTime
        }
    }

    /// The same attributes, with another giver of the timestamps.
    #[must_use]
    pub fn with(self, timestamps: TimestampType) -> Self {
        match timestamps {
            TimestampType::CreateTime => Self(self.0 & !Self::LOG_APPEND_TIME),
            TimestampType::LogAppendTime => Self(self.0 | Self::LOG_APPEND_TIME),
        }
    }

    /// The same attributes, of a batch that is no client's.
    #[must_use]
    pub fn as_control(self) -> Self {
        Self(self.0 | Self::CONTROL)
    }

    /// Whether the batch is part of a transaction.
    pub fn is_transactional(self) -> bool {
        self.0 & Self::TRANSACTIONAL != 0
    }

    /// Whether the batch holds a transaction marker, which only a broker writes.
    pub fn is_control(self) -> bool {
        self.0 & Self::CONTROL != 0
    }
}

/// The fields of a batch's fixed header, in the order in which they are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader {
    /// Offset of the first record.
    pub base_offset: i64,
    /// Bytes that follow the first [`BATCH_PREFIX_BYTES`].
    pub batch_length: i32,
    /// Epoch of the leader that appended it.
    pub leader_epoch: i32,
    /// Message format, see [`MAGIC`].
    pub magic: i8,
    /// CRC-32C of all that follows this field.
    pub crc: u32,
    /// Codec and flags.
    pub attributes: Attributes,
    /// Offset of the last record, counted from the base offset.
    pub last_offset_delta: i32,
    /// Timestamp of the first record, in milliseconds since 1970, or -1.
    pub base_timestamp: i64,
    /// Largest timestamp of the batch, in milliseconds since 1970, or -1.
    pub max_timestamp: i64,
    /// Producer id, or -1.
    pub producer_id: i64,
    /// Producer epoch, or -1.
    pub producer_epoch: i16,
    /// Sequence number of the first record, or -1.
    pub base_sequence: i32,
    /// Number of records.
    pub record_count: i32,
}

impl BatchHeader {
    /// The header of so many records without a producer, all of one time (milliseconds since 1970).
    /// What follows from the records, [`Batch::seal`](super::Batch::seal) fills in.
    pub fn new(record_count: i32, timestamp: i64) -> Self {
        Self {
            base_offset: 0,
            batch_length: 0,
            leader_epoch: -1,
            magic: MAGIC,
            crc: 0,
            attributes: Attributes(0),
            last_offset_delta: record_count - 1,
            base_timestamp: timestamp,
            max_timestamp: timestamp,
            producer_id: -1,
            producer_epoch: -1,
            base_sequence: -1,
            record_count,
        }
    }

    /// Reads the header at the start of `bytes`; `None` when there are fewer than 61.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut field = bytes.get(..BATCH_HEADER_BYTES)?;
        Some(Self {
            base_offset: field.get_i64(),
            batch_length: field.get_i32(),
            leader_epoch: field.get_i32(),
            magic: field.get_i8(),
            crc: field.get_u32(),
            attributes: Attributes(field.get_i16()),
            last_offset_delta: field.get_i32(),
            base_timestamp: field.get_i64(),
            max_timestamp: field.get_i64(),
            producer_id: field.get_i64(),
            producer_epoch: field.get_i16(),
            base_sequence: field.get_i32(),
            record_count: field.get_i32(),
        })
    }

    /// Appends the 61 bytes of the header to `out`.
    pub fn write(&self, out: &mut impl BufMut) {
        out.put_i64(self.base_offset);
        out.put_i32(self.batch_length);
        out.put_i32(self.leader_epoch);
        out.put_i8(self.magic);
        out.put_u32(self.crc);
        out.put_i16(self.attributes.0);
        out.put_i32(self.last_offset_delta);
        out.put_i64(self.base_timestamp);
        out.put_i64(self.max_timestamp);
        out.put_i64(self.producer_id);
        out.put_i16(self.producer_epoch);
        out.put_i32(self.base_sequence);
        out.put_i32(self.record_count);
    }

    /// Bytes of the whole batch; `None` when the length cannot be one.
    pub fn total_bytes(&self) -> Option<usize> {
        let total = usize::try_from(self.batch_length).ok()?.checked_add(BATCH_PREFIX_BYTES)?;
        (total >= BATCH_HEADER_BYTES).then_some(total)
    }

    /// Offset of the last record.
    pub fn last_offset(&self) -> i64 {
        self.base_offset.saturating_add(i64::from(self.last_offset_delta))
    }

    /// Whether the batch came from an idempotent or transactional producer.
    pub fn has_producer(&self) -> bool {
        self.producer_id >= 0
    }

    /// Sequence number of the last record; sequences wrap after `i32::MAX`.
    pub fn last_sequence(&self) -> i32 {
        add_sequence(self.base_sequence, self.last_offset_delta)
    }
}

/// `sequence + delta`, where the number after `i32::MAX` is 0.
pub fn add_sequence(sequence: i32, delta: i32) -> i32 {
    let sum = i64::from(sequence) + i64::from(delta);
    if sum > i64::from(i32::MAX) { (sum - i64::from(i32::MAX) - 1) as i32 } else { sum as i32 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sequences_wrap_to_zero() {
        assert_eq!(add_sequence(i32::MAX, 1), 0);
        assert_eq!(add_sequence(i32::MAX - 1, 1), i32::MAX);
        assert_eq!(add_sequence(i32::MAX, 3), 2);
    }

    #[test]
    fn a_short_slice_is_no_header() {
        assert_eq!(BatchHeader::parse(&[0; 60]), None);
        assert!(BatchHeader::parse(&[0; 61]).is_some());
    }

    proptest! {
        #[test]
        fn a_header_reads_back_as_written(bytes in prop::collection::vec(any::<u8>(), 61)) {
            let header = BatchHeader::parse(&bytes).unwrap();
            let mut written = Vec::new();
            header.write(&mut written);
            prop_assert_eq!(written, bytes);
        }
    }
}
