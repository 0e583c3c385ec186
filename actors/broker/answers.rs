//! The memory of answers that clients have not read yet, bounded for all of them together.

use crate::held::{held, take_free};
use bytes::Bytes;
use callboard_protocol::batch::StampedBatch;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A batch smaller than this is copied for those who wait for it: it may be a small part of a large
/// request, which would stay in memory with it.
const COPIED_BYTES_MAX: usize = 64 << 10;

/// The bytes of records in answers. Clones share the bound.
#[derive(Debug, Clone)]
pub(crate) struct AnswerBytes(Arc<Semaphore>);

/// What one client may have beyond the bound: one batch at a time, so that a few that do not read
/// cannot stop all others, and one that asks for a thousand batches at once has one of them. Clones
/// are the same client.
#[derive(Debug, Clone)]
pub struct Overdraft(Arc<Semaphore>);

/// The batch beyond the bound is in memory, until this is dropped.
#[derive(Debug)]
pub(super) struct Overdrawn {
    _permit: OwnedSemaphorePermit,
}

impl Default for Overdraft {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

impl Overdraft {
    /// Waits until the client has taken its last batch beyond the bound.
    pub(super) async fn take(&self) -> Option<Overdrawn> {
        // It is never closed.
        let permit = Arc::clone(&self.0).acquire_owned().await.ok();
        permit.map(|permit| Overdrawn { _permit: permit })
    }
}

impl AnswerBytes {
    /// At most `max` bytes, but for one batch of each [`Overdraft`].
    pub(crate) fn new(max: usize) -> Self {
        Self(Arc::new(Semaphore::new(max.min(Semaphore::MAX_PERMITS))))
    }

    /// Takes as much of `bytes` as is free, before anything is read into it. The first batch may pass
    /// that when there is a `beyond` for it.
    pub(super) fn reserve(&self, bytes: usize, beyond: Option<Overdrawn>) -> Room {
        Room { answers: self.clone(), within: take_free(&self.0, bytes), beyond }
    }

    /// Counts batches that are in memory anyhow for as long as somebody has them: once, however many
    /// do. None of them when they do not fit, to be read when there is room.
    pub(crate) fn hold(&self, batches: &[StampedBatch]) -> Vec<StampedBatch> {
        let Some(permit) = self.take(batches.iter().map(StampedBatch::len).sum()) else { return Vec::new() };
        let permit = Arc::new(permit);
        let hold = |piece: &Bytes| {
            let is_small = piece.len() < COPIED_BYTES_MAX;
            let piece = if is_small { Bytes::copy_from_slice(piece) } else { piece.clone() };
            held(piece, Arc::clone(&permit))
        };
        let hold = |batch: &StampedBatch| StampedBatch {
            header: batch.header,
            head: hold(&batch.head),
            records: hold(&batch.records),
        };
        batches.iter().map(hold).collect()
    }

    fn take(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let wanted = u32::try_from(bytes).unwrap_or(u32::MAX);
        Arc::clone(&self.0).try_acquire_many_owned(wanted).ok()
    }
}

/// Bytes that are taken, until records fill them or it is dropped.
#[derive(Debug)]
pub(super) struct Room {
    answers: AnswerBytes,
    within: OwnedSemaphorePermit,
    beyond: Option<Overdrawn>,
}

impl Room {
    /// Bytes that are left in it.
    pub(super) fn left(&self) -> usize {
        self.within.num_permits()
    }

    /// Counts records until the last reference to them is dropped, when their answer is written. What
    /// is larger than the room is a first batch: none when neither what is free nor `beyond` has room
    /// for it.
    pub(super) fn fill(&mut self, batches: Vec<Bytes>) -> Option<Vec<Bytes>> {
        let bytes = batches.iter().map(Bytes::len).sum::<usize>();
        let missing = bytes.saturating_sub(self.left());
        let mut beyond = None;
        match self.answers.take(missing) {
            Some(permit) => self.within.merge(permit),
            None => beyond = Some(self.beyond.take()?),
        }
        let within = self.within.split(bytes.min(self.left()));
        let permits = Arc::new((within, beyond));
        Some(batches.into_iter().map(|records| held(records, Arc::clone(&permits))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use callboard_protocol::batch::BatchHeader;
    use futures_util::FutureExt;

    fn free(answers: &AnswerBytes) -> usize {
        answers.0.available_permits()
    }

    #[test]
    fn records_count_until_the_last_reference_is_dropped() {
        let answers = AnswerBytes::new(10);
        let mut room = answers.reserve(8, None);
        assert_eq!((room.left(), free(&answers)), (8, 2));
        let mut counted = room.fill(vec![Bytes::from_static(b"abc"), Bytes::from_static(b"defg")]).unwrap();
        assert_eq!((room.left(), free(&answers)), (1, 2));
        drop(room);
        assert_eq!(free(&answers), 3);
        let slice = counted.remove(1).slice(1..);
        drop(counted);
        assert_eq!((free(&answers), slice.as_ref()), (3, b"efg".as_slice()));
        drop(slice);
        assert_eq!(free(&answers), 10);
    }

    #[tokio::test]
    async fn one_first_batch_of_a_client_may_pass_the_bound() {
        let (answers, overdraft) = (AnswerBytes::new(2), Overdraft::default());
        let batch = || vec![Bytes::from_static(b"abc")];
        assert_eq!(answers.reserve(10, None).fill(batch()), None);
        let beyond = overdraft.take().await;
        let counted = answers.reserve(10, beyond).fill(batch()).unwrap();
        assert_eq!((free(&answers), counted.len()), (0, 1));
        assert_eq!(answers.reserve(10, None).left(), 0, "nothing is left for others");
        let mut next = Box::pin(overdraft.take());
        assert!((&mut next).now_or_never().is_none());
        drop(counted);
        assert_eq!(free(&answers), 2);
        assert!(next.now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_first_batch_that_fits_counts_whole_however_little_was_asked_for() {
        let (answers, overdraft) = (AnswerBytes::new(4), Overdraft::default());
        let mut room = answers.reserve(1, overdraft.take().await);
        let counted = room.fill(vec![Bytes::from_static(b"abc")]);
        drop(room);
        assert_eq!(free(&answers), 1);
        assert!(overdraft.take().now_or_never().is_some(), "it was not needed");
        drop(counted);
    }

    #[test]
    fn batches_in_memory_count_once_for_all_who_have_them() {
        let answers = AnswerBytes::new(100);
        let batch = batch();
        let held = answers.hold(std::slice::from_ref(&batch));
        assert_eq!((held.len(), free(&answers)), (1, 100 - batch.len()));
        let another = held.clone();
        assert_eq!(answers.hold(&[batch]), []);
        drop(held);
        assert!(free(&answers) < 100);
        drop(another);
        assert_eq!(free(&answers), 100);
    }

    #[test]
    fn a_small_batch_does_not_keep_the_request_that_it_came_in() {
        let answers = AnswerBytes::new(1 << 20);
        let request = Bytes::from(vec![0; 2 * COPIED_BYTES_MAX]);
        for (bytes, is_copied) in [(COPIED_BYTES_MAX - 1, true), (COPIED_BYTES_MAX, false)] {
            let records = request.slice(..bytes);
            let held = answers.hold(&[StampedBatch { records, ..batch() }]);
            assert_eq!(held[0].records.len(), bytes);
            assert_eq!(held[0].records.as_ptr() != request.as_ptr(), is_copied);
        }
    }

    fn batch() -> StampedBatch {
        let header = BatchHeader::new(1, 0);
        StampedBatch { header, head: Bytes::from_static(&[0; 61]), records: Bytes::from_static(b"abc") }
    }

    #[test]
    fn two_that_read_at_once_do_not_take_the_same_bytes() {
        let answers = AnswerBytes::new(10);
        let (first, second) = (answers.reserve(8, None), answers.reserve(8, None));
        assert_eq!((first.left(), second.left()), (8, 2));
    }
}
