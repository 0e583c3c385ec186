//! Isolation: leaving out the records of transactions that were aborted.
//!
//! The broker says with what it pushes which transactions those are. Who reads all records looks at
//! nothing of this.

use super::batch::Packed;
use callboard_protocol::native::read::AbortedTransaction;
use std::collections::HashSet;

/// Bytes that a marker may unpack to; it is a record of a few bytes.
const MARKER_BYTES_MAX: usize = 64 << 10;

/// Marks the batches that are parts of aborted transactions. The batches are those of one push in the order
/// of their offsets, and `aborted` is all that the broker said of them.
pub(super) fn leave_out_aborted(mut batches: Vec<Packed>, aborted: &[AbortedTransaction]) -> Vec<Packed> {
    let mut aborted = aborted.to_vec();
    aborted.sort_by_key(|aborted| aborted.first_offset);
    let mut beginning = aborted.into_iter().peekable();
    // Producers whose transaction is an aborted one where the batch stands.
    let mut aborting = HashSet::new();
    for batch in batches.iter_mut().filter(|batch| batch.header.has_producer()) {
        let header = batch.header;
        while let Some(begun) = beginning.next_if(|it| it.first_offset <= header.last_offset()) {
            aborting.insert(begun.producer_id);
        }
        if header.attributes.is_control() {
            if is_abort_marker(batch) {
                aborting.remove(&header.producer_id);
            }
        } else if header.attributes.is_transactional() {
            batch.is_left_out = aborting.contains(&header.producer_id);
        }
    }
    batches
}

/// One that cannot be read is an error when it is its turn.
fn is_abort_marker(batch: &Packed) -> bool {
    batch.clone().unpack(MARKER_BYTES_MAX).is_ok_and(|unpacked| unpacked.is_abort_marker())
}

#[cfg(test)]
mod tests {
    use super::*;
    use callboard_protocol::batch::{Attributes, Batch, BatchBuilder, Compression, NewRecord, Producing};

    const TRANSACTIONAL: i16 = 0x10;
    const CONTROL: i16 = 0x20;
    const ABORT: [u8; 4] = [0, 0, 0, 0];
    const COMMIT: [u8; 4] = [0, 0, 0, 1];

    /// A batch of two records, or a marker of one.
    fn batch(offset: i64, producer: Option<i64>, flags: i16, key: &[u8]) -> Packed {
        let mut builder = BatchBuilder::default();
        for _ in 0..if flags & CONTROL == 0 { 2 } else { 1 } {
            builder.push(NewRecord { key: Some(key), ..NewRecord::default() });
        }
        let producing = producer.map(|id| Producing { id, epoch: 0, base_sequence: 0 });
        let plain = builder.seal(Compression::None, producing).unwrap();
        let mut header = plain.header;
        (header.base_offset, header.attributes) = (offset, Attributes(flags));
        Packed::whole(&Batch::seal(header, &plain.bytes[callboard_protocol::batch::BATCH_HEADER_BYTES..]))
    }

    fn aborted(producer_id: i64, first_offset: i64) -> AbortedTransaction {
        AbortedTransaction { producer_id, first_offset }
    }

    /// The offsets of the batches that are left out.
    fn left_out(batches: Vec<Packed>, aborted: &[AbortedTransaction]) -> Vec<i64> {
        let batches = leave_out_aborted(batches, aborted);
        batches.iter().filter(|it| it.is_left_out).map(|it| it.header.base_offset).collect()
    }

    #[test]
    fn an_aborted_transaction_is_left_out_up_to_its_marker() {
        let batches = vec![
            batch(0, Some(7), TRANSACTIONAL, b""),
            batch(2, Some(7), TRANSACTIONAL | CONTROL, &COMMIT),
            batch(3, Some(7), TRANSACTIONAL, b""),
            batch(5, Some(7), TRANSACTIONAL, b""),
            batch(7, Some(7), TRANSACTIONAL | CONTROL, &ABORT),
            batch(8, Some(7), TRANSACTIONAL, b""),
        ];
        assert_eq!(left_out(batches.clone(), &[aborted(7, 3)]), [3, 5]);
        assert_eq!(left_out(batches, &[]), [0; 0], "the broker knows of none");
    }

    #[test]
    fn what_is_no_part_of_it_stays() {
        let batches = vec![
            batch(0, Some(7), TRANSACTIONAL, b""),
            batch(2, Some(8), TRANSACTIONAL, b""),
            batch(4, Some(7), 0, b""),
            batch(6, None, 0, b""),
        ];
        assert_eq!(left_out(batches, &[aborted(7, 0)]), [0]);
    }

    #[test]
    fn transactions_of_several_producers_and_of_one_after_the_other_are_told_apart() {
        let batches = vec![
            batch(10, Some(1), TRANSACTIONAL, b""),
            batch(12, Some(2), TRANSACTIONAL, b""),
            batch(14, Some(1), TRANSACTIONAL | CONTROL, &ABORT),
            batch(15, Some(1), TRANSACTIONAL, b""),
            batch(17, Some(1), TRANSACTIONAL | CONTROL, &COMMIT),
            batch(18, Some(2), TRANSACTIONAL, b""),
            batch(20, Some(1), TRANSACTIONAL, b""),
            batch(22, Some(2), TRANSACTIONAL | CONTROL, &ABORT),
            batch(23, Some(1), TRANSACTIONAL | CONTROL, &ABORT),
        ];
        // In no order, and one began before what was read.
        assert_eq!(left_out(batches, &[aborted(1, 20), aborted(2, 12), aborted(1, 4)]), [10, 12, 18, 20]);
    }
}
