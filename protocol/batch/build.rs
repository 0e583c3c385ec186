//! Building a batch of records, as a producer does.

use super::codec;
use super::{BATCH_HEADER_BYTES, Batch, BatchHeader, Compression};
use bytes::BufMut;
use std::io;

/// A record that goes into a batch.
#[derive(Debug, Clone, Copy, Default)]
pub struct NewRecord<'a> {
    /// In milliseconds since 1970.
    pub timestamp: i64,
    /// Its key, if it has one.
    pub key: Option<&'a [u8]>,
    /// Its value; a record without one deletes its key in a compacted topic.
    pub value: Option<&'a [u8]>,
    /// Its headers, in order; a name may occur more than once, and need not be UTF-8.
    pub headers: &'a [(bytes::Bytes, Option<bytes::Bytes>)],
}

/// Who produces a batch, so that the broker knows one that was sent twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Producing {
    /// The producer's id.
    pub id: i64,
    /// Its epoch.
    pub epoch: i16,
    /// The sequence number of the batch's first record.
    pub base_sequence: i32,
}

/// Records on their way into a batch.
#[derive(Debug)]
pub struct BatchBuilder {
    /// The records, behind room for the header.
    bytes: Vec<u8>,
    count: i32,
    base_timestamp: i64,
    max_timestamp: i64,
}

impl Default for BatchBuilder {
    fn default() -> Self {
        let bytes = vec![0; BATCH_HEADER_BYTES];
        Self { bytes, count: 0, base_timestamp: 0, max_timestamp: 0 }
    }
}

impl BatchBuilder {
    /// Adds a record behind those that are there.
    pub fn push(&mut self, record: NewRecord<'_>) {
        if self.count == 0 {
            (self.base_timestamp, self.max_timestamp) = (record.timestamp, record.timestamp);
        }
        self.max_timestamp = self.max_timestamp.max(record.timestamp);
        let timestamp_delta = record.timestamp.wrapping_sub(self.base_timestamp);
        let offset_delta = i64::from(self.count);
        put_record(&mut self.bytes, &record, timestamp_delta, offset_delta);
        self.count += 1;
    }

    /// How many records are in it.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether no record is in it.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes of the records before they are compressed.
    pub fn records_bytes(&self) -> usize {
        self.bytes.len() - BATCH_HEADER_BYTES
    }

    /// The batch, with its header in front and its checksum.
    ///
    /// # Errors
    /// What the codec says.
    pub fn seal(self, compression: Compression, producing: Option<Producing>) -> io::Result<Batch> {
        let mut header = BatchHeader::new(self.count, self.base_timestamp);
        header.max_timestamp = self.max_timestamp;
        header.attributes = header.attributes.packed_with(compression);
        if let Some(Producing { id, epoch, base_sequence }) = producing {
            (header.producer_id, header.producer_epoch, header.base_sequence) = (id, epoch, base_sequence);
        }
        Ok(match compression {
            Compression::None => Batch::seal_in_place(header, self.bytes),
            packed => {
                let records = self.bytes.get(BATCH_HEADER_BYTES..).unwrap_or_default();
                Batch::seal(header, &codec::pack(packed, records)?)
            }
        })
    }
}

impl NewRecord<'_> {
    /// Bytes that the record takes in a batch before it is compressed, at most.
    pub fn bytes_max(&self) -> usize {
        body_bytes(self, i64::MAX, i64::from(i32::MAX)) + VARINT_BYTES_MAX
    }
}

const VARINT_BYTES_MAX: usize = 5;

/// Writes a record with its length in front.
pub(super) fn put_record(
    records: &mut Vec<u8>,
    record: &NewRecord<'_>,
    timestamp_delta: i64,
    offset_delta: i64,
) {
    let body = body_bytes(record, timestamp_delta, offset_delta);
    records.reserve(body + VARINT_BYTES_MAX);
    put_varint(records, body as i64);
    records.put_u8(0);
    put_varint(records, timestamp_delta);
    put_varint(records, offset_delta);
    put_field(records, record.key);
    put_field(records, record.value);
    put_varint(records, record.headers.len() as i64);
    for (name, value) in record.headers {
        put_field(records, Some(name));
        put_field(records, value.as_deref());
    }
}

fn body_bytes(record: &NewRecord<'_>, timestamp_delta: i64, offset_delta: i64) -> usize {
    let field =
        |bytes: Option<&[u8]>| bytes.map_or(1, |bytes| varint_bytes(bytes.len() as i64) + bytes.len());
    let header =
        |(name, value): &(bytes::Bytes, Option<bytes::Bytes>)| field(Some(name)) + field(value.as_deref());
    1 + varint_bytes(timestamp_delta)
        + varint_bytes(offset_delta)
        + field(record.key)
        + field(record.value)
        + varint_bytes(record.headers.len() as i64)
        + record.headers.iter().map(header).sum::<usize>()
}

fn put_field(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => {
            put_varint(out, bytes.len() as i64);
            out.extend_from_slice(bytes);
        }
        None => put_varint(out, -1),
    }
}

/// Appends a zigzag number.
pub(super) fn put_varint(out: &mut Vec<u8>, number: i64) {
    let mut rest = zigzag(number);
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

fn varint_bytes(number: i64) -> usize {
    (64 - zigzag(number).leading_zeros()).div_ceil(7).max(1) as usize
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_number_takes_the_bytes_that_were_counted(number: i64) {
            let mut out = Vec::new();
            put_varint(&mut out, number);
            prop_assert_eq!(out.len(), varint_bytes(number));
        }
    }
}
