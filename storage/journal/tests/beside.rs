//! Syncs that run while more is written.

use super::*;

/// A journal with one record that is being synced: the disk has begun, and waits.
fn syncing(disk: &SimulatedDisk) -> Writer {
    let (mut writer, _) = reopen(disk, None).unwrap();
    writer.append(&[body(1, 100)]).unwrap();
    disk.hold_syncs(true);
    writer.begin_sync(|| {}).unwrap();
    disk.wait_for_held_sync();
    writer
}

/// What is left when the power fails now, as the numbers of the records.
fn left(disk: &SimulatedDisk) -> Vec<u64> {
    let (_, recovered) = reopen(&disk.after_power_failure(|| false), None).unwrap();
    recovered.iter().map(|it| it.record.header.sequence.0).collect()
}

#[test]
fn what_is_written_while_a_sync_runs_belongs_to_the_next() {
    let disk = SimulatedDisk::new();
    let mut writer = syncing(&disk);
    writer.append(&[body(2, 100)]).unwrap();
    assert_eq!(writer.synced(), Sequence(0));
    disk.hold_syncs(false);
    writer.end_sync().unwrap();
    assert_eq!((writer.synced(), left(&disk)), (Sequence(1), vec![1]));
    writer.begin_sync(|| {}).unwrap();
    writer.end_sync().unwrap();
    assert_eq!((writer.synced(), left(&disk)), (Sequence(2), vec![1, 2]));
    writer.end_sync().unwrap();
}

#[test]
fn a_second_sync_is_not_begun_beside_the_first() {
    let disk = SimulatedDisk::new();
    let mut writer = syncing(&disk);
    writer.append(&[body(2, 100)]).unwrap();
    writer.begin_sync(|| unreachable!("it is not begun")).unwrap();
    disk.hold_syncs(false);
    writer.sync().unwrap();
    assert_eq!((writer.synced(), left(&disk)), (Sequence(2), vec![1, 2]));
}

#[test]
fn a_segment_ends_only_when_the_sync_on_its_way_ended_well() {
    for fails in [false, true] {
        let disk = SimulatedDisk::new();
        let mut writer = syncing(&disk);
        if fails {
            disk.fail_once_after(0);
        }
        disk.hold_syncs(false);
        let appended = writer.append(&[body(2, SEGMENT_BYTES as usize)]);
        assert_eq!(appended.is_ok(), !fails, "the failure is not asked away by a second sync");
        assert_eq!(writer.synced(), Sequence(u64::from(!fails)));
        assert!(writer.end_sync().is_ok(), "its end was heard of");
        assert_eq!(writer.sync().is_ok(), !fails);
    }
}

#[test]
fn a_sync_that_ended_well_counts_after_a_failed_write() {
    let disk = SimulatedDisk::new();
    let mut writer = syncing(&disk);
    disk.fail_once_after(0);
    writer.append(&[body(2, 100)]).unwrap_err();
    disk.hold_syncs(false);
    writer.end_sync().unwrap();
    assert_eq!(writer.synced(), Sequence(1));
    assert!(matches!(writer.begin_sync(|| {}), Err(Error::Stopped(_))));
}
