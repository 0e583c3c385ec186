//! A batch that has offsets and nothing for consumers: it stands where records were lost.

use super::build::{NewRecord, put_record};
use super::{Attributes, Batch, BatchHeader};

/// The key of a marker: version 0, and that a transaction was committed.
const KEY: [u8; 4] = [0, 0, 0, 1];
/// The value of a marker: version 0, and epoch 0 of who coordinates.
const VALUE: [u8; 6] = [0; 6];

impl Batch {
    /// A batch that consumers pass. It looks like the end of a transaction of nobody, which all clients
    /// know: at the end of a log some ask again and again for what is behind a batch without any record.
    /// Its record stands at the last offset, because some go on behind the last record.
    pub fn gap(offsets: i32) -> Self {
        let marker = NewRecord { timestamp: -1, key: Some(&KEY), value: Some(&VALUE), headers: &[] };
        let mut records = Vec::new();
        put_record(&mut records, &marker, 0, i64::from(offsets) - 1);
        let attributes = Attributes::default().as_control();
        let header = BatchHeader { record_count: 1, attributes, ..BatchHeader::new(offsets, -1) };
        Self::seal(header, &records)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Unpacked;
    use super::super::header::BATCH_HEADER_BYTES;
    use super::*;

    #[test]
    fn a_gap_has_its_offsets_and_no_records() {
        let gap = Batch::gap(1000);
        assert_eq!((gap.header.last_offset(), gap.header.has_producer()), (999, false));
        let (head, content) = (&gap.bytes[..BATCH_HEADER_BYTES], gap.bytes.slice(BATCH_HEADER_BYTES..));
        let unpacked = Unpacked::new(head, content.clone(), 1000).unwrap();
        assert_eq!(unpacked.records().count(), 0);
        assert!(!unpacked.is_abort_marker());
        // Length, attributes, no time, offset 999 as a zigzag number, key, value, no headers.
        let marker = [34, 0, 0, 0xce, 0x0f, 8, 0, 0, 0, 1, 12, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(content.as_ref(), marker);
    }
}
