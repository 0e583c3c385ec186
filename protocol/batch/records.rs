//! Unpacking a batch as far as its records' timestamps, for searches by time.
//!
//! Only readers and compaction look inside a batch, never the path that appends.

use super::codec::{self, invalid};
use super::header::{BATCH_HEADER_BYTES, BatchHeader, Compression, TimestampType};
use std::io::{self, Read};

/// Bytes that a batch may unpack to; a small one can claim far more than a machine has.
const UNPACKED_BYTES_MAX: u64 = 1 << 30;
/// The time of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordTime {
    /// Its offset, counted from the batch's base offset.
    pub offset_delta: i64,
    /// Its timestamp, in milliseconds since 1970, or -1.
    pub timestamp: i64,
}

/// The first record of a whole batch whose time is wanted. Nothing behind it is unpacked, and memory
/// does not grow with the number of records.
///
/// # Errors
/// `InvalidData` or `UnexpectedEof` when the content is not what the header says, or unpacks to more
/// than 1 GiB.
pub fn find_time(batch: &[u8], wanted: impl Fn(&RecordTime) -> bool) -> io::Result<Option<RecordTime>> {
    let header = BatchHeader::parse(batch).ok_or(io::ErrorKind::UnexpectedEof)?;
    let content = batch.get(BATCH_HEADER_BYTES..).unwrap_or_default();
    if header.attributes.timestamp_type() == TimestampType::LogAppendTime {
        let count = i64::from(header.last_offset_delta) + 1;
        let mut all =
            (0..count).map(|offset_delta| RecordTime { offset_delta, timestamp: header.max_timestamp });
        return Ok(all.find(wanted));
    }
    let compression = header.attributes.compression().ok_or(io::ErrorKind::InvalidData)?;
    match compression {
        Compression::None => find(&header, content, wanted),
        packed => find(&header, io::BufReader::new(codec::unpack(packed, content)?), wanted),
    }
}

fn find(
    header: &BatchHeader,
    content: impl Read,
    wanted: impl Fn(&RecordTime) -> bool,
) -> io::Result<Option<RecordTime>> {
    let mut content = content.take(UNPACKED_BYTES_MAX);
    for _ in 0..header.record_count {
        let length = u64::try_from(varint(&mut content)?).map_err(invalid)?;
        let mut record = (&mut content).take(length);
        byte(&mut record)?;
        let timestamp = header.base_timestamp.saturating_add(varint(&mut record)?);
        let time = RecordTime { offset_delta: varint(&mut record)?, timestamp };
        if wanted(&time) {
            return Ok(Some(time));
        }
        io::copy(&mut record, &mut io::sink())?;
    }
    Ok(None)
}

fn byte(content: &mut impl Read) -> io::Result<u8> {
    let mut byte = [0];
    content.read_exact(&mut byte)?;
    let [byte] = byte;
    Ok(byte)
}

/// A zigzag number of at most ten bytes.
fn varint(content: &mut impl Read) -> io::Result<i64> {
    let mut number = 0u64;
    for shift in (0..70).step_by(7) {
        let byte = byte(content)?;
        number |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Ok((number >> 1) as i64 ^ -((number & 1) as i64));
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::super::Attributes;
    use super::super::build::put_varint;
    use super::super::header::MAGIC;
    use super::*;
    use proptest::prelude::*;

    fn records(deltas: &[i64]) -> Vec<u8> {
        let mut out = Vec::new();
        for (offset, delta) in deltas.iter().enumerate() {
            let mut record = vec![0];
            put_varint(&mut record, *delta);
            put_varint(&mut record, offset as i64);
            record.extend_from_slice(&[1, 20]);
            record.extend_from_slice(b"ten bytes!\0");
            put_varint(&mut out, record.len() as i64);
            out.extend_from_slice(&record);
        }
        out
    }

    fn batch(codec: i16, count: usize, content: &[u8]) -> Vec<u8> {
        let header = BatchHeader {
            base_offset: 100,
            batch_length: (BATCH_HEADER_BYTES - 12 + content.len()) as i32,
            leader_epoch: 0,
            magic: MAGIC,
            crc: 0,
            attributes: Attributes(codec),
            last_offset_delta: count as i32 - 1,
            base_timestamp: 1000,
            max_timestamp: 5000,
            producer_id: -1,
            producer_epoch: -1,
            base_sequence: -1,
            record_count: count as i32,
        };
        let mut batch = Vec::new();
        header.write(&mut batch);
        batch.extend_from_slice(content);
        batch
    }

    fn times(batch: &[u8]) -> io::Result<Vec<(i64, i64)>> {
        let found = std::cell::RefCell::new(Vec::new());
        find_time(batch, |time| {
            found.borrow_mut().push((time.offset_delta, time.timestamp));
            false
        })?;
        Ok(found.into_inner())
    }

    fn compressed(codec: i16, content: &[u8]) -> Vec<u8> {
        let compression = Attributes(codec).compression();
        compression.map_or_else(|| content.to_vec(), |it| codec::pack(it, content).unwrap())
    }

    #[test]
    fn times_are_read_with_every_codec() {
        let content = records(&[0, 4000, -7]);
        for codec in 0..=4 {
            let found = times(&batch(codec, 3, &compressed(codec, &content))).unwrap();
            assert_eq!(found, [(0, 1000), (1, 5000), (2, 993)], "codec {codec}");
        }
    }

    #[test]
    fn a_raw_snappy_block_is_read_as_well_as_framed_ones() {
        let content = records(&[0, 1]);
        let raw = snap::raw::Encoder::new().compress_vec(&content).unwrap();
        assert_eq!(times(&batch(2, 2, &raw)).unwrap().len(), 2);
        let mut framed = compressed(2, &content[..5]);
        framed.extend_from_slice(&compressed(2, &content[5..])[16..]);
        assert_eq!(times(&batch(2, 2, &framed)).unwrap().len(), 2);
    }

    #[test]
    fn the_brokers_time_is_that_of_all_records() {
        assert_eq!(times(&batch(0x08, 3, b"")).unwrap(), [(0, 5000), (1, 5000), (2, 5000)]);
    }

    #[test]
    fn a_batch_that_claims_more_than_it_holds_costs_nothing() {
        for codec in 0..=4 {
            let claiming = batch(codec, i32::MAX as usize, &compressed(codec, &records(&[0, 1])));
            assert!(times(&claiming).is_err(), "codec {codec}");
        }
        let mut huge = vec![0xff, 0xff, 0xff, 0xff, 0x0f];
        huge.extend_from_slice(&[0; 20]);
        assert!(times(&batch(2, 1, &huge)).is_err(), "a block of 4 GiB");
    }

    proptest! {
        #[test]
        fn no_content_reaches_a_panic(
            codec in 0..8i16, count in 1..1000usize,
            content in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let _ = times(&batch(codec, count, &content));
        }
    }
}
