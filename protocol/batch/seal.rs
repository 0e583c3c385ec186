//! Sealing a batch: a header in front of its records, with their length and checksum.

use super::Batch;
use super::header::{BATCH_HEADER_BYTES, BATCH_PREFIX_BYTES, BATCH_UNSUMMED_BYTES, BatchHeader};
use bytes::Bytes;

impl Batch {
    /// The records behind that header, whose length and checksum are made to fit; nothing else is
    /// looked at. Of records there may be as many bytes as a batch's length can say, just under 2 GiB.
    pub fn seal(header: BatchHeader, records: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(BATCH_HEADER_BYTES + records.len());
        bytes.resize(BATCH_HEADER_BYTES, 0);
        bytes.extend_from_slice(records);
        Self::seal_in_place(header, bytes)
    }

    /// The same for records that stand behind room for the header, which are not copied.
    pub(super) fn seal_in_place(mut header: BatchHeader, mut bytes: Vec<u8>) -> Self {
        header.batch_length = (bytes.len() - BATCH_PREFIX_BYTES) as i32;
        let write = |header: &BatchHeader, bytes: &mut Vec<u8>| {
            if let Some(mut room) = bytes.get_mut(..BATCH_HEADER_BYTES) {
                header.write(&mut room);
            }
        };
        write(&header, &mut bytes);
        header.crc = crc32c::crc32c(bytes.get(BATCH_UNSUMMED_BYTES..).unwrap_or_default());
        write(&header, &mut bytes);
        Self { header, bytes: Bytes::from(bytes) }
    }
}
