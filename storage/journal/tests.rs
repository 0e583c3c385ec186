//! The journal on a simulated disk: crashes, power failures, damage, full and failing disks.

mod beside;
mod damage;
mod model;

use super::record::{Body, KEY_BYTES_MAX, Mutation, PlacedBatch, RecordHeader};
use super::writer::encode_to_vec;
use super::{OpenOptions, Recovered, Writer, open, segment};
use crate::checkpoint::Checkpoint;
use crate::disk::Disk;
use crate::disk::simulated::SimulatedDisk;
use crate::error::{Error, Result};
use crate::ids::{PartitionId, SegmentId, Sequence};
use crate::keys::Table;
use callboard_protocol::batch::{Batch, BatchHeader, Placement};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const SEGMENT_BYTES: u64 = 1000;

fn folder() -> PathBuf {
    PathBuf::from("journal")
}

fn reopen(disk: &SimulatedDisk, checkpoint: Option<Checkpoint>) -> Result<(Writer, Vec<Recovered>)> {
    let options = OpenOptions { folder: folder(), segment_bytes: SEGMENT_BYTES, checkpoint };
    open(Arc::new(disk.clone()) as Arc<dyn Disk>, options)
}

/// A batch with a right checksum whose content follows from `number`.
pub(crate) fn batch(number: u64, content_bytes: usize) -> Batch {
    batch_of(number, &vec![number as u8; content_bytes])
}

/// A batch with a right checksum and that content.
pub(crate) fn batch_of(number: u64, content: &[u8]) -> Batch {
    Batch::seal(BatchHeader::new(1, number as i64), content)
}

/// A body that can be told from every other by `number`.
fn body(number: u64, content_bytes: usize) -> Body {
    Body {
        index: number,
        mutations: vec![
            Mutation { table: Table::Meta, key: number.to_be_bytes().to_vec(), value: Some(vec![1, 2, 3]) },
            Mutation { table: Table::Topics, key: vec![9], value: None },
        ],
        batches: vec![holding(number, &vec![number as u8; content_bytes])],
        ..Body::default()
    }
}

/// A batch with that content at its place.
fn holding(number: u64, content: &[u8]) -> PlacedBatch {
    let placement = Placement { base_offset: number as i64, leader_epoch: 0 };
    PlacedBatch { partition: PartitionId(number as u32), batch: batch_of(number, content).stamp(placement) }
}

/// Whether a recovered record is the body that was written, its batch readable at its place.
fn assert_is(disk: &SimulatedDisk, recovered: &Recovered, body: &Body) {
    let Recovered { segment, record } = recovered;
    assert_eq!(record.header.sequence, Sequence(body.index));
    assert_eq!(record.mutations, body.mutations);
    assert_eq!(record.batches.len(), body.batches.len());
    let reader = super::Reader::new(Arc::new(disk.clone()), folder());
    for (scanned, placed) in record.batches.iter().zip(&body.batches) {
        assert_eq!(scanned.partition, placed.partition);
        let bytes = reader.read(*segment, scanned.position, scanned.length as usize).unwrap();
        assert_eq!(bytes, [placed.batch.head.as_ref(), placed.batch.records.as_ref()].concat());
    }
}

fn assert_all(disk: &SimulatedDisk, recovered: &[Recovered], bodies: &[Body]) {
    assert_eq!(recovered.len(), bodies.len());
    for (recovered, body) in recovered.iter().zip(bodies) {
        assert_is(disk, recovered, body);
    }
}

fn newest_segment(disk: &SimulatedDisk) -> PathBuf {
    let newest = segment::list(disk, &folder()).unwrap().pop().unwrap();
    segment::path(&folder(), newest)
}

fn bytes_of(disk: &SimulatedDisk, path: &Path) -> usize {
    disk.open(path).unwrap().len().unwrap() as usize
}

#[test]
fn golden_record() {
    let mut body = body(7, 2);
    body.term = 3;
    let header = RecordHeader { start: 4, sequence: Sequence(7), synced: Sequence(5) };
    let bytes = encode_to_vec(&header, 0x0102_0304, &body);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let expected = concat!(
        "cb0a4d01",
        "CHECKSUM",
        "0000007e",
        "00000004",
        "0000000000000007",
        "0000000000000005",
        // Group, term, index, kind, counts.
        "00000000",
        "0000000000000003",
        "0000000000000007",
        "00",
        "00000002",
        "00000001",
        // A row written, and one deleted.
        "0c",
        "00000008",
        "0000000000000007",
        "00000004",
        "010203",
        "0b",
        "00000001",
        "09",
        "00000000",
        // The partition and its batch.
        "00000007",
        "0000000000000007",
        "00000033",
        "00000000",
        "02",
    );
    assert_eq!(&hex[..8], &expected[..8]);
    assert_eq!(&hex[16..expected.len()], &expected[16..]);
    assert_eq!(bytes.len(), 32 + 0x7e);
    // The body up to the batch's 21st byte, the header behind the checksum, the segment's seed.
    let batch = bytes.len() - (61 + 2);
    let summed = [&bytes[32..batch + 21], &bytes[8..32], &[1, 2, 3, 4]].concat();
    assert_eq!(bytes[4..8], crc32c::crc32c(&summed).to_be_bytes());
}

#[test]
fn an_empty_folder_begins_with_record_one() {
    let disk = SimulatedDisk::new();
    let (writer, recovered) = reopen(&disk, None).unwrap();
    assert!(recovered.is_empty());
    assert_eq!((writer.start(), writer.written()), (0, Sequence(0)));
}

#[test]
fn each_start_has_its_own_number_and_segment() {
    let disk = SimulatedDisk::new();
    for start in 0..4 {
        let (mut writer, recovered) = reopen(&disk, None).unwrap();
        assert_eq!(writer.start(), start);
        assert_eq!(writer.position().0, SegmentId(u64::from(start) + 1));
        assert_eq!(recovered.len() as u32, start);
        writer.append(&[body(u64::from(start) + 1, 10)]).unwrap();
        writer.sync().unwrap();
    }
}

#[test]
fn a_full_segment_is_followed_by_the_next() {
    let disk = SimulatedDisk::new();
    let (mut writer, _) = reopen(&disk, None).unwrap();
    let bodies: Vec<_> = (1..=20).map(|number| body(number, 100)).collect();
    for body in &bodies {
        writer.append(std::slice::from_ref(body)).unwrap();
        writer.sync().unwrap();
    }
    assert!(writer.position().0 > SegmentId(3));
    let (_, recovered) = reopen(&disk, None).unwrap();
    assert_all(&disk, &recovered, &bodies);
}

#[test]
fn a_record_that_is_too_large_is_refused_and_nothing_else_is_harmed() {
    let disk = SimulatedDisk::new();
    let (mut writer, _) = reopen(&disk, None).unwrap();
    let mut huge = body(1, 10);
    huge.mutations = vec![Mutation {
        table: Table::Meta,
        key: Vec::new(),
        value: Some(vec![0; super::record::BODY_BYTES_MAX]),
    }];
    assert!(writer.append(&[huge]).is_err());
    writer.append(&[body(1, 10)]).unwrap();
}

#[test]
fn a_key_is_refused_when_it_could_not_be_read_back() {
    let disk = SimulatedDisk::new();
    let (mut writer, _) = reopen(&disk, None).unwrap();
    let mut long = body(1, 10);
    long.mutations[0].key = vec![0; KEY_BYTES_MAX];
    let mut longer = long.clone();
    longer.mutations[0].key.push(0);
    assert!(matches!(writer.append(&[longer]), Err(Error::RecordTooLarge { .. })));
    writer.append(&[long.clone()]).unwrap();
    let (_, recovered) = reopen(&disk, None).unwrap();
    assert_all(&disk, &recovered, &[long]);
}

#[test]
fn a_checkpoint_skips_what_it_covers() {
    let disk = SimulatedDisk::new();
    let (mut writer, _) = reopen(&disk, None).unwrap();
    let bodies: Vec<_> = (1..=6).map(|number| body(number, 100)).collect();
    writer.append(&bodies[..4]).unwrap();
    writer.sync().unwrap();
    let (segment, position) = writer.position();
    let checkpoint = Checkpoint { sequence: Sequence(4), segment, position };
    writer.append(&bodies[4..]).unwrap();
    let (_, recovered) = reopen(&disk, Some(checkpoint)).unwrap();
    assert_all(&disk, &recovered, &bodies[4..]);
}
