//! Batches that lie close together in a segment and are read at once.

use crate::ids::Offset;
use crate::values::BatchPlace;
use bytes::{Bytes, BytesMut};

/// Batches that lie closer together than this are read at once, with what is between them.
const GAP_BYTES_MAX: u64 = 4 << 10;
/// Bytes that are read at once, unless a single batch is larger.
const SPAN_BYTES_MAX: u64 = 1 << 20;

/// A batch's base offset, and where it lies.
pub(super) type Placed = (Offset, BatchPlace);

/// Groups places that are worth reading at once.
pub(super) fn spans(places: &[Placed]) -> impl Iterator<Item = &[Placed]> {
    let mut start = None;
    places.chunk_by(move |(_, before), (_, after)| {
        let begin = *start.get_or_insert(before.position);
        let end = before.position + u64::from(before.length);
        let is_near = before.segment == after.segment
            && after.position >= end
            && after.position - end <= GAP_BYTES_MAX
            && after.position + u64::from(after.length) - begin <= SPAN_BYTES_MAX;
        if !is_near {
            start = None;
        }
        is_near
    })
}

/// Moves batches together that were read with more between them than they are themselves: who keeps them
/// would keep all that was read.
pub(super) fn compact(read: usize, batches: &mut [Bytes]) {
    let bytes = batches.iter().map(Bytes::len).sum::<usize>();
    if read <= 2 * bytes {
        return;
    }
    let mut together = BytesMut::with_capacity(bytes);
    batches.iter().for_each(|batch| together.extend_from_slice(batch));
    let mut together = together.freeze();
    for batch in batches {
        *batch = together.split_to(batch.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Batches of four bytes with so many bytes between two of them, compacted.
    fn apart(gap: usize) -> (Bytes, Vec<Bytes>) {
        let read = Bytes::from(vec![7; 3 * (4 + gap)]);
        let mut batches: Vec<_> = (0..3).map(|at| read.slice(at * (4 + gap)..at * (4 + gap) + 4)).collect();
        compact(read.len(), &mut batches);
        assert!(batches.iter().all(|batch| **batch == [7; 4]));
        (read, batches)
    }

    #[test]
    fn what_was_read_between_batches_is_kept_only_when_it_is_little() {
        let (read, batches) = apart(4);
        assert_eq!(batches[0].as_ptr(), read.as_ptr());
        let (read, batches) = apart(5);
        drop(read);
        assert_eq!(batches[1].as_ptr() as usize - batches[0].as_ptr() as usize, 4);
    }
}
