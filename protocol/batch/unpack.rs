//! Taking records out of a batch, as a consumer does.
//!
//! Records share the memory of their batch, or of what it was unpacked to: none is copied.

use super::codec;
use super::header::{BATCH_HEADER_BYTES, BATCH_UNSUMMED_BYTES, BatchHeader, Compression, TimestampType};
use bytes::{Buf, Bytes};
use std::io::{self, Read};

/// What the key of a marker says of a transaction that was aborted.
const ABORTED: [u8; 2] = [0, 0];

/// The records of a batch, unpacked.
#[derive(Debug, Clone)]
pub struct Unpacked {
    /// The header of the batch.
    pub header: BatchHeader,
    content: Bytes,
}

/// A record of a batch. It keeps the batch's memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its offset.
    pub offset: i64,
    /// In milliseconds since 1970, or -1.
    pub timestamp: i64,
    /// Its key, if it has one.
    pub key: Option<Bytes>,
    /// Its value, if it has one.
    pub value: Option<Bytes>,
    headers: Bytes,
    header_count: usize,
}

/// A header of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name; some producers write what is not UTF-8.
    pub name: Bytes,
    /// Its value, if it has one.
    pub value: Option<Bytes>,
}

/// Goes through the records of a batch.
#[derive(Debug, Clone)]
pub struct Records {
    header: BatchHeader,
    rest: Bytes,
    left: i32,
}

impl Unpacked {
    /// Unpacks a batch of the broker's: its header of 61 bytes, and all records behind it. What they
    /// unpack to may have at most `bytes_max` bytes.
    ///
    /// # Errors
    /// `InvalidData` or `UnexpectedEof` when it is not a batch, does not have its checksum, or is
    /// larger.
    pub fn new(head: &[u8], content: Bytes, bytes_max: usize) -> io::Result<Self> {
        let header = BatchHeader::parse(head).ok_or(io::ErrorKind::UnexpectedEof)?;
        if header.total_bytes() != Some(BATCH_HEADER_BYTES + content.len()) {
            return Err(broken("the batch does not have its length"));
        }
        let summed = head.get(BATCH_UNSUMMED_BYTES..BATCH_HEADER_BYTES).unwrap_or_default();
        if crc32c::crc32c_append(crc32c::crc32c(summed), &content) != header.crc {
            return Err(broken("the checksum of the batch does not match"));
        }
        let compression = header.attributes.compression().ok_or(broken("the codec is unknown"))?;
        let content = match compression {
            Compression::None => content,
            packed => {
                let mut unpacked = Vec::new();
                let limit = bytes_max as u64 + 1;
                codec::unpack(packed, &content)?.take(limit).read_to_end(&mut unpacked)?;
                if unpacked.len() > bytes_max {
                    return Err(broken("the batch unpacks to more than is allowed"));
                }
                unpacked.into()
            }
        };
        Ok(Self { header, content })
    }

    /// Its records, in order.
    pub fn records(&self) -> Records {
        // A control batch says what became of a transaction; it has no records for anybody.
        let left = if self.header.attributes.is_control() { 0 } else { self.header.record_count };
        Records { header: self.header, rest: self.content.clone(), left }
    }

    /// Whether it is a control batch which says that its producer's transaction was aborted.
    pub fn is_abort_marker(&self) -> bool {
        let mut markers = Records { header: self.header, rest: self.content.clone(), left: 1 };
        let key = self.header.attributes.is_control().then(|| markers.next()?.ok()?.key).flatten();
        // The version of the key, and then the kind of the marker.
        key.and_then(|key| key.get(2..4).map(|kind| kind == ABORTED)).unwrap_or(false)
    }
}

impl Record {
    /// Its headers, in order.
    pub fn headers(&self) -> impl Iterator<Item = Header> + use<> {
        let mut rest = self.headers.clone();
        // They were read once, so they can be read again.
        (0..self.header_count).map_while(move |_| header(&mut rest).ok())
    }
}

impl Iterator for Records {
    type Item = io::Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left <= 0 {
            return None;
        }
        self.left -= 1;
        let record = self.record();
        if record.is_err() {
            // Where the next one begins is not known.
            self.left = 0;
        }
        Some(record)
    }
}

impl Records {
    fn record(&mut self) -> io::Result<Record> {
        let mut body = split(&mut self.rest)?.ok_or(broken("a record has no length"))?;
        body.try_get_u8().map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let timestamp = self.header.base_timestamp.wrapping_add(varint(&mut body)?);
        let timestamp = match self.header.attributes.timestamp_type() {
            TimestampType::CreateTime => timestamp,
            TimestampType::LogAppendTime => self.header.max_timestamp,
        };
        let offset = self.header.base_offset.wrapping_add(varint(&mut body)?);
        let (key, value) = (split(&mut body)?, split(&mut body)?);
        let header_count = usize::try_from(varint(&mut body)?).map_err(|_| broken("a count is negative"))?;
        let headers = body.clone();
        for _ in 0..header_count {
            header(&mut body)?;
        }
        Ok(Record { offset, timestamp, key, value, headers, header_count })
    }
}

fn header(rest: &mut Bytes) -> io::Result<Header> {
    let name = split(rest)?.ok_or(broken("a header has no name"))?;
    Ok(Header { name, value: split(rest)? })
}

/// Bytes behind their length; none where that is -1.
fn split(rest: &mut Bytes) -> io::Result<Option<Bytes>> {
    let length = varint(rest)?;
    if length == -1 {
        return Ok(None);
    }
    let length = usize::try_from(length).ok().filter(|length| *length <= rest.len());
    Ok(Some(rest.split_to(length.ok_or(io::ErrorKind::UnexpectedEof)?)))
}

/// A zigzag number of at most ten bytes.
fn varint(rest: &mut Bytes) -> io::Result<i64> {
    let mut number = 0u64;
    for (at, byte) in (0..10).zip(rest.iter()) {
        number |= u64::from(byte & 0x7f).checked_shl(at * 7).unwrap_or(0);
        if byte & 0x80 == 0 {
            rest.advance(at as usize + 1);
            return Ok((number >> 1) as i64 ^ -((number & 1) as i64));
        }
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}

fn broken(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::super::build::{BatchBuilder, NewRecord, Producing};
    use super::super::codec::tests::ALL;
    use super::*;
    use proptest::prelude::*;

    fn unpack(batch: &Bytes, bytes_max: usize) -> io::Result<Unpacked> {
        Unpacked::new(batch, batch.slice(BATCH_HEADER_BYTES..), bytes_max)
    }

    type Sent = (i64, Option<Vec<u8>>, Option<Vec<u8>>, Vec<(Bytes, Option<Bytes>)>);

    fn sent() -> impl Strategy<Value = Vec<Sent>> {
        let field = || prop::option::of(prop::collection::vec(any::<u8>(), 0..200));
        let value = prop::option::of(prop::collection::vec(any::<u8>(), 0..20).prop_map(Bytes::from));
        let name = prop::collection::vec(any::<u8>(), 0..10).prop_map(Bytes::from);
        let headers = prop::collection::vec((name, value), 0..4);
        prop::collection::vec((0..i64::MAX, field(), field(), headers), 1..20)
    }

    fn build(sent: &[Sent]) -> BatchBuilder {
        let mut builder = BatchBuilder::default();
        for (timestamp, key, value, headers) in sent {
            let record =
                NewRecord { timestamp: *timestamp, key: key.as_deref(), value: value.as_deref(), headers };
            let before = builder.records_bytes();
            builder.push(record);
            assert!(builder.records_bytes() - before <= record.bytes_max());
        }
        builder
    }

    proptest! {
        #[test]
        fn records_come_out_as_they_went_in(sent in sent(), codec in prop::sample::select(&ALL[..])) {
            let producing = Producing { id: 7, epoch: 1, base_sequence: 3 };
            let batch = build(&sent).seal(codec, Some(producing)).unwrap();
            let unpacked = unpack(&batch.bytes, usize::MAX >> 1).unwrap();
            prop_assert_eq!(unpacked.header.producer_id, 7);
            let records: Vec<_> = unpacked.records().collect::<io::Result<_>>().unwrap();
            prop_assert_eq!(records.len(), sent.len());
            for ((number, record), (timestamp, key, value, headers)) in (0..).zip(records).zip(sent) {
                let found: Vec<_> = record.headers().map(|it| (it.name, it.value)).collect();
                prop_assert_eq!(found, headers);
                prop_assert_eq!((record.offset, record.timestamp), (number, timestamp));
                prop_assert_eq!((record.key, record.value), (key.map(Bytes::from), value.map(Bytes::from)));
            }
        }

        #[test]
        fn no_content_reaches_a_panic(
            codec in 0..5i16, count in 1..1000,
            content in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let mut header = BatchHeader::new(count, 0);
            header.attributes.0 = codec;
            let batch = super::super::Batch::seal(header, &content);
            if let Ok(unpacked) = unpack(&batch.bytes, 1 << 20) {
                unpacked.records().flatten().for_each(|record| {
                    let _ = record.headers().count();
                });
            }
        }
    }

    #[test]
    fn a_batch_that_unpacks_to_too_much_is_refused() {
        let value = vec![0; 10_000];
        for codec in ALL.into_iter().skip(1) {
            let mut builder = BatchBuilder::default();
            builder.push(NewRecord { value: Some(&value), ..NewRecord::default() });
            let batch = builder.seal(codec, None).unwrap();
            assert!(unpack(&batch.bytes, 9_000).is_err(), "{codec:?}");
            assert!(unpack(&batch.bytes, 11_000).is_ok(), "{codec:?}");
        }
    }

    #[test]
    fn a_batch_that_was_changed_is_refused() {
        let mut builder = BatchBuilder::default();
        builder.push(NewRecord::default());
        let mut bytes = builder.seal(Compression::None, None).unwrap().bytes.to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        assert!(unpack(&bytes.into(), 100).is_err());
    }
}
