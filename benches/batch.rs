//! Batches as brokers see them.

use callboard_protocol::batch::{Batch, BatchHeader};
use callboard_protocol::wire::Writer;

/// A batch of one record with a value of so many bytes.
pub fn batch(value_bytes: usize) -> Batch {
    Batch::seal(BatchHeader::new(1, 0), &record(value_bytes))
}

/// Without a key and without headers.
fn record(value_bytes: usize) -> Vec<u8> {
    let mut body = Writer::new();
    // Attributes, time and offset.
    body.put_slice(&[0; 3]);
    body.put_varint(-1);
    body.put_varint(value_bytes as i32);
    body.put_slice(&vec![7; value_bytes]);
    body.put_varint(0);
    let mut record = Writer::new();
    record.put_varint(body.len() as i32);
    record.put_slice(&body.finish().concat());
    record.finish().concat()
}
