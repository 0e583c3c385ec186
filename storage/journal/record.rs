//! A record: one commit, whatever it holds, and how it looks in a segment.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | [`RECORD_MAGIC`] |
//! | 4 | checksum (CRC-32C), see below |
//! | 4 | bytes of the body |
//! | 4 | start number: which start of the broker wrote it |
//! | 8 | sequence number |
//! | 8 | the sequence number known to be synced when it was written |
//! | … | body: replication group u32, term u64, index u64, kind u8, number of mutations u32, of batches u32 |
//! | … | each mutation: table u8, key length u32, key, value length u32 + 1 or 0 for a deletion, value |
//! | … | each batch: partition u32, the batch |
//!
//! All numbers are big endian. The body is the same on every node. The checksum covers the body up
//! to the batches, each batch's partition and first 21 bytes, and then the header behind the
//! checksum and the segment's seed; a batch's own checksum covers the rest of it, so nothing is
//! summed twice.

use crate::ids::{PartitionId, Sequence};
use crate::keys::Table;
use bytes::{BufMut, Bytes};
use callboard_protocol::batch::StampedBatch;
use callboard_protocol::batch::header::BATCH_UNSUMMED_BYTES;

/// The first bytes of a record.
pub const RECORD_MAGIC: u32 = 0xCB0A_4D01;
/// Bytes of a record before its body.
pub const RECORD_HEADER_BYTES: usize = 32;
/// Bytes of a body before its mutations.
pub const BODY_HEADER_BYTES: usize = 29;
/// Bytes of the largest body.
pub const BODY_BYTES_MAX: usize = 1 << 30;
/// Bytes of the largest table key: what the index takes, without the table's number.
pub const KEY_BYTES_MAX: usize = u16::MAX as usize - 1;

/// A change of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutation {
    /// The table.
    pub table: Table,
    /// The key, without the table's number.
    pub key: Vec<u8>,
    /// The new value, or `None` to delete the row.
    pub value: Option<Vec<u8>>,
}

/// A batch that has its place in a partition's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedBatch {
    /// The partition.
    pub partition: PartitionId,
    /// The batch, with base offset and leader epoch.
    pub batch: StampedBatch,
}

/// What kind of record it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Kind {
    /// Mutations and batches to apply.
    #[default]
    Commit = 0,
}

/// The part of a record that is the same on every node.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Body {
    /// The replication group it belongs to; on a single node there is only 0.
    pub group: u32,
    /// The leader's term; on a single node the number of the start.
    pub term: u64,
    /// Position in the replication group's log.
    pub index: u64,
    /// What it is.
    pub kind: Kind,
    /// Changed rows. All are absolute, so that applying twice is applying once.
    pub mutations: Vec<Mutation>,
    /// Appended batches.
    pub batches: Vec<PlacedBatch>,
}

/// The header of a record, without what follows from the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordHeader {
    /// Which start of the broker wrote it.
    pub start: u32,
    /// Its number.
    pub sequence: Sequence,
    /// The number known to be synced when it was written.
    pub synced: Sequence,
}

impl RecordHeader {
    /// Appends the header of a record whose body has `body_bytes` bytes and the sum `body_sum`, in
    /// a segment with that seed.
    pub fn write(&self, out: &mut impl BufMut, seed: u32, body_bytes: u32, body_sum: u32) {
        out.put_u32(RECORD_MAGIC);
        out.put_u32(self.checksum(seed, body_bytes, body_sum));
        out.put_slice(&self.fields(body_bytes));
    }

    /// The checksum that such a header carries.
    pub fn checksum(&self, seed: u32, body_bytes: u32, body_sum: u32) -> u32 {
        let sum = crc32c::crc32c_append(body_sum, &self.fields(body_bytes));
        crc32c::crc32c_append(sum, &seed.to_be_bytes())
    }

    fn fields(&self, body_bytes: u32) -> [u8; 24] {
        let mut fields = [0; 24];
        let mut out = &mut fields[..];
        out.put_u32(body_bytes);
        out.put_u32(self.start);
        out.put_u64(self.sequence.0);
        out.put_u64(self.synced.0);
        fields
    }
}

impl Mutation {
    /// Bytes of it in a body.
    pub fn bytes(&self) -> usize {
        9 + self.key.len() + self.value.as_ref().map_or(0, Vec::len)
    }
}

impl Body {
    /// Bytes of the whole body.
    pub fn bytes(&self) -> usize {
        let mutations: usize = self.mutations.iter().map(Mutation::bytes).sum();
        let batches: usize = self.batches.iter().map(|placed| 4 + placed.batch.len()).sum();
        BODY_HEADER_BYTES + mutations + batches
    }

    /// Appends all of the body that comes before the batches.
    pub fn write_head(&self, out: &mut impl BufMut) {
        out.put_u32(self.group);
        out.put_u64(self.term);
        out.put_u64(self.index);
        out.put_u8(self.kind as u8);
        out.put_u32(self.mutations.len() as u32);
        out.put_u32(self.batches.len() as u32);
        for mutation in &self.mutations {
            out.put_u8(mutation.table as u8);
            out.put_u32(mutation.key.len() as u32);
            out.put_slice(&mutation.key);
            match &mutation.value {
                Some(value) => {
                    out.put_u32(value.len() as u32 + 1);
                    out.put_slice(value);
                }
                None => out.put_u32(0),
            }
        }
    }

    /// The sum over the body's part of the checksum; `head` is what [`Body::write_head`] wrote.
    pub fn sum(&self, head: &[u8]) -> u32 {
        self.batches
            .iter()
            .fold(crc32c::crc32c(head), |sum, placed| sum_batch(sum, placed.partition, &placed.batch.head))
    }
}

/// Adds a batch's partition and the bytes that its own checksum does not cover to a body's sum.
pub fn sum_batch(sum: u32, partition: PartitionId, batch: &[u8]) -> u32 {
    let unsummed = batch.get(..BATCH_UNSUMMED_BYTES).unwrap_or(batch);
    crc32c::crc32c_append(crc32c::crc32c_append(sum, &partition.0.to_be_bytes()), unsummed)
}

/// The pieces of an encoded record's batches: partition and header, then the records by reference.
pub fn batch_pieces(placed: &PlacedBatch) -> ([u8; 4], &Bytes, &Bytes) {
    (placed.partition.0.to_be_bytes(), &placed.batch.head, &placed.batch.records)
}
