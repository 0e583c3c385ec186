//! Bytes that keep something until nobody needs them any more, and the room that they keep.

use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

struct Held<T> {
    bytes: Bytes,
    _until_dropped: T,
}

impl<T> AsRef<[u8]> for Held<T> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The same bytes, by reference; `until_dropped` is dropped with the last reference to them, as when they
/// are written to a socket.
pub fn held<T: Send + 'static>(bytes: Bytes, until_dropped: T) -> Bytes {
    Bytes::from_owner(Held { bytes, _until_dropped: until_dropped })
}

/// As much of a room as is free, up to so many bytes. The semaphore must be one that is never closed.
pub fn take_free(room: &Arc<Semaphore>, bytes: usize) -> OwnedSemaphorePermit {
    loop {
        let free = room.available_permits().min(bytes);
        let wanted = u32::try_from(free).unwrap_or(u32::MAX);
        // It fails when another was faster; then there is less.
        if let Ok(permit) = Arc::clone(room).try_acquire_many_owned(wanted) {
            return permit;
        }
    }
}
