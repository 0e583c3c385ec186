//! Random histories of commits, checkpoints, crashes, power failures and failing disks, against a
//! plain list of what was committed.

use super::plain::{Change, PARTITIONS, Partition, replay};
use super::*;
use crate::disk::simulated::SimulatedDisk;
use bytes::Bytes;
use callboard_protocol::batch::Placement;
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
enum Work {
    Produce(Vec<Produced>),
    /// Moves a log start to so many percent of the log, also back.
    MoveStart(u32, i64),
    Forget(u32, i64),
    Delete(u32),
}

#[derive(Debug, Clone)]
struct Produced {
    partition: u32,
    records: i32,
    content_bytes: usize,
    timestamp: i64,
    /// A producer and its epoch.
    producer: Option<(i64, i16)>,
}

#[derive(Debug, Clone)]
enum Step {
    Commit(Vec<Work>),
    /// A checkpoint, with or without waiting for its end.
    Checkpoint(bool),
    /// A stop with a last checkpoint.
    Close,
    /// The process dies; the operating system keeps what was written.
    Crash,
    /// The power fails; each unsynced page is kept or lost.
    PowerFailure(u64),
    /// The disk operation after so many more fails, and no other.
    DiskFailsOnce(usize),
    /// The process dies, fails to start after so many operations of the disk, and the power fails.
    FailedStart(usize, u64),
}

fn produced() -> impl Strategy<Value = Produced> {
    let producer = prop::option::of((0..3i64, 0..2i16));
    (0..PARTITIONS, 1..5i32, 0..400usize, 0..500i64, producer).prop_map(
        |(partition, records, content_bytes, timestamp, producer)| Produced {
            partition,
            records,
            content_bytes,
            timestamp,
            producer,
        },
    )
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let bounded = 0..PARTITIONS - 1;
    let work = prop_oneof![
        12 => prop::collection::vec(produced(), 1..4).prop_map(Work::Produce),
        2 => (bounded.clone(), 0..=100i64).prop_map(|(partition, to)| Work::MoveStart(partition, to)),
        2 => (0..PARTITIONS, 0..3i64).prop_map(|(partition, producer)| Work::Forget(partition, producer)),
        1 => bounded.prop_map(Work::Delete),
    ];
    let step = prop_oneof![
        16 => prop::collection::vec(work, 1..4).prop_map(Step::Commit),
        4 => any::<bool>().prop_map(Step::Checkpoint),
        1 => Just(Step::Close),
        2 => Just(Step::Crash),
        2 => any::<u64>().prop_map(Step::PowerFailure),
        1 => (0..8usize).prop_map(Step::DiskFailsOnce),
        1 => (0..10usize, any::<u64>()).prop_map(|(after, seed)| Step::FailedStart(after, seed)),
    ];
    prop::collection::vec(step, 1..32)
}

/// A small generator, so that a failing history is repeated exactly.
fn coin(seed: u64) -> impl FnMut() -> bool {
    let mut state = seed | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state & 1 == 0
    }
}

struct Model {
    path: tempfile::TempDir,
    disk: SimulatedDisk,
    log: Option<Opened>,
    starts: i32,
    /// All that was handed to the log and is not known to be lost.
    commits: Vec<Vec<Change>>,
    /// How many of them survive the process, survive a power failure and are readable.
    appended: usize,
    synced: usize,
    /// Whether a write or sync has failed since the start.
    is_stopped: bool,
}

impl Model {
    fn new() -> Self {
        let (path, disk) = (tempfile::tempdir().unwrap(), SimulatedDisk::new());
        let log = Some(open_on(Arc::new(disk.clone()), path.path()));
        let commits = Vec::new();
        let mut model =
            Self { path, disk, log, starts: 1, commits, appended: 0, synced: 0, is_stopped: false };
        let rows = (0..PARTITIONS - 1).map(|id| Work::MoveStart(id, 0)).collect::<Vec<_>>();
        model.commit(&rows);
        model
    }

    fn log(&mut self) -> &mut Log {
        &mut self.log.as_mut().unwrap().log
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Commit(group) => self.commit(group),
            Step::Checkpoint(wait) => {
                self.log().reclaim().unwrap();
                if *wait {
                    self.log.as_ref().unwrap().wait_for_checkpoint();
                }
            }
            Step::Close => {
                let closed = self.log.take().unwrap().log.close();
                assert!(closed.is_ok() || self.is_stopped);
                self.restart(self.disk.copy(), self.appended);
            }
            Step::Crash => self.restart(self.disk.copy(), self.appended),
            Step::PowerFailure(seed) => {
                self.restart(self.disk.after_power_failure(coin(*seed)), self.synced);
            }
            Step::DiskFailsOnce(after) => self.disk.fail_once_after(*after),
            Step::FailedStart(after, seed) => self.start_and_fail(*after, *seed),
        }
    }

    fn commit(&mut self, group: &[Work]) {
        let mut expected = self.commits.clone();
        let mut commits = Vec::new();
        for work in group {
            let (commit, changes) = self.work(work, &replay(&expected));
            commits.push(commit);
            expected.push(changes);
        }
        if self.is_stopped {
            assert!(self.log().append(commits).is_err(), "nothing is written after a failure");
            return;
        }
        self.commits = expected;
        let attempted = self.commits.len();
        self.is_stopped = true;
        if let Ok(group) = self.log().append(commits) {
            self.appended = attempted;
            if self.log().sync().is_ok() {
                self.synced = attempted;
                self.log().apply(&[group]).unwrap();
                self.is_stopped = false;
            }
        }
        self.check(false);
    }

    /// A commit, and what must come of it.
    fn work(&self, work: &Work, before: &BTreeMap<u32, Partition>) -> (Commit, Vec<Change>) {
        let mut commit = Commit::default();
        let mut changes = Vec::new();
        match work {
            Work::Produce(batches) => {
                let mut after = before.clone();
                for produced in batches {
                    let partition = after.get_mut(&produced.partition).unwrap();
                    if partition.log_start == DELETED.0 {
                        continue;
                    }
                    let batch = self.batch(produced, partition);
                    let placement =
                        Placement { base_offset: partition.next_offset, leader_epoch: self.starts - 1 };
                    let stamped = batch.clone().stamp(placement);
                    let bytes = Bytes::from([stamped.head.as_ref(), stamped.records.as_ref()].concat());
                    partition.append(&bytes);
                    changes.push(Change::Append(produced.partition, bytes));
                    commit.batches.push((PartitionId(produced.partition), batch));
                }
            }
            Work::MoveStart(id, percent) => {
                let Partition { next_offset, .. } = before[id];
                let to = next_offset * percent / 100;
                commit.mutations.push(log_start(*id, to));
                changes.push(Change::LogStart(*id, to));
            }
            Work::Delete(id) => {
                commit.mutations.push(log_start(*id, DELETED.0));
                changes.push(Change::LogStart(*id, DELETED.0));
            }
            Work::Forget(id, producer) => {
                let key = keys::producers(PartitionId(*id), ProducerId(*producer));
                commit.mutations.push(Mutation { table: Table::Producers, key, value: None });
                changes.push(Change::Forget(*id, *producer));
            }
        }
        (commit, changes)
    }

    fn batch(&self, produced: &Produced, partition: &Partition) -> Batch {
        let sequence = partition.next_offset as i32;
        changed(&batch(self.commits.len() as u64, produced.content_bytes), |header| {
            // The broker's time, so that nothing is unpacked.
            header.attributes = header.attributes.with(TimestampType::LogAppendTime);
            header.max_timestamp = produced.timestamp;
            header.record_count = produced.records;
            header.last_offset_delta = produced.records - 1;
            if let Some((producer, epoch)) = produced.producer {
                header.producer_id = producer;
                header.producer_epoch = epoch;
                header.base_sequence = sequence;
            }
        })
    }

    fn start_and_fail(&mut self, after: usize, seed: u64) {
        self.log = None;
        let disk = self.disk.copy();
        disk.fail_after(Some(after));
        let has_started = try_open_with(Arc::new(disk.clone()), self.path.path(), NEVER).is_ok();
        // What a start has read is durable.
        self.restart(
            disk.after_power_failure(coin(seed)),
            if has_started { self.appended } else { self.synced },
        );
    }

    /// All of what must be there is, and nothing that was never committed.
    fn restart(&mut self, disk: SimulatedDisk, expected: usize) {
        self.log = None;
        self.disk = disk;
        self.log = Some(open_on(Arc::new(self.disk.clone()), self.path.path()));
        // One that failed counts from when its segment is durable.
        let epoch = self.log().leader_epoch();
        assert!(self.starts <= epoch && epoch <= self.starts + 1);
        self.starts = epoch + 1;
        let count = self.log().writer.written().0 as usize;
        assert!(count >= expected, "{count} of {expected} commits are left");
        assert!(count <= self.commits.len());
        self.commits.truncate(count);
        (self.appended, self.synced, self.is_stopped) = (count, count, false);
        self.check(true);
    }

    /// What is synced is readable, and nothing else.
    fn check(&mut self, by_all_ways: bool) {
        for (id, expected) in replay(&self.commits[..self.synced]) {
            let partition = PartitionId(id);
            let state = self.log().state(partition).unwrap();
            assert_eq!(state.log_start, Offset(expected.log_start), "log start of {id}");
            if state.log_start == DELETED {
                continue;
            }
            assert_eq!(state.next_offset, Offset(expected.next_offset), "next offset of {id}");
            assert_eq!(state.producers, expected.producers, "producers of {id}");
            let reader = self.log().reader();
            check_batches(&reader, partition, &expected);
            if by_all_ways {
                check_searches(&reader, partition, &expected, self.starts);
            }
        }
    }
}

fn extent(partition: PartitionId, expected: &Partition) -> Extent {
    Extent { partition, start: Offset(expected.log_start), end: Offset(expected.next_offset) }
}

fn check_batches(reader: &LogReader, partition: PartitionId, expected: &Partition) {
    let extent = extent(partition, expected);
    let read = reader.read(extent, usize::MAX, FirstBatch::Always, || 64).unwrap();
    let batches: Vec<_> = expected.readable().map(|(_, bytes)| bytes.clone()).collect();
    assert!(read == batches, "batches of {partition}");
}

fn check_searches(reader: &LogReader, partition: PartitionId, expected: &Partition, starts: i32) {
    let extent = extent(partition, expected);
    for epoch in -1..=starts {
        assert_eq!(reader.epoch_end(extent, epoch).unwrap(), expected.epoch_end(epoch), "epoch {epoch}");
    }
    let offset = |header: &BatchHeader| Offset(header.base_offset).max(extent.start);
    for time in (0..510).step_by(34) {
        let mut later = expected.readable().filter(|(header, _)| header.max_timestamp >= time);
        let first = later.next().map(|(header, _)| offset(header));
        let found = reader.find_time(extent, time).unwrap();
        assert_eq!(found.map(|found| found.offset), first, "time {time} in {partition}");
    }
}

fn log_start(id: u32, to: i64) -> Mutation {
    let row = PartitionRow { topic: TopicId::default(), index: id, log_start: Offset(to) };
    let key = keys::partitions(PartitionId(id));
    Mutation { table: Table::Partitions, key, value: Some(row.encode()) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_committed_is_readable_after_everything(steps in steps(), seed in any::<u64>()) {
        let mut model = Model::new();
        for step in &steps {
            model.take(step);
        }
        model.take(&Step::Crash);
        model.take(&Step::PowerFailure(seed));
    }
}
