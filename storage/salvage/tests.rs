//! What is whole is there again with its offsets, what is lost is told, and the new folder is whole.

use super::*;
use crate::check::tests::{Left, ORDERS, Writing, checked, committed, folder, freed, partition, topic};
use crate::ids::{PartitionId, SegmentId};
use crate::journal::segment;
use crate::keys::{self, Table};
use crate::log::reader::{Extent, FirstBatch};
use callboard_protocol::batch::BatchHeader;
use std::collections::BTreeMap;
use std::path::PathBuf;
use tempfile::TempDir;

fn options() -> SalvageOptions {
    let index = IndexUse::Read;
    SalvageOptions { segment_bytes: 4096, index, identity: Identity { cluster_id: "new".into(), node_id: 1 } }
}

/// The batches of all partitions: base offset, offsets, records and checksum.
type Batches = BTreeMap<u32, Vec<(i64, i64, i32, u32)>>;

fn batches(path: &Path) -> Batches {
    let writing = Writing::open(path);
    let mut all = Batches::new();
    for id in 1..10 {
        let start = writing.log.log_start(PartitionId(id));
        let extent = Extent { partition: PartitionId(id), start, end: Offset(i64::MAX) };
        if start == crate::values::DELETED {
            continue;
        }
        for bytes in writing.log.reader().read(extent, usize::MAX, FirstBatch::Always, || usize::MAX).unwrap()
        {
            let header = BatchHeader::parse(&bytes).unwrap();
            assert_eq!(callboard_protocol::batch::validate::checksum(&bytes), header.crc);
            let offsets = header.last_offset() + 1 - header.base_offset;
            let records = if header.attributes.is_control() { 0 } else { header.record_count };
            let batch = (header.base_offset, offsets, records, header.crc);
            all.entry(id).or_default().push(batch);
        }
    }
    writing.leave(Left::Closed);
    all
}

fn salvaged(folder: &Path) -> (Salvaged, TempDir) {
    let target = tempfile::tempdir().unwrap();
    let salvaged = salvage(folder, target.path(), options(), &mut |_| {}).unwrap();
    let report = checked(target.path());
    assert!(report.is_clean(), "{:?}, {:?}", report.refusal, report.findings);
    (salvaged, target)
}

fn damage(folder: &Path, number: u64, position: usize) -> PathBuf {
    let path = segment::path(&folder.join("journal"), SegmentId(number));
    let mut bytes = fs::read(&path).unwrap();
    bytes[position] ^= 1;
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn of_a_whole_folder_nothing_is_lost() {
    for left in [Left::Closed, Left::Crashed] {
        let folder = folder(left);
        let (told, target) = salvaged(folder.path());
        assert!(told.lost.is_empty() && told.damages.is_empty() && told.notes.is_empty(), "{told:?}");
        // What a log was made to start behind only after the checkpoint is copied too.
        let below = if left == Left::Crashed { 4 } else { 0 };
        assert_eq!((told.topics, told.batches, told.offsets), (1, 33 + below, 33 + below));
        let epoch = |path: &Path| {
            let writing = Writing::open(path);
            let epoch = writing.log.leader_epoch();
            let offsets = writing.log.rows(Table::Offsets, &keys::groups("kitchen")).unwrap();
            writing.leave(Left::Closed);
            (epoch, offsets)
        };
        let (before, after) = (epoch(folder.path()), epoch(target.path()));
        assert!(after.0 > before.0, "leader epochs never go back");
        assert_eq!(after.1, before.1, "what groups committed");
        assert_eq!(batches(folder.path()), batches(target.path()));
    }
}

#[test]
fn a_target_that_is_not_empty_and_a_folder_in_use_are_refused() {
    let (folder, target) = (folder(Left::Closed), tempfile::tempdir().unwrap());
    fs::write(target.path().join("file"), "mine").unwrap();
    let refused = salvage(folder.path(), target.path(), options(), &mut |_| {}).unwrap_err();
    assert!(matches!(refused, Error::NotEmpty(_)), "{refused}");
    let new = target.path().join("new");
    let writing = Writing::open(folder.path());
    let refused = salvage(folder.path(), &new, options(), &mut |_| {}).unwrap_err();
    assert!(matches!(refused, Error::InUse(_)), "{refused}");
    assert!(!new.exists());
    writing.leave(Left::Closed);
}

/// All that is not told to be lost must be there as it was.
fn assert_rest_is_there(before: &Batches, after: &Batches, lost: &[Lost]) {
    let is_lost = |id: u32, base: i64| {
        lost.iter().any(|it| it.partition.id.0 == id && (it.from.0..it.to.0).contains(&base))
    };
    let mut count = 0;
    for (id, batches) in before {
        let rest: Vec<_> = after.get(id).into_iter().flatten().filter(|batch| batch.2 > 0).collect();
        let expected: Vec<_> = batches.iter().filter(|batch| !is_lost(*id, batch.0)).collect();
        assert_eq!(rest, expected, "partition {id}");
        let end = |batches: &[(i64, i64, i32, u32)]| batches.last().map(|last| last.0 + last.1);
        assert_eq!(after.get(id).and_then(|it| end(it)), end(batches), "no offset is given twice");
        count += batches.len() - expected.len();
    }
    let offsets: i64 = lost.iter().map(|it| it.to.0 - it.from.0).sum();
    assert_eq!(offsets, count as i64, "nothing is told to be lost that is there");
}

#[test]
fn damaged_batches_and_records_leave_holes_that_readers_pass() {
    // A batch's content, the head of a record, and one at the end of the journal.
    for (number, position) in [(1, 1700), (2, 36), (2, 1500), (4, 60), (5, 200), (5, 2600)] {
        let folder = folder(Left::Closed);
        let before = batches(folder.path());
        let newest = fs::read_dir(folder.path().join("journal")).unwrap().count();
        assert!(newest >= 5, "{newest}");
        let path = segment::path(&folder.path().join("journal"), SegmentId(number));
        let position = position.min(fs::metadata(path).unwrap().len() as usize - 1);
        damage(folder.path(), number, position);
        let report = checked(folder.path());
        let (told, target) = salvaged(folder.path());
        assert!(report.findings.count() > 0 || told.lost.is_empty(), "{told:?}");
        assert_rest_is_there(&before, &batches(target.path()), &told.lost);
    }
}

#[test]
fn a_segment_that_is_gone_costs_only_what_was_in_it() {
    let folder = folder(Left::Closed);
    let before = batches(folder.path());
    fs::remove_file(segment::path(&folder.path().join("journal"), SegmentId(2))).unwrap();
    let (told, target) = salvaged(folder.path());
    assert!(told.lost.len() >= 2 && told.batches > 15, "{told:?}");
    assert_rest_is_there(&before, &batches(target.path()), &told.lost);
}

#[test]
fn one_wrong_byte_in_a_segments_header_costs_nothing() {
    for position in [3, 12, 20, 30, 35] {
        let folder = folder(Left::Closed);
        let before = batches(folder.path());
        damage(folder.path(), 3, position);
        let (told, target) = salvaged(folder.path());
        assert!(told.lost.is_empty() && told.damages.len() == 1, "{told:?}");
        assert_eq!(batches(target.path()), before);
    }
}

#[test]
fn without_an_index_all_is_as_the_journal_has_it() {
    for left in [Left::Closed, Left::Crashed] {
        let folder = folder(left);
        let before = batches(folder.path());
        fs::remove_dir_all(folder.path().join("index/keyspaces/2")).unwrap();
        let (told, target) = salvaged(folder.path());
        let other = tempfile::tempdir().unwrap();
        let options = SalvageOptions { index: IndexUse::Leave, ..options() };
        salvage(folder.path(), other.path(), options, &mut |_| {}).unwrap();
        assert_eq!(batches(other.path()), before);
        assert!(told.lost.is_empty() && told.topics == 1, "{told:?}");
        assert!(told.notes.iter().any(|note| note.contains("index cannot be read")), "{told:?}");
        let writing = Writing::open(target.path());
        let offset = writing.log.row(Table::Offsets, &committed("kitchen", 0).1).unwrap();
        assert_eq!(offset, committed("kitchen", 9).2, "the last one");
        writing.leave(Left::Closed);
        assert_eq!(batches(target.path()), before);
    }
}

#[test]
fn partitions_whose_topics_are_not_known_any_more_get_some() {
    let folder = folder(Left::Closed);
    // The rows of the topics are in the first segment.
    fs::remove_dir_all(folder.path().join("index")).unwrap();
    fs::remove_file(segment::path(&folder.path().join("journal"), SegmentId(1))).unwrap();
    let (told, target) = salvaged(folder.path());
    let notes = told.notes.join("\n");
    assert!(notes.contains("the topic salvaged-1") && notes.contains("it is called salvaged-"), "{notes}");
    assert!(told.topics >= 2 && told.batches > 10, "{told:?}");
    let there = batches(target.path());
    assert!(there[&1].len() > 4 && there[&2].len() > 4, "{there:?}");
}

#[test]
fn rows_that_no_start_could_read_are_left_out() {
    let folder = folder(Left::Closed);
    let mut writing = Writing::open(folder.path());
    writing.rows([
        (Table::Topics, vec![1, 2, 3], Some(vec![4])),
        (Table::Groups, keys::groups("x"), Some(vec![9])),
    ]);
    writing.rows([partition(2, ORDERS, 2, Offset(4)), topic(ORDERS, "renamed")]);
    writing.leave(Left::Crashed);
    let (told, target) = salvaged(folder.path());
    assert!(told.notes.iter().any(|note| note.contains("partition 1 of renamed")), "{told:?}");
    let writing = Writing::open(target.path());
    assert_eq!(writing.log.rows(Table::Groups, &[]).unwrap(), []);
    writing.leave(Left::Closed);
}

#[test]
fn where_segments_were_freed_nothing_is_lost() {
    let folder = freed();
    let before = batches(folder.path());
    let (told, target) = salvaged(folder.path());
    assert!(told.lost.is_empty() && told.damages.is_empty() && told.notes.is_empty(), "{told:?}");
    assert_eq!(batches(target.path()), before);
}

#[test]
fn behind_a_damaged_record_the_last_one_is_kept_though_nothing_vouches_for_it() {
    let folder = folder(Left::Crashed);
    let before = batches(folder.path());
    let folder = self::folder(Left::Crashed);
    let mut places = Vec::new();
    segments::walk(&OsDisk, &folder.path().join("journal"), Sequence(0), &mut |found| {
        if let Found::Record { segment, record, .. } = found {
            places.push((segment, record.position));
        }
        Ok(())
    })
    .unwrap();
    // The one before is another partition's.
    let (segment, position) = places[places.len() - 3];
    damage(folder.path(), segment.0, position as usize);
    let (told, target) = salvaged(folder.path());
    assert_eq!(told.lost.len(), 1, "{told:?}");
    assert_rest_is_there(&before, &batches(target.path()), &told.lost);
}

#[test]
fn whole_batches_of_damaged_records_and_segments_are_found_by_the_index() {
    // The head of a record, and a whole header of a segment.
    for range in [36..68, 0..36] {
        let folder = folder(Left::Closed);
        let before = batches(folder.path());
        let path = segment::path(&folder.path().join("journal"), SegmentId(2));
        let mut bytes = fs::read(&path).unwrap();
        bytes[range].fill(0);
        fs::write(&path, bytes).unwrap();
        let report = checked(folder.path());
        assert_eq!(report.findings.count(), 1, "no batch is lost: {:?}", report.findings);
        let (told, target) = salvaged(folder.path());
        assert!(told.lost.is_empty() && told.damages.len() == 1, "{told:?}");
        assert_eq!(batches(target.path()), before);
    }
}
