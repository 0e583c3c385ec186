//! Unpacking a batch as far as its records' timestamps, for searches by time.
//!
//! Only readers and compaction look inside a batch, never the path that appends.

use super::header::{BATCH_HEADER_BYTES, BatchHeader, Compression, TimestampType};
use std::io::{self, Read};

/// Bytes of the largest record that is unpacked.
const RECORD_BYTES_MAX: u64 = 1 << 30;
/// What snappy-java writes before its blocks.
const SNAPPY_JAVA_MAGIC: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];
const SNAPPY_JAVA_HEADER_BYTES: usize = 16;

/// The time of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordTime {
    /// Its offset, counted from the batch's base offset.
    pub offset_delta: i64,
    /// Its timestamp, in milliseconds since 1970, or -1.
    pub timestamp: i64,
}

/// The times of a whole batch's records, in order. Memory does not grow with the records' size.
///
/// # Errors
/// `InvalidData` or `UnexpectedEof` when the content is not what the header says.
pub fn record_times(batch: &[u8]) -> io::Result<Vec<RecordTime>> {
    let header = BatchHeader::parse(batch).ok_or(io::ErrorKind::UnexpectedEof)?;
    let content = batch.get(BATCH_HEADER_BYTES..).unwrap_or_default();
    if header.attributes.timestamp_type() == TimestampType::LogAppendTime {
        let first = RecordTime { offset_delta: 0, timestamp: header.max_timestamp };
        return Ok(vec![first]);
    }
    let compression = header.attributes.compression().ok_or(io::ErrorKind::InvalidData)?;
    match compression {
        Compression::None => times(&header, content),
        Compression::Gzip => times(&header, io::BufReader::new(flate2::read::GzDecoder::new(content))),
        Compression::Snappy => times(&header, io::Cursor::new(snappy(content)?)),
        Compression::Lz4 => times(&header, io::BufReader::new(lz4_flex::frame::FrameDecoder::new(content))),
        Compression::Zstd => {
            let decoder = ruzstd::decoding::StreamingDecoder::new(content).map_err(invalid)?;
            times(&header, io::BufReader::new(decoder))
        }
    }
}

fn times(header: &BatchHeader, mut content: impl Read) -> io::Result<Vec<RecordTime>> {
    let count = usize::try_from(header.record_count).map_err(invalid)?;
    let mut times = Vec::with_capacity(count.min(1024));
    for _ in 0..count {
        let length = u64::try_from(varint(&mut content)?).map_err(invalid)?;
        if length > RECORD_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut record = (&mut content).take(length);
        byte(&mut record)?;
        let timestamp = header.base_timestamp.saturating_add(varint(&mut record)?);
        let offset_delta = varint(&mut record)?;
        io::copy(&mut record, &mut io::sink())?;
        times.push(RecordTime { offset_delta, timestamp });
    }
    Ok(times)
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

/// Snappy content: blocks as snappy-java frames them, or a single raw one.
fn snappy(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut decoder = snap::raw::Decoder::new();
    if !content.starts_with(&SNAPPY_JAVA_MAGIC) {
        return decoder.decompress_vec(content).map_err(invalid);
    }
    let mut out = Vec::new();
    let mut rest = content.get(SNAPPY_JAVA_HEADER_BYTES..).unwrap_or_default();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        let (block, after) = after.split_at_checked(length).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.extend_from_slice(&decoder.decompress_vec(block).map_err(invalid)?);
        rest = after;
    }
    Ok(out)
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use super::super::Attributes;
    use super::super::header::MAGIC;
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    fn put_varint(out: &mut Vec<u8>, number: i64) {
        let mut rest = ((number << 1) ^ (number >> 63)) as u64;
        while rest >= 0x80 {
            out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
    }

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

    fn compressed(codec: i16, content: &[u8]) -> Vec<u8> {
        match codec {
            1 => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(content).unwrap();
                encoder.finish().unwrap()
            }
            2 => snap::raw::Encoder::new().compress_vec(content).unwrap(),
            3 => {
                let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
                encoder.write_all(content).unwrap();
                encoder.finish().unwrap()
            }
            4 => ruzstd::encoding::compress_to_vec(content, ruzstd::encoding::CompressionLevel::Fastest),
            _ => content.to_vec(),
        }
    }

    #[test]
    fn times_are_read_with_every_codec() {
        let content = records(&[0, 4000, -7]);
        for codec in 0..=4 {
            let times = record_times(&batch(codec, 3, &compressed(codec, &content))).unwrap();
            let found: Vec<_> = times.iter().map(|time| (time.offset_delta, time.timestamp)).collect();
            assert_eq!(found, [(0, 1000), (1, 5000), (2, 993)], "codec {codec}");
        }
    }

    #[test]
    fn snappy_blocks_are_joined() {
        let content = records(&[0, 1]);
        let mut framed = SNAPPY_JAVA_MAGIC.to_vec();
        framed.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 1]);
        for block in content.chunks(5) {
            let block = compressed(2, block);
            framed.extend_from_slice(&(block.len() as u32).to_be_bytes());
            framed.extend_from_slice(&block);
        }
        assert_eq!(record_times(&batch(2, 2, &framed)).unwrap().len(), 2);
    }

    #[test]
    fn the_brokers_time_is_that_of_the_first_record() {
        let times = record_times(&batch(0x08, 3, b"")).unwrap();
        assert_eq!(times, [RecordTime { offset_delta: 0, timestamp: 5000 }]);
    }

    proptest! {
        #[test]
        fn no_content_reaches_a_panic(
            codec in 0..8i16, count in 1..1000usize,
            content in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let _ = record_times(&batch(codec, count, &content));
        }
    }
}
