//! What may be applied and when, and what a checkpoint may cover.

use super::*;
use crate::checkpoint::Checkpoint;
use crate::disk::simulated::SimulatedDisk;
use crate::ids::Sequence;
use crate::journal::record::KEY_BYTES_MAX;
use crate::log::Group;

fn write(opened: &mut Opened, number: u64) -> Group {
    let batches = vec![(PARTITION, batch(number, 10))];
    opened.log.append(vec![Commit { batches, ..Commit::default() }]).unwrap()
}

fn next_offset(opened: &mut Opened) -> i64 {
    opened.log.state(PARTITION).unwrap().next_offset.0
}

/// A log on a simulated disk, where something can fail.
fn simulated() -> (tempfile::TempDir, SimulatedDisk, Opened) {
    let (path, disk) = (tempfile::tempdir().unwrap(), SimulatedDisk::new());
    let opened = open_on(Arc::new(disk.clone()), path.path());
    (path, disk, opened)
}

#[test]
fn a_group_is_not_applied_before_it_is_synced() {
    let path = tempfile::tempdir().unwrap();
    let mut opened = open(path.path());
    let group = write(&mut opened, 1);
    assert!(matches!(opened.log.apply(std::slice::from_ref(&group)), Err(Error::Stopped(_))));
    assert_eq!(opened.base_offsets(0, 1, 1 << 20, FirstBatch::Always), [0; 0]);
    assert!(opened.log.append(vec![Commit::default()]).is_err(), "nothing is written after that");
}

#[test]
fn groups_are_applied_in_the_order_of_their_records() {
    let path = tempfile::tempdir().unwrap();
    let mut opened = open(path.path());
    let first = write(&mut opened, 1);
    let second = write(&mut opened, 2);
    opened.log.sync().unwrap();
    opened.log.apply(std::slice::from_ref(&first)).unwrap();
    opened.log.apply(std::slice::from_ref(&second)).unwrap();
    assert_eq!(opened.base_offsets(0, 2, 1 << 20, FirstBatch::Always), [0, 1]);
    write(&mut opened, 3);
    let fourth = write(&mut opened, 4);
    opened.log.sync().unwrap();
    assert!(matches!(opened.log.apply(std::slice::from_ref(&fourth)), Err(Error::Stopped(_))));
}

#[test]
fn a_checkpoint_covers_what_was_applied_and_not_what_was_written() {
    let (path, disk, mut opened) = simulated();
    opened.append(batch(1, 10));
    write(&mut opened, 2);
    disk.fail_once_after(0);
    opened.log.sync().unwrap_err();
    opened.checkpoint();
    let covered = Checkpoint::read(&disk, &opened.folder.checkpoint()).unwrap().unwrap();
    assert_eq!(covered.sequence, Sequence(1));
    drop(opened);
    let opened = open_on(Arc::new(disk.copy()), path.path());
    assert_eq!(opened.base_offsets(0, 2, 1 << 20, FirstBatch::Always), [0, 1], "the process died only");
}

#[test]
fn the_log_ends_with_what_was_applied_after_a_failure() {
    let (_path, disk, mut opened) = simulated();
    opened.append(batch(1, 10));
    let group = write(&mut opened, 2);
    disk.fail_once_after(0);
    opened.log.sync().unwrap_err();
    assert!(
        opened.log.apply(std::slice::from_ref(&group)).is_err(),
        "what could not be synced is not readable"
    );
    assert_eq!(next_offset(&mut opened), 1);
    assert!(opened.log.append(vec![Commit::default()]).is_err());
    assert!(opened.log.sync().is_err(), "no sync is tried twice");
    assert_eq!(opened.base_offsets(0, 2, 1 << 20, FirstBatch::Always), [0], "reads go on");
    assert!(opened.log.close().is_err());
}

#[test]
fn a_commit_that_is_refused_stops_writing_because_its_offsets_are_gone() {
    let path = tempfile::tempdir().unwrap();
    let mut opened = open(path.path());
    let long = Mutation { table: Table::Meta, key: vec![0; KEY_BYTES_MAX + 1], value: None };
    let refused = Commit { mutations: vec![long], batches: vec![(PARTITION, batch(1, 10))] };
    assert!(matches!(opened.log.append(vec![refused]), Err(Error::RecordTooLarge { .. })));
    assert!(matches!(opened.log.append(vec![Commit::default()]), Err(Error::Stopped(_))));
    assert_eq!(next_offset(&mut opened), 0);
}

#[test]
fn a_failure_of_the_index_stops_writing() {
    let path = tempfile::tempdir().unwrap();
    let mut opened = open(path.path());
    let damaged = Mutation {
        table: Table::Partitions,
        key: keys::partitions(PARTITION),
        value: Some(b"no row of a partition".to_vec()),
    };
    let group = opened.log.append(vec![Commit { mutations: vec![damaged], ..Commit::default() }]).unwrap();
    opened.log.sync().unwrap();
    opened.log.apply(std::slice::from_ref(&group)).unwrap_err();
    assert!(matches!(opened.log.append(vec![Commit::default()]), Err(Error::Stopped(_))));
    opened.checkpoint();
    let covered = Checkpoint::read(&OsDisk, &opened.folder.checkpoint()).unwrap().unwrap();
    assert_eq!(covered.sequence, Sequence(0));
}

#[test]
fn a_checkpoint_is_on_the_disk_only_after_the_tables() {
    let path = tempfile::tempdir().unwrap();
    let mut opened = open(path.path());
    for number in 0..50 {
        opened.append(batch(number, 10));
    }
    opened.checkpoint();
    drop(opened);
    // Opening discards what the index had not written into tables.
    let opened = open(path.path());
    assert_eq!(opened.base_offsets(0, 50, 1 << 20, FirstBatch::Always), (0..50).collect::<Vec<_>>());
}

#[test]
fn a_checkpoint_that_was_begun_ends_before_the_folder_is_free() {
    let path = tempfile::tempdir().unwrap();
    let mut opened = open(path.path());
    opened.append(batch(1, 10));
    opened.log.reclaim().unwrap();
    let file = opened.folder.checkpoint();
    drop(opened);
    assert_eq!(Checkpoint::read(&OsDisk, &file).unwrap().unwrap().sequence, Sequence(1));
}

/// The last record that the checkpoint covers.
fn covered(folder: &Folder) -> u64 {
    Checkpoint::read(&OsDisk, &folder.checkpoint()).unwrap().map_or(0, |it| it.sequence.0)
}

/// How many of ten commits, each in a segment of its own, begin a checkpoint under those bounds.
fn checkpoints(bounds: CheckpointBounds) -> usize {
    let path = tempfile::tempdir().unwrap();
    let mut opened = open_with(Arc::new(OsDisk), path.path(), bounds);
    let mut begun = 0;
    for number in 0..10 {
        opened.append(batch(number, 3000));
        opened.log.checkpoint_when_due().unwrap();
        opened.wait_for_checkpoint();
        begun += usize::from(covered(&opened.folder) == number + 1);
        let segment = opened.log.writer.position().0;
        opened.log.checkpoint_when_due().unwrap();
        assert!(!opened.log.checkpointer.is_busy(), "nothing was written since, in {segment}");
    }
    begun
}

#[test]
fn a_checkpoint_is_due_after_its_bytes_records_or_time() {
    assert_eq!(checkpoints(NEVER), 0);
    assert_eq!(checkpoints(CheckpointBounds { bytes: 9000, ..NEVER }), 3, "bytes of several segments");
    assert_eq!(checkpoints(CheckpointBounds { records: 5, ..NEVER }), 2);
    assert_eq!(checkpoints(CheckpointBounds { interval: Duration::ZERO, ..NEVER }), 10);
}

#[test]
fn records_are_counted_from_the_last_checkpoint_over_a_restart() {
    let path = tempfile::tempdir().unwrap();
    let bounds = CheckpointBounds { records: 3, ..NEVER };
    let mut is_due = [false; 6];
    for (number, is_due) in is_due.iter_mut().enumerate() {
        let mut opened = open_with(Arc::new(OsDisk), path.path(), bounds);
        opened.append(batch(number as u64, 10));
        opened.log.checkpoint_when_due().unwrap();
        opened.wait_for_checkpoint();
        *is_due = covered(&opened.folder) == number as u64 + 1;
    }
    assert_eq!(is_due, [false, false, true, false, false, true]);
}
