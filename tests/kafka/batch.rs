//! Record batches as a producer makes them, right or wrong, and as a consumer reads them.

use bytes::Bytes;
use callboard_protocol::batch::header::{BATCH_PREFIX_BYTES, BATCH_UNSUMMED_BYTES, MAGIC};
use callboard_protocol::batch::{Attributes, BATCH_HEADER_BYTES, BatchHeader};
use callboard_protocol::wire::{Records, Writer};

/// The timestamp of a batch's first record, where a test does not say another: in 2023.
pub(crate) const TIME: i64 = 1_700_000_000_000;

const CRC_32: u32 = 0xEDB8_8320;
const CRC_32C: u32 = 0x82F6_3B78;
const GZIP: i16 = 1;

/// A batch: its header, and the records behind it. Length and checksum are set by [`Batch::bytes`].
#[derive(Clone)]
pub(crate) struct Batch {
    header: BatchHeader,
    records: Vec<u8>,
}

/// A batch of records without keys, a millisecond apart.
pub(crate) fn batch(values: &[&str]) -> Batch {
    let timed: Vec<_> = (TIME..).zip(values.iter().copied()).collect();
    Batch::timed(&timed)
}

impl Batch {
    /// A batch of records with their timestamps.
    pub(crate) fn timed(records: &[(i64, &str)]) -> Self {
        let base_timestamp = records[0].0;
        let count = i32::try_from(records.len()).unwrap();
        let header = BatchHeader {
            base_offset: 0,
            batch_length: 0,
            leader_epoch: -1,
            magic: MAGIC,
            crc: 0,
            attributes: Attributes(0),
            last_offset_delta: count - 1,
            base_timestamp,
            max_timestamp: records.iter().map(|(timestamp, _)| *timestamp).max().unwrap(),
            producer_id: -1,
            producer_epoch: -1,
            base_sequence: -1,
            record_count: count,
        };
        let mut writer = Writer::new();
        for (delta, (timestamp, value)) in (0..).zip(records) {
            put_record(&mut writer, timestamp - base_timestamp, delta, value);
        }
        Self { header, records: writer.finish().concat() }
    }

    /// A batch of one record with a value of so many bytes.
    pub(crate) fn of_size(value_bytes: usize) -> Self {
        batch(&[&"x".repeat(value_bytes)])
    }

    /// The same from an idempotent producer.
    pub(crate) fn from(self, producer_id: i64, epoch: i16, sequence: i32) -> Self {
        self.with(|header| {
            header.producer_id = producer_id;
            header.producer_epoch = epoch;
            header.base_sequence = sequence;
        })
    }

    /// The same with a header that says something else.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut BatchHeader)) -> Self {
        change(&mut self.header);
        self
    }

    /// The same with its records packed by gzip (as one block that is stored as it is).
    pub(crate) fn gzipped(mut self) -> Self {
        let length = u16::try_from(self.records.len()).unwrap();
        let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 1];
        packed.extend(length.to_le_bytes());
        packed.extend((!length).to_le_bytes());
        packed.extend(&self.records);
        packed.extend(checksum(CRC_32, &self.records).to_le_bytes());
        packed.extend(u32::from(length).to_le_bytes());
        self.records = packed;
        self.with(|header| header.attributes = Attributes(GZIP))
    }

    /// The whole batch, with the length and checksum that it ought to have.
    pub(crate) fn bytes(&self) -> Bytes {
        let total = BATCH_HEADER_BYTES + self.records.len();
        let mut header = self.header;
        header.batch_length = i32::try_from(total - BATCH_PREFIX_BYTES).unwrap();
        let mut bytes = Vec::with_capacity(total);
        header.write(&mut bytes);
        bytes.extend(&self.records);
        let crc = checksum(CRC_32C, &bytes[BATCH_UNSUMMED_BYTES..]);
        bytes[17..21].copy_from_slice(&crc.to_be_bytes());
        bytes.into()
    }

    /// The bytes with one part of them replaced, checksum and all.
    pub(crate) fn patched(&self, at: usize, part: &[u8]) -> Bytes {
        let mut bytes = self.bytes().to_vec();
        bytes[at..at + part.len()].copy_from_slice(part);
        bytes.into()
    }
}

/// A batch that was read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) header: BatchHeader,
    /// The records behind the header, packed or not.
    pub(crate) records: Bytes,
}

/// The whole batches of a fetch, each with a checksum that is right. Kafka may cut the last.
pub(crate) fn stored(records: Option<&Records>) -> Vec<Stored> {
    let mut bytes = records.cloned().unwrap_or_default().into_bytes();
    let mut batches = Vec::new();
    while let Some(header) = BatchHeader::parse(&bytes) {
        let total = header.total_bytes().unwrap();
        if total > bytes.len() {
            break;
        }
        let batch = bytes.split_to(total);
        assert_eq!(checksum(CRC_32C, &batch[BATCH_UNSUMMED_BYTES..]), header.crc, "wrong checksum");
        batches.push(Stored { header, records: batch.slice(BATCH_HEADER_BYTES..) });
    }
    batches
}

fn put_record(writer: &mut Writer, timestamp_delta: i64, offset_delta: i32, value: &str) {
    let mut body = Writer::new();
    body.put_i8(0);
    body.put_varlong(timestamp_delta);
    body.put_varint(offset_delta);
    body.put_varint(-1);
    body.put_varint(i32::try_from(value.len()).unwrap());
    body.put_slice(value.as_bytes());
    body.put_varint(0);
    writer.put_varint(i32::try_from(body.len()).unwrap());
    writer.put_slice(&body.finish().concat());
}

/// A reflected checksum of 32 bits, bit by bit.
fn checksum(polynomial: u32, bytes: &[u8]) -> u32 {
    let shift = |sum: u32| if sum & 1 == 1 { (sum >> 1) ^ polynomial } else { sum >> 1 };
    !bytes.iter().fold(!0, |sum: u32, byte| (0..8).fold(sum ^ u32::from(*byte), |sum, _| shift(sum)))
}
