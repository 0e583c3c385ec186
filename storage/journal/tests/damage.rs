//! Cut and damaged segments: a torn tail is cut, damage of what was synced is told.

use super::*;
use crate::error::Error;

/// Three synced groups of one record and one that is not known to be synced.
fn journal() -> (SimulatedDisk, Vec<Body>) {
    let disk = SimulatedDisk::new();
    let (mut writer, _) = reopen(&disk, None).unwrap();
    let bodies: Vec<_> = (1..=4).map(|number| body(number, 20)).collect();
    for body in &bodies {
        writer.append(std::slice::from_ref(body)).unwrap();
        writer.sync().unwrap();
    }
    (disk, bodies)
}

fn record_bytes() -> usize {
    encode_to_vec(&RecordHeader { start: 0, sequence: Sequence(1), synced: Sequence(0) }, &body(1, 20)).len()
}

#[test]
fn a_cut_at_every_byte_leaves_the_whole_records_before_it() {
    let (disk, bodies) = journal();
    let path = newest_segment(&disk);
    for length in 32..=bytes_of(&disk, &path) {
        let disk = disk.copy();
        disk.truncate(&path, length);
        let (_, recovered) = reopen(&disk, None).unwrap();
        assert_all(&disk, &recovered, &bodies[..(length - 32) / record_bytes()]);
    }
}

#[test]
fn damage_at_every_byte_of_a_synced_record_is_told_or_lies_in_a_batch() {
    let (disk, bodies) = journal();
    let path = newest_segment(&disk);
    let (begin, end) = (32 + record_bytes(), 32 + 2 * record_bytes());
    // Behind the batch's first 21 bytes its own checksum watches, when it is read.
    let summed = end - (61 - 21) - 20;
    for position in begin..end {
        let disk = disk.copy();
        disk.flip(&path, position, position as u8);
        let opened = reopen(&disk, None);
        if position < summed {
            let told = matches!(opened, Err(Error::Corrupt { segment: SegmentId(1), .. }));
            assert!(told, "byte {position} of the record is damaged");
        } else {
            assert_eq!(opened.unwrap().1.len(), bodies.len());
        }
    }
}

#[test]
fn damage_at_every_byte_of_the_last_record_cuts_it() {
    let (disk, bodies) = journal();
    let path = newest_segment(&disk);
    let end = bytes_of(&disk, &path);
    for position in end - record_bytes()..end {
        let disk = disk.copy();
        disk.flip(&path, position, position as u8);
        let (_, recovered) = reopen(&disk, None).unwrap();
        assert_all(&disk, &recovered, &bodies[..3]);
    }
}

#[test]
fn opening_a_damaged_journal_changes_nothing() {
    let (disk, _) = journal();
    let path = newest_segment(&disk);
    disk.flip(&path, 40, 1);
    let before = disk.paths();
    let operations = disk.operations();
    assert!(reopen(&disk, None).is_err());
    assert_eq!((disk.paths(), disk.operations()), (before, operations));
}

#[test]
fn a_damaged_sealed_segment_is_told() {
    let (disk, _) = journal();
    let path = newest_segment(&disk);
    reopen(&disk, None).unwrap();
    // Up to the part that the batch's own checksum watches.
    for position in 0..32 + record_bytes() - (61 - 21) - 20 {
        let disk = disk.copy();
        disk.flip(&path, position, 3);
        assert!(matches!(reopen(&disk, None), Err(Error::Corrupt { .. })), "byte {position}");
    }
    // The last record stands again in the next segment, the one before it does not.
    disk.truncate(&path, bytes_of(&disk, &path) - record_bytes() - 1);
    assert!(matches!(reopen(&disk, None), Err(Error::Corrupt { .. })));
}

#[test]
fn a_missing_segment_is_told() {
    let disk = SimulatedDisk::new();
    for number in 1..=3 {
        let (mut writer, _) = reopen(&disk, None).unwrap();
        writer.append(&[body(number, 10)]).unwrap();
        writer.sync().unwrap();
    }
    for missing in 1..=2 {
        let disk = disk.copy();
        disk.remove(&segment::path(&folder(), SegmentId(missing))).unwrap();
        let told = reopen(&disk, None).unwrap_err();
        assert!(matches!(told, Error::MissingSegment(SegmentId(id), _) if id == missing), "{told}");
    }
    let checkpoint = Checkpoint { sequence: Sequence(9), segment: SegmentId(9), position: 32 };
    assert!(matches!(reopen(&disk, Some(checkpoint)), Err(Error::MissingSegment(SegmentId(9), _))));
}

#[test]
fn a_record_of_an_earlier_start_does_not_count_as_later() {
    let (disk, bodies) = journal();
    // The new segment holds nothing; what the old one says of its own records stays valid.
    let (writer, _) = reopen(&disk, None).unwrap();
    drop(writer);
    let (_, recovered) = reopen(&disk, None).unwrap();
    assert_all(&disk, &recovered, &bodies);
}
