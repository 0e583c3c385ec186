//! Batches as they were pushed, and taking them apart.

use crate::error::Error;
use crate::record::Received;
use bytes::Bytes;
use callboard_protocol::batch::{BATCH_HEADER_BYTES, BatchHeader, Records, Unpacked};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

/// A batch that was pushed: its header, and its records as they are packed.
#[derive(Debug, Clone)]
pub(super) struct Packed {
    pub(super) header: BatchHeader,
    /// None of its records is given.
    pub(super) is_left_out: bool,
    head: Bytes,
    content: Bytes,
}

impl Packed {
    /// Bytes of the whole batch.
    pub(super) fn len(&self) -> usize {
        self.head.len() + self.content.len()
    }

    #[cfg(test)]
    pub(super) fn whole(batch: &callboard_protocol::batch::Batch) -> Self {
        let mut head = batch.bytes.clone();
        let content = head.split_off(BATCH_HEADER_BYTES);
        Self { header: batch.header, is_left_out: false, head, content }
    }

    /// The batch with its records, which may unpack to so many bytes.
    pub(super) fn unpack(self, bytes_max: usize) -> std::io::Result<Unpacked> {
        Unpacked::new(&self.head, self.content, bytes_max)
    }
}

/// Takes the next `bytes` off what stands beside an answer, as batches. Over a socket they come in one
/// piece; in process each may be a piece, or its header and its records one each.
pub(super) fn take(pieces: &mut VecDeque<Bytes>, mut bytes: usize) -> Result<Vec<Packed>, Error> {
    let broken = || Error::Protocol("a batch that was read is cut".to_owned());
    let mut batches = Vec::new();
    while bytes > 0 {
        let piece = pieces.front_mut().ok_or_else(broken)?;
        let header = BatchHeader::parse(piece).ok_or_else(broken)?;
        let total = header.total_bytes().filter(|total| *total <= bytes).ok_or_else(broken)?;
        let head = piece.split_to(BATCH_HEADER_BYTES);
        if piece.is_empty() {
            pieces.pop_front();
        }
        let wanted = total - BATCH_HEADER_BYTES;
        let content = match pieces.front_mut() {
            _ if wanted == 0 => Bytes::new(),
            Some(piece) if piece.len() >= wanted => piece.split_to(wanted),
            Some(_) | None => return Err(broken()),
        };
        if pieces.front().is_some_and(Bytes::is_empty) {
            pieces.pop_front();
        }
        batches.push(Packed { header, is_left_out: false, head, content });
        bytes -= total;
    }
    Ok(batches)
}

/// Records of one partition, in order, as they were stored together.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Its topic.
    pub topic: Arc<str>,
    /// Its partition.
    pub partition: u32,
    records: Records,
    from: i64,
    next: i64,
}

impl Batch {
    /// The offset of its first record, or of one before it that is not there.
    pub fn first_offset(&self) -> i64 {
        self.from
    }

    /// The offset behind its last record.
    pub fn next_offset(&self) -> i64 {
        self.next
    }

    /// The records of a batch from an offset on.
    pub(super) fn new(topic: Arc<str>, partition: u32, unpacked: &Unpacked, from: i64) -> Self {
        let next = unpacked.header.last_offset() + 1;
        Self { topic, partition, records: unpacked.records(), from, next }
    }
}

impl fmt::Display for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{} from offset {}", self.topic, self.partition, self.from)
    }
}

impl Iterator for Batch {
    type Item = Result<Received, Error>;

    /// The next record; an error when the batch cannot be read on.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.records.next()? {
                // A batch is read whole, though it may begin before the offset that was asked for.
                Ok(record) if record.offset < self.from => {}
                Ok(record) => {
                    let topic = Arc::clone(&self.topic);
                    return Some(Ok(Received::new(topic, self.partition, record)));
                }
                Err(error) => {
                    return Some(Err(Error::Protocol(format!("{self}: {error}"))));
                }
            }
        }
    }
}
