//! Cut and damaged segments: a torn tail is cut, damage of what was synced is told.

use super::*;
use crate::journal::segment::SegmentHeader;

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

/// Where the first record of a segment begins.
const BEGIN: usize = segment::SEGMENT_HEADER_BYTES;

fn record_bytes() -> usize {
    let header = RecordHeader { start: 0, sequence: Sequence(1), synced: Sequence(0) };
    encode_to_vec(&header, 0, &body(1, 20)).len()
}

#[test]
fn a_cut_at_every_byte_leaves_the_whole_records_before_it() {
    let (disk, bodies) = journal();
    let path = newest_segment(&disk);
    for length in BEGIN..=bytes_of(&disk, &path) {
        let disk = disk.copy();
        disk.truncate(&path, length);
        let (_, recovered) = reopen(&disk, None).unwrap();
        assert_all(&disk, &recovered, &bodies[..(length - BEGIN) / record_bytes()]);
    }
}

#[test]
fn damage_at_every_byte_of_a_synced_record_is_told_or_lies_in_a_batch() {
    let (disk, bodies) = journal();
    let path = newest_segment(&disk);
    // Of these the last is told by one record only.
    for position in BEGIN..BEGIN + 3 * record_bytes() {
        // Behind the batch's first 21 bytes its own checksum watches, when it is read.
        let summed = BEGIN + ((position - BEGIN) / record_bytes() + 1) * record_bytes() - (61 - 21) - 20;
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
    let (disk, bodies) = journal();
    let path = newest_segment(&disk);
    reopen(&disk, None).unwrap();
    // Up to the part that the batch's own checksum watches.
    for position in 0..BEGIN + record_bytes() - (61 - 21) - 20 {
        let disk = disk.copy();
        disk.flip(&path, position, 3);
        let told = matches!(reopen(&disk, None), Err(Error::Corrupt { segment: SegmentId(1), .. }));
        assert!(told, "byte {position}");
    }
    // The last record stands again in the next segment, the one before it does not.
    for length in BEGIN..bytes_of(&disk, &path) {
        let disk = disk.copy();
        disk.truncate(&path, length);
        let opened = reopen(&disk, None);
        if length < BEGIN + 3 * record_bytes() {
            let told = matches!(opened, Err(Error::Corrupt { segment: SegmentId(1), .. }));
            assert!(told, "{length} bytes are left");
        } else {
            assert_eq!(opened.unwrap().1.len(), bodies.len());
        }
    }
}

#[test]
fn a_segment_that_ends_before_what_it_says_was_synced_is_told() {
    let disk = SimulatedDisk::new();
    let header = SegmentHeader { segment: SegmentId(1), first: Sequence(1), start: 0, seed: 0 };
    for (synced, is_told) in [(0, false), (2, true)] {
        let record = RecordHeader { start: 0, sequence: Sequence(1), synced: Sequence(synced) };
        let record = encode_to_vec(&record, header.seed, &body(1, 20));
        write(&disk, &segment::path(&folder(), SegmentId(1)), &[header.encode(), record].concat());
        let opened = reopen(&disk.copy(), None);
        assert_eq!(matches!(opened, Err(Error::Corrupt { sequence: Sequence(2), .. })), is_told);
    }
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

#[test]
fn a_record_inside_a_batch_is_no_witness_against_a_torn_tail() {
    // A client may send what looks like a record that knows of later syncs.
    let liar = RecordHeader { start: 0, sequence: Sequence(9), synced: Sequence(8) };
    let forged = encode_to_vec(&liar, 0, &body(9, 10));
    let disk = SimulatedDisk::new();
    let (mut writer, _) = reopen(&disk, None).unwrap();
    let mut torn = body(1, 0);
    torn.batches = vec![holding(1, &[forged.as_slice(), &[0; 100]].concat())];
    writer.append(&[torn]).unwrap();
    // The process was killed before the last bytes were written.
    let path = newest_segment(&disk);
    disk.truncate(&path, bytes_of(&disk, &path) - 50);
    let (_, recovered) = reopen(&disk, None).unwrap();
    assert_eq!(recovered, []);
}

#[test]
fn a_missing_record_is_told() {
    let disk = SimulatedDisk::new();
    let (mut writer, _) = reopen(&disk, None).unwrap();
    // One group, so that no record says that another was synced.
    writer.append(&[body(1, 20), body(2, 20), body(3, 20)]).unwrap();
    let path = newest_segment(&disk);
    let mut bytes = crate::disk::read_file(&disk, &path, usize::MAX).unwrap();
    bytes.drain(BEGIN + record_bytes()..BEGIN + 2 * record_bytes());
    write(&disk, &path, &bytes);
    assert!(matches!(reopen(&disk, None), Err(Error::Corrupt { sequence: Sequence(2), .. })));
}

#[test]
fn a_missing_record_of_a_sealed_segment_is_told() {
    let (disk, _) = journal();
    let path = newest_segment(&disk);
    reopen(&disk, None).unwrap();
    let mut bytes = crate::disk::read_file(&disk, &path, usize::MAX).unwrap();
    bytes.drain(BEGIN + record_bytes()..BEGIN + 2 * record_bytes());
    write(&disk, &path, &bytes);
    assert!(matches!(reopen(&disk, None), Err(Error::Corrupt { sequence: Sequence(2), .. })));
}

#[test]
fn a_journal_that_does_not_begin_with_record_one_is_told() {
    let disk = SimulatedDisk::new();
    for first in 1..=2 {
        let header = SegmentHeader { segment: SegmentId(1), first: Sequence(first), start: 0, seed: 0 };
        write(&disk, &segment::path(&folder(), SegmentId(1)), &header.encode());
        let opened = reopen(&disk.copy(), None);
        assert_eq!(matches!(opened, Err(Error::Corrupt { .. })), first > 1);
    }
}

fn write(disk: &SimulatedDisk, path: &Path, bytes: &[u8]) {
    let file = disk.create(path).unwrap();
    file.append(&mut [std::io::IoSlice::new(bytes)]).unwrap();
}

#[test]
fn a_segment_that_ends_before_the_checkpoint_is_told() {
    let (disk, _) = journal();
    let path = newest_segment(&disk);
    let end = bytes_of(&disk, &path);
    let checkpoint = Checkpoint { sequence: Sequence(4), segment: SegmentId(1), position: end as u64 };
    assert_eq!(reopen(&disk.copy(), Some(checkpoint)).unwrap().1, []);
    disk.truncate(&path, end - 1);
    assert!(matches!(reopen(&disk, Some(checkpoint)), Err(Error::Corrupt { .. })));
}
