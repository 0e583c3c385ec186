//! The logs over a real folder: offsets, reading, times, epochs, restarts, reclaiming.

mod damaged;
mod index_files;
mod model;
mod order;
mod plain;
mod recovery;
mod search;

use super::checkpointer::CheckpointBounds;
use super::reader::{Extent, FirstBatch};
use super::{Commit, Log, LogOptions, LogReader};
use crate::disk::{Disk, OsDisk};
use crate::error::{Error, Result};
use crate::folder::{Folder, Identity};
use crate::ids::{Offset, PartitionId, ProducerId, SegmentId, TopicId};
use crate::journal::tests::{batch, batch_of};
use crate::journal::{Mutation, segment};
use crate::keys::{self, Table};
use crate::values::{DELETED, PartitionRow};
use callboard_protocol::batch::header::BATCH_HEADER_BYTES;
use callboard_protocol::batch::{Batch, BatchHeader, TimestampType};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const PARTITION: PartitionId = PartitionId(1);

/// No checkpoint but those that a test asks for.
const NEVER: CheckpointBounds =
    CheckpointBounds { bytes: u64::MAX, records: u64::MAX, interval: Duration::MAX };

#[derive(Debug)]
struct Opened {
    folder: Folder,
    log: Log,
}

fn open(path: &Path) -> Opened {
    open_on(Arc::new(OsDisk), path)
}

fn try_open(path: &Path) -> Result<Opened> {
    try_open_with(Arc::new(OsDisk), path, NEVER)
}

/// The journal and the checkpoint on that disk, the index on a real one.
fn open_on(disk: Arc<dyn Disk>, path: &Path) -> Opened {
    open_with(disk, path, NEVER)
}

fn open_with(disk: Arc<dyn Disk>, path: &Path, checkpoint: CheckpointBounds) -> Opened {
    try_open_with(disk, path, checkpoint).unwrap()
}

fn try_open_with(disk: Arc<dyn Disk>, path: &Path, checkpoint: CheckpointBounds) -> Result<Opened> {
    let folder = Folder::open(path, Identity { cluster_id: "test".into(), node_id: 1 })?;
    let log = Log::open(disk, &folder, &LogOptions { segment_bytes: 4096, checkpoint })?;
    Ok(Opened { folder, log })
}

impl Opened {
    fn commit(&mut self, commit: Commit) -> Vec<i64> {
        let group = self.log.append(vec![commit]).unwrap();
        self.log.sync().unwrap();
        self.log.apply(std::slice::from_ref(&group)).unwrap();
        group.placed().flatten().map(|placed| placed.batch.header.base_offset).collect()
    }

    fn append(&mut self, batch: Batch) -> i64 {
        self.commit(Commit { batches: vec![(PARTITION, batch)], ..Commit::default() })[0]
    }

    /// A checkpoint, to its end.
    fn checkpoint(&mut self) {
        self.log.reclaim().unwrap();
        self.wait_for_checkpoint();
    }

    fn wait_for_checkpoint(&self) {
        while self.log.checkpointer.is_busy() {
            std::thread::yield_now();
        }
    }

    fn segments(&self) -> Vec<SegmentId> {
        segment::list(&OsDisk, &self.folder.journal()).unwrap()
    }

    fn set_log_start(&mut self, log_start: Offset) {
        let row = PartitionRow { topic: TopicId::default(), index: 0, log_start };
        let mutations = vec![Mutation {
            table: Table::Partitions,
            key: keys::partitions(PARTITION),
            value: Some(row.encode()),
        }];
        self.commit(Commit { mutations, ..Commit::default() });
    }

    fn base_offsets(&self, start: i64, end: i64, bytes_max: usize, first: FirstBatch) -> Vec<i64> {
        let extent = Extent { partition: PARTITION, start: Offset(start), end: Offset(end) };
        let batches = self.log.reader().read(extent, bytes_max, first, || usize::MAX).unwrap();
        batches.iter().map(|bytes| BatchHeader::parse(bytes).unwrap().base_offset).collect()
    }
}

fn changed(batch: &Batch, change: impl FnOnce(&mut BatchHeader)) -> Batch {
    let mut header = batch.header;
    change(&mut header);
    Batch::seal(header, &batch.bytes[BATCH_HEADER_BYTES..])
}

/// `count` records, whose content nobody reads.
fn many(number: u64, count: i32) -> Batch {
    changed(&batch(number, 10), |header| {
        header.record_count = count;
        header.last_offset_delta = count - 1;
    })
}

#[test]
fn batches_get_offsets_and_read_back() {
    let path = tempfile::tempdir().unwrap();
    let mut opened = open(path.path());
    assert_eq!(opened.append(many(1, 3)), 0);
    assert_eq!(opened.append(many(2, 5)), 3);
    assert_eq!(opened.append(many(3, 1)), 8);
    let all = FirstBatch::Always;
    assert_eq!(opened.base_offsets(0, 9, 1 << 20, all), [0, 3, 8]);
    assert_eq!(opened.base_offsets(7, 9, 1 << 20, all), [3, 8], "a batch is given whole");
    assert_eq!(opened.base_offsets(8, 9, 1 << 20, all), [8]);
    assert_eq!(opened.base_offsets(0, 8, 1 << 20, all), [0, 3], "not above the high watermark");
    assert_eq!(opened.base_offsets(9, 9, 1 << 20, all), [0; 0]);
}

#[test]
fn bytes_max_never_stops_the_first_batch() {
    let path = tempfile::tempdir().unwrap();
    let mut opened = open(path.path());
    for number in 0..4 {
        opened.append(batch(number, 100));
    }
    assert_eq!(opened.base_offsets(0, 4, 1, FirstBatch::Always), [0]);
    assert_eq!(opened.base_offsets(0, 4, 1, FirstBatch::IfItFits), [0; 0]);
    assert_eq!(opened.base_offsets(1, 4, 161 * 2, FirstBatch::IfItFits), [1, 2]);
    assert_eq!(opened.base_offsets(1, 4, 161 * 2 - 1, FirstBatch::IfItFits), [1]);
}

#[test]
fn a_restart_keeps_offsets_producers_and_epochs() {
    let path = tempfile::tempdir().unwrap();
    let produced = changed(&many(1, 3), |header| {
        header.producer_id = 70;
        header.producer_epoch = 2;
        header.base_sequence = 9;
    });
    for start in 0..4 {
        let mut opened = open(path.path());
        assert_eq!(opened.log.leader_epoch(), start);
        let state = opened.log.state(PARTITION).unwrap();
        assert_eq!(state.next_offset, Offset(i64::from(start) * 3));
        if start > 0 {
            let row = &state.producers[&ProducerId(70)];
            assert_eq!((row.epoch, row.batches.len() as i32), (2, start));
            assert_eq!(row.batches.last().unwrap().last_sequence, 11);
        }
        assert_eq!(opened.append(produced.clone()), i64::from(start) * 3);
        if start == 1 {
            opened.log.close().unwrap();
        }
    }
    let opened = open(path.path());
    let end = |epoch| {
        let extent = Extent { partition: PARTITION, start: Offset(0), end: Offset(12) };
        opened.log.reader().epoch_end(extent, epoch).unwrap()
    };
    assert_eq!(end(0), Some((0, Offset(3))));
    assert_eq!(end(2), Some((2, Offset(9))));
    assert_eq!(end(9), Some((3, Offset(12))));
    assert_eq!(end(-1), None);
}

#[test]
fn records_are_found_by_time() {
    let path = tempfile::tempdir().unwrap();
    let mut opened = open(path.path());
    let at = |time: i64| {
        changed(&batch(0, 0), |header| {
            // The broker's time, so that nothing is unpacked.
            header.attributes = header.attributes.with(TimestampType::LogAppendTime);
            header.max_timestamp = time;
        })
    };
    // Time goes back in between, and there are more batches than between two entries.
    let times: Vec<i64> = (0..300).map(|number| 1000 + number * 10 - (number % 7) * 35).collect();
    for time in &times {
        opened.append(at(*time));
    }
    let entries = opened.log.index.scan(Table::Times, &keys::partitions(PARTITION)).unwrap().len();
    assert!((3..=6).contains(&entries), "{entries} entries, one for about 64 batches");
    for restart in [false, true] {
        if restart {
            drop(opened);
            opened = open(path.path());
        }
        let extent = Extent { partition: PARTITION, start: Offset(0), end: Offset(300) };
        let reader = opened.log.reader();
        for wanted in (900..4100).step_by(7) {
            let expected = times.iter().position(|time| *time >= wanted).map(|at| at as i64);
            let found = reader.find_time(extent, wanted).unwrap().map(|found| found.offset.0);
            assert_eq!(found, expected, "time {wanted}");
        }
        let newest = times.iter().max().unwrap();
        let first = times.iter().position(|time| time == newest).unwrap();
        let found = reader.find_max_time(extent).unwrap().unwrap();
        assert_eq!((found.offset.0, found.timestamp), (first as i64, *newest));
    }
}

#[test]
fn segments_of_a_deleted_partition_are_removed_and_others_stay() {
    let path = tempfile::tempdir().unwrap();
    let mut opened = open(path.path());
    opened.set_log_start(Offset(0));
    for number in 0..100 {
        opened.append(batch(number, 200));
    }
    let before = opened.segments().len();
    assert!(before > 5);
    opened.log.reclaim().unwrap();
    opened.log.checkpointer.finish();
    assert_eq!(opened.segments().len(), before, "all of it may still be read");
    drop(opened);
    let mut opened = open(path.path());
    opened.set_log_start(DELETED);
    opened.log.reclaim().unwrap();
    opened.log.checkpointer.finish();
    assert_eq!(opened.segments().len(), 1, "only the newest is left");
    drop(opened);
    // The rows of removed segments may come back with a crash; they go with the next checkpoint.
    let mut opened = open(path.path());
    opened.log.reclaim().unwrap();
    opened.log.checkpointer.finish();
    assert_eq!(opened.log.index.scan(Table::Segments, &[]).unwrap(), []);
    assert_eq!(opened.commit(Commit::default()), [0; 0]);
}

#[test]
fn segments_that_die_after_a_look_at_them_are_removed_and_so_is_one_that_is_sealed_dead() {
    let path = tempfile::tempdir().unwrap();
    let mut opened = open(path.path());
    opened.set_log_start(Offset(0));
    for number in 0..30 {
        opened.append(batch(number, 200));
    }
    opened.checkpoint();
    assert!(opened.segments().len() > 2, "all of it may still be read");
    opened.set_log_start(DELETED);
    opened.checkpoint();
    let newest = opened.segments();
    assert_eq!(newest, [opened.log.writer.position().0]);
    // It is sealed by what raises no bound.
    while opened.log.writer.position().0 == newest[0] {
        opened.set_log_start(DELETED);
    }
    opened.checkpoint();
    assert_eq!(opened.segments(), [opened.log.writer.position().0]);
}

#[test]
fn segments_below_the_log_start_are_removed_when_all_in_them_are() {
    let path = tempfile::tempdir().unwrap();
    let mut opened = open(path.path());
    opened.set_log_start(Offset(0));
    for number in 0..30 {
        opened.append(batch(number, 200));
    }
    // A partition without a row, so that nothing of it may go.
    let other = PartitionId(2);
    opened.commit(Commit { batches: vec![(other, batch(1, 200))], ..Commit::default() });
    for number in 30..60 {
        opened.append(batch(number, 200));
    }
    let (before, newest) = (opened.segments().len(), opened.log.writer.position().0);
    let first_byte = |opened: &Opened| opened.log.reader().journal().read(SegmentId(1), 0, 1);
    first_byte(&opened).unwrap();
    opened.set_log_start(Offset(60));
    opened.log.reclaim().unwrap();
    opened.log.checkpointer.finish();
    let left = opened.segments();
    assert!(before > 4);
    assert_eq!((left.len(), left.last()), (2, Some(&newest)), "the other partition's, and the newest");
    assert!(matches!(first_byte(&opened), Err(Error::MissingSegment(..))), "it is not kept open");
    let extent = Extent { partition: other, start: Offset(0), end: Offset(1) };
    assert_eq!(opened.log.reader().read(extent, 1 << 20, FirstBatch::Always, || 100).unwrap().len(), 1);
}

#[test]
fn a_raised_log_start_is_kept_and_offsets_go_on_behind_it() {
    let path = tempfile::tempdir().unwrap();
    let mut opened = open(path.path());
    opened.append(many(1, 10));
    opened.set_log_start(Offset(10));
    drop(opened);
    let mut opened = open(path.path());
    let state = opened.log.state(PARTITION).unwrap();
    assert_eq!((state.log_start, state.next_offset), (Offset(10), Offset(10)));
    assert_eq!(opened.append(many(1, 1)), 10);
}

#[test]
fn a_checkpoint_makes_the_next_opening_short() {
    let path = tempfile::tempdir().unwrap();
    let mut opened = open(path.path());
    for number in 0..50 {
        opened.append(batch(number, 10));
    }
    opened.log.close().unwrap();
    drop(opened.folder);
    let started = Instant::now();
    let mut opened = open(path.path());
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(opened.log.state(PARTITION).unwrap().next_offset, Offset(50));
    assert_eq!(opened.base_offsets(48, 50, 1000, FirstBatch::Always), [48, 49]);
}

#[test]
fn the_indexs_own_write_ahead_log_does_not_matter() {
    let path = tempfile::tempdir().unwrap();
    let mut opened = open(path.path());
    for number in 0..50 {
        opened.append(batch(number, 10));
    }
    drop(opened);
    for entry in std::fs::read_dir(path.path().join("index")).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_some_and(|extension| extension == "jnl") {
            std::fs::write(&file, b"not what was written").unwrap();
        }
    }
    let opened = open(path.path());
    assert_eq!(opened.base_offsets(48, 50, 1000, FirstBatch::Always), [48, 49]);
}

#[test]
fn a_transactional_commit_over_partitions_is_one_record() {
    let path = tempfile::tempdir().unwrap();
    let mut opened = open(path.path());
    let before = opened.log.writer.written();
    let batches = (1..=3).map(|id| (PartitionId(id), batch(1, 10))).collect();
    assert_eq!(opened.commit(Commit { batches, ..Commit::default() }), [0, 0, 0]);
    assert_eq!(opened.log.writer.written(), before.next());
}
