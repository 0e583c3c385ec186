//! The record batches of a Produce request or a Fetch answer, held by reference.

use bytes::{Bytes, BytesMut};

/// Bytes of record batches, in one or more chunks that follow each other; never looked into here.
///
/// What was read from a frame is one chunk. What is sent may be many: a batch of the log each.
#[derive(Debug, Clone, Default)]
pub struct Records(Vec<Bytes>);

impl Records {
    /// No bytes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes in all chunks.
    pub fn len(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Bytes::is_empty)
    }

    /// The chunks in order.
    pub fn chunks(&self) -> &[Bytes] {
        &self.0
    }

    /// Appends a chunk, by reference.
    pub fn push(&mut self, chunk: Bytes) {
        self.0.push(chunk);
    }

    /// All bytes in one piece: by reference if they are one chunk, else copied.
    pub fn into_bytes(mut self) -> Bytes {
        if self.0.len() <= 1 {
            return self.0.pop().unwrap_or_default();
        }
        let mut joined = BytesMut::with_capacity(self.len());
        for chunk in &self.0 {
            joined.extend_from_slice(chunk);
        }
        joined.freeze()
    }
}

impl From<Bytes> for Records {
    fn from(bytes: Bytes) -> Self {
        Self(if bytes.is_empty() { Vec::new() } else { vec![bytes] })
    }
}

impl FromIterator<Bytes> for Records {
    fn from_iter<I: IntoIterator<Item = Bytes>>(chunks: I) -> Self {
        Self(chunks.into_iter().collect())
    }
}

/// Equal bytes are equal, wherever they are cut into chunks.
impl PartialEq for Records {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.0.iter().flatten().eq(other.0.iter().flatten())
    }
}

impl Eq for Records {}
