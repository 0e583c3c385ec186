//! Bytes that keep something until nobody needs them any more.

use bytes::Bytes;

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
