//! The memory of answers that clients have not read yet, bounded for all of them together.

use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The bytes of records in answers. Clones share the bound.
#[derive(Debug, Clone)]
pub(super) struct AnswerBytes(Arc<Semaphore>);

/// Records that count until nobody needs them any more.
struct Counted {
    records: Bytes,
    _permit: Arc<OwnedSemaphorePermit>,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.records
    }
}

impl AnswerBytes {
    /// At most `max` bytes, but for the first batch of each answer, which always goes: else a few
    /// clients that do not read could stop all others.
    pub(super) fn new(max: usize) -> Self {
        Self(Arc::new(Semaphore::new(max.min(Semaphore::MAX_PERMITS))))
    }

    /// Bytes that may be added now.
    pub(super) fn free(&self) -> usize {
        self.0.available_permits()
    }

    /// Counts records until the last reference to them is dropped, when their answer is written.
    pub(super) fn count(&self, batches: Vec<Bytes>) -> Vec<Bytes> {
        let bytes = batches.iter().map(Bytes::len).sum::<usize>();
        // What is beyond the bound is a first batch, or a race with another answer.
        let wanted = u32::try_from(bytes.min(self.free())).unwrap_or(u32::MAX);
        let Ok(permit) = Arc::clone(&self.0).try_acquire_many_owned(wanted) else { return batches };
        let permit = Arc::new(permit);
        let counted = |records| Bytes::from_owner(Counted { records, _permit: Arc::clone(&permit) });
        batches.into_iter().map(counted).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_count_until_the_last_reference_is_dropped() {
        let answers = AnswerBytes::new(10);
        let mut counted = answers.count(vec![Bytes::from_static(b"abc"), Bytes::from_static(b"defg")]);
        assert_eq!(answers.free(), 3);
        let slice = counted.remove(1).slice(1..);
        drop(counted);
        assert_eq!((answers.free(), slice.as_ref()), (3, b"efg".as_slice()));
        drop(slice);
        assert_eq!(answers.free(), 10);
    }

    #[test]
    fn a_first_batch_may_pass_the_bound() {
        let answers = AnswerBytes::new(2);
        let counted = answers.count(vec![Bytes::from_static(b"abc")]);
        assert_eq!((answers.free(), counted.len()), (0, 1));
    }
}
