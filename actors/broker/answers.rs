//! The memory of answers that clients have not read yet, bounded for all of them together.

use crate::held::held;
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The bytes of records in answers. Clones share the bound.
#[derive(Debug, Clone)]
pub(super) struct AnswerBytes(Arc<Semaphore>);

impl AnswerBytes {
    /// At most `max` bytes, but for the first batch of each answer, which always goes: else a few
    /// clients that do not read could stop all others.
    pub(super) fn new(max: usize) -> Self {
        Self(Arc::new(Semaphore::new(max.min(Semaphore::MAX_PERMITS))))
    }

    /// Takes as much of `bytes` as is free, before anything is read into it.
    pub(super) fn reserve(&self, bytes: usize) -> Room {
        loop {
            let free = self.0.available_permits().min(bytes);
            let wanted = u32::try_from(free).unwrap_or(u32::MAX);
            // It fails when another was faster; then there is less.
            if let Ok(permit) = Arc::clone(&self.0).try_acquire_many_owned(wanted) {
                return Room(permit);
            }
        }
    }
}

/// Bytes that are taken, until records fill them or it is dropped.
#[derive(Debug)]
pub(super) struct Room(OwnedSemaphorePermit);

impl Room {
    /// Bytes that are left in it.
    pub(super) fn left(&self) -> usize {
        self.0.num_permits()
    }

    /// Counts records until the last reference to them is dropped, when their answer is written. What
    /// is beyond the room is a first batch, which goes all the same.
    pub(super) fn fill(&mut self, batches: Vec<Bytes>) -> Vec<Bytes> {
        let bytes = batches.iter().map(Bytes::len).sum::<usize>();
        let Some(permit) = self.0.split(bytes.min(self.left())) else { return batches };
        let permit = Arc::new(permit);
        batches.into_iter().map(|records| held(records, Arc::clone(&permit))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free(answers: &AnswerBytes) -> usize {
        answers.0.available_permits()
    }

    #[test]
    fn records_count_until_the_last_reference_is_dropped() {
        let answers = AnswerBytes::new(10);
        let mut room = answers.reserve(8);
        assert_eq!((room.left(), free(&answers)), (8, 2));
        let mut counted = room.fill(vec![Bytes::from_static(b"abc"), Bytes::from_static(b"defg")]);
        assert_eq!((room.left(), free(&answers)), (1, 2));
        drop(room);
        assert_eq!(free(&answers), 3);
        let slice = counted.remove(1).slice(1..);
        drop(counted);
        assert_eq!((free(&answers), slice.as_ref()), (3, b"efg".as_slice()));
        drop(slice);
        assert_eq!(free(&answers), 10);
    }

    #[test]
    fn a_first_batch_may_pass_the_bound() {
        let answers = AnswerBytes::new(2);
        let counted = answers.reserve(10).fill(vec![Bytes::from_static(b"abc")]);
        assert_eq!((free(&answers), counted.len()), (0, 1));
        assert_eq!(answers.reserve(10).left(), 0, "nothing is left for others");
        drop(counted);
        assert_eq!(free(&answers), 2);
    }

    #[test]
    fn two_that_read_at_once_do_not_take_the_same_bytes() {
        let answers = AnswerBytes::new(10);
        let (first, second) = (answers.reserve(8), answers.reserve(8));
        assert_eq!((first.left(), second.left()), (8, 2));
    }
}
