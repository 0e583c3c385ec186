//! Batches as brokers see them.

use bytes::Bytes;
use callboard_protocol::batch::validate::checksum;
use callboard_protocol::batch::{Attributes, Batch, BatchHeader};

/// A batch of one record with a value of so many bytes.
pub fn batch(value_bytes: usize) -> Batch {
    let record = record(value_bytes);
    let mut header = BatchHeader {
        base_offset: 0,
        batch_length: (49 + record.len()) as i32,
        leader_epoch: -1,
        magic: 2,
        crc: 0,
        attributes: Attributes(0),
        last_offset_delta: 0,
        base_timestamp: 0,
        max_timestamp: 0,
        producer_id: -1,
        producer_epoch: -1,
        base_sequence: -1,
        record_count: 1,
    };
    let write = |header: &BatchHeader| {
        let mut bytes = Vec::new();
        header.write(&mut bytes);
        bytes.extend(&record);
        bytes
    };
    header.crc = checksum(&write(&header));
    Batch { header, bytes: Bytes::from(write(&header)) }
}

/// Without a key and without headers.
fn record(value_bytes: usize) -> Vec<u8> {
    // Attributes, time, offset, and -1 for the key.
    let mut body = vec![0, 0, 0, 1];
    put_varint(&mut body, value_bytes);
    body.resize(body.len() + value_bytes, 7);
    body.push(0);
    let mut record = Vec::new();
    put_varint(&mut record, body.len());
    record.extend(body);
    record
}

/// Lengths are signed, zigzag.
fn put_varint(out: &mut Vec<u8>, length: usize) {
    let mut rest = length << 1;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}
