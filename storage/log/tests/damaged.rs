//! Batches whose bytes are not those that were written any more, and rows that lead elsewhere.

use super::*;
use std::fs;

/// Five batches of a record each, and where the journal has them.
fn written(path: &Path) -> (Opened, Vec<crate::values::BatchPlace>) {
    let mut opened = open(path);
    for number in 0..5 {
        opened.append(batch(number, 100));
    }
    let place = |base| {
        let row = opened.log.row(Table::Log, &keys::log(PARTITION, Offset(base))).unwrap().unwrap();
        crate::values::BatchPlace::decode(&row).unwrap()
    };
    let places = (0..5).map(place).collect();
    (opened, places)
}

fn read(opened: &Opened, start: i64) -> Result<Vec<i64>> {
    let extent = Extent { partition: PARTITION, start: Offset(start), end: Offset(5) };
    let batches = opened.log.reader().read(extent, usize::MAX, FirstBatch::Always, || usize::MAX)?;
    Ok(batches.iter().map(|bytes| BatchHeader::parse(bytes).unwrap().base_offset).collect())
}

/// What stands before the batch at offset 2 and behind it is served, and itself is not.
fn assert_only_2_is_damaged(opened: &Opened) {
    assert_eq!(read(opened, 0).unwrap(), [0, 1]);
    assert_eq!(read(opened, 3).unwrap(), [3, 4]);
    let told = read(opened, 2).unwrap_err();
    assert!(matches!(told, Error::DamagedBatch { partition: PARTITION, offset: Offset(2), .. }), "{told}");
}

#[test]
fn a_damaged_byte_of_a_batch_is_told_and_what_is_around_it_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let (opened, places) = written(folder.path());
    let path = segment::path(&opened.folder.journal(), places[2].segment);
    let whole = fs::read(&path).unwrap();
    let start = places[2].position as usize;
    for at in (start..start + places[2].length as usize).step_by(7) {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(&path, damaged).unwrap();
        assert_only_2_is_damaged(&opened);
    }
    fs::write(&path, &whole).unwrap();
    assert_eq!(read(&opened, 0).unwrap(), [0, 1, 2, 3, 4]);
    let extent = Extent { partition: PARTITION, start: Offset(0), end: Offset(5) };
    let mut damaged = whole;
    damaged[start + BATCH_HEADER_BYTES + 20] ^= 1;
    fs::write(&path, damaged).unwrap();
    let told = opened.log.reader().find_time(extent, 2).unwrap_err();
    assert!(matches!(told, Error::DamagedBatch { offset: Offset(2), .. }), "{told}");
}

#[test]
fn a_row_that_leads_to_another_batch_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (opened, places) = written(folder.path());
    let reader = opened.log.reader();
    let mut wrong = vec![places[3], places[2], places[2]];
    wrong[1].position += 1;
    wrong[2].length -= 1;
    for place in wrong {
        let mut rows = reader.index().batch();
        rows.put(Table::Log, &keys::log(PARTITION, Offset(2)), place.encode());
        rows.commit().unwrap();
        assert_only_2_is_damaged(&opened);
    }
}

#[test]
fn a_segment_that_ends_too_early_costs_only_what_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let (opened, places) = written(folder.path());
    let path = segment::path(&opened.folder.journal(), places[3].segment);
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_len(places[3].position + 5).unwrap();
    assert_eq!(read(&opened, 0).unwrap(), [0, 1, 2]);
    assert!(matches!(read(&opened, 3).unwrap_err(), Error::Io { .. }));
}
