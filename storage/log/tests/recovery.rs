//! What recovery must not bring back: forgotten producers, log starts that moved, deleted logs.

use super::*;
use crate::disk::simulated::SimulatedDisk;
use crate::values::SegmentUse;

fn of_producer(producer: i64) -> Batch {
    changed(&batch(1, 10), |header| {
        header.producer_id = producer;
        header.producer_epoch = 0;
        header.base_sequence = 0;
    })
}

fn log_start(opened: &mut Opened) -> Offset {
    opened.log.state(PARTITION).unwrap().log_start
}

#[test]
fn a_producer_that_was_forgotten_stays_forgotten() {
    let path = tempfile::tempdir().unwrap();
    let mut opened = open(path.path());
    opened.append(of_producer(7));
    opened.log.close().unwrap();
    drop(opened.folder);
    let mut opened = open(path.path());
    let key = keys::producers(PARTITION, ProducerId(7));
    let mutations = vec![Mutation { table: Table::Producers, key, value: None }];
    opened.commit(Commit { mutations, ..Commit::default() });
    opened.append(of_producer(8));
    for _ in 0..2 {
        let producers = opened.log.state(PARTITION).unwrap().producers;
        assert_eq!(producers.keys().collect::<Vec<_>>(), [&ProducerId(8)]);
        drop(opened);
        opened = open(path.path());
    }
}

#[test]
fn a_log_start_never_goes_back_over_restarts() {
    let path = tempfile::tempdir().unwrap();
    let mut opened = open(path.path());
    opened.append(many(1, 10));
    opened.set_log_start(Offset(6));
    opened.set_log_start(Offset(3));
    for _ in 0..2 {
        assert_eq!(log_start(&mut opened), Offset(6));
        opened.log.close().unwrap();
        drop(opened.folder);
        opened = open(path.path());
    }
}

#[test]
fn a_deleted_log_stays_deleted() {
    let path = tempfile::tempdir().unwrap();
    let mut opened = open(path.path());
    opened.append(many(1, 10));
    opened.set_log_start(DELETED);
    assert!(opened.log.tails.loaded(PARTITION).is_none(), "it takes no memory any more");
    opened.set_log_start(Offset(0));
    opened.append(many(1, 10));
    for _ in 0..2 {
        assert_eq!(log_start(&mut opened), DELETED);
        assert_eq!(opened.log.index.scan(Table::Log, &keys::log(PARTITION, Offset(10))).unwrap(), []);
        drop(opened);
        opened = open(path.path());
    }
}

#[test]
fn the_last_of_two_changes_of_a_row_counts() {
    let path = tempfile::tempdir().unwrap();
    let mut opened = open(path.path());
    let row = |key: u8, value: Option<u8>| Mutation {
        table: Table::Meta,
        key: vec![key],
        value: value.map(|it| vec![it]),
    };
    let changes = [(1, Some(1)), (1, Some(2)), (2, Some(1)), (2, None), (3, None), (3, Some(3))];
    let mutations = changes.iter().map(|(key, value)| row(*key, *value)).collect();
    opened.commit(Commit { mutations, ..Commit::default() });
    for restart in 0..3 {
        let get = |key: u8| opened.log.index.get(Table::Meta, &[key]).unwrap();
        assert_eq!((get(1), get(2), get(3)), (Some(vec![2]), None, Some(vec![3])));
        if restart == 1 {
            opened.log.close().unwrap();
            drop(opened.folder);
        } else {
            drop(opened);
        }
        opened = open(path.path());
    }
}

#[test]
fn five_batches_of_a_producer_survive_a_restart() {
    let path = tempfile::tempdir().unwrap();
    let mut opened = open(path.path());
    for _ in 0..7 {
        opened.append(of_producer(7));
    }
    for _ in 0..2 {
        let producers = opened.log.state(PARTITION).unwrap().producers;
        let offsets: Vec<_> = producers[&ProducerId(7)].batches.iter().map(|it| it.base_offset).collect();
        assert_eq!(offsets, [2, 3, 4, 5, 6]);
        drop(opened);
        opened = open(path.path());
    }
}

#[test]
fn a_batch_is_counted_once_in_its_segment() {
    let (path, disk) = (tempfile::tempdir().unwrap(), SimulatedDisk::new());
    let mut opened = open_on(Arc::new(disk.clone()), path.path());
    opened.checkpoint();
    opened.append(batch(1, 10));
    opened.append(batch(2, 10));
    // The tables are written, and the checkpoint that would cover them is not.
    disk.fail_once_after(0);
    opened.checkpoint();
    drop(opened);
    // The second record is not known to be synced and stands in the new segment again.
    let mut opened = open_on(Arc::new(disk.copy()), path.path());
    opened.checkpoint();
    let row = |segment| {
        let key = keys::segments(SegmentId(segment), PARTITION);
        SegmentUse::decode(&opened.log.index.get(Table::Segments, &key).unwrap().unwrap()).unwrap()
    };
    let bytes = batch(1, 10).bytes.len() as u64;
    assert_eq!(row(1), SegmentUse { last_offset: Offset(1), bytes: 2 * bytes });
    assert_eq!(row(2), SegmentUse { last_offset: Offset(1), bytes });
}

#[test]
fn a_log_goes_on_at_a_log_start_behind_its_end() {
    let path = tempfile::tempdir().unwrap();
    let mut opened = open(path.path());
    assert_eq!(opened.append(many(1, 10)), 0);
    opened.set_log_start(Offset(15));
    assert_eq!(opened.log.state(PARTITION).unwrap().next_offset, Offset(15));
    assert_eq!(opened.append(many(1, 10)), 15);
    opened.set_log_start(Offset(40));
    drop(opened);
    assert_eq!(open(path.path()).append(many(1, 10)), 40);
}
