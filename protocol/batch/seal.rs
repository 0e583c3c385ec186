//! Sealing a batch: a header in front of its records, with their length and checksum.

use super::Batch;
use super::header::{BATCH_HEADER_BYTES, BATCH_PREFIX_BYTES, BATCH_UNSUMMED_BYTES, BatchHeader};
use bytes::BytesMut;

impl Batch {
    /// The records behind that header, whose length and checksum are made to fit; nothing else is
    /// looked at. Of records there may be as many bytes as a batch's length can say, just under 2 GiB.
    pub fn seal(mut header: BatchHeader, records: &[u8]) -> Self {
        let total_bytes = BATCH_HEADER_BYTES + records.len();
        header.batch_length = (total_bytes - BATCH_PREFIX_BYTES) as i32;
        let mut bytes = BytesMut::with_capacity(total_bytes);
        header.write(&mut bytes);
        let summed = bytes.get(BATCH_UNSUMMED_BYTES..).unwrap_or_default();
        header.crc = crc32c::crc32c_append(crc32c::crc32c(summed), records);
        bytes.clear();
        header.write(&mut bytes);
        bytes.extend_from_slice(records);
        Self { header, bytes: bytes.freeze() }
    }
}
