//! What a batch from a producer must satisfy before it is appended.

use super::Batch;
use super::header::{
    BATCH_HEADER_BYTES, BATCH_PREFIX_BYTES, BATCH_UNSUMMED_BYTES, BatchHeader, Compression, MAGIC,
    TimestampType,
};
use bytes::Bytes;
use std::cmp::Ordering;

/// The smallest length that any message format has.
const LENGTH_MIN: i32 = 14;
/// Bytes of the smallest record: length, attributes, two deltas, no key, no value, no headers.
const RECORD_BYTES_MIN: usize = 7;

/// The bounds that a topic sets for its batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Bytes of the largest batch, header included.
    pub batch_bytes_max: usize,
    /// Now, in milliseconds since 1970.
    pub now: i64,
    /// How far before now a timestamp may lie, in milliseconds; ignored when the broker gives the time.
    pub before_max: i64,
    /// How far after now a timestamp may lie, in milliseconds; ignored when the broker gives the time.
    pub after_max: i64,
    /// Whether the broker gives the time, so that the producer's does not matter.
    pub log_append_time: bool,
}

/// Why a batch is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// No batch at all.
    #[error("the record set is empty")]
    Empty,
    /// The bytes end inside the batch.
    #[error("the batch ends after {0} bytes, before its end")]
    Truncated(usize),
    /// A length that no batch has.
    #[error("{0} is not the length of a batch")]
    Length(i32),
    /// Bytes follow the first batch.
    #[error("more than one batch for a partition")]
    SecondBatch,
    /// Message format 0 or 1, or one that does not exist.
    #[error("message format {0} is not stored, only 2")]
    Magic(i8),
    /// The checksum does not match.
    #[error("the batch checksum is {found:08x}, its header says {stated:08x}")]
    Checksum {
        /// The checksum of the bytes.
        found: u32,
        /// The checksum of the header.
        stated: u32,
    },
    /// Larger than the topic allows.
    #[error("the batch is {found} bytes, the largest that the topic takes is {max}")]
    TooLarge {
        /// Bytes of the batch.
        found: usize,
        /// `max.message.bytes` of the topic.
        max: usize,
    },
    /// A base offset other than 0: only the broker gives offsets.
    #[error("the base offset is {0}, not 0")]
    BaseOffset(i64),
    /// The record count contradicts the last offset delta, or is not positive.
    #[error("{count} records, but the last offset delta is {delta}")]
    Count {
        /// The record count.
        count: i32,
        /// The last offset delta.
        delta: i32,
    },
    /// A codec number that is none.
    #[error("unknown compression codec {0}")]
    Codec(i16),
    /// A transaction marker, which only a broker may write.
    #[error("a client may not write control batches")]
    Control,
    /// A producer id without an epoch or a sequence.
    #[error("a batch of a producer needs an epoch and a sequence number")]
    Producer,
    /// A negative timestamp other than -1.
    #[error("timestamp {0} is not one")]
    NegativeTimestamp(i64),
    /// A batch that claims the broker's time, for a topic whose times the broker gives.
    #[error("a producer may not claim the broker's time")]
    TimestampType,
    /// A timestamp too far from now.
    #[error("timestamp {0} is further from now than the topic allows")]
    Timestamp(i64),
}

/// Checks the one batch in `bytes`, which are kept by reference.
///
/// # Errors
/// The first rule that the batch breaks.
pub fn validate(bytes: Bytes, rules: &Rules) -> Result<Batch, BatchError> {
    let header = frame(&bytes)?;
    check_size(&bytes, rules)?;
    check_checksum(&header, &bytes)?;
    check_content(&header)?;
    check_room(&header, &bytes)?;
    check_timestamps(&header, rules)?;
    Ok(Batch { header, bytes })
}

fn frame(bytes: &Bytes) -> Result<BatchHeader, BatchError> {
    if bytes.is_empty() {
        return Err(BatchError::Empty);
    }
    // Length and magic byte lie at the same places in all formats, so an old one is named as such.
    if let Some(length) = bytes.get(8..12).and_then(|field| field.try_into().ok()).map(i32::from_be_bytes)
        && length < LENGTH_MIN
    {
        return Err(BatchError::Length(length));
    }
    if let Some(magic) = bytes.get(16).map(|byte| *byte as i8)
        && magic != MAGIC
    {
        return Err(BatchError::Magic(magic));
    }
    let header = BatchHeader::parse(bytes).ok_or(BatchError::Truncated(bytes.len()))?;
    let total = header.total_bytes().ok_or(BatchError::Length(header.batch_length))?;
    match total.cmp(&bytes.len()) {
        Ordering::Equal => Ok(header),
        Ordering::Less => Err(BatchError::SecondBatch),
        Ordering::Greater => Err(BatchError::Truncated(bytes.len())),
    }
}

fn check_checksum(header: &BatchHeader, bytes: &Bytes) -> Result<(), BatchError> {
    let found = checksum(bytes);
    if found == header.crc { Ok(()) } else { Err(BatchError::Checksum { found, stated: header.crc }) }
}

/// The CRC-32C of the part of a whole batch that its checksum covers.
pub fn checksum(batch: &[u8]) -> u32 {
    crc32c::crc32c(batch.get(BATCH_UNSUMMED_BYTES..).unwrap_or_default())
}

fn check_size(bytes: &Bytes, rules: &Rules) -> Result<(), BatchError> {
    if bytes.len() > rules.batch_bytes_max {
        return Err(BatchError::TooLarge { found: bytes.len(), max: rules.batch_bytes_max });
    }
    Ok(())
}

fn check_content(header: &BatchHeader) -> Result<(), BatchError> {
    let (count, delta) = (header.record_count, header.last_offset_delta);
    if header.attributes.is_control() {
        return Err(BatchError::Control);
    }
    if header.base_offset != 0 {
        return Err(BatchError::BaseOffset(header.base_offset));
    }
    if header.attributes.compression().is_none() {
        return Err(BatchError::Codec(header.attributes.0 & 0x07));
    }
    // Written so that a delta of i32::MAX cannot overflow.
    if count <= 0 || delta != count - 1 {
        return Err(BatchError::Count { count, delta });
    }
    if header.has_producer() && (header.producer_epoch < 0 || header.base_sequence < 0) {
        return Err(BatchError::Producer);
    }
    Ok(())
}

/// Whether as many records as the header says can be there. What is compressed is not unpacked.
fn check_room(header: &BatchHeader, bytes: &Bytes) -> Result<(), BatchError> {
    let room = (bytes.len() - BATCH_HEADER_BYTES) / RECORD_BYTES_MIN;
    let is_plain = header.attributes.compression() == Some(Compression::None);
    if is_plain && header.record_count as usize > room {
        return Err(BatchError::Count { count: header.record_count, delta: header.last_offset_delta });
    }
    Ok(())
}

fn check_timestamps(header: &BatchHeader, rules: &Rules) -> Result<(), BatchError> {
    if rules.log_append_time {
        let is_claimed = header.attributes.timestamp_type() == TimestampType::LogAppendTime;
        return if is_claimed { Err(BatchError::TimestampType) } else { Ok(()) };
    }
    for timestamp in [header.base_timestamp, header.max_timestamp] {
        if timestamp < -1 {
            return Err(BatchError::NegativeTimestamp(timestamp));
        }
        if timestamp == -1 {
            continue;
        }
        let early = rules.now.saturating_sub(timestamp) > rules.before_max;
        let late = timestamp.saturating_sub(rules.now) > rules.after_max;
        if early || late {
            return Err(BatchError::Timestamp(timestamp));
        }
    }
    Ok(())
}

const _: () = assert!(BATCH_PREFIX_BYTES < BATCH_UNSUMMED_BYTES && BATCH_UNSUMMED_BYTES < BATCH_HEADER_BYTES);

#[cfg(test)]
pub(crate) mod tests {
    use super::super::Attributes;
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn rules() -> Rules {
        Rules {
            batch_bytes_max: 1 << 20,
            now: 1_000_000,
            before_max: i64::MAX,
            after_max: 3_600_000,
            log_append_time: false,
        }
    }

    pub(crate) fn batch(count: i32, records: &[u8]) -> Batch {
        build(
            |header| {
                header.record_count = count;
                header.last_offset_delta = count - 1;
            },
            records,
        )
    }

    /// A batch with a right length and checksum whatever `change` does to the other fields.
    fn build(change: impl FnOnce(&mut BatchHeader), records: &[u8]) -> Batch {
        let mut header = BatchHeader::new(1, 1_000_000);
        change(&mut header);
        Batch::seal(header, records)
    }

    fn refusal(change: impl FnOnce(&mut BatchHeader)) -> BatchError {
        validate(build(change, b"records").bytes, &rules()).unwrap_err()
    }

    #[test]
    fn a_right_batch_passes_by_reference() {
        let sent = batch(2, b"records records");
        let checked = validate(sent.bytes.clone(), &rules()).unwrap();
        assert_eq!(checked, sent);
        assert_eq!(checked.bytes.as_ptr(), sent.bytes.as_ptr());
    }

    #[test]
    fn each_rule_refuses_what_breaks_it() {
        assert_eq!(refusal(|h| h.record_count = 2), BatchError::Count { count: 2, delta: 0 });
        assert_eq!(refusal(|h| h.record_count = 0), BatchError::Count { count: 0, delta: 0 });
        assert_eq!(refusal(|h| h.attributes = Attributes(5)), BatchError::Codec(5));
        assert_eq!(refusal(|h| h.attributes = Attributes(0x20)), BatchError::Control);
        assert_eq!(refusal(|h| h.base_timestamp = -2), BatchError::NegativeTimestamp(-2));
        assert_eq!(refusal(|h| h.producer_id = 1), BatchError::Producer);
        assert_eq!(refusal(|h| h.magic = 1), BatchError::Magic(1));
        let late = 1_000_000 + 3_600_001;
        assert_eq!(refusal(|h| h.max_timestamp = late), BatchError::Timestamp(late));
    }

    #[test]
    fn the_bounds_themselves_pass() {
        let pass =
            |change: fn(&mut BatchHeader)| validate(build(change, b"records").bytes, &rules()).unwrap();
        pass(|h| h.base_timestamp = -1);
        pass(|h| h.max_timestamp = 1_000_000 + 3_600_000);
        let exact = batch(1, b"records");
        let tight = Rules { batch_bytes_max: exact.bytes.len(), ..rules() };
        validate(exact.bytes.clone(), &tight).unwrap();
        let tighter = Rules { batch_bytes_max: exact.bytes.len() - 1, ..rules() };
        let refused = validate(exact.bytes.clone(), &tighter).unwrap_err();
        assert_eq!(refused, BatchError::TooLarge { found: exact.bytes.len(), max: exact.bytes.len() - 1 });
    }

    #[test]
    fn more_records_than_there_is_room_for_are_refused() {
        let refused = validate(batch(3, &[0; 20]).bytes, &rules()).unwrap_err();
        assert_eq!(refused, BatchError::Count { count: 3, delta: 2 });
        validate(batch(3, &[0; 21]).bytes, &rules()).unwrap();
    }

    #[test]
    fn two_batches_and_none_are_refused() {
        let one = batch(1, b"records").bytes;
        let two = Bytes::from([one.as_ref(), one.as_ref()].concat());
        assert_eq!(validate(two, &rules()), Err(BatchError::SecondBatch));
        assert_eq!(validate(Bytes::new(), &rules()), Err(BatchError::Empty));
    }

    proptest! {
        #[test]
        fn a_flipped_bit_behind_the_checksum_is_found(
            at in BATCH_UNSUMMED_BYTES..80, bit in 0..8u8,
        ) {
            let mut bytes = batch(3, b"nineteen characters").bytes.to_vec();
            bytes[at] ^= 1 << bit;
            let refused = validate(Bytes::from(bytes), &rules());
            let is_checksum = matches!(refused, Err(BatchError::Checksum { .. }));
            prop_assert!(is_checksum);
        }

        #[test]
        fn no_bytes_reach_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut bytes = bytes;
            if let Some(magic) = bytes.get_mut(16) { *magic = 2; }
            let _ = validate(Bytes::from(bytes), &rules());
        }

        #[test]
        fn every_cut_is_refused(cut in 0..68usize) {
            let whole = batch(1, b"records").bytes;
            prop_assert!(validate(whole.slice(..cut), &rules()).is_err());
        }
    }
}
